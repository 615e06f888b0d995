import type { Interval } from "#insights/common/frame.ts";
import type { Definition, MetricResult, Point } from "./contract.ts";
import { formatOf } from "./question.ts";

/** An answer in a sentence, with unit, period and comparison. Browser-safe. */

const units = [
  ["days", 86_400],
  ["hours", 3_600],
  ["minutes", 60],
] as const;

const numeral = (value: number, digits = 2): string => value.toLocaleString("en", { maximumFractionDigits: digits });

/** A value as people read it: 41.2 %, 3.5 hours, 1,204 teams. */
export const valueSays = (value: number, format: MetricResult["format"], unit: string): string => {
  if (format === "share") return `${numeral(value * 100, 1)} %`;
  if (format === "seconds") {
    const [name, size] = units.find(([, seconds]) => value >= seconds) ?? ["seconds", 1];
    return `${numeral(value / size, 1)} ${name}`;
  }
  return `${numeral(value)}${unit === "" ? "" : ` ${unit}`}`;
};

/** Shares differ by points, everything else by so many percent. */
const changeSays = (from: number, to: number, format: MetricResult["format"]): string => {
  if (format === "share") {
    const points = (to - from) * 100;
    return Math.abs(points) < 0.05
      ? "as in"
      : `${numeral(Math.abs(points), 1)} points ${points > 0 ? "more than in" : "less than in"}`;
  }
  if (from === 0) return to === 0 ? "as in" : "after none in";
  const share = ((to - from) / Math.abs(from)) * 100;
  return Math.abs(share) < 0.05
    ? "as in"
    : `${numeral(Math.abs(share), 1)} % ${share > 0 ? "more than in" : "less than in"}`;
};

interface Said {
  readonly definition: Definition;
  readonly interval: Interval;
  readonly buckets: readonly string[];
  readonly openFrom: number;
  readonly groups: readonly { readonly group: string | null; readonly period: "current" | "previous"; readonly points: readonly Point[]; readonly total: Point }[]; // prettier-ignore
}

export const sentenceOf = (
  { definition, interval, buckets, openFrom, groups }: Said,
  from: string,
  to: string,
): string => {
  const format = formatOf(definition);
  const [first] = groups;
  const name = first === undefined || first.group === null ? definition.name : `${definition.name} where the value is ${first.group === "" ? "missing" : first.group}`; // prettier-ignore
  const known = (first?.points ?? [])
    .map(({ value }, place) => ({ value, bucket: buckets[place] ?? "", place }))
    .filter((point): point is typeof point & { value: number } => point.value !== null && point.place < openFrom);
  const [last, before] = [known.at(-1), known.at(-2)];
  if (first === undefined || last === undefined) return `${name} has no value yet from ${from} to ${to}.`;
  const moved = before === undefined ? "" : `, ${changeSays(before.value, last.value, format)} the ${interval} of ${before.bucket}`; // prettier-ignore
  const earlier = groups.find(({ group, period }) => period === "previous" && group === first.group)?.total.value;
  const total = first.total.value;
  const whole = total === null ? "" : ` From ${from} to ${to} it was ${valueSays(total, format, definition.unit)}`;
  const compared = total === null || earlier === undefined || earlier === null ? "" : `, ${changeSays(earlier, total, format)} the period before`; // prettier-ignore
  return `${name} was ${valueSays(last.value, format, definition.unit)} in the ${interval} of ${last.bucket}${moved}.${whole}${compared}${whole === "" ? "" : "."}`;
};
