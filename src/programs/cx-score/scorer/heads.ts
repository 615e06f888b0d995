import { inflateRawSync } from "node:zlib";
import { buckets, heads, type Head } from "./features.ts";
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

const [positive, negative, anger, annoyance] = [placeOf("positive"), placeOf("negative"), placeOf("anger"), placeOf("annoyance")] as const; // prettier-ignore
const [disappointment, gratitude, joy, admiration] = [placeOf("disappointment"), placeOf("gratitude"), placeOf("joy"), placeOf("admiration")] as const; // prettier-ignore
export const chance = (odds: number): number => 1 / (1 + Math.exp(-odds));

/** The chance of each emotion, in one pass: it is asked of every turn of a customer. */
export const emotionsOf = (features: readonly number[]) => {
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let place = 0; place < features.length; place += 1) {
    const from = (features[place] ?? 0) * width;
    a += beside[from + positive] ?? 0;
    b += beside[from + negative] ?? 0;
    c += beside[from + anger] ?? 0;
    d += beside[from + annoyance] ?? 0;
    e += beside[from + disappointment] ?? 0;
    f += beside[from + gratitude] ?? 0;
    g += beside[from + joy] ?? 0;
    h += beside[from + admiration] ?? 0;
  }
  const of = (at: number, sum: number): number => chance(oddsOf(at, sum, features.length));
  return { positive: of(positive, a), negative: of(negative, b), anger: of(anger, c), annoyance: of(annoyance, d), disappointment: of(disappointment, e), gratitude: of(gratitude, f), joy: of(joy, g), admiration: of(admiration, h) }; // prettier-ignore
};

/** Of phrases, rules and weights of drivers: raised by hand with whatever changes a score, which a test asks for. */
const rules = 2;
/** Scores of another version are other scores. */
export const modelVersion = `${rules}.${model.version}`;
