import type { EChartsCoreOption } from "echarts/core";
import { bucketCell, bucketLabels, grid, legend, seriesColors, seriesDashes } from "#insights/common/chart.ts";
import { defineInsight, type AnswerTable } from "#insights/common/insight.ts";
import { askSessions, sessionsWho, type Figures, type SessionsResult } from "./contract.ts";

const chart = (result: SessionsResult): EChartsCoreOption => {
  const line = (name: string, index: number, value: (figures: Figures) => number | null) => ({
    type: "line",
    name,
    yAxisIndex: index,
    color: seriesColors[index],
    lineStyle: { type: seriesDashes[index] },
    data: result.figures.map(value),
  });
  return {
    grid,
    legend,
    tooltip: { trigger: "axis" },
    xAxis: { type: "category", data: bucketLabels(result), boundaryGap: false },
    yAxis: [
      { type: "value", name: "sessions" },
      { type: "value", name: "minutes", splitLine: { show: false } },
    ],
    series: [
      line("Sessions", 0, ({ sessions }) => sessions),
      line("Median minutes", 1, ({ medianSeconds }) => (medianSeconds === null ? null : medianSeconds / 60)),
    ],
  };
};

const cells = (figures: Figures) => [
  figures.sessions,
  figures.people,
  figures.medianSeconds,
  figures.averageSeconds,
  figures.eventsPerSession,
  figures.single,
];

const table = (result: SessionsResult): AnswerTable => ({
  caption: "Sessions by when they began; the last row is the whole range",
  columns: [
    { title: `Start of ${result.interval}` },
    { title: "Sessions", format: "number" },
    { title: "People", format: "number" },
    { title: "Median length", format: "seconds" },
    { title: "Average length", format: "seconds" },
    { title: "Events each", format: "number" },
    { title: "Of one event", format: "share" },
  ],
  rows: [
    ...result.figures.map((figures, place) => [bucketCell(result, place), ...cells(figures)]),
    ["Whole range", ...cells(result.total)],
  ],
});

export const sessionsInsight = defineInsight({
  kind: "sessions",
  title: "Sessions",
  explains: "Sessions shows how often people come, how long they stay, and how much they do.",
  operation: askSessions,
  chart,
  tables: (result) => [table(result)],
  drill: {
    operation: sessionsWho,
    axes: (result) => [
      {
        name: "bucket",
        label: "Began in",
        options: [
          { value: "", label: "the whole range" },
          ...result.buckets.map((bucket, place) => ({ value: bucket, label: bucketLabels(result)[place] ?? bucket })),
        ],
      },
    ],
    input: (question, { bucket = "" }) => ({ question, ...(bucket === "" ? {} : { bucket }) }),
    clicked: (result, { place }) => ({ bucket: result.buckets[place] ?? "" }),
    says: ({ bucket = "" }) => (bucket === "" ? "Came in the range" : `Came in ${bucket}`),
  },
});
