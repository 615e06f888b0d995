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
