import { bind, literal, sql, type Sql } from "#kernel/sql.ts";

/** One row per event, source and local day: how many, and how many of them arrived over an hour late. */
export const perDay = (from: number, to: number, zone: string): Sql => sql`
  SELECT event::String AS event, source::String AS source, toString(toDate(at, ${bind.string(zone)})) AS day, toFloat64(count()) AS count,
    toFloat64(countIf(dateDiff('second', at, events.received) > 3600)) AS late
  FROM events WHERE at >= ${bind.time(from)} AND at < ${bind.time(to)}
  GROUP BY event, source, day ORDER BY event, source, day LIMIT 200000`;

/** One row per event and source: when it arrived last, in how many hours, and the 95th percentile of the hours between. */
export const gaps = (from: number): Sql => sql`
  SELECT event::String AS event, source::String AS source, toString(max(arrived)) AS last, toFloat64(length(hours)) AS active,
    toFloat64(if(length(hours) < 2, 0, arrayReduce('quantileExact(0.95)', arrayPopFront(arrayDifference(hours))) / 3600)) AS gap
  FROM (
    SELECT event, source, max(events.received) AS arrived, arraySort(groupUniqArray(toUInt32(toStartOfHour(events.received)))) AS hours
    FROM events WHERE events.received >= ${bind.time(from)} GROUP BY event, source
  ) GROUP BY event, source, hours LIMIT 10000`;

/** One row per event, source and way of breaking a contract. */
export const breaches = (from: number): Sql => sql`
  SELECT event::String AS event, source::String AS source, action::String AS action, toFloat64(count()) AS count FROM violations
  WHERE violations.received >= ${bind.time(from)} AND rule != 'masked' GROUP BY event, source, action, path, rule, keyword LIMIT 50000`;

/** Properties of some events of a stretch, chosen by chance: about so many. */
export const sample = (event: string, from: number, to: number, share: number, limit: number): Sql => sql`
  SELECT toString(properties) AS properties FROM events
  WHERE event = ${bind.string(event)} AND at >= ${bind.time(from)} AND at < ${bind.time(to)}
    AND sipHash64(message) % 1000000 < ${literal(Math.max(1, Math.min(1_000_000, Math.ceil(share * 1_000_000))))}
  LIMIT ${literal(limit)}`;
