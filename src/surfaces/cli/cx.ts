import { once } from "node:events";
import { createReadStream, createWriteStream, statSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { z } from "zod";
import { linesIn } from "#kernel/lines.ts";
import { Refusal } from "#kernel/refusal.ts";
import { roles } from "#programs/cx-score/scorer/conversation.ts";
import { scoreConversation } from "#programs/cx-score/scorer/score.ts";

/** Scores conversations of a file, without a server: a row in, a row out, in the same order. */

const [longestLine, mostTurns] = [20_000_000, 10_000];

const Row = z.object({
  id: z.union([z.string(), z.number()]),
  lang: z.string().max(35).nullish(),
  turns: z.array(z.object({ r: z.enum(roles), x: z.string(), t: z.number().nullish() })).max(mostTurns),
});

interface Given {
  readonly input: string;
  readonly output: string;
}

/** A row that cannot be read has one in the output all the same, so that none is lost unseen. */
const unread = (line: number, id: unknown, problem: string) => ({ id: typeof id === "string" || typeof id === "number" ? id : null, line, score: null, drivers: [], summary: "", eligible: false, reason: "invalid_row", problem }); // prettier-ignore

const scoredLine = (text: string, line: number): { readonly row: object; readonly isRead: boolean } => {
  if (text.length > longestLine) return { row: unread(line, null, `A line may have ${longestLine} characters.`), isRead: false }; // prettier-ignore
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return { row: unread(line, null, "It is no JSON."), isRead: false };
  }
  const read = Row.safeParse(content);
  if (!read.success) {
    const [issue] = read.error.issues;
    const id = typeof content === "object" && content !== null && "id" in content ? content.id : null;
    return { row: unread(line, id, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`), isRead: false };
  }
  const { id, lang, turns } = read.data;
  const { score, drivers, summary, eligible, reason, confidence, limited, lang: found, other, handlers } = scoreConversation({ lang: lang ?? undefined, turns: turns.map(({ r, x, t }) => ({ r, x, t: t ?? undefined })) }); // prettier-ignore
  return { row: { id, score, drivers, summary, eligible, reason, confidence, limited, lang: found, other, handlers }, isRead: true }; // prettier-ignore
};

/** Throws a refusal where the file is not there, or rows of it could not be read; the others are written all the same. */
export const cxScore = async ({ input, output }: Given, say: Pick<Console, "error">): Promise<void> => {
  if (statSync(input, { throwIfNoEntry: false })?.isFile() !== true) throw new Refusal("cx.missing", `There is no file ${input}.`); // prettier-ignore
  // little survives a collection of garbage here: to wake other threads for it takes longer than it does
  setFlagsFromString("--no-parallel-scavenge");
  const out = createWriteStream(output, { encoding: "utf8" });
  const failed = once(out, "error").then(([error]) => { throw new Refusal("cx.output", `${output} cannot be written: ${(error as Error).message}`); }); // prettier-ignore
  failed.catch(() => undefined);
  let [line, count, bad] = [0, 0, 0];
  for await (const text of linesIn(createReadStream(input, { highWaterMark: 1 << 20 }), longestLine)) {
    line += 1;
    if (text.trim() === "") continue;
    const { row, isRead } = scoredLine(line === 1 ? text.replace(/^\uFEFF/, "") : text, line);
    count += 1;
    if (!isRead) bad += 1;
    if (!out.write(`${JSON.stringify(row)}\n`)) await Promise.race([once(out, "drain"), failed]);
  }
  out.end();
  await Promise.race([once(out, "finish"), failed]);
  say.error(`${count} conversations are in ${output}.`);
  if (bad > 0) throw new Refusal("cx.rows", `${bad} rows could not be read; each says why in ${output} (reason invalid_row).`); // prettier-ignore
};
