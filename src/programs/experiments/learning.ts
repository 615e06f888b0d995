import { wilson } from "#stats/intervals.ts";
import { metaAnalysis, shrunk } from "#stats/meta.ts";
import { normalCritical } from "#stats/distributions.ts";

/** What all experiments together say of a metric, so that the next one starts from it. Pure. */

/** The effect that an ended experiment found on the metric that decided it; relative, better is more. */
export interface Finding {
  readonly key: string;
  readonly name: string;
  readonly metric: string;
  readonly arm: string;
  readonly estimate: number;
  readonly standardError: number;
  /** Whether this arm was shipped. */
  readonly isShipped: boolean;
  readonly endedAt: string;
}

export interface LearnedOf {
  readonly metric: string;
  readonly experiments: number;
  /** What an experiment on it does on average, and how far they differ beyond chance (random effects). */
  readonly mean: number;
  readonly lower: number;
  readonly upper: number;
  readonly spread: number;
  /** Half of all experiments move it by less than this. */
  readonly typical: number;
  /** Of what was shipped, one after another: as each said of itself, and drawn towards what such experiments find. */
  readonly summed: number;
  readonly believed: number;
  readonly findings: readonly (Finding & { readonly shrunk: number; readonly shrunkLower: number; readonly shrunkUpper: number })[];
} // prettier-ignore

const together = (effects: readonly number[]): number => effects.reduce((all, one) => all * (1 + one), 1) - 1;
/** Of a normal, half lies within so many spreads. */
const halfOf = 0.674_489_750_196_081_7;

export const learnedOf = (metric: string, findings: readonly Finding[]): LearnedOf => {
  const results = findings.map(({ estimate, standardError }) => ({ estimate, variance: standardError ** 2 }));
  const { random, tau2 } = metaAnalysis(results);
  const spread = Math.sqrt(tau2);
  const each = findings.map((finding, at) => {
    const { mean, variance } = shrunk(results[at] ?? { estimate: 0, variance: 1 }, random.estimate, tau2);
    const half = normalCritical(0.05, 2) * Math.sqrt(variance);
    return { ...finding, shrunk: mean, shrunkLower: mean - half, shrunkUpper: mean + half };
  });
  const shipped = each.filter(({ isShipped }) => isShipped);
  return {
    metric,
    experiments: new Set(findings.map(({ key }) => key)).size,
    mean: random.estimate,
    lower: random.lower,
    upper: random.upper,
    spread,
    typical: Math.abs(random.estimate) + halfOf * spread,
    summed: together(shipped.map(({ estimate }) => estimate)),
    believed: together(shipped.map((one) => one.shrunk)),
    findings: each.toSorted((a, b) => (a.endedAt < b.endedAt ? 1 : -1)),
  };
};

/** By metric, those with the most experiments first. */
export const learnedByMetric = (findings: readonly Finding[]): readonly LearnedOf[] => {
  const metrics = [...new Set(findings.map(({ metric }) => metric))];
  return metrics.map((metric) => learnedOf(metric, findings.filter((one) => one.metric === metric))).toSorted((a, b) => b.experiments - a.experiments); // prettier-ignore
};

/** The share of ended experiments that were shipped, with its 95 % interval; null where none has ended. */
export const winRate = (shipped: number, ended: number) => {
  const interval = wilson(shipped, ended);
  return interval === null ? null : { share: shipped / ended, lower: interval[0], upper: interval[1], ended };
};
