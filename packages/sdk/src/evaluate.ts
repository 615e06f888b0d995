import { bucketer, placeInLayer } from "./bucketing.ts";
import { textTest, type Expressions } from "./conditions.ts";
import type { Condition, Flag, Rule, Split } from "./rules.ts";

/** Deciding flags, in memory: who asks in, a value out. Nothing here waits or reads. */

export interface Context {
  /** Who, or what, is asked about; undefined where the caller did not say. */
  readonly key: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Whether it is in a cohort; undefined where that cannot be known here. */
  readonly isIn: (cohort: string) => boolean | undefined;
  /** The part that a unit was put into before, of a split that remembers. */
  readonly kept?: (assignment: string, unit: string) => string | undefined;
}

/** Somebody was put into a part of a split that remembers, for the first time. */
export interface Assignment {
  /** Of which split: the flag's key and the number of its assignment. */
  readonly assignment: string;
  readonly unit: string;
  readonly variation: string;
}

export type Reason = "STATIC" | "TARGETING_MATCH" | "SPLIT" | "DEFAULT" | "DISABLED";

export type Evaluation =
  | {
      readonly key: string;
      readonly reason: Reason;
      /** Undefined, as the value is, where the code's own default is to be taken. */
      readonly variant: string | undefined;
      readonly value: unknown;
      /** The rule that decided, from 0; undefined for none. */
      readonly rule: number | undefined;
      /** What has to be remembered. */
      readonly keeps?: Assignment;
    }
  | {
      readonly key: string;
      readonly error: "FLAG_NOT_FOUND" | "TARGETING_KEY_MISSING" | "COHORT_UNKNOWN";
      readonly says: string;
    };

/** Flags of one environment, ready to be asked. */
export interface Book {
  readonly keys: readonly string[];
  /** Cohorts that a condition speaks of. */
  readonly cohorts: readonly string[];
  /** Attributes by which splits that remember put units into parts; empty is the targeting key. None: nothing is remembered. */
  readonly stickyBy: readonly string[];
  /** Holdouts that a flag heeds. */
  holdoutsOf(key: string): readonly string[];
  evaluate(key: string, context: Context, now: number): Evaluation;
}

/** Of an attribute, so that one that is made long takes nobody else's time. */
const longest = 4_096;

const textOf = (value: unknown): string => {
  if (value === undefined || value === null) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value as string | number | boolean);
  return text.length > longest ? text.slice(0, longest) : text;
};

/** An attribute by its name, or by its path into objects. */
export const attributeIn = (attributes: Readonly<Record<string, unknown>>, name: string): string => {
  if (Object.hasOwn(attributes, name)) return textOf(attributes[name]);
  if (!name.includes(".")) return "";
  let at: unknown = attributes;
  for (const part of name.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return "";
    at = (at as Record<string, unknown>)[part];
  }
  return textOf(at);
};

const unknown = Symbol("unknown");
type Holds = (context: Context) => boolean | typeof unknown;

const conditionOf = (condition: Condition, read: Expressions | undefined): Holds => {
  const { on, op, property, values } = condition;
  if (on === "cohort") {
    return ({ isIn }) => {
      const found = values.map((cohort) => isIn(cohort));
      if (found.includes(true)) return op !== "neq";
      return found.includes(undefined) ? unknown : op === "neq";
    };
  }
  const test = textTest(condition, read);
  return on === "id" ? ({ key = "" }) => test(key) : ({ attributes }) => test(attributeIn(attributes, property));
};

const noKey = Symbol("no key");
interface Chosen {
  readonly variation: string;
  readonly keeps?: Assignment;
}
/** A variation, undefined to go on to the next rule, or why it cannot be said. */
type Decides = (context: Context, now: number) => string | Chosen | undefined | typeof noKey | typeof unknown;

/** The split as it is at a time: its coverage, or that of the last step of its ramp that has come. */
const rampOf = (flag: string, { parts, ramp, coverage, hashing, salt, seed }: Split): ((now: number) => (unit: string) => number) => {
  const weights = parts.map(({ weight }) => weight);
  const at = (share: number) => bucketer({ hashing, salt, seed: seed === "" ? flag : seed, weights, coverage: share });
  const first = at(coverage);
  const steps = ramp.map((step) => ({ from: Date.parse(step.at), bucket: at(step.coverage) }));
  return steps.length === 0 ? () => first : (now) => steps.findLast(({ from }) => from <= now)?.bucket ?? first;
}; // prettier-ignore

const ruleOf = (flag: string, { when, from, until, layer, serve }: Rule, read: Expressions | undefined): Decides => {
  const conditions = when.map((condition) => conditionOf(condition, read));
  const begins = from === null ? Number.NEGATIVE_INFINITY : Date.parse(from);
  const ends = until === null ? Number.POSITIVE_INFINITY : Date.parse(until);
  const split = "split" in serve ? serve.split : undefined;
  const fixed = "variation" in serve ? serve.variation : undefined;
  const bucketAt = split === undefined ? undefined : rampOf(flag, split);
  const by = split?.by ?? "";
  const assignment = split === undefined || split.sticky === null ? undefined : `${flag}/${split.sticky}`;
  const unitIn = ({ key = "", attributes }: Context): string => (by === "" ? key : attributeIn(attributes, by));
  return (context, now) => {
    if (now < begins || now >= ends) return undefined;
    if (assignment !== undefined) {
      // before the conditions: whoever is in stays in
      const before = context.kept?.(assignment, unitIn(context));
      if (before !== undefined && split?.parts.some(({ variation }) => variation === before)) return before;
    }
    for (const holds of conditions) {
      const found = holds(context);
      if (found !== true) return found === false ? undefined : unknown;
    }
    if (layer === null && bucketAt === undefined) return fixed;
    const unit = unitIn(context);
    if (unit === "") return by === "" ? noKey : undefined; // who lacks the attribute is in no part
    if (layer !== null) {
      const place = placeInLayer(layer.name, unit);
      if (place < layer.from || place >= layer.to) return undefined;
    }
    const variation = bucketAt === undefined ? fixed : split?.parts[bucketAt(now)(unit)]?.variation;
    return assignment === undefined || variation === undefined ? variation : { variation, keeps: { assignment, unit, variation } };
  };
}; // prettier-ignore

const reasonOf = ({ serve, when, from, until, layer }: Rule): Reason => {
  if ("split" in serve) return "SPLIT";
  return when.length === 0 && from === null && until === null && layer === null ? "STATIC" : "TARGETING_MATCH";
};

/** Prerequisites lead no deeper; cycles are refused when a flag is saved. */
const deepest = 20;

type Ask = (key: string, context: Context, now: number, depth: number) => Evaluation;

const compiled = (
  flag: Flag,
  environment: string,
  ask: Ask,
  isHoldout: (key: string) => boolean,
  read: Expressions | undefined,
): Ask => {
  const { key } = flag;
  const setting = flag.environments[environment];
  const values = new Map(flag.variations.map(({ name, value }) => [name, value]));
  const served = (reason: Reason, variant: string | null | undefined, rule?: number): Evaluation => ({
    key,
    reason,
    variant: variant ?? undefined,
    value: variant === null || variant === undefined ? undefined : values.get(variant),
    rule,
  });
  if (setting === undefined) return () => served("DISABLED", null);
  const off = served("DISABLED", setting.off);
  if (!setting.isOn) return () => off;
  const otherwise = served(setting.rules.length === 0 ? "STATIC" : "DEFAULT", setting.otherwise);
  const rules = setting.rules.map((rule, at) => {
    const reason = reasonOf(rule);
    const outcomes = new Map(flag.variations.map(({ name }) => [name, served(reason, name, at)]));
    return { decides: ruleOf(key, rule, read), outcomes };
  });
  const needs = setting.prerequisites.map(({ flag: needed, variations }) => ({
    needed,
    among: new Set(variations),
    isHoldout: isHoldout(needed),
  }));
  return (_, context, now, depth) => {
    for (const need of needs) {
      const found = depth >= deepest ? undefined : ask(need.needed, context, now, depth + 1);
      // a holdout that is off keeps nobody out
      if (need.isHoldout && found !== undefined && !("error" in found) && found.reason === "DISABLED") continue;
      if (found !== undefined && "error" in found && found.error === "COHORT_UNKNOWN") return { ...found, key };
      if (found === undefined || "error" in found || found.reason === "DISABLED" || !need.among.has(found.variant ?? "")) return off; // prettier-ignore
    }
    for (const { decides, outcomes } of rules) {
      const chosen = decides(context, now);
      if (chosen === undefined) continue;
      if (chosen === noKey) return { key, error: "TARGETING_KEY_MISSING", says: `${key} is split by targeting key, and the context has none.` }; // prettier-ignore
      if (chosen === unknown) return { key, error: "COHORT_UNKNOWN", says: `${key} speaks of a cohort, and the context does not say in which cohorts it is.` }; // prettier-ignore
      if (typeof chosen === "string") return outcomes.get(chosen) ?? otherwise;
      return { ...(outcomes.get(chosen.variation) ?? otherwise), keeps: chosen.keeps };
    }
    return otherwise;
  };
};

/** Cohorts that a flag speaks of in an environment. */
export const cohortsIn = ({ environments }: Flag, environment: string): readonly string[] =>
  (environments[environment]?.rules ?? []).flatMap(({ when }) => when.flatMap(({ on, values }) => (on === "cohort" ? values : []))); // prettier-ignore

/** Whether a flag has a condition that needs regular expressions. */
export const needsExpressions = ({ environments }: Flag): boolean =>
  Object.values(environments).some(({ rules }) => rules.some(({ when }) => when.some(({ on, op }) => on !== "cohort" && (op === "matches" || op === "not_matches")))); // prettier-ignore

/** Makes flags ready. Throws a `ConditionFault` for a condition that cannot be put. */
export const bookOf = (flags: readonly Flag[], environment: string, read?: Expressions): Book => {
  const all = new Map<string, Ask>();
  const ask: Ask = (key, context, now, depth) =>
    all.get(key)?.(key, context, now, depth) ?? { key, error: "FLAG_NOT_FOUND", says: `There is no flag ${key.slice(0, 200)}.` }; // prettier-ignore
  const holdouts = new Set(flags.filter(({ holdout }) => holdout !== null).map(({ key }) => key));
  for (const flag of flags)
    all.set(
      flag.key,
      compiled(flag, environment, ask, (key) => holdouts.has(key), read),
    );
  const heeded = new Map(flags.map(({ key, environments }) => [key, (environments[environment]?.prerequisites ?? []).map(({ flag }) => flag).filter((one) => holdouts.has(one))])); // prettier-ignore
  const splits = flags.flatMap(({ environments }) =>
    (environments[environment]?.rules ?? []).flatMap(({ serve }) => ("split" in serve ? [serve.split] : [])),
  );
  const cohorts = flags.flatMap((flag) => cohortsIn(flag, environment));
  return {
    keys: [...all.keys()].toSorted(),
    cohorts: [...new Set(cohorts)],
    stickyBy: [...new Set(splits.filter(({ sticky }) => sticky !== null).map(({ by }) => by))],
    holdoutsOf: (key) => heeded.get(key) ?? [],
    evaluate: (key, context, now) => ask(key, context, now, 0),
  };
};
