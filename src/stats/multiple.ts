import { normalCdf, normalPdf, tPdf } from "./distributions.ts";
import { integrate, rootAbove } from "./numeric.ts";
import { gammaInverse, logGamma } from "./special.ts";

/** Several comparisons at once. */

export const adjustments = ["bonferroni", "holm", "hochberg", "hommel", "BH", "BY"] as const;
export type Adjustment = (typeof adjustments)[number];

/** Running greatest from the first on, or running least from the last back. */
const cumulative = (values: readonly number[], of: "max" | "min"): number[] => {
  const found = [...values];
  if (of === "max") for (let at = 1; at < found.length; at += 1) found[at] = Math.max(found[at] ?? 0, found[at - 1] ?? 0);
  else for (let at = found.length - 2; at >= 0; at -= 1) found[at] = Math.min(found[at] ?? 0, found[at + 1] ?? 0);
  return found;
}; // prettier-ignore

/** Hommel's procedure as R's p.adjust does it, on p values in order (Wright 1992). */
const hommel = (sorted: readonly number[]): number[] => {
  const n = sorted.length;
  const at = (place: number): number => sorted[place] ?? 1;
  const first = Math.min(...sorted.map((p, place) => (n * p) / (place + 1)));
  let [q, found] = [sorted.map(() => first), sorted.map(() => first)];
  for (let m = n - 1; m >= 2; m -= 1) {
    const kept = n - m + 1;
    const tail = Math.min(...Array.from({ length: m - 1 }, (_, j) => (m * at(kept + j)) / (j + 2)));
    const next = sorted.map((p, place) => (place < kept ? Math.min(m * p, tail) : 0));
    const edge = next[kept - 1] ?? 1;
    q = next.map((value, place) => (place < kept ? value : edge));
    found = found.map((value, place) => Math.max(value, q[place] ?? 0));
  }
  return found.map((value, place) => Math.min(1, Math.max(value, at(place))));
};

/** Adjusted p values in the order given, by the names of R's p.adjust. */
export const adjustPValues = (p: readonly number[], method: Adjustment): number[] => {
  const n = p.length;
  const order = p.map((_, at) => at).toSorted((x, y) => (p[x] ?? 0) - (p[y] ?? 0));
  const sorted = order.map((at) => p[at] ?? 1);
  const harmonic = sorted.reduce((sum, _, at) => sum + 1 / (at + 1), 0);
  const byRank = {
    bonferroni: () => sorted.map((one) => n * one),
    holm: () => cumulative(sorted.map((one, at) => (n - at) * one), "max"),
    hochberg: () => cumulative(sorted.map((one, at) => (n - at) * one), "min"),
    hommel: () => (n < 2 ? sorted : hommel(sorted)),
    BH: () => cumulative(sorted.map((one, at) => (n / (at + 1)) * one), "min"),
    BY: () => cumulative(sorted.map((one, at) => ((harmonic * n) / (at + 1)) * one), "min"),
  }[method](); // prettier-ignore
  const found = p.map(() => 1);
  for (const [rank, at] of order.entries()) found[at] = Math.min(1, byRank[rank] ?? 1);
  return found;
};

/** P(no |Z_i| is above c, or no Z_i where one-sided) of k comparisons with one control that share a correlation. */
const noneAbove = (c: number, k: number, correlation: number, sides: 1 | 2): number => {
  const [load, rest] = [Math.sqrt(correlation), Math.sqrt(1 - correlation)];
  return integrate((u) => {
    const above = normalCdf((c + load * u) / rest);
    const inside = sides === 2 ? above - normalCdf((-c + load * u) / rest) : above;
    return inside ** k * normalPdf(u);
  }, -9, 9, 240); // prettier-ignore
};

/** Dunnett's critical value of many treatments against one control (Dunnett 1955). `df` may be infinite. */
export const dunnettCritical = (k: number, correlation: number, df: number, alpha: number, sides: 1 | 2): number => {
  if (df === Number.POSITIVE_INFINITY) return rootAbove((c) => noneAbove(c, k, correlation, sides) - (1 - alpha), 0, 4);
  // over the estimate of the spread: s = √(χ²/df)
  const bound = (upper: boolean): number => Math.sqrt((2 * gammaInverse(df / 2, 1e-12, upper)) / df);
  const scale = Math.log(2) + (df / 2) * Math.log(df / 2) - logGamma(df / 2);
  const density = (s: number): number => Math.exp(scale + (df - 1) * Math.log(s) - (df * s * s) / 2);
  const chance = (c: number): number => integrate((s) => noneAbove(c * s, k, correlation, sides) * density(s), bound(false), bound(true), 60); // prettier-ignore
  return rootAbove((c) => chance(c) - (1 - alpha), 0, 4 + tPdf(0, df));
};

/** Alpha of each comparison where the primary metric has a share of its own (Eppo). */
export const preferentialBonferroni = (alpha: number, primaryShare: number, treatments: number, metrics: number) => ({
  primary: (primaryShare * alpha) / treatments,
  other: metrics < 2 ? 0 : ((1 - primaryShare) * alpha) / (treatments * (metrics - 1)),
});
