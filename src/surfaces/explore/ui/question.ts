import type { AskedEvent } from "#insights/common/ui/event-list.tsx";
import { needsProperty } from "#insights/trends/contract.ts";
import { Question, type Kind } from "../contract.ts";
import { breakdownOf, rangeOf, takes, type Asked } from "./asked.ts";

const matchOf = ({ name, filters }: AskedEvent) => ({ event: name === "" ? null : name, filters });
const every: AskedEvent = { name: "", filters: [] };

const funnelInput = (asked: Asked, events: readonly AskedEvent[]) => {
  const breakdown = breakdownOf(asked.breakdown);
  return {
    steps: events.map(matchOf),
    windowSeconds: asked.windowDays * 86_400,
    order: asked.order,
    counting: asked.counting,
    attempt: asked.attempt,
    unit: asked.unit,
    hold: asked.hold,
    breakdown: breakdown === undefined ? undefined : { ...breakdown, attribution: asked.attribution },
  };
};

/** What a kind takes of the question, besides what all have in common. Contracts check the rest. */
const inputs: Readonly<Record<Kind, (asked: Asked, events: readonly AskedEvent[]) => Record<string, unknown>>> = {
  trends: (asked, events) => ({
    series: events.map((event) => ({
      ...matchOf(event),
      measure: asked.measure,
      property: asked.property === "" ? undefined : asked.property,
    })),
    interval: asked.interval,
    breakdown: breakdownOf(asked.breakdown),
    compare: asked.compare ? {} : undefined,
    formulas: asked.formula === "" ? [] : [asked.formula],
    cumulative: asked.cumulative,
    movingAverage: asked.movingAverage > 1 ? asked.movingAverage : undefined,
  }),
  funnel: funnelInput,
  conversion: (asked, events) => ({ ...funnelInput(asked, events), interval: asked.interval }),
  retention: (asked, [start = every, returning = start]) => {
    const breakdown = breakdownOf(asked.breakdown);
    return {
      start: matchOf(start),
      returning: matchOf(returning),
      period: asked.interval,
      cohorting: asked.cohorting,
      mode: asked.mode,
      unit: asked.unit,
      onOrAfter: asked.onOrAfter,
      breakdown: breakdown?.on === "person" ? { property: breakdown.property, limit: breakdown.limit } : undefined,
    };
  },
  journey: (asked, events) => ({
    events: events.map(matchOf),
    property: asked.nodeProperty === "" ? undefined : asked.nodeProperty,
    start: asked.start === "" ? undefined : asked.start,
    end: asked.end === "" ? undefined : asked.end,
    steps: Math.max(2, asked.steps),
    gapMinutes: asked.gapMinutes,
  }),
  lifecycle: (asked, [activity = every]) => ({
    activity: matchOf(activity),
    interval: asked.interval,
    unit: asked.unit,
  }),
  stickiness: (asked, [activity = every]) => ({
    activity: matchOf(activity),
    interval: asked.interval,
    unit: asked.unit,
    cumulative: asked.cumulative,
  }),
  sessions: (asked, [activity = every]) => ({
    activity: matchOf(activity),
    interval: asked.interval,
    gapMinutes: asked.gapMinutes,
  }),
};

/** What the builder holds, as a question that can be asked and saved. */
export const questionOf = (asked: Asked): Question => {
  const common = {
    range: rangeOf(asked),
    filters: asked.filters.filter(isWhole),
    zone: asked.zone === "" ? undefined : asked.zone,
    weekStart: asked.weekStart === "" ? undefined : asked.weekStart,
  };
  const events = asked.events
    .slice(0, takes[asked.kind][1])
    .map((event) => ({ ...event, filters: event.filters.filter(isWhole) }));
  return Question.parse({ kind: asked.kind, input: { ...common, ...inputs[asked.kind](asked, events) } });
};

/** A condition that is still being written does not count yet. */
const isWhole = ({ property, on, op, values }: Asked["filters"][number]): boolean =>
  (property !== "" || on === "cohort") && (op === "is_set" || op === "is_not_set" || values.length > 0);

/** Whether there is enough to ask. */
export const isReady = (asked: Asked): boolean =>
  asked.events.length >= takes[asked.kind][0] &&
  !(asked.kind === "trends" && needsProperty.has(asked.measure) && asked.property === "");
