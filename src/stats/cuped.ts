import { tQuantile, tSf } from "./distributions.ts";
import { sampleCovariance, sampleVariance, welchDf, type Difference, type Estimate, type Moments, type Sums, type Tested } from "./effects.ts"; // prettier-ignore

/** Effects made sharper by what was known of each unit before it was exposed. */

/** A unit of an arm: its outcome and its covariates. */
export interface Unit {
  readonly y: number;
  readonly x: readonly number[];
}

const mean = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0) / values.length;
const covariance = (one: readonly number[], other: readonly number[]): number => {
  const [m, k] = [mean(one), mean(other)];
  return one.reduce((all, value, at) => all + (value - m) * ((other[at] ?? 0) - k), 0) / (one.length - 1);
};

/** Solves Ax = b of a symmetric matrix by elimination with pivots. Throws where covariates say the same. */
export const solve = (matrix: readonly (readonly number[])[], right: readonly number[]): number[] => {
  const rows = matrix.map((row, at) => [...row, right[at] ?? 0]);
  const n = rows.length;
  for (let at = 0; at < n; at += 1) {
    const pivot = rows.slice(at).reduce((best, row, place) => (Math.abs(row[at] ?? 0) > Math.abs(rows[best]?.[at] ?? 0) ? at + place : best), at); // prettier-ignore
    [rows[at], rows[pivot]] = [rows[pivot] ?? [], rows[at] ?? []];
    const own = rows[at] ?? [];
    if (Math.abs(own[at] ?? 0) < 1e-300) throw new RangeError("a covariate says nothing, or what another says");
    for (let other = 0; other < n; other += 1) {
      if (other === at) continue;
      const factor = (rows[other]?.[at] ?? 0) / (own[at] ?? 1);
      rows[other] = (rows[other] ?? []).map((value, place) => value - factor * (own[place] ?? 0));
    }
  }
  return rows.map((row, at) => (row[n] ?? 0) / (row[at] ?? 1));
};

/** θ = Σxx⁻¹ Σxy over all arms together (Deng, Xu, Kohavi and Walker 2013). */
export const cupedTheta = (units: readonly Unit[]): number[] => {
  const count = units[0]?.x.length ?? 0;
  const columns = Array.from({ length: count }, (_, at) => units.map(({ x }) => x[at] ?? 0));
  const y = units.map((unit) => unit.y);
  return solve(columns.map((one) => columns.map((other) => covariance(one, other))), columns.map((one) => covariance(one, y))); // prettier-ignore
};

const adjusted = (units: readonly Unit[], theta: readonly number[]): Moments => {
  const values = units.map(({ y, x }) => y - x.reduce((all, one, at) => all + one * (theta[at] ?? 0), 0));
  return { n: units.length, mean: mean(values), variance: covariance(values, values) };
};

export interface Adjusted extends Tested {
  readonly theta: readonly number[];
  /** Share of the variance that the covariates took away. */
  readonly reduction: number;
  readonly a: Moments;
  readonly b: Moments;
}

const testedTwoSided = (estimate: number, standardError: number, df: number, alpha: number): Tested => {
  const t = estimate / standardError;
  const half = -tQuantile(alpha / 2, df) * standardError;
  return { estimate, standardError, df, t, pValue: 2 * tSf(Math.abs(t), df), lower: estimate - half, upper: estimate + half }; // prettier-ignore
};

/** The adjusted effect. A relative one is over the baseline as it is, without adjustment. */
export const cuped = (control: readonly Unit[], treatment: readonly Unit[], difference: Difference, alpha: number): Adjusted => {
  const theta = cupedTheta([...control, ...treatment]);
  const [a, b] = [adjusted(control, theta), adjusted(treatment, theta)];
  const [plainA, plainB] = [adjusted(control, []), adjusted(treatment, [])];
  const sized = (one: Moments, other: Moments): number => one.variance / one.n + other.variance / other.n;
  const reduction = 1 - sized(a, b) / sized(plainA, plainB);
  const df = welchDf(a, b);
  const gain = b.mean - a.mean;
  if (difference === "absolute") return { theta, reduction, a, b, ...testedTwoSided(gain, Math.sqrt(a.variance / a.n + b.variance / b.n), df, alpha) }; // prettier-ignore
  const y = control.map((unit) => unit.y);
  const [base, other] = [plainA.mean, plainB.mean];
  // the control's mean stands in both places: its own, and that by which is divided
  const shift = control.map(({ x }) => x.reduce((all, one, at) => all + one * (theta[at] ?? 0), 0));
  const lift = other / base;
  const own = covariance(y, y) * lift * lift - 2 * lift * covariance(y, shift) + covariance(shift, shift);
  const variance = b.variance / (b.n * base * base) + own / (a.n * base * base);
  return { theta, reduction, a, b, ...testedTwoSided(gain / Math.abs(base), Math.sqrt(variance), df, alpha) };
}; // prettier-ignore

/** Sums of one arm for a ratio metric with the same ratio before the exposure. */
export interface RatioArm {
  readonly n: number;
  readonly m: Sums;
  readonly d: Sums;
  readonly preM: Sums;
  readonly preD: Sums;
  /** Sums of products, by which two of them. */
  readonly products: { readonly mPreM: number; readonly dPreD: number; readonly preMPreD: number; readonly mD: number; readonly mPreD: number; readonly preMD: number }; // prettier-ignore
}

/** Variances and covariance of the linearised ratios after and before. */
const linearised = ({ n, m, d, preM, preD, products }: RatioArm) => {
  const cov = (one: Sums, other: Sums, product: number): number => sampleCovariance(n, one.sum, other.sum, product);
  const [r, p] = [m.sum / d.sum, preM.sum / preD.sum];
  const [dMean, pMean] = [d.sum / n, preD.sum / n];
  const varY = (sampleVariance(n, m) - 2 * r * cov(m, d, products.mD) + r * r * sampleVariance(n, d)) / dMean ** 2;
  const varX = (sampleVariance(n, preM) - 2 * p * cov(preM, preD, products.preMPreD) + p * p * sampleVariance(n, preD)) / pMean ** 2; // prettier-ignore
  const covXY = (cov(m, preM, products.mPreM) - p * cov(m, preD, products.mPreD) - r * cov(d, preM, products.preMD) + r * p * cov(d, preD, products.dPreD)) / (dMean * pMean); // prettier-ignore
  return { r, p, varY, varX, covXY };
};

/** CUPED of a ratio metric by the delta method over four means in each arm; θ may be given. */
export const cupedRatio = (a: RatioArm, b: RatioArm, difference: Difference, alpha: number, given?: number): Tested & { readonly theta: number } => {
  const [x, y] = [linearised(a), linearised(b)];
  const theta = given ?? (x.covXY / a.n + y.covXY / b.n) / (x.varX / a.n + y.varX / b.n);
  const isAbsolute = difference === "absolute";
  const scale = isAbsolute ? 1 : 1 / Math.abs(x.r);
  const gain = y.r - theta * y.p - (x.r - theta * x.p);
  // the control's ratio stands above and below
  const slope = isAbsolute ? 1 : 1 + gain / x.r;
  const adjust = ({ varY, varX, covXY }: typeof x, by: number): number => by * by * varY - 2 * theta * by * covXY + theta * theta * varX; // prettier-ignore
  const estimate = scale * gain;
  const variance = scale * scale * (adjust(x, slope) / a.n + adjust(y, 1) / b.n);
  const df = welchDf({ n: a.n, mean: 0, variance: adjust(x, 1) }, { n: b.n, mean: 0, variance: adjust(y, 1) });
  return { theta, ...testedTwoSided(estimate, Math.sqrt(variance), df, alpha) };
}; // prettier-ignore

/** Sum over strata of their differences, weighted by how large each is in all arms. */
export const postStratified = (strata: readonly { readonly a: Moments; readonly b: Moments }[]) => {
  const whole = strata.reduce((all, { a, b }) => all + a.n + b.n, 0);
  let [estimate, variance] = [0, 0];
  for (const { a, b } of strata) {
    const weight = (a.n + b.n) / whole;
    estimate += weight * (b.mean - a.mean);
    variance += weight * weight * (a.variance / a.n + b.variance / b.n);
  }
  return { estimate, standardError: Math.sqrt(variance) };
};

/** Ordinary least squares; `hc0` is the variance that does not take spreads for equal (White 1980). */
const leastSquares = (rows: readonly (readonly number[])[], y: readonly number[]) => {
  const k = rows[0]?.length ?? 0;
  const cross = Array.from({ length: k }, (_, i) => Array.from({ length: k }, (__, j) => rows.reduce((all, row) => all + (row[i] ?? 0) * (row[j] ?? 0), 0))); // prettier-ignore
  const target = Array.from({ length: k }, (_, i) => rows.reduce((all, row, at) => all + (row[i] ?? 0) * (y[at] ?? 0), 0));
  const beta = solve(cross, target);
  const residuals = rows.map((row, at) => (y[at] ?? 0) - row.reduce((all, value, i) => all + value * (beta[i] ?? 0), 0));
  const inverse = Array.from({ length: k }, (_, i) => solve(cross, Array.from({ length: k }, (__, j) => (i === j ? 1 : 0)))); // prettier-ignore
  const df = rows.length - k;
  const sigma2 = residuals.reduce((all, one) => all + one * one, 0) / df;
  const hc0 = (at: number): number =>
    rows.reduce((all, row, place) => {
      const weight = row.reduce((sum, value, i) => sum + value * (inverse[at]?.[i] ?? 0), 0);
      return all + (weight * (residuals[place] ?? 0)) ** 2;
    }, 0);
  return { beta, df, variance: (at: number): number => sigma2 * (inverse[at]?.[at] ?? 0), hc0 };
}; // prettier-ignore

/** Analysis of covariance: least squares with the arm and the covariates, one slope for both arms. */
export const ancova = (control: readonly Unit[], treatment: readonly Unit[]) => {
  const all = [...control.map((unit) => ({ unit, arm: 0 })), ...treatment.map((unit) => ({ unit, arm: 1 }))];
  const { beta, df, variance } = leastSquares(all.map(({ unit, arm }) => [1, arm, ...unit.x]), all.map(({ unit }) => unit.y)); // prettier-ignore
  const [estimate, standardError] = [beta[1] ?? 0, Math.sqrt(variance(1))];
  return { estimate, standardError, t: estimate / standardError, df, pValue: 2 * tSf(Math.abs(estimate / standardError), df) }; // prettier-ignore
};

/** A slope for each arm, covariates about their overall means (Lin 2013). */
export const linRegression = (control: readonly Unit[], treatment: readonly Unit[]) => {
  const all = [...control.map((unit) => ({ unit, arm: 0 })), ...treatment.map((unit) => ({ unit, arm: 1 }))];
  const count = control[0]?.x.length ?? 0;
  const means = Array.from({ length: count }, (_, at) => mean(all.map(({ unit }) => unit.x[at] ?? 0)));
  const rows = all.map(({ unit, arm }) => {
    const about = unit.x.map((value, at) => value - (means[at] ?? 0));
    return [1, arm, ...about, ...about.map((value) => value * arm)];
  });
  const { beta, hc0 } = leastSquares(rows, all.map(({ unit }) => unit.y)); // prettier-ignore
  return { estimate: beta[1] ?? 0, standardError: Math.sqrt(hc0(1)) };
};

/** What is known of one arm: outcome and one covariate of its units, and how far they go together. */
export interface PairMoments {
  readonly n: number;
  readonly y: number;
  readonly x: number;
  readonly varY: number;
  readonly varX: number;
  readonly covXY: number;
}

/** Two disjoint groups of units as one (Chan, Golub and LeVeque 1983). */
export const mergedPairs = (a: PairMoments, b: PairMoments): PairMoments => {
  if (a.n === 0 || b.n === 0) return a.n === 0 ? b : a;
  const n = a.n + b.n;
  const [dy, dx, weight] = [b.y - a.y, b.x - a.x, (a.n * b.n) / n];
  const joined = (one: number, other: number, apart: number): number => ((a.n - 1) * one + (b.n - 1) * other + weight * apart) / (n - 1); // prettier-ignore
  return {
    n,
    y: a.y + (dy * b.n) / n,
    x: a.x + (dx * b.n) / n,
    varY: joined(a.varY, b.varY, dy * dy),
    varX: joined(a.varX, b.varX, dx * dx),
    covXY: joined(a.covXY, b.covXY, dx * dy),
  };
};

/** `cuped` with one covariate from what is known of each arm; one that says nothing changes nothing. */
export const cupedPairs = (control: PairMoments, treatment: PairMoments, difference: Difference): Estimate & { readonly theta: number; readonly reduction: number } => {
  const { varX, covXY } = mergedPairs(control, treatment);
  const theta = varX > 0 ? covXY / varX : 0;
  const spread = (arm: PairMoments): number => arm.varY - 2 * theta * arm.covXY + theta * theta * arm.varX;
  const [a, b] = [control, treatment].map((arm) => ({ n: arm.n, mean: arm.y - theta * arm.x, variance: spread(arm) })) as [Moments, Moments]; // two in, two out
  const absolute = a.variance / a.n + b.variance / b.n;
  const plain = control.varY / control.n + treatment.varY / treatment.n;
  const gain = b.mean - a.mean;
  const shared = { theta, reduction: plain > 0 ? 1 - absolute / plain : 0, df: welchDf(a, b) };
  if (difference === "absolute") return { ...shared, estimate: gain, standardError: Math.sqrt(absolute) };
  const lift = treatment.y / control.y;
  const own = control.varY * lift * lift - 2 * lift * theta * control.covXY + theta * theta * control.varX;
  const variance = b.variance / (b.n * control.y ** 2) + own / (a.n * control.y ** 2);
  return { ...shared, estimate: gain / Math.abs(control.y), standardError: Math.sqrt(variance) };
}; // prettier-ignore
