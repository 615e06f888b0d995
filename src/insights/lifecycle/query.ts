import { bind, literal, sql, type Sql } from "#kernel/sql.ts";
import { activeSinceEver, type Slots } from "#insights/common/activity.ts";
import { bucketNumberSql } from "#insights/common/time.ts";
import type { Scope } from "#records/events/scope.ts";
import { states, type LifecycleInput, type State } from "./contract.ts";

/** Far from every slot. */
const never = -9;
const code = (state: State): Sql => literal(states.indexOf(state));

/**
 * One row per slot and state: how many units. Slot 0 is the bucket before the range; from what happened in it follows
 * who returned and who went quiet in the first. A slot and a state are one small number, which groups fastest.
 */
export const lifecycleQuery = (scope: Scope, input: LifecycleInput, slots: Slots): Sql => {
  const activity = { match: input.activity, filters: input.filters, unit: input.unit };
  const began = sql`toInt32(${bucketNumberSql(input.interval, scope, sql`active.began`)}) - ${literal(slots.first)}`;
  const many = literal(states.length);
  return sql`SELECT toInt32(intDiv(stage, ${many})) AS slot, arrayElement(${bind.strings(states)}, stage % ${many} + 1) AS state, toFloat64(count()) AS units
    FROM (SELECT ${began} AS fresh, slots FROM (${activeSinceEver(scope, activity, slots)}) AS active WHERE notEmpty(slots))
    ARRAY JOIN arrayConcat(
      arrayMap((slot, before) -> toUInt16(slot * ${many} + multiIf(slot = fresh, ${code("new")}, slot = before + 1, ${code("returning")}, ${code("resurrecting")})), slots, arrayPushFront(arrayPopBack(slots), ${literal(never)})),
      arrayMap(slot -> toUInt16((slot + 1) * ${many} + ${code("dormant")}), arrayFilter((slot, after) -> after != slot + 1, slots, arrayPushBack(arrayPopFront(slots), ${literal(never)})))
    ) AS stage
    GROUP BY stage`;
};

/** Who is in a state in a slot: `person`, the unit. */
export const lifecyclePeople = (scope: Scope, input: LifecycleInput, slots: Slots, slot: number, state: State): Sql => {
  const activity = { match: input.activity, filters: input.filters, unit: input.unit };
  const began = sql`toInt32(${bucketNumberSql(input.interval, scope, sql`active.began`)}) - ${literal(slots.first)}`;
  const [now, before] = [sql`has(slots, toInt32(${literal(slot)}))`, sql`has(slots, toInt32(${literal(slot - 1)}))`];
  const isFresh = sql`fresh = ${literal(slot)}`;
  const conditions = {
    new: sql`${now} AND ${isFresh}`,
    returning: sql`${now} AND NOT (${isFresh}) AND ${before}`,
    resurrecting: sql`${now} AND NOT (${isFresh}) AND NOT ${before}`,
    dormant: sql`NOT ${now} AND ${before}`,
  } satisfies Record<State, Sql>;
  return sql`SELECT unit AS person FROM (SELECT unit, ${began} AS fresh, slots FROM (${activeSinceEver(scope, activity, slots)}) AS active) WHERE ${conditions[state]}`;
};
