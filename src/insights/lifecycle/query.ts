import { bind, literal, sql, type Sql } from "#kernel/sql.ts";
import { activeSlots, firstActive, type Slots } from "#insights/common/activity.ts";
import { bucketNumberSql } from "#insights/common/time.ts";
import type { Scope } from "#records/events/scope.ts";
import type { LifecycleInput } from "./contract.ts";

/** Far from every slot. */
const never = -9;

/**
 * One row per slot and state: how many units. Slot 0 is the bucket before the range; from what happened in it follows
 * who returned and who went quiet in the first.
 */
export const lifecycleQuery = (scope: Scope, input: LifecycleInput, slots: Slots): Sql => {
  const activity = { match: input.activity, filters: input.filters, unit: input.unit };
  const firstSlot = sql`toInt32(${bucketNumberSql(input.interval, scope, sql`first`)} - ${literal(slots.first)})`;
  return sql`SELECT toInt32(tupleElement(stage, 1)) AS slot, tupleElement(stage, 2) AS state, toFloat64(count()) AS units
    FROM (
      SELECT active.slots AS slots, firsts.slot AS began
      FROM (${activeSlots(scope, activity, slots)}) AS active
      LEFT ANY JOIN (SELECT unit, ${firstSlot} AS slot FROM (${firstActive(scope, activity, slots.range.to)}) WHERE first >= ${bind.time(slots.range.from)}) AS firsts
      ON firsts.unit = active.unit
      SETTINGS join_use_nulls = 1
    )
    ARRAY JOIN arrayConcat(
      arrayMap((slot, before) -> (slot, multiIf(slot = ifNull(began, ${literal(never)}), 'new', slot = before + 1, 'returning', 'resurrecting')), slots, arrayPushFront(arrayPopBack(slots), ${literal(never)})),
      arrayMap((slot, after) -> (slot + 1, if(after = slot + 1, '', 'dormant')), slots, arrayPushBack(arrayPopFront(slots), ${literal(never)}))
    ) AS stage
    WHERE state != ''
    GROUP BY slot, state`;
};
