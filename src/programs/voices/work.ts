import { createHash } from "node:crypto";
import { z } from "zod";
import type { WorkspaceCall } from "#kernel/module.ts";
import { grouped } from "#kernel/grouped.ts";
import { engineTime } from "#kernel/sql.ts";
import { untilArrival } from "#records/conversations/rest.ts";
import { storable } from "#records/events/incoming.ts";
import type { Themes } from "../themes/book.ts";
import { openingOf } from "../themes/terms.ts";
import { headsOf, said, unread } from "./query.ts";
import { statementsIn } from "./statements.ts";

/** Reads conversations that were not read as they stand; it can end anywhere and begin again. */

const batch = 500;
/** Raised with whatever changes what is heard in a text: all is read anew then. */
export const readerVersion = 2;
/** By which reader, and which finding of themes. */
const modelOf = (themes: string): string => `${readerVersion} ${themes}`;
const Waiting = z.object({ conversation: z.string(), content: z.string() });
const Head = z.object({ id: z.string(), actor: z.string(), language: z.string(), kind: z.string() });
const Part = z.object({ conversation: z.string(), id: z.string(), text: z.string(), at: z.number() });

/** The same for the same words, however they are written in capitals. */
const keyOf = (words: string): string => createHash("sha256").update(words.trim().toLowerCase()).digest("hex").slice(0, 16); // prettier-ignore

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
  const partsBy = grouped(parts, ({ conversation }) => conversation);
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
      keys: all.map(({ words }) => keyOf(words)),
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

const rest = untilArrival();

/** Everything that waits. Nothing is asked where nothing came. */
export const readAll = async (call: WorkspaceCall, themes: Themes): Promise<void> => {
  await rest(call, modelOf((await themes.teller(call)).model), async () => {
    for (let done = batch; done === batch && !call.signal.aborted;) done = await readSome(call, themes);
    return true;
  });
};
