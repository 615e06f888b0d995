import { bind, literal, sql, type Sql } from "#kernel/sql.ts";

const contains = (column: Sql, search: string): Sql =>
  search === "" ? sql`1` : sql`positionCaseInsensitiveUTF8(${column}, ${bind.string(search)}) > 0`;

/** One row per event name, the most frequent first. */
export const eventNames = (search: string, limit: number): Sql => sql`
  SELECT event AS name, toFloat64(sum(events)) AS count, toString(max(last)) AS last FROM event_names
  WHERE ${contains(sql`event`, search)} GROUP BY event ORDER BY count DESC LIMIT ${literal(limit)}`;

/** One row per property of an event (of any, for null) and per trait of people; vendors' own properties last. */
export const propertyNames = (event: string | null, search: string, limit: number): Sql => sql`
  SELECT name, on, kind FROM (
    SELECT property AS name, if(event = '', 'person', 'event') AS on, any(kind) AS kind FROM property_values
    WHERE ${event === null ? sql`1` : sql`(event = '' OR event = ${bind.string(event)})`} AND ${contains(sql`property`, search)}
    GROUP BY name, on
    UNION ALL
    SELECT trait AS name, 'account' AS on, any(kind) AS kind FROM trait_changes
    WHERE subject = 'account' AND ${contains(sql`trait`, search)} GROUP BY name
  ) ORDER BY on, startsWith(name, '$'), name LIMIT ${literal(limit)}`;

const holder = (on: "event" | "person", event: string | null): Sql => {
  if (on === "person") return sql`event = ''`;
  return event === null ? sql`event != ''` : sql`event = ${bind.string(event)}`;
};

/** Values seen lately, in order of text. */
export const valuesOf = (property: string, on: "event" | "person", event: string | null, search: string): Sql => sql`
  SELECT DISTINCT value FROM property_values
  WHERE ${holder(on, event)} AND property = ${bind.string(property)} AND value != '' AND ${contains(sql`value`, search)}
  ORDER BY value LIMIT 100`;

/** The same of a trait of accounts. */
export const valuesOfAccounts = (trait: string, search: string): Sql => sql`
  SELECT DISTINCT value FROM trait_changes
  WHERE subject = 'account' AND trait = ${bind.string(trait)} AND value != '' AND ${contains(sql`value`, search)}
  ORDER BY value LIMIT 100`;
