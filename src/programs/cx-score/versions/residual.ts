import { z } from "zod";
import { featuresOf } from "../scorer/features.ts";
import type { Turn } from "../scorer/conversation.ts";
import { wordsOf } from "../scorer/text.ts";

/**
 * What the words of a workspace say beyond what the scorer knows: a small linear head over hashed words, learnt from labels
 * (ridge regression, by conjugate gradients). It is added to the score, which stays what most of it is made of. Pure.
 */

export const Residual = z.object({
  /** Whole numbers from -127 to 127, as base64; times `scale` they are points for each bucket. */
  weights: z.string(),
  scale: z.number(),
});
export type Residual = z.output<typeof Residual>;

/** Few enough that a workspace's labels can fill them. */
const buckets = 1 << 12;
/** What customers write, what is answered, and what was answered last are told apart. */
const salts = { customer: 0x51ed270b, answer: 0x2545f491, last: 0x9e3779b1 } as const;
const mostWords = 600;

/** Buckets of a conversation, each once. */
export const bucketsOf = (turns: readonly Turn[]): readonly number[] => {
  const found = new Set<number>();
  const put = (text: string, salt: number): void => {
    for (const feature of featuresOf(wordsOf(text).slice(0, mostWords), salt)) found.add(feature & (buckets - 1));
  };
  const answers = turns.filter(({ r }) => r !== "customer");
  for (const { r, x } of turns) put(x, r === "customer" ? salts.customer : salts.answer);
  put(answers.at(-1)?.x ?? "", salts.last);
  return [...found].toSorted((a, b) => a - b);
};

const lengthOf = (features: readonly number[]): number => Math.sqrt(Math.max(1, features.length));

export interface Example {
  readonly features: readonly number[];
  /** Label less the score that it already has. */
  readonly left: number;
  readonly weight: number;
}

const rounds = 25;

/** `(XᵀWX + λ) v`. */
const applied = (examples: readonly Example[], v: Float64Array, lambda: number): Float64Array => {
  const out = v.map((value) => value * lambda);
  for (const { features, weight } of examples) {
    let sum = 0;
    for (const feature of features) sum += v[feature] ?? 0;
    const share = (weight * sum) / (lengthOf(features) * lengthOf(features));
    for (const feature of features) out[feature] = (out[feature] ?? 0) + share;
  }
  return out;
};
const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
};

/** Points for each bucket that come nearest to what is left, pulled towards none. */
export const solved = (examples: readonly Example[], lambda: number): Float64Array => {
  const x = new Float64Array(buckets);
  const r = new Float64Array(buckets);
  for (const { features, left, weight } of examples) for (const feature of features) r[feature] = (r[feature] ?? 0) + (weight * left) / lengthOf(features); // prettier-ignore
  let p = r.slice();
  let rest = dot(r, r);
  for (let round = 0; round < rounds && rest > 1e-9; round += 1) {
    const ap = applied(examples, p, lambda);
    const step = rest / dot(p, ap);
    for (let at = 0; at < buckets; at += 1) {
      x[at] = (x[at] ?? 0) + step * (p[at] ?? 0);
      r[at] = (r[at] ?? 0) - step * (ap[at] ?? 0);
    }
    const next = dot(r, r);
    const keep = next / rest;
    p = p.map((value, at) => (r[at] ?? 0) + keep * value);
    rest = next;
  }
  return x;
};

const pointsBy = (weights: Pick<Float64Array, number | "length">, features: readonly number[]): number => {
  let sum = 0;
  for (const feature of features) sum += weights[feature] ?? 0;
  return sum / lengthOf(features);
};

const lambdas = [1, 3, 10, 30, 100] as const;
const folds = 5;
/** Others have their turn in between. */
const pause = (): Promise<void> => new Promise((settle) => void setImmediate(settle));

export interface Learnt {
  readonly residual: Residual;
  /** Of each example, what is left after a head that has not seen it. */
  readonly left: readonly number[];
}

const packed = (weights: Float64Array): Residual => {
  const largest = weights.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  const scale = largest / 127;
  return { weights: Buffer.from(Int8Array.from(weights, (value) => Math.round(value / scale)).buffer).toString("base64"), scale }; // prettier-ignore
};

/** The head that leaves the least on examples that it has not seen. */
export const learn = async (examples: readonly Example[]): Promise<Learnt> => {
  let best: { lambda: number; error: number; left: number[] } | undefined;
  for (const lambda of lambdas) {
    const left = Array.from({ length: examples.length }, () => 0);
    for (let fold = 0; fold < folds; fold += 1) {
      const weights = solved(examples.filter((_one, at) => at % folds !== fold), lambda); // prettier-ignore
      for (const [at, one] of examples.entries()) if (at % folds === fold) left[at] = one.left - pointsBy(weights, one.features); // prettier-ignore
      await pause();
    }
    const error = examples.reduce((sum, { weight }, at) => sum + weight * (left[at] ?? 0) ** 2, 0);
    if (best === undefined || error < best.error) best = { lambda, error, left };
  }
  return { residual: packed(solved(examples, best?.lambda ?? 100)), left: best?.left ?? [] };
};

const read = new Map<string, Int8Array>();
const mostRead = 20;

/** By how many points the words of a conversation move its score. */
export const residualOf = ({ weights, scale }: Residual, turns: readonly Turn[]): number => {
  let loaded = read.get(weights);
  if (loaded === undefined) {
    const bytes = Buffer.from(weights, "base64");
    loaded = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    if (read.size >= mostRead) read.clear();
    read.set(weights, loaded);
  }
  return scale * pointsBy(loaded, bucketsOf(turns));
};
