/** Figures by which a distribution, or a count, is told to have changed. */

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = low] =
    sorted.length % 2 === 1 ? [sorted[middle]] : [sorted[middle - 1], sorted[middle]];
  return (low + high) / 2;
};

/**
 * How far a count lies from what such counts were, in robust standard deviations. The scale is the largest of
 * 1.4826 × the median absolute deviation, the square root of the median (a Poisson count's own spread), 2 % of it, and
 * one: a single event where there was none is chance. Null without anything to compare with.
 */
export const robustZ = (value: number, before: readonly number[]): number | null => {
  if (before.length === 0) return null;
  const middle = median(before);
  const spread = median(before.map((one) => Math.abs(one - middle)));
  const scale = Math.max(1.4826 * spread, Math.sqrt(middle), 0.02 * middle, 1);
  return (value - middle) / scale;
};

const least = 0.0001;

/** Population stability index of two distributions over the same bins: Σ (p − q) ln(p / q). Counts or shares. */
export const psi = (now: readonly number[], before: readonly number[]): number => {
  const shares = (counts: readonly number[]): number[] => {
    const total = counts.reduce((a, b) => a + b, 0);
    return counts.map((count) => Math.max(total === 0 ? 0 : count / total, least));
  };
  const [p, q] = [shares(now), shares(before)];
  return p.reduce((sum, share, bin) => sum + (share - (q[bin] ?? least)) * Math.log(share / (q[bin] ?? least)), 0);
};

/** The 99 % quantile of chi-squared, by the cube of Wilson and Hilferty (1931); within 2 % from two degrees of freedom on. */
export const chiSquared99 = (degrees: number): number =>
  degrees * (1 - 2 / (9 * degrees) + 2.3263 * Math.sqrt(2 / (9 * degrees))) ** 3;

/**
 * Above which index the distributions differ beyond what samples of these sizes do by chance: without drift PSI is about
 * (1/n + 1/m) χ²(bins − 1). Never below 0.1, where a difference that is real is too small to matter.
 */
export const psiLimit = (now: number, before: number, bins: number): number =>
  Math.max(0.1, (1 / now + 1 / before) * chiSquared99(Math.max(bins - 1, 1)));
