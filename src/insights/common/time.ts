import { Temporal } from "temporal-polyfill";
import { Refusal } from "#kernel/refusal.ts";
import { bind, literal, sql, type Sql } from "#kernel/sql.ts";
import type { Scope, TimeRange } from "#records/events/scope.ts";
import type { DateRange, Interval } from "./frame.ts";

/** Local calendar arithmetic. Days, weeks and months are local to the zone; hours are real hours. */

type Zoned = Temporal.ZonedDateTime;

const zoned = (ms: number, zone: string): Zoned => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);

export const startOf = (
  ms: number,
  interval: Interval,
  { zone, weekStart }: Pick<Scope, "zone" | "weekStart">,
): number => {
  const at = zoned(ms, zone);
  if (interval === "hour") return at.round({ smallestUnit: "hour", roundingMode: "floor" }).epochMilliseconds;
  const day = at.startOfDay();
  if (interval === "day") return day.epochMilliseconds;
  if (interval === "month") return day.with({ day: 1 }).startOfDay().epochMilliseconds;
  const back = weekStart === "monday" ? day.dayOfWeek - 1 : day.dayOfWeek % 7;
  return day.subtract({ days: back }).startOfDay().epochMilliseconds;
};

/** The start of the bucket `count` further. */
export const addBuckets = (start: number, interval: Interval, count: number, zone: string): number => {
  if (interval === "hour") return start + count * 3_600_000;
  const units = { day: { days: count }, week: { weeks: count }, month: { months: count } } as const;
  return zoned(start, zone).add(units[interval]).startOfDay().epochMilliseconds;
};

export const labelOf = (ms: number, interval: Interval, zone: string): string => {
  const at = zoned(ms, zone);
  const date = at.toPlainDate().toString();
  return interval === "hour" ? `${date}T${String(at.hour).padStart(2, "0")}:00` : date;
};

const instantOf = (local: string, zone: string): number => {
  try {
    return Temporal.PlainDateTime.from(local).toZonedDateTime(zone).epochMilliseconds;
  } catch {
    throw new Refusal("frame.date", `${local} is no date. Use one like 2026-03-01.`);
  }
};

/** The range in instants. A relative range ends with the bucket that holds now. */
export const resolveRange = (range: DateRange, scope: Pick<Scope, "zone" | "weekStart" | "now">): TimeRange => {
  if ("last" in range) {
    const current = startOf(scope.now, range.unit, scope);
    return {
      from: addBuckets(current, range.unit, 1 - range.last, scope.zone),
      to: addBuckets(current, range.unit, 1, scope.zone),
    };
  }
  const from = instantOf(range.from, scope.zone);
  const last = instantOf(range.to, scope.zone);
  const to = range.to.includes("T") ? last + 1 : addBuckets(last, "day", 1, scope.zone);
  if (to <= from) throw new Refusal("frame.range", `The range ends (${range.to}) before it begins (${range.from}).`);
  return { from, to };
};

/** Starts of the buckets that a range touches. The first may begin before the range. */
export const bucketsOf = (
  range: TimeRange,
  interval: Interval,
  scope: Pick<Scope, "zone" | "weekStart">,
  most = 2_000,
): number[] => {
  const starts: number[] = [];
  for (
    let start = startOf(range.from, interval, scope);
    start < range.to;
    start = addBuckets(start, interval, 1, scope.zone)
  ) {
    starts.push(start);
    if (starts.length > most)
      throw new Refusal("frame.too_many_buckets", `The range has more than ${most} buckets. Take a longer interval.`);
  }
  return starts;
};

/**
 * A whole number that grows by one from bucket to bucket, of an instant. `bucketNumber` is the same in this process. Of
 * 16 bits where they suffice: the engine groups by such keys a quarter faster.
 */
export const bucketNumberSql = (
  interval: Interval,
  { zone, weekStart }: Pick<Scope, "zone" | "weekStart">,
  at: Sql = sql`at`,
): Sql => {
  const named = bind.string(zone);
  const mode = literal(weekStart === "monday" ? 1 : 0);
  const numbers = {
    hour: sql`toInt32(intDiv(toUnixTimestamp(toStartOfHour(${at}, ${named})), 3600))`,
    day: sql`toUInt16(toDate(${at}, ${named}))`,
    week: sql`toUInt16(intDiv(toInt32(toStartOfWeek(${at}, ${mode}, ${named})) + 3, 7))`,
    month: sql`toUInt16(toYear(${at}, ${named}) * 12 + toMonth(${at}, ${named}) - 1)`,
  } satisfies Record<Interval, Sql>;
  return numbers[interval];
};

export const bucketNumber = (start: number, interval: Interval, zone: string): number => {
  const at = zoned(start, zone);
  const day = Math.round(Date.UTC(at.year, at.month - 1, at.day) / 86_400_000);
  const numbers = {
    hour: Math.floor(start / 3_600_000),
    day,
    week: Math.floor((day + 3) / 7),
    month: at.year * 12 + at.month - 1,
  };
  return numbers[interval];
};

/** The range moved back: by calendar days, or by its own length. */
export const shifted = (range: TimeRange, offsetDays: number | undefined, zone: string): TimeRange => {
  const [from, to] = [zoned(range.from, zone), zoned(range.to, zone)];
  const wholeDays = [from, to].every((at) => at.equals(at.startOfDay()));
  if (offsetDays === undefined && !wholeDays) return { from: 2 * range.from - range.to, to: range.from };
  const days = offsetDays ?? from.toPlainDate().until(to.toPlainDate()).days;
  return { from: from.subtract({ days }).epochMilliseconds, to: to.subtract({ days }).epochMilliseconds };
};
