import type { Logger } from "pino";
import type { Clock } from "#kernel/clock.ts";
import type { Store } from "#kernel/state/store.ts";
import type { Breach, Gate, Judged } from "#records/events/gate.ts";
import type { EventSource, IncomingEvent, TraitChange } from "#records/events/incoming.ts";
import { keysOf } from "#records/people/keys.ts";
import { maskText, redacted, type Redaction } from "../privacy/redact.ts";
import { StoredSettings, type Settings } from "./contract.ts";
import { consentTo, defaults, dispose, type Settings as Chosen } from "./disposition.ts";
import { byVersion, customOf, eventOf, Odcs, schemaOf, type OdcsProperty, type OdcsSchema } from "./odcs.ts";
import { compileSchema, type Rule, type Validator, type Violation } from "./schema.ts";

/** One event of an active contract, ready to judge. */
interface Agreed {
  readonly contract: string;
  readonly version: string;
  readonly validate: Validator;
  readonly required: ReadonlySet<string>;
  /** Pointers of properties that the contract says are personal: there they are wanted, and stay. */
  readonly personal: ReadonlySet<string>;
  readonly settings: Partial<Settings>;
}

interface Rules {
  readonly byEvent: ReadonlyMap<string, readonly Agreed[]>;
  readonly settings: ReadonlyMap<string, Partial<Settings>>;
  readonly isSuppressed: (event: IncomingEvent) => boolean;
  readonly readAt: number;
  /** What the rules were read from, told apart from what they may be now without reading it all. */
  readonly stamp: string;
}

/** Another process may change the rules; so long may this one judge by the older ones. */
const freshMs = 5_000;
const none: Rules = { byEvent: new Map(), settings: new Map(), isSuppressed: () => false, readAt: 0, stamp: "" };
const personalClasses = new Set(["personal", "confidential", "restricted"]);
const root = "/properties";

/** Places of personal properties; those of the items of a list are told without their number. */
const personalIn = (properties: readonly OdcsProperty[], base: string): string[] =>
  properties.flatMap((property) => {
    const path = `${base}/${(property.name ?? "").replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const own = personalClasses.has(property.classification ?? "") ? [path] : [];
    return [...own, ...personalIn([...(property.properties ?? []), ...(property.items?.properties ?? [])], path)];
  });

const withoutNumbers = (path: string): string => path.replaceAll(/\/\d+(?=\/|$)/g, "");

const agreedOf = (contract: Odcs, schema: OdcsSchema): Agreed => {
  const chosen = StoredSettings.safeParse(customOf(schema, "disposition") ?? customOf(contract, "disposition") ?? {});
  return {
    contract: contract.id,
    version: contract.version,
    validate: compileSchema(schemaOf(schema)),
    required: new Set(
      schema.properties.filter(({ required }) => required === true).map(({ name = "" }) => `${root}/${name}`),
    ),
    personal: new Set(personalIn(schema.properties, root)),
    settings: chosen.data ?? {},
  };
};

const breachOf = (found: Violation): Breach => {
  const { schemaPath: _, ...breach } = found;
  return {
    ...breach,
    path: root + found.path,
    message: found.message.startsWith("/") ? `${root}${found.message}` : found.message,
  };
};

const unplanned = (name: string): Breach => ({
  rule: "unplanned_event",
  path: "/event",
  keyword: "event",
  expected: "an event of a contract",
  actualType: "string",
  message: `No contract has the event ${name.slice(0, 100)}.`,
});

const leftOut = (
  properties: Readonly<Record<string, unknown>>,
  paths: readonly string[],
): Readonly<Record<string, unknown>> => {
  const names = new Set(
    paths.map((path) =>
      path
        .slice(root.length + 1)
        .split("/")[0]
        ?.replaceAll("~1", "/")
        .replaceAll("~0", "~"),
    ),
  );
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !names.has(name)));
};

interface Against {
  readonly agreed: Agreed | undefined;
  readonly breaches: readonly Breach[];
}

/** The newest active version that takes the event; if none does, what the newest finds wrong. */
const against = (known: readonly Agreed[] | undefined, properties: unknown): Against => {
  const tried = (known ?? []).map((agreed) => ({ agreed, breaches: agreed.validate(properties).map(breachOf) }));
  return tried.find(({ breaches }) => breaches.length === 0) ?? tried[0] ?? { agreed: undefined, breaches: [] };
};

type Consent = NonNullable<IncomingEvent["consent"]>;
/** Whether something was said of somebody that was not said of them just before. */
type IsNews = (who: string, said: Consent) => boolean;
const mostRemembered = 50_000;

const isSame = (one: Consent, other: Consent): boolean => {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
};

/** Remembers what was said last of so many; who is forgotten is news again, which costs a row and nothing else. */
const newsOnly = (): IsNews => {
  const last = new Map<string, Consent>();
  return (who, said) => {
    const held = last.get(who);
    if (held !== undefined && isSame(held, said)) return false;
    if (last.size >= mostRemembered) last.clear();
    last.set(who, said);
    return true;
  };
};

/** What somebody agreed to and did not, as a change of their traits, where that is news. */
const consentNews = (source: EventSource, event: IncomingEvent, isNews: IsNews): readonly TraitChange[] => {
  const { consent, userId = "", anonymousId = "" } = event;
  if (consent === undefined || Object.keys(consent).length === 0) return [];
  // the length tells where an id ends, whatever is in it
  return isNews(`${source.workspace} ${userId.length} ${userId} ${anonymousId}`, consent)
    ? [consentTraits(consent)]
    : [];
};

/** Whether nothing may be kept of the event, for want of consent. */
const isRefused = (held: Chosen, { consent, optedOut = false }: IncomingEvent): boolean => {
  const needed = held.purposes;
  if (needed === undefined || needed.length === 0) return false;
  if (!optedOut && consent !== undefined && needed.every((purpose) => consent[purpose] === true)) return false;
  return dispose(held, { consent: consentTo(held, consent, optedOut) }).action === "drop";
};

/** What was agreed to, as traits of the person: a change of them is kept with its time, and questions can ask for it. */
const consentTraits = (consent: Readonly<Record<string, boolean>>): TraitChange => ({
  op: "set",
  traits: Object.fromEntries(Object.entries(consent).map(([purpose, given]) => [`consent.${purpose}`, given])),
});

/** What is kept of an event that was not agreed to: of a known person, that they said no; of others nothing. */
const refusedBy = (source: EventSource, event: IncomingEvent, isNews: IsNews): Judged => {
  const { userId, anonymousId, at } = event;
  const personTraits = userId === undefined ? [] : consentNews(source, event, isNews);
  const judged = { event, action: "drop", breaches: [], contract: "", version: "" } as const;
  if (personTraits.length === 0) return judged;
  return { ...judged, action: "forward", event: { userId, anonymousId, at, personTraits } };
};

const judge = (rules: Rules, source: EventSource, event: IncomingEvent, log: Logger, isNews: IsNews): Judged => {
  const known = event.name === undefined ? undefined : rules.byEvent.get(event.name);
  const held: Chosen = {
    ...defaults,
    ...rules.settings.get(""),
    ...rules.settings.get(source.id),
    ...known?.[0]?.settings,
  };
  if (isRefused(held, event)) return refusedBy(source, event, isNews);
  const given = event.properties ?? {};
  const wanted = known?.[0]?.personal ?? new Set<string>();
  const cleaned = redacted(given, root, ({ type }, path) =>
    type === "SECRET" ? held.secret === "redact" : held.pii === "redact" && !wanted.has(withoutNumbers(path)),
  );
  const inTraits: Redaction[] = [];
  const secrets = (value: unknown) => {
    const { value: shown, found } = redacted(value, "/traits", ({ type }) => type === "SECRET" && held.secret === "redact"); // prettier-ignore
    inTraits.push(...found);
    return shown;
  };
  const changes = (all: IncomingEvent["personTraits"]) => all?.map(({ op, traits }) => ({ op, traits: secrets(traits) as typeof traits })); // prettier-ignore
  const properties = cleaned.value as Readonly<Record<string, unknown>>; // an object stays one
  const news = consentNews(source, event, isNews);
  const told = news.length === 0 ? event.personTraits : [...(event.personTraits ?? []), ...news];
  const kept: IncomingEvent = { ...event, ...(event.properties === undefined ? {} : { properties }), personTraits: changes(told), accountTraits: changes(event.accountTraits) }; // prettier-ignore
  const masks = [...cleaned.found, ...inTraits].map(({ path, type }: Redaction): Breach => ({ rule: "masked", path, keyword: type, expected: "no personal data or secrets", actualType: "string", message: `${path} held ${type}; it was masked.` })); // prettier-ignore
  if (event.name === undefined) return { event: kept, action: "forward", breaches: masks, contract: "", version: "" };
  try {
    const { agreed, breaches } = against(known, properties);
    // noted only where somebody wants to know: who begins with one event has many others
    const isUnplanned = known === undefined && rules.byEvent.size > 0 && held.unplannedEvent !== "forward";
    const all = isUnplanned ? [unplanned(event.name)] : breaches;
    const paths = all.map(({ path }) => path);
    const found = dispose(held, {
      violations: all.map(({ rule }) => rule as Rule),
      paths,
      required: paths.some((path) => agreed?.required.has(path) === true),
    });
    const shown = found.action === "omit" ? { ...kept, properties: leftOut(properties, found.omitted) } : kept;
    const action = found.action === "omit" ? "forward" : found.action;
    return {
      event: shown,
      action,
      breaches: [...all, ...masks],
      contract: agreed?.contract ?? "",
      version: agreed?.version ?? "",
    };
  } catch (error) {
    // a fault of ours never costs the sender an event
    log.error({ err: error, event: event.name }, "an event could not be judged; it goes on");
    return { event: kept, action: "forward", breaches: masks, contract: "", version: "" };
  }
};

export interface ContractGate extends Gate {
  /** Reads the rules of a workspace anew before the next event. */
  forget(workspace: string): void;
}

/** The gate that holds events against the active contracts of their workspace. */
export const contractGate = (store: Store, clock: Clock, log: Logger): ContractGate => {
  const isNews = newsOnly();
  const held = new Map<string, Rules>();
  const reading = new Map<string, Promise<Rules>>();

  /** Tells events of people who were erased: the list holds keys of ids alone. */
  const suppression = async (workspace: string): Promise<Rules["isSuppressed"]> => {
    const rows = await store.selectFrom("suppressions").select("actor").where("workspace", "=", workspace).execute();
    const found = rows.length === 0 ? undefined : await store.selectFrom("workspaces").select("secret").where("id", "=", workspace).executeTakeFirst(); // prettier-ignore
    if (found === undefined) return () => false;
    const [keys, listed] = [keysOf(found.secret), new Set(rows.map(({ actor }) => actor))];
    return ({ userId, anonymousId, alias }) =>
      [userId, anonymousId, alias].some((id) => typeof id === "string" && listed.has(keys.actor(id)));
  };

  const read = async (workspace: string): Promise<Rules> => {
    const known = held.get(workspace);
    const marks = await store.selectFrom("contracts").select(["id", "version", "updated_at"]).where("workspace", "=", workspace).where("status", "=", "active").orderBy("id").orderBy("version").execute(); // prettier-ignore
    const chosen = await store.selectFrom("gate_settings").select(["source", "settings"]).where("workspace", "=", workspace).orderBy("source").execute(); // prettier-ignore
    const { fn } = store;
    const listed = await store.selectFrom("suppressions").select([fn.countAll<number>().as("count"), fn.max("at").as("last")]).where("workspace", "=", workspace).executeTakeFirst(); // prettier-ignore
    const stamp = JSON.stringify([marks, chosen, listed]);
    if (known?.stamp === stamp) return { ...known, readAt: clock.now() };
    const rows = await store.selectFrom("contracts").select("document").where("workspace", "=", workspace).where("status", "=", "active").execute(); // prettier-ignore
    const byEvent = new Map<string, Agreed[]>();
    const contracts = rows.map(({ document }) => Odcs.parse(JSON.parse(document))).toSorted(byVersion);
    for (const contract of contracts)
      for (const schema of contract.schema)
        byEvent.set(eventOf(schema), [...(byEvent.get(eventOf(schema)) ?? []), agreedOf(contract, schema)]);
    const settings = new Map(
      chosen.map(({ source, settings: text }) => [source, StoredSettings.parse(JSON.parse(text))]),
    );
    return { byEvent, settings, isSuppressed: await suppression(workspace), readAt: clock.now(), stamp };
  };

  /** The rules; where they cannot be read, those that were read last, and otherwise none. */
  const rulesOf = async (workspace: string): Promise<Rules> => {
    const known = held.get(workspace);
    if (known !== undefined && Math.abs(clock.now() - known.readAt) < freshMs) return known;
    const under = reading.get(workspace) ?? read(workspace).finally(() => reading.delete(workspace));
    reading.set(workspace, under);
    try {
      const fresh = await under;
      held.set(workspace, fresh);
      return fresh;
    } catch (error) {
      log.error({ err: error, workspace }, "contracts could not be read; events are held against the last that were");
      return known ?? none;
    }
  };

  return {
    judgeOf: async (source) => {
      const rules = await rulesOf(source.workspace);
      return { judge: (event) => judge(rules, source, event, log, isNews), isSuppressed: rules.isSuppressed };
    },
    mask: maskText,
    forget: (workspace) => {
      held.delete(workspace);
      reading.delete(workspace);
    },
  };
};
