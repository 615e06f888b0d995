import { featuresOf, featuresOfAll } from "./features.ts";
import {
  drivers,
  type Conversation,
  type Driver,
  type DriverName,
  type Quote,
  type Reason,
  type Scored,
} from "./conversation.ts";
import { chance, logOdds } from "./heads.ts";
import type { Sign } from "./lexicon.ts";
import { salts } from "./salts.ts";
import { clamp, clausesIn, isRepeated, signalsOf, type Clause, type Signals, type TurnSignals } from "./signals.ts";
import { summaryOf } from "./summary.ts";
import { isOpening } from "./text.ts";

/**
 * A conversation's score, from 1 to 5, with what moved it. Deterministic: the same turns give the same answer. Weights of
 * the drivers are those of docs/cx-score.md; what no driver explains is `other`.
 */

const round = (value: number, digits = 3): number => Number(value.toFixed(digits)) + 0;
/** The chance that a sign is wrong. */
const not = (one: number): number => (one <= 0 ? 1 : one >= 1 ? 0 : 1 - one);
/** Of several independent signs, the chance that at least one is right. */
const any = (all: readonly number[]): number => 1 - all.reduce((left, one) => left * not(one), 1);
/** How often any of some signs stands in something. */
const hasAny = ({ counts }: Pick<TurnSignals, "counts">, signs: readonly Sign[]): number => {
  let sum = 0;
  for (const sign of signs) sum += counts[sign];
  return sum;
};
/** The same of signs that are named, without a list of them: it is asked many times a turn. */
const has = ({ counts }: Pick<TurnSignals, "counts">, one: Sign, two?: Sign, three?: Sign, four?: Sign, five?: Sign): number =>
  counts[one] + (two === undefined ? 0 : counts[two]) + (three === undefined ? 0 : counts[three]) + (four === undefined ? 0 : counts[four]) + (five === undefined ? 0 : counts[five]); // prettier-ignore

interface Found {
  /** From −1 to 1. */
  readonly value: number;
  readonly confidence: number;
  readonly evidence: readonly Evidence[];
}

/** A turn that shows it, and the signs by which its clauses are chosen from. */
interface Evidence {
  readonly turn: TurnSignals;
  readonly weight: number;
  readonly signs: readonly Sign[];
}
/** Nobody says what was waited for, nor what adds up: then the last words stand for it, so that nothing is without a quote. */
const shownBy = (evidence: readonly Evidence[], turns: readonly TurnSignals[], signs: readonly Sign[]): readonly Evidence[] => {
  const last = turns.findLast(({ words }) => words.length > 0);
  return evidence.some(({ weight }) => weight > 0) || last === undefined ? evidence : [{ turn: last, weight: 1, signs }];
}; // prettier-ignore
const nothing: Found = { value: 0, confidence: 0, evidence: [] };

const nextOf = (turns: readonly TurnSignals[], at: number, isCustomer: boolean): TurnSignals | undefined => {
  for (let place = at + 1; place < turns.length; place += 1)
    if (turns[place]?.isCustomer === isCustomer) return turns[place];
  return undefined;
};
const lastBefore = (turns: readonly TurnSignals[], at: number): TurnSignals | undefined => {
  for (let place = at - 1; place >= 0; place -= 1) if (turns[place]?.isCustomer === true) return turns[place];
  return undefined;
};

/** How what was answered was taken, from −1 to 1; undefined where the customer said nothing more, or nothing that tells. */
const reactionTo = (turns: readonly TurnSignals[], at: number): { readonly value: number; readonly turn: TurnSignals } | undefined => {
  const next = nextOf(turns, at, true);
  const replied = nextOf(turns, at, false);
  // what somebody else answered in between is what was taken up
  if (next === undefined || (replied !== undefined && replied.at < next.at && replied.role !== turns[at]?.role)) return undefined;
  const before = lastBefore(turns, at);
  const isRepeat = before !== undefined && isRepeated(next, [before], 1, 4, 0.75);
  const good = 0.9 * Math.min(1, has(next, "solved")) + 0.5 * Math.min(1, has(next, "thanks", "praise")) + 0.3 * Math.min(1, has(next, "accepts"));
  const bad = 0.9 * Math.min(1, has(next, "unsolved")) + 0.6 * Math.min(1, has(next, "negative", "strong")) + 0.7 * Math.min(1, has(next, "threat")) + 0.6 * Math.min(1, has(next, "escalate")) + 0.5 * Math.min(1, has(next, "corrects")) + 0.3 * Math.min(1, has(next, "confused", "effort")) + (isRepeat ? 0.6 : 0);
  // asked again, and left there
  if (good === 0 && bad === 0 && next.asks && next === turns.at(-1)) return { value: clamp(0.7 * next.valence - 0.4), turn: next };
  if (good === 0 && bad === 0) return Math.abs(next.valence) > 0.3 ? { value: clamp(0.7 * next.valence), turn: next } : undefined;
  return { value: clamp(good - bad + 0.3 * next.valence), turn: next };
}; // prettier-ignore

const isUpper = (code: number): boolean => code >= 65 && code <= 90;
/** How many numbers and names a reply gives, of at most `most`, that were not in what was asked. */
const specificsIn = ({ words, text }: TurnSignals, asked: TurnSignals | undefined, most: number): number => {
  let found = 0;
  for (let at = 0; at < words.length && found < most; at += 1) {
    const one = words[at];
    if (one === undefined) break;
    const isName = isUpper(text.charCodeAt(one.start)) && one.end - one.start > 1;
    if (one.word !== "0" && (!isName || isOpening(text, one.start))) continue;
    if (asked === undefined || !asked.text.includes(text.slice(one.start, one.end))) found += 1;
  }
  return found;
};

/** What a reply is worth by itself. */
const worthOf = (
  turn: TurnSignals,
  own: readonly TurnSignals[],
  place: number,
  asked: TurnSignals | undefined,
): number => {
  const n = (sign: Sign): number => Math.min(2, turn.counts[sign]);
  const isCopy = isRepeated(turn, own, place, 8, 0.9);
  const detail = Math.min(1, turn.words.length / 60);
  const isPlain = has(turn, "refuses", "defers") === 0;
  // a question was asked, and something was said that neither refuses, nor defers, nor asks back
  const direct = asked?.asks === true && !turn.asks && isPlain && turn.words.length >= 4 ? 0.2 : 0;
  const specific = isPlain ? 0.12 * specificsIn(turn, asked, 3) : 0;
  const good =
    0.55 * n("done") + 0.22 * n("answers") + 0.15 * Math.min(1, n("empathy")) + 0.2 * detail + direct + specific;
  const bad = 0.4 * n("refuses") + 0.18 * n("defers") + (turn.words.length < 4 ? 0.15 : 0) + (isCopy ? 0.4 : 0);
  return clamp(good - bad);
};

const answerOf = ({ turns, limited }: Signals, role: "ai_agent" | "human_agent"): Found | undefined => {
  const own = turns.filter((turn) => turn.role === role && turn.words.length > 0);
  if (own.length === 0) return undefined;
  const last = own.at(-1);
  const ends = turns.at(-1);
  const evidence: Evidence[] = [];
  let [sum, whole] = [0, 0];
  for (const [place, turn] of own.entries()) {
    const isLast = turn === last;
    const isGreeting = place === 0 && has(turn, "greets") > 0 && turn.words.length < 14 && !isLast;
    const before = lastBefore(turns, turn.at);
    const isPraised = before !== undefined && !before.asks && before.valence > 0.4; // nothing was wanted
    const worth = limited || isGreeting || isPraised ? 0 : worthOf(turn, own, place, before);
    const reaction = reactionTo(turns, turn.at);
    const isHandedOver = role === "ai_agent" && nextOf(turns, turn.at, false)?.role === "human_agent";
    const isClosing = has(turn, "closes") > 0 && has(turn, "refuses", "defers", "answers", "done") === 0 && turn.words.length < 30;
    // a reply that nobody took up is judged by itself; one that only closes says nothing
    let value = reaction === undefined ? (isClosing ? 0 : worth) : 0.35 * worth + 0.75 * reaction.value;
    if (isHandedOver) value -= 0.35;
    if (isLast && reaction === undefined && turn.asks && has(turn, "closes") === 0 && specificsIn(turn, before, 1) === 0) value -= 0.2; // the customer left
    const weight = (isLast ? 3 : 1) * (reaction === undefined && isClosing ? 0.2 : reaction === undefined && !isLast ? 0.4 : 1);
    sum += clamp(value) * weight;
    whole += weight;
    if (Math.abs(value) < 0.15) continue;
    evidence.push({ turn, weight: weight * Math.abs(value), signs: value < 0 ? ["refuses", "defers"] : ["done", "answers"] });
    if (reaction !== undefined) evidence.push({ turn: reaction.turn, weight: weight * Math.abs(value), signs: value < 0 ? ["unsolved", "corrects", "escalate", "negative", "strong", "threat"] : ["solved", "thanks", "praise", "accepts"] });
  }
  // whoever asks or complains last was not answered
  const isLeft = ends !== undefined && ends.isCustomer && has(ends, "thanks", "solved", "accepts", "closes") === 0 && (ends.asks || ends.valence < -0.1) && last !== undefined;
  const value = clamp(sum / Math.max(1, whole) - (isLeft && turns.filter(({ isCustomer }) => !isCustomer).at(-1)?.role === role ? 0.3 : 0));
  return { value, confidence: clamp(0.35 + 0.1 * own.length + 0.4 * Math.abs(value), 0, 0.95), evidence: shownBy(evidence, own, value < 0 ? ["refuses", "defers"] : ["done", "answers"]) };
}; // prettier-ignore

/** How bad and how good a turn of a customer sounds, from 0 to 1: as `any`, without a list of them for each. */
const badOf = (turn: TurnSignals): number => {
  const { anger, annoyance, disappointment, negative } = turn.emotion;
  // the heads know web comments; of a plain question they hear more than is in it
  const heard = has(turn, "negative", "strong", "threat", "unsolved", "effort") > 0 ? 1 : turn.asks ? 0.3 : 0.6;
  return 1 - not(0.12 * has(turn, "unsolved")) * not(0.08 * has(turn, "effort")) * not(0.3 * has(turn, "negative")) * not(0.5 * has(turn, "strong")) * not(0.45 * has(turn, "threat")) * not(0.12 * turn.shouts * Number(turn.valence < 0)) * not(heard * 0.9 * anger) * not(heard * 0.7 * annoyance) * not(heard * 0.7 * disappointment) * not(heard * 0.35 * negative);
}; // prettier-ignore
const goodOf = (turn: TurnSignals): number => {
  const { gratitude, joy, admiration, positive } = turn.emotion;
  return 1 - not(0.35 * has(turn, "praise")) * not(0.12 * has(turn, "thanks")) * not(0.15 * has(turn, "solved")) * not(0.25 * gratitude) * not(0.6 * joy) * not(0.5 * admiration) * not(0.15 * positive);
}; // prettier-ignore

const emotionOf = ({ customer }: Signals): Found => {
  const evidence: Evidence[] = [];
  const negatives: number[] = [];
  const positives: number[] = [];
  for (const [place, turn] of customer.entries()) {
    const late = customer.length === 1 ? 1 : 0.6 + (0.4 * place) / (customer.length - 1); // the end stays in mind
    const [bad, good] = [badOf(turn), goodOf(turn)];
    const lean = turn.valence < 0 ? bad : good;
    const other = turn.valence < 0 ? good : bad;
    (turn.valence < 0 ? negatives : positives).push(late * Math.max(0, lean - 0.5 * other));
    if (Math.abs(turn.valence) > 0.05) evidence.push({ turn, weight: late * Math.abs(turn.valence), signs: turn.valence < 0 ? ["strong", "threat", "negative", "unsolved"] : ["praise", "thanks", "solved"] });
  }
  const most = (all: readonly number[]): number => 0.7 * Math.max(0, ...all) + 0.3 * (all.reduce((a, b) => a + b, 0) / Math.max(1, customer.length));
  const value = clamp(most(positives) - 1.15 * most(negatives));
  return { value: Math.abs(value) < 0.08 ? 0 : value, confidence: clamp(0.3 + 0.6 * Math.abs(value), 0, 0.95), evidence: shownBy(evidence.filter(({ turn }) => value < 0 === turn.valence < 0), customer, []) };
}; // prettier-ignore

const hour = 3_600;
const effortOf = ({ turns, customer }: Signals): Found => {
  const evidence: Evidence[] = [];
  let hits = 0;
  let repeats = 0;
  for (const [place, turn] of customer.entries()) {
    const own = has(turn, "effort") + 0.7 * has(turn, "escalate") + 0.4 * has(turn, "unsolved");
    hits += Math.min(2.5, own);
    if (own > 0) evidence.push({ turn, weight: own, signs: ["effort", "escalate", "unsolved"] });
    if (!isRepeated(turn, customer, place, 5, 0.7)) continue;
    repeats += 1;
    evidence.push({ turn, weight: 0.5, signs: ["effort", "unsolved"] });
  }
  const handlers = new Set(turns.filter(({ isCustomer }) => !isCustomer).map(({ role }) => role)).size;
  const waits: number[] = [];
  for (let at = 1; at < turns.length; at += 1) {
    const [before, turn] = [turns[at - 1], turns[at]];
    if (turn?.isCustomer === false && before?.isCustomer === true && turn.t !== undefined && before.t !== undefined) waits.push(turn.t - before.t);
  }
  waits.sort((a, b) => a - b);
  const wait = waits[Math.floor(0.9 * (waits.length - 1))] ?? 0;
  const waited = wait > 24 * hour ? 0.3 : wait > 2 * hour ? 0.15 : 0;
  const strength = any([0.22 * hits, 0.25 * repeats, handlers > 1 ? 0.15 : 0, waited, 0.02 * Math.max(0, customer.length - 8)]);
  if (strength >= 0.12) return { value: -strength, confidence: clamp(0.3 + 0.5 * strength, 0, 0.9), evidence: shownBy(evidence, customer, ["effort", "unsolved"]) };
  const isShort = customer.length <= 3 && customer.some((turn) => has(turn, "solved", "praise") > 0) && customer.every((turn) => turn.valence > -0.1);
  return isShort ? { value: 0.3, confidence: 0.4, evidence: customer.map((turn) => ({ turn, weight: has(turn, "solved", "praise"), signs: ["solved", "praise"] })) } : nothing;
}; // prettier-ignore

/** Feedback on something: what is said of it in the clauses that speak of it. */
const feedbackOf = ({ customer }: Signals, about: "product" | "policy"): Found => {
  const evidence: Evidence[] = [];
  const [bad, good]: [number[], number[]] = [[], []];
  for (const turn of customer) {
    if (has(turn, about) === 0) continue;
    for (const clause of clausesIn(turn)) {
      if (has(clause, about) === 0) continue;
      const words = turn.words.slice(clause.from, clause.to);
      const features = featuresOf(words, salts.text);
      const topic = chance(logOdds(about, features));
      const felt = chance(logOdds("positive", features)) - chance(logOdds("negative", features));
      const value = clamp(0.4 * has(clause, "praise", "solved") - 0.45 * has(clause, "negative", "unsolved") - 0.55 * has(clause, "strong", "threat") - 0.15 * has(clause, "effort") + 0.5 * felt + 0.4 * turn.valence);
      if (Math.abs(value) < 0.15) continue;
      (value < 0 ? bad : good).push(Math.abs(value) * (0.5 + 0.5 * topic) * Math.min(1, 0.6 + 0.2 * has(clause, about)));
      evidence.push({ turn, weight: value * (1 + 0.2 * has(clause, about)), signs: value < 0 ? [about, "negative", "unsolved", "strong"] : [about, "praise", "solved"] });
    }
  }
  const value = clamp(any(good) - any(bad));
  return Math.abs(value) < 0.1 ? nothing : { value, confidence: clamp(0.25 + 0.6 * Math.abs(value), 0, 0.9), evidence: evidence.filter(({ weight }) => weight < 0 === value < 0).map((one) => ({ ...one, weight: Math.abs(one.weight) })) };
}; // prettier-ignore

/** So many turns are looked at for three quotes. */
const mostShown = 6;

/** The heaviest first, of equal ones the earliest turn: few of many, so the many are not sorted. */
const heaviest = (evidence: readonly Evidence[]): readonly Evidence[] => {
  const shown: Evidence[] = [];
  for (const one of evidence) {
    const isAfter = (other: Evidence): boolean => other.weight > one.weight || (other.weight === one.weight && other.turn.at <= one.turn.at);
    const least = shown.at(-1);
    if (one.weight <= 0 || (shown.length === mostShown && least !== undefined && isAfter(least))) continue;
    if (shown.length === mostShown) shown.pop();
    let place = shown.length;
    while (place > 0 && !isAfter(shown[place - 1] ?? one)) place -= 1;
    shown.splice(place, 0, one);
  }
  return shown;
}; // prettier-ignore

/** At most three clauses, the heaviest first, each once. */
const quotesOf = (evidence: readonly Evidence[]): Quote[] => {
  const shown = heaviest(evidence);
  const clauses = shown.flatMap(({ turn, weight, signs }) => clausesIn(turn).map((clause) => ({ turn, clause, signs, weight: weight * (0.2 + hasAny(clause, signs)) })));
  const seen = new Set<Clause>();
  const isShown = clauses.some(({ signs, clause }) => hasAny(clause, signs) > 0);
  return clauses
    .filter(({ signs, clause }) => !isShown || hasAny(clause, signs) > 0)
    .toSorted((a, b) => b.weight - a.weight || a.turn.at - b.turn.at || a.clause.start - b.clause.start)
    .filter(({ clause }) => !seen.has(clause) && seen.add(clause))
    .slice(0, 3)
    .map(({ turn, clause: { start, end } }) => {
      const to = Math.min(end, start + 300);
      return { turn: turn.at, start, end: to, text: turn.text.slice(start, to) };
    });
}; // prettier-ignore

/** Points at full strength. */
export const points: Readonly<Record<DriverName, number>> = { ai_answer_quality: 1.5, teammate_answer_quality: 1.5, customer_effort: 0.6, strong_emotion: 1.3, product_feedback: 0.15, policy_feedback: 0.45 }; // prettier-ignore

/** What words that most conversations share say of how it went. */
const otherOf = ({ turns, customer, limited }: Signals): number => {
  const agents = turns.filter(({ isCustomer }) => !isCustomer);
  const features = featuresOfAll([...customer.slice(-3), ...agents.slice(-3)].map((turn) => [turn.words, turn.isCustomer ? salts.customer : salts.agent])); // prettier-ignore
  // that somebody ends politely undoes no complaint
  const soured = customer.some(({ valence }) => valence < -0.3) ? 0.15 : 1;
  const heard = limited ? 0 : 0.16 * clamp(logOdds("success", features) - 1, -2.5, 2.5) - 0.16 * clamp(logOdds("annoyed", features) + 3, -2.5, 2.5); // prettier-ignore
  const learnt = heard > 0 ? soured * heard : heard;
  const [first, last] = [customer[0]?.valence ?? 0, customer.at(-1)?.valence ?? 0];
  // a word that says little does not undo a complaint
  const ends = Math.abs(last) > 0.2 || customer.length === 1 ? last : 0.6 * first;
  const course = 0.3 * ends + (customer.length > 1 ? 0.15 * (ends - first) : 0);
  const unanswered = agents.length === 0 ? -0.7 : 0;
  const polite = customer.some((turn) => has(turn, "thanks") > 0 && turn.at >= turns.length - 3) ? 0.15 : 0; // prettier-ignore
  return learnt + course + unanswered + polite;
};

const lone = (signals: Signals): Reason => {
  const { customer, turns, limited } = signals;
  if (turns.length === 0) return "no_turns";
  if (!customer.some((turn) => turn.words.length > 0)) return "no_customer_text";
  if (customer.every((turn) => has(turn, "automatic") > 0)) return "automatic_reply";
  const answered = turns.some((turn) => !turn.isCustomer && turn.words.length > 0);
  if (!answered && customer.flatMap((turn) => turn.words).filter(({ word }) => /\p{L}/u.test(word)).length < 3)
    return "too_little_text";
  if (limited && turns.length < 3) return "too_short_for_language";
  return "scored";
};

export const scoreConversation = (conversation: Conversation): Scored => {
  const signals = signalsOf(conversation);
  const { lang, limited, turns } = signals;
  const reason = lone(signals);
  if (reason !== "scored") return { score: null, eligible: false, reason, confidence: 0, limited, lang, other: 0, drivers: [], handlers: { ai_agent: null, human_agent: null }, summary: "" }; // prettier-ignore

  const [ai, teammate] = [answerOf(signals, "ai_agent"), answerOf(signals, "human_agent")];
  const found: Readonly<Record<DriverName, Found | undefined>> = {
    ai_answer_quality: ai,
    teammate_answer_quality: teammate,
    customer_effort: effortOf(signals),
    strong_emotion: emotionOf(signals),
    product_feedback: feedbackOf(signals, "product"),
    policy_feedback: feedbackOf(signals, "policy"),
  };
  // where both answered, whoever ended it counts more
  const isEndedBy = turns.filter(({ isCustomer }) => !isCustomer).at(-1)?.role;
  const shareOf = (name: DriverName): number => {
    if (ai === undefined || teammate === undefined) return 1;
    if (name === "ai_answer_quality") return isEndedBy === "ai_agent" ? 0.7 : 0.3;
    return name === "teammate_answer_quality" ? (isEndedBy === "human_agent" ? 0.7 : 0.3) : 1;
  };
  const all = drivers.flatMap((driver): Driver[] => {
    const one = found[driver];
    if (one === undefined || Math.abs(one.value) < 0.05) return [];
    return [{ driver, polarity: one.value < 0 ? -1 : 1, strength: round(Math.abs(one.value)), confidence: round(one.confidence), contribution: points[driver] * shareOf(driver) * one.value, quotes: quotesOf(one.evidence) }]; // prettier-ignore
  });
  const other = otherOf(signals);
  const sum = other + all.reduce((total, { contribution }) => total + contribution, 0);
  // squashed into 1 to 5; contributions are told in the points that they have become
  const score = 3 + 2 * Math.tanh(sum / 2);
  const kept = sum === 0 ? 1 : (score - 3) / sum;
  const certain = all.reduce((total, { confidence, contribution }) => total + confidence * Math.abs(contribution), 0);
  const whole = all.reduce((total, { contribution }) => total + Math.abs(contribution), 0);
  const handler = (one: Found | undefined): number | null => (one === undefined ? null : round(3 + 2 * Math.tanh(1.1 * one.value), 2)); // prettier-ignore
  return {
    score: round(score, 2),
    eligible: true,
    reason,
    confidence: round((whole === 0 ? 0.3 : certain / whole) * (limited ? 0.5 : 1)),
    limited,
    lang,
    other: round(other * kept, 2),
    drivers: all.map((one) => ({ ...one, contribution: round(one.contribution * kept, 2) })),
    handlers: { ai_agent: handler(ai), human_agent: handler(teammate) },
    summary: summaryOf(signals, score, all),
  };
};
