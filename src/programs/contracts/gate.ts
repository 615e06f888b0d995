import type { Logger } from "pino";
import type { Clock } from "#kernel/clock.ts";
import type { Store } from "#kernel/state/store.ts";
import type { Breach, Gate, Judged } from "#records/events/gate.ts";
import type { EventSource, IncomingEvent, TraitChange } from "#records/events/incoming.ts";
import { keysOf } from "#records/people/keys.ts";
import {
  isStandIn,
  maskText,
  redacted,
  treated,
  treatments,
  type Redaction,
  type Treatment,
} from "../privacy/redact.ts";
import { StoredSettings, type Settings } from "./contract.ts";
import { consentTo, defaults, dispose, strictest, type Disposition, type Settings as Chosen } from "./disposition.ts";
import { byVersion, customOf, nameOf, Odcs, schemaOf, subjectOf, type OdcsProperty, type OdcsSchema } from "./odcs.ts";
import { compileSchema, type JsonSchema, type Rule, type Validator, type Violation } from "./schema.ts";

/** One event of an active contract, ready to judge. */
interface Agreed {
  readonly contract: string;
  readonly version: string;
  readonly validate: Validator;
  readonly required: ReadonlySet<string>;
  /** Pointers of properties that the contract says are personal: there they are wanted, and stay. */
  readonly personal: ReadonlySet<string>;
  /** Properties whose values are replaced whoever sends them, once they have been judged: by their names. */
  readonly treatments: ReadonlyMap<string, Treatment>;
  readonly settings: Partial<Settings>;
}

interface Rules {
  readonly byEvent: ReadonlyMap<string, readonly Agreed[]>;
  /** What was agreed on traits of people and of accounts. */
  readonly traits: Readonly<Record<TraitHolder, readonly Agreed[]>>;
  readonly settings: ReadonlyMap<string, Partial<Settings>>;
  readonly isSuppressed: (event: IncomingEvent) => boolean;
  /** From which tokens are made; never leaves the server. */
  readonly key: string;
  readonly readAt: number;
  /** What the rules were read from, told apart from what they may be now without reading it all. */
  readonly stamp: string;
}

/** Another process may change the rules; so long may this one judge by the older ones. */
const freshMs = 5_000;
const noTraits = { person: [], account: [] };
const none: Rules = {
  byEvent: new Map(),
  traits: noTraits,
  settings: new Map(),
  isSuppressed: () => false,
  key: "",
  readAt: 0,
  stamp: "",
};
const personalClasses = new Set(["personal", "confidential", "restricted"]);
const root = "/properties";
type TraitHolder = "person" | "account";
/** Where traits stand in an event. */
const traitRoots = { person: "/personTraits", account: "/accountTraits" } as const;

/** Places of personal properties; those of the items of a list are told without their number. */
const personalIn = (properties: readonly OdcsProperty[], base: string): string[] =>
  properties.flatMap((property) => {
    const path = `${base}/${(property.name ?? "").replaceAll("~", "~0").replaceAll("/", "~1")}`;
    // what a contract replaces in a way of its own is left for it
    const isKept = personalClasses.has(property.classification ?? "") || customOf(property, "redaction") !== undefined;
    const own = isKept ? [path] : [];
    return [...own, ...personalIn([...(property.properties ?? []), ...(property.items?.properties ?? [])], path)];
  });

/** What a contract says is to be put in place of values: its custom property `redaction`. */
const treatmentsIn = (properties: readonly OdcsProperty[]): ReadonlyMap<string, Treatment> =>
  new Map(
    properties.flatMap((property) => {
      const treatment = treatments.find((one) => one === customOf(property, "redaction"));
      return treatment === undefined ? [] : [[property.name ?? "", treatment] as const];
    }),
  );

const withoutNumbers = (path: string): string => path.replaceAll(/\/\d+(?=\/|$)/g, "");

/** A change of traits names those that change: none can be missing. */
const withoutRequired = (schema: JsonSchema): JsonSchema =>
  Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== "required"));

const agreedOf = (contract: Odcs, schema: OdcsSchema): Agreed => {
  const isEvent = subjectOf(schema) === "event";
  const chosen = StoredSettings.safeParse(customOf(schema, "disposition") ?? customOf(contract, "disposition") ?? {});
  return {
    contract: contract.id,
    version: contract.version,
    validate: compileSchema(isEvent ? schemaOf(schema) : withoutRequired(schemaOf(schema))),
    required: new Set(
      isEvent ? schema.properties.filter(({ required }) => required === true).map(({ name = "" }) => `${root}/${name}`) : [],
    ), // prettier-ignore
    personal: new Set(personalIn(schema.properties, root)),
    treatments: treatmentsIn(schema.properties),
    settings: chosen.data ?? {},
  };
};

const breachAt =
  (base: string) =>
  (found: Violation): Breach => {
    const { schemaPath: _, ...breach } = found;
    return {
      ...breach,
      path: base + found.path,
      message: found.message.startsWith("/") ? `${base}${found.message}` : found.message,
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

/** An object without what lies at some places of an event, of which it is that at `base`. */
const leftOut = (
  values: Readonly<Record<string, unknown>>,
  base: string,
  paths: readonly string[],
): Readonly<Record<string, unknown>> => {
  const names = new Set(
    paths
      .filter((path) => path.startsWith(`${base}/`))
      .map((path) =>
        path
          .slice(base.length + 1)
          .split("/")[0]
          ?.replaceAll("~1", "/")
          .replaceAll("~0", "~"),
      ),
  );
  return names.size === 0 ? values : Object.fromEntries(Object.entries(values).filter(([name]) => !names.has(name)));
};

interface Against {
  readonly agreed: Agreed | undefined;
  readonly breaches: readonly Breach[];
}

/** The newest active version that takes the event; if none does, what the newest finds wrong. */
const against = (known: readonly Agreed[] | undefined, values: unknown, base: string): Against => {
  // what stands in for a value that was replaced before, and was held since, is not what the schema is about
  const isReplaced = ({ treatments: ways }: Agreed, path: string): boolean => {
    if (ways.size === 0) return false;
    const name = path.slice(1).replaceAll("~1", "/").replaceAll("~0", "~");
    return (
      ways.get(name) === "drop" || (ways.has(name) && isStandIn((values as Readonly<Record<string, unknown>>)[name]))
    );
  };
  const tried = (known ?? []).map((agreed) => {
    const found = agreed.validate(values);
    return { agreed, breaches: found.length === 0 ? [] : found.filter(({ path }) => !isReplaced(agreed, path)).map(breachAt(base)) }; // prettier-ignore
  });
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
const consentNews = (
  source: EventSource,
  event: IncomingEvent,
  held: Chosen,
  isNews: IsNews,
): readonly TraitChange[] => {
  const { consent: told, optedOut = false, userId = "", anonymousId = "" } = event;
  if (told === undefined || Object.keys(told).length === 0) return [];
  // what the browser says no to is a no, whatever the page said
  const refused = optedOut ? (held.optOut ?? []).filter((purpose) => told[purpose] === true) : [];
  const consent =
    refused.length === 0 ? told : { ...told, ...Object.fromEntries(refused.map((purpose) => [purpose, false])) };
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
const refusedBy = (source: EventSource, event: IncomingEvent, held: Chosen, isNews: IsNews): Judged => {
  const { userId, anonymousId, at } = event;
  const personTraits = userId === undefined ? [] : consentNews(source, event, held, isNews);
  const judged = { event, action: "drop", breaches: [], contract: "", version: "" } as const;
  if (personTraits.length === 0) return judged;
  return { ...judged, action: "forward", event: { userId, anonymousId, at, personTraits } };
};

/** What is found out about one part of an event, and what is done about it. */
interface Found extends Against {
  readonly action: Disposition["action"];
  readonly omitted: readonly string[];
}

const foundIn = (held: Chosen, { agreed, breaches }: Against): Found => {
  if (breaches.length === 0) return { agreed, breaches, action: "forward", omitted: [] };
  const paths = breaches.map(({ path }) => path);
  const { action, omitted } = dispose(held, {
    violations: breaches.map(({ rule }) => rule as Rule),
    paths,
    required: paths.some((path) => agreed?.required.has(path) === true),
  });
  return { agreed, breaches, action, omitted };
};

/** What is wrong with the traits that an event sets. */
const traitsFound = (rules: Rules, held: Chosen, event: IncomingEvent): readonly Found[] => {
  const changes = { person: event.personTraits, account: event.accountTraits };
  if (rules.traits.person.length === 0 && rules.traits.account.length === 0) return [];
  return (["person", "account"] as const).flatMap((holder) => {
    const agreed = rules.traits[holder];
    if (agreed.length === 0) return [];
    const set = (changes[holder] ?? []).filter(({ op }) => op === "set" || op === "set_once");
    return set.map(({ traits }) => {
      const one = against(agreed, traits, traitRoots[holder]);
      return foundIn({ ...held, ...one.agreed?.settings }, one);
    });
  });
};

const ofEvent = (rules: Rules, held: Chosen, name: string, known: readonly Agreed[] | undefined, properties: unknown): Against => {
  // noted only where somebody wants to know: who begins with one event has many others
  const isUnplanned = known === undefined && rules.byEvent.size > 0 && held.unplannedEvent !== "forward";
  return isUnplanned ? { agreed: undefined, breaches: [unplanned(name)] } : against(known, properties, root);
}; // prettier-ignore

const without = (event: IncomingEvent, paths: readonly string[]): IncomingEvent => {
  if (paths.length === 0) return event;
  const changes = (all: IncomingEvent["personTraits"], base: string) => all?.map(({ op, traits }) => ({ op, traits: leftOut(traits, base, paths) })); // prettier-ignore
  return {
    ...event,
    ...(event.properties === undefined ? {} : { properties: leftOut(event.properties, root, paths) }),
    personTraits: changes(event.personTraits, traitRoots.person),
    accountTraits: changes(event.accountTraits, traitRoots.account),
  };
};

const treatmentFor = { redact: "mask", token: "token", truncate: "truncate", drop: "drop", forward: undefined } as const; // prettier-ignore

/** Values that contracts want replaced, replaced; whatever becomes of the event. */
const withTreated = (rules: Rules, event: IncomingEvent, known: readonly Agreed[] | undefined): IncomingEvent => {
  const isTreating = ({ treatments: ways }: Agreed): boolean => ways.size > 0;
  if (known?.some(isTreating) !== true && !rules.traits.person.some(isTreating) && !rules.traits.account.some(isTreating)) return event; // prettier-ignore
  const replace = (values: Readonly<Record<string, unknown>>, own: readonly Agreed[]): typeof values => {
    const ways = own.flatMap((one) => [...one.treatments]).filter(([name]) => Object.hasOwn(values, name));
    if (ways.length === 0) return values;
    // the newest version counts, and comes first
    const changed = new Map(ways.toReversed().map(([name, way]) => [name, treated(values[name], way, rules.key)]));
    return Object.fromEntries(Object.entries({ ...values, ...Object.fromEntries(changed) }).filter(([, value]) => value !== undefined)); // prettier-ignore
  };
  const changes = (all: IncomingEvent["personTraits"], own: readonly Agreed[]) => all?.map(({ op, traits }) => ({ op, traits: replace(traits, own) })); // prettier-ignore
  return {
    ...event,
    ...(event.properties === undefined ? {} : { properties: replace(event.properties, known ?? []) }),
    personTraits: changes(event.personTraits, rules.traits.person),
    accountTraits: changes(event.accountTraits, rules.traits.account),
  };
};

const settingsFor = (rules: Rules, source: EventSource, known: readonly Agreed[] | undefined): Chosen => ({
  ...defaults,
  ...rules.settings.get(""),
  ...rules.settings.get(source.id),
  ...known?.[0]?.settings,
});

/** A text is never dropped for what is in it: that would be taken for one that nobody wrote. */
const treatedText = (rules: Rules, held: Chosen, text: string): string => {
  const ways = { pii: treatmentFor[held.pii], secret: treatmentFor[held.secret] };
  const concerns = ({ type }: { type: string }): Treatment | undefined => {
    const way = type === "SECRET" ? ways.secret : ways.pii;
    return way === "drop" ? "mask" : way;
  };
  return String(redacted(text, "", concerns, rules.key).value);
};

const judge = (
  rules: Rules,
  source: EventSource,
  event: IncomingEvent,
  log: Logger,
  isNews: IsNews,
  count: () => void,
): Judged => {
  const known = event.name === undefined ? undefined : rules.byEvent.get(event.name);
  const held = settingsFor(rules, source, known);
  if (isRefused(held, event)) {
    count();
    return refusedBy(source, event, held, isNews);
  }
  const given = event.properties ?? {};
  const wanted = known?.[0]?.personal ?? new Set<string>();
  const pii = treatmentFor[held.pii];
  const secret = treatmentFor[held.secret];
  const cleaned = redacted(
    given,
    root,
    ({ type }, path) => (type === "SECRET" ? secret : wanted.has(withoutNumbers(path)) ? undefined : pii),
    rules.key,
  );
  const inTraits: Redaction[] = [];
  const secrets = (value: unknown) => {
    const { value: shown, found } = redacted(value, "/traits", ({ type }) => (type === "SECRET" ? secret : undefined)); // prettier-ignore
    inTraits.push(...found);
    return shown;
  };
  const changes = (all: IncomingEvent["personTraits"]) => all?.map(({ op, traits }) => ({ op, traits: secrets(traits) as typeof traits })); // prettier-ignore
  const properties = cleaned.value as Readonly<Record<string, unknown>>; // an object stays one
  const news = consentNews(source, event, held, isNews);
  const told = news.length === 0 ? event.personTraits : [...(event.personTraits ?? []), ...news];
  const kept: IncomingEvent = { ...event, ...(event.properties === undefined ? {} : { properties }), personTraits: changes(told), accountTraits: changes(event.accountTraits) }; // prettier-ignore
  const masks = [...cleaned.found, ...inTraits].map(({ path, type }: Redaction): Breach => ({ rule: "masked", path, keyword: type, expected: "no personal data or secrets", actualType: "string", message: `${path} held ${type}; it was masked.` })); // prettier-ignore
  try {
    const own = event.name === undefined ? [] : [foundIn(held, ofEvent(rules, held, event.name, known, properties))];
    const traits = traitsFound(rules, held, kept);
    const [only] = own;
    if (only !== undefined && traits.length === 0 && only.breaches.length === 0 && masks.length === 0) {
      const { contract = "", version = "" } = only.agreed ?? {};
      return { event: withTreated(rules, kept, known), action: "forward", breaches: masks, contract, version };
    }
    const all = [...own, ...traits];
    const action = strictest(all.map((one) => one.action));
    const agreed = (all.find(({ breaches }) => breaches.length > 0) ?? all[0])?.agreed;
    return {
      event: withTreated(rules, without(kept, action === "omit" ? all.flatMap(({ omitted }) => omitted) : []), known),
      action: action === "omit" ? "forward" : action,
      breaches: [...all.flatMap(({ breaches }) => breaches), ...masks],
      contract: agreed?.contract ?? "",
      version: agreed?.version ?? "",
    };
  } catch (error) {
    // a fault of ours never costs the sender an event
    log.error({ err: error, event: event.name }, "an event could not be judged; it goes on");
    return { event: withTreated(rules, kept, known), action: "forward", breaches: masks, contract: "", version: "" };
  }
};

export interface ContractGate extends Gate {
  /** Events of a workspace that were not kept for want of consent since it was last asked, by their source. */
  takeDropped(workspace: string): ReadonlyMap<string, number>;
  /** Reads the rules of a workspace anew before the next event. */
  forget(workspace: string): void;
}

/** The gate that holds events against the active contracts of their workspace. */
export const contractGate = (store: Store, clock: Clock, log: Logger): ContractGate => {
  const isNews = newsOnly();
  const dropped = new Map<string, Map<string, number>>();
  const countIn = ({ workspace, id }: EventSource): void => {
    const own = dropped.get(workspace) ?? new Map<string, number>();
    dropped.set(workspace, own.set(id, (own.get(id) ?? 0) + 1));
  };
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
    const traits: Record<TraitHolder, Agreed[]> = { person: [], account: [] };
    const contracts = rows.map(({ document }) => Odcs.parse(JSON.parse(document))).toSorted(byVersion);
    for (const contract of contracts)
      for (const schema of contract.schema) {
        const of = subjectOf(schema);
        if (of === "event")
          byEvent.set(nameOf(schema), [...(byEvent.get(nameOf(schema)) ?? []), agreedOf(contract, schema)]);
        else if (of !== "table") traits[of].push(agreedOf(contract, schema));
      }
    const settings = new Map(
      chosen.map(({ source, settings: text }) => [source, StoredSettings.parse(JSON.parse(text))]),
    );
    const { secret: key } = await store.selectFrom("workspaces").select("secret").where("id", "=", workspace).executeTakeFirstOrThrow(); // prettier-ignore
    return { byEvent, traits, settings, key, isSuppressed: await suppression(workspace), readAt: clock.now(), stamp };
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
      const count = () => countIn(source);
      const ofTexts = settingsFor(rules, source, undefined);
      return {
        judge: (event) => judge(rules, source, event, log, isNews, count),
        isSuppressed: rules.isSuppressed,
        isWithheld: (event) => {
          const known = event.name === undefined ? undefined : rules.byEvent.get(event.name);
          const isIt = isRefused(settingsFor(rules, source, known), event);
          if (isIt) count();
          return isIt;
        },
        treated: (text) => treatedText(rules, ofTexts, text),
      };
    },
    takeDropped: (workspace) => {
      const own = dropped.get(workspace) ?? new Map<string, number>();
      dropped.delete(workspace);
      return own;
    },
    mask: maskText,
    forget: (workspace) => {
      held.delete(workspace);
      reading.delete(workspace);
    },
  };
};
