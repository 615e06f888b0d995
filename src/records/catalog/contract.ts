import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

export const events = defineOperation({
  name: "catalog.events",
  summary: "Names of events, with how many there were and when the last came.",
  permission: "read",
  input: z.strictObject({ search: z.string().max(200).default(""), limit: z.int().min(1).max(500).default(100) }),
  output: z.object({ events: z.array(z.object({ name: z.string(), count: z.number(), last: z.string() })) }),
});

export const properties = defineOperation({
  name: "catalog.properties",
  summary: "Properties of an event (or of any), and traits of people and accounts.",
  permission: "read",
  input: z.strictObject({
    event: z.string().max(500).nullable().default(null),
    search: z.string().max(200).default(""),
    limit: z.int().min(1).max(500).default(100),
  }),
  output: z.object({
    properties: z.array(z.object({ name: z.string(), on: z.enum(["event", "person", "account"]), kind: z.string() })),
  }),
});

export const values = defineOperation({
  name: "catalog.values",
  summary: "Values of a property that occurred lately.",
  permission: "read",
  input: z.strictObject({
    property: z.string().max(500),
    on: z.enum(["event", "person", "account"]).default("event"),
    event: z.string().max(500).nullable().default(null),
    search: z.string().max(200).default(""),
  }),
  output: z.object({ values: z.array(z.string()) }),
});
