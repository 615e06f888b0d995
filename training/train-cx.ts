import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, gunzipSync } from "node:zlib";
import { buckets, featuresOf, heads, type Head } from "#programs/cx-score/scorer/features.ts";
import { wordsOf } from "#programs/cx-score/scorer/text.ts";
import { salts } from "#programs/cx-score/scorer/salts.ts";
import { randomFrom } from "#stats/random.ts";

/**
 * Trains the heads of the scorer: npm run train:cx -- FOLDER [FILE], with the files described in its README. The same files give
 * the same weights, byte by byte.
 */

const folder = process.argv[2] ?? "../shared/data/satisfaction";
const rowsOf = <T>(name: string): T[] => gunzipSync(readFileSync(join(folder, name))).toString("utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line) as T); // prettier-ignore

interface Row {
  readonly features: readonly number[];
  readonly labels: readonly (number | null)[];
}

/** Logistic regression by AdaGrad, all labels of a row at once. */
const fit = (rows: readonly Row[], count: number, { epochs, rate, decay, seed }: { epochs: number; rate: number; decay: number; seed: number }) => {
  const weights = Array.from({ length: count }, () => new Float64Array(buckets));
  const squares = Array.from({ length: count }, () => new Float64Array(buckets).fill(1e-3));
  const [biases, biasSquares] = [new Float64Array(count), new Float64Array(count).fill(1e-3)];
  const next = randomFrom(seed);
  const order = rows.map((_, at) => at);
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    for (let at = order.length - 1; at > 0; at -= 1) {
      const other = Math.floor(next() * (at + 1));
      [order[at], order[other]] = [order[other]!, order[at]!];
    }
    for (const place of order) {
      const { features, labels } = rows[place]!;
      if (features.length === 0) continue;
      const x = 1 / Math.sqrt(features.length);
      for (let head = 0; head < count; head += 1) {
        const label = labels[head];
        if (label === null || label === undefined) continue;
        const [own, square] = [weights[head]!, squares[head]!];
        let sum = biases[head]!;
        for (const feature of features) sum += own[feature]! * x;
        const gap = 1 / (1 + Math.exp(-sum)) - label;
        biasSquares[head]! += gap * gap;
        biases[head]! -= (rate * gap) / Math.sqrt(biasSquares[head]!);
        for (const feature of features) {
          const slope = gap * x + decay * own[feature]!;
          square[feature]! += slope * slope;
          own[feature]! -= (rate * slope) / Math.sqrt(square[feature]!);
        }
      }
    }
  }
  return { weights, biases };
}; // prettier-ignore

const positive = new Set(["admiration", "amusement", "approval", "caring", "excitement", "gratitude", "joy", "love", "optimism", "pride", "relief"]); // prettier-ignore
const negative = new Set(["anger", "annoyance", "disappointment", "disapproval", "disgust", "embarrassment", "fear", "grief", "nervousness", "remorse", "sadness"]); // prettier-ignore
const trained = new Map<Head, { weights: Float64Array; bias: number }>();
const keep = (names: readonly Head[], { weights, biases }: ReturnType<typeof fit>) => {
  for (const [at, head] of names.entries()) trained.set(head, { weights: weights[at]!, bias: biases[at]! });
};

const utterances = rowsOf<{ split: string; x: string; emotions: string[] }>("emotion_utterances.jsonl.gz").filter(({ split }) => split === "train"); // prettier-ignore
const read = utterances.map(({ x, emotions }) => ({ emotions, features: featuresOf(wordsOf(x), salts.text) }));
const isAny = (found: readonly string[], names: readonly string[]): number => Number(found.some((one) => names.includes(one))); // prettier-ignore
// valence has many examples of each side; single emotions have few, and are held closer to nothing
keep(["positive", "negative"], fit(read.map(({ features, emotions }) => ({ features, labels: [Number(emotions.some((one) => positive.has(one))), Number(emotions.some((one) => negative.has(one)))] })), 2, { epochs: 3, rate: 0.2, decay: 1e-3, seed: 1 })); // prettier-ignore
const single = { anger: ["anger", "disgust"], annoyance: ["annoyance"], disappointment: ["disappointment", "sadness"], disapproval: ["disapproval"], confusion: ["confusion"], gratitude: ["gratitude"], joy: ["joy", "excitement", "relief"], admiration: ["admiration"] } as const; // prettier-ignore
const singles = Object.keys(single) as (keyof typeof single)[]; // its own keys
keep(singles, fit(read.map(({ features, emotions }) => ({ features, labels: singles.map((head) => isAny(emotions, single[head])) })), singles.length, { epochs: 4, rate: 0.2, decay: 1e-2, seed: 5 })); // prettier-ignore

const topics = rowsOf<{ split: string; x: string; topic: string }>("support_topics.jsonl.gz").filter(({ split }) => split === "train"); // prettier-ignore
keep(["policy", "product"], fit(topics.map(({ x, topic }) => ({ features: featuresOf(wordsOf(x), salts.text), labels: [Number(topic === "policy"), Number(topic === "product_service")] })), 2, { epochs: 6, rate: 0.3, decay: 1e-4, seed: 2 })); // prettier-ignore

interface Dialogue {
  readonly source: string;
  readonly split: string;
  readonly domain: readonly string[];
  readonly turns: readonly { r: string; x: string }[];
  readonly labels: Readonly<Record<string, unknown>>;
}
const star = rowsOf<Dialogue>("dialogues.jsonl.gz").filter(({ source, split }) => source === "star" && split === "train"); // prettier-ignore
// words of one domain would be learnt instead of how it went: only those are kept that most domains have
const domains = new Map<string, Set<string>>();
for (const { domain, turns } of star)
  for (const { x } of turns) for (const { word } of wordsOf(x)) for (const one of domain) domains.set(word, (domains.get(word) ?? new Set()).add(one)); // prettier-ignore
const isShared = (word: string): boolean => (domains.get(word)?.size ?? 0) >= 9;
const of = (turns: Dialogue["turns"], role: string) => turns.filter(({ r }) => (r === "customer") === (role === "customer")); // prettier-ignore
const dialogueFeatures = ({ turns }: Dialogue): number[] => {
  const parts = [
    ...of(turns, "customer").slice(-3).map(({ x }) => featuresOf(wordsOf(x).filter(({ word }) => isShared(word)), salts.customer)),
    ...of(turns, "agent").slice(-3).map(({ x }) => featuresOf(wordsOf(x).filter(({ word }) => isShared(word)), salts.agent)),
  ]; // prettier-ignore
  return [...new Set(parts.flat())];
};
const flag = (value: unknown): number | null => (typeof value === "boolean" ? Number(value) : null);
keep(["success", "annoyed"], fit(star.map((one) => ({ features: dialogueFeatures(one), labels: [flag(one.labels["task_success"]), flag(one.labels["customer_annoyed"])] })), 2, { epochs: 8, rate: 0.15, decay: 1e-3, seed: 3 })); // prettier-ignore

const replies = rowsOf<{ id: string; split: string; reply: string; good: boolean }>("agent_turn_quality.jsonl.gz").filter(({ split }) => split === "train"); // prettier-ignore
keep(["good_reply"], fit(replies.map(({ reply, good }) => ({ features: featuresOf(wordsOf(reply).filter(({ word }) => isShared(word)), salts.agent), labels: [Number(good)] })), 1, { epochs: 6, rate: 0.2, decay: 1e-3, seed: 4 })); // prettier-ignore

// 8 bits each, by the largest of a head
const whole = new Int8Array(heads.length * buckets);
const scales: number[] = [];
const biases: number[] = [];
for (const [at, head] of heads.entries()) {
  const { weights, bias } = trained.get(head)!;
  const most = weights.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9);
  for (const [place, weight] of weights.entries()) whole[at * buckets + place] = Math.max(-127, Math.min(127, Math.round((weight / most) * 127))); // prettier-ignore
  scales.push(Number((most / 127).toPrecision(8)));
  biases.push(Number(bias.toPrecision(8)));
}
const packed = deflateRawSync(Buffer.from(whole.buffer), { level: 9 }).toString("base64");
const version = createHash("sha256").update(Buffer.from(whole.buffer)).update(JSON.stringify([scales, biases])).digest("hex").slice(0, 12); // prettier-ignore
writeFileSync(process.argv[3] ?? "src/programs/cx-score/scorer/weights.ts", `// Made by npm run train:cx; see docs/cx-score.md for what it was trained on.\nexport const model = ${JSON.stringify({ version, scales, biases, weights: packed })};\n`); // prettier-ignore
console.log(`${heads.length} heads, ${(packed.length / 1024).toFixed(0)} KiB, version ${version}`);
