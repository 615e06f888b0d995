import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { EventMatch, frameShape, intervals, Limit, Provenance, Unit, Who } from "#insights/common/frame.ts";

export const StickinessInput = z.strictObject({
  ...frameShape,
  activity: EventMatch.describe("What counts as being active."),
  interval: z.enum(intervals).default("day"),
  intervalCount: z.int().min(1).max(100).default(1).describe("So many intervals are one period, from the start."),
  criterion: z
    .strictObject({ op: z.enum(["gte", "lte", "eq"]), value: z.int().min(1).max(1_000_000) })
    .optional()
    .describe("How many events make a period active, where one is not enough."),
  cumulative: z.boolean().default(false).describe("In at least k periods rather than in exactly k."),
  unit: Unit.default("people"),
});
export type StickinessInput = z.output<typeof StickinessInput>;

export const StickinessResult = z.object({
  kind: z.literal("stickiness"),
  interval: z.enum(intervals),
  intervalCount: z.number(),
  cumulative: z.boolean(),
  unit: Unit,
  /** At place k − 1: how many were active in exactly (or at least) k periods. */
  counts: z.array(z.number()),
  /** Everybody who was active in at least one. */
  active: z.number(),
  sentence: z.string(),
  provenance: Provenance,
});
export type StickinessResult = z.output<typeof StickinessResult>;

export const stickinessWho = defineOperation({
  name: "stickiness.who",
  summary: "Who was active in so many periods: exactly, or at least where the question counts so.",
  permission: "read",
  discloses: true,
  input: z.strictObject({ question: StickinessInput, periods: z.int().min(1).max(2_000), limit: Limit }),
  output: Who,
});

export const askStickiness = defineOperation({
  name: "stickiness.ask",
  summary: "On how many days (or weeks) of a range people are active.",
  permission: "read",
  input: StickinessInput,
  output: StickinessResult,
});
