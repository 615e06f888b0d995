import type { z } from "zod";
import { FunnelInput, type ConversionInput } from "#insights/funnels/contract.ts";
import type { Breakdown, DateRange, Filter, Interval } from "#insights/common/frame.ts";
import type { LifecycleInput } from "#insights/lifecycle/contract.ts";
import type { RetentionInput } from "#insights/retention/contract.ts";
import type { SessionsInput } from "#insights/sessions/contract.ts";
import type { SqlInput } from "#insights/sql/contract.ts";
import type { StickinessInput } from "#insights/stickiness/contract.ts";
import type { Series, TrendsInput } from "#insights/trends/contract.ts";
import type { Definition, Measure, Simple } from "./contract.ts";

/** A metric as the question that it is, and a question as the metric that it may become. Browser-safe. */

/** The questions that metrics are asked as. */
export type MetricQuestion =
  | { readonly kind: "trends"; readonly input: z.input<typeof TrendsInput> }
  | { readonly kind: "conversion"; readonly input: z.input<typeof ConversionInput> }
  | { readonly kind: "retention"; readonly input: z.input<typeof RetentionInput> }
  | { readonly kind: "lifecycle"; readonly input: z.input<typeof LifecycleInput> }
  | { readonly kind: "stickiness"; readonly input: z.input<typeof StickinessInput> }
  | { readonly kind: "sessions"; readonly input: z.input<typeof SessionsInput> }
  | { readonly kind: "sql"; readonly input: z.input<typeof SqlInput> };

/** What is asked of a metric, besides the metric. */
export interface Frame {
  readonly range: DateRange;
  readonly interval: Interval;
  readonly zone?: string | undefined;
  readonly weekStart?: "monday" | "sunday" | undefined;
  readonly filters: readonly Filter[];
  readonly breakdown?: z.output<typeof Breakdown> | undefined;
}

/** All conditions of a metric: its own, and that it is about one product. */
export const filtersOf = ({ filters, product }: Pick<Definition, "filters" | "product">): Filter[] =>
  product === "" ? filters : [...filters, { property: "", on: "product", op: "eq", values: [product] }];

const distinct = { people: "unique", accounts: "unique_accounts", sessions: "unique_sessions" } as const;

/** One measure of events as a series of a trend. */
export const seriesOf = (measure: Simple): z.input<typeof TrendsInput>["series"][number] => {
  const match = { event: measure.event, filters: measure.filters };
  if (measure.kind === "count") return { ...match, measure: "total" };
  if (measure.kind === "sum") return { ...match, measure: "sum", property: measure.property };
  if (measure.kind === "average") return { ...match, measure: measure.statistic, property: measure.property };
  return measure.rollingDays === undefined
    ? { ...match, measure: distinct[measure.of] }
    : { ...match, measure: "rolling_unique", windowDays: measure.rollingDays };
};

/** A metric as a question that can be asked, and changed, in Explore. */
export const questionOf = (
  definition: Pick<Definition, "measure" | "filters" | "product">,
  frame: Frame,
): MetricQuestion => {
  const { measure } = definition;
  const { range, interval, zone, weekStart, breakdown } = frame;
  const common = { range, zone, weekStart, filters: [...filtersOf(definition), ...frame.filters] };
  switch (measure.kind) {
    case "ratio": {
      const series = [seriesOf(measure.numerator), seriesOf(measure.denominator)];
      return { kind: "trends", input: { ...common, interval, breakdown, series, formulas: ["A / B"] } };
    }
    case "cumulative":
      return {
        kind: "trends",
        input: { ...common, interval, breakdown, series: [seriesOf(measure.of)], cumulative: true },
      };
    case "conversion":
    case "time_to_value": {
      const { kind: _, ...funnel } = measure;
      const steps = "statistic" in funnel ? (({ statistic: __, ...rest }) => rest)(funnel) : funnel;
      return { kind: "conversion", input: { ...common, interval, breakdown, ...steps } };
    }
    case "retention": {
      const { kind: _, after, ...rest } = measure;
      const byTrait = breakdown === undefined ? undefined : { ...breakdown, on: "person" as const };
      return { kind: "retention", input: { ...common, ...rest, columns: after + 1, breakdown: byTrait } };
    }
    case "lifecycle":
      return { kind: "lifecycle", input: { ...common, interval, activity: measure.activity, unit: measure.unit } };
    case "stickiness": {
      const { activity, unit, per } = measure;
      return { kind: "stickiness", input: { ...common, interval: per, activity, unit, cumulative: true } };
    }
    case "sessions":
      return {
        kind: "sessions",
        input: { ...common, interval, activity: measure.activity, gapMinutes: measure.gapMinutes },
      };
    case "sql":
      return { kind: "sql", input: { query: measure.query, display: { type: "line", x: "at", y: ["value"] } } };
    default:
      return { kind: "trends", input: { ...common, interval, breakdown, series: [seriesOf(measure)] } };
  }
};

const counted = { unique: "people", unique_accounts: "accounts", unique_sessions: "sessions" } as const;

/** What a series of a trend measures; events per person are a ratio. */
const measureOfSeries = ({ event, filters, measure, property = "", windowDays }: Series): Measure => {
  const match = { event, filters };
  if (measure === "total") return { kind: "count", ...match };
  if (measure === "sum") return { kind: "sum", ...match, property };
  if (measure === "rolling_unique") return { kind: "unique", ...match, of: "people", rollingDays: windowDays };
  if (measure === "per_user")
    return {
      kind: "ratio",
      numerator: { kind: "count", ...match },
      denominator: { kind: "unique", ...match, of: "people" },
    };
  if (measure === "unique" || measure === "unique_accounts" || measure === "unique_sessions")
    return { kind: "unique", ...match, of: counted[measure] };
  return { kind: "average", ...match, property, statistic: measure };
};

const isSimple = (measure: Measure): measure is Simple =>
  measure.kind === "count" || measure.kind === "unique" || measure.kind === "sum" || measure.kind === "average";

type Drafted = { readonly measure: Measure } | { readonly problem: string };

const ofTrend = ({ series, formulas, cumulative }: TrendsInput): Drafted => {
  const measures = series.map(measureOfSeries);
  const [first, second] = measures;
  const [formula] = formulas;
  if (formula !== undefined) {
    const isRatio = formulas.length === 1 && formula.replaceAll(/\s/g, "").toUpperCase() === "A/B";
    if (!isRatio || first === undefined || second === undefined || !isSimple(first) || !isSimple(second))
      return { problem: "A metric of a formula is one measure of events over another: A / B." };
    return { measure: { kind: "ratio", numerator: first, denominator: second } };
  }
  if (first === undefined || measures.length > 1)
    return { problem: "A metric is one number. Keep one event, or write a formula such as A / B." };
  if (!cumulative) return { measure: first };
  if (first.kind === "count" || first.kind === "sum") return { measure: { kind: "cumulative", of: first } };
  return { problem: "A running total of people would count them again and again. Count events or sum a property." };
};

const stepsOf = (input: FunnelInput) => {
  const { steps, windowSeconds, order, attempt, counting, unit, hold, exclusions, exclusionMode } = input;
  return { steps, windowSeconds, order, attempt, counting, unit, hold, exclusions, exclusionMode };
};

/** What may be asked of a kind of question that has more than one number in it. */
export interface Choice {
  /** Of a funnel: the share, or the time it takes. */
  readonly statistic?: (Measure & { kind: "time_to_value" })["statistic"] | undefined;
  readonly after?: number | undefined;
  readonly state?: (Measure & { kind: "lifecycle" })["state"] | undefined;
  readonly atLeast?: number | undefined;
  readonly figure?: (Measure & { kind: "sessions" })["figure"] | undefined;
  readonly combine?: (Measure & { kind: "sql" })["combine"] | undefined;
}

interface AnyQuestion {
  readonly kind: string;
  readonly input: unknown;
}

/** The measure that a question is, as its schema has parsed it; or why it is none. */
export const measureOf = ({ kind, input }: AnyQuestion, choice: Choice = {}): Drafted => {
  if (kind === "trends") return ofTrend(input as TrendsInput);
  if (kind === "funnel" || kind === "conversion") {
    const steps = stepsOf(input as FunnelInput);
    const { statistic } = choice;
    return {
      measure:
        statistic === undefined ? { kind: "conversion", ...steps } : { kind: "time_to_value", ...steps, statistic },
    };
  }
  if (kind === "retention") {
    const { start, returning, cohorting, mode, unit, onOrAfter, minimumOccurrences, period, brackets } =
      input as RetentionInput;
    if (period === "hour" || brackets !== undefined)
      return { problem: "Retention as a metric is by day, week or month." };
    const rest = { start, returning, cohorting, mode, unit, onOrAfter, minimumOccurrences };
    return { measure: { kind: "retention", ...rest, period, after: choice.after ?? 1 } };
  }
  if (kind === "lifecycle") {
    const { activity, unit } = input as LifecycleInput;
    return { measure: { kind: "lifecycle", activity, unit, state: choice.state ?? "new" } };
  }
  if (kind === "stickiness") {
    const { activity, unit, interval } = input as StickinessInput;
    if (interval === "hour") return { problem: "Stickiness as a metric is by day, week or month." };
    return { measure: { kind: "stickiness", activity, unit, per: interval, atLeast: choice.atLeast ?? 3 } };
  }
  if (kind === "sessions") {
    const { activity, gapMinutes } = input as SessionsInput;
    return { measure: { kind: "sessions", activity, gapMinutes, figure: choice.figure ?? "sessions" } };
  }
  if (kind === "sql") {
    const { query } = input as SqlInput;
    return { measure: { kind: "sql", query, combine: choice.combine ?? "sum" } };
  }
  return { problem: "A journey shows many ways and is no one number. Its two ends make a funnel, which is." };
};

/** How numbers of a metric read. */
export const formatOf = ({ measure }: Pick<Definition, "measure">): "number" | "share" | "seconds" => {
  if (measure.kind === "time_to_value") return "seconds";
  if (measure.kind === "conversion" || measure.kind === "retention" || measure.kind === "stickiness") return "share";
  if (measure.kind !== "sessions") return "number";
  if (measure.figure === "single") return "share";
  return measure.figure === "averageSeconds" || measure.figure === "medianSeconds" ? "seconds" : "number";
};
