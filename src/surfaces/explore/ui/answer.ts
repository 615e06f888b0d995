import type { FunnelResult } from "#insights/funnels/contract.ts";
import type { RetentionResult } from "#insights/retention/contract.ts";
import type { TrendsResult } from "#insights/trends/contract.ts";

export type Answer = TrendsResult | FunnelResult | RetentionResult;
