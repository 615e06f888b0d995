import type { EChartsCoreOption } from "echarts/core";
import {
  bandName,
  chosenGroup,
  clickedGroup,
  decals,
  grid,
  groupAxis,
  groupName,
  intervalBand,
  legend,
  mostLines,
  percent,
  seriesColors,
  seriesDashes,
} from "#insights/common/chart.ts";
import { defineInsight, type AnswerTable } from "#insights/common/insight.ts";
import {
  askConversion,
  askFunnel,
  conversionWho,
  funnelPeople,
  type ConversionResult,
  type FunnelResult,
} from "./contract.ts";

/** Bars of conversion from the first step, with the 95 % interval as a whisker. */
const funnelChart = (result: FunnelResult): EChartsCoreOption => {
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
    ...(groups.length > 1 ? decals : {}),
    grid: { left: 8, right: 16, top: groups.length > 1 ? 40 : 24, bottom: 8, containLabel: true },
    ...(groups.length > 1 ? { legend } : {}),
    tooltip: { trigger: "axis" },
    xAxis: { type: "category", data: steps, axisLabel: { interval: 0, width: 90, overflow: "break", lineHeight: 15 } },
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

const table = (result: FunnelResult): AnswerTable => {
  const grouped = result.groups.some((group) => group.group !== null);
  return {
    caption: `Every step${result.incomplete ? "; some people may still convert within their window" : ""}`,
    columns: [
      ...(grouped ? [{ title: "Group" }] : []),
      { title: "Step" },
      { title: "Count", format: "number" },
      { title: "From start", format: "share" },
      { title: "95 % interval from", format: "share" },
      { title: "to", format: "share" },
      { title: "From step before", format: "share" },
      { title: "Median time", format: "seconds" },
      { title: "Average time", format: "seconds" },
    ],
    rows: result.groups.flatMap(({ group, steps }) =>
      steps.map((step, index) => [
        ...(grouped ? [group === null ? "" : groupName(group)] : []),
        `${index + 1}. ${step.label}`,
        step.count,
        step.fromStart,
        step.interval?.[0] ?? null,
        step.interval?.[1] ?? null,
        step.fromPrevious,
        step.medianSeconds,
        step.averageSeconds,
      ]),
    ),
  };
};

export const funnelInsight = defineInsight({
  kind: "funnel",
  title: "Funnel",
  explains: "A funnel shows how many people get from the first step to the last, and how long it takes.",
  operation: askFunnel,
  chart: funnelChart,
  tables: (result) => [table(result)],
  drill: {
    operation: funnelPeople,
    axes: ({ groups }) => {
      const steps = groups[0]?.steps ?? [];
      return [
        {
          name: "who",
          label: "Who",
          options: [
            { value: "dropped", label: "Were lost before" },
            { value: "reached", label: "Reached" },
          ],
        },
        {
          name: "step",
          label: "Step",
          options: steps.map(({ label }, place) => ({ value: String(place), label: `${place + 1}. ${label}` })),
        },
        ...groupAxis(groups),
      ];
    },
    input: (question, { who = "dropped", step = "1", ...rest }) => ({
      funnel: question,
      step: who === "dropped" ? Math.max(1, Number(step)) : Number(step),
      who,
      group: chosenGroup(rest),
    }),
    clicked: ({ groups }, { series, place }) => ({ step: String(Math.max(1, place)), ...clickedGroup(groups, series) }),
    says: ({ who = "dropped", step = "1", ...rest }, { groups }) => {
      const group = chosenGroup(rest);
      const place = who === "dropped" ? Math.max(1, Number(step)) : Number(step);
      const label = groups[0]?.steps[place]?.label ?? "";
      return `${who === "dropped" ? "Did not get to" : "Got to"} ${label}${group === undefined ? "" : `, ${groupName(group)}`}`;
    },
  },
});

const isOpen = (result: ConversionResult, place: number): boolean => place >= result.openFrom;

/** A line of shares per group; with one group its interval is a band. What may still change is marked with *. */
const conversionChart = (result: ConversionResult): EChartsCoreOption => {
  const groups = result.groups.slice(0, mostLines);
  const [only] = groups.length === 1 ? groups : [];
  const bands = intervalBand((only?.points ?? []).map(({ interval }) => interval && [percent(interval[0]), percent(interval[1])])); // prettier-ignore
  const names = groups.map(({ group }) => (group === null ? "Converted" : groupName(group)));
  return {
    grid,
    legend: { ...legend, data: [...names, ...(bands.length === 0 ? [] : [bandName])] },
    tooltip: { trigger: "axis" },
    xAxis: {
      type: "category",
      boundaryGap: false,
      data: result.buckets.map((bucket, place) => (isOpen(result, place) ? `${bucket}*` : bucket)),
    },
    yAxis: { type: "value", min: 0, max: 100, axisLabel: { formatter: "{value} %" } },
    series: [
      ...bands,
      ...groups.map((group, index) => ({
        type: "line",
        name: names[index],
        color: seriesColors[index],
        lineStyle: { type: seriesDashes[index] },
        data: group.points.map(({ rate }, place) => {
          const value = rate === null ? null : percent(rate);
          return isOpen(result, place) ? { value, symbol: "emptyCircle", symbolSize: 9 } : value;
        }),
      })),
    ],
  };
};

const conversionTable = (result: ConversionResult): AnswerTable => {
  const grouped = result.groups.some(({ group }) => group !== null);
  return {
    caption: `Those who entered in each ${result.interval}, and the share that converted; * marks those who may still convert`,
    columns: [
      ...(grouped ? [{ title: "Group" }] : []),
      { title: `Start of ${result.interval}` },
      { title: "Entered", format: "number" },
      { title: "Converted", format: "number" },
      { title: "Share", format: "share" },
      { title: "95 % interval from", format: "share" },
      { title: "to", format: "share" },
    ],
    rows: result.groups.flatMap(({ group, points }) =>
      points.map(({ entered, converted, rate, interval }, place) => [
        ...(grouped ? [group === null ? "" : groupName(group)] : []),
        result.buckets[place] ?? "",
        entered,
        converted,
        { value: rate, mark: isOpen(result, place) ? "*" : "" },
        interval?.[0] ?? null,
        interval?.[1] ?? null,
      ]),
    ),
  };
};

export const conversionInsight = defineInsight({
  kind: "conversion",
  title: "Conversion",
  explains: "Conversion shows what share of those who take the first step takes the last, by when they took the first.",
  operation: askConversion,
  chart: conversionChart,
  drill: {
    operation: conversionWho,
    axes: (result) => {
      return [
        {
          name: "who",
          label: "Who",
          options: [
            { value: "dropped", label: "Did not convert" },
            { value: "reached", label: "Converted" },
          ],
        },
        {
          name: "bucket",
          label: `Entered in the ${result.interval} of`,
          options: result.buckets.map((value) => ({ value, label: value })),
        },
        ...groupAxis(result.groups),
      ];
    },
    input: (question, { who = "dropped", bucket = "", ...rest }) => ({
      conversion: question,
      bucket,
      who,
      group: chosenGroup(rest),
    }),
    clicked: ({ buckets, groups }, { series, place }) => ({
      bucket: buckets[place] ?? "",
      ...clickedGroup(groups, series),
    }),
    says: ({ who = "dropped", bucket = "" }, { interval }) =>
      `${who === "dropped" ? "Did not convert" : "Converted"}, ${interval} of ${bucket}`,
  },
  tables: (result) => [conversionTable(result)],
});
