import { z } from "zod";
import { EventMatch } from "#insights/common/frame.ts";
import { defineOperation } from "#kernel/operation.ts";

const Share = z.number().gt(0).lt(1);

/** What is measured of each unit: a share of them who do something, or a number. */
export const Metric = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("proportion"), baseline: Share }),
  z.strictObject({ kind: z.literal("mean"), baseline: z.number(), sd: z.number().positive() }),
]);
export type Metric = z.output<typeof Metric>;

/** When it is looked at: once, at looks that are planned, or whenever one likes. */
export const designs = ["fixed", "group_sequential", "always_valid"] as const;
export type Design = (typeof designs)[number];

export const PlanInput = z.strictObject({
  metric: Metric,
  /** Relative to the baseline: 0.05 for 5 % more. */
  effect: z.number().refine((value) => value !== 0 && Math.abs(value) <= 100, "An effect is another number than 0.").describe("The least effect worth finding, relative to the baseline."),
  alpha: Share.default(0.05),
  sides: z.union([z.literal(1), z.literal(2)]).default(2),
  power: z.number().min(0.5).max(0.999).default(0.8),
  treatments: z.int().min(1).max(9).default(1),
  correction: z.enum(["none", "bonferroni", "dunnett"]).default("dunnett").describe("Of several treatments against one control."),
  design: z.enum(designs).default("group_sequential"),
  looks: z.int().min(2).max(40).default(14).describe("Of a group-sequential design."),
  correlation: z.number().min(0).max(0.99).default(0).describe("Of the metric with the same before the exposure (CUPED)."),
  guardrails: z.int().min(0).max(20).default(0).describe("Metrics that may not become worse: the power is shared with them."),
  perDay: z.number().positive().max(1e10).optional().describe("Units that could take part, each day."),
  arrivals: z.array(z.number().min(0)).min(1).max(400).optional().describe("New units by day from a start on, as the past had them; the last week of it goes on. It knows weekends, and that those who come often are new once."),
  share: z.number().gt(0).max(1).default(1).describe("Share of them that does."),
}); // prettier-ignore
export type PlanInput = z.output<typeof PlanInput>;

const Point = z.object({ x: z.number(), y: z.number() });

export const Plan = z.object({
  perArm: z.number().describe("Units of each arm, rounded up."),
  total: z.number(),
  days: z.int().nullable().describe("Null where nobody said how many come."),
  weeks: z.int().nullable().describe("The same in whole weeks."),
  expectedDays: z.number().nullable().describe("On average, where the effect is there: a sequential design ends sooner."),
  alphaEach: z.number().describe("Of each comparison."),
  powerEach: z.number().describe("Of each metric, so that all together have what was asked for."),
  effectAbsolute: z.number(),
  gains: z.array(z.object({ name: z.string(), total: z.number(), note: z.string() })).describe("The same question by other designs."),
  powerByEffect: z.array(Point).describe("x: relative effect; y: power at the planned size."),
  mdeByDay: z.array(Point).describe("x: day; y: least relative effect that is found until then."),
  sentence: z.string(),
}); // prettier-ignore
export type Plan = z.output<typeof Plan>;

export const plan = defineOperation({
  name: "experiments.plan",
  summary: "How many units and days an experiment needs for an effect, by which design, and what it finds until when.",
  permission: "read",
  input: PlanInput,
  output: Plan,
});

export const history = defineOperation({
  name: "experiments.history",
  summary: "What the workspace's own past says: who would take part, how many a day, the baseline, its spread, and how much the time before explains.",
  permission: "read",
  input: z.strictObject({
    exposure: EventMatch.describe("By which people would take part."),
    outcome: EventMatch,
    property: z.string().max(500).optional().describe("Summed for each person; how often it happens where absent."),
    kind: z.enum(["proportion", "mean"]).default("proportion"),
    days: z.int().min(7).max(180).default(28).describe("Days of exposures, the last of which had their whole window."),
    windowDays: z.int().min(1).max(60).default(7).describe("Days after the exposure in which outcomes count; as many before are the covariate."),
  }),
  output: z.object({
    people: z.number(),
    perDay: z.number(),
    arrivals: z.array(z.number()).describe("New people by day from a start on."),
    baseline: z.number(),
    sd: z.number(),
    correlation: z.number().describe("Of the outcome with the same before the exposure; 0 where it cannot be told."),
  }),
}); // prettier-ignore

/** One thing that a start asks for. */
export const Check = z.object({ name: z.string(), passed: z.boolean(), says: z.string() });
export type Check = z.output<typeof Check>;
