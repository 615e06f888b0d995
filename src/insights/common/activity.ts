import { bind, join, literal, sql, type Sql } from "#kernel/sql.ts";
import { inRange, personOf, type Scope, type TimeRange } from "#records/events/scope.ts";
import { conditionsOf, matches } from "./conditions.ts";
import type { EventMatch, Filter, Interval, Unit } from "./frame.ts";
import { bucketNumberSql } from "./time.ts";

/** Whose activity: which events, under which conditions, by whom. */
export interface Activity {
  readonly match: EventMatch;
  readonly filters: readonly Filter[];
  readonly unit: Unit;
}

/** Buckets of a range, numbered from 0. */
export interface Slots {
  readonly range: TimeRange;
  readonly interval: Interval;
  /** Number of the bucket that is slot 0 (see bucketNumberSql). */
  readonly first: number;
  readonly count: number;
  /** So many buckets are one slot. */
  readonly joined?: number;
}

/** The key of who is counted. */
export const unitOf = (scope: Scope, unit: Unit): Sql => (unit === "accounts" ? sql`account` : personOf(scope));

const holds = (scope: Scope, { match, filters, unit }: Activity): Sql => {
  const conditions = sql`${matches(scope, match)} AND ${conditionsOf(scope, filters)}`;
  return unit === "accounts" ? sql`account != '' AND ${conditions}` : conditions;
};

const slotOf = (scope: Scope, { interval, first, joined = 1 }: Slots): Sql =>
  sql`intDiv(${bucketNumberSql(interval, scope)} - ${literal(first)}, ${literal(joined)})`;

/** Words of 64 bits stay cheaper than arrays up to so many. */
const mostWords = 8;

/** From slots of a unit's events to those it was active in, in order. */
const distinctSlots = (slot: Sql, count: number): Sql => {
  const words = Math.ceil(count / 64);
  if (words > mostWords) return sql`arraySort(groupUniqArray(toInt32(${slot})))`;
  const bits = Array.from({ length: words }, (_, word) => {
    const own = sql`bitShiftLeft(toUInt64(1), toUInt8(${slot} % 64))`;
    const mask = words === 1 ? sql`groupBitOr(${own})` : sql`groupBitOrIf(${own}, intDiv(${slot}, 64) = ${literal(word)})`; // prettier-ignore
    return sql`arrayMap(bit -> toInt32(bit) + ${literal(word * 64)}, bitPositionsToArray(${mask}))`;
  });
  return words === 1 ? sql`${join(bits, ", ")}` : sql`arrayConcat(${join(bits, ", ")})`;
};

/** What makes a unit active in a slot, where one event is not enough. */
export interface Criterion {
  readonly op: "gte" | "lte" | "eq";
  readonly value: number;
}

const compared = { gte: sql`>=`, lte: sql`<=`, eq: sql`=` } satisfies Record<Criterion["op"], Sql>;

/** One row per unit that was active in the range: `unit` and `slots`, an ascending Array(Int32). */
export const activeSlots = (scope: Scope, activity: Activity, slots: Slots, criterion?: Criterion): Sql => {
  const unit = unitOf(scope, activity.unit);
  const where = sql`${inRange(slots.range)} AND ${holds(scope, activity)}`;
  const slot = slotOf(scope, slots);
  if (criterion === undefined)
    return sql`SELECT ${unit} AS unit, ${distinctSlots(slot, slots.count)} AS slots FROM events WHERE ${where} GROUP BY unit`;
  return sql`SELECT unit, ${distinctSlots(sql`slot`, slots.count)} AS slots FROM (
      SELECT ${unit} AS unit, ${slot} AS slot FROM events WHERE ${where}
      GROUP BY unit, slot HAVING count() ${compared[criterion.op]} ${literal(criterion.value)}
    ) GROUP BY unit`;
};

/**
 * One row per unit that was ever active before `before`: `unit` and `first`, the instant. The daily rollup keeps first
 * times exactly, so it serves whatever does not look at properties or accounts.
 */
export const firstActive = (scope: Scope, activity: Activity, before: number): Sql => {
  const unit = unitOf(scope, activity.unit);
  const plain =
    activity.unit === "people" &&
    [...activity.match.filters, ...activity.filters].every(({ on }) => on === "person" || on === "id");
  return plain
    ? sql`SELECT ${unit} AS unit, min(activity_daily.first) AS first FROM activity_daily WHERE activity_daily.first < ${bind.time(before)} AND ${holds(scope, activity)} GROUP BY unit`
    : sql`SELECT ${unit} AS unit, min(at) AS first FROM events WHERE at < ${bind.time(before)} AND ${holds(scope, activity)} GROUP BY unit`;
};
