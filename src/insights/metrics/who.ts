import type { WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Who } from "#insights/common/frame.ts";
import { daysOf } from "#insights/common/provenance.ts";
import { bucketOf } from "#insights/common/who.ts";
import { resolveRange } from "#insights/common/time.ts";
import { ConversionInput } from "#insights/funnels/contract.ts";
import { whoOfConversion } from "#insights/funnels/index.ts";
import { LifecycleInput } from "#insights/lifecycle/contract.ts";
import { whoOfLifecycle } from "#insights/lifecycle/index.ts";
import { RetentionInput } from "#insights/retention/contract.ts";
import { whoOfRetention } from "#insights/retention/index.ts";
import { StickinessInput } from "#insights/stickiness/contract.ts";
import { whoOfStickiness } from "#insights/stickiness/index.ts";
import { TrendsInput } from "#insights/trends/contract.ts";
import { whoOfTrend } from "#insights/trends/index.ts";
import type { Scope } from "#records/events/scope.ts";
import type { Definition } from "./contract.ts";
import { questionOf, type Frame } from "./question.ts";

interface Point {
  readonly bucket: string;
  readonly group: string | undefined;
  readonly limit: number;
}

/** Who a point of a metric is about, by the question that the metric is. */
export const whoOfMetric = (call: WorkspaceCall, scope: Scope, definition: Definition, frame: Frame, { bucket, group, limit }: Point): Promise<Who> => {
  const { measure } = definition;
  const question = questionOf(definition, frame);
  const within = (): { from: string; to: string } => {
    const [from, to] = daysOf(bucketOf(scope, resolveRange(frame.range, scope), frame.interval, bucket), scope.zone);
    return { from, to };
  };
  switch (question.kind) {
    case "trends": {
      const { formulas: _, ...input } = question.input;
      return whoOfTrend(call, scope, { question: TrendsInput.parse(input), series: 0, bucket, group, limit });
    }
    case "conversion":
      return whoOfConversion(call, scope, { conversion: ConversionInput.parse(question.input), bucket, who: "reached", group, limit });
    case "retention": {
      const after = measure.kind === "retention" ? measure.after : 1;
      return whoOfRetention(call, scope, { question: RetentionInput.parse(question.input), cohort: bucket, column: after, came: true, group, limit });
    }
    case "lifecycle": {
      const state = measure.kind === "lifecycle" ? measure.state : "new";
      return whoOfLifecycle(call, scope, { question: LifecycleInput.parse(question.input), bucket, state, limit });
    }
    case "stickiness": {
      const periods = measure.kind === "stickiness" ? measure.atLeast : 1;
      const input = StickinessInput.parse({ ...question.input, range: within() });
      return whoOfStickiness(call, scope, { question: input, periods, limit });
    }
    default:
      throw new Refusal("who.none", "The people of this metric cannot be told.");
  }
}; // prettier-ignore
