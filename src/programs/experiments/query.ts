import { literal, sql, type Sql } from "#kernel/sql.ts";
import { matches, propertyNumber } from "#insights/common/conditions.ts";
import type { EventMatch, Unit } from "#insights/common/frame.ts";
import { inRange, personOf, type Scope, type TimeRange } from "#records/events/scope.ts";

const dayMs = 86_400_000;

/**
 * One row: people by their first exposure in the range, with what they did in the days after it and in as many before;
 * the mean and spread of what they did, the share who did it, and how far the one goes with the other.
 */
export const pastOf = (scope: Scope, exposure: EventMatch, outcome: EventMatch, property: string | undefined, range: TimeRange, windowDays: number, unit: Unit = "people"): Sql => {
  const value = property === undefined ? sql`1.` : sql`ifNull(${propertyNumber(scope, property)}, 0)`;
  const ms = literal(windowDays * dayMs);
  const [who, isOne] = unit === "accounts" ? [sql`account`, sql`account != ''`] : [personOf(scope), sql`1`];
  const around = { from: range.from - windowDays * dayMs, to: range.to + windowDays * dayMs };
  const exposed = sql`SELECT ${who} AS person, min(at) AS since FROM events WHERE ${inRange(range)} AND ${isOne} AND ${matches(scope, exposure)} GROUP BY person`;
  const done = sql`SELECT ${who} AS person, at, toFloat64(${value}) AS v FROM events WHERE ${inRange(around)} AND ${isOne} AND ${matches(scope, outcome)}`;
  const apart = sql`dateDiff('millisecond', exposed.since, done.at)`;
  return sql`SELECT toFloat64(count()) AS people, ifNotFinite(avg(y), 0) AS mean, ifNotFinite(stddevSampStable(y), 0) AS sd, ifNotFinite(avg(did), 0) AS share,
      ifNotFinite(stddevSampStable(did), 0) AS shareSd, ifNotFinite(corrStable(y, x), 0) AS meanCorrelation, ifNotFinite(corrStable(did, before), 0) AS shareCorrelation
    FROM (
      SELECT exposed.person AS person, sumIf(v, joined AND ${apart} >= 0 AND ${apart} < ${ms}) AS y, sumIf(v, joined AND ${apart} < 0 AND ${apart} >= -${ms}) AS x,
        toFloat64(countIf(joined AND ${apart} >= 0 AND ${apart} < ${ms}) > 0) AS did, toFloat64(countIf(joined AND ${apart} < 0 AND ${apart} >= -${ms}) > 0) AS before
      FROM (${exposed}) AS exposed LEFT JOIN (SELECT *, 1 AS joined FROM (${done})) AS done ON done.person = exposed.person
      GROUP BY person
    )`;
}; // prettier-ignore
