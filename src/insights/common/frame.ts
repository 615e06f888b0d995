import { z } from "zod";

/** Everything in this file is browser-safe: the page and the server share it. */

export const operators = [
  "eq",
  "neq",
  "contains",
  "not_contains",
  "gt",
  "gte",
  "lt",
  "lte",
  "matches",
  "not_matches",
  "before",
  "after",
  "version_lt",
  "version_lte",
  "version_gt",
  "version_gte",
  "is_set",
  "is_not_set",
] as const;

/**
 * One condition. `person` is a trait of the person as it is now, `person_then` as it was at the event; `account` a trait
 * of the event's account as it is now; `session` is the sender's session of the event, by `id`, `events` or `seconds`;
 * `product` is the product line; `id` is who, by your own ids; `cohort` is in any (or, with neq, none) of the cohorts
 * whose ids are the values.
 */
export const Filter = z.strictObject({
  property: z.string().max(500).default(""),
  on: z.enum(["event", "person", "person_then", "account", "session", "product", "id", "cohort"]).default("event"),
  op: z.enum(operators).default("eq"),
  values: z
    .array(z.union([z.string(), z.number(), z.boolean()]).transform(String))
    .max(1_000)
    .default([]),
});
export type Filter = z.output<typeof Filter>;

/** Which events: by name (null for every event) and conditions, all of which must hold. */
export const EventMatch = z.strictObject({
  event: z.string().max(500).nullable().default(null),
  filters: z.array(Filter).max(50).default([]),
});
export type EventMatch = z.output<typeof EventMatch>;

const LocalTime = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$/, "A local date like 2026-03-01, or a time like 2026-03-01T13:00.");

/** Both ends are local to the zone and inside the range; a bare date is a whole day. */
export const DateRange = z.union([
  z.strictObject({ from: LocalTime, to: LocalTime }),
  z.strictObject({ last: z.int().min(1).max(1_000), unit: z.enum(["hour", "day", "week", "month"]) }),
]);
export type DateRange = z.output<typeof DateRange>;

export const intervals = ["hour", "day", "week", "month"] as const;
export type Interval = (typeof intervals)[number];

export const Breakdown = z.strictObject({
  property: z.string().min(1).max(500),
  on: z.enum(["event", "person"]).default("event"),
  limit: z.int().min(1).max(100).default(10),
});

/** What every question has in common. Zone and week start default to the workspace's. */
export const frameShape = {
  range: DateRange.default({ last: 30, unit: "day" }),
  zone: z.string().max(64).optional(),
  weekStart: z.enum(["monday", "sunday"]).optional(),
  filters: z.array(Filter).max(50).default([]),
};

/** Who is counted. An account is a company or household that people act for; events without one are left out. */
export const Unit = z.enum(["people", "accounts"]);
export type Unit = z.output<typeof Unit>;

/** How an answer was computed, for the reader who wants to know. */
export const Provenance = z.object({
  definition: z.string(),
  zone: z.string(),
  from: z.string(),
  to: z.string(),
  askedAt: z.string(),
  milliseconds: z.number(),
  sql: z.string(),
});

export const other = "$other";

/** So many of those whom a point of an answer is about. */
export const Limit = z.int().min(1).max(10_000).default(100);

/** Those whom a point of an answer is about; where accounts are counted, their ids. */
export const Who = z.object({
  unit: Unit,
  people: z.array(z.object({ person: z.string(), ids: z.array(z.string()) })),
});
export type Who = z.output<typeof Who>;
