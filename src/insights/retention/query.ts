import { bind, join, literal, none, sql, type Sql } from "#kernel/sql.ts";
import { byUnit, firstActive, sourceOf, unitOf } from "#insights/common/activity.ts";
import { conditionsOf, matches, matchesAny, propertyNumber } from "#insights/common/conditions.ts";
import { bucketNumberSql } from "#insights/common/time.ts";
import { inRange, type Scope, type TimeRange } from "#records/events/scope.ts";
import { traitOfPeople } from "#records/people/relation.ts";
import type { RetentionInput } from "./contract.ts";

/** Buckets as bits of one word: 64 at most, counted from the first of the range. */
export interface Grid {
  readonly range: TimeRange;
  /** Number of the first bucket (see bucketNumberSql). */
  readonly first: number;
  readonly buckets: number;
  /** Columns shown for each row. */
  readonly columns: readonly number[];
}

/** More than there are columns in a row: 64, and the size of the cohort. */
const mostColumns = 128;

const bit = (index: Sql): Sql => sql`bitShiftLeft(toUInt64(1), ${index})`;

/** Rolling periods are fixed lengths: hours, days, 7 days, 30 days. */
export const periodMs = { hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000, month: 30 * 86_400_000 } as const;

/** What holds for every event that counts. */
const conditions = (scope: Scope, input: RetentionInput): Sql =>
  input.unit === "accounts"
    ? sql`account != '' AND ${conditionsOf(scope, input.filters)}`
    : conditionsOf(scope, input.filters);

/** The person's first start, looking back before the range: number of its bucket and its instant. */
const firstStart = (scope: Scope, input: RetentionInput, grid: Grid): Sql => {
  const index = sql`toInt32(${bucketNumberSql(input.period, scope, sql`first`)} - ${literal(grid.first)})`;
  const before = sql`at < ${bind.time(grid.range.to)}`;
  const named =
    input.cohorting === "first_ever"
      ? matches(scope, { event: input.start.event, filters: [] })
      : matches(scope, input.start);
  if (input.cohorting === "first_time") {
    const activity = { match: input.start, filters: input.filters, unit: input.unit };
    return sql`SELECT unit AS person, first, ${index} AS cohort FROM (${firstActive(scope, activity, grid.range.to)}) WHERE first >= ${bind.time(grid.range.from)}`;
  }
  const within = input.cohorting === "first_in_range" ? inRange(grid.range) : before;
  const ever = input.cohorting === "first_ever" ? sql`HAVING argMin(${matches(scope, input.start)}, at)` : none;
  return sql`SELECT person, first, ${index} AS cohort FROM (
      SELECT ${unitOf(scope, input.unit)} AS person, min(at) AS first FROM events
      WHERE ${within} AND ${named} AND ${conditions(scope, input)} GROUP BY person ${ever}
    ) WHERE first >= ${bind.time(grid.range.from)}`;
};

/** Where returns may lie: a fixed number of columns, and rolling offsets, can reach past the range. */
const returnRange = (grid: Grid, reach: number): TimeRange => ({
  from: grid.range.from,
  to: Math.max(grid.range.to, reach),
});

/** One row per person: `starts` and `returns`, a bit for each bucket. */
const calendarMasks = (scope: Scope, input: RetentionInput, grid: Grid, reach: number): Sql => {
  const isReturn = matches(scope, input.returning);
  const returns = returnRange(grid, reach);
  const ours = sql`${matchesAny(scope, [input.start, input.returning])} AND ${conditions(scope, input)}`;
  if (input.minimumOccurrences === 1) {
    const activities = [input.start, input.returning].map((match) => ({ match, filters: input.filters, unit: input.unit })); // prettier-ignore
    const bounds = [grid.range.from, grid.range.to, returns.to];
    const source = sourceOf(scope, activities, { interval: input.period, first: grid.first }, bounds);
    const bits = (range: TimeRange, holds: Sql): Sql => {
      const own = source.marks(range).map(({ slot, inside }) => sql`if(${inside} AND ${holds}, ${bit(sql`toUInt8(${slot})`)}, toUInt64(0))`); // prettier-ignore
      return sql`groupBitOr(${own.reduce((a, b) => sql`bitOr(${a}, ${b})`)})`;
    };
    const found = (
      share: Sql,
    ): Sql => sql`SELECT ${unitOf(scope, input.unit)} AS person, ${bits(grid.range, matches(scope, input.start))} AS starts, ${bits(returns, isReturn)} AS returns
      FROM ${source.table} WHERE ${share} AND ${source.within(returns)} AND ${ours} GROUP BY person`;
    return byUnit(scope, input.unit, found);
  }
  const index = sql`toUInt8(${bucketNumberSql(input.period, scope)} - ${literal(grid.first)})`;
  const within = sql`${inRange(returns)} AND ${ours}`;
  const isStart = sql`(at < ${bind.time(grid.range.to)} AND ${matches(scope, input.start)})`;
  return sql`SELECT person, groupBitOrIf(${bit(sql`slot`)}, began > 0) AS starts, groupBitOrIf(${bit(sql`slot`)}, came >= ${literal(input.minimumOccurrences)}) AS returns
    FROM (SELECT ${unitOf(scope, input.unit)} AS person, ${index} AS slot, countIf(${isStart}) AS began, countIf(${isReturn}) AS came FROM events WHERE ${within} GROUP BY person, slot)
    GROUP BY person`;
};

/** One row per person and cohort: `cohort` is the row, `back` has a bit for each offset at which they returned. */
const calendarCohorts = (scope: Scope, input: RetentionInput, grid: Grid, reach: number): Sql => {
  const masks = calendarMasks(scope, input, grid, reach);
  if (input.cohorting === "recurring") {
    return sql`SELECT person, toInt32(cohort) AS cohort, bitShiftRight(returns, cohort) AS back FROM (${masks}) ARRAY JOIN bitPositionsToArray(starts) AS cohort`;
  }
  return sql`SELECT firsts.person AS person, firsts.cohort AS cohort, bitShiftRight(masks.returns, firsts.cohort) AS back
    FROM (${firstStart(scope, input, grid)}) AS firsts LEFT JOIN (${masks}) AS masks ON masks.person = firsts.person`;
};

/** Offsets are whole periods since the person's first start; exactly one period later is offset 1. */
const rollingCohorts = (scope: Scope, input: RetentionInput, grid: Grid, reach: number): Sql => {
  const period = literal(periodMs[input.period]);
  const elapsed = sql`intDiv(toUnixTimestamp64Milli(at) - toUnixTimestamp64Milli(first), ${period})`;
  const counted = sql`SELECT person, any(start_cohort) AS cohort, ${elapsed} AS offset, count() AS came
    FROM (SELECT ${unitOf(scope, input.unit)} AS person, at FROM events WHERE ${inRange(returnRange(grid, reach))} AND ${matches(scope, input.returning)} AND ${conditions(scope, input)}) AS back
    INNER JOIN (SELECT person, first, cohort AS start_cohort FROM (${firstStart(scope, input, grid)})) AS firsts USING person
    WHERE at >= first AND ${elapsed} < 64 GROUP BY person, offset HAVING came >= ${literal(input.minimumOccurrences)}`;
  return sql`SELECT firsts.person AS person, firsts.cohort AS cohort, masks.back AS back
    FROM (${firstStart(scope, input, grid)}) AS firsts
    LEFT JOIN (SELECT person, groupBitOr(${bit(sql`toUInt8(offset)`)}) AS back FROM (${counted}) GROUP BY person) AS masks ON masks.person = firsts.person`;
};

/** How many columns each row shows: 1 to 64. */
const shownColumns = (grid: Grid): Sql => {
  const counts = grid.columns.map((n) => literal(Math.min(64, Math.max(1, n))));
  return sql`[${join(counts, ", ")}][cohort + 1]`;
};

/** Columns at which a person counts, with 0 for being in the cohort. With on-or-after, every column up to the last shown at which they came. */
const columnsHit = (input: RetentionInput, grid: Grid): Sql => {
  if (input.brackets !== undefined) {
    let offset = 1;
    const masks = input.brackets.map((size) => {
      const mask = ((1n << BigInt(size)) - 1n) << BigInt(offset);
      offset += size;
      return sql`${bind.id(String(BigInt.asUintN(64, mask)))}`;
    });
    const list = sql`[${join(masks, ", ")}]`;
    return sql`arrayConcat([0], arrayFilter((k, m) -> bitAnd(back, m) != 0, arrayEnumerate(${list}), ${list}))`;
  }
  if (!input.onOrAfter) return sql`bitPositionsToArray(bitOr(back, 1))`;
  const shown = sql`bitAnd(back, bitShiftRight(toUInt64(18446744073709551615), toUInt8(64 - ${shownColumns(grid)})))`;
  return sql`range(0, toUInt64(arrayMax(bitPositionsToArray(bitOr(${shown}, 1))) + 1))`;
};

/** One row per group, cohort and column: how many people. Column 0 is the size of the cohort. */
export const retentionQuery = (scope: Scope, input: RetentionInput, grid: Grid, reach: number): Sql => {
  const cohorts = (input.mode === "rolling" ? rollingCohorts : calendarCohorts)(scope, input, grid, reach);
  const valid = sql`cohort >= 0 AND cohort < ${literal(grid.buckets)}`;
  const unfolded = sql`ARRAY JOIN ${columnsHit(input, grid)} AS k WHERE ${valid}`;
  const counted =
    input.breakdown === undefined
      ? // a row and a column are one small number, which groups fastest
        sql`SELECT '' AS grp, intDiv(cell, ${literal(mostColumns)}) AS cohort, cell % ${literal(mostColumns)} AS k, people FROM (
          SELECT toUInt16(cohort * ${literal(mostColumns)} + k) AS cell, count() AS people FROM (${cohorts}) ${unfolded} GROUP BY cell)`
      : sql`SELECT grp, cohort, k, count() AS people FROM (
          SELECT trait.value AS grp, cohort, back FROM (${cohorts}) AS cohorts
          LEFT ANY JOIN (${traitOfPeople(scope, input.breakdown.property)}) AS trait ON trait.person = cohorts.person
        ) ${unfolded} GROUP BY grp, cohort, k`;
  // of thousands of counts, and not of each person, it is asked whether their row shows so many columns
  const isShown = input.brackets === undefined ? sql`k < ${shownColumns(grid)}` : sql`1`;
  return sql`SELECT grp, toInt32(cohort) AS cohort, toInt32(k) AS k, toFloat64(people) AS people FROM (${counted}) WHERE ${isShown}`;
};

/** Who of a cohort came back in a column, or did not: `person`. Column 0 is everybody in it. */
export const retentionPeople = (
  scope: Scope,
  input: RetentionInput,
  grid: Grid,
  reach: number,
  which: { readonly row: number; readonly column: number; readonly came: boolean; readonly group: string | undefined },
): Sql => {
  const cohorts = (input.mode === "rolling" ? rollingCohorts : calendarCohorts)(scope, input, grid, reach);
  const hit = which.column === 0 ? sql`1` : sql`has(${columnsHit(input, grid)}, ${literal(which.column)})`;
  const all = sql`SELECT person FROM (${cohorts}) WHERE cohort = ${literal(which.row)} AND ${which.came ? hit : sql`NOT ${hit}`}`;
  if (which.group === undefined || input.breakdown === undefined) return all;
  return sql`SELECT found.person AS person FROM (${all}) AS found
    LEFT ANY JOIN (${traitOfPeople(scope, input.breakdown.property)}) AS trait ON trait.person = found.person WHERE trait.value = ${bind.string(which.group)}`;
};

/** One row per group, cohort and offset: the sum of a property over the returning events, and of how many. */
export const retentionValues = (
  scope: Scope,
  input: RetentionInput,
  grid: Grid,
  reach: number,
  property: string,
): Sql => {
  const number = propertyNumber(scope, property);
  const back = sql`${inRange(returnRange(grid, reach))} AND ${matches(scope, input.returning)} AND ${conditions(scope, input)} AND ${number} IS NOT NULL`;
  const person = unitOf(scope, input.unit);
  const sums = sql`toFloat64(sum(${number})) AS total, toFloat64(count()) AS times`;
  const cohorts = sql`SELECT person, cohort FROM (${(input.mode === "rolling" ? rollingCohorts : calendarCohorts)(scope, input, grid, reach)})`;
  const slot = sql`toInt32(${bucketNumberSql(input.period, scope)} - ${literal(grid.first)})`;
  const offsets =
    input.mode === "rolling"
      ? sql`SELECT came.person AS person, firsts.cohort AS cohort, toInt32(intDiv(toUnixTimestamp64Milli(came.at) - toUnixTimestamp64Milli(firsts.first), ${literal(periodMs[input.period])})) AS k, came.value AS total, toFloat64(1) AS times
          FROM (SELECT ${person} AS person, at, toFloat64(${number}) AS value FROM events WHERE ${back}) AS came
          INNER JOIN (${firstStart(scope, input, grid)}) AS firsts ON firsts.person = came.person WHERE came.at >= firsts.first`
      : sql`SELECT cohorts.person AS person, cohorts.cohort AS cohort, toInt32(came.slot - cohorts.cohort) AS k, came.total AS total, came.times AS times
          FROM (${cohorts}) AS cohorts
          INNER JOIN (SELECT ${person} AS person, ${slot} AS slot, ${sums} FROM events WHERE ${back} GROUP BY person, slot) AS came ON came.person = cohorts.person
          WHERE came.slot >= cohorts.cohort`;
  const grouped =
    input.breakdown === undefined
      ? sql`SELECT '' AS grp, cohort, k, total, times FROM (${offsets})`
      : sql`SELECT trait.value AS grp, cohort, k, total, times FROM (${offsets}) AS offsets
          LEFT ANY JOIN (${traitOfPeople(scope, input.breakdown.property)}) AS trait ON trait.person = offsets.person`;
  return sql`SELECT grp, toInt32(cohort) AS cohort, k, sum(total) AS total, sum(times) AS times FROM (${grouped})
    WHERE cohort >= 0 AND cohort < ${literal(grid.buckets)} AND k < 64 GROUP BY grp, cohort, k`;
};
