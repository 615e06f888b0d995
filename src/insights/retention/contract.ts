import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { Breakdown, EventMatch, frameShape, intervals, Limit, Provenance, Unit, Who } from "#insights/common/frame.ts";

export const RetentionInput = z.strictObject({
  ...frameShape,
  start: EventMatch,
  returning: EventMatch,
  period: z.enum(intervals).default("day"),
  /** calendar: local days, weeks, months; rolling: so many times 24 hours from the person's first start. */
  mode: z.enum(["calendar", "rolling"]).default("calendar"),
  cohorting: z
    .enum(["recurring", "first_time", "first_ever", "first_in_range"])
    .default("first_time")
    .describe(
      "first_time: the first event that matches, looking before the range; first_ever: the first event of that name, then the conditions.",
    ),
  unit: Unit.default("people"),
  onOrAfter: z.boolean().default(false).describe("A return in a later column counts for the earlier ones too."),
  value: z
    .strictObject({ property: z.string().min(1).max(500), statistic: z.enum(["sum", "average"]) })
    .optional()
    .describe("Of the returning events, the sum or the average of a property, beside how many come back."),
  minimumOccurrences: z.int().min(1).max(1_000).default(1),
  columns: z.int().min(1).max(64).optional(),
  brackets: z
    .array(z.int().min(1).max(64))
    .max(30)
    .optional()
    .describe("Sizes of consecutive ranges of offsets, from offset 1."),
  breakdown: Breakdown.extend({ on: z.literal("person").default("person") }).optional(),
});
export type RetentionInput = z.output<typeof RetentionInput>;

const Cohort = z.object({
  bucket: z.string(),
  size: z.number(),
  /** Column 0 is the size. Null where the time has not come. */
  counts: z.array(z.number()),
  /** The sum or average of the property over the returning events of the column, where one was asked for. */
  values: z.array(z.number().nullable()).optional(),
  /** Whether the column's time is over, so that the number will not change. */
  mature: z.array(z.boolean()),
});

export const RetentionResult = z.object({
  kind: z.literal("retention"),
  unit: Unit,
  period: z.enum(intervals),
  value: z.object({ property: z.string(), statistic: z.enum(["sum", "average"]) }).nullable(),
  columns: z.array(z.string()),
  groups: z.array(
    z.object({
      group: z.string().nullable(),
      cohorts: z.array(Cohort),
      /** Weighted by size, over mature cells only; with a 95 % interval (Wilson). */
      averages: z.array(
        z.object({
          rate: z.number().nullable(),
          interval: z.tuple([z.number(), z.number()]).nullable(),
          people: z.number(),
          /** Of the property, over mature cells: each person's sum, or the average of all events. */
          value: z.number().nullable().optional(),
        }),
      ),
    }),
  ),
  sentence: z.string(),
  provenance: Provenance,
});
export type RetentionResult = z.output<typeof RetentionResult>;

export const retentionWho = defineOperation({
  name: "retention.who",
  summary: "Who of a cohort came back in a column, or did not.",
  permission: "read",
  discloses: true,
  input: z.strictObject({
    question: RetentionInput,
    cohort: z.string().max(40).describe("The start of its period, as the answer names it."),
    column: z.int().min(0).max(64),
    came: z.boolean().default(true),
    group: z.string().optional(),
    limit: Limit,
  }),
  output: Who,
});

export const askRetention = defineOperation({
  name: "retention.ask",
  summary: "Who comes back, and when.",
  permission: "read",
  input: RetentionInput,
  output: RetentionResult,
});
