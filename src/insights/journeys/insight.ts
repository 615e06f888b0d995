import type { EChartsCoreOption } from "echarts/core";
import { groupName, seriesColors } from "#insights/common/chart.ts";
import { other } from "#insights/common/frame.ts";
import { defineInsight, type AnswerTable, type Chosen } from "#insights/common/insight.ts";
import { askJourneys, journeyEnd, journeysWho, type JourneyResult } from "./contract.ts";

const shown = (name: string): string => (name === journeyEnd ? "(ends here)" : groupName(name));
const keyOf = (place: number, name: string): string => `${place} ${name}`;

/** Steps by place that one can ask about, as keys; Other holds many. */
const stepsShown = (result: JourneyResult): string[] =>
  result.places.flatMap((steps, index) =>
    steps.filter(({ name }) => name !== other).map(({ name }) => keyOf(index + 1, name)),
  );

/** A band for each way, as wide as it is often taken. Where journeys end, nothing is drawn: the gap says so. */
const chart = (result: JourneyResult): EChartsCoreOption => ({
  tooltip: { trigger: "item" },
  series: [
    {
      type: "sankey",
      left: 8,
      right: 140,
      top: 8,
      bottom: 8,
      nodeAlign: "left",
      nodeGap: 14,
      draggable: false,
      emphasis: { focus: "adjacency" },
      labelLayout: { hideOverlap: true },
      label: { width: 120, overflow: "truncate" },
      data: result.places.flatMap((steps, index) =>
        steps.map(({ name, journeys }) => ({
          name: keyOf(index + 1, name),
          depth: index,
          value: journeys,
          itemStyle: { color: seriesColors[index % seriesColors.length] },
          label: { formatter: `${shown(name)} ${journeys.toLocaleString("en")}` },
        })),
      ),
      links: result.links
        .filter(({ target }) => target !== journeyEnd)
        .map(({ place, source, target, journeys }) => ({
          source: keyOf(place, source),
          target: keyOf(place + 1, target),
          value: journeys,
        })),
    },
  ],
});

const table = (result: JourneyResult): AnswerTable => {
  const at = new Map(
    result.places.flatMap((steps, index) => steps.map(({ name, journeys }) => [keyOf(index + 1, name), journeys])),
  );
  return {
    caption: "Every way from one step to the next",
    columns: [
      { title: "Place", format: "number" },
      { title: "From" },
      { title: "To" },
      { title: "Journeys", format: "number" },
      { title: "Of those at the first", format: "share" },
      { title: "Average time", format: "seconds" },
    ],
    rows: result.links.map(({ place, source, target, journeys, averageSeconds }) => [
      place,
      shown(source),
      shown(target),
      journeys,
      journeys / (at.get(keyOf(place, source)) ?? journeys),
      averageSeconds,
    ]),
  };
};

export const journeyInsight = defineInsight({
  kind: "journey",
  title: "Journey",
  explains: "Journeys show which ways people go: what they do next, before, or in between.",
  operation: askJourneys,
  chart,
  tables: (result) => [table(result)],
  drill: {
    operation: journeysWho,
    axes: (result) => [
      { name: "step", label: "Had the step", options: stepsShown(result).map((key) => ({ value: key, label: key.replace(" ", ". ") })) }, // prettier-ignore
      {
        name: "next",
        label: "And then",
        options: [
          { value: "", label: "anything" },
          ...[...new Set(result.links.map(({ target }) => target))]
            .filter((name) => name !== other)
            .map((name) => ({ value: name, label: shown(name) })),
        ],
      },
    ],
    input: (question, { step = "", next = "" }, result) => {
      const [place = "1", ...name] = (step === "" ? (stepsShown(result)[0] ?? "") : step).split(" ");
      return { question, place: Number(place), step: name.join(" "), ...(next === "" ? {} : { next }) };
    },
    clicked: (result, { item }): Chosen => {
      if (stepsShown(result).includes(item)) return { step: item, next: "" };
      const taken = result.links.find(
        ({ place, source, target }) => `${keyOf(place, source)} > ${keyOf(place + 1, target)}` === item,
      );
      return taken === undefined ? {} : { step: keyOf(taken.place, taken.source), next: taken.target };
    },
    says: ({ step = "", next = "" }, result) =>
      `Journey: ${(step === "" ? (stepsShown(result)[0] ?? "") : step).replace(/^\d+ /, "")}${next === "" ? "" : `, then ${shown(next)}`}`,
  },
});
