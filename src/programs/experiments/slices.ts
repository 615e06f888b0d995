import { sequenceCritical } from "#stats/always-valid.ts";
import { compared, type DayRow } from "./analysis.ts";
import type { Agreed, Experiment, UnitMeasure } from "./document.ts";

/** The largest slices alone: each takes a part of the error. */
const mostSlices = 20;

/**
 * The effect in parts of those who were exposed; a row's `day` is its slice. Intervals hold for all slices together
 * (Bonferroni) and whenever one looks (a confidence sequence), since nobody planned which slices, or when.
 */
export const slicesIn = (experiment: Experiment, agreed: Agreed, kind: UnitMeasure["kind"], rows: readonly DayRow[]) => {
  const [control, ...treatments] = experiment.arms.map(({ name }) => name);
  const sizes = new Map<string, number>();
  for (const { day, pairs } of rows) sizes.set(day, (sizes.get(day) ?? 0) + (pairs[0]?.n ?? 0));
  const shown = [...sizes].toSorted((a, b) => b[1] - a[1]).slice(0, mostSlices);
  const alpha = agreed.alphaEach / Math.max(1, shown.length);
  const pairOf = (slice: string, arm: string | undefined) => rows.find((row) => row.day === slice && row.arm === arm)?.pairs[0];
  const slices = shown.flatMap(([slice]) =>
    treatments.flatMap((arm) => {
      const [a, b] = [pairOf(slice, control), pairOf(slice, arm)];
      if (a === undefined || b === undefined) return [];
      const { control: before, treatment, effect } = compared(kind, a, b);
      const units = a.n + b.n;
      const half = effect === null ? 0 : sequenceCritical(units, experiment.sides === 2 ? alpha : 2 * alpha, 2 * agreed.perArm) * effect.standardError;
      return [{ slice, arm, units, control: before, treatment, effect: effect === null ? null : { estimate: effect.estimate, lower: effect.estimate - half, upper: effect.estimate + half } }];
    }),
  );
  const left = sizes.size - shown.length;
  return { slices, says: `Intervals hold for all ${shown.length} slices together, whenever one looks.${left > 0 ? ` ${left} smaller ones are not shown.` : ""} Nothing is decided by a slice: what is found here is a hypothesis for the next experiment.` };
}; // prettier-ignore
