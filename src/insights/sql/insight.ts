import type { EChartsCoreOption } from "echarts/core";
import { decals, grid, legend, mostLines, seriesColors, seriesDashes } from "#insights/common/chart.ts";
import { defineInsight } from "#insights/common/insight.ts";
import { askSql, type SqlResult } from "./contract.ts";

const isNumeric = (type: string): boolean => /^(Nullable\(|LowCardinality\()*(U?Int|Float|Decimal)/.test(type);

/** 64-bit numbers come as text, so that none loses a digit; those that fit are numbers again. */
const numberOf = (cell: SqlResult["rows"][number][number], type: string): string | number | null => {
  if (typeof cell !== "string" || !isNumeric(type)) return cell;
  return Number.isSafeInteger(Number(cell)) ? Number(cell) : cell;
};

/** Columns that can be drawn: those with numbers, but for the one along the bottom. */
const drawn = ({ columns, display }: SqlResult): { x: number; ys: number[] } => {
  const named = columns.findIndex(({ name }) => name === display.x);
  const x = Math.max(0, named);
  const chosen = display.y
    .map((name) => columns.findIndex((column) => column.name === name))
    .filter((place) => place >= 0);
  const numeric = columns.flatMap(({ type }, place) => (place !== x && isNumeric(type) ? [place] : []));
  return { x, ys: (chosen.length > 0 ? chosen : numeric).slice(0, mostLines) };
};

/** As it was chosen; nothing where there is nothing to draw. */
const sqlChart = (result: SqlResult): EChartsCoreOption | undefined => {
  const { type } = result.display;
  const { x, ys } = drawn(result);
  if (type === "table" || ys.length === 0 || result.rows.length === 0) return undefined;
  return {
    ...(type === "bar" && ys.length > 1 ? decals : {}),
    grid,
    legend,
    tooltip: { trigger: "axis" },
    xAxis: { type: "category", data: result.rows.map((row) => String(row[x] ?? "")), boundaryGap: type === "bar" },
    yAxis: { type: "value" },
    series: ys.map((place, index) => ({
      type,
      name: result.columns[place]?.name,
      color: seriesColors[index],
      ...(type === "line"
        ? { lineStyle: { type: seriesDashes[index] }, showSymbol: result.rows.length <= 60 }
        : { barMaxWidth: 48 }),
      data: result.rows.map((row) => (row[place] === null || row[place] === undefined ? null : Number(row[place]))),
    })),
  };
};

export const sqlInsight = defineInsight({
  kind: "sql",
  title: "SQL",
  explains: "A query of your own over events, people, accounts and cohorts.",
  operation: askSql,
  chart: sqlChart,
  tables: ({ columns, rows, sentence }) => [
    {
      caption: sentence,
      columns: columns.map(({ name, type }) => (isNumeric(type) ? { title: name, format: "number" as const } : { title: name })), // prettier-ignore
      rows: rows.map((row) => row.map((cell, place) => numberOf(cell, columns[place]?.type ?? ""))),
    },
  ],
});
