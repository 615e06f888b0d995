import { createHmac } from "node:crypto";
import { Refusal } from "./refusal.ts";
import type { Role } from "./roles.ts";
import type { Store } from "./state/store.ts";

/** How carefully data is to be handled, the most careful last. What nobody has classed is `internal`. */
export const dataClasses = ["public", "internal", "personal", "restricted"] as const;
export type DataClass = (typeof dataClasses)[number];

/** Whose property it is: an event's, or a trait of a person or an account. */
export const holders = ["event", "person", "account"] as const;
export type Holder = (typeof holders)[number];

/** What a name is classed as, and who said so: a steward, or a contract by its id. */
export interface Classed {
  readonly holder: Holder;
  readonly name: string;
  readonly class: DataClass;
  readonly origin: string;
}

/** The origin of what people decide; it counts before what contracts say. */
export const bySteward = "steward";

/** The classes that a role sees; who sees none of a class gets a token or nothing in its place. */
const cleared: Readonly<Record<Role, readonly DataClass[]>> = {
  viewer: ["public", "internal"],
  auditor: ["public", "internal"],
  analyst: ["public", "internal", "personal"],
  steward: dataClasses,
  admin: dataClasses,
  owner: dataClasses,
};

export const mayKnow = (role: Role, dataClass: DataClass): boolean => cleared[role].includes(dataClass);

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
  /** Names of properties (with dots for those of objects) or traits that are left out of whatever is shown. */
  hidden(holder: Holder): readonly string[];
  /** An object of properties or traits without what is hidden; of what is personal, a token in its place. */
  shown(holder: Holder, values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}

export const noVeil: Veil = {
  isDrawn: false,
  check: () => undefined,
  isHidden: () => false,
  hidden: () => [],
  shown: (_, values) => values,
};

/** Whether one name is the other, lies in it, or holds it: `a` tells what `a.b` is. */
const overlaps = (one: string, other: string): boolean =>
  one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`);

/** The same value of a name has the same token in a workspace, and says nothing else of it. */
const tokenOf = (secret: string, name: string, value: unknown): string =>
  `tok_${createHmac("sha256", secret)
    .update(`token\0${name}\0${JSON.stringify(value)}`)
    .digest("hex")
    .slice(0, 20)}`;

/** What a role may not know of the classed names of a workspace. */
export const veilOf = (role: Role, secret: string, rows: readonly Classed[]): Veil => {
  const classes = decided(rows);
  const hiddenOf: Readonly<Record<Holder, readonly { name: string; class: DataClass }[]>> = Object.fromEntries(
    holders.map((holder) => [
      holder,
      [...classes].flatMap(([key, one]) =>
        key.startsWith(`${holder} `) && !mayKnow(role, one) ? [{ name: key.slice(holder.length + 1), class: one }] : [],
      ),
    ]),
  ) as Record<Holder, { name: string; class: DataClass }[]>; // the names of `holders`
  if (holders.every((holder) => hiddenOf[holder].length === 0)) return noVeil;
  const isHidden = (holder: Holder, name: string): boolean => hiddenOf[holder].some((one) => overlaps(name, one.name));
  const shown = (holder: Holder, values: Readonly<Record<string, unknown>>, base: string): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(values).flatMap(([key, value]): [string, unknown][] => {
        const name = base + key;
        if (!isHidden(holder, name)) return [[key, value]];
        const own = hiddenOf[holder].filter((one) => name === one.name || name.startsWith(`${one.name}.`));
        if (own.length > 0) return own.every((one) => one.class === "personal") ? [[key, tokenOf(secret, name, value)]] : []; // prettier-ignore
        const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
        return isObject ? [[key, shown(holder, value as Record<string, unknown>, `${name}.`)]] : [];
      }),
    );
  return {
    isDrawn: true,
    isHidden,
    check: (holder, name) => {
      if (isHidden(holder, name))
        throw new Refusal("access.hidden", `${name.slice(0, 100)} is classed so that your role may not ask by it. A steward can tell you more.`, {}, 403); // prettier-ignore
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
