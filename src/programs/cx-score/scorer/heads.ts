import { inflateRawSync } from "node:zlib";
import { buckets, writeFeatures, mostOfWord, heads, type Head } from "./features.ts";
import { longest, type Word } from "./text.ts";
import { model } from "./weights.ts";

const { scales, biases } = model;
const placeOf = (head: Head): number => heads.indexOf(head);

/** The heads side by side, so that a bucket is looked up once for several of them. */
const width = 16;
const load = (): Int8Array => {
  const bytes = inflateRawSync(Buffer.from(model.weights, "base64"));
  const weights = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = new Int8Array(buckets * width);
  for (let head = 0; head < heads.length; head += 1)
    for (let bucket = 0; bucket < buckets; bucket += 1) found[bucket * width + head] = weights[head * buckets + bucket] ?? 0; // prettier-ignore
  return found;
};
const beside = load();

const oddsOf = (at: number, sum: number, features: number): number =>
  (biases[at] ?? 0) + ((scales[at] ?? 0) * sum) / (features === 0 ? 1 : Math.sqrt(features));

/** Log-odds of a head for a text's buckets; `bias` alone for none. */
export const logOdds = (head: Head, features: readonly number[]): number => {
  const at = placeOf(head);
  let sum = 0;
  for (let place = 0; place < features.length; place += 1) sum += beside[(features[place] ?? 0) * width + at] ?? 0;
  return oddsOf(at, sum, features.length);
};

export const chance = (odds: number): number => 1 / (1 + Math.exp(-odds));

const feelings = ["positive", "negative", "anger", "annoyance", "disappointment", "gratitude", "joy", "admiration"] as const satisfies readonly Head[]; // prettier-ignore
/** Their weights alone, eight of a bucket beside each other: a table that is half as large is met in the cache more often. */
const felt = new Int8Array(buckets * 8);
for (const [at, head] of feelings.entries())
  for (let bucket = 0; bucket < buckets; bucket += 1)
    felt[bucket * 8 + at] = beside[bucket * width + placeOf(head)] ?? 0;
const places = feelings.map(placeOf);

/** Of the turn that is being read: lists of thousands of turns would be garbage. */
const turn = new Uint16Array(longest * mostOfWord);

/** The chance of each feeling in a turn, in one pass: it is asked of every turn of a customer. */
export const emotionsOf = (words: readonly Word[], salt: number) => {
  const count = writeFeatures(words, salt, turn);
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let place = 0; place < count; place += 1) {
    const from = (turn[place] ?? 0) * 8;
    a += felt[from] ?? 0;
    b += felt[from + 1] ?? 0;
    c += felt[from + 2] ?? 0;
    d += felt[from + 3] ?? 0;
    e += felt[from + 4] ?? 0;
    f += felt[from + 5] ?? 0;
    g += felt[from + 6] ?? 0;
    h += felt[from + 7] ?? 0;
  }
  const of = (at: number, sum: number): number => chance(oddsOf(places[at] ?? 0, sum, count));
  return { positive: of(0, a), negative: of(1, b), anger: of(2, c), annoyance: of(3, d), disappointment: of(4, e), gratitude: of(5, f), joy: of(6, g), admiration: of(7, h) }; // prettier-ignore
};

/** Of phrases, rules and weights of drivers: raised by hand with whatever changes a score, which a test asks for. */
const rules = 3;
/** Scores of another version are other scores. */
export const modelVersion = `${rules}.${model.version}`;
