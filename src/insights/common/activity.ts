import { allOf, bind, join, literal, sql, type Sql } from "#kernel/sql.ts";
import { byPerson, inRange, personOf, type Scope, type TimeRange } from "#records/events/scope.ts";
import { conditionsOf, matches } from "./conditions.ts";
import type { EventMatch, Filter, Interval, Unit } from "./frame.ts";
import { bucketNumberSql, startOf } from "./time.ts";

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

/** A relation grouped by who is counted; `relation` takes what must hold of a row besides. */
export const byUnit = (scope: Scope, unit: Unit, relation: (share: Sql) => Sql): Sql =>
  unit === "accounts" ? relation(sql`1`) : byPerson(scope, relation);

/** The key of who is counted. */
export const unitOf = (scope: Scope, unit: Unit): Sql => (unit === "accounts" ? sql`account` : personOf(scope));

const holds = (scope: Scope, { match, filters, unit }: Activity): Sql => {
  const conditions = sql`${matches(scope, match)} AND ${conditionsOf(scope, filters)}`;
  return unit === "accounts" ? sql`account != '' AND ${conditions}` : conditions;
};

const slotOf = (
  scope: Scope,
  { interval, first, joined = 1 }: Pick<Slots, "interval" | "first" | "joined">,
  at: Sql,
): Sql => {
  const slot = sql`${bucketNumberSql(interval, scope, at)} - ${literal(first)}`;
  return joined === 1 ? sql`(${slot})` : sql`intDiv(${slot}, ${literal(joined)})`;
};

/** Words of 64 bits stay cheaper than arrays up to so many. */
const mostWords = 8;

/** A time at which a row says that its unit was active; it counts where `inside` holds. */
interface Mark {
  readonly slot: Sql;
  readonly inside: Sql | undefined;
}

/** Of the marks of a unit, the slots that it was active in, in order: an aggregate. */
const distinctSlots = (marks: readonly Mark[], count: number): Sql => {
  const words = Math.ceil(count / 64);
  if (words > mostWords) {
    const listed = marks.map(({ slot, inside }) =>
      inside === undefined ? sql`[toInt32(${slot})]` : sql`if(${inside}, [toInt32(${slot})], CAST([], 'Array(Int32)'))`,
    );
    return sql`arraySort(groupUniqArrayArray(arrayConcat(${join(listed, ", ")})))`;
  }
  const inWord = (word: number): Sql =>
    marks
      .map(({ slot, inside }) => {
        const conditions = [...(inside === undefined ? [] : [inside]), ...(words === 1 ? [] : [sql`intDiv(${slot}, 64) = ${literal(word)}`])]; // prettier-ignore
        const bit = sql`bitShiftLeft(toUInt64(1), toUInt8(${slot} % 64))`;
        return conditions.length === 0 ? bit : sql`if(${join(conditions, " AND ")}, ${bit}, toUInt64(0))`;
      })
      .reduce((a, b) => sql`bitOr(${a}, ${b})`);
  const bits = Array.from({ length: words }, (_, word) =>
    sql`arrayMap(bit -> toInt32(bit) + ${literal(word * 64)}, bitPositionsToArray(groupBitOr(${inWord(word)})))`); // prettier-ignore
  return words === 1 ? sql`${join(bits, ", ")}` : sql`arrayConcat(${join(bits, ", ")})`;
};

/** What makes a unit active in a slot, where one event is not enough. */
export interface Criterion {
  readonly op: "gte" | "lte" | "eq";
  readonly value: number;
}

const compared = { gte: sql`>=`, lte: sql`<=`, eq: sql`=` } satisfies Record<Criterion["op"], Sql>;

/** Conditions that a known id is enough for: the daily rollup can answer them. */
const isPlain = ({ unit, match, filters }: Activity): boolean =>
  unit === "people" && [...match.filters, ...filters].every(({ on }) => on === "person" || on === "id");

/** Where it can be read when somebody was active, and how. */
export interface ActivitySource {
  readonly table: Sql;
  /** Rows of which a mark may lie in the range. */
  readonly within: (range: Partial<TimeRange>) => Sql;
  /** The first time of a row, exactly. */
  readonly first: Sql;
  /** The times at which a row says that its unit was active; each counts where it lies in the range. */
  readonly marks: (range: Partial<TimeRange>) => readonly { readonly slot: Sql; readonly inside: Sql }[];
}

const between = (at: Sql, { from, to }: Partial<TimeRange>, value: (ms: number) => Sql): Sql =>
  allOf([...(from === undefined ? [] : [sql`${at} >= ${value(from)}`]), ...(to === undefined ? [] : [sql`${at} < ${value(to)}`])]); // prettier-ignore

/**
 * The rollup where it says the same as the events. A row of it is one id's day in UTC, with the first and last time; such
 * a day touches two local days at most, that of the first and that of the last time, so it says exactly on which local
 * days somebody was active.
 */
export const sourceOf = (
  scope: Scope,
  activities: readonly Activity[],
  slots: Pick<Slots, "interval" | "first" | "joined">,
  bounds: readonly number[],
): ActivitySource => {
  const isWhole = bounds.every((ms) => startOf(ms, "day", scope) === ms);
  const time = (ms: number): Sql => sql`${bind.time(ms)}`;
  if (!activities.every(isPlain) || slots.interval === "hour" || !isWhole) {
    const inside = (range: Partial<TimeRange>): Sql => between(sql`at`, range, time);
    const marks = (range: Partial<TimeRange>) => [{ slot: slotOf(scope, slots, sql`at`), inside: inside(range) }];
    return { table: sql`events`, first: sql`at`, within: inside, marks };
  }
  const table = sql`activity_daily`;
  const [first, last] = [sql`activity_daily.first`, sql`activity_daily.last`];
  if (scope.zone === "UTC") {
    const inside = (range: Partial<TimeRange>): Sql =>
      between(sql`day`, range, (ms) => sql`toDate(${literal(Math.floor(ms / 86_400_000))})`);
    const slot = slotOf(scope, slots, slots.interval === "day" ? sql`day` : sql`toDateTime(day, 'UTC')`);
    return { table, first, within: inside, marks: (range) => [{ slot, inside: inside(range) }] };
  }
  const marks = (range: Partial<TimeRange>) =>
    [first, last].map((at) => ({ slot: slotOf(scope, slots, at), inside: between(at, range, time) }));
  const within = ({ from, to }: Partial<TimeRange>): Sql =>
    allOf([
      ...(from === undefined ? [] : [between(last, { from }, time)]),
      ...(to === undefined ? [] : [between(first, { to }, time)]),
    ]);
  return { table, first, within, marks };
};

/** One row per unit that was active in the range: `unit` and `slots`, an ascending Array(Int32). */
export const activeSlots = (scope: Scope, activity: Activity, slots: Slots, criterion?: Criterion): Sql => {
  const unit = unitOf(scope, activity.unit);
  if (criterion === undefined) {
    const { range } = slots;
    const { table, within, marks } = sourceOf(scope, [activity], slots, [range.from, range.to]);
    const all = marks(range);
    // every row that is read counts where there is one mark a row
    const own = all.length === 1 ? all.map(({ slot }) => ({ slot, inside: undefined })) : all;
    const found = (
      share: Sql,
    ): Sql => sql`SELECT ${unit} AS unit, ${distinctSlots(own, slots.count)} AS slots FROM ${table}
      WHERE ${share} AND ${within(range)} AND ${holds(scope, activity)} GROUP BY unit`;
    return byUnit(scope, activity.unit, found);
  }
  const slot = sql`slot`;
  return sql`SELECT unit, ${distinctSlots([{ slot, inside: undefined }], slots.count)} AS slots FROM (
      SELECT ${unit} AS unit, ${slotOf(scope, slots, sql`at`)} AS slot FROM events WHERE ${inRange(slots.range)} AND ${holds(scope, activity)}
      GROUP BY unit, slot HAVING count() ${compared[criterion.op]} ${literal(criterion.value)}
    ) GROUP BY unit`;
};

/** The same with `began`, the first time that the unit was ever active: for that all of the past is read. */
export const activeSinceEver = (scope: Scope, activity: Activity, slots: Slots): Sql => {
  const { from, to } = slots.range;
  const { table, first, within, marks } = sourceOf(scope, [activity], slots, [from, to]);
  const found = (
    share: Sql,
  ): Sql => sql`SELECT ${unitOf(scope, activity.unit)} AS unit, min(${first}) AS began, ${distinctSlots(marks({ from, to }), slots.count)} AS slots
    FROM ${table} WHERE ${share} AND ${within({ to })} AND ${holds(scope, activity)} GROUP BY unit`;
  return byUnit(scope, activity.unit, found);
};

/**
 * One row per unit that was ever active before `before`: `unit` and `first`, the instant. The daily rollup keeps first
 * times exactly. `among` is a condition on `actor` (or `account`) besides.
 */
export const firstActive = (scope: Scope, activity: Activity, before: number, among: Sql = sql`1`): Sql => {
  const unit = unitOf(scope, activity.unit);
  const own = sql`${among} AND ${holds(scope, activity)}`;
  return isPlain(activity)
    ? sql`SELECT ${unit} AS unit, min(activity_daily.first) AS first FROM activity_daily WHERE activity_daily.first < ${bind.time(before)} AND ${own} GROUP BY unit`
    : sql`SELECT ${unit} AS unit, min(at) AS first FROM events WHERE at < ${bind.time(before)} AND ${own} GROUP BY unit`;
};
