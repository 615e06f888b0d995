import type { EChartsCoreOption } from "echarts/core";
import { bandName, chosenGroup, clickedGroup, grid, groupAxis, groupName, intervalBand, legend, mostLines, seriesColors, seriesDashes } from "#insights/common/chart.ts"; // prettier-ignore
import { defineInsight, type AnswerTable } from "#insights/common/insight.ts";
import { askMetric, metricWho, type MetricResult } from "./contract.ts";

type Group = MetricResult["groups"][number];

const isOpen = (result: MetricResult, place: number): boolean => place >= result.openFrom;

/** Shares in percent, lengths of time in the unit that suits the longest. */
const scaleOf = ({ format, groups }: MetricResult): { divide: number; label: string } => {
  if (format === "share") return { divide: 0.01, label: "{value} %" };
  if (format === "number") return { divide: 1, label: "{value}" };
  const most = Math.max(0, ...groups.flatMap(({ points }) => points.map(({ value }) => value ?? 0)));
  if (most >= 172_800) return { divide: 86_400, label: "{value} d" };
  if (most >= 7_200) return { divide: 3_600, label: "{value} h" };
  return most >= 120 ? { divide: 60, label: "{value} min" } : { divide: 1, label: "{value} s" };
};

const nameOf = ({ metric }: MetricResult, { group, period }: Group): string =>
  `${group === null ? metric.name : groupName(group)}${period === "previous" ? ", before" : ""}`;

const drawn = (value: number, divide: number): number => Math.round((value / divide) * 1000) / 1000;

/** A line per group, its 95 % interval as a band where there is one line; what may still change is hollow and marked *. */
const metricChart = (result: MetricResult): EChartsCoreOption => {
  const { divide, label } = scaleOf(result);
  const current = result.groups.filter(({ period }) => period === "current").slice(0, mostLines);
  const names = current.map(({ group }) => group);
  const shown = [
    ...current,
    ...result.groups.filter(({ group, period }) => period === "previous" && names.includes(group)),
  ];
  const [only] = current.length === 1 ? current : [];
  const bands = intervalBand((only?.points ?? []).map(({ interval }) => interval && [drawn(interval[0], divide), drawn(interval[1], divide)])); // prettier-ignore
  return {
    grid,
    legend: {
      ...legend,
      data: [...shown.map((group) => nameOf(result, group)), ...(bands.length === 0 ? [] : [bandName])],
    },
    tooltip: { trigger: "axis" },
    xAxis: { type: "category", boundaryGap: false, data: result.buckets.map((bucket, place) => (isOpen(result, place) ? `${bucket}*` : bucket)) }, // prettier-ignore
    yAxis: { type: "value", axisLabel: { formatter: label } },
    series: [
      ...bands,
      ...shown.map((group) => {
        const place = names.indexOf(group.group);
        const isBefore = group.period === "previous";
        return {
          type: "line",
          name: nameOf(result, group),
          color: seriesColors[place],
          lineStyle: { type: isBefore ? "dashed" : seriesDashes[place], width: isBefore ? 1 : 2 },
          data: group.points.map(({ value }, at) => {
            const shownValue = value === null ? null : drawn(value, divide);
            return isOpen(result, at) && !isBefore
              ? { value: shownValue, symbol: "emptyCircle", symbolSize: 9 }
              : shownValue;
          }),
        };
      }),
    ],
  };
};

const table = (result: MetricResult): AnswerTable => {
  const { format } = result;
  const hasInterval = result.groups.some(({ points }) => points.some(({ interval }) => interval !== null));
  const hasSize = result.groups.some(({ points }) => points.some(({ of }) => of !== null));
  const several = result.groups.length > 1;
  return {
    caption: `${result.metric.name} by ${result.interval}, version ${result.metric.version} of its definition; * marks what may still change`,
    columns: [
      ...(several ? [{ title: "Line" }] : []),
      { title: `Start of ${result.interval}` },
      { title: result.metric.unit === "" ? "Value" : result.metric.unit, format },
      ...(hasInterval
        ? [
            { title: "95 % interval from", format },
            { title: "to", format },
          ]
        : []),
      ...(hasSize ? [{ title: "Of", format: "number" as const }] : []),
    ],
    rows: result.groups.flatMap((group) => {
      const buckets = group.period === "previous" ? result.previousBuckets : result.buckets;
      const line = several ? [nameOf(result, group)] : [];
      const row = (label: string, { value, interval, of }: Group["total"], mark: string) => [
        ...line,
        label,
        { value, mark },
        ...(hasInterval ? [interval?.[0] ?? null, interval?.[1] ?? null] : []),
        ...(hasSize ? [of] : []),
      ];
      const isCurrent = group.period === "current";
      return [
        ...group.points.map((point, place) =>
          row(buckets[place] ?? "", point, isCurrent && isOpen(result, place) ? "*" : ""),
        ),
        row("Whole range", group.total, ""),
      ];
    }),
  };
};

export const metricInsight = defineInsight({
  kind: "metric",
  title: "Metric",
  explains: "A metric shows a number of the catalog over time, as its definition says.",
  operation: askMetric,
  chart: metricChart,
  tables: (result) => [table(result)],
  drill: {
    operation: metricWho,
    axes: ({ interval, buckets, groups }) => {
      return [
        { name: "bucket", label: `In the ${interval} of`, options: buckets.map((value) => ({ value, label: value })) },
        ...groupAxis(groups),
      ];
    },
    input: (question, { bucket = "", ...rest }) => ({
      question,
      bucket,
      group: chosenGroup(rest),
    }),
    clicked: ({ buckets, groups }, { series, place }) => ({
      bucket: buckets[place] ?? "",
      ...clickedGroup(groups, series),
    }),
    says: ({ bucket = "" }, { metric, interval }) => `${metric.name}, ${interval} of ${bucket}`,
  },
});
