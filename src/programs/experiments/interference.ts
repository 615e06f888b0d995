import { chi2Sf } from "#stats/distributions.ts";
import { compared, type DayRow } from "./analysis.ts";
import type { Experiment, UnitMeasure } from "./document.ts";

/** One arm of another experiment: what this one does to those who are in it. */
export interface Beside {
  readonly other: string;
  readonly arm: string;
  readonly units: number;
  readonly effect: { readonly estimate: number; readonly standardError: number } | null;
}

export interface Interference {
  readonly arms: readonly Beside[];
  /** That the effect is the same in every arm of the other one, or more different than this (Cochran's Q). */
  readonly pValue: number | null;
}

/**
 * Whether an experiment does the same to people whatever arm of another one they are in. A row's `day` is the other's arm.
 * Two that run on the same people and do not interfere may both be read as if the other were not there.
 */
export const interferenceIn = (experiment: Experiment, kind: UnitMeasure["kind"], rows: readonly DayRow[]): Interference => {
  const [control, ...treatments] = experiment.arms.map(({ name }) => name);
  const others = [...new Set(rows.map(({ day }) => day))].toSorted();
  const pairOf = (other: string, arm: string | undefined) => rows.find((row) => row.day === other && row.arm === arm)?.pairs[0];
  const arms = treatments.flatMap((arm) => others.flatMap((other): Beside[] => {
    const [a, b] = [pairOf(other, control), pairOf(other, arm)];
    if (a === undefined || b === undefined) return [];
    const { effect } = compared(kind, a, b);
    return [{ other, arm, units: a.n + b.n, effect: effect === null ? null : { estimate: effect.estimate, standardError: effect.standardError } }];
  }));
  let [q, freedom] = [0, 0];
  for (const arm of treatments) {
    const known = arms.flatMap((one) => (one.arm === arm && one.effect !== null ? [one.effect] : []));
    if (known.length < 2) continue;
    const weights = known.map(({ standardError }) => 1 / standardError ** 2);
    const whole = weights.reduce((sum, weight) => sum + weight, 0);
    const mean = known.reduce((sum, { estimate }, at) => sum + estimate * (weights[at] ?? 0), 0) / whole;
    q += known.reduce((sum, { estimate }, at) => sum + (weights[at] ?? 0) * (estimate - mean) ** 2, 0);
    freedom += known.length - 1;
  }
  return { arms, pValue: freedom === 0 ? null : chi2Sf(q, freedom) };
}; // prettier-ignore
