import { decisionBias, scoreBias } from "#stats/bias.ts";
import { findPersonal } from "../privacy/detect.ts";
import type { Check, Evaluation, Use } from "./contract.ts";

/** What a release asks for. Pure: how things stand in, checks out. */

export interface Standing {
  readonly use: Use;
  readonly missing: readonly string[];
  /** The newest of this version. */
  readonly evaluation: { readonly content: Evaluation; readonly by: string } | undefined;
  /** Data sets that it was trained on, with what their cards lack; undefined for one that there is not. */
  readonly datasets: readonly { readonly id: string; readonly missing: number | undefined }[];
  /** Values that look personal and that nobody has judged. */
  readonly openFindings: number;
  readonly registeredBy: string;
  /** Who would release it; empty where that is not asked. */
  readonly reviewer: string;
}

const list = (words: readonly string[]): string => words.join(", ");

export const checksOf = ({ use, missing, evaluation, datasets, openFindings, registeredBy, reviewer }: Standing): readonly Check[] => {
  const check = (name: string, faults: readonly string[], fine: string): Check => ({ name, passed: faults.length === 0, says: faults.length === 0 ? fine : `${faults.join("; ").replace(/^./, (one) => one.toUpperCase())}.` }); // prettier-ignore
  const metrics = evaluation?.content.metrics ?? [];
  const bounded = metrics.filter(({ atLeast, atMost }) => atLeast !== undefined || atMost !== undefined);
  const failed = bounded.filter(({ value, atLeast, atMost }) => (atLeast !== undefined && value < atLeast) || (atMost !== undefined && value > atMost)); // prettier-ignore
  const uneven = (evaluation?.content.groups ?? []).flatMap(({ attribute, decisions, scores }) => [...decisionBias(decisions), ...scoreBias(scores)].map((says) => `${attribute}: ${says}`)); // prettier-ignore
  const personal = [...new Set(findPersonal(use.prompt).map(({ type }) => type))];
  const unknown = datasets.filter((one) => one.missing === undefined).map(({ id }) => id);
  const incomplete = datasets.filter((one) => (one.missing ?? 0) > 0).map(({ id }) => id);
  return [
    check("Risk", use.risk === "prohibited" ? ["a prohibited use is never released"] : [], `It is of ${use.risk} risk.`),
    check("Card", missing.length > 0 ? [`the card lacks ${list(missing)}`] : [], "The card is complete."),
    check("Data", [...unknown.map((id) => `there is no data set ${id}`), ...incomplete.map((id) => `the card of ${id} is not complete`)], datasets.length === 0 ? "It was trained on nothing of this workspace." : "The cards of what it was trained on are complete."), // prettier-ignore
    check("Evaluation", [...(evaluation === undefined ? [`version ${use.version} was not measured`] : bounded.length === 0 ? ["no metric has a threshold"] : []), ...failed.map(({ name, slice, value, atLeast, atMost }) => `${name}${slice === undefined ? "" : ` of ${slice}`} is ${value}, where ${atLeast === undefined ? `at most ${String(atMost)}` : `at least ${atLeast}`} is wanted`)], `${bounded.length} thresholds are met on ${evaluation?.content.set ?? ""}.`), // prettier-ignore
    check("Bias", [...(evaluation === undefined || evaluation.content.groups.length === 0 ? ["it was not measured by group"] : []), ...uneven], "No group that is large enough differs by more than may be."), // prettier-ignore
    check("Personal data", [...(personal.length > 0 ? [`the prompt holds ${list(personal)}`] : []), ...(datasets.length > 0 && openFindings > 0 ? [`${openFindings} findings of personal data are not judged`] : [])], "None was found in the prompt, and nothing waits to be judged."), // prettier-ignore
    check("Oversight", [...(use.oversight === "" ? ["nobody has said who looks at what it does, and how it is stopped"] : []), ...(use.owner === "" ? ["it has no owner"] : [])], "Somebody answers for it, and can stop it."), // prettier-ignore
    check("Review", reviewer === "" ? [] : [...(reviewer === registeredBy ? ["who registered it cannot release it"] : []), ...(reviewer === evaluation?.by ? ["who measured it cannot release it"] : [])], "Somebody who neither registered nor measured it releases it."), // prettier-ignore
  ];
}; // prettier-ignore
