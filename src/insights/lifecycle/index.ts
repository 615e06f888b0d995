import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { daysOf, provenanceOf } from "#insights/common/provenance.ts";
import { addBuckets, bucketNumber, bucketsOf, labelOf, resolveRange } from "#insights/common/time.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { Scope } from "#records/events/scope.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Who } from "#insights/common/frame.ts";
import { askWho } from "#insights/common/who.ts";
import { askLifecycle, lifecycleWho, type LifecycleInput, type LifecycleResult } from "./contract.ts";
import { countsOf, sentenceOf } from "./compute.ts";
import { lifecyclePeople, lifecycleQuery } from "./query.ts";

const Row = z.object({ slot: z.number(), state: z.string(), units: z.number() });

/** The buckets of the range, and the one before it. */
const slotsOf = (scope: Scope, input: LifecycleInput) => {
  const asked = resolveRange(input.range, scope);
  const starts = bucketsOf(asked, input.interval, scope);
  const [first = asked.from] = starts;
  // whole buckets: who was active on the Monday of a week is active in that week, wherever the range begins
  const before = addBuckets(first, input.interval, -1, scope.zone);
  const slots = {
    range: { from: before, to: asked.to },
    interval: input.interval,
    first: bucketNumber(before, input.interval, scope.zone),
    count: starts.length + 1,
  };
  return { asked, starts, slots };
};

/** Who is in a state in a bucket. */
export const whoOfLifecycle = (
  call: WorkspaceCall,
  scope: Scope,
  { question, bucket, state, limit }: z.output<typeof lifecycleWho.input>,
): Promise<Who> => {
  const { starts, slots } = slotsOf(scope, question);
  const place = starts.findIndex((start) => labelOf(start, question.interval, scope.zone) === bucket);
  if (place < 0) throw new Refusal("who.bucket", `The range has no ${question.interval} of ${bucket}.`);
  return askWho(call, scope, lifecyclePeople(scope, question, slots, place + 1, state), question.unit, limit);
};

/** The answer to a question of this kind. */
export const answerLifecycle = async (
  call: WorkspaceCall,
  scope: Scope,
  input: LifecycleInput,
): Promise<LifecycleResult> => {
  const began = performance.now();
  const { asked, starts, slots } = slotsOf(scope, input);
  const statement = lifecycleQuery(scope, input, slots);
  const counts = countsOf(await ask(call, statement, Row), starts.length);
  const incomplete = addBuckets(starts.at(-1) ?? 0, input.interval, 1, scope.zone) > scope.now;
  const [from, to] = daysOf(asked, scope.zone);
  return {
    kind: "lifecycle",
    interval: input.interval,
    unit: input.unit,
    buckets: starts.map((start) => labelOf(start, input.interval, scope.zone)),
    ...counts,
    incomplete,
    sentence: sentenceOf(input, counts, incomplete ? starts.length - 1 : starts.length, from, to),
    provenance: provenanceOf(
      scope,
      asked,
      statement,
      `Active means: did ${input.activity.event ?? "any event"}. New: first ever in that ${input.interval}. Returning: also in the ${input.interval} before. Resurrecting: earlier, but not in the ${input.interval} before. Dormant: in the ${input.interval} before, and not in this one.`,
      began,
    ),
  };
};

/** Lifecycle: who is new, stays, comes back, or goes quiet. */
export const lifecycle = ({ ingest }: { readonly ingest: Ingest }): Module =>
  defineModule({
    name: "lifecycle",
    operations: [
      handle(askLifecycle, async (call, input) => answerLifecycle(call, await scopeOf(ingest, call, input), input)),
      handle(lifecycleWho, async (call, input) =>
        whoOfLifecycle(call, await scopeOf(ingest, call, input.question), input),
      ),
    ],
  });
