import { sequenceCritical } from "./always-valid.ts";
import { normalCdf, normalCritical, normalQuantile, normalSf, noncentralTSf, tQuantile } from "./distributions.ts";
import type { Prior } from "./bayes.ts";
import { dunnettCritical } from "./multiple.ts";
import { rootAbove, rootBetween } from "./numeric.ts";

/**
 * How many units an experiment needs, how sure it is to find an effect, and the least effect that it finds. Sizes are not
 * rounded; whoever plans rounds them up. `sides` 1 or 2; `ratio` is units of b for each of a. Power counts findings in the
 * true direction alone.
 */

export interface Level {
  readonly alpha: number;
  readonly sides: 1 | 2;
}

const spread = (p: number): number => p * (1 - p);

/** Which variance sizes two shares: R and ClickHouse pool it under the null; others differ by some per cent. */
export const proportionVariances = ["pooled", "unpooled", "arcsine"] as const;
export type ProportionVariance = (typeof proportionVariances)[number];

export interface Sizes {
  readonly a: number;
  readonly b: number;
}

export const proportionsSize = (from: number, to: number, { alpha, sides }: Level, power: number, ratio: number, variance: ProportionVariance): Sizes => {
  const [z, w] = [normalCritical(alpha, sides), normalQuantile(power)];
  const delta = Math.abs(to - from);
  const sized = {
    pooled: () => ((z * Math.sqrt(spread((from + ratio * to) / (1 + ratio)) * (1 + 1 / ratio)) + w * Math.sqrt(spread(from) + spread(to) / ratio)) / delta) ** 2,
    unpooled: () => ((z + w) ** 2 * (spread(from) + spread(to) / ratio)) / delta ** 2,
    arcsine: () => ((z + w) ** 2 * (1 + 1 / ratio)) / cohenH(from, to) ** 2,
  }[variance]();
  return { a: sized, b: sized * ratio };
}; // prettier-ignore

/** Cohen's h: the difference of shares on the scale where their variance is the same. */
export const cohenH = (from: number, to: number): number => 2 * Math.asin(Math.sqrt(to)) - 2 * Math.asin(Math.sqrt(from)); // prettier-ignore

export const proportionsPower = ({ a, b }: Sizes, from: number, to: number, { alpha, sides }: Level): number => {
  const pooled = (a * from + b * to) / (a + b);
  const under = Math.sqrt(spread(pooled) * (1 / a + 1 / b));
  return normalCdf((Math.abs(to - from) - normalCritical(alpha, sides) * under) / Math.sqrt(spread(from) / a + spread(to) / b)); // prettier-ignore
};

/** The least share above a baseline that is found. */
export const proportionsMde = (sizes: Sizes, from: number, level: Level, power: number): number =>
  rootBetween((to) => proportionsPower(sizes, from, to, level) - power, from + 1e-12, 1 - 1e-12);

export const meansSize = (varianceA: number, varianceB: number, delta: number, { alpha, sides }: Level, power: number, ratio: number): Sizes => {
  const a = ((normalCritical(alpha, sides) + normalQuantile(power)) ** 2 * (varianceA + varianceB / ratio)) / delta ** 2;
  return { a, b: a * ratio };
}; // prettier-ignore

export const meansMde = ({ a, b }: Sizes, varianceA: number, varianceB: number, { alpha, sides }: Level, power: number): number =>
  (normalCritical(alpha, sides) + normalQuantile(power)) * Math.sqrt(varianceA / a + varianceB / b); // prettier-ignore

/** How much wider an unequal split makes things than an equal one of the same total; `share` is that of the treatment. */
export const splitLoss = (share: number): number => Math.sqrt(1 / (4 * share * (1 - share)));

/** Power of the t test, by the non-central t; with `bothWays` findings in the wrong direction count too. */
export const tPower = (
  { a, b }: Sizes,
  delta: number,
  sd: number,
  { alpha, sides }: Level,
  bothWays = false,
): number => {
  const df = a + b - 2;
  const [critical, shift] = [-tQuantile(alpha / sides, df), delta / (sd * Math.sqrt(1 / a + 1 / b))];
  // that it falls below −t is that its mirror image, about −shift, is above t
  return noncentralTSf(critical, df, shift) + (bothWays && sides === 2 ? noncentralTSf(critical, df, -shift) : 0);
};

export const tSize = (
  delta: number,
  sd: number,
  level: Level,
  power: number,
  ratio: number,
  bothWays = false,
): Sizes => {
  const a = rootAbove((n) => tPower({ a: n, b: n * ratio }, delta, sd, level, bothWays) - power, 2.0001, 4);
  return { a, b: a * ratio };
};

export const tMde = (sizes: Sizes, sd: number, level: Level, power: number): number =>
  rootAbove((delta) => tPower(sizes, delta, sd, level) - power, 1e-9 * sd, sd / 100);

/** Each of several treatments against a control that has the first share of `allocation`. */
export const multiArmSize = (from: number, to: number, { alpha, sides }: Level, power: number, allocation: readonly number[], correction: "none" | "bonferroni") => {
  const treatments = allocation.length - 1;
  const each = correction === "bonferroni" ? alpha / treatments : alpha;
  const [control = 0, first = 0] = allocation;
  const { a, b } = proportionsSize(from, to, { alpha: each, sides }, power, first / control, "unpooled");
  return { control: a, treatment: b, total: a / control, alpha: each };
}; // prettier-ignore

/** The share of the control that makes its comparisons with k treatments sharpest. */
export const controlShare = (treatments: number): number =>
  Math.sqrt(treatments) / (Math.sqrt(treatments) + treatments);

/** Units of each arm where many are compared with one by Dunnett's value. */
export const dunnettSize = (variance: number, delta: number, treatments: number, { alpha, sides }: Level, power: number) => {
  const critical = dunnettCritical(treatments, 0.5, Number.POSITIVE_INFINITY, alpha, sides);
  return { critical, each: ((critical + normalQuantile(power)) ** 2 * 2 * variance) / delta ** 2 };
}; // prettier-ignore

/** Units of each arm to show that a share is worse by no more than a margin, where it is expected to be better by `expected`. */
export const nonInferioritySize = (from: number, margin: number, expected: number, alpha: number, power: number, higherIsBetter: boolean): number => {
  const to = from + (higherIsBetter ? expected : -expected);
  return ((normalCritical(alpha, 1) + normalQuantile(power)) ** 2 * (spread(from) + spread(to))) / (margin + expected) ** 2;
}; // prettier-ignore

/** Power that each metric needs so that a decision by one success metric and so many guardrails has it (Schultzberg et al. 2024). */
export const jointPower = (power: number, guardrails: number): number => 1 - (1 - power) / (guardrails + 1);

/** Clusters of equal size: what one more in a cluster is worth less. */
export const designEffect = (clusterSize: number, correlation: number): number => 1 + (clusterSize - 1) * correlation;

/** What covariates that explain R² leave to be explained. */
export const cupedSize = (n: number, correlation: number) => ({ n: n * (1 - correlation ** 2), width: Math.sqrt(1 - correlation ** 2) }); // prettier-ignore

/** The rule of 16, with the variance that PostHog's calculator takes for each kind; to reproduce its numbers. */
export const ruleOf16 = (kind: "sum" | "count" | "proportion", baseline: number, mde: number): number => {
  const variance = { sum: 0.25 * baseline ** 2, count: 2 * baseline, proportion: spread(baseline) }[kind];
  return (16 * variance) / (baseline * mde) ** 2;
};

/** Critical value of a look: fixed, or of an always-valid sequence at n units of both arms. */
const criticalAt = (n: number, { alpha, sides }: Level, tuning: number | undefined): number =>
  tuning === undefined ? normalCritical(alpha, sides) : sequenceCritical(n, alpha, tuning);

/** Variance of a relative lift where the effect is there, of arms of one size (GrowthBook: the variance at the effect). */
const liftVariance = (mean: number, variance: number, effect: number, each: number): number => (variance / (each * mean ** 2)) * (1 + (1 + effect) ** 2); // prettier-ignore

/** How much GrowthBook takes the variance to grow where a sequence is used: by the square of how much wider it is. */
const sequenceInflation = (n: number, level: Level, tuning: number | undefined): number => (criticalAt(n, level, tuning) / normalCritical(level.alpha, level.sides)) ** 2; // prettier-ignore

/** GrowthBook's power for a relative lift; each of the arms has an equal share of `total`. */
export const liftPower = (mean: number, variance: number, effect: number, total: number, arms: number, level: Level, tuning?: number): number => {
  const each = total / arms;
  const shift = effect / Math.sqrt(liftVariance(mean, variance, effect, each) * sequenceInflation(2 * each, level, tuning));
  const critical = normalCritical(level.alpha, level.sides);
  return normalSf(critical - shift) + (level.sides === 2 ? normalCdf(-critical - shift) : 0);
}; // prettier-ignore

/** The least relative lift that is found by that; undefined where none is. */
export const liftMde = (mean: number, variance: number, total: number, arms: number, level: Level, power: number, tuning?: number): number | undefined => {
  const each = total / arms;
  const c = ((normalCritical(level.alpha, level.sides) + normalQuantile(power)) ** 2 * variance * sequenceInflation(2 * each, level, tuning)) / (each * mean ** 2);
  return c >= 1 ? undefined : (1 + Math.sqrt(1 - (1 - c) ** 2)) / (1 - c) - 1;
}; // prettier-ignore

/** The chance that a credible interval leaves 0 out, where an effect is there. */
export const bayesianPower = (effect: number, standardError: number, prior: Prior, alpha: number): number => {
  const variance = standardError ** 2;
  const z = normalCritical(alpha, 2);
  const bound = variance * Math.sqrt(1 / variance + 1 / prior.sd ** 2) * z;
  const pull = (variance * prior.mean) / prior.sd ** 2;
  return normalSf((bound - pull - effect) / standardError) + normalCdf((-bound - pull - effect) / standardError);
};

export const bayesianLiftPower = (mean: number, variance: number, effect: number, total: number, arms: number, prior: Prior, alpha: number): number =>
  bayesianPower(effect, Math.sqrt(liftVariance(mean, variance, effect, total / arms)), prior, alpha); // prettier-ignore

/** Power once a share more units have come (1 means twice as many as now): the variance of the estimate falls with them. */
export const laterPower = (effect: number, varianceNow: number, n: number, more: number, alpha: number, tuning?: number, prior?: Prior): number => {
  const standardError = Math.sqrt(varianceNow / (1 + more));
  if (prior !== undefined) return bayesianPower(effect, standardError, prior, alpha);
  const critical = criticalAt(n * (1 + more), { alpha, sides: 2 }, tuning);
  return normalSf(critical - effect / standardError) + normalCdf(-critical - effect / standardError);
}; // prettier-ignore

/** Days until so many units of all arms have come. */
export const duration = (perGroup: number, groups: number, perDay: number, share: number) => {
  const days = Math.ceil((perGroup * groups) / (perDay * share));
  return { total: perGroup * groups, days, weeks: Math.ceil(days / 7) * 7 };
};
