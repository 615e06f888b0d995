import type { EChartsCoreOption } from "echarts/core";
import type { FunnelResult } from "#insights/funnels/contract.ts";
import type { RetentionResult } from "#insights/retention/contract.ts";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { seriesColors, seriesDashes } from "#web/theme.ts";

const mostLines = 6;

/** A value of the breakdown, for people. */
export const groupName = (group: string): string => (group === "" ? "(missing)" : group === "$other" ? "Other" : group);

/** What a line is called; with several series the name of the series too. */
export const lineName = (line: TrendsResult["lines"][number], several: boolean): string =>
  [
    line.group === null || several ? line.label : "",
    line.group === null ? "" : groupName(line.group),
    line.period === "previous" ? "before" : "",
  ]
    .filter((part) => part !== "")
    .join(", ");

/** What a line has in common with the one of the period before. */
const seriesName = (line: TrendsResult["lines"][number]): string => `${line.label} ${line.group ?? ""}`;

/** The lines that can be told apart: the first six, each with its period before. The table has all of them. */
const drawnLines = (result: TrendsResult): TrendsResult["lines"] => {
  const names = new Set([...new Set(result.lines.map(seriesName))].slice(0, mostLines));
  return result.lines.filter((line) => names.has(seriesName(line)));
};

export const hasSeveral = (result: TrendsResult): boolean => new Set(result.lines.map((line) => line.index)).size > 1;

/** How many lines the chart leaves to the table. */
export const leftOut = (result: TrendsResult): number => result.lines.length - drawnLines(result).length;

/** Lines over time. The bucket that is not over yet is a hollow point. */
export const trendChart = (result: TrendsResult): EChartsCoreOption => {
  const lines = drawnLines(result);
  const names = [...new Set(lines.map(seriesName))];
  const several = hasSeveral(result);
  const last = result.buckets.length - 1;
  return {
    grid: { left: 8, right: 16, top: 40, bottom: 8, containLabel: true },
    legend: { top: 0, type: "scroll" },
    tooltip: { trigger: "axis" },
    xAxis: { type: "category", data: result.buckets, boundaryGap: false },
    yAxis: { type: "value" },
    series: lines.map((line) => ({
      type: "line",
      name: lineName(line, several),
      data: line.values.map((value, place) =>
        result.incomplete && place === last && line.period === "current"
          ? { value, symbol: "emptyCircle", symbolSize: 9 }
          : value,
      ),
      showSymbol: result.buckets.length <= 60,
      color: seriesColors[names.indexOf(seriesName(line))],
      lineStyle: {
        width: line.period === "previous" ? 1 : 2,
        type: line.period === "previous" ? "dashed" : seriesDashes[names.indexOf(seriesName(line))],
      },
    })),
  };
};

const percent = (share: number | null): number => Math.round((share ?? 0) * 1000) / 10;

/** Bars of conversion from the first step, with the 95 % interval as a whisker. */
export const funnelChart = (result: FunnelResult): EChartsCoreOption => {
  const groups = result.groups.slice(0, mostLines);
  const steps = groups[0]?.steps.map((step, index) => `${index + 1}. ${step.label}`) ?? [];
  const bars = groups.map((group, index) => ({
    type: "bar",
    name: group.group === null ? "All" : groupName(group.group),
    color: seriesColors[index],
    barMaxWidth: 72,
    data: group.steps.map((step) => percent(step.fromStart)),
    label: { show: groups.length === 1, position: "insideBottom", color: "#ffffff", formatter: "{c} %" },
  }));
  const whiskers = groups.length > 1 ? [] : [whisker(groups[0]?.steps ?? [])];
  return {
    grid: { left: 8, right: 16, top: groups.length > 1 ? 40 : 24, bottom: 8, containLabel: true },
    ...(groups.length > 1 ? { legend: { top: 0, type: "scroll" } } : {}),
    tooltip: { trigger: "axis" },
    xAxis: { type: "category", data: steps, axisLabel: { interval: 0, width: 80, overflow: "break" } },
    yAxis: { type: "value", min: 0, max: 100, axisLabel: { formatter: "{value} %" } },
    series: [...bars, ...whiskers],
  };
};

interface WhiskerApi {
  value(index: number): number;
  coord(point: readonly [number, number]): [number, number];
}

const whisker = (steps: FunnelResult["groups"][number]["steps"]) => ({
  type: "custom",
  name: "95 % interval",
  tooltip: { show: false },
  z: 10,
  data: steps.flatMap((step, index) =>
    step.interval === null ? [] : [[index, percent(step.interval[0]), percent(step.interval[1])]],
  ),
  renderItem: (_: unknown, api: WhiskerApi) => {
    const [x, low] = api.coord([api.value(0), api.value(1)]);
    const [, high] = api.coord([api.value(0), api.value(2)]);
    const lines = (stroke: string, lineWidth: number) =>
      [
        [x, low, x, high],
        [x - 6, low, x + 6, low],
        [x - 6, high, x + 6, high],
      ].map(([x1, y1, x2, y2]) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke, lineWidth } }));
    // light around dark, so that it is seen on the bar and beside it, in both schemes
    return { type: "group", children: [...lines("#ffffff", 5), ...lines("#343a40", 2)] };
  },
});

/** The average curve over mature cohorts. */
export const retentionChart = (result: RetentionResult): EChartsCoreOption => ({
  grid: { left: 8, right: 16, top: 40, bottom: 8, containLabel: true },
  legend: { top: 0, type: "scroll" },
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
