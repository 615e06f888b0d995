import { createHmac } from "node:crypto";
import { Refusal } from "./refusal.ts";
import { dataClasses, holders, type DataClass, type Holder } from "./class-names.ts";
import { nameIn, namedIn, noPolicy, overlaps, Policy, sightOf, type Asker, type Sight } from "./policy.ts";
import type { Store } from "./state/store.ts";

export { dataClasses, type DataClass, type Holder } from "./class-names.ts";

/** What a name is classed as, and who said so: a steward, or a contract by its id. */
export interface Classed {
  readonly holder: Holder;
  readonly name: string;
  readonly class: DataClass;
  readonly origin: string;
}

/** The origin of what people decide; it counts before what contracts say. */
export const bySteward = "steward";

const strictest = (classes: readonly DataClass[]): DataClass =>
  dataClasses.findLast((one) => classes.includes(one)) ?? "internal";

/** One class a name: a steward's word counts, else the strictest of what contracts say. */
export const decided = (rows: readonly Classed[]): ReadonlyMap<string, DataClass> => {
  const byName = new Map<string, Classed[]>();
  for (const row of rows) {
    const key = `${row.holder} ${row.name}`;
    byName.set(key, [...(byName.get(key) ?? []), row]);
  }
  return new Map(
    [...byName].map(([key, own]) => [
      key,
      own.find(({ origin }) => origin === bySteward)?.class ?? strictest(own.map((one) => one.class)),
    ]),
  );
};

/** What is hidden from whoever asks. Every relation that holds properties or traits goes through it. */
export interface Veil {
  /** Whether anything is hidden at all. */
  readonly isDrawn: boolean;
  /** Throws `access.hidden` where a question would tell something of a property that its asker may not know. */
  check(holder: Holder, name: string): void;
  isHidden(holder: Holder, name: string): boolean;
  /** People whom a number must be over that is made of what is hidden; undefined where no number may be. */
  leastPeople(holder: Holder, name: string): number | undefined;
  /** Names of properties (with dots for those of objects) or traits that are left out of whatever is shown. */
  hidden(holder: Holder): readonly string[];
  /** An object of properties or traits without what is hidden; of what is personal, a token in its place. */
  shown(holder: Holder, values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}

export const noVeil: Veil = {
  isDrawn: false,
  check: () => undefined,
  isHidden: () => false,
  leastPeople: () => undefined,
  hidden: () => [],
  shown: (_, values) => values,
};

/** The same value of a name has the same token in a workspace, and says nothing else of it. */
const tokenOf = (secret: string, name: string, value: unknown): string =>
  `tok_${createHmac("sha256", secret)
    .update(`token\0${name}\0${JSON.stringify(value)}`)
    .digest("hex")
    .slice(0, 20)}`;

/** What whoever asks may not know of the names of a workspace. */
export const veilOf = (policy: Policy, asker: Asker, secret: string, rows: readonly Classed[]): Veil => {
  const classes = decided(rows);
  const spoken = namedIn(policy).filter(({ holder, name }) => !classes.has(`${holder} ${name}`));
  const known = [
    ...[...classes].map(([key, one]) => ({ holder: key.slice(0, key.indexOf(" ")) as Holder, name: key.slice(key.indexOf(" ") + 1), class: one })), // made by `decided`
    // what only a rule speaks of has the class that everything has
    ...spoken.map((one) => ({ ...one, class: "internal" as const })),
  ]; // prettier-ignore
  const hiddenOf: Readonly<Record<Holder, readonly { name: string; sight: Sight }[]>> = Object.fromEntries(
    holders.map((holder) => [
      holder,
      known.flatMap((one) => {
        if (one.holder !== holder) return [];
        const sight = sightOf(policy, asker, one.class, nameIn(holder, one.name));
        return sight === "clear" ? [] : [{ name: one.name, sight }];
      }),
    ]),
  ) as Record<Holder, { name: string; sight: Sight }[]>; // the names of `holders`
  if (holders.every((holder) => hiddenOf[holder].length === 0)) return noVeil;
  const covering = (holder: Holder, name: string) => hiddenOf[holder].filter((one) => overlaps(name, one.name));
  const isHidden = (holder: Holder, name: string): boolean => covering(holder, name).length > 0;
  const shown = (holder: Holder, values: Readonly<Record<string, unknown>>, base: string): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(values).flatMap(([key, value]): [string, unknown][] => {
        const name = base + key;
        if (!isHidden(holder, name)) return [[key, value]];
        const own = hiddenOf[holder].filter((one) => name === one.name || name.startsWith(`${one.name}.`));
        if (own.length > 0) return own.every(({ sight }) => sight === "token") ? [[key, tokenOf(secret, name, value)]] : []; // prettier-ignore
        const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
        return isObject ? [[key, shown(holder, value as Record<string, unknown>, `${name}.`)]] : [];
      }),
    );
  return {
    isDrawn: true,
    isHidden,
    check: (holder, name) => {
      if (isHidden(holder, name))
        throw new Refusal("access.hidden", `${name.slice(0, 100)} is classed so that you may not ask by it. A steward can tell you more.`, {}, 403); // prettier-ignore
    },
    leastPeople: (holder, name) => {
      const own = covering(holder, name);
      return own.length > 0 && own.every(({ sight }) => sight === "aggregate") ? policy.k : undefined;
    },
    hidden: (holder) => hiddenOf[holder].map(({ name }) => name),
    shown: (holder, values) => shown(holder, values, ""),
  };
};

/** Names that are classed in a workspace. */
export const classesIn = async (store: Store, workspace: string): Promise<readonly Classed[]> => {
  const rows = await store.selectFrom("classifications").selectAll().where("workspace", "=", workspace).execute();
  return rows.map((row) => ({
    holder: row.holder as Holder, // written only as one
    name: row.name,
    class: row.class as DataClass,
    origin: row.origin,
  }));
};

/** The policy that holds in a workspace: the one that was written last. */
export const policyIn = async (store: Store, workspace: string): Promise<Policy> => {
  const row = await store.selectFrom("policies").select("document").where("workspace", "=", workspace).orderBy("number", "desc").limit(1).executeTakeFirst(); // prettier-ignore
  return row === undefined ? noPolicy : Policy.parse(JSON.parse(row.document));
};
