import type { EChartsCoreOption } from "echarts/core";
import {
  bucketCell,
  bucketLabels,
  grid,
  groupName,
  intervalBand,
  legend,
  mostLines,
  seriesColors,
  seriesDashes,
} from "#insights/common/chart.ts";
import { defineInsight, type AnswerTable } from "#insights/common/insight.ts";
import { other } from "#insights/common/frame.ts";
import { askTrends, trendWho, type TrendsResult } from "./contract.ts";

/** What a line is called; with several series the name of the series too. */
const lineName = (line: TrendsResult["lines"][number], several: boolean): string =>
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

/** A line as a choice: which series, and which value of the breakdown. */
const lineValue = ({ index, group }: TrendsResult["lines"][number]): string => `${index} ${group ?? ""}`;

const hasSeveral = (result: TrendsResult): boolean => new Set(result.lines.map((line) => line.index)).size > 1;

/** How many lines the chart leaves to the table. */
const leftOut = (result: TrendsResult): number => result.lines.length - drawnLines(result).length;

/** How far the values of one sampled line may be off, as a band. */
const errorBand = (lines: TrendsResult["lines"]): object[] => {
  const [line, second] = lines;
  if (line?.errors === undefined || second !== undefined) return [];
  return intervalBand(
    line.errors.map((error, place) => [
      Math.max(0, (line.values[place] ?? 0) - error),
      (line.values[place] ?? 0) + error,
    ]),
  );
};

/** Lines over time. The bucket that is not over yet is a hollow point. */
const trendChart = (result: TrendsResult): EChartsCoreOption => {
  const lines = drawnLines(result);
  const names = [...new Set(lines.map(seriesName))];
  const several = hasSeveral(result);
  const last = result.buckets.length - 1;
  return {
    grid,
    legend: { ...legend, data: lines.map((line) => lineName(line, several)) },
    tooltip: { trigger: "axis" },
    xAxis: { type: "category", data: bucketLabels(result), boundaryGap: false },
    yAxis: { type: "value" },
    series: [
      ...errorBand(lines),
      ...lines.map((line) => ({
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
    ],
  };
};

const table = (result: TrendsResult): AnswerTable => {
  const several = hasSeveral(result);
  return {
    caption: "Every number of the chart",
    columns: [
      { title: `Start of ${result.interval}` },
      ...result.lines.flatMap((line) => [
        { title: lineName(line, several), format: "number" as const },
        ...(line.errors === undefined ? [] : [{ title: "±", format: "number" as const }]),
      ]),
    ],
    rows: result.buckets.map((_, place) => [
      bucketCell(result, place),
      ...result.lines.flatMap(({ values, errors }) => [
        values[place] ?? null,
        ...(errors === undefined ? [] : [errors[place] ?? null]),
      ]),
    ]),
  };
};

export const trendInsight = defineInsight({
  kind: "trends",
  title: "Trend",
  explains: "A trend shows how often something happens, or how many people do it.",
  operation: askTrends,
  chart: trendChart,
  tables: (result) => [table(result)],
  drill: {
    operation: trendWho,
    axes: (result) => {
      const lines = drawnLines(result).filter(({ period, group }) => period === "current" && group !== other);
      const several = hasSeveral(result);
      return [
        {
          name: "line",
          label: "Line",
          options: lines.map((line) => ({ value: lineValue(line), label: lineName(line, several) || line.label })),
        },
        {
          name: "bucket",
          label: `In the ${result.interval} of`,
          options: [
            { value: "", label: "The whole range" },
            ...result.buckets.map((value) => ({ value, label: value })),
          ],
        },
      ];
    },
    input: (question, { line = "", bucket = "" }) => {
      const [index = "0", ...group] = line.split(" ");
      return {
        question,
        // a formula is of all series; its first is what it counts
        series: question.formulas.length > 0 ? 0 : Number(index),
        bucket: bucket === "" ? undefined : bucket,
        group: question.breakdown === undefined ? undefined : group.join(" "),
      };
    },
    clicked: (result, { series, place }) => {
      const line = drawnLines(result).find((one) => lineName(one, hasSeveral(result)) === series);
      return { bucket: result.buckets[place] ?? "", ...(line === undefined ? {} : { line: lineValue(line) }) };
    },
    says: ({ line = "", bucket = "" }, result) => {
      const found = result.lines.find((one) => lineValue(one) === line);
      const name = found === undefined ? "" : lineName(found, true);
      return `${name}${bucket === "" ? "" : `, ${result.interval} of ${bucket}`}`;
    },
  },
  note: (result) => (leftOut(result) > 0 ? `${leftOut(result)} more lines are in the table only.` : ""),
});
