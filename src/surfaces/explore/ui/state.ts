import type { DateRange } from "#insights/common/frame.ts";
import type { Measure } from "#insights/trends/contract.ts";

/** A question as the page edits it: small enough to live in the address. */
export interface Asked {
  readonly kind: "trends" | "funnel" | "retention";
  readonly events: readonly string[];
  readonly measure: Measure;
  readonly property: string;
  readonly interval: "hour" | "day" | "week" | "month";
  readonly days: number;
  readonly breakdown: string;
  readonly compare: boolean;
  readonly windowDays: number;
}

export const firstQuestion: Asked = {
  kind: "trends",
  events: [],
  measure: "unique",
  property: "",
  interval: "day",
  days: 30,
  breakdown: "",
  compare: false,
  windowDays: 14,
};

/** Events that each kind of question takes. */
export const mostEvents: Readonly<Record<Asked["kind"], number>> = { trends: 5, funnel: 10, retention: 2 };

/** The same question put another way; what the other kind has no place for is left out. */
export const withKind = (asked: Asked, kind: Asked["kind"]): Partial<Asked> => ({
  kind,
  events: asked.events.slice(0, mostEvents[kind]),
  ...(kind === "retention" && !asked.breakdown.startsWith("person:") ? { breakdown: "" } : {}),
  ...(kind === "retention" && asked.interval === "hour" ? { interval: "day" } : {}),
});

const among = <T extends string>(value: unknown, allowed: readonly T[], fallback: T): T =>
  allowed.find((item) => item === value) ?? fallback;
const whole = (value: unknown, fallback: number): number =>
  typeof value === "number" && Number.isInteger(value) && value > 0 ? value : fallback;

/** Reads the address; what it does not say, or says wrongly, is as at first. */
export const readAsked = (search: Record<string, unknown>): Asked => {
  const kind = among(search["kind"], ["trends", "funnel", "retention"], firstQuestion.kind);
  return { ...readRest(search, mostEvents[kind]), kind };
};

const readRest = (search: Record<string, unknown>, most: number): Omit<Asked, "kind"> => ({
  events: Array.isArray(search["events"])
    ? search["events"].filter((name): name is string => typeof name === "string").slice(0, most)
    : [],
  measure: among(
    search["measure"],
    ["total", "unique", "per_user", "sum", "avg", "median", "p90"],
    firstQuestion.measure,
  ),
  property: typeof search["property"] === "string" ? search["property"] : "",
  interval: among(search["interval"], ["hour", "day", "week", "month"], firstQuestion.interval),
  days: whole(search["days"], firstQuestion.days),
  breakdown: typeof search["breakdown"] === "string" ? search["breakdown"] : "",
  compare: search["compare"] === true,
  windowDays: whole(search["windowDays"], firstQuestion.windowDays),
});

export const rangeOf = (asked: Asked): DateRange => ({ last: asked.days, unit: "day" });

/** As many as a chart can show apart, with Other. */
const shownGroups = 5;

/** `person:plan` is a trait, `plan` a property of the event. */
export const breakdownOf = (text: string): { property: string; on: "event" | "person"; limit: number } | undefined => {
  if (text === "") return undefined;
  const on = text.startsWith("person:") ? "person" : "event";
  return { property: on === "person" ? text.slice(7) : text, on, limit: shownGroups };
};
