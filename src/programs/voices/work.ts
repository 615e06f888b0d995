import { z } from "zod";
import type { WorkspaceCall } from "#kernel/module.ts";
import { engineTime } from "#kernel/sql.ts";
import { storable } from "#records/events/incoming.ts";
import { arrivals } from "../cx-score/query.ts";
import type { Themes } from "../cx-score/themes/book.ts";
import { openingOf } from "../cx-score/themes/terms.ts";
import { headsOf, said, unread } from "./query.ts";
import { statementsIn } from "./statements.ts";

/** Reads conversations that were not read as they stand; it can end anywhere and begin again. */

const batch = 500;
/** Raised with whatever changes what is heard in a text: all is read anew then. */
export const readerVersion = 1;
/** By which reader, and which finding of themes. */
const modelOf = (themes: string): string => `${readerVersion} ${themes}`;
const Waiting = z.object({ conversation: z.string(), content: z.string() });
const Head = z.object({ id: z.string(), actor: z.string(), language: z.string(), kind: z.string() });
const Part = z.object({ conversation: z.string(), id: z.string(), text: z.string(), at: z.number() });

/** One portion; how many it read. */
const readSome = async (call: WorkspaceCall, themes: Themes): Promise<number> => {
  const { engine, signal } = call;
  const maintain = { purpose: "maintain", signal } as const;
  const { model: found, tell } = await themes.teller(call);
  const model = modelOf(found);
  const waiting = await engine.rows(unread(model, batch), Waiting, maintain);
  if (waiting.length === 0) return 0;
  const ids = waiting.map(({ conversation }) => conversation);
  const [heads, parts] = [await engine.rows(headsOf(ids), Head, maintain), await engine.rows(said(ids), Part, maintain)]; // prettier-ignore
  const headOf = new Map(heads.map((head) => [head.id, head]));
  const partsBy = new Map<string, z.output<typeof Part>[]>();
  for (const part of parts) {
    const own = partsBy.get(part.conversation);
    if (own === undefined) partsBy.set(part.conversation, [part]);
    else own.push(part);
  }
  const rows = waiting.map(({ conversation, content }) => {
    const head = headOf.get(conversation);
    const own = partsBy.get(conversation) ?? [];
    // what is said in support is about what the customer came with, unless it says otherwise
    const about = head?.kind === "support" ? tell(openingOf(own.map(({ text }) => text))) : "";
    const all = own.flatMap((part) => statementsIn(part.text, head?.language ?? "").map((one) => ({ ...one, part: part.id, words: part.text.slice(one.start, one.end) }))); // prettier-ignore
    return {
      conversation,
      content,
      model,
      actor: head?.actor ?? "0",
      parts: all.map(({ part }) => part),
      starts: all.map(({ start }) => start),
      ends: all.map(({ end }) => end),
      types: all.map(({ type }) => type),
      sentiments: all.map(({ sentiment }) => sentiment),
      themes: all.map(({ words }) => tell(words) || about),
      jobs: all.map(({ job }) => (job === undefined ? "" : JSON.stringify(job))),
      at: engineTime(own.at(-1)?.at ?? call.now),
      made: engineTime(Date.now()),
    };
  });
  await engine.insert("voice_readings", rows.map(storable).join("\n"));
  return rows.length;
};

const Arrived = z.object({ rows: z.number(), latest: z.string() });
/** What had arrived in a workspace, and which themes were known, when nothing was left to read. */
const settled = new Map<string, string>();

/** Everything that waits. Nothing is asked where nothing came. */
export const readAll = async (call: WorkspaceCall, themes: Themes): Promise<void> => {
  const [arrived] = await call.engine.rows(arrivals, Arrived, { purpose: "maintain" });
  const state = JSON.stringify([modelOf((await themes.teller(call)).model), arrived]);
  if (settled.get(call.workspace.id) === state) return;
  for (let done = batch; done === batch && !call.signal.aborted;) done = await readSome(call, themes);
  if (!call.signal.aborted) settled.set(call.workspace.id, state);
};
