import type { EventMatch } from "#insights/common/frame.ts";
import type { BuiltQuestion } from "../contract.ts";
import { readAsked, textOf, type Asked } from "./asked.ts";
import { questionOf } from "./question.ts";

/** The way back: a question that was saved, or that a metric is, as the builder edits it. */

type Of<K extends BuiltQuestion["kind"]> = Extract<BuiltQuestion, { kind: K }>["input"];

const nameOf = ({ event, filters }: EventMatch) => ({ name: event ?? "", filters });

const ofRange = (range: Of<"trends">["range"]): Partial<Asked> => {
  if ("from" in range) return { from: range.from, to: range.to };
  const lengths = { hour: 1 / 24, day: 1, week: 7, month: 30 };
  return { days: Math.ceil(range.last * lengths[range.unit]) };
};

const ofTrend = ({
  series,
  interval,
  breakdown,
  compare,
  formulas,
  cumulative,
  movingAverage,
  sample,
}: Of<"trends">): Partial<Asked> => {
  const [first] = series;
  const isSame = series.every(({ measure, property }) => measure === first?.measure && property === first?.property);
  return {
    events: series.map((one) =>
      isSame ? nameOf(one) : { ...nameOf(one), measure: one.measure, property: one.property },
    ),
    ...(isSame && first !== undefined ? { measure: first.measure, property: first.property ?? "" } : {}),
    rollingDays: series.find(({ measure }) => measure === "rolling_unique")?.windowDays ?? 7,
    interval,
    breakdown: breakdown === undefined ? "" : textOf(breakdown),
    breakdown2: breakdown?.and[0] === undefined ? "" : textOf(breakdown.and[0]),
    compare: compare !== undefined,
    compareDays: compare?.offsetDays ?? 0,
    formula: formulas[0] ?? "",
    cumulative,
    sample: Math.round((sample ?? 0) * 100),
    movingAverage: movingAverage ?? 0,
  };
};

const ofFunnel = (input: Of<"funnel">): Partial<Asked> => {
  const { steps, windowSeconds, order, counting, attempt, unit, hold, dates, exclusions, exclusionMode, breakdown } =
    input;
  const isDays = windowSeconds % 86_400 === 0;
  return {
    events: steps.map((step) => ({ ...nameOf(step), ...(step.optional ? { optional: true } : {}) })),
    ...(isDays ? { windowDays: windowSeconds / 86_400 } : { windowSeconds }),
    order,
    counting,
    attempt,
    unit,
    hold,
    dates,
    exclusions: exclusions.map((one) => ({ ...nameOf(one), from: one.from, to: one.to })),
    exclusionMode,
    breakdown: breakdown === undefined ? "" : textOf(breakdown),
    attribution: breakdown?.attribution ?? "first_touch",
    attributionStep: breakdown?.step ?? 0,
  };
};

const ofRetention = (input: Of<"retention">): Partial<Asked> => ({
  events: [nameOf(input.start), nameOf(input.returning)],
  interval: input.period,
  cohorting: input.cohorting,
  mode: input.mode,
  unit: input.unit,
  onOrAfter: input.onOrAfter,
  returnValue: input.value?.property ?? "",
  returnStatistic: input.value?.statistic ?? "sum",
  minimumOccurrences: input.minimumOccurrences,
  brackets: input.brackets ?? [],
  breakdown: input.breakdown === undefined ? "" : textOf(input.breakdown),
});

const ofInput = (question: BuiltQuestion): Partial<Asked> => {
  switch (question.kind) {
    case "trends":
      return ofTrend(question.input);
    case "funnel":
      return ofFunnel(question.input);
    case "conversion":
      return { ...ofFunnel(question.input), interval: question.input.interval };
    case "retention":
      return ofRetention(question.input);
    case "journey": {
      const { events, property = "", start = "", end = "", steps, gapMinutes } = question.input;
      return { events: events.map(nameOf), nodeProperty: property, start, end, steps, gapMinutes };
    }
    case "metric": {
      const { metric, interval, compare, breakdown } = question.input;
      return { metric, interval, compare, breakdown: breakdown === undefined ? "" : textOf(breakdown) };
    }
    default: {
      const { input } = question;
      return {
        events: [nameOf(input.activity)],
        interval: input.interval,
        ...("unit" in input ? { unit: input.unit } : {}),
        ...("cumulative" in input ? { cumulative: input.cumulative } : {}),
        ...("gapMinutes" in input ? { gapMinutes: input.gapMinutes } : {}),
      };
    }
  }
};

export const askedOf = (question: BuiltQuestion): Asked => {
  const { range, filters, zone = "", weekStart = "" } = question.input;
  return readAsked({ kind: question.kind, filters, zone, weekStart, ...ofRange(range), ...ofInput(question) });
};

/** Whether the builder shows all of a question, so that nothing is lost by changing it there. */
export const isShownWhole = (question: BuiltQuestion): boolean => {
  const bare = ({ kind, input }: BuiltQuestion): string => {
    const { range: _, ...rest } = input;
    const limitless = "breakdown" in rest && rest.breakdown !== undefined ? { ...rest, breakdown: { ...rest.breakdown, limit: 0 } } : rest; // prettier-ignore
    return JSON.stringify(Object.entries({ kind, ...limitless }).filter(([name, value]) => name !== "columns" && value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1))); // prettier-ignore
  };
  return bare(questionOf(askedOf(question))) === bare(question);
};
