import { normalCritical, tQuantile, tSf } from "./distributions.ts";

/**
 * From what is known of each arm to an effect and how far it may be trusted. One core: each metric gives a mean and the
 * variance of a unit; all tests are made of those. b is the treatment, a the control; an effect is b − a.
 */

/** Sums over the randomised units of one arm. */
export type Arm =
  | { readonly kind: "proportion"; readonly n: number; readonly sum: number }
  | { readonly kind: "mean"; readonly n: number; readonly sum: number; readonly sumSquares: number }
  | { readonly kind: "ratio"; readonly n: number; readonly numerator: Sums; readonly denominator: Sums; readonly sumOfProducts: number }; // prettier-ignore
export interface Sums {
  readonly sum: number;
  readonly sumSquares: number;
}

/** A mean over units with the variance of one of them. */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  readonly variance: number;
}

export type Alternative = "two-sided" | "greater" | "less";
export type Difference = "absolute" | "relative";

export const sampleVariance = (n: number, { sum, sumSquares }: Sums): number =>
  (sumSquares - (sum * sum) / n) / (n - 1);
export const sampleCovariance = (n: number, sumOne: number, sumOther: number, products: number): number => (products - (sumOne * sumOther) / n) / (n - 1); // prettier-ignore

/** Variance of a unit of Σm/Σd: of m − R·d over the mean of d (Deng, Knoblich and Lu 2018, the delta method). */
export const ratioMoments = (n: number, m: Sums, d: Sums, products: number): Moments => {
  const [ratio, mean] = [m.sum / d.sum, d.sum / n];
  const cross = sampleCovariance(n, m.sum, d.sum, products);
  const variance = (sampleVariance(n, m) - 2 * ratio * cross + ratio * ratio * sampleVariance(n, d)) / (mean * mean);
  return { n, mean: ratio, variance };
};

export const momentsOf = (arm: Arm): Moments => {
  if (arm.kind === "ratio") return ratioMoments(arm.n, arm.numerator, arm.denominator, arm.sumOfProducts);
  const mean = arm.sum / arm.n;
  return { n: arm.n, mean, variance: arm.kind === "proportion" ? mean * (1 - mean) : sampleVariance(arm.n, arm) };
};

/** Welch-Satterthwaite degrees of freedom. */
export const welchDf = (a: Moments, b: Moments): number => {
  const [x, y] = [a.variance / a.n, b.variance / b.n];
  return (x + y) ** 2 / (x ** 2 / (a.n - 1) + y ** 2 / (b.n - 1));
};

/** Variance of (m_b − m_a)/|m_a| by the delta method. */
export const relativeVariance = (a: Moments, b: Moments): number =>
  b.variance / (b.n * a.mean ** 2) + (a.variance * b.mean ** 2) / (a.n * a.mean ** 4);

export interface Estimate {
  readonly estimate: number;
  readonly standardError: number;
  readonly df: number;
}

/** The effect of b against a. A relative one is over the absolute value of the baseline, so that its direction survives a negative one. */
export const effectOf = (a: Moments, b: Moments, difference: Difference): Estimate => {
  const df = welchDf(a, b);
  const gain = b.mean - a.mean;
  if (difference === "absolute") return { estimate: gain, standardError: Math.sqrt(a.variance / a.n + b.variance / b.n), df }; // prettier-ignore
  return { estimate: gain / Math.abs(a.mean), standardError: Math.sqrt(relativeVariance(a, b)), df };
};

export interface Tested extends Estimate {
  readonly t: number;
  readonly pValue: number;
  readonly lower: number;
  readonly upper: number;
}

/** A t test of an estimate against a value, and its interval: one-sided where the alternative is. */
export const tTest = (found: Estimate, alternative: Alternative, alpha: number, against = 0): Tested => {
  const { estimate, standardError, df } = found;
  const t = (estimate - against) / standardError;
  const [above, below] = [tSf(t, df), tSf(-t, df)];
  const pValue = { "two-sided": Math.min(1, 2 * Math.min(above, below)), greater: above, less: below }[alternative];
  const half = -tQuantile(alternative === "two-sided" ? alpha / 2 : alpha, df) * standardError;
  return {
    ...found,
    t,
    pValue,
    lower: alternative === "less" ? Number.NEGATIVE_INFINITY : estimate - half,
    upper: alternative === "greater" ? Number.POSITIVE_INFINITY : estimate + half,
  };
};

/** Equivalence: both that it is above `low` and that it is below `high` (Schuirmann 1987). */
export const tost = ({ estimate, standardError, df }: Estimate, low: number, high: number) => {
  const lower = tSf((estimate - low) / standardError, df);
  const upper = tSf(-(estimate - high) / standardError, df);
  return { lower, upper, pValue: Math.max(lower, upper) };
};

/** Whether a guardrail is worse than its margin allows, by a one-sided z test. */
export const nonInferiority = (estimate: number, standardError: number, margin: number, alpha: number, higherIsBetter: boolean) => {
  const gain = higherIsBetter ? estimate : -estimate;
  const z = (gain + margin) / standardError;
  const bound = gain - normalCritical(alpha, 1) * standardError;
  return { z, pValue: tSf(z, Number.POSITIVE_INFINITY), bound: higherIsBetter ? bound : -bound, isNonInferior: bound > -margin };
}; // prettier-ignore

/** The interval of m_b/m_a − 1 that does not lean on a straight line (Fieller 1954); unbounded where `g` >= 1. */
export const fieller = (a: Moments, b: Moments, alpha: number) => {
  const z = normalCritical(alpha, 2);
  const [x, y, ratio] = [a.variance / a.n, b.variance / b.n, b.mean / a.mean];
  const g = (z * z * x) / a.mean ** 2;
  const half = (z / Math.abs(a.mean)) * Math.sqrt((1 - g) * y + x * ratio * ratio);
  const isBounded = g < 1;
  return {
    lift: ratio - 1,
    g,
    lower: isBounded ? (ratio - half) / (1 - g) - 1 : Number.NEGATIVE_INFINITY,
    upper: isBounded ? (ratio + half) / (1 - g) - 1 : Number.POSITIVE_INFINITY,
  };
};

/** The interval of m_b/m_a − 1 by the delta method on its logarithm; for means above 0. */
export const logRatio = (a: Moments, b: Moments, alpha: number) => {
  const se = Math.sqrt(a.variance / (a.n * a.mean ** 2) + b.variance / (b.n * b.mean ** 2));
  const [log, half] = [Math.log(b.mean / a.mean), normalCritical(alpha, 2) * se];
  return { lift: b.mean / a.mean - 1, se, lower: Math.expm1(log - half), upper: Math.expm1(log + half) };
};
