import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

/** What can be wrong with data, in the order of the page. */
export const faultKinds = ["silent", "volume", "conformity", "missing", "types", "drift", "late"] as const;
export const FaultKind = z.enum(faultKinds);

const Subject = z.object({
  event: z.string(),
  property: z.string().nullable().describe("Null where it is of the event as a whole."),
});

const Fault = z.object({
  kind: FaultKind,
  subject: Subject,
  says: z.string().describe("What is wrong, in a sentence, with what was expected."),
  /** From 0 to 1: how much of the event is hit. */
  share: z.number(),
});
export type Fault = z.output<typeof Fault>;

const Score = z.object({
  source: z.string(),
  name: z.string(),
  score: z.int().nullable().describe("0 to 100: the mean of the four shares; null where nothing came in 28 days."),
  fresh: z.number().describe("Share of its events that came when they were due."),
  volume: z.number().describe("Share of its events that came as often as on such days."),
  conform: z.number().describe("Share of what came in 7 days that broke no contract."),
  onTime: z.number().describe("Share of what came in 7 days that arrived within an hour of happening."),
  events: z.number().describe("How many events came in 7 days."),
});
export type Score = z.output<typeof Score>;

export const Report = z.object({
  at: z.string(),
  faults: z.array(Fault),
  scores: z.array(Score),
  looked: z.object({ events: z.int(), properties: z.int() }),
});
export type Report = z.output<typeof Report>;

const Use = z.object({ kind: z.string(), id: z.string(), title: z.string(), address: z.string() });
const Told = Fault.extend({
  owner: z.string(),
  hits: z.array(Use).describe("What hangs on it; by the nearest way."),
});
export type Told = z.output<typeof Told>;

export const report = defineOperation({
  name: "quality.report",
  summary:
    "What is wrong with what arrives: silence, volume, contracts, missing values, types, drift, lateness; by source.",
  permission: "read",
  input: z.strictObject({}),
  output: Report.extend({ at: z.string().nullable().describe("Null before the first look."), faults: z.array(Told) }),
});

export const look = defineOperation({
  name: "quality.look",
  summary: "Looks at what arrived anew, instead of within the hour.",
  permission: "edit",
  input: z.strictObject({}),
  output: z.object({ ok: z.literal(true) }),
});

export const ofMetric = defineOperation({
  name: "quality.ofMetric",
  summary: "How far the events may be trusted that a metric is made of.",
  permission: "read",
  input: z.strictObject({ metric: z.string().max(100) }),
  output: z.object({
    score: z.int().nullable().describe("Of the source that stands worst among those that it is made of."),
    faults: z.array(Fault),
    at: z.string().nullable(),
  }),
});
