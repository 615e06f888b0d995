import { normalCritical, normalSf } from "./distributions.ts";
import { probabilityBest } from "./bayes.ts";
import type { Moments } from "./effects.ts";

/**
 * Bandits that may be read afterwards. Arms are shared out anew for each batch of units, by Thompson sampling: as often as
 * an arm is likely to be the best. What was given out depends on what was seen, so plain means and tests of all units
 * together are wrong; what is said here looks at each batch alone, where the shares are fixed.
 */

/** What is known of an arm so far; `variance` is that of one unit. */
export interface Seen {
  readonly n: number;
  readonly mean: number;
  readonly variance: number;
}

const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);

/**
 * Shares of the next batch, in the order of the arms; they add up to 1. Flat priors: an arm with fewer than two units is
 * shared out evenly with the others. `floor` is the least share of each (at most 1 over the number of arms): without one an
 * arm starves, and nothing can be said of it any more.
 */
export const thompsonShares = (arms: readonly Seen[], floor: number): number[] => {
  if (!(floor >= 0 && floor * arms.length <= 1)) throw new RangeError("The floor of each arm is from 0 to 1 over the number of arms."); // prettier-ignore
  const isKnown = arms.every(({ n, variance }) => n >= 2 && variance > 0);
  const best = isKnown ? probabilityBest(arms.map(({ n, mean, variance }) => ({ mean, sd: Math.sqrt(variance / n) }))) : arms.map(() => 1); // prettier-ignore
  const free = 1 - floor * arms.length;
  return best.map((one) => floor + (free * one) / sum(best));
};

const within = (arms: readonly Moments[]): number => {
  const some = arms.filter(({ n }) => n > 1);
  return some.length === 0
    ? 0
    : sum(some.map(({ n, variance }) => (n - 1) * variance)) / sum(some.map(({ n }) => n - 1));
};

/** What a batch says of two arms that were shared out in it without looking at it. */
export interface Batch {
  readonly control: Moments;
  readonly treatment: Moments;
}

export interface BatchedEffect {
  readonly estimate: number;
  readonly standardError: number;
  readonly z: number;
  readonly pValue: number;
  readonly lower: number;
  readonly upper: number;
  /** Batches that gave units to both arms. */
  readonly batches: number;
}

/**
 * The effect of b against a (absolute) over all batches of a bandit: each batch's difference over its standard error is
 * a standard normal whatever was shared out, so their mean times √T is one too, even where there is no effect and shares
 * wander (batched ordinary least squares: Zhang, Janson & Murphy 2020, "Inference for Batched Bandits", theorem 3). Null
 * without a batch that says anything.
 */
export const batchedEffect = (batches: readonly Batch[], alpha: number): BatchedEffect | null => {
  // within batches, over all of them: a batch that gives an arm ten units knows little of its variance
  const [varA, varB] = [
    within(batches.map(({ control }) => control)),
    within(batches.map(({ treatment }) => treatment)),
  ];
  const known = batches.flatMap(({ control: a, treatment: b }) => {
    const standardError = a.n > 0 && b.n > 0 ? Math.sqrt(varA / a.n + varB / b.n) : 0;
    return standardError > 0 ? [{ difference: b.mean - a.mean, weight: 1 / standardError }] : [];
  });
  if (known.length === 0) return null;
  const whole = sum(known.map(({ weight }) => weight));
  const estimate = sum(known.map(({ difference, weight }) => difference * weight)) / whole;
  const standardError = Math.sqrt(known.length) / whole;
  const z = estimate / standardError;
  const half = normalCritical(alpha, 2) * standardError;
  return { estimate, standardError, z, pValue: 2 * normalSf(Math.abs(z)), lower: estimate - half, upper: estimate + half, batches: known.length }; // prettier-ignore
};
