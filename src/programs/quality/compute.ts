import { psi, psiLimit, robustZ } from "#stats/drift.ts";
import { wilson } from "#stats/intervals.ts";
import type { Fault } from "./contract.ts";

/** What arrived, judged. Everything here is pure: rows in, faults out. */

export interface Day {
  readonly event: string;
  readonly source: string;
  /** A local date. */
  readonly day: string;
  readonly count: number;
  readonly late: number;
}
export interface Gap {
  readonly event: string;
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly last: number;
  /** In how many hours of the last 28 days it came. */
  readonly active: number;
  /** Hours: 95 of 100 times the next came within this. */
  readonly gap: number;
}

const hourMs = 3_600_000;
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const number = (value: number): string => Math.round(value).toLocaleString("en");
/** A smaller change is not worth anybody's morning, however sure. */
const leastChange = 0.2;
const mostZ = 3.5;

const weekday = (day: string): number => new Date(`${day}T00:00:00Z`).getUTCDay();

/** Days from one to another, both inside. */
export const daysBetween = (first: string, last: string): string[] => {
  const days: string[] = [];
  for (let at = Date.parse(`${first}T00:00:00Z`); at <= Date.parse(`${last}T00:00:00Z`); at += 24 * hourMs)
    days.push(new Date(at).toISOString().slice(0, 10));
  return days;
};

/**
 * An event's count of its last whole day against the same weekdays before. Days that were odd themselves are left out of
 * what is compared with, so that one outage does not hide the next. Undefined where nothing is wrong.
 */
export const volumeFault = (
  event: string,
  counts: ReadonlyMap<string, number>,
  days: readonly string[],
): Fault | undefined => {
  const [last] = days.slice(-1);
  if (last === undefined) return undefined;
  const first = [...counts.keys()].toSorted()[0];
  if (first === undefined) return undefined;
  const same = days.filter((day) => day >= first && day < last && weekday(day) === weekday(last));
  if (same.length < 3) return undefined;
  const before = same.map((day) => counts.get(day) ?? 0);
  const usual = before.filter((one, at) => Math.abs(robustZ(one, before.filter((_, other) => other !== at)) ?? 0) <= mostZ); // prettier-ignore
  const compared = usual.length >= 3 ? usual : before;
  const value = counts.get(last) ?? 0;
  const z = robustZ(value, compared);
  const middle = compared.toSorted((a, b) => a - b)[Math.floor(compared.length / 2)] ?? 0;
  const change = middle === 0 ? 1 : Math.abs(value - middle) / middle;
  const isZero = value === 0 && compared.every((one) => one > 0);
  if (z === null || (!isZero && (Math.abs(z) <= mostZ || change < leastChange))) return undefined;
  const weekdayName = new Date(`${last}T00:00:00Z`).toLocaleDateString("en", { weekday: "long", timeZone: "UTC" });
  return {
    kind: "volume",
    subject: { event, property: null },
    says: `${number(value)} came on ${weekdayName} ${last}; on such days it is about ${number(middle)}.`,
    share: Math.min(1, change),
  };
};

/** Hours after which silence is odd: three times the usual gap, two at least; more where a contract promises less. */
export const silenceLimit = (gap: number, promised: number | undefined): number => Math.max(promised ?? 0, 3 * gap, 2);

export const silenceFault = (found: Gap, now: number, promised: number | undefined): Fault | undefined => {
  const hours = (now - found.last) / hourMs;
  const limit = silenceLimit(found.gap, promised);
  // what came a few times ever has no rhythm to be late against, unless one was promised
  if (hours <= limit || (found.active < 20 && promised === undefined)) return undefined;
  return {
    kind: "silent",
    subject: { event: found.event, property: null },
    says: `Nothing has come for ${number(hours)} hours; ${promised === undefined ? `the next usually comes within ${number(Math.max(found.gap, 1))}` : `its contract promises ${number(promised)}`}.`,
    share: 1,
  };
};

/** How much of an event breaks its contract: at least the most frequent way of breaking it. */
export const conformityFault = (event: string, total: number, broken: number): Fault | undefined =>
  total === 0 || broken === 0
    ? undefined
    : {
        kind: "conformity",
        subject: { event, property: null },
        says: `${number(broken)} of ${number(total)} in 7 days broke the contract.`,
        share: Math.min(1, broken / total),
      };

export const lateFault = (event: string, total: number, late: number): Fault | undefined =>
  total < 100 || late / total < 0.1
    ? undefined
    : {
        kind: "late",
        subject: { event, property: null },
        says: `${percent(late / total)} of 7 days arrived over an hour after they happened.`,
        share: late / total,
      };

type Properties = Readonly<Record<string, unknown>>;
const jsonType = (value: unknown): string => (Array.isArray(value) ? "array" : value === null ? "null" : typeof value);
const [enough, mostValues, bins] = [200, 20, 10];

/** Versions and dates pass by themselves: each week has others. */
const isPassing = /^v?\d+\.\d+(\.\d+)*([-+].*)?$|^\d{4}-\d\d(-\d\d)?/;

/** Where ten equal parts of the numbers end. */
const edgesOf = (numbers: readonly number[]): number[] => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const edges = Array.from({ length: bins - 1 }, (_, at) => sorted[Math.floor(((at + 1) * sorted.length) / bins)] ?? 0);
  return [...new Set(edges)];
};

const counted = (values: readonly number[], edges: readonly number[]): number[] => {
  const counts = Array.from({ length: edges.length + 1 }, () => 0);
  for (const value of values) {
    const at = edges.findIndex((edge) => value < edge);
    const bin = at === -1 ? edges.length : at;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
};

/** How far values have moved: PSI and its limit; undefined where they are too many and different to say. */
const moved = (now: readonly unknown[], before: readonly unknown[]): { index: number; limit: number } | undefined => {
  if (before.every((value) => typeof value === "number")) {
    const edges = edgesOf(before);
    const current = now.filter((value) => typeof value === "number");
    if (edges.length < 2 || current.length < enough) return undefined;
    return { index: psi(counted(current, edges), counted(before, edges)), limit: psiLimit(current.length, before.length, edges.length + 1) }; // prettier-ignore
  }
  const names = [...new Set(before.map(String))];
  if (names.length > mostValues || names.some((name) => isPassing.test(name))) return undefined;
  const tally = (values: readonly unknown[]): number[] => {
    const counts = new Map<string, number>();
    for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
    const own = names.map((name) => counts.get(name) ?? 0);
    return [...own, values.length - own.reduce((a, b) => a + b, 0)]; // the last for what was never seen before
  };
  return { index: psi(tally(now), tally(before)), limit: psiLimit(now.length, before.length, names.length + 1) };
};

const missingFault = (
  subject: Fault["subject"],
  now: number,
  of: number,
  before: number,
  ofBefore: number,
): Fault | undefined => {
  const [own, earlier] = [wilson(of - now, of), wilson(ofBefore - before, ofBefore)];
  if (own === null || earlier === null) return undefined;
  const change = (of - now) / of - (ofBefore - before) / ofBefore;
  if (change < 0.1 || own[0] <= earlier[1]) return undefined;
  return {
    kind: "missing",
    subject,
    says: `Missing in ${percent((of - now) / of)} of the last 7 days; before in ${percent((ofBefore - before) / ofBefore)}.`,
    share: (of - now) / of,
  };
};

/** What changed in the properties of an event, from samples of the last 7 days and of the three weeks before. */
export const propertyFaults = (event: string, now: readonly Properties[], before: readonly Properties[]): Fault[] => {
  if (now.length < enough || before.length < enough) return [];
  const names = [...new Set([...now, ...before].flatMap((one) => Object.keys(one)))];
  return names.flatMap((name): Fault[] => {
    const subject = { event, property: name };
    const [own, earlier] = [now, before].map((all) =>
      all.flatMap((one) => (one[name] === undefined || one[name] === null ? [] : [one[name]])),
    ) as [unknown[], unknown[]]; // two in, two out
    const missing = missingFault(subject, own.length, now.length, earlier.length, before.length);
    if (own.length < enough || earlier.length < enough) return missing === undefined ? [] : [missing];
    const known = new Set(earlier.map(jsonType));
    const fresh = own.filter((value) => !known.has(jsonType(value)));
    const types: Fault[] =
      fresh.length / own.length < 0.01
        ? []
        : [{ kind: "types", subject, says: `${percent(fresh.length / own.length)} are ${[...new Set(fresh.map(jsonType))].join(" or ")}; before all were ${[...known].join(" or ")}.`, share: fresh.length / own.length }]; // prettier-ignore
    const drift = moved(own, earlier);
    const drifted: Fault[] =
      drift === undefined || drift.index <= drift.limit || types.length > 0
        ? []
        : [{ kind: "drift", subject, says: `Its values are spread otherwise than in the three weeks before (PSI ${drift.index.toFixed(2)}, of which ${drift.limit.toFixed(2)} may be chance).`, share: Math.min(1, drift.index) }]; // prettier-ignore
    return [...(missing === undefined ? [] : [missing]), ...types, ...drifted];
  });
};

/** The mean of four shares, from 0 to 100. */
export const scoreOf = (shares: readonly number[]): number =>
  Math.round((100 * shares.reduce((a, b) => a + b, 0)) / shares.length);
