import type { MetricResult } from "#insights/metrics/contract.ts";
import { valueSays } from "#insights/metrics/sentence.ts";
import type { Judged, Step, Watch } from "./contract.ts";

/** Whether a value is what somebody wants to hear of. Pure. */

export interface Series {
  readonly format: MetricResult["format"];
  readonly unit: string;
  readonly interval: Step;
  readonly points: readonly { readonly bucket: string; readonly value: number | null; readonly of: number | null }[];
}

/** A smaller change is not worth anybody's morning, however sure. */
const leastChange = 0.1;
/** So many spreads away is unusual. Few values tell little of how far they spread: of n, (1 + 4 / n) times as many. */
const mostSpreads = 3.5;
/** What is compared with, and how much of it there must be. */
const compared = { day: 8, week: 12, month: 12 } as const;
const leastCompared = { day: 5, week: 6, month: 6 } as const;

const middleOf = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[half] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
};

/**
 * How far a value may lie from its middle: by the median deviation of others from theirs, and at least by what their kind
 * always does. `deviations` are of all weekdays, each from its own middle, as a share of it.
 */
const reachOf = (middle: number, before: readonly number[], deviations: readonly number[], { format }: Series, of: number | null): number => {
  const deviation = 1.4826 * middleOf(deviations.map(Math.abs)) * Math.abs(middle);
  const counted = format === "number" && of === null && before.every(Number.isInteger);
  // of a share as Laplace would have it, so that what never happened is not certain
  const likely = of === null ? middle : (middle * of + 1) / (of + 2);
  const noise = format === "share" && of !== null && of > 0 ? Math.sqrt(Math.max(0, likely * (1 - likely)) / of) : counted ? Math.sqrt(Math.max(1, Math.abs(middle))) : 0;
  const spreads = mostSpreads * (1 + 4 / Math.max(1, deviations.length));
  return Math.max(spreads * deviation, mostSpreads * Math.max(0.02 * Math.abs(middle), noise), leastChange * Math.abs(middle));
}; // prettier-ignore

/** Buckets between those that are compared: a day is compared with the same weekday. */
const strideOf = (interval: Step): number => (interval === "day" ? 7 : 1);
/** How many buckets before the first one are asked for, so that it can be compared. */
export const historyOf = ({ when, by }: Watch): number =>
  ({ below: 0, above: 0, falls: 1, rises: 1, unusual: compared[by] })[when.kind] * strideOf(by);

/** Names a bucket as people do. */
const dayWords = (bucket: string, interval: Step): string => {
  const date = new Date(`${bucket.slice(0, 10)}T00:00:00Z`);
  const of = (options: Intl.DateTimeFormatOptions): string => date.toLocaleDateString("en", { ...options, timeZone: "UTC" }); // prettier-ignore
  if (interval === "month") return `in ${of({ month: "long", year: "numeric" })}`;
  return interval === "week" ? `in the week of ${bucket}` : `on ${of({ weekday: "long" })} ${bucket}`;
};

/**
 * One bucket, with what came before it from `first` on. Undefined where nothing can be said: no value, too few behind it,
 * nothing to compare with.
 */
export const judged = ({ when, least }: Watch, series: Series, at: number, first = 0): Judged | undefined => {
  const { points, format, unit, interval } = series;
  const point = points[at];
  if (point === undefined || point.value === null || (point.of !== null && point.of < least)) return undefined;
  const { value, bucket, of } = point;
  const said = (one: number): string => valueSays(one, format, unit);
  const opening = `${said(value)} ${dayWords(bucket, interval)}`;
  const stride = strideOf(interval);
  const earlier = (count: number, from = at): number[] =>
    Array.from({ length: count }, (_, back) => from - (back + 1) * stride)
      .filter((place) => place >= first)
      .flatMap((place) => points[place]?.value ?? []);
  const found = (fires: boolean, lower: number | null, upper: number | null, says: string): Judged => ({ bucket, value, fires, lower, upper, says }); // prettier-ignore
  switch (when.kind) {
    case "below":
      return found(value < when.value, when.value, null, `${opening}; it is to be ${said(when.value)} or more.`);
    case "above":
      return found(value > when.value, null, when.value, `${opening}; it is to be ${said(when.value)} or less.`);
    case "falls":
    case "rises": {
      const [before] = earlier(1);
      if (before === undefined || before === 0) return undefined;
      const change = (value - before) / Math.abs(before);
      const than = interval === "day" ? "the week before" : `the ${interval} before`;
      const says = `${opening}, ${Math.round(Math.abs(change) * 100).toLocaleString("en")} % ${change < 0 ? "less" : "more"} than ${said(before)} ${than}.`;
      const bound = before + (when.kind === "falls" ? -1 : 1) * when.share * Math.abs(before);
      // what is just at the bound must not depend on the last bit
      const reach = when.share - 1e-12;
      return when.kind === "falls"
        ? found(change <= -reach, bound, null, says)
        : found(change >= reach, null, bound, says);
    }
    case "unusual": {
      const before = earlier(compared[interval]);
      if (before.length < leastCompared[interval]) return undefined;
      const middle = middleOf(before);
      // each of the last seven days stands for its weekday
      const deviations = Array.from({ length: stride }, (_, back) => earlier(compared[interval], at - back)).flatMap(
        (own) => {
          const usual = middleOf(own);
          return own.map((one) => one / usual - 1).filter(Number.isFinite);
        },
      );
      const reach = reachOf(middle, before, deviations, series, of);
      const [lower, upper] = [when.way === "up" ? null : middle - reach, when.way === "down" ? null : middle + reach];
      const fires = (lower !== null && value < lower) || (upper !== null && value > upper);
      const whole = format === "number" && before.every(Number.isInteger);
      return found(
        fires,
        lower,
        upper,
        `${opening}; it is usually about ${said(whole ? Math.round(middle) : middle)}.`,
      );
    }
  }
};

/** How often it begins: what goes on was told already. */
export const beginsIn = (all: readonly (Pick<Judged, "fires"> | undefined)[]): number => {
  let [count, isOn] = [0, false];
  for (const one of all) {
    if (one === undefined) continue;
    if (one.fires && !isOn) count += 1;
    isOn = one.fires;
  }
  return count;
};
