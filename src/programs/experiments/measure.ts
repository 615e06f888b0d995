import type { EventMatch } from "#insights/common/frame.ts";
import type { Part, UnitMeasure } from "./document.ts";
import type { Definition, Simple } from "#insights/metrics/contract.ts";
import { filtersOf } from "#insights/metrics/question.ts";

const partOf = (measure: Simple, filters: EventMatch["filters"]): Part => ({
  match: { event: measure.event, filters: [...measure.filters, ...filters] },
  ...(measure.kind === "sum" || measure.kind === "average" ? { property: measure.property } : {}),
  isCounted: false,
});

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
    default:
      return undefined;
  }
}; // prettier-ignore
