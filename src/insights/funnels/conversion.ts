import { z } from "zod";
import type { WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { ask } from "#records/common/ask.ts";
import { other } from "#insights/common/frame.ts";
import { daysOf, provenanceOf } from "#insights/common/provenance.ts";
import { addBuckets, bucketNumber, bucketsOf, labelOf } from "#insights/common/time.ts";
import type { Scope, TimeRange } from "#records/events/scope.ts";
import { wilson } from "#stats/intervals.ts";
import type { ConversionInput, ConversionResult } from "./contract.ts";
import { conversionQuery } from "./query.ts";

const Row = z.object({ grp: z.string(), bucket: z.number(), entered: z.number(), converted: z.number() });
type Row = z.output<typeof Row>;
type Group = ConversionResult["groups"][number];

const pointOf = (rows: readonly Row[]): Group["points"][number] => {
  const entered = rows.reduce((sum, row) => sum + row.entered, 0);
  const converted = rows.reduce((sum, row) => sum + row.converted, 0);
  return {
    entered,
    converted,
    rate: entered === 0 ? null : converted / entered,
    interval: entered === 0 ? null : wilson(converted, entered),
  };
};

/** The groups with the most people; the others together. */
const groupsOf = (input: ConversionInput, rows: readonly Row[], buckets: readonly number[]): Group[] => {
  const sizes = new Map<string, number>();
  for (const row of rows) sizes.set(row.grp, (sizes.get(row.grp) ?? 0) + row.entered);
  const ranked = [...sizes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
  const kept = ranked.slice(0, input.breakdown?.limit ?? 1);
  const names = ranked.length > kept.length ? [...kept, other] : kept;
  return (names.length === 0 ? [""] : names).map((name) => {
    const own = rows.filter((row) => (kept.includes(row.grp) ? row.grp : other) === name);
    return {
      group: input.breakdown === undefined ? null : name,
      points: buckets.map((bucket) => pointOf(own.filter((row) => row.bucket === bucket))),
    };
  });
};

const percent = (rate: number | null): string =>
  `${((rate ?? 0) * 100).toLocaleString("en", { maximumFractionDigits: 1 })} %`;

const sentenceOf = (
  input: ConversionInput,
  buckets: readonly string[],
  open: number,
  points: Group["points"],
): string => {
  const closed = points.map((point, place) => ({ ...point, bucket: buckets[place] ?? "" })).slice(0, open);
  const known = closed.filter(({ rate }) => rate !== null);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return "Nobody entered whose window is over yet.";
  const name = (step: number): string => input.steps[step]?.name ?? input.steps[step]?.event ?? "any event";
  const way = `from ${name(input.fromStep)} to ${name(input.toStep ?? input.steps.length - 1)}`;
  return known.length === 1
    ? `${percent(last.rate)} went ${way} of the ${last.entered.toLocaleString("en")} who entered in the ${input.interval} of ${last.bucket}.`
    : `${percent(last.rate)} went ${way} of the ${last.entered.toLocaleString("en")} who entered in the ${input.interval} of ${last.bucket}, the last whose window is over; it was ${percent(first.rate)} in that of ${first.bucket}.`;
};

/** Conversion by when people entered. The sum over buckets may exceed the funnel: whoever enters twice counts twice. */
export const conversion = async (
  call: WorkspaceCall,
  scope: Scope,
  input: ConversionInput,
  range: TimeRange,
): Promise<ConversionResult> => {
  const began = performance.now();
  const last = input.toStep ?? input.steps.length - 1;
  if (input.fromStep >= last || last >= input.steps.length)
    throw new Refusal("funnel.steps", "Choose two steps of the funnel, the earlier first.");
  const starts = bucketsOf(range, input.interval, scope);
  const numbers = starts.map((start) => bucketNumber(start, input.interval, scope.zone));
  const statement = conversionQuery(scope, input, range);
  const groups = groupsOf(input, await ask(call, statement, Row), numbers);
  const ends = starts.map((start) => Math.min(addBuckets(start, input.interval, 1, scope.zone), range.to));
  const open = ends.filter((end) => end + input.windowSeconds * 1000 <= scope.now).length;
  const buckets = starts.map((start) => labelOf(start, input.interval, scope.zone));
  const [from, to] = daysOf(range, scope.zone);
  return {
    kind: "conversion",
    interval: input.interval,
    buckets,
    openFrom: open,
    groups,
    sentence: sentenceOf(input, buckets, open, groups[0]?.points ?? []),
    provenance: provenanceOf(
      scope,
      range,
      statement,
      `Attempts count in the ${input.interval} of their first step, entered from ${from} to ${to}; ${input.counting === "people" ? `a person once a ${input.interval}` : "each attempt by itself"}. Those within ${input.windowSeconds / 3600} hours of now may still convert.`,
      began,
    ),
  };
};
