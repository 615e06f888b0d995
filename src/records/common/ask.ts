import type { z } from "zod";
import type { Purpose } from "#kernel/engine/engine.ts";
import type { WorkspaceCall } from "#kernel/module.ts";
import type { Sql } from "#kernel/sql.ts";
import type { Ingest } from "#records/events/ingest.ts";
import { keysOf } from "#records/people/keys.ts";
import type { Scope } from "#records/events/scope.ts";
import { checkZone } from "./zone.ts";

/** How long a question waits for events that were acknowledged just before it. */
const settleMs = 2_000;

/** Makes the scope of a question: identities fresh, everything acknowledged before it readable. */
export const scopeOf = async (
  ingest: Ingest,
  call: WorkspaceCall,
  frame: { zone?: string | undefined; weekStart?: "monday" | "sunday" | undefined } = {},
): Promise<Scope> => {
  await ingest.caughtUp(settleMs);
  return {
    engine: call.engine,
    zone: checkZone(frame.zone ?? call.workspace.zone),
    weekStart: frame.weekStart ?? call.workspace.weekStart,
    ...(await ingest.freshIdentities(call.workspace.id)),
    keys: keysOf(call.workspace.secret),
    veil: call.veil,
    now: call.now,
  };
};

/** Asks the engine, with the question's own limits, and ends the query when the caller goes away. */
export const ask = <T>(
  call: WorkspaceCall,
  statement: Sql,
  row: z.ZodType<T>,
  purpose: Purpose = "ask",
): Promise<T[]> => call.engine.rows(statement, row, { purpose, signal: call.signal });
