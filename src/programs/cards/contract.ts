import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

const Id = z.string().min(1).max(200);
const Text = z.string().trim().max(10_000);

/** Fields of cards that only people can write. */
export const datasetFields = ["description", "uses", "outOfScope", "collection", "bias", "recommendations", "contact", "license"] as const; // prettier-ignore
export const modelFields = ["description", "intendedUse", "outOfScope", "trainingData", "limitations", "ethics", "mitigations", "contact", "license"] as const; // prettier-ignore

export const cardKinds = ["dataset", "model"] as const;
const Kind = z.enum(cardKinds);

/** Of the AI Act: prohibited uses cannot be released at all. */
export const risks = ["minimal", "limited", "high", "prohibited"] as const;
export const useKinds = ["rules", "model", "llm"] as const;

const Use = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(useKinds),
  version: z.string(),
  purpose: z.string(),
  risk: z.enum(risks),
  oversight: z.string().describe("Who can look at, correct and stop what it does, and how."),
  owner: z.string(),
  trainedOn: z.array(z.string()).describe("Ids of data sets."),
  prompt: z.string(),
  isBuiltIn: z.boolean(),
  needsRelease: z.boolean().describe("Whether it must be released before it is switched on."),
  released: z.string().nullable().describe("The version that is released."),
});
export type Use = z.output<typeof Use>;

export const uses = defineOperation({
  name: "cards.uses",
  summary: "The register of what decides or writes by rules, model or language model, with risk and oversight.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({ uses: z.array(Use), datasets: z.array(z.object({ id: z.string(), name: z.string(), missing: z.number() })) }), // prettier-ignore
});

export const register = defineOperation({
  name: "cards.register",
  summary: "Puts a use of AI into the register, or changes what is said of it. A new version has to be released anew.",
  permission: "govern",
  input: z.strictObject({
    id: Id.optional().describe("Of one that is there; a new one where absent."),
    name: z.string().trim().min(1).max(200),
    kind: z.enum(useKinds),
    version: z.string().trim().min(1).max(100),
    purpose: Text.default(""),
    risk: z.enum(risks),
    oversight: Text.default(""),
    owner: z.string().trim().max(200).default(""),
    trainedOn: z.array(Id).max(50).default([]),
    prompt: z
      .string()
      .max(100_000)
      .default("")
      .describe("What a language model is told, for the search for personal data."),
  }),
  output: z.object({ id: z.string() }),
});

const Metric = z.strictObject({
  name: z.string().trim().min(1).max(100),
  value: z.number(),
  atLeast: z.number().optional(),
  atMost: z.number().optional(),
  slice: z.string().max(200).optional(),
});
const Count = z.int().min(0).max(1e12);
const Groups = z.strictObject({
  attribute: z.string().trim().min(1).max(100).describe("Such as language, channel or plan. Never inferred."),
  decisions: z
    .array(z.strictObject({ group: z.string().max(200), truePositive: Count, falsePositive: Count, falseNegative: Count, trueNegative: Count }))
    .max(200)
    .default([]),
  scores: z
    .array(z.strictObject({ group: z.string().max(200), n: Count, error: z.number(), kappa: z.number().min(-1).max(1).optional() }))
    .max(200)
    .default([]),
}); // prettier-ignore

export const Evaluation = z.strictObject({
  set: z.string().trim().min(1).max(200).describe("What it was measured on, with its version."),
  metrics: z.array(Metric).min(1).max(200),
  groups: z.array(Groups).max(20).default([]),
});
export type Evaluation = z.output<typeof Evaluation>;

export const evaluate = defineOperation({
  name: "cards.evaluate",
  summary: "Writes down how a version was measured: metrics with their thresholds, and by group.",
  permission: "govern",
  input: z.strictObject({ use: Id, version: z.string().min(1).max(100), evaluation: Evaluation }),
  output: z.object({ ok: z.literal(true) }),
});

export const write = defineOperation({
  name: "cards.write",
  summary: "Completes a card of a data set or a model with what only people know. Every version is kept.",
  permission: "govern",
  input: z.strictObject({ kind: Kind, id: Id, fields: z.record(z.string().max(50), Text) }),
  output: z.object({ missing: z.array(z.string()) }),
});

export const get = defineOperation({
  name: "cards.get",
  summary: "A card: what the system knows, what people wrote, what is missing; and all of it as Markdown.",
  permission: "read",
  input: z.strictObject({ kind: Kind, id: Id }),
  output: z.object({
    title: z.string(),
    known: z.array(z.object({ name: z.string(), value: z.string() })),
    written: z.record(z.string(), z.string()),
    fields: z.array(z.string()),
    missing: z.array(z.string()),
    markdown: z.string(),
  }),
});

const Check = z.object({ name: z.string(), passed: z.boolean(), says: z.string() });
export type Check = z.output<typeof Check>;

export const gate = defineOperation({
  name: "cards.gate",
  summary:
    "Whether a use of AI may be released: card, evaluation, bias, personal data, oversight, and who reviewed it.",
  permission: "read",
  input: z.strictObject({ use: Id }),
  output: z.object({ version: z.string(), passed: z.boolean(), checks: z.array(Check) }),
});

export const release = defineOperation({
  name: "cards.release",
  summary: "Releases a version, by somebody who did not register or measure it; refused where a check fails.",
  permission: "govern",
  input: z.strictObject({ use: Id, note: Text.default("") }),
  output: z.object({ version: z.string() }),
});

export const withdraw = defineOperation({
  name: "cards.withdraw",
  summary: "Takes a release back: what needs one is switched off.",
  permission: "govern",
  input: z.strictObject({ use: Id, note: Text.default("") }),
  output: z.object({ ok: z.literal(true) }),
});
