import type { Driver } from "./conversation.ts";
import type { Sign } from "./lexicon.ts";
import { clausesIn, type Clause, type Signals, type TurnSignals } from "./signals.ts";

/** What happened, in three sentences of the conversation's own words: the issue, how it was handled, how it ended; and why it scored so. */

const longest = 160;
const has = (counts: Clause["counts"], ...signs: readonly Sign[]): number =>
  signs.reduce((sum, sign) => sum + counts[sign], 0);

const textOf = (turn: TurnSignals, { start, end }: { start: number; end: number }): string => {
  const text = turn.text.slice(start, end).replaceAll(/\s+/g, " ").trim();
  // neither a word nor a character is cut in two
  return text.length > longest ? `${text.slice(0, longest).replace(/\s+\S*$|[\ud800-\udbff]$/, "")} …` : text;
};

/** The clause that says most, by a weight of its signs and its length. */
const best = (turns: readonly TurnSignals[], weigh: (clause: Clause, turn: TurnSignals, place: number) => number): string => {
  let [most, found] = [0, ""];
  for (const [place, turn] of turns.entries())
    for (const clause of clausesIn(turn)) {
      const weight = weigh(clause, turn, place);
      if (weight > most) [most, found] = [weight, textOf(turn, clause)];
    }
  return found;
}; // prettier-ignore

const words: Readonly<Record<Driver["driver"], readonly [bad: string, good: string]>> = {
  ai_answer_quality: ["the AI agent's answers did not help", "the AI agent's answers helped"],
  teammate_answer_quality: ["the teammate's answers did not help", "the teammate's answers helped"],
  customer_effort: ["it took the customer effort", "it took little effort"],
  strong_emotion: ["the customer was upset", "the customer was pleased"],
  product_feedback: ["complaints about the product or service", "praise of the product or service"],
  policy_feedback: ["complaints about fees, refunds or rules", "praise of terms"],
};

export const summaryOf = ({ turns, customer, limited }: Signals, score: number, drivers: readonly Driver[]): string => {
  const size = ({ from, to }: Clause): number => Math.min(20, to - from);
  const isSocial = (clause: Clause): boolean => has(clause.counts, "greets", "thanks", "closes") > 0 && size(clause) < 6;
  const issue = best(customer.slice(0, 3), (clause, turn, place) => (isSocial(clause) ? 0 : (3 - place) * (1 + size(clause) / 5 + 1.5 * has(clause.counts, "product", "policy", "unsolved", "negative") + (turn.asks ? 0.5 : 0))));
  const all = turns.filter(({ isCustomer }) => !isCustomer);
  const agents = all.slice(-8); // how it was handled is told near its end
  const handled = best(agents, (clause, _, place) => (isSocial(clause) ? 0 : (0.5 + place / Math.max(1, agents.length)) * (size(clause) / 10 + 2 * has(clause.counts, "done") + has(clause.counts, "refuses", "answers") + 0.7 * has(clause.counts, "defers"))));
  const last = turns.at(-1);
  const ended = ((): string => {
    if (all.length === 0) return "Nobody answered.";
    if (last === undefined) return "";
    const final = customer.at(-1);
    const is = (...signs: readonly Sign[]): boolean => final !== undefined && has(final.counts, ...signs) > 0;
    if (limited) return last.isCustomer ? "The customer wrote last." : "The last word was ours.";
    if (is("unsolved", "threat") || (final?.valence ?? 0) < -0.4) return last.isCustomer ? "It ended with a complaint that was not answered." : "It ended after a complaint.";
    if (is("solved")) return "The customer said that it is solved.";
    if (is("thanks", "praise")) return "The customer said thanks.";
    if (last.isCustomer) return last.asks ? "It ended with a question that was not answered." : "The customer wrote last.";
    if (has(last.counts, "refuses") > 0) return "It ended with a refusal, and the customer said nothing more.";
    if (has(last.counts, "defers") > 0) return "It ended with a promise or a pointer elsewhere, and the customer said nothing more.";
    return "The customer said nothing more.";
  })();
  const why = drivers.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution)).filter(({ contribution }) => Math.abs(contribution) >= 0.1).slice(0, 2).map(({ driver, polarity }) => words[driver][polarity < 0 ? 0 : 1]);
  const verdict = score < 2.5 ? "It scored low" : score > 3.5 ? "It scored high" : "It scored in the middle";
  return [
    issue === "" ? "" : `The customer wrote: “${issue}”`,
    handled === "" ? "" : `The answer: “${handled}”`,
    ended,
    why.length === 0 ? `${verdict}: nothing stood out.` : `${verdict}: ${why.join("; ")}.`,
  ].filter((part) => part !== "").join(" ");
}; // prettier-ignore
