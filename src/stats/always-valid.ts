import { rootBetween } from "./numeric.ts";
import { normalCritical, normalSf } from "./distributions.ts";

/** Intervals that hold at every look at once, however often one looks. */

export interface Sequence {
  readonly halfWidth: number;
  readonly lower: number;
  readonly upper: number;
  readonly pValue: number;
}

/** The mixing parameter by which an asymptotic confidence sequence is narrowest at `tuning` units of both arms. */
export const tunedRho = (alpha: number, tuning: number): number => Math.sqrt((-2 * Math.log(alpha) + Math.log(1 - 2 * Math.log(alpha))) / tuning); // prettier-ignore

/** How many standard errors wide a half of the sequence is at n units. */
export const sequenceCritical = (n: number, alpha: number, tuning: number): number => {
  const rho2n = n * tunedRho(alpha, tuning) ** 2;
  return Math.sqrt(((2 * (rho2n + 1)) / rho2n) * Math.log(Math.sqrt(rho2n + 1) / alpha));
};

/**
 * Asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, arXiv 2103.06476, eq. 9 and 155). `n`
 * counts the units of both arms, `tuning` was fixed before the start. One-sided: the bound in `side`, with ρ of 2α.
 */
export const confidenceSequence = (estimate: number, standardError: number, n: number, alpha: number, tuning: number, sides: 1 | 2): Sequence & { readonly rho: number } => {
  const spread = standardError * Math.sqrt(n);
  // fixed before the start, whatever level is asked about later
  const rho = tunedRho(sides === 2 ? alpha : 2 * alpha, tuning);
  const r = n * rho * rho;
  const widthAt = (level: number): number => {
    const log = sides === 2 ? Math.log(Math.sqrt(r + 1) / level) : Math.log(1 + Math.sqrt(r + 1) / (2 * level));
    return spread * Math.sqrt(((2 * (r + 1)) / (n * rho) ** 2) * log);
  };
  const halfWidth = widthAt(alpha);
  const twoSided = Math.min(1, Math.sqrt(r + 1) * Math.exp((-rho * rho * n * n * estimate * estimate) / (2 * spread * spread * (r + 1)))); // prettier-ignore
  return { rho, halfWidth, lower: estimate - halfWidth, upper: estimate + halfWidth, pValue: sides === 2 ? twoSided : oneSided(estimate, widthAt) }; // prettier-ignore
}; // prettier-ignore

/** The level at which the bound just touches 0. */
const oneSided = (estimate: number, widthAt: (level: number) => number): number => {
  const [least, most] = [1e-5, 0.4999];
  if (estimate - widthAt(most) <= 0) return most;
  return estimate - widthAt(least) >= 0 ? least : rootBetween((level) => estimate - widthAt(level), least, most);
};

/** Mixture sequential probability ratio test with a normal of spread τ over the effect (Johari, Koomen, Pekelis and Walsh 2017). */
export const msprt = (estimate: number, standardError: number, tau: number, alpha: number): Sequence & { readonly likelihoodRatio: number } => {
  const [v, t] = [standardError ** 2, tau ** 2];
  const likelihoodRatio = Math.sqrt(v / (v + t)) * Math.exp((t * estimate * estimate) / (2 * v * (v + t)));
  const halfWidth = Math.sqrt(((v * (v + t)) / t) * (2 * Math.log(1 / alpha) + Math.log((v + t) / v)));
  return { likelihoodRatio, halfWidth, lower: estimate - halfWidth, upper: estimate + halfWidth, pValue: Math.min(1, 1 / likelihoodRatio) };
}; // prettier-ignore

/** The form of Statsig: τ² from the spread of the arms, α/2 inside the logarithm. Wider than it needs to be; to reproduce their numbers. */
export const statsigSequence = (estimate: number, standardError: number, varianceA: number, nA: number, varianceB: number, nB: number, alpha: number) => {
  const v = standardError ** 2;
  const t = (normalCritical(alpha, 2) ** 2 * (varianceA + varianceB)) / (nA + nB);
  const halfWidth = Math.sqrt(((v * (v + t)) / t) * (-2 * Math.log(alpha / 2) - Math.log(v / (v + t))));
  const z = (normalCritical(alpha, 2) * estimate) / halfWidth;
  return { halfWidth, lower: estimate - halfWidth, upper: estimate + halfWidth, pValue: 2 * normalSf(Math.abs(z)) };
}; // prettier-ignore
