import type { EChartsCoreOption } from "echarts/core";
import {
  chosenGroup,
  grid,
  groupAxis,
  groupName,
  legend,
  mostLines,
  percent,
  seriesColors,
  seriesDashes,
} from "#insights/common/chart.ts";
import { defineInsight, type AnswerTable, type Cell } from "#insights/common/insight.ts";
import { askRetention, retentionWho, type RetentionResult } from "./contract.ts";

const valueName = ({ value }: RetentionResult): string => {
  if (value === null) return "Came back";
  return value.statistic === "sum" ? `${value.property} per person` : `Average ${value.property}`;
};

/** The average curve over mature cohorts; of values, each person's sum or the average of all events. */
const retentionChart = (result: RetentionResult): EChartsCoreOption => ({
  grid,
  legend,
  tooltip: { trigger: "axis" },
  xAxis: { type: "category", data: result.columns, boundaryGap: false },
  yAxis:
    result.value === null
      ? { type: "value", min: 0, max: 100, axisLabel: { formatter: "{value} %" } }
      : { type: "value" },
  series: result.groups.slice(0, mostLines).map((group, index) => ({
    type: "line",
    name: group.group === null ? valueName(result) : groupName(group.group),
    color: seriesColors[index],
    lineStyle: { type: seriesDashes[index] },
    data: group.averages.map(({ rate, value = null }) =>
      result.value !== null ? value : rate === null ? null : percent(rate),
    ),
  })),
});

type Group = RetentionResult["groups"][number];

const valueTable = (result: RetentionResult, { group, cohorts }: Group): AnswerTable => ({
  caption: `${group === null ? "" : `${groupName(group)}: `}${result.value?.statistic ?? ""} of ${result.value?.property ?? ""} of each cohort; * marks time that is not over yet`,
  columns: [
    { title: "Cohort" },
    { title: result.unit === "people" ? "People" : "Accounts", format: "number" },
    ...result.columns.map((title) => ({ title, format: "number" as const })),
  ],
  rows: cohorts
    .filter(({ size }) => size > 0)
    .map(({ bucket, size, values = [], mature }): Cell[] => [
      bucket,
      size,
      ...values.map((value, column) => ({ value, mark: mature[column] === true ? "" : "*" })),
    ]),
});

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
  tables: (result) =>
    result.groups.flatMap((group) => [
      ...(result.value === null ? [] : [valueTable(result, group)]),
      table(result, group),
    ]),
  drill: {
    operation: retentionWho,
    axes: ({ columns, groups, period }) => {
      const cohorts = (groups[0]?.cohorts ?? []).filter(({ size }) => size > 0);
      return [
        {
          name: "came",
          label: "Who",
          options: [
            { value: "no", label: "Did not come back" },
            { value: "yes", label: "Came back" },
          ],
        },
        {
          name: "column",
          label: "In",
          options: columns.slice(1).map((label, place) => ({ value: String(place + 1), label })),
        },
        {
          name: "cohort",
          label: `Started in the ${period} of`,
          options: cohorts.map(({ bucket }) => ({ value: bucket, label: bucket })),
        },
        ...groupAxis(groups),
      ];
    },
    input: (question, { came = "no", column = "1", cohort = "", ...rest }) => ({
      question,
      cohort,
      column: Number(column),
      came: came === "yes",
      group: chosenGroup(rest),
    }),
    clicked: (_, { place }) => ({ column: String(Math.max(1, place)) }),
    says: ({ came = "no", column = "1", cohort = "" }, { columns, period }) =>
      `${came === "yes" ? "Back" : "Not back"} in ${columns[Number(column)] ?? ""}, started in the ${period} of ${cohort}`,
  },
  file: counts,
});
