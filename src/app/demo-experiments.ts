import { PlanInput } from "#programs/experiments/contract.ts";
import { Agreed, Experiment } from "#programs/experiments/document.ts";
import { unitMeasureOf } from "#programs/experiments/measure.ts";
import { planOf } from "#programs/experiments/plan.ts";
import { companyDays, truths } from "#programs/demo/company.ts";
import { demoMetrics } from "./demo-metrics.ts";

const dayMs = 86_400_000;

const exposed = (experiment: string) => ({ event: "Experiment viewed", filters: [{ property: "experiment", values: [experiment] }] }); // prettier-ignore

/** The experiments of the simulated company: one that found what is planted, and one that runs and loses people on its way. */
const planned = [
  {
    from: truths.experiment.from,
    to: truths.experiment.to + 1,
    baseline: 0.6,
    perDay: 2.6,
    decision: {
      decision: "ship",
      arm: "checklist",
      reason: "New teams that see what is left to do make their first project more often.",
      by: "Fernly",
    },
    experiment: {
      key: "onboarding-checklist",
      name: "Onboarding checklist",
      hypothesis:
        "New teams do not know what comes next. A checklist after signing up makes more of them create a project within a week.",
      owner: "growth",
      arms: [
        { name: "control", weight: 1 },
        { name: "checklist", weight: 1 },
      ],
      exposure: exposed("onboarding checklist"),
      eligible: { event: "Signed up" },
      metrics: [{ metric: "project_makers", role: "primary" }],
      covariateDays: 0,
      effect: 0.25,
      looks: 5,
      longestDays: 160,
    },
  },
  {
    from: truths.mismatch.from,
    to: null,
    baseline: 0.7,
    perDay: 120,
    decision: null,
    experiment: {
      key: "board-colours",
      name: "Board colours",
      hypothesis:
        "Calmer colours of the board leave more attention for the work, so that more people come back in the week after.",
      owner: "product",
      arms: [
        { name: "control", weight: 1 },
        { name: "new", weight: 1 },
      ],
      exposure: exposed("board colours"),
      eligible: { event: "Session started" },
      metrics: [{ metric: "second_week", role: "primary" }],
      windowDays: 14,
      effect: 0.05,
      looks: 10,
    },
  },
] as const;

/** As they are kept; `end` is the first moment after the last day of the company. */
export const demoExperiments = (end: number) => {
  const start = end - companyDays * dayMs;
  const at = (day: number): string => new Date(start + day * dayMs).toISOString();
  return planned.map(({ from, to, baseline, perDay, decision, ...given }) => {
    const experiment = Experiment.parse(given.experiment);
    const plan = planOf(PlanInput.parse({ metric: { kind: "proportion", baseline }, effect: experiment.effect, looks: experiment.looks, perDay }));
    const metrics = experiment.metrics.flatMap(({ metric, role, margin }) => {
      const definition = demoMetrics().find(({ key }) => key === metric);
      const measure = definition === undefined ? undefined : unitMeasureOf(definition);
      return definition === undefined || measure === undefined ? [] : [{ metric, name: definition.name, role, margin, direction: definition.direction, measure }];
    });
    const { perArm, total, days, alphaEach, powerEach, sentence } = plan;
    const agreed: Agreed = { metrics, perArm, total, days: days ?? 0, alphaEach, powerEach, baseline, sd: Math.sqrt(baseline * (1 - baseline)), correlation: 0, perDay, sentence };
    const endedAt = to === null ? null : at(to);
    return {
      key: experiment.key,
      content: JSON.stringify(experiment),
      version: 1,
      state: to === null ? "running" : "ended",
      agreed: JSON.stringify(agreed),
      started_at: at(from),
      ended_at: endedAt,
      decision: decision === null ? null : JSON.stringify({ ...decision, at: endedAt }),
      updated_at: endedAt ?? at(from),
    };
  });
}; // prettier-ignore
