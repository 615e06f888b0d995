import type { Flag } from "../flags/document.ts";
import type { Check, Plan } from "./contract.ts";
import type { Experiment } from "./document.ts";
import { percent } from "./words.ts";

/** What a start asks for. Pure: how things stand in, checks out; each that fails says what would make it pass. */

export interface Standing {
  readonly experiment: Experiment;
  /** Metrics of its that the catalog does not have, and those that say nothing of one unit alone. */
  readonly unknown: readonly string[];
  readonly unmeasurable: readonly string[];
  /** Metrics that need more days than count, in sentences. */
  readonly late: readonly string[];
  /** What experiments on the metric that decides usually did; undefined where there were too few. */
  readonly typical: { readonly experiments: number; readonly effect: number } | undefined;
  /** Flags that keep some out of what is tested in its environment, on there. */
  readonly holdouts: readonly Flag[];
  /** What is wrong with a query that gives its exposures, in sentences. */
  readonly unasked: readonly string[];
  /** Undefined where there is no such flag. */
  readonly flag: Flag | undefined;
  /** How many would have taken part in the past; undefined where that was not asked. */
  readonly past: { readonly people: number; readonly perDay: number; readonly baseline: number } | undefined;
  readonly plan: Plan | undefined;
  /** Why there is no plan. */
  readonly noPlan: string;
}

const shortest = 20;
const flagFaults = ({ experiment, flag }: Standing): readonly string[] => {
  const { flag: key, environment, arms } = experiment;
  if (key === null) return [];
  if (flag === undefined) return [`There is no flag ${key}.`];
  const setting = flag.environments[environment];
  if (setting?.isOn !== true) return [`${key} is off in ${environment}. Switch it on.`];
  const splits = setting.rules.flatMap(({ serve }) => ("split" in serve ? [serve.split] : []));
  const isSame = splits.some(({ parts }) => {
    const [whole, wanted] = [parts.reduce((sum, { weight }) => sum + weight, 0), arms.reduce((sum, { weight }) => sum + weight, 0)]; // prettier-ignore
    return arms.every(({ name, weight }) => Math.abs((parts.find(({ variation }) => variation === name)?.weight ?? 0) / whole - weight / wanted) < 1e-9); // prettier-ignore
  });
  return isSame ? [] : [`No rule of ${key} in ${environment} splits into these arms with these weights.`];
};

/** Holdouts of everybody, and of its owner, that its flag does not heed. */
const unheeded = ({ experiment, flag, holdouts }: Standing): readonly string[] => {
  const { environment, owner } = experiment;
  if (flag === undefined || flag.holdout !== null) return [];
  const owners = [owner, flag.owner].filter((one) => one !== "");
  return holdouts.flatMap(({ key, holdout, variations }) => {
    if (key === flag.key || (holdout?.owners.length !== 0 && !holdout?.owners.some((one) => owners.includes(one)))) return [];
    const outside = new Set(variations.filter(({ value }) => value === false).map(({ name }) => name));
    const heeds = flag.environments[environment]?.prerequisites.some((one) => one.flag === key && one.variations.every((name) => outside.has(name)));
    return heeds === true ? [] : [`${key} keeps some out of what is tested here: make it a prerequisite of ${flag.key} (${key}=${[...outside].join("|")}).`];
  });
}; // prettier-ignore

/** What would be found in the longest time that is worth it. */
const possible = ({ experiment, plan }: Standing): string => {
  const point = plan?.mdeByDay.filter(({ x }) => x <= experiment.longestDays).at(-1);
  return point === undefined ? "" : ` In ${experiment.longestDays} days an effect of ${percent(point.y)} is found; or give it a larger share, a longer time, or another metric.`; // prettier-ignore
};

export const startChecks = (standing: Standing): readonly Check[] => {
  const { experiment, unknown, unmeasurable, late, past, plan, noPlan, typical } = standing;
  const check = (name: string, faults: readonly string[], fine: string): Check => ({ name, passed: faults.length === 0, says: faults.length === 0 ? fine : faults.join(" ") }); // prettier-ignore
  const primary = experiment.metrics.find(({ role }) => role === "primary");
  const loose = experiment.metrics.filter(({ role, margin }) => role === "guardrail" && margin === null);
  const usual = typical === undefined ? "" : ` Of ${typical.experiments} before, half moved it by less than ${percent(typical.effect)}${Math.abs(experiment.effect ?? 0) > 2 * typical.effect ? ": so much would be unusual" : ""}.`;
  return [
    check("Hypothesis", experiment.hypothesis.length >= shortest ? [] : ["Say what you expect to happen and why, in a sentence or two."], "Written down."), // prettier-ignore
    check("Primary metric", [
      ...(primary === undefined ? ["Choose the one metric that decides."] : []),
      ...unknown.map((metric) => `The catalog has no metric ${metric}.`),
      ...unmeasurable.map((metric) => `${metric} says nothing of one person alone; take a count, a sum, a share of people, a plain funnel, a return, an average or a ratio of sums.`),
      ...late,
    ], `${primary?.metric ?? ""} decides.`),
    check("Least effect", experiment.effect === null || experiment.effect === 0 ? ["Say the least effect that would be worth it: without one, nobody knows how long to wait or what no result means."] : [], `${percent(experiment.effect ?? 0)} of the control.${usual}`), // prettier-ignore
    check("Guardrails", loose.map(({ metric }) => `Say how much worse ${metric} may become.`), experiment.metrics.some(({ role }) => role === "guardrail") ? "Each has its margin." : "None were chosen."), // prettier-ignore
    check("Past", past === undefined ? [experiment.eligible === null ? "Say who would take part (an event of theirs), so that the past tells how many come and what they do." : "It could not be looked at."] : past.baseline === 0 ? ["Nobody did what is measured, so no relative effect can be planned."] : [], past === undefined ? "" : `${Math.round(past.perDay).toLocaleString("en")} a day could take part.`), // prettier-ignore
    check("Duration", plan === undefined || plan.days === null ? [noPlan] : plan.days > experiment.longestDays ? [`It takes ${plan.days.toLocaleString("en")} days, where ${experiment.longestDays} are worth it.${possible(standing)}`] : [], plan?.sentence ?? ""), // prettier-ignore
    check("Exposures", standing.unasked, experiment.written === null ? "By an event." : "By a query that can be asked."),
    check("Holdouts", unheeded(standing), experiment.flag === null ? "Its arms are given out elsewhere." : "It heeds those that there are."),
    check("Arms", flagFaults(standing), experiment.flag === null ? "Given out elsewhere." : `${experiment.flag} gives them out.`), // prettier-ignore
  ];
}; // prettier-ignore
