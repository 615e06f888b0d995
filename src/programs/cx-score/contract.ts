import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { drivers, reasons } from "./scorer/conversation.ts";

const Day = z.iso.date();
const Range = z.strictObject({ from: Day, to: Day.describe("The last day, inside.") });
const Interval = z.object({ share: z.number(), lower: z.number(), upper: z.number() });

const Period = z.object({
  from: z.string(),
  conversations: z.number(),
  scored: z.number(),
  mean: z.number().nullable(),
  good: Interval.nullable().describe("Share of 4 to 5 among those that were scored, with its 95 % interval (Wilson)."),
});

export const overview = defineOperation({
  name: "cx.overview",
  summary: "How conversations went, without asking anybody: the score over time, what moved it, how much of them was scored.",
  permission: "read",
  input: Range,
  output: z.object({
    model: z.string(),
    total: Period,
    weeks: z.array(Period),
    reasons: z.array(z.object({ reason: z.enum(reasons), conversations: z.number() })),
    drivers: z.array(z.object({ driver: z.enum(drivers), conversations: z.number(), negative: z.number(), positive: z.number(), points: z.number().describe("By which it moved the mean.") })),
    trend: z.array(z.object({ from: z.string(), driver: z.enum(drivers), points: z.number() })).describe("By which each driver moved the mean of a week."),
    handlers: z.object({ ai_agent: z.number().nullable(), human_agent: z.number().nullable() }).describe("Means of how well each kind answered."),
    switches: z.array(z.object({ at: z.string(), version: z.string(), rebased: z.boolean() })).describe("When another version of the score was switched on, within this time."),
    waiting: z.number().describe("That arrived and are not scored yet."),
  }),
}); // prettier-ignore
export type Overview = z.output<typeof overview.output>;

export const parted = ["topic", "channel", "team", "assignee", "language", "product", "tag", "account", "account_trait"] as const; // prettier-ignore
export const Part = z.strictObject({ by: z.enum(parted), trait: z.string().max(500).default("").describe("Of accounts, such as their plan.") }); // prettier-ignore
export type Part = z.output<typeof Part>;
/** Of fewer scored conversations nothing is said of one teammate. */
export const leastOfTeammate = 30;

export const breakdown = defineOperation({
  name: "cx.breakdown",
  summary: "How conversations went by channel, team, teammate, language, product, tag, account, a trait of accounts (such as their plan) or what they speak of.",
  permission: "read",
  input: Range.extend({ part: Part }),
  output: z.object({
    parts: z.array(z.object({ name: z.string(), title: z.string().describe("What it is called."), before: z.object({ conversations: z.number(), mean: z.number().nullable() }).describe("In the time of the same length before."), conversations: z.number(), scored: z.number(), mean: z.number().nullable(), good: Interval.nullable(), driver: z.enum(drivers).nullable().describe("That pulls it down the most."), points: z.number().describe("By which it does, on average.") })).describe("The largest first, at most 200."),
    withheld: z.number().describe("Teammates with too few scored conversations to say anything of them."),
  }),
}); // prettier-ignore
export type Breakdown = z.output<typeof breakdown.output>;

export const list = defineOperation({
  name: "cx.conversations",
  summary: "Conversations with their scores and summaries, the lowest first.",
  permission: "edit",
  input: Range.extend({
    band: z.enum(["all", "low", "middle", "high", "unscored"]).default("all").describe("Below 2.5, up to 3.5, above."),
    driver: z.enum(drivers).optional(),
    polarity: z.union([z.literal(-1), z.literal(1)]).optional(),
    search: z.string().max(200).default(""),
    rule: z.string().max(100).optional().describe("That this rule flagged."),
    part: Part.extend({ name: z.string().max(500) }).optional().describe("Of one part of a breakdown."),
    limit: z.int().min(1).max(500).default(100),
  }),
  output: z.object({
    conversations: z.array(z.object({ id: z.string(), at: z.string(), score: z.number().nullable(), reason: z.string(), channel: z.string(), team: z.string(), account: z.string(), person: z.string(), summary: z.string(), drivers: z.array(z.object({ driver: z.string(), contribution: z.number() })) })),
  }),
}); // prettier-ignore

export const Rule = z.strictObject({
  name: z.string().trim().min(1, "Give it a name.").max(200),
  below: z.number().min(1).max(5).nullable().default(null).describe("The score is below this."),
  above: z.number().min(1).max(5).nullable().default(null).describe("The score is this or more."),
  driver: z.enum(drivers).nullable().default(null),
  polarity: z
    .union([z.literal(-1), z.literal(1)])
    .default(-1)
    .describe("Which way the driver moved it."),
  points: z.number().min(0).max(4).default(0.05).describe("By how much at least."),
  topic: z.string().max(100).default("").describe("Theme, by its id; empty: any."),
  channel: z.string().max(200).default("").describe("Empty: any."),
  team: z.string().max(200).default("").describe("Empty: any."),
  words: z.string().max(200).default("").describe("That the customer wrote; empty: any."),
  trait: z.string().max(500).default("").describe("A trait of the account, such as what it pays; empty: any account."),
  traitIs: z.string().max(500).default("").describe("What the trait is; empty where it is held against `traitFrom`."),
  traitFrom: z.number().nullable().default(null).describe("The trait is this or more."),
  answerOver: z
    .number()
    .min(1)
    .max(100_000)
    .nullable()
    .default(null)
    .describe("Minutes: the first answer came later than this, or has not come."),
  assign: z.string().max(100).default("").describe("Member who is to look at it, by id."),
  digest: z.boolean().default(false).describe("Told together once a day, and not one by one."),
  tag: z
    .string()
    .trim()
    .max(100)
    .default("")
    .describe("Put on the conversation in Intercom, where it came by its API; empty: none."),
  tell: z
    .array(z.string().max(100))
    .max(20)
    .default([])
    .describe("Channels of alerts, by id; none: it is only flagged for review."),
});
export type Rule = z.output<typeof Rule>;

const Quote = z.object({ part: z.string(), start: z.number(), end: z.number() });
export const Detail = z.array(
  z.object({ driver: z.enum(drivers), polarity: z.number(), strength: z.number(), confidence: z.number(), contribution: z.number(), quotes: z.array(Quote) }),
); // prettier-ignore

export const get = defineOperation({
  name: "cx.conversation",
  summary: "One conversation: what was written, the score, why, and how it was scored before.",
  permission: "edit",
  input: z.strictObject({ id: z.string().min(1).max(500) }),
  output: z.object({
    id: z.string(),
    subject: z.string(),
    channel: z.string(),
    team: z.string(),
    account: z.string(),
    person: z.string(),
    state: z.string(),
    rating: z.number().nullable(),
    label: z.number().nullable().describe("What you said of it."),
    isDisputed: z.boolean().describe("People labelled it two points or more apart, and nobody has settled it."),
    parts: z.array(z.object({ id: z.string(), role: z.string(), author: z.string(), isPrivate: z.boolean(), text: z.string(), at: z.string() })),
    scores: z.array(z.object({ model: z.string(), isUsed: z.boolean().describe("False in shadow."), score: z.number().nullable(), reason: z.string(), confidence: z.number(), limited: z.boolean(), other: z.number(), ai: z.number().nullable(), teammate: z.number().nullable(), summary: z.string(), drivers: Detail, scoredAt: z.string() })).describe("First the one that counts."),
  }),
}); // prettier-ignore
export type Conversation = z.output<typeof get.output>;

const Agreement = z.object({
  scorer: z.enum(["model", "one_human", "constant", "judge"]),
  pairs: z.number(),
  kappa: z.number().nullable().describe("Cohen's, with squared weights; 0 is chance."),
  kappaLower: z.number().nullable(),
  kappaUpper: z.number().nullable(),
  rho: z.number().nullable().describe("Spearman's rank correlation."),
  auc: z.number().nullable().describe("How often of two the unhappy one has the lower score."),
  recall: z.number().nullable().describe("Mean share of low, middle and high that is found."),
});
const Trust = z.object({ rows: z.array(Agreement), labelled: z.number(), double: z.number(), verdict: z.enum(["per_conversation", "trends", "do_not_use", "not_enough"]), says: z.string() }); // prettier-ignore

export const trust = defineOperation({
  name: "cx.trust",
  summary: "How far the score may be trusted here: against what people of the workspace said, and against what customers answered. What was labelled is weighed so that it stands for all that was scored.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({
    people: Trust,
    customers: Trust,
    disputed: z.number().describe("Conversations that people labelled two points or more apart, and nobody has settled."),
    bias: z.array(z.object({ kind: z.enum(["language", "channel", "length", "plan"]), name: z.string(), pairs: z.number(), score: z.number(), label: z.number(), gap: z.number(), lower: z.number(), upper: z.number() })).describe("Where the score is above or below what people (or customers, where nobody labelled) say, against everywhere else."),
  }),
}); // prettier-ignore

export const label = defineOperation({
  name: "cx.label",
  summary: "Says what you think of a conversation, from 1 to 5.",
  permission: "edit",
  input: z.strictObject({
    id: z.string().min(1).max(500),
    label: z.number().min(1).max(5),
    settles: z
      .boolean()
      .default(false)
      .describe("What people settled on who labelled it differently; it stands in place of theirs."),
  }),
  output: z.object({ ok: z.literal(true) }),
});

export const next = defineOperation({
  name: "cx.next",
  summary: "A conversation to label: half of them by chance, half where the score is near an edge; every third one that somebody else has labelled, so that people can be compared.",
  permission: "edit",
  input: z.strictObject({}),
  output: z.object({ id: z.string().nullable().describe("Null where none is left.") }),
}); // prettier-ignore

export const rules = defineOperation({
  name: "cx.rules",
  summary: "What is done about conversations as they are scored, and how often it was.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({ rules: z.array(z.object({ id: z.string(), rule: Rule, isOn: z.boolean(), firings: z.number(), last: z.string().nullable(), tags: z.object({ done: z.number(), waiting: z.number(), failed: z.number(), problem: z.string() }).describe("Tags that were put on conversations where they came from.") })) }),
}); // prettier-ignore
export type RuleView = z.output<typeof rules.output>["rules"][number];

export const saveRule = defineOperation({
  name: "cx.saveRule",
  summary: "Writes a rule. Switched on, it looks at what is scored from then on, each conversation once.",
  permission: "edit",
  input: z.strictObject({ id: z.string().max(100).optional(), rule: Rule, isOn: z.boolean() }),
  output: z.object({ id: z.string() }),
});

export const removeRule = defineOperation({
  name: "cx.removeRule",
  summary: "Takes a rule away.",
  permission: "edit",
  input: z.strictObject({ id: z.string().max(100) }),
  output: z.object({ ok: z.literal(true) }),
});

export const tryRule = defineOperation({
  name: "cx.tryRule",
  summary: "What a rule would have done: conversations of a time that it fits. Nothing is told to anybody.",
  permission: "edit",
  input: Range.extend({ rule: Rule }),
  output: z.object({ fits: z.number(), conversations: z.number(), examples: z.array(z.object({ id: z.string(), score: z.number().nullable(), summary: z.string() })) }),
}); // prettier-ignore

const Review = z.object({
  conversation: z.string(),
  rules: z.array(z.string()).describe("Names of the rules that flagged it."),
  at: z.string(),
  assignee: z.string().nullable().describe("Name of whoever is to look at it."),
  isMine: z.boolean(),
  score: z.number().nullable(),
  summary: z.string(),
});

export const reviews = defineOperation({
  name: "cx.reviews",
  summary: "Conversations that rules flagged and nobody has looked at yet, the latest first.",
  permission: "edit",
  onlyLooks: true,
  input: z.strictObject({ mine: z.boolean().default(false).describe("Assigned to you alone.") }),
  output: z.object({ reviews: z.array(Review), members: z.array(z.object({ id: z.string(), name: z.string() })) }),
});

export const review = defineOperation({
  name: "cx.review",
  summary: "Says that a flagged conversation was looked at, or who is to.",
  permission: "edit",
  input: z.strictObject({
    id: z.string().min(1).max(500),
    assignee: z.string().max(100).optional().describe("A member, by id; empty for nobody in particular."),
    done: z.boolean().default(false),
  }),
  output: z.object({ ok: z.literal(true) }),
});
