import { bind, sql, type Sql } from "#kernel/sql.ts";

/** Of the events of a source: how many, of how many ids, from when to when. */
export const span = (source: string): Sql => sql`
  SELECT toFloat64(count()) AS rows, toFloat64(uniqExact(actor)) AS people, toString(min(at)) AS first, toString(max(at)) AS last, toFloat64(uniqExact(event)) AS events
  FROM events WHERE source = ${bind.string(source)}`;

/** Events of a source, with how many there are. */
export const eventsFrom = (source: string): Sql => sql`
  SELECT event::String AS event, toFloat64(count()) AS rows FROM events WHERE source = ${bind.string(source)} GROUP BY event ORDER BY rows DESC LIMIT 200`;
