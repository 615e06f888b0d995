import type { z } from "zod";
import type { AnswerBase, Insight } from "#insights/common/insight.ts";
import { conversionInsight, funnelInsight } from "#insights/funnels/insight.ts";
import { journeyInsight } from "#insights/journeys/insight.ts";
import { lifecycleInsight } from "#insights/lifecycle/insight.ts";
import { metricInsight } from "#insights/metrics/insight.ts";
import { retentionInsight } from "#insights/retention/insight.ts";
import { sessionsInsight } from "#insights/sessions/insight.ts";
import { sqlInsight } from "#insights/sql/insight.ts";
import { stickinessInsight } from "#insights/stickiness/insight.ts";
import { trendInsight } from "#insights/trends/insight.ts";
import type { BuiltKind } from "./contract.ts";

/** Every kind of question, in the order in which people meet them. The one list that shows and asks them. Browser-safe. */
const insights = [
  trendInsight,
  funnelInsight,
  conversionInsight,
  retentionInsight,
  journeyInsight,
  lifecycleInsight,
  stickinessInsight,
  sessionsInsight,
  metricInsight,
  sqlInsight,
] as const;

export type Answer = AnswerBase;
type AnyInsight = Insight<z.ZodType, Answer>;

/** A kind, for code that treats all alike. An answer is only ever given to the kind that it names. */
export const insightOf = (kind: string): AnyInsight => {
  const found = insights.find((insight) => insight.kind === kind) ?? trendInsight;
  return found as unknown as AnyInsight; // each takes its own answers alone
};

/** The kinds that the builder makes. */
export const kinds: readonly { value: BuiltKind; label: string }[] = insights.flatMap(({ kind, title }) =>
  kind === "sql" ? [] : [{ value: kind, label: title }],
);
