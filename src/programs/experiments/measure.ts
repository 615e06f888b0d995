import type { EventMatch } from "#insights/common/frame.ts";
import type { Part, UnitMeasure } from "./document.ts";
import type { Definition, Simple } from "#insights/metrics/contract.ts";
import { filtersOf } from "#insights/metrics/question.ts";

const partOf = (measure: Simple, filters: EventMatch["filters"]): Part => ({
  match: { event: measure.event, filters: [...measure.filters, ...filters] },
  ...(measure.kind === "sum" || measure.kind === "average" ? { property: measure.property } : {}),
  isCounted: false,
});

/** Events that a measure counts; null among them stands for all. */
export const eventsOfMeasure = (measure: UnitMeasure): readonly (string | null)[] => {
  if (measure.kind === "conversion") return measure.steps.map(({ event }) => event);
  return measure.kind === "ratio" ? [measure.part.match.event, measure.per.match.event] : [measure.part.match.event];
};

/** Days after the exposure that a measure needs; 0 where any will do. */
export const daysNeeded = (measure: UnitMeasure): number => (measure.kind === "return" ? measure.toDay : 0);

/** Undefined for metrics that say nothing of one unit alone. */
export const unitMeasureOf = (definition: Pick<Definition, "measure" | "filters" | "product">): UnitMeasure | undefined => {
  const { measure } = definition;
  const filters = filtersOf(definition);
  switch (measure.kind) {
    case "count":
    case "sum":
      return { kind: "mean", part: partOf(measure, filters) };
    case "unique":
      return measure.of === "sessions" ? undefined : { kind: "proportion", part: partOf(measure, filters) };
    case "average":
      return measure.statistic === "avg"
        ? { kind: "ratio", part: partOf(measure, filters), per: { ...partOf(measure, filters), isCounted: true } }
        : undefined;
    case "ratio": {
      const { numerator, denominator } = measure;
      const isSum = (one: Simple): boolean => one.kind === "count" || one.kind === "sum";
      return isSum(numerator) && isSum(denominator) ? { kind: "ratio", part: partOf(numerator, filters), per: partOf(denominator, filters) } : undefined;
    }
    case "conversion": {
      const { steps, windowSeconds, order, attempt, counting, unit, hold, exclusions } = measure;
      const isPlain = order === "ordered" && attempt === "any" && counting === "people" && unit !== "sessions" && hold.length === 0 && exclusions.length === 0 && !steps.some(({ optional }) => optional);
      return isPlain ? { kind: "conversion", steps: steps.map((step) => ({ event: step.event, filters: [...step.filters, ...filters] })), windowSeconds } : undefined;
    }
    case "retention": {
      const { returning, period, after, onOrAfter, minimumOccurrences } = measure;
      const days = { day: 1, week: 7, month: 30 }[period];
      return onOrAfter || minimumOccurrences > 1 ? undefined : { kind: "return", part: { match: { event: returning.event, filters: [...returning.filters, ...filters] }, isCounted: false }, fromDay: after * days, toDay: (after + 1) * days };
    }
    default:
      return undefined;
  }
}; // prettier-ignore
