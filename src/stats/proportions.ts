import { betaQuantile, normalCritical, normalSf } from "./distributions.ts";
import type { Alternative } from "./effects.ts";
import { logGamma } from "./special.ts";

/** Tests of shares and of rates. b against a. */

export interface Share {
  readonly x: number;
  readonly n: number;
}

/** The z test of two shares with the pooled variance, and the interval of their difference with the unpooled one (R's prop.test). */
export const twoProportions = (a: Share, b: Share, alternative: Alternative, alpha: number, isCorrected: boolean) => {
  const [p, q] = [a.x / a.n, b.x / b.n];
  const pooled = (a.x + b.x) / (a.n + b.n);
  const se = Math.sqrt(pooled * (1 - pooled) * (1 / a.n + 1 / b.n));
  const difference = q - p;
  const correction = isCorrected ? Math.min(Math.abs(difference), 0.5 * (1 / a.n + 1 / b.n)) : 0;
  const z = se === 0 ? 0 : (difference - Math.sign(difference) * correction) / se;
  const pValue = { "two-sided": 2 * normalSf(Math.abs(z)), greater: normalSf(z), less: normalSf(-z) }[alternative];
  const unpooled = Math.sqrt((p * (1 - p)) / a.n + (q * (1 - q)) / b.n);
  const half = normalCritical(alpha, alternative === "two-sided" ? 2 : 1) * unpooled + correction;
  return {
    difference,
    z,
    pValue,
    lower: alternative === "less" ? -1 : Math.max(-1, difference - half),
    upper: alternative === "greater" ? 1 : Math.min(1, difference + half),
  };
};

/** Wilson's score interval of one share at a level. */
export const wilsonAt = ({ x, n }: Share, alpha: number): readonly [number, number] => {
  const z = normalCritical(alpha, 2);
  const [p, scale] = [x / n, 1 + (z * z) / n];
  const middle = (p + (z * z) / (2 * n)) / scale;
  const half = (z / scale) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [middle - half, middle + half];
};

/** The hybrid score interval of a difference of shares, right also for small counts (Newcombe 1998, method 10). */
export const newcombe = (a: Share, b: Share, alpha: number) => {
  const [p, q] = [a.x / a.n, b.x / b.n];
  const [[la, ua], [lb, ub]] = [wilsonAt(a, alpha), wilsonAt(b, alpha)];
  return { lower: q - p - Math.hypot(q - lb, ua - p), upper: q - p + Math.hypot(ub - q, p - la) };
};

/** The interval of p_b/p_a − 1 on its logarithm (Katz et al. 1978). */
export const riskRatio = (a: Share, b: Share, alpha: number) => {
  const ratio = b.x / b.n / (a.x / a.n);
  const half = normalCritical(alpha, 2) * Math.sqrt(1 / b.x - 1 / b.n + 1 / a.x - 1 / a.n);
  return { lift: ratio - 1, lower: ratio * Math.exp(-half) - 1, upper: ratio * Math.exp(half) - 1 };
};

/** Two rates of rare events, exactly: given their sum, one of them is binomial (Przyborowski and Wilenski 1940). */
export const poissonRates = (eventsA: number, exposureA: number, eventsB: number, exposureB: number, alpha = 0.05) => {
  const [n, share] = [eventsA + eventsB, exposureB / (exposureA + exposureB)];
  const log = (x: number): number => logGamma(n + 1) - logGamma(x + 1) - logGamma(n - x + 1) + x * Math.log(share) + (n - x) * Math.log1p(-share); // prettier-ignore
  // all that is no likelier than what was seen, with room for rounding, as R has it
  const seen = log(eventsB) + 1e-7;
  let exact = 0;
  for (let x = 0; x <= n; x += 1) if (log(x) <= seen) exact += Math.exp(log(x));
  const low = eventsB === 0 ? 0 : betaQuantile(alpha / 2, eventsB, n - eventsB + 1);
  const high = eventsB === n ? 1 : betaQuantile(1 - alpha / 2, eventsB + 1, n - eventsB);
  const ratioOf = (p: number): number => ((p / (1 - p)) * exposureA) / exposureB;
  return {
    ratio: eventsB / exposureB / (eventsA / exposureA),
    exact: Math.min(1, exact),
    interval: [ratioOf(low), ratioOf(high)] as const,
    z: (eventsB - n * share) / Math.sqrt(n * share * (1 - share)),
  };
};

/** A 2×2 table of one stratum: successes and units of control and treatment. */
export interface Stratum {
  readonly a: Share;
  readonly b: Share;
}

/** The common odds ratio over strata and its test without correction (Mantel and Haenszel 1959). */
export const mantelHaenszel = (strata: readonly Stratum[]) => {
  let [observed, expected, variance, top, bottom] = [0, 0, 0, 0, 0];
  for (const { a, b } of strata) {
    const [n, x] = [a.n + b.n, a.x + b.x];
    observed += b.x;
    expected += (b.n * x) / n;
    variance += (a.n * b.n * x * (n - x)) / (n * n * (n - 1));
    top += (b.x * (a.n - a.x)) / n;
    bottom += (a.x * (b.n - b.x)) / n;
  }
  const z = (observed - expected) / Math.sqrt(variance);
  return { chiSquared: z * z, pValue: 2 * normalSf(Math.abs(z)), oddsRatio: top / bottom };
};
