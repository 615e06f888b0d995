import { z } from "zod";
import { Filter, intervals, type DateRange } from "#insights/common/frame.ts";
import type { AskedEvent as AskedName } from "#insights/common/ui/event-list.tsx";
import { measures, type Measure } from "#insights/trends/contract.ts";
import type { BuiltKind } from "../contract.ts";

/** What may be said of one event alone: how a trend counts it, and whether a funnel may do without it. */
interface Asking extends AskedName {
  readonly measure?: Measure | undefined;
  readonly property?: string | undefined;
  readonly optional?: boolean | undefined;
}

/** An event of the question: its name, empty for every event, and conditions on it. */
const AskedEvent = z.union([
  z.string().transform((name): Asking => ({ name, filters: [] })),
  z.object({
    name: z.string(),
    filters: z.array(Filter).catch([]),
    measure: z.enum(measures).optional().catch(undefined),
    property: z.string().max(500).optional().catch(undefined),
    optional: z.boolean().optional().catch(undefined),
  }),
]);
const Exclusion = z.object({
  name: z.string(),
  filters: z.array(Filter).catch([]),
  from: z.int().min(0).max(19).catch(0),
  to: z.int().min(1).max(19).catch(1),
});
const positive = (fallback: number, most = 10_000) => z.int().min(1).max(most).catch(fallback);
const text = z.string().max(500).catch("");
const yes = z.boolean().catch(false);
const Day = z.iso.date();

/**
 * A question as the page edits it, and as it stands in the address: what all kinds have in common once, so that
 * changing the kind loses nothing. What an address does not say, or says wrongly, is as at first.
 */
export const Asked = z.object({
  kind: z
    .enum(["trends", "funnel", "conversion", "retention", "journey", "lifecycle", "stickiness", "sessions", "metric"])
    .catch("trends"),
  events: z.array(AskedEvent).max(20).catch([]),
  filters: z.array(Filter).max(20).catch([]),
  days: positive(30, 1_000),
  from: Day.or(z.literal("")).catch(""),
  to: Day.or(z.literal("")).catch(""),
  zone: text,
  weekStart: z.enum(["", "monday", "sunday"]).catch(""),
  interval: z.enum(intervals).catch("day"),
  breakdown: text,
  breakdown2: text,
  unit: z.enum(["people", "accounts", "sessions"]).catch("people"),
  measure: z.enum(measures).catch("unique"),
  property: text,
  formula: text,
  compare: yes,
  compareDays: z.int().min(0).max(3_660).catch(0),
  cumulative: yes,
  movingAverage: z.int().min(0).max(100).catch(0),
  /** Of 100 people so many are asked; 0 for all. */
  sample: z.number().min(0).max(90).catch(0),
  rollingDays: positive(7, 366),
  windowDays: positive(14, 366),
  windowSeconds: z.number().min(0).max(31_622_400).catch(0),
  order: z.enum(["ordered", "strict", "unordered"]).catch("ordered"),
  hold: z.array(z.string().max(500)).max(3).catch([]),
  counting: z.enum(["people", "attempts"]).catch("people"),
  attempt: z.enum(["any", "first"]).catch("any"),
  attribution: z.enum(["first_touch", "last_touch", "step", "all_events"]).catch("first_touch"),
  attributionStep: z.int().min(0).max(19).catch(0),
  dates: z.enum(["entry", "whole"]).catch("entry"),
  exclusions: z.array(Exclusion).max(5).catch([]),
  exclusionMode: z.enum(["drop_person", "stop_chain"]).catch("drop_person"),
  cohorting: z.enum(["first_time", "recurring", "first_ever", "first_in_range"]).catch("first_time"),
  mode: z.enum(["calendar", "rolling"]).catch("calendar"),
  onOrAfter: yes,
  returnValue: text,
  returnStatistic: z.enum(["sum", "average"]).catch("sum"),
  minimumOccurrences: positive(1, 1_000),
  brackets: z.array(z.int().min(1).max(64)).max(30).catch([]),
  start: text,
  end: text,
  nodeProperty: text,
  steps: positive(5, 20),
  gapMinutes: positive(30, 1_440),
  /** The metric that is looked at. */
  metric: text,
  /** The metric that the question is to become another version of. */
  defining: text,
});
export type Asked = z.output<typeof Asked>;

export const readAsked = (search: Record<string, unknown>): Asked => Asked.parse(search);

const first = Asked.parse({});

/** What stands in the address: only what differs from the first question. */
export const written = (asked: Asked): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(asked).map(([name, value]) => {
      const usual = first[name as keyof Asked]; // names of the question's own parts
      return [name, JSON.stringify(value) === JSON.stringify(usual) ? undefined : value];
    }),
  );

/** How many events each kind of question takes, at least and at most. */
export const takes: Readonly<Record<BuiltKind, readonly [fewest: number, most: number]>> = {
  trends: [1, 10],
  funnel: [2, 20],
  conversion: [2, 20],
  retention: [1, 2],
  journey: [0, 20],
  lifecycle: [1, 1],
  stickiness: [1, 1],
  sessions: [0, 1],
  metric: [0, 0],
};

export type AskedEvent = Asked["events"][number];

export const rangeOf = ({ from, to, days }: Asked): DateRange =>
  from !== "" && to !== "" ? { from, to } : { last: days, unit: "day" };

/** As many as a chart can show apart, with Other. */
const shownGroups = 5;

interface Property {
  readonly property: string;
  readonly on: "event" | "person";
}

/** `person:plan` is a trait, `plan` a property of the event. */
export const propertyOf = (text: string): Property =>
  text.startsWith("person:") ? { property: text.slice(7), on: "person" } : { property: text, on: "event" };
export const textOf = ({ property, on }: Property): string => (on === "person" ? `person:${property}` : property);

export const breakdownOf = (text: string): (Property & { limit: number }) | undefined =>
  text === "" ? undefined : { ...propertyOf(text), limit: shownGroups };
