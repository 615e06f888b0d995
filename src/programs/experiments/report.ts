import type { ExperimentView, Results } from "./operations.ts";
import { effectWords, percent } from "./words.ts";

/** An experiment as a document that can be sent on. Pure. */

const number = (value: number): string => value.toLocaleString("en", { maximumSignificantDigits: 4 });
const day = (moment: string | null): string => moment?.slice(0, 10) ?? "–";
/** What people wrote cannot begin a heading, a rule or a table of the document. */
const quoted = (text: string): string => text.split("\n").map((line) => `> ${line}`).join("\n"); // prettier-ignore
const cell = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string => [row(titles), `| ${titles.map(() => "---").join(" | ")} |`, ...rows.map(row)].join("\n"); // prettier-ignore

const designs = {
  fixed: "looked at once, at the end",
  group_sequential: "looked at as planned, by the spending of O'Brien and Fleming",
  always_valid: "looked at whenever one liked, by a confidence sequence",
} as const;

const metricRows = (metrics: Results["metrics"]): string[][] =>
  metrics.flatMap(({ name, role, margin, comparisons }) =>
    comparisons.map(({ arm, control, treatment, effect, guardrail }) => [
      name,
      margin === null ? role : `${role}, worse by ${percent(margin)} at most`,
      arm,
      number(control),
      number(treatment),
      effect === null ? "–" : effectWords(effect.estimate, 2),
      effect === null ? "–" : `${effectWords(effect.lower, 2)} to ${effectWords(effect.upper, 2)}`,
      guardrail ?? "",
    ]),
  );

export const reportOf = ({ experiment, agreed, startedAt, endedAt, decision, state }: ExperimentView, results: Results): string => {
  const { mismatch, look } = results;
  const parts = [
    `# ${cell(experiment.name)}`,
    `${state === "ended" ? "Ended" : "Running"}. Started ${day(startedAt)}, ended ${day(endedAt)}.`,
    "## Hypothesis",
    quoted(experiment.hypothesis),
    "## What was agreed",
    `${agreed?.sentence ?? ""} It was ${designs[experiment.design]}. Counted were ${experiment.unit}, by what they did in the ${experiment.windowDays} days after their first exposure${experiment.covariateDays === 0 ? "" : `, less what the ${experiment.covariateDays} days before explain`}.`,
    "## What was found",
    quoted(results.sentence),
    look === null ? "No look was reached." : `As of ${look.day}: ${look.units.toLocaleString("en")} ${experiment.unit}, ${percent(look.information)} of what was planned. Intervals hold for this look, however often it was looked at before.`,
    ...(results.triggered === null ? [] : [`Counted are those of the ${results.triggered.exposed.toLocaleString("en")} exposed who came to where it can make a difference: ${results.triggered.triggered.toLocaleString("en")}.`]),
    table(["Metric", "Role", "Arm", "Control", "Arm's", "Effect", "Interval", "Guardrail"], metricRows(results.metrics)),
    "## What would change this",
    results.turns.map((one) => `- ${cell(one)}`).join("\n"),
    "## Whether it can be trusted",
    table(["Arm", "Exposed", "Expected", "In several arms", "Window over"], results.arms.map(({ arm, units, expected, crossed, ripe }) => [arm, ...[units, expected, crossed, ripe].map((one) => Math.round(one).toLocaleString("en"))])),
    `${mismatch.isMismatch ? "The arms do not have as many as they should" : "The arms have as many as they should"}: p = ${mismatch.pValue.toPrecision(2)} (χ², alarm below 0.001).`,
    table(["Check", "", "What it says"], results.health.map(({ name, passed, says }) => [name, passed ? "fine" : "look", says])),
    ...(results.strange.length === 0 ? [] : [`Exposures also name ${results.strange.map(({ arm, units }) => `${cell(arm.slice(0, 100))} (${units.toLocaleString("en")})`).join(", ")}.`]),
    ...(decision === null ? [] : ["## What was decided", `${{ ship: `Ship ${cell(decision.arm ?? "")}`, stop: "Stop", inconclusive: "Inconclusive" }[decision.decision]}, by ${cell(decision.by)}, ${day(decision.at)}.`, quoted(decision.reason)]),
  ];
  return `${parts.join("\n\n")}\n`;
}; // prettier-ignore
