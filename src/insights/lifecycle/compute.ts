import { states, type LifecycleInput, type LifecycleResult, type State } from "./contract.ts";

export interface LifecycleRow {
  readonly slot: number;
  readonly state: string;
  readonly units: number;
}

type Counts = Pick<LifecycleResult, State>;

/** Rows to one list per state over the buckets of the range. Those who went quiet count below zero. */
export const countsOf = (rows: readonly LifecycleRow[], buckets: number): Counts => {
  const counts: Counts = { new: [], returning: [], resurrecting: [], dormant: [] };
  for (const state of states) {
    const own = new Map(rows.filter((row) => row.state === state).map((row) => [row.slot, row.units]));
    const sign = state === "dormant" ? -1 : 1;
    counts[state] = Array.from({ length: buckets }, (_, bucket) => sign * (own.get(bucket + 1) ?? 0) || 0);
  }
  return counts;
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const said = (value: number): string => Math.abs(value).toLocaleString("en");

/** The pulse of a product: those who came (new or again) for each who went quiet; null where nobody did. */
export const pulseOf = (counts: Counts, upTo: number): number | null => {
  const lost = -sum(counts.dormant.slice(0, upTo));
  return lost === 0 ? null : (sum(counts.new.slice(0, upTo)) + sum(counts.resurrecting.slice(0, upTo))) / lost;
};

export const sentenceOf = (input: LifecycleInput, counts: Counts, over: number, from: string, to: string): string => {
  const came = sum(counts.new) + sum(counts.resurrecting);
  const what = input.activity.event ?? "anything";
  if (came + sum(counts.returning) === 0) return `Nobody did ${what} from ${from} to ${to}.`;
  const pulse = pulseOf(counts, over);
  const ratio =
    pulse === null
      ? ""
      : ` For each ${input.unit === "people" ? "person" : "account"} who went quiet, ${pulse.toLocaleString("en", { maximumFractionDigits: 2 })} came or came back.`;
  return `From ${from} to ${to}, ${said(sum(counts.new))} ${input.unit} did ${what} for the first time, ${said(sum(counts.resurrecting))} came back after a pause, and ${said(sum(counts.dormant))} times one went quiet.${ratio}`;
};
