import { filterSays, matchSays } from "#insights/common/says.ts";
import type { Duration, Leaf } from "./contract.ts";

/** Conditions in words, for the page and for whoever asks why. Browser-safe. */

const last = ({ value, unit }: Duration): string => `the last ${value === 1 ? unit : `${value} ${unit}s`}`;
const amounts = { gte: "at least", lte: "at most", eq: "exactly" } as const;

const kinds: Readonly<Record<Exclude<Leaf["type"], "cohort">, (leaf: never) => string>> = {
  did: ({ match, times, within, since }: Leaf & { type: "did" }) =>
    `did ${matchSays(match)}${since === undefined ? "" : ` since ${since}`}${times === undefined ? "" : ` ${amounts[times.op]} ${times.value} times`}${within === undefined ? "" : ` in ${last(within)}`}`,
  first_time: ({ match, within }: Leaf & { type: "first_time" }) =>
    `did ${matchSays(match)} for the first time in ${last(within)}`,
  regularly: ({ match, times, period, totalPeriods, minPeriods }: Leaf & { type: "regularly" }) =>
    `did ${matchSays(match)} ${amounts[times.op]} ${times.value} times in ${minPeriods} of the last ${totalPeriods} periods of ${period.value} ${period.unit}s`,
  stopped: ({ match, within, notWithin }: Leaf & { type: "stopped" }) =>
    `did ${matchSays(match)} in ${last(within)}, but not in ${last(notWithin)}`,
  restarted: ({ match, quietWithin, againWithin }: Leaf & { type: "restarted" }) =>
    `did ${matchSays(match)} again in ${last(againWithin)} after a pause since before ${last(quietWithin)}`,
  sequence: ({ steps, within }: Leaf & { type: "sequence" }) =>
    `did ${steps.map(matchSays).join(", then ")} in ${last(within)}`,
  trait: ({ filter }: Leaf & { type: "trait" }) => filterSays(filter),
};

/** `names` are those of the cohorts, by id. */
export const saysOf = (leaf: Leaf, names: ReadonlyMap<string, string>): string =>
  leaf.type === "cohort"
    ? `is in ${names.get(leaf.cohort) ?? "a cohort that is gone"}`
    : kinds[leaf.type](leaf as never); // the kind's own condition
