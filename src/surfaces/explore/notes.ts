import type { EChartsCoreOption } from "echarts/core";
import type { Annotation } from "#insights/annotations/contract.ts";
import type { Answer } from "./insights.ts";

/** Notes of days on charts over time. Browser-safe. */

/** Starts of the buckets of an answer over time; none of others. */
const bucketsOf = (result: Answer): readonly string[] =>
  "buckets" in result && Array.isArray(result.buckets) ? result.buckets.map(String) : [];

/** Those that lie in an answer's time, each with the place of its bucket. */
export const notesIn = (result: Answer, all: readonly Annotation[]): (Annotation & { place: number })[] => {
  const buckets = bucketsOf(result);
  const { from, to } = result.provenance;
  return all
    .filter(({ day }) => buckets.length > 0 && day >= from && day <= to)
    .map((note) => ({ ...note, place: buckets.findLastIndex((bucket) => bucket.slice(0, 10) <= note.day) }))
    .filter(({ place }) => place >= 0);
};

/** A chart with thin lines where something happened. The words stand below it. */
export const withNotes = (options: EChartsCoreOption, notes: readonly { place: number }[]): EChartsCoreOption => {
  const series = options["series"];
  if (notes.length === 0 || !Array.isArray(series) || series.length === 0) return options;
  const markLine = {
    silent: true,
    symbol: "none",
    lineStyle: { type: "solid", width: 1, color: "#868e96" },
    label: { show: true, formatter: "{c}", position: "end", color: "inherit" },
    data: notes.map(({ place }, index) => ({ xAxis: place, label: { formatter: String(index + 1) } })),
  };
  const last: unknown = series.at(-1);
  return { ...options, series: [...series.slice(0, -1), { ...(last as object), markLine }] };
};
