import type { StickinessInput } from "./contract.ts";

/** Rows to a list: at place k − 1, how many were active in exactly k periods. */
export const countsOf = (
  rows: readonly { readonly periods: number; readonly units: number }[],
  periods: number,
): number[] => {
  const units = new Map(rows.map((row) => [row.periods, row.units]));
  return Array.from({ length: periods }, (_, k) => units.get(k + 1) ?? 0);
};

const plural = (count: number, one: string): string => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;

export const sentenceOf = (input: StickinessInput, exactly: readonly number[], from: string, to: string): string => {
  const active = exactly.reduce((sum, n) => sum + n, 0);
  const what = input.activity.event ?? "anything";
  if (active === 0) return `Nobody did ${what} from ${from} to ${to}.`;
  const period = input.intervalCount === 1 ? input.interval : `period of ${input.intervalCount} ${input.interval}s`;
  const mean = exactly.reduce((sum, n, k) => sum + n * (k + 1), 0) / active;
  // the number of periods that half of them reach
  let seen = 0;
  const median = 1 + exactly.findIndex((n) => (seen += n) * 2 >= active);
  return `${active.toLocaleString("en")} ${input.unit} did ${what} from ${from} to ${to}, in ${mean.toLocaleString("en", { maximumFractionDigits: 1 })} of ${plural(exactly.length, period)} on average; half of them in at most ${plural(median, period)}.`;
};
