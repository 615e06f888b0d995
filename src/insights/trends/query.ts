import { bind, join, literal, none, sql, type Sql } from "#kernel/sql.ts";
import { Refusal } from "#kernel/refusal.ts";
import { conditionsOf, matches, propertyNumber, propertyText } from "#insights/common/conditions.ts";
import { addBuckets, bucketNumberSql, startOf } from "#insights/common/time.ts";
import { other } from "#insights/common/frame.ts";
import { inRange, personOf, type Scope, type TimeRange } from "#records/events/scope.ts";
import { traitOfPeople } from "#records/people/relation.ts";
import { needsProperty, type Measure, type Series, type TrendsInput } from "./contract.ts";

const aggregates = {
  total: () => sql`count()`,
  unique: (scope) => sql`uniqExact(${personOf(scope)})`,
  unique_sessions: () => sql`uniqExactIf(session, session != '')`,
  unique_accounts: () => sql`uniqExactIf(account, account != '')`,
  per_user: (scope) => sql`count() / uniqExact(${personOf(scope)})`,
  sum: (_, value) => sql`sum(${value})`,
  avg: (_, value) => sql`avg(${value})`,
  min: (_, value) => sql`min(${value})`,
  max: (_, value) => sql`max(${value})`,
  median: (_, value) => sql`quantileExactInclusive(0.5)(${value})`,
  p90: (_, value) => sql`quantileExactInclusive(0.9)(${value})`,
  p95: (_, value) => sql`quantileExactInclusive(0.95)(${value})`,
  p99: (_, value) => sql`quantileExactInclusive(0.99)(${value})`,
  rolling_unique: (scope) => sql`uniqExact(${personOf(scope)})`,
} satisfies Record<Measure, (scope: Scope, value: Sql) => Sql>;

const aggregateOf = (scope: Scope, series: Series): Sql => {
  if (needsProperty.has(series.measure) && series.property === undefined) {
    throw new Refusal("trends.no_property", `The measure ${series.measure} needs a property.`);
  }
  return sql`toFloat64(ifNull(${aggregates[series.measure](scope, propertyNumber(series.property ?? "none"))}, 0))`;
};

type Breakdown = NonNullable<TrendsInput["breakdown"]>;

/** Events of one series, with the trait joined where the breakdown is by a trait. */
const source = (scope: Scope, input: TrendsInput, series: Series, range: TimeRange): Sql => {
  const traits =
    input.breakdown?.on === "person"
      ? sql`LEFT ANY JOIN (${traitOfPeople(scope, input.breakdown.property)}) AS trait ON trait.person = ${personOf(scope)}`
      : none;
  return sql`FROM events ${traits} WHERE ${inRange(range)} AND ${matches(scope, series)} AND ${conditionsOf(scope, input.filters)}`;
};

const rawGroup = (breakdown: Breakdown): Sql =>
  breakdown.on === "person" ? sql`trait.value` : propertyText(breakdown.property);

/** The values of the breakdown with the largest totals, over all series. */
const topValues = (scope: Scope, input: TrendsInput, breakdown: Breakdown, range: TimeRange): Sql => {
  const totals = input.series.map(
    (series) =>
      sql`SELECT ${rawGroup(breakdown)} AS value, ${aggregateOf(scope, series)} AS total ${source(scope, input, series, range)} GROUP BY value`,
  );
  return sql`(SELECT groupArray(value) FROM (SELECT value FROM (${join(totals, " UNION ALL ")}) GROUP BY value ORDER BY sum(total) DESC, value LIMIT ${literal(breakdown.limit)}))`;
};

const groupOf = (breakdown: Breakdown | undefined): Sql => {
  if (breakdown === undefined) return sql`''`;
  return sql`if(has(top, ${rawGroup(breakdown)}), ${rawGroup(breakdown)}, ${bind.string(other)})`;
};

/** Rolling distinct people: each of a person's active days counts for itself and the days after it. */
const rollingSeries = (scope: Scope, input: TrendsInput, series: Series, range: TimeRange): Sql => {
  const number = bucketNumberSql("day", scope);
  const first = startOf(range.from, "day", scope);
  const wide = { from: addBuckets(first, "day", 1 - series.windowDays, scope.zone), to: range.to };
  return sql`SELECT toInt32(bucket) AS bucket, grp, toFloat64(uniqExact(person)) AS value FROM (
    SELECT DISTINCT ${groupOf(input.breakdown)} AS grp, ${personOf(scope)} AS person, ${number} AS active ${source(scope, input, series, wide)}
  ) ARRAY JOIN range(active, active + ${literal(series.windowDays)}) AS bucket GROUP BY bucket, grp`;
};

const bucketSeries = (scope: Scope, input: TrendsInput, series: Series, range: TimeRange): Sql => {
  if (series.measure === "rolling_unique" && input.interval === "day")
    return rollingSeries(scope, input, series, range);
  return sql`SELECT ${bucketNumberSql(input.interval, scope)} AS bucket, ${groupOf(input.breakdown)} AS grp, ${aggregateOf(scope, series)} AS value
    ${source(scope, input, series, range)} GROUP BY bucket, grp`;
};

/** A rolling measure as one number is about the last days of the range. */
const totalSeries = (scope: Scope, input: TrendsInput, series: Series, range: TimeRange): Sql => {
  const afterLast = addBuckets(startOf(range.to - 1, "day", scope), "day", 1, scope.zone);
  const from = addBuckets(afterLast, "day", -series.windowDays, scope.zone);
  const last = series.measure === "rolling_unique" ? { from, to: range.to } : range;
  return sql`SELECT toInt32(0) AS bucket, ${groupOf(input.breakdown)} AS grp, ${aggregateOf(scope, series)} AS value
    ${source(scope, input, series, last)} GROUP BY grp`;
};

/** One row per series, bucket and value of the breakdown; with `totals` one per series and value. */
export const trendsQuery = (scope: Scope, input: TrendsInput, range: TimeRange, totals: boolean): Sql => {
  const one = totals ? totalSeries : bucketSeries;
  const { breakdown } = input;
  const parts = input.series.map((series, index) => {
    const top = breakdown === undefined ? none : sql`WITH ${topValues(scope, input, breakdown, range)} AS top `;
    return sql`SELECT toInt32(${literal(index)}) AS series, bucket, grp, value FROM (${top}${one(scope, input, series, range)})`;
  });
  const rows = sql`SELECT series, bucket, grp, value FROM (${join(parts, " UNION ALL ")})`;
  return breakdown?.hideOther === true ? sql`${rows} WHERE grp != ${bind.string(other)}` : rows;
};
