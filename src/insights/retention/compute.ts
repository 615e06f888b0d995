import { wilson } from "#stats/intervals.ts";
import { other } from "#insights/common/frame.ts";
import type { RetentionInput, RetentionResult } from "./contract.ts";

export interface RetentionRow {
  readonly grp: string;
  readonly cohort: number;
  readonly k: number;
  readonly people: number;
}

type Group = RetentionResult["groups"][number];

export const columnLabels = (input: RetentionInput, widest: number): string[] => {
  if (input.brackets === undefined) return Array.from({ length: widest }, (_, k) => `${input.period} ${k}`);
  let from = 1;
  const ranges = input.brackets.map((size) => {
    const label = size === 1 ? `${input.period} ${from}` : `${input.period}s ${from}–${from + size - 1}`;
    from += size;
    return label;
  });
  return [`${input.period} 0`, ...ranges];
};

/** The largest groups by people; the others together. */
const byGroup = (input: RetentionInput, rows: readonly RetentionRow[]): Map<string, RetentionRow[]> => {
  const sizes = new Map<string, number>();
  for (const row of rows) if (row.k === 0) sizes.set(row.grp, (sizes.get(row.grp) ?? 0) + row.people);
  const ranked = [...sizes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
  const kept = new Set(ranked.slice(0, input.breakdown?.limit ?? 1));
  const groups = new Map<string, RetentionRow[]>(input.breakdown === undefined ? [["", []]] : []);
  for (const row of rows) {
    const name = kept.has(row.grp) ? row.grp : other;
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  return groups;
};

const averagesOf = (cohorts: Group["cohorts"], widest: number): Group["averages"] =>
  Array.from({ length: widest }, (_, k) => {
    const ripe = cohorts.filter((cohort) => k < cohort.counts.length && cohort.mature[k] === true);
    const people = ripe.reduce((sum, cohort) => sum + cohort.size, 0);
    const returned = ripe.reduce((sum, cohort) => sum + (cohort.counts[k] ?? 0), 0);
    return { rate: people > 0 ? returned / people : null, interval: k === 0 ? null : wilson(returned, people), people };
  });

/** Sum and number of a property's values, for a group, a cohort and an offset. */
export interface ValueRow {
  readonly grp: string;
  readonly cohort: number;
  readonly k: number;
  readonly total: number;
  readonly times: number;
}

/** The column of an offset: itself, or its bracket. */
const columnOf = ({ brackets }: RetentionInput, offset: number): number | undefined => {
  if (brackets === undefined || offset === 0) return offset;
  let end = 0;
  const place = brackets.findIndex((size) => (end += size) >= offset);
  return place < 0 ? undefined : place + 1;
};

/** Puts the values beside the counts. An average of nothing is none; a sum of nothing is 0. */
export const withValues = (input: RetentionInput, groups: readonly Group[], rows: readonly ValueRow[]): Group[] => {
  if (input.value === undefined) return [...groups];
  const { statistic } = input.value;
  const names = new Set(groups.map(({ group }) => group));
  return groups.map((group) => {
    const sums = new Map<string, { total: number; times: number }>();
    for (const { grp, cohort, k, total, times } of rows) {
      const column = columnOf(input, k);
      const own = group.group === null || (names.has(grp) ? grp : other) === group.group;
      if (!own || column === undefined) continue;
      const held = sums.get(`${cohort} ${column}`) ?? { total: 0, times: 0 };
      sums.set(`${cohort} ${column}`, { total: held.total + total, times: held.times + times });
    }
    const at = (row: number, column: number) => sums.get(`${row} ${column}`) ?? { total: 0, times: 0 };
    const cohorts = group.cohorts.map((cohort, row) => ({
      ...cohort,
      values: cohort.counts.map((_, column) => {
        const { total, times } = at(row, column);
        return statistic === "sum" ? total : times === 0 ? null : total / times;
      }),
    }));
    const averages = group.averages.map((average, column) => {
      const ripe = group.cohorts.flatMap((cohort, row) => (cohort.mature[column] === true ? [at(row, column)] : []));
      const [total, times] = ripe.reduce(([a, b], one) => [a + one.total, b + one.times], [0, 0]);
      const of = statistic === "sum" ? average.people : times;
      return { ...average, value: of === 0 ? null : total / of };
    });
    return { ...group, cohorts, averages };
  });
};

/** Rows to one table per group: cohorts down, columns across. */
export const groupsOf = (
  input: RetentionInput,
  rows: readonly RetentionRow[],
  labels: readonly string[],
  columns: readonly number[],
  isMature: (row: number, column: number) => boolean,
): Group[] =>
  [...byGroup(input, rows)].map(([name, own]) => {
    const cells = new Map<string, number>();
    for (const { cohort, k, people } of own) cells.set(`${cohort} ${k}`, (cells.get(`${cohort} ${k}`) ?? 0) + people);
    const cohorts = labels.map((bucket, row) => {
      const width = input.brackets === undefined ? (columns[row] ?? 0) : input.brackets.length + 1;
      const counts = Array.from({ length: width }, (_, k) => cells.get(`${row} ${k}`) ?? 0);
      return { bucket, size: counts[0] ?? 0, counts, mature: counts.map((_, k) => isMature(row, k)) };
    });
    const widest = Math.max(...cohorts.map((cohort) => cohort.counts.length));
    return { group: input.breakdown === undefined ? null : name, cohorts, averages: averagesOf(cohorts, widest) };
  });

export const sentenceOf = (input: RetentionInput, groups: readonly Group[], from: string, to: string): string => {
  const [group] = groups;
  const size = group?.cohorts.reduce((sum, cohort) => sum + cohort.size, 0) ?? 0;
  if (group === undefined || size === 0) return `Nobody did ${input.start.event ?? "anything"} from ${from} to ${to}.`;
  const known = group.averages
    .map((average, k) => ({ ...average, k }))
    .filter((average) => average.k > 0 && average.rate !== null);
  const shown = known[0];
  if (shown === undefined)
    return `${size.toLocaleString("en")} ${input.unit} started from ${from} to ${to}; it is too early to say who comes back.`;
  const percent = (rate: number | null): string =>
    `${((rate ?? 0) * 100).toLocaleString("en", { maximumFractionDigits: 1 })} %`;
  const last = known.at(-1);
  const labels = columnLabels(input, group.averages.length);
  const late = last === undefined || last.k === shown.k ? "" : `, and ${percent(last.rate)} in ${labels[last.k] ?? ""}`;
  return `Of ${size.toLocaleString("en")} ${input.unit} who started from ${from} to ${to}, ${percent(shown.rate)} came back in ${labels[shown.k] ?? ""}${late}.`;
};
