import { sequenceCritical } from "#stats/always-valid.ts";
import { normalCdf, normalCritical, normalSf } from "#stats/distributions.ts";
import { designOf, equalLooks, spendingBounds } from "#stats/group-sequential.ts";
import { dunnettCritical } from "#stats/multiple.ts";
import { rootAbove } from "#stats/numeric.ts";
import { jointPower } from "#stats/power.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Design, Metric, Plan, PlanInput } from "./contract.ts";
import { percent } from "./words.ts";

/**
 * Plans of experiments. Everything stands on one number: how many standard errors the effect is away at n units of each
 * arm; a design says how many it must be. Pure.
 */

const most = 1e12;
const longestDays = 400;
const mostDays = 36_500;

/** Alpha of each comparison with the control, so that all together have what was asked for. */
const alphaOf = ({ alpha, sides, treatments, correction }: PlanInput): number => {
  if (treatments === 1 || correction === "none") return alpha;
  if (correction === "bonferroni") return alpha / treatments;
  return sides * normalSf(dunnettCritical(treatments, 0.5, Number.POSITIVE_INFINITY, alpha, sides));
};

interface Question {
  readonly metric: Metric;
  readonly alpha: number;
  readonly sides: 1 | 2;
  readonly power: number;
  readonly looks: number;
  /** What is left of the variance when the time before is taken out. */
  readonly unexplained: number;
}

/** Standard errors of a difference of one unit in each arm: under no effect, and where the effect is there. */
const spreads = ({ metric, unexplained }: Question, effect: number): { readonly none: number; readonly there: number } => {
  if (metric.kind === "mean") {
    const spread = Math.sqrt(2 * unexplained) * metric.sd;
    return { none: spread, there: spread };
  }
  const [p, q] = [metric.baseline, metric.baseline * (1 + effect)];
  const pooled = (p + q) / 2;
  return { none: Math.sqrt(2 * pooled * (1 - pooled) * unexplained), there: Math.sqrt((p * (1 - p) + q * (1 - q)) * unexplained) }; // prettier-ignore
}; // prettier-ignore

const gainOf = (metric: Metric, effect: number): number => Math.abs(metric.baseline * effect);

/** Power of a fixed look at n units of each arm, with a critical value. */
const powerAt = (question: Question, effect: number, n: number, critical: number): number => {
  const { none, there } = spreads(question, effect);
  return normalCdf((gainOf(question.metric, effect) * Math.sqrt(n) - critical * none) / there);
};

interface Sized {
  readonly n: number;
  /** On average, as a share of n, where the effect is there. */
  readonly expected: number;
}

const fixedSize = (question: Question, effect: number): number => {
  const critical = normalCritical(question.alpha, question.sides);
  return rootAbove((n) => powerAt(question, effect, n, critical) - question.power, 1e-9, 100);
};

/** Designs take a while to integrate, and people change one number at a time. */
const known = new Map<string, ReturnType<typeof designOf>>();
const mostKnown = 500;

/** A design with the alpha spending of O'Brien and Fleming at equal looks. */
const groupSequential = ({ alpha, sides, power, looks }: Question): ReturnType<typeof designOf> => {
  const key = JSON.stringify([alpha, sides, power, looks]);
  const held = known.get(key);
  if (held !== undefined) return held;
  const information = equalLooks(looks);
  const made = designOf(
    information,
    spendingBounds("obrien_fleming", information, alpha, sides).z,
    alpha,
    sides,
    power,
  );
  if (known.size >= mostKnown) known.clear();
  known.set(key, made);
  return made;
};

/** The critical value of a sequence that is tuned to end at n units of each arm, as a fixed look of its power there sees it. */
const alwaysCritical = ({ alpha, sides }: Question, n: number): number => sequenceCritical(2 * n, sides === 2 ? alpha : 2 * alpha, 2 * n); // prettier-ignore

const sized: Readonly<Record<Design, (question: Question, effect: number) => Sized>> = {
  fixed: (question, effect) => ({ n: fixedSize(question, effect), expected: 1 }),
  group_sequential: (question, effect) => {
    const { inflation, expectedAlternative } = groupSequential(question);
    return { n: fixedSize(question, effect) * inflation, expected: expectedAlternative / inflation };
  },
  // it may end sooner too; by how much depends on how often one looks, so nothing is promised
  always_valid: (question, effect) => ({ n: rootAbove((n) => powerAt(question, effect, n, alwaysCritical(question, n)) - question.power, 1e-9, 100), expected: 1 }), // prettier-ignore
};

/** The least relative effect that is found at n units of each arm; undefined where none can be. */
const mdeAt = (question: Question, design: Design, n: number, inflation: number, planned: number, sign: number): number | undefined => {
  const critical = design === "always_valid" ? sequenceCritical(2 * n, question.sides === 2 ? question.alpha : 2 * question.alpha, 2 * planned) : normalCritical(question.alpha, question.sides);
  const at = design === "group_sequential" ? n / inflation : n;
  const limit = question.metric.kind === "proportion" ? (sign > 0 ? (1 - question.metric.baseline) / question.metric.baseline : 1) - 1e-9 : 1e6;
  const missing = (effect: number): number => powerAt(question, sign * effect, at, critical) - question.power;
  if (missing(limit) < 0) return undefined;
  return rootAbove((effect) => (effect > limit ? 1 : missing(effect)), 1e-9, Math.min(0.01, limit));
}; // prettier-ignore

const names: Readonly<Record<Design, string>> = {
  fixed: "One look at the end",
  group_sequential: "Planned looks",
  always_valid: "A look whenever one likes",
};

const shown = (value: number): string => Math.ceil(value).toLocaleString("en");
/** How many have come by a day, a part of one too; undefined where nobody said. */
const arrivalsOf = ({ perDay, arrivals, share }: PlanInput): ((day: number) => number) | undefined => {
  if (arrivals === undefined) return perDay === undefined ? undefined : (day) => perDay * share * day;
  const sums = [0];
  for (const one of arrivals) sums.push((sums.at(-1) ?? 0) + one * share);
  const last = arrivals.slice(-7);
  const later = (share * last.reduce((sum, one) => sum + one, 0)) / last.length;
  return (day) => {
    const whole = Math.floor(day);
    const [from, to] = [sums[whole], sums[whole + 1]];
    if (from === undefined) return (sums.at(-1) ?? 0) + later * (day - arrivals.length);
    return to === undefined ? from + later * (day - whole) : from + (to - from) * (day - whole);
  };
};

/** The day by which so many have come. */
const dayOf = (arrived: (day: number) => number, units: number): number => {
  if (arrived(mostDays) < units) throw new Refusal("experiments.too_few", "At this pace they do not come in a hundred years. Take a larger share, a larger effect, or others who could take part."); // prettier-ignore
  return rootAbove((day) => arrived(day) - units, 1e-9, 1);
};

/** The plan of an experiment. Throws `experiments.effect` for an effect that cannot be, and one that nobody could find. */
export const planOf = (input: PlanInput): Plan => {
  const { metric, effect, power, sides, design, looks, correlation, treatments, guardrails } = input;
  if (metric.baseline === 0) throw new Refusal("experiments.baseline", "An effect relative to a baseline of 0 says nothing. Give the baseline."); // prettier-ignore
  if (metric.kind === "proportion" && (metric.baseline * (1 + effect) >= 1 || effect <= -1))
    throw new Refusal("experiments.effect", `An effect of ${percent(effect)} takes ${percent(metric.baseline)} beyond what a share can be.`); // prettier-ignore
  const alpha = alphaOf(input);
  const powerEach = jointPower(power, guardrails);
  const question = { metric, alpha, sides, power: powerEach, looks, unexplained: 1 - correlation ** 2 };
  const arms = treatments + 1;
  const own = sized[design](question, effect);
  if (!(own.n < most)) throw new Refusal("experiments.too_small", `No experiment finds an effect of ${percent(effect)} here: it would take more than ${shown(most)} units.`); // prettier-ignore
  const perArm = Math.ceil(own.n);
  const total = perArm * arms;
  const arrived = arrivalsOf(input);
  const days = arrived === undefined ? null : Math.ceil(dayOf(arrived, total));
  const inflation = design === "group_sequential" ? groupSequential(question).inflation : 1;
  const other = (name: Design, of: Question): number => Math.ceil(sized[name](of, effect).n) * arms;
  const critical = design === "always_valid" ? alwaysCritical(question, perArm) : normalCritical(alpha, sides);
  const spread = Array.from({ length: 41 }, (_, at) => (effect * at) / 20);
  const byEffect = spread.filter(
    (one) => one !== 0 && (metric.kind === "mean" || (metric.baseline * (1 + one) < 1 && one > -1)),
  );
  const lasting = days === null ? 0 : Math.min(longestDays, Math.max(14, Math.ceil(days * 1.5)));
  return {
    perArm,
    total,
    days,
    weeks: days === null ? null : Math.ceil(days / 7) * 7,
    expectedDays: arrived === undefined ? null : dayOf(arrived, total * own.expected),
    alphaEach: alpha,
    powerEach,
    effectAbsolute: metric.baseline * effect,
    gains: [
      ...(["fixed", "group_sequential", "always_valid"] as const).map((name) => ({ name: names[name], total: other(name, question), note: name === "group_sequential" ? `${looks} looks; on average ${percent(groupSequential(question).expectedAlternative)} of one look where the effect is there` : name === "always_valid" ? "an interval that holds at every look" : "nothing may be read before" })), // prettier-ignore
      ...(correlation > 0 ? [{ name: `${names[design]}, without the time before`, total: other(design, { ...question, unexplained: 1 }), note: `the time before takes ${percent(correlation ** 2)} of the variance away` }] : []), // prettier-ignore
    ],
    powerByEffect: byEffect.map((one) => ({ x: one, y: powerAt(question, one, design === "group_sequential" ? perArm / inflation : perArm, critical) })), // prettier-ignore
    mdeByDay: Array.from({ length: lasting }, (_, at) => at + 1).flatMap((day) => {
      const found = mdeAt(question, design, (arrived?.(day) ?? 0) / arms, inflation, perArm, Math.sign(effect));
      return found === undefined ? [] : [{ x: day, y: found }];
    }),
    sentence: `${shown(perArm)} units of each of ${arms} arms, ${shown(total)} in all${days === null ? "" : `: ${days.toLocaleString("en")} days`}, find an effect of ${percent(Math.abs(effect))} ${effect > 0 ? "more" : "less"} with a chance of ${percent(powerEach)}, at an error of ${percent(alpha)} (${sides === 2 ? "two-sided" : "one-sided"}).`, // prettier-ignore
  };
};
