import { createReadStream, createWriteStream, readFileSync, statSync } from "node:fs";
import { parse } from "csv-parse";
import { columnsOf, conversationOfRows, lackOf } from "#records/conversations/csv.ts";
import { linesIn } from "#kernel/lines.ts";
import { Refusal } from "#kernel/refusal.ts";
import { conversationFormats, conversationOf, type ConversationFormat } from "#records/conversations/formats.ts";

/** Sends conversations of a file to a server. Doing it again is safe: what is there already is not doubled. */

interface Given {
  readonly file: string;
  readonly url: string;
  readonly key: string;
  readonly format?: string | undefined;
}

const [batch, batchBytes, largestArray, longestWaitMs, mostRows] = [200, 4_000_000, 500_000_000, 10_000, 4_000];

/** Conversations of a table: rows of one that follow each other are one. */
async function* conversationsOfTable(file: string): AsyncGenerator<{ readonly line: number; readonly value: unknown }> {
  const parser = createReadStream(file).pipe(parse({ columns: true, bom: true, relax_column_count: true, max_record_size: 1_000_000, delimiter: /\.tsv$/i.test(file) ? "\t" : "," }));
  let columns: ReturnType<typeof columnsOf> | undefined;
  let [line, began, held, id] = [1, 2, [] as Record<string, string>[], ""];
  try {
    for await (const row of parser as AsyncIterable<Record<string, string>>) {
      line += 1;
      columns ??= columnsOf(Object.keys(row));
      const lacks = lackOf(columns);
      if (lacks !== "") throw new Refusal("conversations.columns", `The table has no column ${lacks}. Name its columns so: conversation_id, role, text, at (ISO 8601 with a zone), and as you have them part_id, user_id, account, channel, team, state, rating, tags, private.`);
      const own = (row[columns.get("conversation") ?? ""] ?? "").trim();
      if (held.length > 0 && (own !== id || held.length >= mostRows)) {
        yield { line: began, value: conversationOfRows(held, columns) };
        [held, began] = [[], line];
      }
      id = own;
      held.push(row);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal("conversations.csv", `${file} is no proper table, after line ${line}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (held.length > 0 && columns !== undefined) yield { line: began, value: conversationOfRows(held, columns) };
} // prettier-ignore

/** Records of newline-delimited JSON, of a list, or of an object that holds one. */
async function* recordsOf(file: string): AsyncGenerator<{ readonly line: number; readonly text: string } | { readonly line: number; readonly value: unknown }> {
  if (/\.[ct]sv$/i.test(file)) {
    yield* conversationsOfTable(file);
    return;
  }
  const isWhole = !/\.(jsonl|ndjson)$/i.test(file) && ["[", "{"].includes(await firstCharacter(file));
  if (!isWhole) {
    let line = 0;
    for await (const text of linesIn(createReadStream(file))) {
      line += 1;
      if (text.trim() !== "") yield { line, text: line === 1 ? text.replace(/^\uFEFF/, "") : text };
    }
    return;
  }
  if (statSync(file).size > largestArray) throw new Refusal("conversations.too_large", `A file that is one JSON value may have ${largestArray / 1e6} MB. Write it as lines (.jsonl).`);
  let whole: unknown;
  try {
    whole = JSON.parse(readFileSync(file, "utf8").replace(/^\uFEFF/, ""));
  } catch {
    throw new Refusal("conversations.json", `${file} is neither JSON nor lines of it (.jsonl).`);
  }
  const lists = Array.isArray(whole) ? [whole] : Object.values(whole as object).flatMap((value: unknown) => (Array.isArray(value) ? [value] : typeof value === "object" && value !== null ? Object.values(value).filter((one): one is unknown[] => Array.isArray(one)) : []));
  const list = lists[0] ?? [whole];
  for (const [at, value] of list.entries()) yield { line: at + 1, value };
} // prettier-ignore

const firstCharacter = async (file: string): Promise<string> => {
  for await (const chunk of createReadStream(file, { encoding: "utf8", end: 64 })) return String(chunk).replace(/^\uFEFF/, "").trimStart().slice(0, 1); // prettier-ignore
  return "";
};

interface Rejected {
  readonly line: number;
  readonly id: string | null;
  readonly message: string;
}

/** As `POST /v1/conversations` answers. */
interface Answer {
  /** Not kept for want of consent. */
  readonly withheld: number;
  readonly rejected: readonly { readonly index: number; readonly id: string | null; readonly message: string }[];
}

export const sendConversations = async ({ file, url, key, format }: Given, progress: (taken: number, rejected: number) => void): Promise<{ taken: number; withheld: number; rejected: number; errors: string | undefined }> => {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) throw new Refusal("conversations.no_file", `There is no file ${file}.`);
  const chosen = format === undefined ? undefined : conversationFormats.find((one) => one === format);
  if (format !== undefined && chosen === undefined) throw new Refusal("conversations.format", `There is no format ${format}: ${conversationFormats.join(", ")}.`);
  const errorsPath = `${file}.errors.ndjson`;
  let errors: ReturnType<typeof createWriteStream> | undefined;
  let [taken, withheld, refused] = [0, 0, 0];
  const tell = (rejected: Rejected): void => {
    refused += 1;
    errors ??= createWriteStream(errorsPath);
    errors.write(`${JSON.stringify(rejected)}\n`);
  };
  const post = async (conversations: readonly unknown[]): Promise<Answer> => {
    for (let wait = 500; ; wait *= 2) {
      const response = await fetch(new URL("/v1/conversations", url), { method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" }, body: JSON.stringify({ conversations }) }).catch(() => undefined);
      const answer = (await response?.json().catch(() => ({}))) as (Partial<Answer> & { error?: { message?: string } }) | undefined;
      if (response?.status === 200) return { withheld: answer?.withheld ?? 0, rejected: answer?.rejected ?? [] };
      if (response !== undefined && response.status < 500 && response.status !== 429) throw new Refusal("conversations.refused", `The server refused them: ${answer?.error?.message ?? response.status}`);
      if (wait > longestWaitMs) throw new Refusal("conversations.away", `The server at ${url} does not take them. Do the same again later: nothing is doubled.`);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  };
  let held: { line: number; value: unknown }[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    const answer = held.length === 0 ? { withheld: 0, rejected: [] } : await post(held.map(({ value }) => value));
    for (const { index, id, message } of answer.rejected) tell({ line: held[index]?.line ?? 0, id, message });
    withheld += answer.withheld;
    taken += held.length - answer.rejected.length - answer.withheld;
    [held, bytes] = [[], 0];
    progress(taken, refused);
  };
  for await (const record of recordsOf(file)) {
    try {
      const value = conversationOf("text" in record ? (JSON.parse(record.text) as unknown) : record.value, chosen as ConversationFormat | undefined);
      held.push({ line: record.line, value });
      bytes += JSON.stringify(value).length;
    } catch (error) {
      tell({ line: record.line, id: null, message: error instanceof SyntaxError ? "It is no JSON." : error instanceof Error ? error.message : String(error) });
    }
    if (held.length >= batch || bytes > batchBytes) await flush();
  }
  await flush();
  const open = errors as ReturnType<typeof createWriteStream> | undefined; // assigned in a callback
  if (open !== undefined) await new Promise<void>((resolve) => open.end(resolve));
  return { taken, withheld, rejected: refused, errors: open === undefined ? undefined : errorsPath };
}; // prettier-ignore
