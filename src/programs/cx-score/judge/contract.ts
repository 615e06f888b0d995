import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { drivers } from "../scorer/conversation.ts";

export const JudgeSettings = z.strictObject({
  isOn: z.boolean(),
  address: z.string().trim().max(500).default("").describe("Such as https://api.example.com/v1."),
  model: z.string().trim().max(200).default(""),
  secret: z
    .string()
    .max(500)
    .default("")
    .describe("Key of the endpoint. Empty to keep the one that is there, or where none is needed."),
  perDay: z.int().min(1).max(100_000).default(50).describe("Conversations a day, at most."),
  tokensPerDay: z.int().min(1_000).max(1_000_000_000).default(500_000),
  use: z.enum(["sample", "all"]).default("sample").describe("sample: by chance, to be held beside the score and to learn from. all: every conversation, the newest first, as a version of the score that counts once it is switched on."),
}); // prettier-ignore
export type JudgeSettings = z.output<typeof JudgeSettings>;

export const get = defineOperation({
  name: "cx.judge",
  summary: "The language model that judges a sample of conversations, and how it does. It is off until somebody who governs switches it on.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({
    settings: JudgeSettings.omit({ secret: true }),
    hasSecret: z.boolean(),
    problem: z.string().describe("What went wrong the last time; empty for nothing."),
    judged: z.number(),
    failed: z.number().describe("Of which no answer could be used."),
    today: z.object({ judged: z.number(), tokens: z.number() }),
    tokensIn: z.number(),
    tokensOut: z.number(),
    quotes: z.object({ given: z.number(), found: z.number().describe("Of which the words are in the text.") }),
    twice: z.object({ pairs: z.number(), kappa: z.number().nullable(), same: z.number().nullable().describe("Share within half a point.") }).describe("How far it agrees with itself, asked twice."),
  }),
}); // prettier-ignore
export type JudgeView = z.output<typeof get.output>;

export const set = defineOperation({
  name: "cx.setJudge",
  summary: "Lets a language model judge conversations: masked text leaves for this address from then on. Or ends it.",
  permission: "govern",
  input: z.strictObject({ settings: JudgeSettings }),
  output: z.object({ ok: z.literal(true) }),
});

const Quote = z.object({ part: z.string(), start: z.number(), end: z.number() });
const Verdict = z.object({ judge: z.string(), score: z.number().nullable(), reason: z.string(), problem: z.string(), drivers: z.array(z.object({ driver: z.enum(drivers), polarity: z.number(), strength: z.number(), quotes: z.array(Quote), isSupported: z.boolean().describe("At least one quote is in the text.") })), at: z.string() }); // prettier-ignore
export type Verdict = z.output<typeof Verdict>;

export const verdicts = defineOperation({
  name: "cx.judgements",
  summary: "What language models said of one conversation.",
  permission: "edit",
  onlyLooks: true,
  input: z.strictObject({ id: z.string().min(1).max(500) }),
  output: z.object({ judgements: z.array(Verdict) }),
});
