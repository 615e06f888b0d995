import { chi2Sf, normalCritical, normalSf } from "./distributions.ts";

/** What many experiments say together, and what one of them says in the light of the others. */

export interface Result {
  readonly estimate: number;
  readonly variance: number;
}

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

const pooled = (results: readonly Result[], tau2: number, alpha: number) => {
  const weights = results.map(({ variance }) => 1 / (variance + tau2));
  const estimate = sum(results.map((one, at) => one.estimate * (weights[at] ?? 0))) / sum(weights);
  const standardError = Math.sqrt(1 / sum(weights));
  const half = normalCritical(alpha, 2) * standardError;
  return { estimate, standardError, lower: estimate - half, upper: estimate + half, pValue: 2 * normalSf(Math.abs(estimate / standardError)) }; // prettier-ignore
};

/** Inverse-variance fixed effect, and random effects with the spread of DerSimonian and Laird 1986. */
export const metaAnalysis = (results: readonly Result[], alpha = 0.05) => {
  const fixed = pooled(results, 0, alpha);
  const weights = results.map(({ variance }) => 1 / variance);
  const q = sum(results.map(({ estimate }, at) => (weights[at] ?? 0) * (estimate - fixed.estimate) ** 2));
  const df = results.length - 1;
  const scale = sum(weights) - sum(weights.map((weight) => weight * weight)) / sum(weights);
  const tau2 = df === 0 ? 0 : Math.max(0, (q - df) / scale);
  return { fixed, random: pooled(results, tau2, alpha), tau2, q, qPValue: df === 0 ? 1 : chi2Sf(q, df), i2: q === 0 ? 0 : Math.max(0, (q - df) / q) }; // prettier-ignore
};

/** An effect drawn towards what such experiments usually find, so that the winners among many are not believed too much. */
export const shrunk = ({ estimate, variance }: Result, mean: number, tau2: number) => {
  const weight = tau2 / (tau2 + variance);
  return { mean: weight * estimate + (1 - weight) * mean, variance: weight * variance, weight };
};
