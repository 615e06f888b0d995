import { other } from "./frame.ts";
import type { Axis, Chosen } from "./insight.ts";

/** Colours of series, apart in hue and in lightness, so that they differ in grey too (after Okabe and Ito). */
export const seriesColors = ["#3b5bdb", "#c2570c", "#0a7d63", "#a6368f", "#7a6a00", "#5c5f66"] as const;
/** Dashes say the same without colour. */
export const seriesDashes = ["solid", "dashed", "dotted", [8, 3, 2, 3], [2, 2], [12, 4]] as const;
/** Stripes and dots that tell areas apart without colour. */
export const decals = { aria: { enabled: true, label: { enabled: false }, decal: { show: true } } } as const;

/** As many series as can be told apart; the table has all of them. */
export const mostLines = 6;

/** A value of the breakdown, for people. */
export const groupName = (group: string): string => (group === "" ? "(missing)" : group === other ? "Other" : group);

/** A share in percent, with one decimal. */
export const percent = (share: number | null): number => Math.round((share ?? 0) * 1000) / 10;

export const grid = { left: 8, right: 16, top: 40, bottom: 8, containLabel: true } as const;
export const legend = { top: 0, type: "scroll" } as const;

interface Timed {
  readonly buckets: readonly string[];
  readonly incomplete: boolean;
}

/** A bucket for a table, the one that is not over marked. */
export const bucketCell = ({ buckets, incomplete }: Timed, place: number): { value: string; mark: string } => ({
  value: buckets[place] ?? "",
  mark: incomplete && place === buckets.length - 1 ? " (not over yet)" : "",
});

/** Labels of a time axis; * marks time that is not over. */
export const bucketLabels = ({ buckets, incomplete }: Timed): string[] =>
  buckets.map((bucket, place) => (incomplete && place === buckets.length - 1 ? `${bucket}*` : bucket));

/** The band between lower and upper bounds, behind the first line; bounds are as they are drawn. */
export const intervalBand = (bounds: readonly (readonly [low: number, high: number] | null)[]): object[] => {
  const bound = (name: string, opacity: number, data: readonly (number | null)[]) => ({
    type: "line",
    name,
    stack: "interval",
    symbol: "none",
    silent: true,
    tooltip: { show: false },
    color: seriesColors[0],
    lineStyle: { opacity: 0 },
    areaStyle: { opacity },
    data,
  });
  if (bounds.every((one) => one === null)) return [];
  return [
    bound("low", 0, bounds.map((one) => one?.[0] ?? null)), // prettier-ignore
    bound(bandName, 0.2, bounds.map((one) => (one === null ? null : one[1] - one[0]))), // prettier-ignore
  ];
};
export const bandName = "95 % interval";

const everybody = "*";

interface Grouped {
  readonly group: string | null;
}

/** The choice of one value of the breakdown, or of all; none where nothing is broken down. Other is nobody's value. */
export const groupAxis = (groups: readonly Grouped[]): readonly Axis[] => {
  const named = [...new Set(groups.flatMap(({ group }) => (group === null || group === other ? [] : [group])))];
  if (named.length === 0) return [];
  const values = named.map((group) => ({ value: `=${group}`, label: groupName(group) }));
  return [{ name: "group", label: "Group", options: [{ value: everybody, label: "Everybody" }, ...values] }];
};

/** The value that was chosen; undefined for all. */
export const chosenGroup = ({ group = everybody }: Chosen): string | undefined =>
  group === everybody ? undefined : group.slice(1);

/** The choice of the group that a line or a bar is of. */
export const clickedGroup = (groups: readonly Grouped[], series: string): Chosen => {
  const found = groups.find(({ group }) => group !== null && groupName(group) === series)?.group;
  return found === undefined || found === null || found === other ? {} : { group: `=${found}` };
};
