import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

const Id = z.strictObject({ id: z.string().min(1).max(250) });
const Done = z.object({ ok: z.literal(true) });

const Version = z.object({
  id: z.string(),
  model: z.string(),
  state: z.enum(["shadow", "used", "dropped"]),
  isActive: z.boolean(),
  isJudge: z.boolean().describe("A language model scores by it."),
  calibration: z.object({ method: z.enum(["offset", "line", "curve", "words"]), labels: z.number(), before: z.number().describe("Mean squared error on labels."), after: z.number().describe("The same where the score is moved, by fits that have not seen them.") }).nullable(),
  activations: z.array(z.object({ at: z.string().nullable().describe("Null for the first."), rebased: z.boolean() })),
  madeAt: z.string(),
  waiting: z.number().describe("Conversations that it is still to score."),
}); // prettier-ignore
export type VersionView = z.output<typeof Version>;

export const list = defineOperation({
  name: "cx.versions",
  summary: "Ways of scoring: the one in use, those that were, and those that run in shadow.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({ versions: z.array(Version), needsSwitch: z.boolean().describe("The server has a newer scorer than the one in use: it scores what is new, and the rest once it is switched on.") }),
}); // prettier-ignore

export const calibrate = defineOperation({
  name: "cx.calibrate",
  summary: "Learns from labels where the score is too high or too low, and runs what it learnt in shadow over 90 days. It counts once it is switched on.",
  permission: "edit",
  input: z.strictObject({ from: z.enum(["people", "customers", "judge"]).default("people").describe("Labels of your people, what customers answered when asked, or what a language model said.") }),
  output: z.object({ id: z.string() }),
}); // prettier-ignore

const Side = z.object({ mean: z.number().nullable(), good: z.number().nullable().describe("Share of 4 to 5.") });
const Held = z.object({ pairs: z.number(), kappa: z.number().nullable(), rho: z.number().nullable(), auc: z.number().nullable(), error: z.number().nullable().describe("Mean squared error.") }); // prettier-ignore
const Bin = z.object({ score: z.number(), label: z.number(), labels: z.number() });

export const compare = defineOperation({
  name: "cx.compareVersion",
  summary: "What would change if a version in shadow were switched on: over 90 days, by part, band by band, and where the most.",
  permission: "edit",
  onlyLooks: true,
  input: Id,
  output: z.object({
    waiting: z.number(),
    conversations: z.number(),
    before: Side,
    after: Side,
    segments: z.array(z.object({ kind: z.enum(["channel", "team", "language"]), name: z.string(), conversations: z.number(), before: Side, after: Side })),
    transitions: z.array(z.object({ was: z.enum(["low", "middle", "high"]), is: z.enum(["low", "middle", "high"]), conversations: z.number() })),
    examples: z.array(z.object({ id: z.string(), before: z.number(), after: z.number(), summary: z.string() })),
    agreement: z.object({ before: Held, after: Held }).describe("Against labels of your people. A fit has seen them: the error that it was made by is in `cx.versions`."),
    reliability: z.object({ before: z.array(Bin), after: z.array(Bin) }),
  }),
}); // prettier-ignore
export type Comparison = z.output<typeof compare.output>;

export const activate = defineOperation({
  name: "cx.switchVersion",
  summary: "Switches a version on. What was scored before stays as it was told, or counts anew by it.",
  permission: "govern",
  input: Id.extend({ rebase: z.boolean().describe("Whether what was scored before counts anew.") }),
  output: Done,
});

export const drop = defineOperation({
  name: "cx.dropVersion",
  summary: "Ends a version that runs in shadow.",
  permission: "edit",
  input: Id,
  output: Done,
});

export const disagreements = defineOperation({
  name: "cx.disagreements",
  summary: "Conversations that two of your people labelled two points or more apart, and nobody has settled.",
  permission: "edit",
  onlyLooks: true,
  input: z.strictObject({}),
  output: z.object({ conversations: z.array(z.object({ id: z.string(), labels: z.array(z.object({ by: z.string(), label: z.number() })) })) }),
}); // prettier-ignore
