import { bind, join, literal, none, sql, type Sql } from "#kernel/sql.ts";
import { propertyNumber, propertyText } from "#insights/common/conditions.ts";
import type { Scope } from "#records/events/scope.ts";

const of = (event: string | undefined): Sql => (event === undefined ? none : sql`AND event = ${bind.string(event)}`);

/** What did not fit since then, alike put together, the latest first. */
export const violationGroups = (since: number, event: string | undefined): Sql => sql`
  SELECT event, path, rule, keyword, source, contract, version, action, library, release, any(expected) AS expected, any(actual) AS actual,
    toFloat64(count()) AS count, toString(min(violations.received)) AS first, toString(max(violations.received)) AS last
  FROM violations WHERE violations.received >= ${bind.time(since)} ${of(event)}
  GROUP BY event, path, rule, keyword, source, contract, version, action, library, release ORDER BY last DESC, count DESC, event, path LIMIT 500`;

/** One row per event that is held: by the newest state of its message. */
const held = (event: string | undefined): Sql => sql`
  SELECT id, event, argMax(state, changed) AS state, argMax(quarantine.received, changed) AS since, argMax(source, changed) AS via, argMax(body, changed) AS content, argMax(breaches, changed) AS why
  FROM quarantine WHERE 1 ${of(event)} GROUP BY event, id HAVING state = 'held'`;

export const heldEvents = (event: string | undefined, limit: number): Sql => sql`
  SELECT toString(id) AS id, toString(since) AS received, via AS source, event, content AS body, why AS breaches
  FROM (${held(event)}) ORDER BY since DESC, id LIMIT ${literal(limit)}`;

export const heldCount = (event: string | undefined): Sql =>
  sql`SELECT toFloat64(count()) AS count FROM (${held(event)})`;

/** Paths of an event's properties with the types that came, and how many events there were. */
export const pathsOf = (event: string, since: number): Sql => sql`
  SELECT toFloat64(count()) AS events, toJSONString(distinctJSONPathsAndTypes(properties)) AS paths
  FROM events WHERE event = ${bind.string(event)} AND at >= ${bind.time(since)}`;

/** For each property: in how many events it was, its range as a number, and its values while they are few. */
export const valuesOf = (scope: Pick<Scope, "veil">, event: string, since: number, names: readonly string[]): Sql => {
  const texts = names.map((name) => propertyText(scope, name));
  const numbers = names.map((name) => propertyNumber(scope, name));
  return sql`SELECT [${join(
    texts.map((text) => sql`toFloat64(countIf(${text} != ''))`),
    ", ",
  )}] AS present,
      [${join(
        numbers.map((number) => sql`min(${number})`),
        ", ",
      )}] AS least,
      [${join(
        numbers.map((number) => sql`max(${number})`),
        ", ",
      )}] AS greatest,
      [${join(
        texts.map((text) => sql`groupUniqArrayIf(13)(substring(${text}, 1, 100), ${text} != '')`),
        ", ",
      )}] AS distinct
    FROM events WHERE event = ${bind.string(event)} AND at >= ${bind.time(since)}`;
};

/** Properties of the latest events of a name, as JSON. */
export const latestOf = (event: string, since: number, limit: number): Sql => sql`
  SELECT toJSONString(properties) AS properties FROM events
  WHERE event = ${bind.string(event)} AND at >= ${bind.time(since)} ORDER BY at DESC LIMIT ${literal(limit)}`;
