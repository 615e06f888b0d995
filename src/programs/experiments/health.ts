import { mergedPairs, type PairMoments } from "#stats/cuped.ts";
import { normalSf } from "#stats/distributions.ts";
import { compared, type ArmCount, type DayRow } from "./analysis.ts";
import type { Check } from "./contract.ts";
import type { Agreed, Experiment } from "./document.ts";
import { percent } from "./words.ts";

/** What speaks against believing the numbers of an experiment. Pure. */

export interface HealthOf {
  readonly experiment: Experiment;
  readonly agreed: Agreed;
  readonly arms: readonly ArmCount[];
  readonly strange: readonly ArmCount[];
  readonly mismatch: { readonly pValue: number; readonly isMismatch: boolean };
  readonly rows: readonly DayRow[];
  /** Faults of the data that were open while it ran, of events that it counts, in words. */
  readonly faults: readonly string[];
  readonly now: number;
  readonly startedAt: number;
}

const [mostCrossed, noveltyAlarm] = [0.01, 0.01];
const merged = (rows: readonly DayRow[], arm: string, at: number): PairMoments | undefined =>
  rows.filter((row) => row.arm === arm).map(({ pairs }) => pairs[at]).reduce<PairMoments | undefined>((before, pair) => (before === undefined || pair === undefined ? (before ?? pair) : mergedPairs(before, pair)), undefined); // prettier-ignore

/** Whether those who came first react otherwise than those who came last: a novelty that wears off, or something learnt. */
export const novelty = ({ experiment, agreed, rows }: Pick<HealthOf, "experiment" | "agreed" | "rows">) => {
  const at = agreed.metrics.findIndex(({ role }) => role === "primary");
  const [control, ...treatments] = experiment.arms.map(({ name }) => name);
  const days = [...new Set(rows.map(({ day }) => day))].toSorted();
  const third = Math.floor(days.length / 3);
  const kind = agreed.metrics[at]?.measure.kind;
  if (third < 2 || kind === undefined || control === undefined) return [];
  const [early, late] = [new Set(days.slice(0, third)), new Set(days.slice(-third))];
  return treatments.flatMap((arm) => {
    const [first, last] = [early, late].map((some) => {
      const part = rows.filter(({ day }) => some.has(day));
      const [a, b] = [merged(part, control, at), merged(part, arm, at)];
      return a === undefined || b === undefined ? null : compared(kind, a, b).effect;
    });
    if (first === null || first === undefined || last === null || last === undefined) return [];
    const z = (last.estimate - first.estimate) / Math.hypot(first.standardError, last.standardError);
    return [{ arm, early: first.estimate, late: last.estimate, pValue: 2 * normalSf(Math.abs(z)) }];
  });
};

export const healthOf = (given: HealthOf): readonly Check[] => {
  const { experiment, agreed, arms, strange, mismatch, faults, now, startedAt } = given;
  const check = (name: string, says: readonly string[], fine: string): Check => ({ name, passed: says.length === 0, says: says.length === 0 ? fine : says.join(" ") }); // prettier-ignore
  const units = arms.reduce((sum, one) => sum + one.units, 0);
  const crossed = arms.reduce((sum, one) => sum + one.crossed, 0);
  const days = (now - startedAt) / 86_400_000;
  const expected = agreed.perDay * experiment.share * Math.min(days, agreed.days);
  const changes = novelty(given).filter(({ pValue }) => pValue < noveltyAlarm);
  return [
    check("Sample ratio", mismatch.isMismatch ? [`Arms do not have as many as they should (p = ${mismatch.pValue.toPrecision(2)}). Look for what loses or adds some: a redirect, a crash, a filter that sees the arm, bots.`] : [], "Arms have as many as they should."), // prettier-ignore
    check("Exposures", [
      ...(units === 0 ? ["Nobody was exposed yet. Does the exposing event arrive, with the property that names the arm?"] : []),
      ...(units > 0 && days >= 2 && units < expected / 2 ? [`${units.toLocaleString("en")} were exposed, where ${Math.round(expected).toLocaleString("en")} were planned by now.`] : []),
      ...(strange.length > 0 ? [`Exposures name arms that it does not have: ${strange.slice(0, 5).map(({ arm }) => arm.slice(0, 60)).join(", ")}.`] : []),
    ], `${units.toLocaleString("en")} were exposed.`),
    check("Identity", units > 0 && crossed / units > mostCrossed ? [`${percent(crossed / units)} were in several arms and count nowhere. Are people recognised before they are put in an arm?`] : [], "Next to nobody was in several arms."), // prettier-ignore
    check("Novelty", changes.map(({ arm, early, late }) => `${arm}: the effect was ${percent(early)} on those who came first and ${percent(late)} on those who came last.`), "Those who came first and last react alike, as far as one can see."), // prettier-ignore
    check("Data", faults, "No fault of the data that it counts was found while it ran."),
  ];
}; // prettier-ignore
