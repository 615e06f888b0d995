import { z } from "zod";
import { learn, Residual, type Example } from "./residual.ts";

/**
 * Scores moved to where people of the workspace put them: a rising curve over 1 to 5, so that whatever was better stays
 * better. How much is learnt goes by how many labels there are; where nothing does better on labels that it has not seen,
 * nothing is moved. Pure.
 */

export const Calibration = z.object({
  /** Scores, rising, and where each is moved; between two of them it is on the line. */
  from: z.array(z.number()),
  to: z.array(z.number()),
  method: z.enum(["offset", "line", "curve", "words"]),
  /** What words of the workspace add to that, where there were labels enough to learn it. */
  residual: Residual.optional(),
  labels: z.number(),
  /** Mean squared error on labels, as the scores are and moved; each by a fit that has not seen them. */
  before: z.number(),
  after: z.number(),
});
export type Calibration = z.output<typeof Calibration>;

export interface Point {
  readonly score: number;
  readonly label: number;
  /** How much it counts; of those that were chosen for being near an edge fewer stand for each. */
  readonly weight: number;
}

type Move = (score: number) => number;
type Fit = (points: readonly Point[]) => Move;

export const leastLabels = 50;
/** From so many on a curve may be learnt, besides a line; from so many on what words say. */
const [leastForCurve, leastForWords] = [100, 500];
/** What words say has to be worth it: by so much of the error less than without. */
const worthwhile = 0.02;
const folds = 5;
/** A constant pull towards leaving scores as they are, in labels. */
const prior = 20;

const clamp = (value: number): number => Math.min(5, Math.max(1, value));
const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);

const offset: Fit = (points) => {
  const total = sum(points.map(({ weight }) => weight));
  const by = sum(points.map(({ score, label, weight }) => weight * (label - score))) / (total + prior);
  return (score) => clamp(score + by);
};

/** Least squares of label − score on the score, shrunk towards no change (ridge on offset and slope). */
const line: Fit = (points) => {
  const total = sum(points.map(({ weight }) => weight));
  const middle = sum(points.map(({ score, weight }) => weight * score)) / total;
  const spread = sum(points.map(({ score, weight }) => weight * (score - middle) ** 2));
  const apart = points.map(({ score, label, weight }) => ({ at: score - middle, gap: label - score, weight }));
  const by = sum(apart.map(({ gap, weight }) => weight * gap)) / (total + prior);
  const tilt = sum(apart.map(({ at, gap, weight }) => weight * at * gap)) / (spread + prior);
  // never turned round: whatever was better stays better
  return (score) => clamp(score + by + Math.max(-0.95, tilt) * (score - middle));
};

/** Means of neighbours that would fall, pooled until they rise (pool adjacent violators; Ayer and others 1955). */
export const isotonic = (points: readonly Point[]): { readonly score: number; readonly value: number }[] => {
  const blocks: { score: number; value: number; weight: number }[] = [];
  for (const { score, label, weight } of points.toSorted((a, b) => a.score - b.score)) {
    let block = { score: score * weight, value: label * weight, weight };
    for (let last = blocks.at(-1); last !== undefined && last.value / last.weight >= block.value / block.weight; last = blocks.at(-1)) {
      block = { score: last.score + block.score, value: last.value + block.value, weight: last.weight + block.weight };
      blocks.pop();
    }
    blocks.push(block);
  }
  return blocks.map(({ score, value, weight }) => ({ score: score / weight, value: value / weight }));
}; // prettier-ignore

/** On the line between two neighbours; beyond the ends as they are. */
export const moved = (from: readonly number[], to: readonly number[], score: number): number => {
  const at = from.findIndex((one) => one >= score);
  if (at === -1) return to.at(-1) ?? score;
  const [x1 = score, y1 = score] = [from[at], to[at]];
  const [x0, y0] = [from[at - 1], to[at - 1]];
  return x0 === undefined || y0 === undefined ? y1 : y0 + ((y1 - y0) * (score - x0)) / (x1 - x0);
};

/** Half a line and half what rises by steps: no two different scores become one. */
const curve: Fit = (points) => {
  const straight = line(points);
  const steps = isotonic(points);
  const [from, to] = [steps.map(({ score }) => score), steps.map(({ value }) => value)];
  return (score) => clamp((straight(score) + moved(from, to, score)) / 2);
};

/** What each label would be moved to by a fit that has not seen it: every fifth is left out in turn. */
const crossed = (points: readonly Point[], fit: Fit): number[] => {
  const moves = Array.from({ length: folds }, (_, fold) => fit(points.filter((_point, at) => at % folds !== fold)));
  return points.map(({ score }, at) => moves[at % folds]?.(score) ?? score);
};

const meanError = (points: readonly Point[], given: readonly number[]): number =>
  sum(points.map(({ label, weight }, at) => weight * (label - (given[at] ?? 0)) ** 2)) / sum(points.map(({ weight }) => weight)); // prettier-ignore

const steps = 40;

/** The best of those that so many labels allow; undefined where none does better than leaving scores as they are. */
export const calibrate = async (points: readonly Point[], features?: readonly (readonly number[])[]): Promise<Calibration | undefined> => {
  if (points.length < leastLabels) return undefined;
  const fits = { offset, line, ...(points.length >= leastForCurve ? { curve } : {}) };
  const before = meanError(points, points.map(({ score }) => score)); // prettier-ignore
  const tried = (Object.keys(fits) as (keyof typeof fits)[]).flatMap((method) => {
    const fit = fits[method];
    if (fit === undefined) return [];
    const given = crossed(points, fit);
    return [{ method, fit, given, after: meanError(points, given) }];
  });
  const best = tried.reduce<(typeof tried)[number] | undefined>((a, b) => (a === undefined || b.after < a.after ? b : a), undefined);
  if (best === undefined) return undefined;
  const move = best.fit(points);
  const from = Array.from({ length: steps + 1 }, (_, step) => 1 + (4 * step) / steps);
  const plain = { from, to: from.map(move), method: best.method, labels: points.length, before, after: best.after };
  if (features !== undefined && points.length >= leastForWords) {
    const examples = points.map(({ label, weight }, at): Example => ({ features: features[at] ?? [], left: label - (best.given[at] ?? 0), weight }));
    const { residual, left } = await learn(examples);
    const after = meanError(points, points.map(({ label }, at) => clamp(label - (left[at] ?? 0))));
    if (after < best.after * (1 - worthwhile) && after < before) return { ...plain, method: "words", residual, after };
  }
  return best.after < before ? plain : undefined;
}; // prettier-ignore

export interface Bin {
  readonly score: number;
  readonly label: number;
  readonly labels: number;
}

/** What people said where the score is so: up to eight groups of as many labels each. */
export const reliability = (points: readonly Point[]): Bin[] => {
  const sorted = points.toSorted((a, b) => a.score - b.score);
  const groups = Math.min(8, Math.floor(sorted.length / 10));
  return Array.from({ length: groups }, (_, group) => {
    const own = sorted.slice(Math.floor((group * sorted.length) / groups), Math.floor(((group + 1) * sorted.length) / groups)); // prettier-ignore
    const total = sum(own.map(({ weight }) => weight));
    const mean = (of: (point: Point) => number): number => sum(own.map((point) => point.weight * of(point))) / total;
    return { score: mean(({ score }) => score), label: mean(({ label }) => label), labels: own.length };
  });
};
