import type { Veil } from "#kernel/classes.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Filter } from "#insights/common/frame.ts";
import type { Scope } from "#records/events/scope.ts";
import { needsProperty, type Line, type Measure, type TrendsInput } from "./contract.ts";

/**
 * Numbers of values that whoever asks may not see by themselves: only over at least `k` people, so that none of them is
 * told apart. It guards one answer; it does not guard against two questions that differ by one person, and so such a
 * question can neither name people nor cohorts.
 */
export interface Guarded {
  readonly k: number;
  /** May be asked in the place of the one that was given. */
  readonly scope: Scope;
  /** How many people each number is over. */
  readonly people: TrendsInput;
  /** What is asked: of a breakdown only the values that enough people have. */
  readonly input: TrendsInput;
  /** Whether the values of the breakdown are themselves what is not shown. */
  readonly isByHidden: boolean;
}

/** Those that one person's value cannot be read from, if there are enough of them. */
const measures: ReadonlySet<Measure> = new Set(["sum", "avg"]);
const everyGroup = 10_000;
/** Less than any number that is stored. */
const anyNumber = "-1.7e308";

const holderOf = { event: "event", person: "person", person_then: "person", account: "account" } as const;

/** Conditions are asked of whoever asks, whatever numbers they may have. */
const checkConditions = (veil: Veil, filters: readonly Filter[]): void => {
  for (const { on, property } of filters) {
    if (on === "id" || on === "cohort")
      throw new Refusal("trends.guarded", "A question over values that you may not see by themselves cannot name people or cohorts.", {}, 403); // prettier-ignore
    if (on in holderOf) veil.check(holderOf[on as keyof typeof holderOf], property);
  }
};

/** What guards a question; undefined where nothing in it is hidden, or it is refused as any other. */
export const guardOf = (scope: Scope, input: TrendsInput): Guarded | undefined => {
  const { veil } = scope;
  if (!veil.isDrawn) return undefined;
  const ofSeries = input.series.map(({ measure, property }) => (property !== undefined && needsProperty.has(measure) ? veil.leastPeople("event", property) : undefined)); // prettier-ignore
  const { breakdown } = input;
  const ofGroups = breakdown === undefined ? [] : [breakdown, ...breakdown.and].map(({ on, property }) => veil.leastPeople(on, property)); // prettier-ignore
  const least = [...ofSeries, ...ofGroups].filter((one) => one !== undefined);
  if (least.length === 0) return undefined;
  checkConditions(veil, [...input.filters, ...input.series.flatMap(({ filters }) => filters)]);
  if (input.formulas.length > 0 || input.sample !== undefined || input.cumulative || input.movingAverage !== undefined)
    throw new Refusal("trends.guarded", "Of values that you may not see by themselves there are only plain numbers: no formulas, samples, running totals and means.", {}, 403); // prettier-ignore
  for (const [at, { measure }] of input.series.entries())
    if (ofSeries[at] !== undefined && !measures.has(measure))
      throw new Refusal("trends.guarded", "Of values that you may not see by themselves there are only sums and averages.", {}, 403); // prettier-ignore
  const open: Veil = {
    ...veil,
    check: (holder, name) => {
      if (veil.leastPeople(holder, name) === undefined) veil.check(holder, name);
    },
  };
  const hasNumber = (property: string): Filter => ({ property, on: "event", op: "gte", values: [anyNumber] });
  const series = input.series.map((one) => ({
    ...one,
    measure: "unique" as const,
    filters: needsProperty.has(one.measure) && one.property !== undefined ? [...one.filters, hasNumber(one.property)] : one.filters, // prettier-ignore
  }));
  const people = { ...input, series, ...(breakdown === undefined ? {} : { breakdown: { ...breakdown, limit: everyGroup, hideOther: true } }) }; // prettier-ignore
  return {
    k: Math.max(...least),
    scope: { ...scope, veil: open },
    people,
    input: breakdown === undefined ? input : { ...input, breakdown: { ...breakdown, hideOther: true } },
    isByHidden: ofGroups.some((one) => one !== undefined),
  };
};

/** Lines without what is over too few people; and without the values of a breakdown that too few have. */
export const guardedLines = ({ k, isByHidden }: Guarded, lines: readonly Line[], people: readonly Line[]): Line[] => {
  const keyOf = ({ index, group, period }: Line): string => JSON.stringify([index, group, period]);
  const counts = new Map(people.map((line) => [keyOf(line), line]));
  const isFew = (count: number | null | undefined): boolean => count !== 0 && (count ?? 1) < k;
  return lines.flatMap((line) => {
    const counted = counts.get(keyOf(line));
    if (isByHidden && isFew(counted?.total)) return [];
    return [
      {
        ...line,
        values: line.values.map((value, at) => (isFew(counted?.values[at]) ? null : value)),
        total: isFew(counted?.total) ? null : line.total,
      },
    ];
  });
};
