import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { EventMatch, frameShape, Limit, Provenance, Who } from "#insights/common/frame.ts";

const NodeName = z.string().min(1).max(500);

export const JourneyInput = z.strictObject({
  ...frameShape,
  events: z
    .array(EventMatch)
    .max(20)
    .default([])
    .describe("Which events are steps of a journey; none means every one."),
  exclude: z.array(z.string().max(500)).max(50).default([]).describe("Names of events that are no steps."),
  property: z
    .string()
    .max(500)
    .optional()
    .describe("Steps are named by this property where an event has it, less one slash at its end."),
  start: NodeName.optional().describe("Journeys begin at this step."),
  end: NodeName.optional().describe("Journeys end at this step."),
  gapMinutes: z.int().min(1).max(43_200).default(30).describe("A longer pause begins another journey."),
  collapse: z.boolean().default(true).describe("The same step again and again is one step."),
  steps: z.int().min(2).max(20).default(5),
  nodes: z.int().min(1).max(50).default(8).describe("Steps named at each place; the others are Other."),
});
export type JourneyInput = z.output<typeof JourneyInput>;

const Link = z.object({
  /** Place of the source in the journey, from 1. */
  place: z.number(),
  source: z.string(),
  /** `$end` where the journey ended. */
  target: z.string(),
  journeys: z.number(),
  /** Between the two; null at an end. */
  averageSeconds: z.number().nullable(),
});
export type Link = z.output<typeof Link>;

/** Where a journey ended before the last place shown. */
export const journeyEnd = "$end";

export const JourneyResult = z.object({
  kind: z.literal("journey"),
  links: z.array(Link),
  /** Steps by place, the most frequent first. */
  places: z.array(z.array(z.object({ name: z.string(), journeys: z.number() }))),
  journeys: z.number(),
  sentence: z.string(),
  provenance: Provenance,
});
export type JourneyResult = z.output<typeof JourneyResult>;

export const askJourneys = defineOperation({
  name: "journeys.ask",
  summary: "Which ways people go: what comes after, before, or between.",
  permission: "read",
  input: JourneyInput,
  output: JourneyResult,
});

export const journeysWho = defineOperation({
  name: "journeys.who",
  summary: "Whose journeys had a step at a place, and took a certain one next.",
  permission: "read",
  discloses: true,
  input: z.strictObject({
    question: JourneyInput,
    place: z.int().min(1).max(20).describe("Of the step in the journey, from 1."),
    step: NodeName,
    next: NodeName.optional().describe("The step after it; $end where the journey ended there. Any where absent."),
    limit: Limit,
  }),
  output: Who,
});
