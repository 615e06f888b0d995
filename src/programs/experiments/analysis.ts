import { sequenceCritical } from "#stats/always-valid.ts";
import { cupedPairs, mergedPairs, type PairMoments } from "#stats/cuped.ts";
import { normalCritical } from "#stats/distributions.ts";
import { effectOf, type Estimate, type Moments } from "#stats/effects.ts";
import { spendingBounds } from "#stats/group-sequential.ts";
import { chiSquared, sequentialMultinomial } from "#stats/srm.ts";
import type { Agreed, AgreedMetric, Experiment, UnitMeasure } from "./document.ts";
import { percent } from "./words.ts";

/**
 * From what each arm did, day by day, to what may be said now. Pure: the same rows give the same answer. What is said at a
 * look is said by that look's bound, so that nobody is fooled by having looked before.
 */

/** One arm and day of first exposure; a pair for each metric, in the order of the experiment's. */
export interface DayRow {
  readonly arm: string;
  readonly day: string;
  readonly pairs: readonly PairMoments[];
}

/** One arm and day of first exposure. */
export interface DayCount extends ArmCount {
  readonly day: string;
}

export interface ArmCount {
  readonly arm: string;
  readonly units: number;
  /** Of them, seen in more than one arm; they count nowhere. */
  readonly crossed: number;
  /** Of the others, those whose window is over. */
  readonly ripe: number;
}

export type MetricAsked = Omit<AgreedMetric, "measure"> & { readonly kind: UnitMeasure["kind"] };

/** Where the data stand: everything up to a day, and how many standard errors an interval is wide. */
export interface Look {
  readonly day: string;
  readonly units: number;
  /** Of what was planned, at most 1. */
  readonly information: number;
  readonly critical: number;
}

export interface Point {
  readonly day: string;
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
}

export interface Comparison {
  readonly arm: string;
  readonly control: number;
  readonly treatment: number;
  /** Relative to the control; null where that is 0. */
  readonly effect: (Point & { readonly standardError: number }) | null;
  /** Share of the variance that the time before took away. */
  readonly reduction: number;
  /** For guardrails: whether it is no worse than its margin allows. */
  readonly guardrail: "holds" | "broken" | "open" | null;
  readonly course: readonly Point[];
}

export interface MetricResult extends MetricAsked {
  readonly comparisons: readonly Comparison[];
}

export type Verdict = "invalid" | "keep_running" | "ship" | "stop" | "inconclusive";

export interface Analysis {
  readonly arms: readonly (ArmCount & { readonly expected: number })[];
  readonly mismatch: { readonly pValue: number; readonly sequentialPValue: number; readonly isMismatch: boolean };
  /** The last look that may be read; null before the first. */
  readonly look: Look | null;
  readonly looks: readonly Look[];
  readonly metrics: readonly MetricResult[];
  readonly verdict: Verdict;
  /** The arm that is shipped, where one is. */
  readonly best: string | null;
  readonly sentence: string;
}

const srmAlarm = 0.001;
const nothing: PairMoments = { n: 0, y: 0, x: 0, varY: 0, varX: 0, covXY: 0 };
const count = (value: number): string => Math.round(value).toLocaleString("en");

interface Cumulated {
  readonly day: string;
  readonly units: number;
  readonly arms: ReadonlyMap<string, readonly PairMoments[]>;
}

const zeros = (n: number): PairMoments => ({ ...nothing, n });

/**
 * Days with all of their units: those who did nothing that is measured are zeros of every metric. A day may be given in
 * several rows, each of some of its units.
 */
export const withIdle = (counts: readonly DayCount[], rows: readonly DayRow[], metrics: number): readonly DayRow[] => {
  const active = new Map<string, readonly PairMoments[]>();
  for (const { arm, day, pairs } of rows) {
    const before = active.get(`${day} ${arm}`);
    active.set(`${day} ${arm}`, before === undefined ? pairs : before.map((pair, at) => mergedPairs(pair, pairs[at] ?? nothing)));
  }
  return counts.filter(({ ripe }) => ripe > 0).map(({ arm, day, ripe }) => {
    const pairs = active.get(`${day} ${arm}`) ?? [];
    return { arm, day, pairs: Array.from({ length: metrics }, (_, at) => {
      const pair = pairs[at] ?? nothing;
      return mergedPairs(pair, zeros(Math.max(0, ripe - pair.n)));
    }) };
  });
}; // prettier-ignore

/** Of all days. */
export const countedByArm = (counts: readonly DayCount[]): readonly ArmCount[] => {
  const arms = new Map<string, ArmCount>();
  for (const { arm, units, crossed, ripe } of counts) {
    const before = arms.get(arm) ?? { arm, units: 0, crossed: 0, ripe: 0 };
    arms.set(arm, { arm, units: before.units + units, crossed: before.crossed + crossed, ripe: before.ripe + ripe });
  }
  return [...arms.values()];
};

/** Everything up to each day. */
const cumulated = (rows: readonly DayRow[], metrics: number): readonly Cumulated[] => {
  const days = [...new Set(rows.map(({ day }) => day))].toSorted();
  const arms = new Map<string, readonly PairMoments[]>();
  return days.map((day) => {
    for (const { arm, pairs } of rows.filter((row) => row.day === day)) {
      const before = arms.get(arm) ?? Array.from({ length: metrics }, () => nothing);
      arms.set(arm, before.map((pair, at) => mergedPairs(pair, pairs[at] ?? nothing))); // prettier-ignore
    }
    const units = [...arms.values()].reduce((sum, pairs) => sum + (pairs[0]?.n ?? 0), 0);
    return { day, units, arms: new Map(arms) };
  });
};

/** Looks that may be read, with the bound of each. */
const looksOf = ({ design, looks, sides }: Experiment, { total, perArm, alphaEach }: Agreed, days: readonly Cumulated[]): readonly Look[] => {
  if (design === "always_valid")
    return days.map(({ day, units }) => {
      const both = (2 * units * perArm) / total; // of one comparison
      return { day, units, information: Math.min(1, units / total), critical: sequenceCritical(Math.max(1, both), sides === 2 ? alphaEach : 2 * alphaEach, 2 * perArm) };
    });
  if (design === "fixed") {
    const end = days.find(({ units }) => units >= total);
    return end === undefined ? [] : [{ day: end.day, units: end.units, information: 1, critical: normalCritical(alphaEach, sides) }];
  }
  const reached: { day: string; units: number; information: number }[] = [];
  let next = 1;
  for (const { day, units } of days) {
    if (units < (next * total) / looks || next > looks) continue;
    const information = Math.min(1, units / total);
    reached.push({ day, units, information });
    next = Math.floor((units * looks) / total + 1e-9) + 1;
    if (information === 1) break;
  }
  const { z } = reached.length === 0 ? { z: [] } : spendingBounds("obrien_fleming", reached.map(({ information }) => information), alphaEach, sides);
  return reached.map((look, at) => ({ ...look, critical: z[at] ?? Number.POSITIVE_INFINITY }));
}; // prettier-ignore

/** What is above over what is below, with the spread of a unit by the delta method. */
export const ratioOf = ({ n, y, x, varY, varX, covXY }: PairMoments): Moments => {
  const ratio = y / x;
  return { n, mean: ratio, variance: (varY - 2 * ratio * covXY + ratio * ratio * varX) / (x * x) };
};

interface Compared {
  readonly control: number;
  readonly treatment: number;
  readonly effect: Estimate | null;
  readonly reduction: number;
}

/** The effect of b against a, relative. */
export const compared = (kind: UnitMeasure["kind"], a: PairMoments, b: PairMoments): Compared => {
  const isRatio = kind === "ratio";
  const [control, treatment] = isRatio ? [a.y / a.x, b.y / b.x] : [a.y, b.y];
  const isKnown = a.n > 1 && b.n > 1 && Number.isFinite(control) && Number.isFinite(treatment) && control !== 0;
  if (!isKnown) return { control: Number.isFinite(control) ? control : 0, treatment: Number.isFinite(treatment) ? treatment : 0, effect: null, reduction: 0 }; // prettier-ignore
  const found = isRatio ? { ...effectOf(ratioOf(a), ratioOf(b), "relative"), reduction: 0 } : cupedPairs(a, b, "relative"); // prettier-ignore
  return { control, treatment, effect: found.standardError > 0 ? found : null, reduction: found.reduction };
};

const pointOf = (day: string, { estimate, standardError }: Estimate, critical: number): Point => ({ day, estimate, lower: estimate - critical * standardError, upper: estimate + critical * standardError }); // prettier-ignore

const guardrailOf = ({ role, margin, direction }: MetricAsked, point: Point | undefined): Comparison["guardrail"] => {
  if (role !== "guardrail" || margin === null) return null;
  if (point === undefined) return "open";
  const [worst, best] = direction === "down" ? [-point.upper, -point.lower] : [point.lower, point.upper];
  if (worst > -margin) return "holds";
  return best < -margin ? "broken" : "open";
};

const resultOf = (asked: MetricAsked, at: number, control: string, treatments: readonly string[], days: readonly Cumulated[], looks: readonly Look[]): MetricResult => {
  const byDay = new Map(days.map((one) => [one.day, one]));
  const comparisons = treatments.map((arm): Comparison => {
    const seen = looks.map((look) => {
      const arms = byDay.get(look.day)?.arms;
      return { look, found: compared(asked.kind, arms?.get(control)?.[at] ?? nothing, arms?.get(arm)?.[at] ?? nothing) };
    });
    const last = seen.at(-1);
    const effect = last?.found.effect ?? null;
    const point = last === undefined || effect === null ? undefined : pointOf(last.look.day, effect, last.look.critical);
    return {
      arm,
      control: last?.found.control ?? 0,
      treatment: last?.found.treatment ?? 0,
      effect: point === undefined || effect === null ? null : { ...point, standardError: effect.standardError },
      reduction: last?.found.reduction ?? 0,
      guardrail: guardrailOf(asked, point),
      course: seen.flatMap(({ look, found }) => (found.effect === null ? [] : [pointOf(look.day, found.effect, look.critical)])),
    };
  });
  return { ...asked, comparisons };
}; // prettier-ignore

/** Better, worse, or neither, by the interval at the look. */
const standing = ({ direction }: MetricAsked, { effect }: Comparison): "better" | "worse" | "open" => {
  if (effect === null) return "open";
  const [low, high] = direction === "down" ? [-effect.upper, -effect.lower] : [effect.lower, effect.upper];
  return low > 0 ? "better" : high < 0 ? "worse" : "open";
};

const decide = (experiment: Experiment, agreed: Agreed, { mismatch, look, metrics }: Pick<Analysis, "mismatch" | "look" | "metrics">): Pick<Analysis, "verdict" | "best" | "sentence"> => {
  const plan = `The plan was to find an effect of ${percent(experiment.effect ?? 0)} with ${count(agreed.perArm)} units of each arm.`;
  const said = (verdict: Verdict, sentence: string, best: string | null = null) => ({ verdict, best, sentence: `${sentence} ${plan}` });
  if (mismatch.isMismatch) return said("invalid", `The arms do not have as many units as they should (p = ${mismatch.pValue.toPrecision(2)}): something loses or adds some. Nothing below can be trusted until that is found.`);
  const primary = metrics.find(({ role }) => role === "primary");
  if (look === null || primary === undefined) return said("keep_running", "Nothing may be read yet.");
  const guardrails = metrics.filter(({ role }) => role === "guardrail");
  const arms = primary.comparisons.map((comparison) => {
    const others = guardrails.flatMap(({ name, comparisons }) => comparisons.filter(({ arm }) => arm === comparison.arm).map(({ guardrail }) => ({ name, guardrail })));
    return { comparison, is: standing(primary, comparison), broken: others.filter(({ guardrail }) => guardrail === "broken"), open: others.filter(({ guardrail }) => guardrail === "open") };
  });
  const interval = ({ effect }: Comparison): string => (effect === null ? "" : `${percent(effect.estimate)} (${percent(effect.lower)} to ${percent(effect.upper)})`);
  const size = ({ effect }: Comparison): number => (effect === null ? 0 : Math.abs(effect.estimate));
  const [winner] = arms.filter(({ is, broken, open }) => is === "better" && broken.length === 0 && open.length === 0).toSorted((a, b) => size(b.comparison) - size(a.comparison));
  if (winner !== undefined) return said("ship", `${winner.comparison.arm} moves ${primary.name} by ${interval(winner.comparison)}${guardrails.length > 0 ? ", and every guardrail holds" : ""}.`, winner.comparison.arm);
  const isLost = arms.every(({ is, broken }) => is === "worse" || broken.length > 0);
  if (isLost) return said("stop", arms.map(({ comparison, broken }) => broken.length > 0 ? `${comparison.arm} breaks ${broken.map(({ name }) => name).join(", ")}.` : `${comparison.arm} makes ${primary.name} worse: ${interval(comparison)}.`).join(" "));
  const isOver = look.information >= 1;
  const better = arms.find(({ is, broken }) => is === "better" && broken.length === 0);
  const waits = better === undefined ? `${primary.name} moved by ${arms.map(({ comparison }) => `${comparison.arm}: ${interval(comparison)}`).join("; ")}, which may be nothing.` : `${better.comparison.arm} moves ${primary.name} by ${interval(better.comparison)}, but it is open whether ${better.open.map(({ name }) => name).join(", ")} became worse than the margin allows.`;
  return said(isOver ? "inconclusive" : "keep_running", waits);
}; // prettier-ignore

/** What may be said of an experiment. Rows are of units whose window is over. */
export const analyse = (experiment: Experiment, agreed: Agreed, counts: readonly ArmCount[], rows: readonly DayRow[]): Analysis => {
  const { arms } = experiment;
  const metrics = agreed.metrics.map(({ measure, ...one }): MetricAsked => ({ ...one, kind: measure.kind }));
  const whole = arms.reduce((sum, { weight }) => sum + weight, 0);
  const observed = arms.map(({ name }) => counts.find(({ arm }) => arm === name) ?? { arm: name, units: 0, crossed: 0, ripe: 0 });
  const units = observed.map((one) => one.units);
  const total = units.reduce((sum, one) => sum + one, 0);
  const weights = arms.map(({ weight }) => weight);
  const pValue = total === 0 ? 1 : chiSquared(units, weights).pValue;
  const mismatch = { pValue, sequentialPValue: total === 0 ? 1 : sequentialMultinomial(units, weights, 10_000).pValue, isMismatch: pValue < srmAlarm };
  const days = cumulated(rows, metrics.length);
  const looks = looksOf(experiment, agreed, days);
  const [control = "", ...treatments] = arms.map(({ name }) => name);
  // metrics that decide nothing share one error among them (Bonferroni), so that one of many does not shine by chance
  const others = metrics.filter(({ role }) => role === "secondary").length;
  const wider = others < 2 ? looks : looksOf(experiment, { ...agreed, alphaEach: agreed.alphaEach / others }, days);
  const results = metrics.map((asked, at) => resultOf(asked, at, control, treatments, days, asked.role === "secondary" ? wider : looks));
  const look = looks.at(-1) ?? null;
  return {
    arms: observed.map((one, at) => ({ ...one, expected: (total * (weights[at] ?? 0)) / whole })),
    mismatch,
    look,
    looks,
    metrics: results,
    ...decide(experiment, agreed, { mismatch, look, metrics: results }),
  };
}; // prettier-ignore
