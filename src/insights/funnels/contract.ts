import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { Breakdown, EventMatch, frameShape, intervals, Limit, Provenance, Who } from "#insights/common/frame.ts";

const Step = EventMatch.extend({
  name: z.string().max(200).optional(),
  optional: z.boolean().default(false).describe("Counted when done, never blocks."),
});

export const FunnelInput = z.strictObject({
  ...frameShape,
  steps: z.array(Step).min(2, "A funnel needs at least two steps.").max(20, "A funnel may have 20 steps."),
  windowSeconds: z
    .number()
    .min(1)
    .max(366 * 86_400)
    .default(14 * 86_400)
    .describe("From the first step to the last, inclusive."),
  order: z.enum(["ordered", "strict", "unordered"]).default("ordered"),
  attempt: z
    .enum(["any", "first"])
    .default("any")
    .describe("any: the furthest attempt counts; first: only the first entry does."),
  counting: z.enum(["people", "attempts"]).default("people"),
  unit: z
    .enum(["people", "accounts", "sessions"])
    .default("people")
    .describe(
      "Whose way it is: a person's, that of all people of an account together, or that within one of the sender's sessions.",
    ),
  hold: z
    .array(z.string().min(1).max(500))
    .max(3)
    .default([])
    .describe("Properties that must have the same value at every step, such as the document that is worked on."),
  dates: z
    .enum(["entry", "whole"])
    .default("entry")
    .describe("entry: entered in the range, finished within the window; whole: all of it in the range."),
  exclusions: z
    .array(EventMatch.extend({ from: z.int().min(0).max(19), to: z.int().min(1).max(19) }))
    .max(5)
    .default([]),
  exclusionMode: z.enum(["drop_person", "stop_chain"]).default("drop_person"),
  breakdown: Breakdown.extend({
    attribution: z.enum(["first_touch", "last_touch", "step", "all_events"]).default("first_touch"),
    step: z.int().min(0).max(19).default(0),
  }).optional(),
});
export type FunnelInput = z.output<typeof FunnelInput>;

const FunnelStep = z.object({
  label: z.string(),
  count: z.number(),
  /** Of those who did the first step. */
  fromStart: z.number().nullable(),
  /** Of those who did the step before. */
  fromPrevious: z.number().nullable(),
  /** 95 % interval of fromStart (Wilson). */
  interval: z.tuple([z.number(), z.number()]).nullable(),
  averageSeconds: z.number().nullable(),
  medianSeconds: z.number().nullable(),
});

export const FunnelResult = z.object({
  kind: z.literal("funnel"),
  groups: z.array(z.object({ group: z.string().nullable(), steps: z.array(FunnelStep) })),
  /** People whose window is still open may yet convert. */
  incomplete: z.boolean(),
  sentence: z.string(),
  provenance: Provenance,
});
export type FunnelResult = z.output<typeof FunnelResult>;

export const askFunnel = defineOperation({
  name: "funnels.ask",
  summary: "How many get from one step to the next, and how long it takes.",
  permission: "read",
  input: FunnelInput,
  output: FunnelResult,
});

export const ConversionInput = FunnelInput.extend({
  interval: z.enum(intervals).default("day"),
  fromStep: z.int().min(0).max(18).default(0),
  toStep: z.int().min(1).max(19).optional().describe("The last step where absent."),
});
export type ConversionInput = z.output<typeof ConversionInput>;

const ConversionPoint = z.object({
  entered: z.number(),
  converted: z.number(),
  /** Null where nobody entered; with its 95 % interval (Wilson). */
  rate: z.number().nullable(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
});

export const ConversionResult = z.object({
  kind: z.literal("conversion"),
  interval: z.enum(intervals),
  buckets: z.array(z.string()),
  /** From the first bucket whose people may still convert within their window. */
  openFrom: z.number(),
  groups: z.array(z.object({ group: z.string().nullable(), points: z.array(ConversionPoint) })),
  sentence: z.string(),
  provenance: Provenance,
});
export type ConversionResult = z.output<typeof ConversionResult>;

export const askConversion = defineOperation({
  name: "funnels.overTime",
  summary: "What share of those who enter a funnel converts, by when they entered.",
  permission: "read",
  input: ConversionInput,
  output: ConversionResult,
});

export const conversionWho = defineOperation({
  name: "funnels.whoOverTime",
  summary: "Who of those who entered in a bucket converted, or did not.",
  permission: "read",
  discloses: true,
  input: z.strictObject({
    conversion: ConversionInput,
    bucket: z.string().max(40),
    who: z.enum(["reached", "dropped"]).default("reached"),
    group: z.string().optional(),
    limit: Limit,
  }),
  output: Who,
});

export const funnelPeople = defineOperation({
  name: "funnels.people",
  summary: "Who reached a step of a funnel, or who dropped off before it. Where accounts are counted, their ids.",
  permission: "read",
  discloses: true,
  input: z.strictObject({
    funnel: FunnelInput,
    step: z.int().min(0).max(19),
    who: z.enum(["reached", "dropped"]).default("reached"),
    group: z.string().optional().describe("Only people of this value of the breakdown; empty for those without one."),
    limit: Limit,
  }),
  output: Who,
});

/** Seconds from one step to another, of those who took both. */
export const Times = z.object({
  people: z.number(),
  average: z.number().nullable(),
  p25: z.number().nullable(),
  median: z.number().nullable(),
  p75: z.number().nullable(),
  p90: z.number().nullable(),
  p95: z.number().nullable(),
});
export type Times = z.output<typeof Times>;

export const timeToConvert = defineOperation({
  name: "funnels.timeToConvert",
  summary: "How long people take from one step of a funnel to another, as a histogram.",
  permission: "read",
  input: z.strictObject({
    funnel: FunnelInput,
    from: z.int().min(0).max(19).default(0),
    to: z.int().min(1).max(19),
    bins: z.int().min(1).max(60).optional(),
  }),
  output: z.object({
    people: z.number(),
    averageSeconds: z.number().nullable(),
    /** Start of the bin in seconds, people in it; left closed, right open. */
    bins: z.array(z.tuple([z.number(), z.number()])),
    /** Per value of the breakdown, the largest first; one group without. */
    groups: z.array(Times.extend({ group: z.string().nullable() })),
  }),
});
