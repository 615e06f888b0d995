import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { daysOf, provenanceOf } from "#insights/common/provenance.ts";
import { addBuckets, bucketNumber, bucketsOf, labelOf, resolveRange, shifted } from "#insights/common/time.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { Scope, TimeRange } from "#records/events/scope.ts";
import { askTrends, type TrendsInput, type TrendsResult } from "./contract.ts";
import { isAdditive, linesOf, sentenceOf } from "./compute.ts";
import { trendsQuery } from "./query.ts";

const Row = z.object({ series: z.number(), bucket: z.number(), grp: z.string(), value: z.number() });

const linesIn = async (
  call: WorkspaceCall,
  scope: Scope,
  input: TrendsInput,
  range: TimeRange,
  period: "current" | "previous",
) => {
  if (input.display === "total") {
    const totals = await ask(call, trendsQuery(scope, input, range, true), Row);
    return linesOf(input, totals, totals, [0], period);
  }
  const numbers = bucketsOf(range, input.interval, scope).map((start) =>
    bucketNumber(start, input.interval, scope.zone),
  );
  const [rows, totals] = await Promise.all([
    ask(call, trendsQuery(scope, input, range, false), Row),
    isAdditive(input) ? undefined : ask(call, trendsQuery(scope, input, range, true), Row),
  ]);
  return linesOf(input, rows, totals, numbers, period);
};

/** The answer to a question of this kind. */
export const answerTrends = async (call: WorkspaceCall, scope: Scope, input: TrendsInput): Promise<TrendsResult> => {
  const began = performance.now();
  const range = resolveRange(input.range, scope);
  const before = input.compare === undefined ? undefined : shifted(range, input.compare.offsetDays, scope.zone);
  const [current, previous] = await Promise.all([
    linesIn(call, scope, input, range, "current"),
    before === undefined ? [] : linesIn(call, scope, input, before, "previous"),
  ]);
  const starts = bucketsOf(range, input.interval, scope);
  const label = (start: number): string => labelOf(start, input.interval, scope.zone);
  const lines = [...current, ...previous];
  const [from, to] = daysOf(range, scope.zone);
  return {
    kind: "trends",
    interval: input.interval,
    buckets: starts.map(label),
    previousBuckets: before === undefined ? [] : bucketsOf(before, input.interval, scope).map(label),
    incomplete: addBuckets(starts.at(-1) ?? 0, input.interval, 1, scope.zone) > scope.now,
    lines,
    sentence: sentenceOf(input, lines, from, to),
    provenance: provenanceOf(
      scope,
      range,
      trendsQuery(scope, input, range, input.display === "total"),
      "Events that match each series, per bucket of local time. People are counted once a bucket, after ids of one person are joined.",
      began,
    ),
  };
};

/** Trends: events over time. */
export const trends = ({ ingest }: { readonly ingest: Ingest }): Module =>
  defineModule({
    name: "trends",
    operations: [
      handle(askTrends, async (call, input) => answerTrends(call, await scopeOf(ingest, call, input), input)),
    ],
  });
