import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { daysOf, provenanceOf } from "#insights/common/provenance.ts";
import { bucketNumber, bucketsOf, resolveRange } from "#insights/common/time.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { Scope } from "#records/events/scope.ts";
import type { Who } from "#insights/common/frame.ts";
import { askWho } from "#insights/common/who.ts";
import { askStickiness, stickinessWho, type StickinessInput, type StickinessResult } from "./contract.ts";
import { countsOf, sentenceOf } from "./compute.ts";
import { stickinessPeople, stickinessQuery } from "./query.ts";

const Row = z.object({ periods: z.number(), units: z.number() });

const slotsOf = (scope: Scope, input: StickinessInput) => {
  const range = resolveRange(input.range, scope);
  const starts = bucketsOf(range, input.interval, scope);
  const slots = {
    range,
    interval: input.interval,
    first: bucketNumber(starts[0] ?? range.from, input.interval, scope.zone),
    count: Math.ceil(starts.length / input.intervalCount),
    joined: input.intervalCount,
  };
  return { range, slots };
};

/** Who was active in so many periods. */
export const whoOfStickiness = (
  call: WorkspaceCall,
  scope: Scope,
  { question, periods, limit }: z.output<typeof stickinessWho.input>,
): Promise<Who> =>
  askWho(call, scope, stickinessPeople(scope, question, slotsOf(scope, question).slots, periods), question.unit, limit);

/** The answer to a question of this kind. */
export const answerStickiness = async (
  call: WorkspaceCall,
  scope: Scope,
  input: StickinessInput,
): Promise<StickinessResult> => {
  const began = performance.now();
  const { range, slots } = slotsOf(scope, input);
  const statement = stickinessQuery(scope, input, slots);
  const exactly = countsOf(await ask(call, statement, Row), slots.count);
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
      handle(stickinessWho, async (call, input) =>
        whoOfStickiness(call, await scopeOf(ingest, call, input.question), input),
      ),
    ],
  });
