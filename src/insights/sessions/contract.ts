import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { EventMatch, frameShape, intervals, Limit, Provenance, Who } from "#insights/common/frame.ts";

const GapMinutes = z
  .int()
  .min(1)
  .max(1_440)
  .default(30)
  .describe("A longer pause between two events of a person begins another session.");

export const SessionsInput = z.strictObject({
  ...frameShape,
  activity: EventMatch.default({ event: null, filters: [] }).describe(
    "Which events make sessions; every one by default.",
  ),
  interval: z.enum(intervals).default("day"),
  gapMinutes: GapMinutes,
});
export type SessionsInput = z.output<typeof SessionsInput>;

const Figures = z.object({
  sessions: z.number(),
  people: z.number(),
  /** From the first event to the last; a session of one event has 0. Null where there is none. */
  averageSeconds: z.number().nullable(),
  medianSeconds: z.number().nullable(),
  eventsPerSession: z.number().nullable(),
  /** Share of sessions of one event only. */
  single: z.number().nullable(),
});
export type Figures = z.output<typeof Figures>;

export const SessionsResult = z.object({
  kind: z.literal("sessions"),
  interval: z.enum(intervals),
  buckets: z.array(z.string()),
  /** Per bucket, by the time at which sessions began. */
  figures: z.array(Figures),
  total: Figures,
  incomplete: z.boolean(),
  sentence: z.string(),
  provenance: Provenance,
});
export type SessionsResult = z.output<typeof SessionsResult>;

export const askSessions = defineOperation({
  name: "sessions.ask",
  summary: "How many sessions there are, how long they last, and how much happens in them.",
  permission: "read",
  input: SessionsInput,
  output: SessionsResult,
});

export const sessionsWho = defineOperation({
  name: "sessions.who",
  summary: "Who began a session in a bucket of the range, or in the whole of it.",
  permission: "read",
  discloses: true,
  input: z.strictObject({
    question: SessionsInput,
    bucket: z.string().max(40).optional().describe("Of the answer; the whole range where absent."),
    limit: Limit,
  }),
  output: Who,
});

export const listSessions = defineOperation({
  name: "sessions.list",
  summary: "Single sessions, those of a person together, in order of time.",
  permission: "read",
  discloses: true,
  input: SessionsInput.omit({ interval: true }).extend({ limit: z.int().min(1).max(10_000).default(100) }),
  output: z.object({
    sessions: z.array(
      z.object({ person: z.string(), start: z.string(), durationSeconds: z.number(), events: z.number() }),
    ),
  }),
});
