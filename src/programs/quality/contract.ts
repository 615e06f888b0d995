import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

/** What can be wrong with data, in the order of the page. */
export const faultKinds = ["silent", "volume", "conformity", "rule", "missing", "types", "drift", "late"] as const;
export const FaultKind = z.enum(faultKinds);

const Subject = z.object({
  event: z.string().describe("Empty where it is of traits or of a table."),
  property: z.string().nullable().describe("Null where it is of the event as a whole."),
});

const Fault = z.object({
  kind: FaultKind,
  subject: Subject,
  says: z.string().describe("What is wrong, in a sentence, with what was expected."),
  /** From 0 to 1: how much of the event is hit. */
  share: z.number(),
  rule: z.string().optional().describe("Of a contract: its metric."),
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
  notLooked: z.array(z.string()).default([]).describe("Rules of contracts that could not be looked at, and why."),
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

const Kinds = z.array(FaultKind).min(1);

const Sla = z.object({
  id: z.string(),
  name: z.string(),
  event: z.string().describe("Empty for all events."),
  kinds: Kinds,
  target: z.number(),
  days: z.int(),
  isOfContract: z.boolean(),
  attained: z.number().nullable().describe("Share of the minutes that were good; null before there are any."),
  measuredMinutes: z.number(),
  badMinutes: z.number(),
  budgetMinutes: z.number().describe("Minutes that may be bad in so many days."),
  left: z.number().describe("Share of the error budget that is left; negative where more was spent."),
});
export type Sla = z.output<typeof Sla>;

const Incident = z.object({
  id: z.string(),
  kind: FaultKind,
  subject: Subject,
  says: z.string(),
  beganAt: z.string().describe("When it was found."),
  endedAt: z.string().nullable(),
  notifiedAt: z.string().nullable(),
});
export type Incident = z.output<typeof Incident>;

export const slas = defineOperation({
  name: "quality.slas",
  summary: "How good data was promised to be, how good it was, and how much of the error budget is left.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({
    slas: z.array(Sla),
    incidents: z.array(Incident).describe("Of the last 28 days, the latest first."),
    repairMinutes: z.number().nullable().describe("Mean time from when a fault was found until it was gone."),
  }),
});

export const setSla = defineOperation({
  name: "quality.setSla",
  summary: "Promises how good data will be.",
  permission: "govern",
  input: z.strictObject({
    name: z.string().trim().min(1).max(100),
    event: z.string().max(500).default("").describe("Empty for all events."),
    kinds: Kinds.default(["silent", "volume", "conformity", "rule"]),
    target: z.number().min(0.5).max(0.9999),
    days: z.int().min(1).max(90).default(28),
  }),
  output: z.object({ id: z.string() }),
});

export const removeSla = defineOperation({
  name: "quality.removeSla",
  summary: "Takes a promise back.",
  permission: "govern",
  input: z.strictObject({ id: z.string().max(100) }),
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
