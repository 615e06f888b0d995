import { bind, sql, type Sql } from "#kernel/sql.ts";

/** One row per event name, with when it came last. */
export const eventsSeen: Sql = sql`SELECT event AS name, toString(max(last)) AS last FROM event_names GROUP BY event ORDER BY name LIMIT 5000`;

/** One row per property and event that it came with (empty for a trait of people), and per trait of accounts. */
export const namesSeen: Sql = sql`
  SELECT property AS name, event, if(event = '', 'person_trait', 'property') AS kind FROM property_values GROUP BY property, event
  UNION ALL
  SELECT trait AS name, '' AS event, 'account_trait' AS kind FROM trait_changes WHERE subject = 'account' GROUP BY trait
  ORDER BY name LIMIT 50000`;

/** Sources that events of the names came from since then. */
export const sourcesOf = (events: readonly string[], since: number): Sql => sql`
  SELECT event, source FROM events WHERE event IN ${bind.strings(events)} AND at >= ${bind.time(since)} GROUP BY event, source LIMIT 1000`;

/** Values that came lately, some of each property and trait: of an event's, of a person's, of an account's. */
export const valuesSeen: Sql = sql`
  SELECT if(event = '', 'person_trait', 'property') AS kind, property AS name, groupArraySample(500, 1)(value) AS values
  FROM property_values WHERE property_values.kind IN ('text', 'number') AND value != '' GROUP BY event = '', property
  UNION ALL
  SELECT 'account_trait' AS kind, trait AS name, groupArraySample(500, 1)(value) AS values
  FROM trait_changes WHERE subject = 'account' AND value != '' GROUP BY trait
  LIMIT 20000`;

/** One row: events that are held, and ways of breaking a contract in the last week. */
export const waiting = (since: number): Sql => sql`
  SELECT toFloat64((SELECT count() FROM (SELECT id FROM quarantine GROUP BY event, id HAVING argMax(state, changed) = 'held'))) AS held,
    toFloat64((SELECT count() FROM (SELECT DISTINCT event, path, rule FROM violations WHERE violations.received >= ${bind.time(since)} AND rule != 'masked'))) AS broken`;

/** One row per event name with how often it came ever. */
export const volumes: Sql = sql`SELECT event::String AS name, toFloat64(sum(events)) AS count FROM event_names GROUP BY event ORDER BY count DESC LIMIT 5000`;
