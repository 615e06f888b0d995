import { bucketer, placeInLayer } from "./bucketing.ts";
import { textTest } from "./conditions.ts";
import type { Condition, Flag, Rule, Split } from "./document.ts";

/** Deciding flags, in memory: who asks in, a value out. Nothing here waits or reads. */

export interface Context {
  /** Who, or what, is asked about; undefined where the caller did not say. */
  readonly key: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Whether it is in a cohort. */
  readonly isIn: (cohort: string) => boolean;
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
    }
  | { readonly key: string; readonly error: "FLAG_NOT_FOUND" | "TARGETING_KEY_MISSING"; readonly says: string };

/** Flags of one environment, ready to be asked. */
export interface Book {
  readonly keys: readonly string[];
  /** Cohorts that a condition speaks of. */
  readonly cohorts: readonly string[];
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
const attributeIn = (attributes: Readonly<Record<string, unknown>>, name: string): string => {
  if (Object.hasOwn(attributes, name)) return textOf(attributes[name]);
  if (!name.includes(".")) return "";
  let at: unknown = attributes;
  for (const part of name.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return "";
    at = (at as Record<string, unknown>)[part];
  }
  return textOf(at);
};

type Holds = (context: Context) => boolean;

const conditionOf = (condition: Condition): Holds => {
  const { on, op, property, values } = condition;
  if (on === "cohort") {
    const isInAny: Holds = ({ isIn }) => values.some((cohort) => isIn(cohort));
    return op === "neq" ? (context) => !isInAny(context) : isInAny;
  }
  const test = textTest(condition);
  return on === "id" ? ({ key = "" }) => test(key) : ({ attributes }) => test(attributeIn(attributes, property));
};

const noKey = Symbol("no key");
/** A variation, undefined to go on to the next rule, or that it cannot be said of nobody. */
type Decides = (context: Context, now: number) => string | undefined | typeof noKey;

/** The split as it is at a time: its coverage, or that of the last step of its ramp that has come. */
const rampOf = (flag: string, { parts, ramp, coverage, ...given }: Split): ((now: number) => (unit: string) => number) => {
  const weights = parts.map(({ weight }) => weight);
  const at = (share: number) => bucketer({ ...given, seed: given.seed === "" ? flag : given.seed, weights, coverage: share });
  const first = at(coverage);
  const steps = ramp.map((step) => ({ from: Date.parse(step.at), bucket: at(step.coverage) }));
  return steps.length === 0 ? () => first : (now) => steps.findLast(({ from }) => from <= now)?.bucket ?? first;
}; // prettier-ignore

const ruleOf = (flag: string, { when, from, until, layer, serve }: Rule): Decides => {
  const conditions = when.map(conditionOf);
  const begins = from === null ? Number.NEGATIVE_INFINITY : Date.parse(from);
  const ends = until === null ? Number.POSITIVE_INFINITY : Date.parse(until);
  const split = "split" in serve ? serve.split : undefined;
  const fixed = "variation" in serve ? serve.variation : undefined;
  const bucketAt = split === undefined ? undefined : rampOf(flag, split);
  const by = split?.by ?? "";
  return (context, now) => {
    if (now < begins || now >= ends || !conditions.every((holds) => holds(context))) return undefined;
    if (layer === null && bucketAt === undefined) return fixed;
    const unit = by === "" ? (context.key ?? "") : attributeIn(context.attributes, by);
    if (unit === "") return by === "" ? noKey : undefined; // who lacks the attribute is in no part
    if (layer !== null) {
      const place = placeInLayer(layer.name, unit);
      if (place < layer.from || place >= layer.to) return undefined;
    }
    return bucketAt === undefined ? fixed : split?.parts[bucketAt(now)(unit)]?.variation;
  };
};

const reasonOf = ({ serve, when, from, until, layer }: Rule): Reason => {
  if ("split" in serve) return "SPLIT";
  return when.length === 0 && from === null && until === null && layer === null ? "STATIC" : "TARGETING_MATCH";
};

/** Prerequisites lead no deeper; cycles are refused when a flag is saved. */
const deepest = 20;

type Ask = (key: string, context: Context, now: number, depth: number) => Evaluation;

const compiled = (flag: Flag, environment: string, ask: Ask): Ask => {
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
    return { decides: ruleOf(key, rule), outcomes };
  });
  const needs = setting.prerequisites.map(({ flag: needed, variations }) => ({ needed, among: new Set(variations) }));
  return (_, context, now, depth) => {
    for (const { needed, among } of needs) {
      const found = depth >= deepest ? undefined : ask(needed, context, now, depth + 1);
      if (found === undefined || "error" in found || found.reason === "DISABLED" || !among.has(found.variant ?? "")) return off; // prettier-ignore
    }
    for (const { decides, outcomes } of rules) {
      const variant = decides(context, now);
      if (variant === noKey) return { key, error: "TARGETING_KEY_MISSING", says: `${key} is split by targeting key, and the context has none.` }; // prettier-ignore
      if (variant !== undefined) return outcomes.get(variant) ?? otherwise;
    }
    return otherwise;
  };
};

/** Cohorts that a flag speaks of in an environment. */
export const cohortsIn = ({ environments }: Flag, environment: string): readonly string[] =>
  (environments[environment]?.rules ?? []).flatMap(({ when }) => when.flatMap(({ on, values }) => (on === "cohort" ? values : []))); // prettier-ignore

/** Makes flags ready. Throws `flags.condition` for a condition that cannot be put. */
export const bookOf = (flags: readonly Flag[], environment: string): Book => {
  const all = new Map<string, Ask>();
  const ask: Ask = (key, context, now, depth) =>
    all.get(key)?.(key, context, now, depth) ?? { key, error: "FLAG_NOT_FOUND", says: `There is no flag ${key.slice(0, 200)}.` }; // prettier-ignore
  for (const flag of flags) all.set(flag.key, compiled(flag, environment, ask));
  const cohorts = flags.flatMap((flag) => cohortsIn(flag, environment));
  return {
    keys: [...all.keys()].toSorted(),
    cohorts: [...new Set(cohorts)],
    evaluate: (key, context, now) => ask(key, context, now, 0),
  };
};
