import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { EventMatch, frameShape, intervals, Limit, Provenance, Unit, Who } from "#insights/common/frame.ts";

/** Of everybody active in a bucket, and of those who stopped: which state they are in. */
export const states = ["new", "returning", "resurrecting", "dormant"] as const;
export type State = (typeof states)[number];

export const LifecycleInput = z.strictObject({
  ...frameShape,
  activity: EventMatch.describe("What counts as being active."),
  interval: z.enum(intervals).default("week"),
  unit: Unit.default("people"),
});
export type LifecycleInput = z.output<typeof LifecycleInput>;

const Counts = z.array(z.number());

export const LifecycleResult = z.object({
  kind: z.literal("lifecycle"),
  interval: z.enum(intervals),
  unit: Unit,
  buckets: z.array(z.string()),
  /** First ever active in the bucket. */
  new: Counts,
  /** Active in the bucket before too. */
  returning: Counts,
  /** Active earlier, but not in the bucket before. */
  resurrecting: Counts,
  /** Active in the bucket before, not in this one: negative. */
  dormant: Counts,
  /** The last bucket is not over yet. */
  incomplete: z.boolean(),
  sentence: z.string(),
  provenance: Provenance,
});
export type LifecycleResult = z.output<typeof LifecycleResult>;

export const lifecycleWho = defineOperation({
  name: "lifecycle.who",
  summary: "Who is in a state in one bucket.",
  permission: "read",
  discloses: true,
  input: z.strictObject({ question: LifecycleInput, bucket: z.string().max(40), state: z.enum(states), limit: Limit }),
  output: Who,
});

export const askLifecycle = defineOperation({
  name: "lifecycle.ask",
  summary: "Who is new, stays, comes back, or goes quiet.",
  permission: "read",
  input: LifecycleInput,
  output: LifecycleResult,
});
