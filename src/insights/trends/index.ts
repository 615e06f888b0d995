import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { daysOf, provenanceOf } from "#insights/common/provenance.ts";
import { addBuckets, bucketNumber, bucketsOf, labelOf, resolveRange, shifted } from "#insights/common/time.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { Scope, TimeRange } from "#records/events/scope.ts";
import type { Sql } from "#kernel/sql.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Who } from "#insights/common/frame.ts";
import { askWho, bucketOf, refuseOther } from "#insights/common/who.ts";
import { guardedLines, guardOf } from "./guard.ts";
import { askTrends, trendWho, type Line, type Measure, type TrendsInput, type TrendsResult } from "./contract.ts";
import { isAdditive, linesOf, sentenceOf } from "./compute.ts";
import { isByActivity, activityQuery, trendPeople, trendsQuery } from "./query.ts";

const Row = z.object({ series: z.number(), bucket: z.number(), grp: z.string(), value: z.number() });

/** A sample answers what adds up over people, plainly. */
const sampleable: ReadonlySet<Measure> = new Set(["total", "unique", "sum"]);
const checkSample = ({ sample, series, formulas, breakdown, cumulative, movingAverage }: TrendsInput): void => {
  if (sample === undefined) return;
  const isPlain = formulas.length === 0 && breakdown === undefined && !cumulative && movingAverage === undefined;
  if (!isPlain || series.some(({ measure }) => !sampleable.has(measure)))
    throw new Refusal("trends.sample", "A sample answers how many events and people there are, and sums, without formulas, breakdowns, running totals and means."); // prettier-ignore
};

/** Rows over time. Series by activity are asked by themselves, the others in one read. */
const rowsOf = async (call: WorkspaceCall, scope: Scope, input: TrendsInput, range: TimeRange) => {
  const numbered = input.series.map((series, index) => ({ series, index }));
  const active = numbered.filter(({ series }) => isByActivity(input, series));
  const others = numbered.filter(({ series }) => !isByActivity(input, series));
  const together = { ...input, series: others.map(({ series }) => series) };
  // every statement before the first is asked: one that cannot be made would leave the others with nobody to hear of them
  const statements = [
    ...(others.length === 0 ? [] : [trendsQuery(scope, together, range, false)]),
    ...active.map(({ series, index }) => activityQuery(scope, input, index, series, range)),
  ];
  const found = await Promise.all(statements.map((statement) => ask(call, statement, Row)));
  const [plain = [], ...alone] = others.length === 0 ? [[], ...found] : found;
  return [...plain.map((row) => ({ ...row, series: others[row.series]?.index ?? 0 })), ...alone.flat()];
};

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
  const whole = isAdditive(input) ? undefined : trendsQuery(scope, input, range, true);
  const [rows, totals] = await Promise.all([
    rowsOf(call, scope, input, range),
    whole === undefined ? undefined : ask(call, whole, Row),
  ]);
  return linesOf(input, rows, totals, numbers, period);
};

/** The statement that says most about how an answer came about. */
const shown = (scope: Scope, input: TrendsInput, range: TimeRange): Sql => {
  const [only] = input.series;
  return input.display !== "total" && input.series.length === 1 && only !== undefined && isByActivity(input, only)
    ? activityQuery(scope, input, 0, only, range)
    : trendsQuery(scope, input, range, input.display === "total");
};

/** The answer to a question of this kind. */
export const answerTrends = async (call: WorkspaceCall, given: Scope, asked: TrendsInput): Promise<TrendsResult> => {
  const began = performance.now();
  checkSample(asked);
  const guard = guardOf(given, asked);
  const { scope, input } = guard ?? { scope: given, input: asked };
  const range = resolveRange(input.range, scope);
  const before = input.compare === undefined ? undefined : shifted(range, input.compare.offsetDays, scope.zone);
  const both = async (of: TrendsInput): Promise<Line[]> => {
    const [current, previous] = await Promise.all([
      linesIn(call, scope, of, range, "current"),
      before === undefined ? [] : linesIn(call, scope, of, before, "previous"),
    ]);
    return [...current, ...previous];
  };
  const lines = guard === undefined ? await both(input) : guardedLines(guard, await both(input), await both(guard.people)); // prettier-ignore
  const starts = bucketsOf(range, input.interval, scope);
  const label = (start: number): string => labelOf(start, input.interval, scope.zone);
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
      shown(scope, input, range),
      `Events that match each series, per bucket of local time. People are counted once a bucket, after ids of one person are joined.${input.sample === undefined ? "" : ` Asked of ${input.sample * 100} % of the people, chosen by chance, and scaled up; ± is half of the 95 % interval.`}${guard === undefined ? "" : ` Values that you may not see by themselves: only numbers over at least ${guard.k} people are shown.`}`,
      began,
    ),
  };
};

/** Who a point of a trend is about. Rolling people are those of the days before too. */
export const whoOfTrend = async (
  call: WorkspaceCall,
  scope: Scope,
  { question, series: index, bucket, group, limit }: z.output<typeof trendWho.input>,
): Promise<Who> => {
  const series = question.series[index];
  if (series === undefined) throw new Refusal("who.series", `There is no series ${index}.`);
  refuseOther(group);
  const range = resolveRange(question.range, scope);
  const own = bucket === undefined ? range : bucketOf(scope, range, question.interval, bucket);
  const back = series.measure === "rolling_unique" && question.interval === "day" ? series.windowDays - 1 : 0;
  const from = back === 0 ? own.from : addBuckets(own.from, "day", -back, scope.zone);
  const unit = series.measure === "unique_accounts" ? "accounts" : "people";
  return askWho(call, scope, trendPeople(scope, question, series, { from, to: own.to }, group), unit, limit);
};

/** Trends: events over time. */
export const trends = ({ ingest }: { readonly ingest: Ingest }): Module =>
  defineModule({
    name: "trends",
    operations: [
      handle(askTrends, async (call, input) => answerTrends(call, await scopeOf(ingest, call, input), input)),
      handle(trendWho, async (call, input) => whoOfTrend(call, await scopeOf(ingest, call, input.question), input)),
    ],
  });
