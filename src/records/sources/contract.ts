import { z } from "zod";
import { defineOperation, FileAnswer } from "#kernel/operation.ts";

const SourceView = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(["segment", "posthog", "amplitude", "mixpanel", "api", "file", "demo"]),
  product: z.string(),
  writeKey: z.string(),
  createdAt: z.string(),
  events: z.number().describe("Events of the last 30 days."),
  refused: z.number().describe("Dead letters of the last 30 days."),
  lastAt: z.string().nullable(),
});
export type SourceView = z.output<typeof SourceView>;

export const list = defineOperation({
  name: "sources.list",
  summary: "Where data comes from, with what arrived lately.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({ sources: z.array(SourceView) }),
});

export const create = defineOperation({
  name: "sources.create",
  summary: "Creates a source with its own write key.",
  permission: "edit",
  input: z.strictObject({
    name: z.string().trim().min(1).max(100),
    kind: z.enum(["segment", "posthog", "amplitude", "mixpanel", "api", "file"]),
    product: z.string().trim().max(100).default(""),
  }),
  output: z.object({ id: z.string(), writeKey: z.string() }),
});

export const disable = defineOperation({
  name: "sources.disable",
  summary: "Switches a source off: its key is refused from now on. What it sent stays.",
  permission: "edit",
  input: z.strictObject({ id: z.string() }),
  output: z.object({ ok: z.literal(true) }),
});

export const ArrivalView = z.object({
  received: z.string(),
  source: z.string(),
  name: z.string(),
  who: z.string(),
  fault: z.string().nullable(),
  preview: z.string(),
});

export const live = defineOperation({
  name: "sources.live",
  summary: "The latest arrivals, taken and refused, newest first.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({ arrivals: z.array(ArrivalView) }),
});

export const watch = defineOperation({
  name: "sources.watch",
  summary: "Each arrival as it comes, as server-sent events, until the caller goes away.",
  permission: "read",
  input: z.strictObject({}),
  output: z.instanceof(FileAnswer),
});

export const deadLetters = defineOperation({
  name: "sources.deadLetters",
  summary: "Events that were refused, with the reason and what came.",
  permission: "edit",
  onlyLooks: true,
  input: z.strictObject({ source: z.string().optional(), limit: z.int().min(1).max(500).default(100) }),
  output: z.object({
    total: z.number(),
    letters: z.array(
      z.object({ received: z.string(), source: z.string(), reason: z.string(), message: z.string(), body: z.string() }),
    ),
  }),
});
