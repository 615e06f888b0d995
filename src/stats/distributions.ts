import { integrate } from "./numeric.ts";
import { betaI, betaInverse, erfc, erfcinv, gammaInverse, gammaP, logGamma } from "./special.ts";

/**
 * Distributions, accurate in their tails: an upper tail is computed as one and never as 1 − cdf. Held to R 4.2 and mpmath
 * by the reference cases. `sf` is P(X > x), `cdf` P(X <= x), `quantile(p)` the x with P(X <= x) = p.
 */

export const normalPdf = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
export const normalSf = (z: number): number => erfc(z / Math.SQRT2) / 2;
export const normalCdf = (z: number): number => erfc(-z / Math.SQRT2) / 2;
/** For p from 0 to 1, right to 1e-15 of itself also at 1e-300. */
export const normalQuantile = (p: number): number => (p <= 0.5 ? -Math.SQRT2 * erfcinv(2 * p) : Math.SQRT2 * erfcinv(2 * (1 - p))); // prettier-ignore

/** Two-sided, or one-sided with `sides` 1. */
export const normalCritical = (alpha: number, sides: 1 | 2): number => -normalQuantile(alpha / sides);

export const tPdf = (t: number, df: number): number =>
  Math.exp(logGamma((df + 1) / 2) - logGamma(df / 2) - ((df + 1) / 2) * Math.log1p((t * t) / df)) / Math.sqrt(df * Math.PI); // prettier-ignore

export const tSf = (t: number, df: number): number => {
  if (df === Number.POSITIVE_INFINITY) return normalSf(t);
  const square = t * t;
  // the half of what lies beyond |t|, in the form whose argument keeps its digits
  const tail = square < df ? betaI(square / (df + square), 0.5, df / 2, true) / 2 : betaI(df / (df + square), df / 2, 0.5, false) / 2; // prettier-ignore
  return t >= 0 ? tail : 1 - tail;
};
export const tCdf = (t: number, df: number): number => tSf(-t, df);

export const tQuantile = (p: number, df: number): number => {
  if (df === Number.POSITIVE_INFINITY) return normalQuantile(p);
  if (p === 0.5) return 0;
  const tail = Math.min(p, 1 - p);
  const y = betaInverse(2 * tail, 0.5, df / 2, true);
  const x = y < 0.5 ? 1 - y : betaInverse(2 * tail, df / 2, 0.5, false);
  let t = Math.sqrt(y < 0.5 ? (df * y) / (1 - y) : (df * (1 - x)) / x);
  // one step of Newton for the last digits
  const slope = tPdf(t, df);
  if (slope > 0 && Number.isFinite(t)) t += (tSf(t, df) - tail) / slope;
  return p < 0.5 ? -t : t;
};

export const chi2Sf = (x: number, df: number): number => (x <= 0 ? 1 : gammaP(df / 2, x / 2, true));
export const fSf = (x: number, df1: number, df2: number): number => (x <= 0 ? 1 : betaI((df1 * x) / (df1 * x + df2), df1 / 2, df2 / 2, true)); // prettier-ignore
export const betaCdf = (x: number, a: number, b: number): number => betaI(x, a, b, false);
export const betaQuantile = (p: number, a: number, b: number): number => betaInverse(p, a, b, false);
export const betaPdf = (x: number, a: number, b: number): number =>
  x <= 0 || x >= 1 ? 0 : Math.exp((a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b)); // prettier-ignore

/**
 * P(T > t) of the non-central t, the power of a t test: over s = √(χ²/df), whose density is known, the chance that
 * Z + ncp exceeds t·s (Johnson, Kotz and Balakrishnan 1995, ch. 31).
 */
export const noncentralTSf = (t: number, df: number, ncp: number): number => {
  if (df === Number.POSITIVE_INFINITY) return normalSf(t - ncp);
  const bound = (upper: boolean): number => Math.sqrt((2 * gammaInverse(df / 2, 1e-18, upper)) / df);
  const scale = Math.log(2) + (df / 2) * Math.log(df / 2) - logGamma(df / 2);
  const density = (s: number): number => (s <= 0 ? 0 : Math.exp(scale + (df - 1) * Math.log(s) - (df * s * s) / 2));
  return integrate((s) => normalSf(t * s - ncp) * density(s), bound(false), bound(true), 300);
};
