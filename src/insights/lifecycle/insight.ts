import type { EChartsCoreOption } from "echarts/core";
import { bucketCell, bucketLabels, decals, grid, legend, seriesColors } from "#insights/common/chart.ts";
import { defineInsight, type AnswerTable } from "#insights/common/insight.ts";
import { askLifecycle, lifecycleWho, states, type LifecycleResult } from "./contract.ts";

const names = { new: "New", returning: "Returning", resurrecting: "Resurrecting", dormant: "Dormant" } as const;

/** Who is there above the line, who went quiet below it. */
const chart = (result: LifecycleResult): EChartsCoreOption => ({
  ...decals,
  grid,
  legend,
  tooltip: { trigger: "axis" },
  xAxis: {
    type: "category",
    data: bucketLabels(result),
  },
  yAxis: { type: "value" },
  series: states.map((state, index) => ({
    type: "bar",
    stack: "units",
    name: names[state],
    color: seriesColors[index],
    data: result[state],
  })),
});

const table = (result: LifecycleResult): AnswerTable => ({
  caption: `How many ${result.unit} are in each state; those who went quiet count below zero`,
  columns: [
    { title: `Start of ${result.interval}` },
    ...states.map((state) => ({ title: names[state], format: "number" as const })),
  ],
  rows: result.buckets.map((_, place) => [
    bucketCell(result, place),
    ...states.map((state) => result[state][place] ?? 0),
  ]),
});

export const lifecycleInsight = defineInsight({
  kind: "lifecycle",
  title: "Lifecycle",
  explains: "Lifecycle shows who is new, who stays, who comes back after a pause, and who goes quiet.",
  operation: askLifecycle,
  chart,
  tables: (result) => [table(result)],
  drill: {
    operation: lifecycleWho,
    axes: ({ interval, buckets }) => [
      { name: "state", label: "Who", options: states.map((state) => ({ value: state, label: names[state] })) },
      { name: "bucket", label: `In the ${interval} of`, options: buckets.map((value) => ({ value, label: value })) },
    ],
    input: (question, { state = "new", bucket = "" }) => ({ question, state, bucket }),
    clicked: ({ buckets }, { series, place }) => ({
      bucket: buckets[place] ?? "",
      ...Object.fromEntries(states.filter((state) => names[state] === series).map((state) => ["state", state])),
    }),
    says: ({ state = "new", bucket = "" }, { interval }) =>
      `${names[state as keyof typeof names]}, ${interval} of ${bucket}`,
  },
});
