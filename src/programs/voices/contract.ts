import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { conversationKinds } from "#records/conversations/contract.ts";
import { statementTypes } from "./types.ts";

const Range = z.strictObject({ from: z.iso.date(), to: z.iso.date().describe("The last day, inside.") });
const Kind = z.enum(conversationKinds);
const Type = z.enum(statementTypes);
/** From so many people on either side a theme is seen in two ways. */
export const leastEach = 2;

export const overview = defineOperation({
  name: "voices.overview",
  summary: "What people say of what they need and how they see things, by theme: how many people, problems, requests, praise and jobs, and where they contradict each other.",
  permission: "read",
  input: Range.extend({ kind: Kind.optional() }),
  output: z.object({
    kinds: z.array(z.object({ kind: Kind, conversations: z.number(), statements: z.number() })),
    themes: z.array(z.object({ id: z.string(), title: z.string(), statements: z.number(), people: z.number(), problems: z.number(), requests: z.number(), praise: z.number(), jobs: z.number(), mood: z.number().describe("Mean sentiment, -1 to 1."), contradiction: z.object({ praising: z.number(), suffering: z.number() }).nullable().describe("People on each side, where both are several.") })),
    waiting: z.number().describe("Conversations that are not read yet."),
  }),
}); // prettier-ignore
export type Overview = z.output<typeof overview.output>;

const Place = z.object({ start: z.number(), end: z.number() });
const Statement = z.object({
  conversation: z.string(),
  part: z.string(),
  start: z.number(),
  end: z.number(),
  quote: z.string().describe("Word for word: the part's text from `start` to `end`."),
  speaker: z.string(),
  type: Type,
  sentiment: z.number(),
  theme: z.string(),
  job: z.object({ when: z.string().nullable(), want: z.string(), so: z.string().nullable() }).nullable().describe("Of a job to be done, word for word."),
  at: z.string(),
  person: z.string(),
  account: z.string(),
  kind: Kind,
  times: z.number().describe("How often it was said in just these words; this is the latest of them."),
  people: z.number().describe("By how many people."),
}); // prettier-ignore
export type Statement = z.output<typeof Statement>;
export const JobPlaces = z.object({ when: Place.optional(), want: Place, so: Place.optional() });

export const statements = defineOperation({
  name: "voices.statements",
  summary: "What was said, word for word, with who said it and where: the strongest first.",
  permission: "edit",
  onlyLooks: true,
  input: Range.extend({ kind: Kind.optional(), type: Type.optional(), theme: z.string().max(100).optional().describe("By its id; empty for none."), limit: z.int().min(1).max(500).default(100) }), // prettier-ignore
  output: z.object({ statements: z.array(Statement) }),
});

export const add = defineOperation({
  name: "voices.add",
  summary: "Writes down an interview, a call, a review or a note: who said what, as lines `Name: what they said`.",
  permission: "edit",
  input: z.strictObject({
    kind: Kind.exclude(["support"]),
    title: z.string().trim().min(1).max(500),
    at: z.iso.date(),
    userId: z.string().trim().max(500).default("").describe("Your id of whoever speaks; empty where nobody is known."),
    account: z.string().trim().max(500).default(""),
    text: z.string().trim().min(1).max(500_000),
    ours: z.array(z.string().max(100)).max(20).default([]).describe("Names of those who ask; they are not what is listened to."),
  }), // prettier-ignore
  output: z.object({ id: z.string(), parts: z.number() }),
});
