import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { daysOf, provenanceOf } from "#insights/common/provenance.ts";
import { bucketNumber, bucketsOf, resolveRange } from "#insights/common/time.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { Scope } from "#records/events/scope.ts";
import { askStickiness, type StickinessInput, type StickinessResult } from "./contract.ts";
import { countsOf, sentenceOf } from "./compute.ts";
import { stickinessQuery } from "./query.ts";

const Row = z.object({ periods: z.number(), units: z.number() });

/** The answer to a question of this kind. */
export const answerStickiness = async (
  call: WorkspaceCall,
  scope: Scope,
  input: StickinessInput,
): Promise<StickinessResult> => {
  const began = performance.now();
  const range = resolveRange(input.range, scope);
  const starts = bucketsOf(range, input.interval, scope);
  const statement = stickinessQuery(scope, input, {
    range,
    interval: input.interval,
    first: bucketNumber(starts[0] ?? range.from, input.interval, scope.zone),
    count: Math.ceil(starts.length / input.intervalCount),
    joined: input.intervalCount,
  });
  const exactly = countsOf(await ask(call, statement, Row), Math.ceil(starts.length / input.intervalCount));
  const [from, to] = daysOf(range, scope.zone);
  return {
    kind: "stickiness",
    interval: input.interval,
    intervalCount: input.intervalCount,
    cumulative: input.cumulative,
    unit: input.unit,
    counts: input.cumulative ? exactly.map((_, k) => exactly.slice(k).reduce((sum, n) => sum + n, 0)) : exactly,
    active: exactly.reduce((sum, n) => sum + n, 0),
    sentence: sentenceOf(input, exactly, from, to),
    provenance: provenanceOf(
      scope,
      range,
      statement,
      `Active means: did ${input.activity.event ?? "any event"}${input.criterion === undefined ? "" : ` ${{ gte: "at least", lte: "at most", eq: "exactly" }[input.criterion.op]} ${input.criterion.value} times`} in the ${input.interval}. Each of the ${input.unit} is counted by in how many they were active.`,
      began,
    ),
  };
};

/** Stickiness: on how many days of a range people are active. */
export const stickiness = ({ ingest }: { readonly ingest: Ingest }): Module =>
  defineModule({
    name: "stickiness",
    operations: [
      handle(askStickiness, async (call, input) => answerStickiness(call, await scopeOf(ingest, call, input), input)),
    ],
  });
