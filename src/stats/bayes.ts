import { betaCdf, betaPdf, betaQuantile, normalCdf, normalCritical, normalPdf } from "./distributions.ts";
import { integrate } from "./numeric.ts";

/** Bayesian answers with priors that are stated. b is the treatment. */

export interface Prior {
  readonly mean: number;
  readonly sd: number;
}

/** The posterior of an effect that is normal; without a prior it is the likelihood alone. */
export const normalEffect = (estimate: number, standardError: number, prior: Prior | undefined, alpha: number) => {
  const [own, told] = [1 / standardError ** 2, prior === undefined ? 0 : 1 / prior.sd ** 2];
  const mean = (estimate * own + (prior?.mean ?? 0) * told) / (own + told);
  const sd = Math.sqrt(1 / (own + told));
  const z = mean / sd;
  const half = normalCritical(alpha, 2) * sd;
  return {
    mean,
    sd,
    chanceToWin: normalCdf(z),
    lower: mean - half,
    upper: mean + half,
    // what is given away by keeping the control, and by shipping the treatment
    lossOfControl: mean * normalCdf(z) + sd * normalPdf(z),
    lossOfTreatment: sd * normalPdf(z) - mean * normalCdf(-z),
  };
};

interface Beta {
  readonly a: number;
  readonly b: number;
}

/** P(y > x) of two independent betas, over where y has all but 1e-15 of its chance. */
const exceeds = (y: Beta, x: Beta): number => {
  const [from, to] = [betaQuantile(1e-15, y.a, y.b), betaQuantile(1 - 1e-15, y.a, y.b)];
  return integrate((p) => betaPdf(p, y.a, y.b) * betaCdf(p, x.a, x.b), from, to, 300);
};

const meanOf = ({ a, b }: Beta): number => a / (a + b);
const more = ({ a, b }: Beta): Beta => ({ a: a + 1, b });

/** Two shares with a beta prior each; losses by posteriors that are biased by their size (Stucchio 2015). */
export const betaBinomial = (prior: Beta, xA: number, nA: number, xB: number, nB: number, alpha: number) => {
  const a = { a: prior.a + xA, b: prior.b + nA - xA };
  const b = { a: prior.a + xB, b: prior.b + nB - xB };
  const interval = (one: Beta): readonly [number, number] => [betaQuantile(alpha / 2, one.a, one.b), betaQuantile(1 - alpha / 2, one.a, one.b)]; // prettier-ignore
  return {
    meanA: meanOf(a),
    meanB: meanOf(b),
    chanceToWin: exceeds(b, a),
    lossOfControl: meanOf(b) * exceeds(more(b), a) - meanOf(a) * exceeds(b, more(a)),
    lossOfTreatment: meanOf(a) * exceeds(more(a), b) - meanOf(b) * exceeds(a, more(b)),
    intervalA: interval(a),
    intervalB: interval(b),
  };
};

/** The chance of each of several independent normal arms to be the best, by quadrature. */
export const probabilityBest = (arms: readonly Prior[]): number[] =>
  arms.map(
    ({ mean, sd }, at) =>
    integrate((z) => {
      const value = mean + sd * z;
      return arms.reduce((all, other, place) => (place === at ? all : all * normalCdf((value - other.mean) / other.sd)), normalPdf(z)); // prettier-ignore
    }, -9, 9, 300), // prettier-ignore
  );
