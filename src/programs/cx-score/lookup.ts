import { z } from "zod";
import type { WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import type { Ingest } from "#records/events/ingest.ts";
import * as contract from "./contract.ts";
import { headOf } from "./query.ts";

/** A conversation by its id, and whoever asks: as several handlers look them up. */

const Head = contract.get.output.omit({ label: true, isDisputed: true, parts: true, scores: true }).extend({ actor: z.string() }); // prettier-ignore

export const Labelled = z.object({ conversation: z.string(), by: z.string(), label: z.number() });

/** How many conversations there are at a tenth of a point. */
export const Tenth = z.object({ tenth: z.number(), conversations: z.number() });

/** Whoever asks, as labels and reviews name them. */
export const memberOf = ({ principal }: WorkspaceCall): string => (principal.kind === "nobody" ? "" : principal.id);

/** What its source says of a conversation. Throws `cx.unknown`. */
export const headFor = async (ingest: Ingest, call: WorkspaceCall, id: string): Promise<z.output<typeof Head>> => {
  const [head] = await ask(call, headOf(await scopeOf(ingest, call), id), Head);
  if (head === undefined) throw new Refusal("cx.unknown", "There is no such conversation in this workspace.", {}, 404);
  return head;
};
