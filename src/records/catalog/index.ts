import { z } from "zod";
import { defineModule, handle, type Module } from "#kernel/module.ts";
import type { Ingest } from "#records/events/ingest.ts";
import * as contract from "./contract.ts";
import { eventNames, propertyNames, valuesOf, valuesOfAccounts } from "./query.ts";

const EventName = z.object({ name: z.string(), count: z.number(), last: z.string() });
const PropertyName = z.object({ name: z.string(), on: z.enum(["event", "person", "account"]), kind: z.string() });
const options = { purpose: "look-up" } as const;

/** What there is to ask about: event names, properties, values. Small tables, so that typing is never waited for. */
export const catalog = ({ ingest }: { readonly ingest: Ingest }): Module =>
  defineModule({
    name: "catalog",
    operations: [
      handle(contract.events, async (call, { search, limit }) => {
        await ingest.caughtUp(1_000);
        return { events: await call.engine.rows(eventNames(search, limit), EventName, options) };
      }),
      handle(contract.properties, async (call, { event, search, limit }) => ({
        properties: await call.engine.rows(propertyNames(event, search, limit), PropertyName, options),
      })),
      handle(contract.values, async (call, { property, on, event, search }) => {
        call.veil.check(on, property);
        const statement = on === "account" ? valuesOfAccounts(property, search) : valuesOf(property, on, event, search);
        const rows = await call.engine.rows(statement, z.object({ value: z.string() }), options);
        return { values: rows.map((row) => row.value) };
      }),
    ],
  });
