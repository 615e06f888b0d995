import { createReadStream, createWriteStream, readFileSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { Refusal } from "#kernel/refusal.ts";
import { conversationFormats, conversationOf, type ConversationFormat } from "#records/conversations/formats.ts";

/** Sends conversations of a file to a server. Doing it again is safe: what is there already is not doubled. */

interface Given {
  readonly file: string;
  readonly url: string;
  readonly key: string;
  readonly format?: string | undefined;
}

const [batch, batchBytes, largestArray, longestWaitMs] = [200, 4_000_000, 500_000_000, 10_000];

/** Records of newline-delimited JSON, of a list, or of an object that holds one. */
async function* recordsOf(file: string): AsyncGenerator<{ readonly line: number; readonly text: string } | { readonly line: number; readonly value: unknown }> {
  const isWhole = !/\.(jsonl|ndjson)$/i.test(file) && ["[", "{"].includes(await firstCharacter(file));
  if (!isWhole) {
    let line = 0;
    for await (const text of createInterface({ input: createReadStream(file, "utf8"), crlfDelay: Infinity })) {
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
