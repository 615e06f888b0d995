import type { AskedEvent as AskedName } from "#insights/common/ui/event-list.tsx";
import { needsProperty } from "#insights/trends/contract.ts";
import { BuiltQuestion, type BuiltKind } from "../contract.ts";
import { breakdownOf, propertyOf, rangeOf, takes, type Asked, type AskedEvent } from "./asked.ts";

const matchOf = ({ name, filters }: AskedName) => ({
  event: name === "" ? null : name,
  filters: filters.filter(isWhole),
});
const every: AskedEvent = { name: "", filters: [] };

const funnelInput = (asked: Asked, events: readonly AskedEvent[]) => {
  const breakdown = breakdownOf(asked.breakdown);
  const last = events.length - 1;
  return {
    steps: events.map((event, place) => ({ ...matchOf(event), optional: place > 0 && event.optional === true })),
    windowSeconds: asked.windowSeconds > 0 ? asked.windowSeconds : asked.windowDays * 86_400,
    order: asked.order,
    counting: asked.counting,
    attempt: asked.attempt,
    unit: asked.unit,
    hold: asked.hold,
    dates: asked.dates,
    exclusions: asked.exclusions.map((exclusion) => ({
      ...matchOf(exclusion),
      from: Math.max(0, Math.min(exclusion.from, last - 1)),
      to: Math.min(Math.max(exclusion.to, exclusion.from + 1), last),
    })),
    exclusionMode: asked.exclusionMode,
    breakdown:
      breakdown === undefined
        ? undefined
        : { ...breakdown, attribution: asked.attribution, step: asked.attributionStep },
  };
};

const trendBreakdown = ({ breakdown, breakdown2 }: Asked) => {
  const first = breakdownOf(breakdown);
  return first === undefined || breakdown2 === "" ? first : { ...first, and: [propertyOf(breakdown2)] };
};

/** Sessions are a unit of funnels alone. */
const unitOf = ({ unit }: Asked) => (unit === "sessions" ? "people" : unit);

/** What a kind takes of the question, besides what all have in common. Contracts check the rest. */
const inputs: Readonly<Record<BuiltKind, (asked: Asked, events: readonly AskedEvent[]) => Record<string, unknown>>> = {
  trends: (asked, events) => ({
    series: events.map((event) => {
      const measure = event.measure ?? asked.measure;
      const property = event.measure === undefined ? asked.property : (event.property ?? "");
      return {
        ...matchOf(event),
        measure,
        property: property === "" || !needsProperty.has(measure) ? undefined : property,
        windowDays: measure === "rolling_unique" ? asked.rollingDays : undefined,
      };
    }),
    interval: asked.interval,
    breakdown: trendBreakdown(asked),
    compare: asked.compare ? { offsetDays: asked.compareDays > 0 ? asked.compareDays : undefined } : undefined,
    formulas: asked.formula === "" ? [] : [asked.formula],
    sample: asked.sample >= 1 ? asked.sample / 100 : undefined,
    cumulative: asked.cumulative,
    movingAverage: asked.movingAverage > 1 ? asked.movingAverage : undefined,
  }),
  funnel: funnelInput,
  conversion: (asked, events) => ({ ...funnelInput(asked, events), interval: asked.interval }),
  retention: (asked, [start = every, returning = start]) => {
    const breakdown = breakdownOf(asked.breakdown);
    return {
      start: matchOf(start),
      returning: matchOf(returning),
      period: asked.interval,
      cohorting: asked.cohorting,
      mode: asked.mode,
      unit: unitOf(asked),
      onOrAfter: asked.onOrAfter,
      value: asked.returnValue === "" ? undefined : { property: asked.returnValue, statistic: asked.returnStatistic },
      minimumOccurrences: asked.minimumOccurrences,
      brackets: asked.brackets.length === 0 ? undefined : asked.brackets,
      breakdown: breakdown?.on === "person" ? { property: breakdown.property, limit: breakdown.limit } : undefined,
    };
  },
  journey: (asked, events) => ({
    events: events.map(matchOf),
    property: asked.nodeProperty === "" ? undefined : asked.nodeProperty,
    start: asked.start === "" ? undefined : asked.start,
    end: asked.end === "" ? undefined : asked.end,
    steps: Math.max(2, asked.steps),
    gapMinutes: asked.gapMinutes,
  }),
  lifecycle: (asked, [activity = every]) => ({
    activity: matchOf(activity),
    interval: asked.interval,
    unit: unitOf(asked),
  }),
  stickiness: (asked, [activity = every]) => ({
    activity: matchOf(activity),
    interval: asked.interval,
    unit: unitOf(asked),
    cumulative: asked.cumulative,
  }),
  sessions: (asked, [activity = every]) => ({
    activity: matchOf(activity),
    interval: asked.interval,
    gapMinutes: asked.gapMinutes,
  }),
  metric: (asked) => ({
    metric: asked.metric,
    interval: asked.interval === "hour" ? "day" : asked.interval,
    breakdown: breakdownOf(asked.breakdown),
    compare: asked.compare,
  }),
};

/** What the builder holds, as a question that can be asked and saved. */
export const questionOf = (asked: Asked): BuiltQuestion => {
  const common = {
    range: rangeOf(asked),
    filters: asked.filters.filter(isWhole),
    zone: asked.zone === "" ? undefined : asked.zone,
    weekStart: asked.weekStart === "" ? undefined : asked.weekStart,
  };
  const events = asked.events.slice(0, takes[asked.kind][1]);
  return BuiltQuestion.parse({ kind: asked.kind, input: { ...common, ...inputs[asked.kind](asked, events) } });
};

/** A condition that is still being written does not count yet. */
const isWhole = ({ property, on, op, values }: Asked["filters"][number]): boolean =>
  (property !== "" || on === "cohort" || on === "product") &&
  (op === "is_set" || op === "is_not_set" || values.length > 0);

/** Whether there is enough to ask. */
export const isReady = (asked: Asked): boolean => {
  if (asked.kind === "metric") return asked.metric !== "";
  if (asked.events.length < takes[asked.kind][0]) return false;
  return asked.kind !== "trends" || asked.events.every(({ measure, property }) => !needsProperty.has(measure ?? asked.measure) || (measure === undefined ? asked.property : (property ?? "")) !== ""); // prettier-ignore
};
