import { signalsOf, type Signals } from "../cx-score/scorer/signals.ts";
import type { StatementType } from "./types.ts";
import { clausesOf, languageOf, wordsOf } from "../cx-score/scorer/text.ts";

/**
 * What somebody says of what they need and how they see things, sentence by sentence, each by its exact place in the text.
 * Pure; English in full, other languages by what is the same in all of them.
 */

export interface Statement {
  /** UTF-16 places in the text; the end is outside. */
  readonly start: number;
  readonly end: number;
  readonly type: StatementType;
  /** From -1 to 1. */
  readonly sentiment: number;
  /** Of a job to be done: when it comes up, what is wanted, and what for; where each is said. */
  readonly job: Job | undefined;
}

export interface Place {
  readonly start: number;
  readonly end: number;
}
export interface Job {
  readonly when: Place | undefined;
  readonly want: Place;
  readonly so: Place | undefined;
}

const [leastWords, longest] = [3, 600];

const asks = [
  /\b(?:would|it'?d|that'?d) (?:really |also )?be (?:\w+ )?(?:great|nice|helpful|good|useful|cool|amazing|awesome|perfect|better|handy)\b/i,
  /\b(?:please|can you|could you|you should|you could|you need to) (?:just |also )?(?:add|support|allow|enable|include|offer|provide|build|implement|bring back|let us|let me)\b/i,
  /\b(?:i|we) (?:really |just )?(?:wish|hope|would love|'d love|would like|'d like) (?:there|it|you|the|that|to (?:be able|see|have))/i,
  /\b(?:is|are)? ?(?:missing|lacks?|no way to|there is no|there's no|without a way to)\b.*\b(?:option|feature|filter|button|setting|export|import|integration|api|view|way|support|shortcut|search)\b/i,
  /\b(?:feature request|suggestion|one wish|on my wish ?list)\b/i,
  /\b(?:should|needs? to) (?:be able to|have (?:a|an|some)|support|allow|let)\b/i,
];

/** `When …, I want to … so that …`, and shorter forms of it. */
const jobs = [
  /(?<when>\b(?:when(?:ever)?|every time|each time|before|after|at the end of|every (?:morning|week|month|quarter|monday|friday))\b[^,]{0,120}),\s*(?:i|we) (?:usually |always |often |have to |then )?(?<want>(?:want|need|have|try|like|would like|go|use|check|ask|copy|send|build|make|write|prepare|look)\b.{3,200}?)(?:\s+(?<so>so (?:that )?(?:i|we|they|he|she|it)\b.{3,200}|in order to .{3,200}))?$/i,
  /\b(?:i|we)(?:'m| am|'re| are)? (?:just |really |mostly |mainly )?(?<want>(?:trying to|want to|need to|have to|would like to|'d like to|need a way to)\b.{3,200}?)\s+(?<so>so (?:that )?(?:i|we|they|he|she|it|my|our)\b.{3,200}|in order to .{3,200})$/i,
  /\b(?:my|our) (?:main |real )?(?:goal|job|aim|task) (?:here )?is (?<want>(?:to |that ).{3,200}?)(?:\s+(?<so>so (?:that )?(?:i|we|they)\b.{3,200}|in order to .{3,200}))?$/i,
  /\b(?:i|we)(?:'m| am|'re| are) (?<want>trying to .{5,200})$/i,
];

const placeOf = (text: string, part: string | undefined, from: number): Place | undefined => {
  if (part === undefined) return undefined;
  const words = part.replace(/[\s.!?;,]+$/, "");
  const at = text.indexOf(words);
  return at === -1 ? undefined : { start: from + at, end: from + at + words.length };
};

const jobIn = (text: string, from: number): Job | undefined => {
  const plain = text.replace(/[.!?;\s]+$/, "");
  for (const pattern of jobs) {
    const { groups } = pattern.exec(plain) ?? {};
    const want = placeOf(plain, groups?.["want"], from);
    if (want !== undefined) return { when: placeOf(plain, groups?.["when"], from), want, so: placeOf(plain, groups?.["so"], from) }; // prettier-ignore
  }
  return undefined;
};

const sentimentOf = ({ turns }: Signals): number => Number((turns[0]?.valence ?? 0).toFixed(2));

/** From how bad or good on something is a problem or praise. */
const [bad, good] = [-0.2, 0.35];

const typeOf = (text: string, job: Job | undefined, signals: Signals): StatementType | undefined => {
  if (asks.some((pattern) => pattern.test(text))) return "request";
  if (job !== undefined) return "job";
  const [turn] = signals.turns;
  const sentiment = sentimentOf(signals);
  // thanks for help, and that it works now, say nothing of the thing itself
  const { thanks = 0, greets = 0, closes = 0, solved = 0, accepts = 0, praise = 0 } = turn?.counts ?? {};
  const isCourtesy = thanks + greets + closes + solved + accepts > 0 && (praise === 0 || (turn?.words.length ?? 0) < 8);
  if (sentiment <= bad || (turn?.counts.unsolved ?? 0) > 0) return "problem";
  return sentiment >= good && !isCourtesy ? "praise" : undefined;
};

/** Statements of one text, in their order. `lang` as it was told; found where it was not. */
export const statementsIn = (text: string, lang = ""): Statement[] => {
  const language = lang === "" ? languageOf(wordsOf(text).map(({ word }) => word).slice(0, 200)) : lang; // prettier-ignore
  return clausesOf(text).flatMap(({ start, end }): Statement[] => {
    const own = text.slice(start, end);
    if (own.length > longest) return [];
    const signals = signalsOf({ turns: [{ r: "customer", x: own }], lang: language });
    if ((signals.turns[0]?.words.filter(({ word }) => /\p{L}/u.test(word)).length ?? 0) < leastWords) return [];
    const job = signals.limited ? undefined : jobIn(own, start);
    const type = signals.limited ? (sentimentOf(signals) <= bad ? "problem" : sentimentOf(signals) >= good ? "praise" : undefined) : typeOf(own, job, signals); // prettier-ignore
    return type === undefined ? [] : [{ start, end, type, sentiment: sentimentOf(signals), job: type === "job" ? job : undefined }]; // prettier-ignore
  });
};
