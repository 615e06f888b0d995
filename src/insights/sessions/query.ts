import { bind, literal, sql, type Sql } from "#kernel/sql.ts";
import { conditionsOf, matches } from "#insights/common/conditions.ts";
import { bucketNumberSql } from "#insights/common/time.ts";
import { byPerson, inRange, personOf, type Scope, type TimeRange } from "#records/events/scope.ts";
import type { SessionsInput } from "./contract.ts";

type Asked = Pick<SessionsInput, "activity" | "filters" | "gapMinutes">;

const day = 86_400_000;

/**
 * One row per person: `sessions`, those that began in the range, each an array of the times of its events (ms). Events of
 * a day before and after are read too, so that sessions are not cut at the ends of the range.
 */
const sessionsOfEach = (scope: Scope, input: Asked, range: TimeRange): Sql => {
  const times = (
    share: Sql,
  ): Sql => sql`SELECT ${personOf(scope)} AS person, arraySort(groupArray(toUnixTimestamp64Milli(at))) AS sorted FROM events
    WHERE ${share} AND ${inRange({ from: range.from - day, to: range.to + day })} AND ${matches(scope, input.activity)} AND ${conditionsOf(scope, input.filters)}
    GROUP BY person`;
  const all = sql`arraySplit((at, pause) -> pause > ${literal(input.gapMinutes * 60_000)}, sorted, arrayDifference(sorted))`;
  return sql`SELECT person, arrayFilter(times -> times[1] >= ${bind.int(range.from)} AND times[1] < ${bind.int(range.to)}, ${all}) AS sessions FROM (${byPerson(scope, times)})`;
};

/** One row per session that began in the range: its person, first and last time (ms) and number of events. */
const sessionsIn = (scope: Scope, input: Asked, range: TimeRange): Sql => sql`
  SELECT person, times[1] AS began, times[-1] AS ended, length(times) AS events
  FROM (${sessionsOfEach(scope, input, range)}) ARRAY JOIN sessions AS times`;

const figures = sql`toFloat64(count()) AS sessions, toFloat64(if(grouping(bucket) = 1, countIf(place = 1), countIf(place = 1 OR bucket != before))) AS people,
  toFloat64(ifNotFinite(avg(ended - began), 0)) / 1000 AS average, toFloat64(ifNotFinite(quantileExactInclusive(0.5)(ended - began), 0)) / 1000 AS median,
  toFloat64(ifNotFinite(avg(events), 0)) AS each, toFloat64(ifNotFinite(avg(events = 1), 0)) AS single`;

/**
 * One row per bucket in which sessions began, and one with `whole` over the range. A person's sessions are in order, so
 * people are told by where a session is the first of its bucket, and no set of them is kept.
 */
export const sessionsQuery = (scope: Scope, input: SessionsInput, range: TimeRange): Sql => {
  const bucket = bucketNumberSql(input.interval, scope, sql`fromUnixTimestamp64Milli(times[1], 'UTC')`);
  const each = sql`SELECT sessions, arrayMap(times -> toInt32(${bucket}), sessions) AS buckets FROM (${sessionsOfEach(scope, input, range)}) WHERE notEmpty(sessions)`;
  return sql`SELECT toInt32(bucket) AS bucket, toInt32(grouping(bucket)) AS whole, ${figures}
    FROM (SELECT times[1] AS began, times[-1] AS ended, length(times) AS events, bucket, before, place FROM (${each})
      ARRAY JOIN sessions AS times, buckets AS bucket, arrayPushFront(arrayPopBack(buckets), 0) AS before, arrayEnumerate(sessions) AS place)
    GROUP BY GROUPING SETS ((bucket), ())`;
};

export const sessionList = (scope: Scope, input: Asked, range: TimeRange, limit: number): Sql => sql`
  SELECT toString(person) AS id, toFloat64(began) AS began, toFloat64(ended) AS ended, toFloat64(events) AS events
  FROM (${sessionsIn(scope, input, range)}) ORDER BY id, began LIMIT ${literal(limit)}`;

/** Who began a session in a stretch of the range: `person`. */
export const sessionPeople = (scope: Scope, input: Asked, range: TimeRange, began: TimeRange): Sql =>
  sql`SELECT DISTINCT person FROM (${sessionsIn(scope, input, range)}) WHERE began >= ${bind.int(began.from)} AND began < ${bind.int(began.to)}`;
