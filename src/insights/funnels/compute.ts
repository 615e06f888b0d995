import { wilson } from "#stats/intervals.ts";
import { other } from "#insights/common/frame.ts";
import type { FunnelInput, FunnelResult } from "./contract.ts";

export interface FunnelRow {
  readonly grp: string;
  readonly counts: readonly number[];
  readonly sums: readonly number[];
  readonly timed: readonly number[];
  /** Absent for Other, whose median cannot be had from the groups in it. */
  readonly medians?: readonly number[] | undefined;
}

const added = (a: readonly number[], b: readonly number[]): number[] =>
  a.map((value, index) => value + (b[index] ?? 0));

/** Keeps the groups with the most people at the first step; the others are summed under Other. */
const limited = (rows: readonly FunnelRow[], limit: number): FunnelRow[] => {
  const ranked = [...rows].sort((a, b) => (b.counts[0] ?? 0) - (a.counts[0] ?? 0));
  const rest = ranked.slice(limit);
  if (rest.length === 0) return ranked;
  const sum = rest.reduce((all, row) => ({
    grp: other,
    counts: added(all.counts, row.counts),
    sums: added(all.sums, row.sums),
    timed: added(all.timed, row.timed),
  }));
  return [...ranked.slice(0, limit), { grp: other, counts: sum.counts, sums: sum.sums, timed: sum.timed }];
};

const stepLabel = (input: FunnelInput, index: number): string =>
  input.steps[index]?.name ?? input.steps[index]?.event ?? "Any event";

export const groupsOf = (input: FunnelInput, rows: readonly FunnelRow[]): FunnelResult["groups"] => {
  const none: FunnelRow = { grp: "", counts: input.steps.map(() => 0), sums: [], timed: [] };
  const kept = input.breakdown === undefined ? [rows[0] ?? none] : limited(rows, input.breakdown.limit);
  return kept.map((row) => {
    const [first = 0] = row.counts;
    const steps = row.counts.map((count, index) => {
      const before = row.counts[index - 1];
      const timed = row.timed[index] ?? 0;
      return {
        label: stepLabel(input, index),
        count,
        fromStart: first > 0 ? count / first : null,
        fromPrevious: before === undefined || before === 0 ? null : count / before,
        interval: index === 0 ? null : wilson(Math.min(count, first), first),
        averageSeconds: timed > 0 ? (row.sums[index] ?? 0) / timed : null,
        medianSeconds: timed > 0 ? (row.medians?.[index] ?? null) : null,
      };
    });
    return { group: input.breakdown === undefined ? null : row.grp, steps };
  });
};

const percent = (share: number | null): string =>
  `${((share ?? 0) * 100).toLocaleString("en", { maximumFractionDigits: 1 })} %`;

export const sentenceOf = (input: FunnelInput, groups: FunnelResult["groups"], from: string, to: string): string => {
  const [group] = groups;
  const [first, last] = [group?.steps[0], group?.steps.at(-1)];
  if (first === undefined || last === undefined || first.count === 0)
    return `Nobody did ${stepLabel(input, 0)} from ${from} to ${to}.`;
  const unit = input.counting === "people" ? input.unit : "attempts";
  const whose =
    group?.group === null
      ? ""
      : ` where ${input.breakdown?.property ?? ""} is ${group?.group === "" ? "missing" : (group?.group ?? "")}`;
  const steps = group?.steps ?? [];
  const lost = steps
    .slice(1)
    .map((step, index) => ({ step, previous: steps[index], lost: (steps[index]?.count ?? 0) - step.count }));
  const worst = lost.sort((a, b) => b.lost - a.lost)[0];
  const drop =
    worst === undefined || worst.lost <= 0 || steps.length < 3
      ? ""
      : ` Most are lost between ${worst.previous?.label ?? ""} and ${worst.step.label} (${worst.lost.toLocaleString("en")}).`;
  return `${percent(last.fromStart)} of ${first.count.toLocaleString("en")} ${unit}${whose} went from ${first.label} to ${last.label}, entering from ${from} to ${to}.${drop}`;
};

/** Bins of equal width: as many as given, or the cube root of the sample (PostHog's rule). */
export const binsOf = (
  people: number,
  least: number,
  most: number,
  wanted: number | undefined,
): { width: number; count: number } => {
  const count = wanted ?? Math.min(60, Math.max(1, Math.ceil(Math.cbrt(people))));
  return { width: Math.max(1, Math.ceil((most - least) / count)), count };
};
