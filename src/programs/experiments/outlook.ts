import { sequenceCritical } from "#stats/always-valid.ts";
import { normalCdf, normalCritical } from "#stats/distributions.ts";
import { spendingBounds } from "#stats/group-sequential.ts";
import type { Analysis, Comparison, Look, MetricResult } from "./analysis.ts";
import type { Agreed, Experiment } from "./document.ts";
import { effectWords, percent } from "./words.ts";

/** What would change what is said of an experiment: the other verdict, and how likely the end still brings it. Pure. */

const count = (value: number): string => Math.ceil(value).toLocaleString("en");
const chance = (value: number): string => `${Math.round(value * 100)} of 100`;

/** How many standard errors it takes at the planned end. */
const lastCritical = ({ design, sides }: Experiment, { alphaEach, perArm }: Agreed, looks: readonly Look[]): number => {
  if (design === "fixed") return normalCritical(alphaEach, sides);
  if (design === "always_valid") return sequenceCritical(2 * perArm, sides === 2 ? alphaEach : 2 * alphaEach, 2 * perArm); // prettier-ignore
  const information = looks.map((look) => look.information).filter((one) => one < 1);
  return spendingBounds("obrien_fleming", [...information, 1], alphaEach, sides).z.at(-1) ?? Number.POSITIVE_INFINITY;
};

/**
 * The chance that the end says an effect is there, by what was seen up to now and an effect that goes on from here
 * (conditional power: Lan & Wittes 1988, by the B-value). `z` and `sign` are of the direction that is hoped for.
 */
export const conditionalPower = (z: number, information: number, driftAtEnd: number, critical: number): number => {
  const left = 1 - information;
  return left <= 0 ? Number(z > critical) : normalCdf((z * Math.sqrt(information) + driftAtEnd * left - critical) / Math.sqrt(left)); // prettier-ignore
};

const ofPrimary = (experiment: Experiment, agreed: Agreed, { name, direction }: MetricResult, { arm, effect }: Comparison, look: Look, looks: readonly Look[]): string[] => {
  if (effect === null) return [];
  const hoped = direction === "down" ? -1 : 1;
  const bound = look.critical * effect.standardError;
  const stands = `At this look ${arm} is called better from ${effectWords(hoped * bound)} of ${name} on, and worse from ${effectWords(-hoped * bound)}; it is at ${effectWords(effect.estimate)}.`;
  if (look.information >= 1) return [stands];
  const critical = lastCritical(experiment, agreed, looks);
  const atEnd = effect.standardError * Math.sqrt(look.information);
  const power = (size: number): number => conditionalPower((hoped * effect.estimate) / effect.standardError, look.information, (hoped * size) / atEnd, critical);
  const planned = experiment.effect ?? 0;
  return [stands, `By the planned end ${arm} is called better in ${chance(power(planned))} cases if from here on the effect is the planned ${effectWords(planned)}, and in ${chance(power(effect.estimate))} if it stays as it is.`];
}; // prettier-ignore

/** In sentences, for the page and the report. */
export const turnsOf = (experiment: Experiment, agreed: Agreed, { look, looks, metrics }: Pick<Analysis, "look" | "looks" | "metrics">): string[] => {
  const { design, looks: planned } = experiment;
  const { total } = agreed;
  const next = design === "group_sequential" ? Math.min(total, ((Math.floor(((look?.units ?? 0) * planned) / total + 1e-9) + 1) * total) / planned) : total;
  const left = next - (look?.units ?? 0);
  const days = agreed.perDay * experiment.share > 0 ? left / (agreed.perDay * experiment.share) : 0;
  const waits = look !== null && look.information >= 1 ? "What was planned has come; more is not read." : `${design === "always_valid" ? "The planned end" : "The next look"} is ${count(left)} ${experiment.unit} away, about ${count(Math.max(1, days))} days.`;
  const primary = metrics.find(({ role }) => role === "primary");
  const open = metrics.flatMap(({ name, margin, comparisons }) => comparisons.filter(({ guardrail }) => guardrail === "open").map(({ arm }) => `${name} of ${arm} still allows for more than ${percent(margin ?? 0, 1)} worse: until its interval does not, nothing is shipped.`));
  return [
    ...(look === null || primary === undefined ? [] : primary.comparisons.flatMap((one) => ofPrimary(experiment, agreed, primary, one, look, looks))),
    ...open,
    waits,
    ...metrics.filter(({ role }) => role === "primary").flatMap(({ name, comparisons }) => comparisons.filter(({ reduction }) => reduction > 0.005).map(({ arm, reduction }) => `The time before explains ${percent(reduction, 1)} of the variance of ${name} (${arm}).`)),
  ];
}; // prettier-ignore
