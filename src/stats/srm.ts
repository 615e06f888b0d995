import { chi2Sf } from "./distributions.ts";
import { logGamma } from "./special.ts";

/** Sample-ratio mismatch: whether arms have as many units as they should. */

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Pearson's goodness of fit. Arms of weight 0 should have nobody, and count for no degree of freedom. */
export const chiSquared = (observed: readonly number[], weights: readonly number[]) => {
  const [n, whole] = [total(observed), total(weights)];
  const statistic = total(observed.map((count, at) => {
    const expected = (n * (weights[at] ?? 0)) / whole;
    return expected === 0 ? (count === 0 ? 0 : Number.POSITIVE_INFINITY) : (count - expected) ** 2 / expected;
  })); // prettier-ignore
  const df = weights.filter((weight) => weight > 0).length - 1;
  return { statistic, df, pValue: statistic === Number.POSITIVE_INFINITY ? 0 : chi2Sf(statistic, df) };
};

/**
 * The same, to be looked at as often as one likes: a Dirichlet-multinomial Bayes factor, whose inverse is a p value at
 * every look (Lindon and Malek 2020). A running least of it may be kept. `concentration` is the sum of the prior.
 */
export const sequentialMultinomial = (
  observed: readonly number[],
  weights: readonly number[],
  concentration: number,
) => {
  const whole = total(weights);
  const shares = weights.map((weight) => weight / whole);
  const prior = shares.map((share) => share * concentration);
  const n = total(observed);
  const alone = total(observed.map((count, at) => (count === 0 ? 0 : count * Math.log(shares[at] ?? 0))));
  const mixed = logGamma(concentration) - logGamma(concentration + n) + total(observed.map((count, at) => logGamma((prior[at] ?? 0) + count) - logGamma(prior[at] ?? 0))); // prettier-ignore
  const logBayesFactor = mixed - alone;
  return { logBayesFactor, pValue: Math.min(1, Math.exp(-logBayesFactor)) };
};
