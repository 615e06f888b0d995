import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Turn } from "#programs/cx-score/scorer/conversation.ts";
import { featuresOf, heads, type Head } from "#programs/cx-score/scorer/features.ts";
import { logOdds, modelVersion } from "#programs/cx-score/scorer/heads.ts";
import { salts } from "#programs/cx-score/scorer/salts.ts";
import { scoreConversation } from "#programs/cx-score/scorer/score.ts";
import { wordsOf } from "#programs/cx-score/scorer/text.ts";
import { aucOfLow, spearman } from "#stats/agreement.ts";

/** How the scorer does on the dev parts of what it may be held against: npm run eval:cx -- FOLDER. */

const folder = process.argv[2] ?? "../shared/data/satisfaction";
const rowsOf = <T>(name: string): T[] => gunzipSync(readFileSync(join(folder, name))).toString("utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line) as T); // prettier-ignore

const f1 = (pairs: readonly { said: boolean; is: boolean }[]): number => {
  const count = (said: boolean, is: boolean): number => pairs.filter((one) => one.said === said && one.is === is).length; // prettier-ignore
  return (2 * count(true, true)) / Math.max(1, 2 * count(true, true) + count(true, false) + count(false, true));
};
const shown = (value: number): string => value.toFixed(3);

interface Dialogue {
  readonly source: string;
  readonly split: string;
  readonly turns: Turn[];
  readonly labels: Readonly<Record<string, unknown>>;
}
const split = process.argv[3] ?? "dev";
const dialogues = rowsOf<Dialogue>("dialogues.jsonl.gz");
const scored = dialogues.filter((one) => one.split === split || one.source !== "star").map((one) => ({ ...one, found: scoreConversation({ turns: one.turns, lang: "en" }) })); // prettier-ignore
const of = (source: string) => scored.filter((one) => one.source === source && one.found.score !== null);
/** `isHigh`: those of whom the label is so are the ones to score higher. */
const aucOf = (source: string, label: string, isHigh = true): string => {
  const pairs = of(source).flatMap(({ labels, found }) => (typeof labels[label] === "boolean" ? [{ score: found.score!, label: Number(labels[label]) }] : [])); // prettier-ignore
  const low = aucOfLow(pairs, (is) => is === 1);
  return `${shown(isHigh ? 1 - low : low)} (${pairs.filter(({ label: is }) => is === 1).length} of ${pairs.length})`;
};
console.log(`model ${modelVersion}, split ${split}`);
console.log(`coverage ${shown(scored.filter(({ found }) => found.eligible).length / scored.length)}`);
console.log(`star: AUC success ${aucOf("star", "task_success")}, annoyed ${aucOf("star", "customer_annoyed", false)}, calm ${aucOf("star", "calm_helpful")}, enjoyed ${aucOf("star", "enjoyed")}`); // prettier-ignore
console.log(`tau-bench: AUC correct ${aucOf("tau-bench", "task_correct")}`);
const film = of("ab-redial");
const mean = (value: unknown): number => (value as number[]).reduce((a, b) => a + b, 0) / (value as number[]).length;
console.log(`ab-redial: rho overall ${shown(spearman(film.map(({ found, labels }) => ({ score: found.score!, label: mean(labels["overall_1_5"]) }))))}`); // prettier-ignore
const histogram = [0, 0, 0, 0, 0];
for (const { found } of of("star")) histogram[Math.min(4, Math.max(0, Math.round(found.score!) - 1))]! += 1;
console.log(`star scores 1 to 5: ${histogram.join(" ")}`);

const utterances = rowsOf<{ split: string; x: string; emotions: string[] }>("emotion_utterances.jsonl.gz");
const positive = new Set(["admiration", "amusement", "approval", "caring", "excitement", "gratitude", "joy", "love", "optimism", "pride", "relief"]); // prettier-ignore
const negative = new Set(["anger", "annoyance", "disappointment", "disapproval", "disgust", "embarrassment", "fear", "grief", "nervousness", "remorse", "sadness"]); // prettier-ignore
const read = (rows: typeof utterances) =>
  rows.map(({ x, emotions }) => {
    const features = featuresOf(wordsOf(x), salts.text);
    const [isGood, isBad] = [emotions.some((one) => positive.has(one)), emotions.some((one) => negative.has(one))];
    return { emotions, odds: Object.fromEntries(heads.map((head) => [head, logOdds(head, features)])) as Record<Head, number>, truth: Number(isGood) - Number(isBad) }; // prettier-ignore
  });
const held = read(utterances.filter((one) => one.split === "dev"));
const [tune, dev] = [held.filter((_, at) => at % 2 === 0), held.filter((_, at) => at % 2 === 1)];
const cuts = Array.from({ length: 60 }, (_, at) => -4 + at * 0.1);
const macro = (rows: typeof dev, cut: number): number => {
  const said = rows.map(({ odds }) => (Math.max(odds.positive, odds.negative) < cut ? 0 : odds.positive > odds.negative ? 1 : -1));
  return [1, 0, -1].map((value) => f1(said.map((one, at) => ({ said: one === value, is: rows[at]!.truth === value })))).reduce((a, b) => a + b, 0) / 3;
}; // prettier-ignore
const best = (of: (cut: number) => number): number => cuts.reduce((a, b) => (of(b) > of(a) ? b : a));
const one = (rows: typeof dev, head: Head, names: readonly string[], cut: number): number => f1(rows.map(({ odds, emotions }) => ({ said: odds[head] > cut, is: emotions.some((name) => names.includes(name)) }))); // prettier-ignore
const emotion = (head: Head, names: readonly string[]): string => `${head} ${shown(one(dev, head, names, best((cut) => one(tune, head, names, cut))))}`; // prettier-ignore
console.log(`emotions (cuts chosen on the other half of dev): 3-way macro-F1 ${shown(macro(dev, best((cut) => macro(tune, cut))))}, ${[emotion("anger", ["anger", "disgust"]), emotion("annoyance", ["annoyance"]), emotion("disappointment", ["disappointment", "sadness"]), emotion("gratitude", ["gratitude"]), emotion("joy", ["joy", "excitement", "relief"]), emotion("admiration", ["admiration"])].join(", ")}`); // prettier-ignore
const topics = rowsOf<{ split: string; x: string; topic: string }>("support_topics.jsonl.gz").filter((one) => one.split === "dev"); // prettier-ignore
const right = topics.filter(({ x, topic }) => {
  const features = featuresOf(wordsOf(x), salts.text);
  const [policy, product] = [logOdds("policy", features), logOdds("product", features)];
  return (policy > 0 && policy >= product ? "policy" : product > 0 ? "product_service" : "other") === topic;
}).length; // prettier-ignore
console.log(`topics: accuracy ${shown(right / topics.length)}`);

const quotes = scored.flatMap(({ turns, found }) => found.drivers.flatMap((one) => one.quotes.map((quote) => turns[quote.turn]?.x.slice(quote.start, quote.end) === quote.text))); // prettier-ignore
console.log(`quotes: ${quotes.filter(Boolean).length} of ${quotes.length} verbatim`);

// whether the last reply was rewarded; rules and weights of the score know nothing of it
const replies = rowsOf<{ id: string; context: Turn[]; reply: string; good: boolean }>("agent_turn_quality.jsonl.gz").map(({ id, context, reply, good }) => ({ source: id.slice(0, 4), label: Number(good), score: scoreConversation({ turns: [...context, { r: "ai_agent", x: reply }], lang: "en" }).score ?? 3 })); // prettier-ignore
console.log(`replies that nobody took up: AUC ${["tm-3", "tm-4"].map((source) => `${shown(1 - aucOfLow(replies.filter((one) => one.source === source), (is) => is === 1))} (${source})`).join(", ")}`); // prettier-ignore
