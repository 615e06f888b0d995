import { Definition } from "#insights/metrics/contract.ts";

const week = 7 * 86_400;
const start = { event: "Signed up" };

/** The metrics that the simulated company runs on. */
export const demoMetrics = (): Definition[] =>
  [
    {
      key: "weekly_active_teams",
      name: "Active teams",
      description: "Teams in which somebody completed a task. The company follows it because teams that finish work together stay.",
      owner: "product",
      unit: "teams",
      northStar: true,
      inputs: ["activation", "second_week", "busy_weeks"],
      measure: { kind: "unique", of: "accounts", event: "Task completed" },
    },
    {
      key: "activation",
      name: "Activation",
      description: "New people who create their first task within a week.",
      owner: "growth",
      moment: "activation",
      measure: { kind: "conversion", steps: [start, { event: "Project created" }, { event: "Task created" }], windowSeconds: week },
    },
    {
      key: "project_makers",
      name: "People who make a project",
      owner: "growth",
      unit: "people",
      measure: { kind: "unique", event: "Project created" },
    },
    {
      key: "time_to_first_task",
      name: "Time to the first task",
      owner: "growth",
      direction: "down",
      moment: "activation",
      measure: { kind: "time_to_value", steps: [start, { event: "Task created" }], windowSeconds: week, statistic: "median" },
    },
    {
      key: "second_week",
      name: "Back in the next week",
      owner: "growth",
      moment: "habit",
      measure: { kind: "retention", start: { event: "Session started" }, returning: { event: "Session started" }, period: "week", after: 1 },
    },
    {
      key: "busy_weeks",
      name: "At work three days a week",
      owner: "product",
      moment: "depth",
      measure: { kind: "stickiness", activity: { event: "Task completed" }, per: "day", atLeast: 3 },
    },
    {
      key: "inviting_teams",
      name: "Teams that invite somebody",
      owner: "growth",
      unit: "teams",
      moment: "expansion",
      measure: { kind: "unique", of: "accounts", event: "Teammate invited" },
    },
    {
      key: "revenue",
      name: "Revenue",
      owner: "finance",
      unit: "USD",
      measure: { kind: "sum", event: "Invoice paid", property: "amount" },
    },
    {
      key: "revenue_per_team",
      name: "Revenue per paying team",
      owner: "finance",
      unit: "USD",
      measure: {
        kind: "ratio",
        numerator: { kind: "sum", event: "Invoice paid", property: "amount" },
        denominator: { kind: "unique", of: "accounts", event: "Invoice paid" },
      },
    },
  ].map((definition) => Definition.parse(definition)); // prettier-ignore
