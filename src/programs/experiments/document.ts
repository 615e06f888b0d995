import { z } from "zod";
import { EventMatch } from "#insights/common/frame.ts";
import { Key } from "#insights/metrics/contract.ts";
import { EnvironmentName, FlagKey } from "../flags/document.ts";
import { designs } from "./contract.ts";

/** An experiment as it is planned and kept. Everything in this file is browser-safe: the page and the server share it. */

const Unit = z.enum(["people", "accounts", "sessions"]);
export type Unit = z.output<typeof Unit>;

export const metricRoles = ["primary", "secondary", "guardrail"] as const;

const Arm = z.strictObject({
  name: z.string().min(1).max(200).describe("As exposures say it."),
  weight: z.number().positive().max(1e6),
});

const Measured = z.strictObject({
  metric: Key,
  role: z.enum(metricRoles),
  margin: z.number().positive().max(1).nullable().default(null).describe("Of a guardrail: how much worse it may become, relative to the control."),
  cap: z.number().min(0.5).lt(1).nullable().default(null).describe("Of a sum or count: a quantile of those who did it, over all arms; more than that counts as that, so that one buyer does not decide."),
}); // prettier-ignore

export const Experiment = z.strictObject({
  key: FlagKey,
  name: z.string().trim().min(1, "Give it a name.").max(200),
  hypothesis: z.string().trim().max(5_000).default(""),
  owner: z.string().trim().max(200).default(""),
  flag: FlagKey.nullable().default(null).describe("That gives out the arms; null where something else does."),
  environment: EnvironmentName.default("production"),
  arms: z.array(Arm).min(2).max(10).describe("The first is the control."),
  unit: Unit.default("people").describe("Who or what is put into an arm: a session is the sender's own."),
  exposure: EventMatch.describe("The event by which somebody takes part."),
  armProperty: z.string().min(1).max(500).default("variant").describe("Its property that names the arm."),
  written: z.string().trim().max(20_000).nullable().default(null).describe("Exposures by a query of your own instead: columns person (or account), at and arm."),
  trigger: EventMatch.nullable().default(null).describe("Where it can make a difference: whoever was exposed counts from there on, and who never came there does not."),
  eligible: EventMatch.nullable().default(null).describe("Who would take part, for the past: what they do."),
  metrics: z.array(Measured).max(20).default([]),
  windowDays: z.int().min(1).max(90).default(7).describe("What somebody does counts for so long after the exposure."),
  covariateDays: z.int().min(0).max(90).default(14).describe("What they did in so many days before explains a part of it (CUPED); 0: nothing."),
  effect: z.number().min(-1).max(100).nullable().default(null).describe("The least effect worth finding, relative to the control."),
  alpha: z.number().gt(0).lt(0.5).default(0.05),
  power: z.number().min(0.5).max(0.999).default(0.8),
  sides: z.union([z.literal(1), z.literal(2)]).default(2),
  design: z.enum(designs).default("group_sequential"),
  looks: z.int().min(2).max(40).default(14),
  share: z.number().gt(0).max(1).default(1).describe("Of those who could take part, how many do."),
  stopsFlag: z.boolean().default(false).describe("The flag is switched off by itself once a guardrail is broken."),
  longestDays: z.int().min(1).max(365).default(60).describe("It is not worth starting what takes longer."),
}); // prettier-ignore
export type Experiment = z.output<typeof Experiment>;

/** Something that is added up over the events of a unit: how many, or a property of them. */
const Part = z.object({
  match: EventMatch,
  property: z.string().optional(),
  isCounted: z.boolean().default(false).describe("How many have the property as a number, rather than its sum."),
});
export type Part = z.output<typeof Part>;

/** A metric of the catalog as it is measured of each unit of an experiment. */
const UnitMeasure = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("proportion"), part: Part }),
  z.object({
    kind: z.literal("mean"),
    part: Part,
    cap: z
      .number()
      .optional()
      .describe("A quantile of those who did it, over all arms: more than that counts as that."),
  }),
  z.object({ kind: z.literal("ratio"), part: Part, per: Part }),
  z.object({ kind: z.literal("conversion"), steps: z.array(EventMatch).min(2), windowSeconds: z.number() }),
  z
    .object({ kind: z.literal("return"), part: Part, fromDay: z.number(), toDay: z.number() })
    .describe("Whether somebody is back in these days after the exposure."),
]);
export type UnitMeasure = z.output<typeof UnitMeasure>;

const AgreedMetric = z.object({
  metric: z.string(),
  name: z.string(),
  role: z.enum(metricRoles),
  margin: z.number().nullable(),
  direction: z.enum(["up", "down", "none"]),
  measure: UnitMeasure,
});
export type AgreedMetric = z.output<typeof AgreedMetric>;

/** What was agreed when it was started, and is not changed after, whatever becomes of the catalog. */
export const Agreed = z.object({
  metrics: z.array(AgreedMetric),
  perArm: z.number(),
  total: z.number(),
  days: z.number(),
  alphaEach: z.number(),
  powerEach: z.number(),
  baseline: z.number(),
  sd: z.number(),
  correlation: z.number(),
  perDay: z.number(),
  sentence: z.string(),
});
export type Agreed = z.output<typeof Agreed>;

/** What is wrong in an experiment by itself, in sentences. */
export const experimentFaults = ({ arms, metrics }: Experiment): readonly string[] => {
  const names = arms.map(({ name }) => name);
  const keys = metrics.map(({ metric }) => metric);
  return [
    ...(new Set(names).size === names.length ? [] : ["Two arms have the same name."]),
    ...(new Set(keys).size === keys.length ? [] : ["A metric has one role."]),
    ...(metrics.filter(({ role }) => role === "primary").length > 1 ? ["There is one primary metric: the one that decides."] : []), // prettier-ignore
  ];
};
