import { bind, literal, sql, type Sql } from "#kernel/sql.ts";

/** One row per source whose events arrived since then, whenever they happened. */
export const arrivalsBySource = (since: number): Sql => sql`
  SELECT source, toFloat64(count()) AS events, toString(max(received)) AS last
  FROM events WHERE events.received >= ${bind.time(since)}
  GROUP BY source`;

export const refusalsBySource = (since: number): Sql => sql`
  SELECT source, toFloat64(count()) AS refused FROM dead_letters WHERE received >= ${bind.time(since)} GROUP BY source`;

const from = (source: string | undefined): Sql =>
  source === undefined ? sql`1` : sql`source = ${bind.string(source)}`;

export const lettersOf = (source: string | undefined, limit: number): Sql => sql`
  SELECT toString(received) AS received, source, reason, message, body FROM dead_letters
  WHERE ${from(source)} ORDER BY dead_letters.received DESC LIMIT ${literal(limit)}`;

export const letterCount = (source: string | undefined): Sql => sql`
  SELECT toFloat64(count()) AS total FROM dead_letters WHERE ${from(source)}`;
