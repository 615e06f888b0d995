import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { Breakdown, EventMatch, frameShape, intervals, Limit, Provenance, Who } from "#insights/common/frame.ts";

export const measures = [
  "total",
  "unique",
  "unique_sessions",
  "unique_accounts",
  "per_user",
  "sum",
  "avg",
  "min",
  "max",
  "median",
  "p90",
  "p95",
  "p99",
  "rolling_unique",
] as const;
export type Measure = (typeof measures)[number];
/** Measures that are about the values of a property. */
export const needsProperty: ReadonlySet<Measure> = new Set(["sum", "avg", "min", "max", "median", "p90", "p95", "p99"]);

const Series = EventMatch.extend({
  measure: z.enum(measures).default("total"),
  property: z.string().max(500).optional().describe("For sum, average and percentiles."),
  windowDays: z
    .int()
    .min(1)
    .max(366)
    .default(7)
    .describe("For rolling_unique: the bucket's day and the days before it."),
});
export type Series = z.output<typeof Series>;

export const TrendsInput = z.strictObject({
  ...frameShape,
  series: z.array(Series).min(1, "A trend needs at least one event.").max(10),
  interval: z.enum(intervals).default("day"),
  formulas: z.array(z.string().max(500)).max(5).default([]).describe("Over the series A, B, …; x/0 counts 0."),
  breakdown: Breakdown.extend({
    and: z
      .array(z.strictObject({ property: z.string().min(1).max(500), on: z.enum(["event", "person"]).default("event") }))
      .max(2)
      .default([])
      .describe("Further properties: a group is then one value of each."),
    hideOther: z.boolean().default(false),
  }).optional(),
  compare: z
    .strictObject({ offsetDays: z.int().min(1).max(3_660).optional() })
    .optional()
    .describe("The period just before, or the same range so many days back."),
  display: z.enum(["buckets", "total"]).default("buckets"),
  cumulative: z.boolean().default(false),
  movingAverage: z.int().min(2).max(100).optional(),
  sample: z
    .number()
    .min(0.01)
    .max(0.9)
    .optional()
    .describe(
      "Asks so large a share of the people and says how far the numbers may be off. For events, people and sums.",
    ),
});
export type TrendsInput = z.output<typeof TrendsInput>;

const Line = z.object({
  label: z.string(),
  /** Which series or formula, counted from 0, and which value of the breakdown. */
  index: z.number(),
  group: z.string().nullable(),
  period: z.enum(["current", "previous"]),
  values: z.array(z.number().nullable()),
  /** Of a sample: each value is right to within so much, 19 times of 20. */
  errors: z.array(z.number()).optional(),
  /** Over the whole range: distinct where the measure is distinct, never the sum of buckets. Null where that has no meaning. */
  total: z.number().nullable(),
  totalError: z.number().optional(),
});
export type Line = z.output<typeof Line>;

export const TrendsResult = z.object({
  kind: z.literal("trends"),
  interval: z.enum(intervals),
  buckets: z.array(z.string()),
  previousBuckets: z.array(z.string()),
  /** The last bucket is not over yet. */
  incomplete: z.boolean(),
  lines: z.array(Line),
  sentence: z.string(),
  provenance: Provenance,
});
export type TrendsResult = z.output<typeof TrendsResult>;

export const trendWho = defineOperation({
  name: "trends.who",
  summary: "Who did what a series counts, in one bucket or in the whole range.",
  permission: "read",
  discloses: true,
  input: z.strictObject({
    question: TrendsInput,
    series: z.int().min(0).max(9).default(0),
    bucket: z.string().max(40).optional(),
    group: z.string().optional().describe("Only those of this value of the breakdown."),
    limit: Limit,
  }),
  output: Who,
});

export const askTrends = defineOperation({
  name: "trends.ask",
  summary: "How often, how many people, how much: events over time.",
  permission: "read",
  input: TrendsInput,
  output: TrendsResult,
});
