import { z } from "zod";
import { bind, literal, sql } from "#kernel/sql.ts";
import { defineModule, handle, type Module } from "#kernel/module.ts";
import type { Ingest } from "#records/events/ingest.ts";
import * as contract from "./contract.ts";

const found = (column: "event" | "property" | "value", search: string) =>
  search === ""
    ? sql`1`
    : sql`positionCaseInsensitiveUTF8(${{ event: sql`event`, property: sql`property`, value: sql`value` }[column]}, ${bind.string(search)}) > 0`;

/** What there is to ask about: event names, properties, values. Small tables, so that typing is never waited for. */
export const catalog = ({ ingest }: { readonly ingest: Ingest }): Module =>
  defineModule({
    name: "catalog",
    operations: [
      handle(contract.events, async (call, { search, limit }) => {
        await ingest.caughtUp(1_000);
        const rows = await call.engine.rows(
          sql`SELECT event AS name, toFloat64(sum(events)) AS count, toString(max(last)) AS last FROM activity_daily
              WHERE ${found("event", search)} GROUP BY event ORDER BY count DESC LIMIT ${literal(limit)}`,
          z.object({ name: z.string(), count: z.number(), last: z.string() }),
          { purpose: "look-up" },
        );
        return { events: rows };
      }),
      handle(contract.properties, async (call, { event, search, limit }) => {
        const own = event === null ? sql`1` : sql`(event = '' OR event = ${bind.string(event)})`;
        const rows = await call.engine.rows(
          sql`SELECT property AS name, if(event = '', 'person', 'event') AS on, any(kind) AS kind FROM property_values
              WHERE ${own} AND ${found("property", search)} GROUP BY name, on ORDER BY on, startsWith(name, '$'), name LIMIT ${literal(limit)}`,
          z.object({ name: z.string(), on: z.enum(["event", "person"]), kind: z.string() }),
          { purpose: "look-up" },
        );
        return { properties: rows };
      }),
      handle(contract.values, async (call, { property, on, event, search }) => {
        const where =
          on === "person" ? sql`event = ''` : event === null ? sql`event != ''` : sql`event = ${bind.string(event)}`;
        const rows = await call.engine.rows(
          sql`SELECT DISTINCT value FROM property_values
              WHERE ${where} AND property = ${bind.string(property)} AND value != '' AND ${found("value", search)} ORDER BY value LIMIT 100`,
          z.object({ value: z.string() }),
          { purpose: "look-up" },
        );
        return { values: rows.map((row) => row.value) };
      }),
    ],
  });
