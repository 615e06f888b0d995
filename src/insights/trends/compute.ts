import { evaluateFormula, parseFormula } from "./formula.ts";
import { replicates } from "./query.ts";
import { needsProperty, type Line, type Measure, type TrendsInput } from "./contract.ts";

export interface TrendRow {
  readonly series: number;
  readonly bucket: number;
  readonly grp: string;
  readonly value: number;
}

/** Measures whose total over the range is the sum of the buckets. */
const additive: ReadonlySet<Measure> = new Set(["total", "sum"]);

export const isAdditive = (input: TrendsInput): boolean => input.series.every((series) => additive.has(series.measure));

const letter = (index: number): string => String.fromCharCode(65 + index);

const labels: Readonly<Record<Measure, string>> = {
  total: "events", unique: "people", unique_sessions: "sessions", unique_accounts: "accounts", per_user: "events per person",
  sum: "sum", avg: "average", min: "least", max: "most", median: "median", p90: "90th percentile", p95: "95th percentile", p99: "99th percentile",
  rolling_unique: "rolling people",
}; // prettier-ignore

const seriesLabel = (input: TrendsInput, index: number): string => {
  const series = input.series[index];
  if (series === undefined) return "";
  const of = series.property === undefined || labels[series.measure] === "events" ? "" : ` of ${series.property}`;
  return `${series.event ?? "Every event"}: ${labels[series.measure]}${of}`;
};

/** Values per group and series, on aligned buckets; what has no row is 0. */
const grid = (rows: readonly TrendRow[], buckets: readonly number[], series: number): Map<string, number[][]> => {
  const places = new Map(buckets.map((bucket, place) => [bucket, place]));
  const groups = new Map<string, number[][]>();
  for (const row of rows) {
    const place = places.get(row.bucket);
    if (place === undefined) continue;
    const held = groups.get(row.grp) ?? Array.from({ length: series }, () => buckets.map(() => 0));
    const values = held[row.series];
    if (values !== undefined) values[place] = row.value;
    groups.set(row.grp, held);
  }
  return groups;
};

const running = (values: readonly (number | null)[]): number[] => {
  let sum = 0;
  return values.map((value) => (sum += value ?? 0));
};

/** Mean of the last n buckets, fewer at the start. */
const smooth = (values: readonly (number | null)[], n: number): number[] =>
  values.map((_, place) => {
    const last = values.slice(Math.max(0, place - n + 1), place + 1);
    return last.reduce<number>((sum, value) => sum + (value ?? 0), 0) / last.length;
  });

const finish = (input: TrendsInput, values: readonly (number | null)[]): (number | null)[] => {
  const summed = input.cumulative ? running(values) : values;
  return input.movingAverage === undefined ? [...summed] : smooth(summed, input.movingAverage);
};

const applied = (formula: string, series: readonly (readonly number[])[]): number[] => {
  const parsed = parseFormula(formula);
  const length = series[0]?.length ?? 0;
  return Array.from(
    { length },
    (_, place) =>
      evaluateFormula(parsed, Object.fromEntries(series.map((values, index) => [letter(index), values[place] ?? 0]))) ??
      0,
  );
};

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Student's t for 95 % with one degree of freedom less than there are groups. */
const t95 = 2.093;

/**
 * What all people would give, from the groups of a sample, and the half width of its 95 % interval: the variance of the
 * sum of random groups, less what is certain because so large a share was asked (Cochran, Sampling Techniques, 1977,
 * chapters 2 and 11).
 */
const estimated = (groups: readonly number[], share: number): { value: number; error: number } => {
  const sum = total(groups);
  const mean = sum / replicates;
  const spread = groups.reduce((all, value) => all + (value - mean) ** 2, 0) + (replicates - groups.length) * mean ** 2;
  const variance = (replicates / (replicates - 1)) * spread * (1 - share);
  return { value: sum / share, error: (t95 * Math.sqrt(variance)) / share };
};

const sampledLines = (
  input: TrendsInput,
  share: number,
  groups: ReadonlyMap<string, number[][]>,
  wholes: ReadonlyMap<string, number[][]> | undefined,
  buckets: number,
  period: Line["period"],
): Line[] =>
  input.series.map((_, index) => {
    const at = (place: number) => estimated([...groups.values()].map((series) => series[index]?.[place] ?? 0), share); // prettier-ignore
    const points = Array.from({ length: buckets }, (__, place) => at(place));
    const whole = [...groups].map(([name, series]) => wholes?.get(name)?.[index]?.[0] ?? total(series[index] ?? []));
    const { value, error } = estimated(whole, share);
    return {
      label: seriesLabel(input, index),
      index,
      group: null,
      period,
      values: points.map((point) => point.value),
      errors: points.map((point) => point.error),
      total: value,
      totalError: error,
    };
  });

/** Rows of one period to lines. `totals` are the rows over the whole range, where they had to be asked for. */
export const linesOf = (
  input: TrendsInput,
  rows: readonly TrendRow[],
  totals: readonly TrendRow[] | undefined,
  buckets: readonly number[],
  period: Line["period"],
): Line[] => {
  const count = input.series.length;
  const groups = grid(rows, buckets, count);
  const wholes = totals === undefined ? undefined : grid(totals, [0], count);
  if (input.sample !== undefined) return sampledLines(input, input.sample, groups, wholes, buckets.length, period);
  if (groups.size === 0 && input.breakdown === undefined)
    groups.set(
      "",
      Array.from({ length: count }, () => buckets.map(() => 0)),
    );
  const order = [...groups.entries()].sort(
    ([a, x], [b, y]) => total(y.map(total)) - total(x.map(total)) || (a < b ? -1 : 1),
  );
  return order.flatMap(([name, series]) => {
    const group = input.breakdown === undefined ? null : name;
    const whole = (index: number): number => wholes?.get(name)?.[index]?.[0] ?? total(series[index] ?? []);
    if (input.formulas.length === 0) {
      return series.map((values, index): Line => ({
        label: seriesLabel(input, index),
        index,
        group,
        period,
        values: finish(input, values),
        total: whole(index),
      }));
    }
    return input.formulas.map((formula, index): Line => {
      const values = applied(formula, series);
      const overTotals =
        applied(
          formula,
          series.map((_, at) => [whole(at)]),
        )[0] ?? 0;
      // one number: the formula over the totals; over time: the sum of what is drawn
      return {
        label: formula,
        index,
        group,
        period,
        values: finish(input, values),
        total: input.display === "total" ? overTotals : total(values),
      };
    });
  });
};

const format = (value: number): string => value.toLocaleString("en", { maximumFractionDigits: 2 });

/** The answer in a sentence, with unit, period and comparison. */
export const sentenceOf = (input: TrendsInput, lines: readonly Line[], from: string, to: string): string => {
  const current = lines.filter((line) => line.period === "current");
  const first = current[0];
  const period = `from ${from} to ${to}`;
  if (first === undefined || current.every((line) => line.values.every((value) => value === 0)))
    return `Nothing matched ${period}.`;
  const asked = input.series[first.index];
  const isSeries = input.formulas.length === 0 && asked !== undefined;
  const subject = isSeries ? (asked.event ?? "Every event") : first.label;
  // "20 people", "sum of amount 250", or for a formula only the number
  const measured = (given: number): string => {
    const number = first.totalError === undefined ? given : Math.round(given);
    if (!isSeries) return format(number);
    return needsProperty.has(asked.measure)
      ? `${labels[asked.measure]} of ${asked.property ?? ""} ${format(number)}`
      : `${format(number)} ${labels[asked.measure]}`;
  };
  const off = first.totalError === undefined ? "" : ` (± ${format(Math.round(first.totalError))}, from a sample)`;
  const told = (number: number): string => `${measured(number)}${off}`;
  const named =
    first.group === null
      ? subject
      : `${subject} where ${input.breakdown?.property ?? ""} is ${first.group === "" ? "missing" : first.group}`;
  const before = lines.find(
    (line) => line.period === "previous" && line.index === first.index && line.group === first.group,
  );
  const value = first.total ?? 0;
  if (before?.total === undefined || before.total === null) return `${named}: ${told(value)} ${period}.`;
  if (before.total === 0) return `${named}: ${told(value)} ${period}, none in the period before.`;
  const change = ((value - before.total) / before.total) * 100;
  const moved =
    Math.abs(change) < 0.05 ? "as much as" : `${format(Math.abs(change))} % ${change > 0 ? "more than" : "less than"}`;
  return `${named}: ${told(value)} ${period}, ${moved} in the period compared (${format(before.total)}).`;
};
