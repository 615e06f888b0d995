import { z } from "zod";
import { ConversionInput, FunnelInput } from "#insights/funnels/contract.ts";
import { JourneyInput } from "#insights/journeys/contract.ts";
import { LifecycleInput } from "#insights/lifecycle/contract.ts";
import { MetricInput } from "#insights/metrics/contract.ts";
import { RetentionInput } from "#insights/retention/contract.ts";
import { SessionsInput } from "#insights/sessions/contract.ts";
import { StickinessInput } from "#insights/stickiness/contract.ts";
import { SqlInput } from "#insights/sql/contract.ts";
import { TrendsInput } from "#insights/trends/contract.ts";

/** A question that the builder of Explore makes. */
export const BuiltQuestion = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("trends"), input: TrendsInput }),
  z.strictObject({ kind: z.literal("funnel"), input: FunnelInput }),
  z.strictObject({ kind: z.literal("conversion"), input: ConversionInput }),
  z.strictObject({ kind: z.literal("retention"), input: RetentionInput }),
  z.strictObject({ kind: z.literal("journey"), input: JourneyInput }),
  z.strictObject({ kind: z.literal("lifecycle"), input: LifecycleInput }),
  z.strictObject({ kind: z.literal("stickiness"), input: StickinessInput }),
  z.strictObject({ kind: z.literal("sessions"), input: SessionsInput }),
  z.strictObject({ kind: z.literal("metric"), input: MetricInput }),
]);
export type BuiltQuestion = z.output<typeof BuiltQuestion>;
export type BuiltKind = BuiltQuestion["kind"];

/** A question of one kind with its parameters, as it is saved and asked again. SQL is written on a page of its own. */
export const Question = z.discriminatedUnion("kind", [
  ...BuiltQuestion.options,
  z.strictObject({ kind: z.literal("sql"), input: SqlInput }),
]);
export type Question = z.output<typeof Question>;
