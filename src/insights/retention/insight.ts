import type { EChartsCoreOption } from "echarts/core";
import { grid, groupName, legend, mostLines, percent, seriesColors, seriesDashes } from "#insights/common/chart.ts";
import { defineInsight, type AnswerTable, type Cell } from "#insights/common/insight.ts";
import { askRetention, type RetentionResult } from "./contract.ts";

/** The average curve over mature cohorts. */
const retentionChart = (result: RetentionResult): EChartsCoreOption => ({
  grid,
  legend,
  tooltip: { trigger: "axis" },
  xAxis: { type: "category", data: result.columns, boundaryGap: false },
  yAxis: { type: "value", min: 0, max: 100, axisLabel: { formatter: "{value} %" } },
  series: result.groups.slice(0, mostLines).map((group, index) => ({
    type: "line",
    name: group.group === null ? "Came back" : groupName(group.group),
    color: seriesColors[index],
    lineStyle: { type: seriesDashes[index] },
    data: group.averages.map((average) => (average.rate === null ? null : percent(average.rate))),
  })),
});

type Group = RetentionResult["groups"][number];

const table = (result: RetentionResult, { group, cohorts }: Group): AnswerTable => ({
  caption: `${group === null ? "Share of each cohort that came back" : groupName(group)}; cohorts without people are left out; * marks time that is not over yet`,
  columns: [
    { title: "Cohort" },
    { title: result.unit === "people" ? "People" : "Accounts", format: "number" },
    ...result.columns.slice(1).map((title) => ({ title, format: "share" as const, heat: true as const })),
  ],
  rows: cohorts
    .filter(({ size }) => size > 0)
    .map(({ bucket, size, counts, mature }): Cell[] => [
      bucket,
      size,
      ...counts.slice(1).map((count, index) => ({
        value: count / size,
        mark: mature[index + 1] === true ? "" : "*",
      })),
    ]),
});

/** Counts rather than shares, so that whoever has the file can add cohorts up. */
const counts = (result: RetentionResult): Cell[][] => [
  ["group", "cohort", "people", ...result.columns.slice(1)],
  ...result.groups.flatMap(({ group, cohorts }) =>
    cohorts.map((cohort): Cell[] => [group === null ? "" : groupName(group), cohort.bucket, ...cohort.counts]),
  ),
];

export const retentionInsight = defineInsight({
  kind: "retention",
  title: "Retention",
  explains: "Retention shows who comes back after starting, day by day or week by week.",
  operation: askRetention,
  chart: retentionChart,
  tables: (result) => result.groups.map((group) => table(result, group)),
  file: counts,
});
