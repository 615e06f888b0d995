import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { daysOf, provenanceOf } from "#insights/common/provenance.ts";
import { addBuckets, bucketNumber, bucketsOf, labelOf, resolveRange, startOf } from "#insights/common/time.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { Scope } from "#records/events/scope.ts";
import type { Who } from "#insights/common/frame.ts";
import { askWho, refuseOther } from "#insights/common/who.ts";
import { askRetention, retentionWho, type RetentionInput, type RetentionResult } from "./contract.ts";
import { columnLabels, groupsOf, sentenceOf, withValues, type RetentionRow } from "./compute.ts";
import { periodMs, retentionPeople, retentionQuery, retentionValues, type Grid } from "./query.ts";

const Row = z.object({ grp: z.string(), cohort: z.number(), k: z.number(), people: z.number() });
const Value = z.object({ grp: z.string(), cohort: z.number(), k: z.number(), total: z.number(), times: z.number() });
/** Buckets and columns are bits of one 64-bit word. */
const mostBuckets = 64;

interface Plan {
  readonly grid: Grid;
  readonly starts: readonly number[];
  /** Instant up to which returns are looked at. */
  readonly reach: number;
}

const planOf = (input: RetentionInput, scope: Scope): Plan => {
  const range = resolveRange(input.range, scope);
  const starts = bucketsOf(range, input.period, scope);
  const count = starts.length;
  const bracketed = input.brackets?.reduce((sum, size) => sum + size, 0);
  const columns = starts.map((_, row) => input.columns ?? (bracketed === undefined ? count - row : bracketed + 1));
  const widest = Math.max(...columns.map((n, row) => (input.mode === "rolling" ? n : n + row)));
  if (count > mostBuckets || widest > mostBuckets) {
    throw new Refusal(
      "retention.too_wide",
      `A retention table may span ${mostBuckets} periods; this one spans ${Math.max(count, widest)}. Shorten the range or take a longer period.`,
    );
  }
  const last = starts.at(-1) ?? range.from;
  const byColumns =
    input.mode === "rolling"
      ? last + (widest + 1) * periodMs[input.period]
      : addBuckets(starts[0] ?? range.from, input.period, widest, scope.zone);
  const reach = input.columns === undefined && bracketed === undefined ? range.to : byColumns;
  return {
    grid: { range, first: bucketNumber(starts[0] ?? range.from, input.period, scope.zone), buckets: count, columns },
    starts,
    reach,
  };
};

/** The answer to a question of this kind. */
export const answerRetention = async (
  call: WorkspaceCall,
  scope: Scope,
  input: RetentionInput,
): Promise<RetentionResult> => {
  const began = performance.now();
  const { grid, starts, reach } = planOf(input, scope);
  const statement = retentionQuery(scope, input, grid, reach);
  const rows: readonly RetentionRow[] = await ask(call, statement, Row);
  const currentStart = startOf(scope.now, input.period, scope);
  const isMature = (row: number, column: number): boolean => {
    const offset =
      input.brackets === undefined ? column : input.brackets.slice(0, column).reduce((sum, size) => sum + size, 0);
    const start = starts[row] ?? 0;
    if (input.mode === "rolling")
      return addBuckets(start, input.period, 1, scope.zone) + (offset + 1) * periodMs[input.period] <= scope.now;
    return addBuckets(start, input.period, offset, scope.zone) < currentStart;
  };
  const labels = starts.map((start) => labelOf(start, input.period, scope.zone));
  const values = input.value === undefined ? [] : await ask(call, retentionValues(scope, input, grid, reach, input.value.property), Value); // prettier-ignore
  const groups = withValues(input, groupsOf(input, rows, labels, grid.columns, isMature), values);
  const [from, to] = daysOf(grid.range, scope.zone);
  return {
    kind: "retention",
    unit: input.unit,
    period: input.period,
    value: input.value ?? null,
    columns: columnLabels(input, Math.max(...grid.columns)),
    groups,
    sentence: sentenceOf(input, groups, from, to),
    provenance: provenanceOf(
      scope,
      grid.range,
      statement,
      `${input.unit === "people" ? "People" : "Accounts"} who did ${input.start.event ?? "any event"} (${input.cohorting.replaceAll("_", " ")}), and how many of them did ${input.returning.event ?? "any event"} ${input.onOrAfter ? "on or after" : "in"} each later ${input.period} (${input.mode}).`,
      began,
    ),
  };
};

/** Who of a cohort came back, or did not. */
export const whoOfRetention = (
  call: WorkspaceCall,
  scope: Scope,
  { question, cohort, column, came, group, limit }: z.output<typeof retentionWho.input>,
): Promise<Who> => {
  refuseOther(group);
  const { grid, starts, reach } = planOf(question, scope);
  const row = starts.findIndex((start) => labelOf(start, question.period, scope.zone) === cohort);
  if (row < 0) throw new Refusal("who.bucket", `There is no cohort of ${cohort}.`);
  return askWho(call, scope, retentionPeople(scope, question, grid, reach, { row, column, came, group }), question.unit, limit); // prettier-ignore
};

/** Retention: who comes back. */
export const retention = ({ ingest }: { readonly ingest: Ingest }): Module =>
  defineModule({
    name: "retention",
    operations: [
      handle(retentionWho, async (call, input) =>
        whoOfRetention(call, await scopeOf(ingest, call, input.question), input),
      ),
      handle(askRetention, async (call, input) => {
        if (input.mode === "rolling" && input.cohorting === "recurring") {
          throw new Refusal(
            "retention.rolling_recurring",
            "Rolling retention counts from a person's first start; choose first-time cohorts, or calendar periods.",
          );
        }
        if (input.value !== undefined && (input.onOrAfter || input.minimumOccurrences > 1))
          throw new Refusal("retention.value", "Values are those of each column's own events: without “or later”, and whenever somebody comes back."); // prettier-ignore
        if (input.unit === "accounts" && input.breakdown !== undefined)
          throw new Refusal("retention.accounts_by_trait", "Accounts have no one trait of a person to break down by.");
        return answerRetention(call, await scopeOf(ingest, call, input), input);
      }),
    ],
  });
