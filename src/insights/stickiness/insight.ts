import type { EChartsCoreOption } from "echarts/core";
import { grid, seriesColors } from "#insights/common/chart.ts";
import { defineInsight, type AnswerTable } from "#insights/common/insight.ts";
import { askStickiness, stickinessWho, type StickinessResult } from "./contract.ts";

const periods = (result: StickinessResult): string =>
  result.intervalCount === 1 ? `${result.interval}s` : `periods of ${result.intervalCount} ${result.interval}s`;

const chart = (result: StickinessResult): EChartsCoreOption => ({
  grid: { ...grid, top: 24, bottom: 32 },
  tooltip: { trigger: "axis" },
  xAxis: {
    type: "category",
    data: result.counts.map((_, k) => String(k + 1)),
    name: `${result.cumulative ? "Active in at least so many" : "Active in so many"} ${periods(result)}`,
    nameLocation: "middle",
    nameGap: 28,
  },
  yAxis: { type: "value" },
  series: [{ type: "bar", name: result.unit, color: seriesColors[0], barMaxWidth: 48, data: result.counts }],
});

const table = (result: StickinessResult): AnswerTable => ({
  caption: `How many ${result.unit} were active in ${result.cumulative ? "at least" : "exactly"} so many ${periods(result)}`,
  columns: [
    { title: `Active ${periods(result)}`, format: "number" },
    { title: result.unit === "people" ? "People" : "Accounts", format: "number" },
    { title: "Share of those active", format: "share" },
  ],
  rows: result.counts.map((count, k) => [k + 1, count, result.active === 0 ? null : count / result.active]),
});

export const stickinessInsight = defineInsight({
  kind: "stickiness",
  title: "Stickiness",
  explains: "Stickiness shows on how many days (or weeks) of a range people are active.",
  operation: askStickiness,
  chart,
  tables: (result) => [table(result)],
  drill: {
    operation: stickinessWho,
    axes: (result) => [
      {
        name: "periods",
        label: result.cumulative ? "Active in at least" : "Active in",
        options: result.counts.map((_, k) => ({ value: String(k + 1), label: `${k + 1} ${periods(result)}` })),
      },
    ],
    input: (question, { periods: count = "1" }) => ({ question, periods: Number(count) }),
    clicked: (_, { place }) => ({ periods: String(place + 1) }),
    says: ({ periods: count = "1" }, result) =>
      `Active in ${result.cumulative ? "at least " : ""}${count} ${periods(result)}`,
  },
});
