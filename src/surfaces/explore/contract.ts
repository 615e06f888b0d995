import { z } from "zod";
import { FunnelInput } from "#insights/funnels/contract.ts";
import { RetentionInput } from "#insights/retention/contract.ts";
import { TrendsInput } from "#insights/trends/contract.ts";

/** A question of one kind with its parameters, as it is saved and asked again. */
export const Question = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("trends"), input: TrendsInput }),
  z.strictObject({ kind: z.literal("funnel"), input: FunnelInput }),
  z.strictObject({ kind: z.literal("retention"), input: RetentionInput }),
]);
export type Question = z.output<typeof Question>;
