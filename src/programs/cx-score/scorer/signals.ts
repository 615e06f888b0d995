import type { Conversation, TurnRole } from "./conversation.ts";
import { emotionsOf } from "./heads.ts";
import { hitsIn, noCounts, openingDeeds, type Counts, type Hit } from "./lexicon.ts";
import { salts } from "./salts.ts";
import { clausesOf, languageOf, wordsOf, type Span, type Word } from "./text.ts";

/** What stands in each turn, before anything is made of it. */
export interface TurnSignals {
  readonly at: number;
  readonly role: TurnRole;
  readonly isCustomer: boolean;
  readonly text: string;
  readonly t: number | undefined;
  readonly words: readonly Word[];
  readonly hits: readonly Hit[];
  /** How often each sign stands in it. */
  readonly counts: Counts;
  readonly asks: boolean;
  /** Made once, where they are asked for. */
  readonly held: { set?: ReadonlySet<string>; clauses?: readonly Clause[] };
  /** Bits of its words: see `maskOf`. */
  readonly low: number;
  readonly high: number;
  readonly shouts: number;
  /** From −1 to 1: how a customer sounds; 0 for those who answer. */
  readonly valence: number;
  /** Chances by the emotion heads; of customers in a known language alone. */
  readonly emotion: Readonly<Record<"positive" | "negative" | "anger" | "annoyance" | "disappointment" | "gratitude" | "joy" | "admiration", number>>;
} // prettier-ignore

export const clamp = (value: number, from = -1, to = 1): number => Math.min(to, Math.max(from, value));

const still = { positive: 0, negative: 0, anger: 0, annoyance: 0, disappointment: 0, gratitude: 0, joy: 0, admiration: 0 } as const; // prettier-ignore
const goodFaces = /[\u{1F600}-\u{1F60D}\u{1F970}\u{1F929}\u{1F44D}\u{1F44F}\u{1F64F}\u{2764}\u{1F495}\u{1F496}\u{1F389}\u{1F64C}\u{1F618}]|[:;=]-?[)D]/gu; // prettier-ignore
const badFaces = /[\u{1F620}-\u{1F629}\u{1F62D}\u{1F92C}\u{1F44E}\u{1F612}\u{1F614}\u{1F61E}-\u{1F61F}\u{1F641}\u{2639}\u{1F494}\u{1F644}]|[:=]-?[(/]/gu; // prettier-ignore

/** How a customer sounds, from words, heads, faces and marks. */
const valenceOf = (counts: TurnSignals["counts"], emotion: TurnSignals["emotion"], text: string, shouts: number): number => {
  const n = (sign: keyof Counts): number => Math.min(2, counts[sign]);
  const faces = facesIn(text);
  const good = 0.45 * n("praise") + 0.5 * n("solved") + 0.3 * n("thanks") + 0.15 * n("accepts");
  const bad = 0.4 * n("negative") + 0.6 * n("strong") + 0.5 * n("threat") + 0.4 * n("unsolved") + 0.25 * n("effort") + 0.3 * n("escalate") + 0.2 * n("corrects") + 0.1 * n("confused");
  const felt = emotion.positive - emotion.negative;
  const sum = good - bad + 0.6 * felt + 0.3 * clamp(faces);
  return clamp(sum - (sum < 0.2 ? 0.1 * Math.min(3, shouts) : 0));
}; // prettier-ignore

const openers = new Set(["hi", "hello", "hey", "ok", "okay", "so", "and", "but", "well", "yes", "no", "great", "cool", "thanks"]); // prettier-ignore
const askers = new Set(["what", "how", "when", "where", "who", "why", "which", "can", "could", "does", "do", "did", "is", "are", "will", "would", "should"]); // prettier-ignore
/** After those a sentence goes on that is no question. */
const exclaimed = new Set(["a", "an", "dare", "not", "never", "good", "bad"]);

/** Whether something is asked: in chats many leave the mark out. */
const asksIn = (text: string, words: readonly Word[]): boolean => {
  if (text.includes("?") || text.includes("？")) return true;
  let at = 0;
  while (at < 3 && openers.has(words[at]?.word ?? "")) at += 1;
  const after = words[at + 1]?.word;
  return after !== undefined && askers.has(words[at]?.word ?? "") && !exclaimed.has(after);
};

const [upper, lower, mark] = [1, 2, 3] as const;
const shapes = new Uint8Array(128).map((_, code) => (code >= 65 && code <= 90 ? upper : code >= 97 && code <= 122 ? lower : code === 33 || code === 63 ? mark : 0)); // prettier-ignore

/** Capitals throughout, and marks one after another. */
const shoutsIn = (text: string): number => {
  let [uppers, lowers, run, most] = [0, 0, 0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const shape = code < 128 ? shapes[code] : code === 0xff01 || code === 0xff1f ? mark : 0;
    if (shape === lower) lowers += 1;
    else if (shape === upper) uppers += 1;
    run = shape === mark ? run + 1 : 0;
    if (run > most) most = run;
  }
  const letters = uppers + lowers;
  return (letters >= 8 && uppers / letters > 0.6 ? 2 : 0) + (most > 1 ? 1 : 0);
};

/** Faces that laugh, less those that do not. */
const facesIn = (text: string): number =>
  /[:;=\u2600-\uffff]/.test(text) ? (text.match(goodFaces)?.length ?? 0) - (text.match(badFaces)?.length ?? 0) : 0;

export interface Signals {
  readonly turns: readonly TurnSignals[];
  readonly customer: readonly TurnSignals[];
  readonly lang: string;
  /** Words mean nothing to the scorer in this language. */
  readonly limited: boolean;
}

/** Praise that is answered with an apology, or by asking for details to look into it, was none. */
const isIronic = ({ isCustomer, valence, counts }: TurnSignals, next: TurnSignals | undefined): boolean =>
  isCustomer && valence > 0.3 && counts.thanks === 0 && counts.solved === 0 && next?.isCustomer === false && next.counts.thanks === 0 && (next.counts.sorry > 0 || next.counts.defers > 1); // prettier-ignore

const isSoured = ({ negative, strong, threat, unsolved, effort, escalate }: Counts): boolean =>
  negative + strong + threat + unsolved + effort + escalate > 0;

/** A bit of 32 for each word whose bit is in this half: a word whose bit is missing is missing. */
const maskOf = (words: readonly Word[], half: 0 | 1): number => {
  let mask = 0;
  for (let at = 0; at < words.length; at += 1) {
    const { word = "", id = 0 } = words[at] ?? {};
    const code = id === 0 ? (word.charCodeAt(0) << 16) ^ (word.charCodeAt(word.length - 1) << 8) ^ word.length : id;
    const bit = Math.imul(code, 0x9e3779b1) >>> 26;
    if (bit >>> 5 === half) mask |= 1 << (bit & 31);
  }
  return mask;
};

/** Enough of them to tell the language by. */
const firstWords = (turns: readonly Pick<TurnSignals, "words">[]): string[] => {
  const found: string[] = [];
  for (const { words } of turns) for (const { word } of words) if (found.push(word) === 400) return found;
  return found;
};

const called = new Set(["agent", "human", "person", "representative", "operator", "advisor", "someone", "people"]);
/** Nothing but a word for somebody who answers, as people write to what does not understand them: `AGENT!`. */
const isCall = (words: readonly Word[]): boolean =>
  words.length <= 2 && called.has(words[0]?.word ?? "") && (words.length < 2 || /^[!?]+$/.test(words[1]?.word ?? ""));

const hitsOf = (words: readonly Word[], text: string, isCustomer: boolean): readonly Hit[] => {
  if (isCustomer) return isCall(words) ? [{ sign: "escalate", from: 0, to: 1 }] : hitsIn(words);
  const hits = hitsIn(words);
  const deeds = openingDeeds(words, text, hits);
  return deeds.length === 0 ? hits : [...hits, ...deeds].sort((a, b) => a.from - b.from);
};

export const signalsOf = ({ turns, lang }: Conversation): Signals => {
  const read = turns.map(({ r, x, t }, at) => ({ at, role: r, text: x, t, words: wordsOf(x) }));
  const found =
    lang === undefined || lang === ""
      ? languageOf(firstWords(read.filter(({ role }) => role === "customer")))
      : lang.slice(0, 2).toLowerCase();
  const limited = found !== "en";
  let isSour = false;
  const all = read.map((turn): TurnSignals => {
    const isCustomer = turn.role === "customer";
    const shouts = shoutsIn(turn.text);
    const heard = limited ? [] : hitsOf(turn.words, turn.text, isCustomer);
    const counts = noCounts();
    for (const { sign } of heard) counts[sign] += 1;
    isSour ||= isCustomer && (shouts > 0 || isSoured(counts));
    // whoever asks to cancel something does not threaten to, where nothing was amiss
    const isThreat = isSour && counts.leaves > 0;
    if (isThreat) counts.threat += counts.leaves;
    const meant = isThreat ? heard.map((hit) => (hit.sign === "leaves" ? { ...hit, sign: "threat" as const } : hit)) : heard; // prettier-ignore
    // whoever threatens does not praise: `Great service, I will never order here again`
    const isMocking = isCustomer && counts.threat > 0 && counts.praise + counts.accepts > 0;
    if (isMocking) counts.praise = counts.accepts = 0;
    const hits = isMocking ? meant.filter(({ sign }) => sign !== "praise" && sign !== "accepts") : meant;
    const emotion = isCustomer && !limited && turn.words.length > 0 ? emotionsOf(turn.words, salts.text) : still;
    return { at: turn.at, role: turn.role, text: turn.text, t: turn.t, words: turn.words, low: maskOf(turn.words, 0), high: maskOf(turn.words, 1), held: {}, isCustomer, hits, counts, asks: asksIn(turn.text, turn.words), shouts, emotion, valence: isCustomer ? valenceOf(counts, emotion, turn.text, shouts) : 0 }; // prettier-ignore
  });
  const heard = all.map((turn, at) => (isIronic(turn, all[at + 1]) ? { ...turn, held: {}, valence: -0.4, counts: { ...turn.counts, praise: 0, accepts: 0, negative: turn.counts.negative + 1 }, emotion: { ...turn.emotion, positive: turn.emotion.negative, negative: turn.emotion.positive, joy: 0, admiration: 0, gratitude: 0 } } : turn)); // prettier-ignore
  return { turns: heard, customer: heard.filter(({ isCustomer }) => isCustomer), lang: found, limited };
};

const setOf = ({ held, words }: TurnSignals): ReadonlySet<string> =>
  (held.set ??= new Set(words.map(({ word }) => word)));

const bitsIn = (mask: number): number => {
  let count = mask - ((mask >>> 1) & 0x55555555);
  count = (count & 0x33333333) + ((count >>> 2) & 0x33333333);
  return Math.imul((count + (count >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

/** Whether of the words of the shorter more than a share is in the other. */
const isAlike = (a: TurnSignals, b: TurnSignals, share: number): boolean => {
  const [least, most] = [Math.min(a.words.length, b.words.length), Math.max(a.words.length, b.words.length)];
  if (least * 2.5 < most) return false;
  // most are told apart without comparing words
  const mine = bitsIn(a.low & ~b.low) + bitsIn(a.high & ~b.high);
  const its = bitsIn(b.low & ~a.low) + bitsIn(b.high & ~a.high);
  if (Math.min(mine, its) >= Math.ceil((1 - share) * least)) return false;
  const [one, other] = [setOf(a), setOf(b)];
  const [small, large] = one.size < other.size ? [one, other] : [other, one];
  let left = Math.ceil((1 - share) * small.size); // so many may be missing, and no more
  for (const word of small) {
    if (large.has(word)) continue;
    left -= 1;
    if (left <= 0) return false;
  }
  return true;
};

/** How far back somebody is heard to say the same again. */
const furthest = 4;

/** Whether a turn says what one of the last few before a place, of the same side, said. */
export const isRepeated = (turn: TurnSignals, all: readonly TurnSignals[], place: number, words: number, share: number): boolean => {
  if (turn.words.length < words) return false;
  for (let at = Math.max(0, place - furthest); at < place; at += 1) {
    const one = all[at];
    if (one !== undefined && one.words.length >= words && isAlike(one, turn, share)) return true;
  }
  return false;
}; // prettier-ignore

export interface Clause extends Span {
  readonly turn: number;
  /** Signs that begin in it. */
  readonly counts: Counts;
  readonly from: number;
  readonly to: number;
}

/** The clauses of a turn with the signs in each. */
export const clausesIn = (turn: TurnSignals): readonly Clause[] => (turn.held.clauses ??= readClauses(turn));

const readClauses = ({ at, text, words, hits }: TurnSignals): Clause[] => {
  let place = 0;
  return clausesOf(text).map(({ start, end }) => {
    while (place < words.length && (words[place]?.start ?? 0) < start) place += 1;
    const from = place;
    while (place < words.length && (words[place]?.end ?? 0) <= end) place += 1;
    const to = place;
    const counts = noCounts();
    for (const hit of hits) if (hit.from >= from && hit.from < to) counts[hit.sign] += 1;
    return { turn: at, start, end, counts, from, to };
  });
};
