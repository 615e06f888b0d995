import { literal, sql, type Sql } from "#kernel/sql.ts";
import { activeSlots, type Slots } from "#insights/common/activity.ts";
import type { Scope } from "#records/events/scope.ts";
import type { StickinessInput } from "./contract.ts";

/** One row per number of active periods: how many units had so many. */
export const stickinessQuery = (scope: Scope, input: StickinessInput, slots: Slots): Sql => {
  const activity = { match: input.activity, filters: input.filters, unit: input.unit };
  return sql`SELECT toInt32(length(slots)) AS periods, toFloat64(count()) AS units
    FROM (${activeSlots(scope, activity, slots, input.criterion)}) GROUP BY periods ORDER BY periods`;
};

/** Who was active in so many periods: `person`, the unit. */
export const stickinessPeople = (scope: Scope, input: StickinessInput, slots: Slots, periods: number): Sql => {
  const activity = { match: input.activity, filters: input.filters, unit: input.unit };
  const compare = input.cumulative ? sql`>=` : sql`=`;
  return sql`SELECT unit AS person FROM (${activeSlots(scope, activity, slots, input.criterion)}) WHERE length(slots) ${compare} ${literal(periods)}`;
};
