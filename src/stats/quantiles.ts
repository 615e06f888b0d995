import { normalCritical } from "./distributions.ts";
import { relativeVariance, sampleVariance, type Difference, type Moments } from "./effects.ts";

/** Quantiles of samples, what they are worth, and values that are cut at one. */

/** A sample quantile by Hyndman and Fan 1996, type 6 or 7. `sorted` from least to greatest. */
export const sampleQuantile = (sorted: readonly number[], p: number, type: 6 | 7): number => {
  const n = sorted.length;
  const place = type === 7 ? (n - 1) * p : (n + 1) * p - 1;
  const low = Math.min(Math.max(Math.floor(place), 0), n - 1);
  const high = Math.min(low + 1, n - 1);
  const rest = Math.min(Math.max(place - low, 0), 1);
  return (sorted[low] ?? Number.NaN) * (1 - rest) + (sorted[high] ?? Number.NaN) * rest;
};

const ascending = (values: readonly number[]): number[] => values.toSorted((x, y) => x - y);

/** Variance of a unit from the quantiles at ν ± z√(ν(1−ν)/n) (Deng, Knoblich and Lu 2018). */
export const orderVariance = (n: number, lower: number, upper: number, alpha: number): number => (n - 1) * ((upper - lower) / (2 * normalCritical(alpha, 2))) ** 2; // prettier-ignore

/** A mean over events where people were randomised: a ratio of sums over clusters. */
export const clusteredMean = (clusters: readonly { readonly sum: number; readonly count: number }[]) => {
  const k = clusters.length;
  const [sum, events] = [clusters.reduce((all, one) => all + one.sum, 0), clusters.reduce((all, one) => all + one.count, 0)]; // prettier-ignore
  const mean = sum / events;
  const residuals = clusters.map((one) => one.sum - mean * one.count);
  const total = residuals.reduce((all, one) => all + one, 0);
  const squares = residuals.reduce((all, one) => all + one * one, 0);
  const variance = sampleVariance(k, { sum: total, sumSquares: squares }) / (k * (events / k) ** 2);
  return { mean, varianceOfMean: variance, clusters: k, events };
};

/** A quantile of events with its variance, taking them for independent and in their clusters. */
export const quantileOf = (values: readonly number[], clusters: readonly string[], p: number, alpha: number, type: 6 | 7 = 7) => {
  const sorted = ascending(values);
  const n = sorted.length;
  const half = normalCritical(alpha, 2) * Math.sqrt((p * (1 - p)) / n);
  const [estimate, lower, upper] = [p, p - half, p + half].map((at) => sampleQuantile(sorted, at, type)) as [number, number, number]; // three in, three out
  const independent = orderVariance(n, lower, upper, alpha);
  const sums = new Map<string, { sum: number; count: number }>();
  for (const [at, value] of values.entries()) {
    const own = sums.get(clusters[at] ?? "") ?? { sum: 0, count: 0 };
    sums.set(clusters[at] ?? "", { sum: own.sum + (value <= estimate ? 1 : 0), count: own.count + 1 });
  }
  const { varianceOfMean } = clusteredMean([...sums.values()]);
  const clustered = (independent * varianceOfMean) / ((p * (1 - p)) / n);
  return { n, clusters: sums.size, estimate, lower, upper, independent, clustered, standardError: Math.sqrt(clustered / n) };
}; // prettier-ignore

/** The effect on a quantile, from the quantile and its order statistics in each arm; by the normal. */
export const quantileEffect = (a: Moments, b: Moments, difference: Difference, alpha: number) => {
  const isAbsolute = difference === "absolute";
  const estimate = isAbsolute ? b.mean - a.mean : (b.mean - a.mean) / Math.abs(a.mean);
  const standardError = Math.sqrt(isAbsolute ? a.variance / a.n + b.variance / b.n : relativeVariance(a, b));
  const half = normalCritical(alpha, 2) * standardError;
  return { estimate, standardError, lower: estimate - half, upper: estimate + half };
};

/** Values cut at quantiles of all of them together; zeros may be left out of finding the quantile. */
export const winsorized = (values: readonly number[], lowest: number | undefined, highest: number | undefined, leavesOutZeros: boolean, type: 6 | 7 = 7) => {
  const known = ascending(leavesOutZeros ? values.filter((value) => value !== 0) : values);
  const bound = (p: number | undefined): number | undefined => (p === undefined ? undefined : sampleQuantile(known, p, type));
  const [lower, upper] = [bound(lowest), bound(highest)];
  const cut = values.map((value) => Math.min(Math.max(value, lower ?? value), upper ?? value));
  const sum = cut.reduce((all, one) => all + one, 0);
  const n = cut.length;
  const variance = cut.reduce((all, one) => all + (one - sum / n) ** 2, 0) / (n - 1);
  return { lower, upper, values: cut, mean: sum / n, variance };
}; // prettier-ignore
