import { z } from "zod";
import { engineTime } from "#kernel/sql.ts";
import { drivers } from "../scorer/conversation.ts";
import { points } from "../scorer/score.ts";

/** What a language model said of a conversation, as a score like any other. Pure. */

/** What judgements hold of drivers. */
export const Detail = z.array(z.object({ driver: z.enum(drivers), polarity: z.number(), strength: z.number(), quotes: z.array(z.object({ part: z.string(), start: z.number(), end: z.number() })) })); // prettier-ignore

export const Untold = z.object({ conversation: z.string(), content: z.string(), actor: z.string(), score: z.number(), why: z.string(), detail: z.string(), quoted: z.number(), found: z.number(), at: z.number(), language: z.string(), summary: z.string() }); // prettier-ignore

const round = (value: number): number => Math.round(value * 100) / 100 + 0;
/** Where the summary that is made here says why it scored so. */
const verdictFrom = (summary: string): number => {
  const at = summary.lastIndexOf("It scored ");
  return at === -1 ? summary.length : at;
};

/** A row of `cx_scores`. Drivers weigh as they do in the score that is made here; what they leave is `other`. */
export const scoreRow = (version: string, said: z.output<typeof Untold>, now: number): Record<string, unknown> => {
  const shown = Detail.parse(JSON.parse(said.detail)).map(({ driver, polarity, strength, quotes }) => ({ driver, polarity, strength, confidence: quotes.length > 0 ? 1 : 0, contribution: round(points[driver] * polarity * strength), quotes })); // prettier-ignore
  const handler = (name: (typeof drivers)[number]): number | null => {
    const own = shown.find(({ driver }) => driver === name);
    return own === undefined ? null : round(3 + 2 * Math.tanh(1.1 * own.polarity * own.strength));
  };
  const explained = shown.reduce((sum, { contribution }) => sum + contribution, 0);
  return {
    conversation: said.conversation,
    model: version,
    content: said.content,
    actor: said.actor,
    at: engineTime(said.at),
    score: said.score,
    reason: "scored",
    language: said.language,
    limited: 0,
    // how much of what it quotes is there
    confidence: said.quoted === 0 ? 0 : round(said.found / said.quoted),
    other: round(said.score - 3 - explained),
    ai: handler("ai_answer_quality"),
    teammate: handler("teammate_answer_quality"),
    drivers: shown.map(({ driver }) => driver),
    contributions: shown.map(({ contribution }) => contribution),
    detail: JSON.stringify(shown),
    summary: `${said.summary.slice(0, verdictFrom(said.summary))}${said.why}`.trim(),
    scored: engineTime(now),
  };
};
