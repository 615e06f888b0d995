import { z } from "zod";
import type { WorkspaceCall } from "#kernel/module.ts";
import { arrivals } from "./query.ts";

const Arrived = z.object({ rows: z.number(), latest: z.string() });

/**
 * Work on conversations that rests in a workspace until something comes there, or `by` changes. The work says whether it
 * left nothing; what it left is looked for at the next turn.
 */
export const untilArrival = () => {
  const settled = new Map<string, string>();
  return async (call: WorkspaceCall, by: unknown, work: () => Promise<boolean>): Promise<void> => {
    const [arrived] = await call.engine.rows(arrivals, Arrived, { purpose: "maintain" });
    const state = JSON.stringify([by, arrived]);
    if (settled.get(call.workspace.id) === state) return;
    if ((await work()) && !call.signal.aborted) settled.set(call.workspace.id, state);
  };
};
