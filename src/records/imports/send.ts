import { eventOf, type Mapping, type RowKind } from "./mapping.ts";
import { digestOf, rowsOf, type Row } from "./rows.ts";

export interface RefusedRow {
  /** Counted from 1. */
  readonly row: number;
  readonly reason: string;
  readonly message: string;
  readonly content: Row;
}

export interface SendOptions {
  readonly name: string;
  readonly file: Blob;
  /** Address of the server; empty for the one that the page came from. */
  readonly url: string;
  readonly writeKey: string;
  /** Which column holds what, once the columns are known. */
  readonly mapping: (columns: readonly string[]) => Mapping;
  readonly kind: RowKind;
  readonly signal?: AbortSignal | undefined;
  readonly progress: (rows: number, refused: number) => void;
  readonly refused: (row: RefusedRow) => void;
}

/** The server does not take the rows; the message says why, and that the same can be run again. */
export class SendFault extends Error {}

const batchRows = 500;
const longestWaitMs = 10_000;

interface Answer {
  readonly rejected?: readonly { readonly index: number; readonly reason: string; readonly message: string }[];
  readonly error?: { readonly message?: string };
}

const post = async (options: SendOptions, events: readonly unknown[]): Promise<NonNullable<Answer["rejected"]>> => {
  const { url, writeKey, signal } = options;
  for (let wait = 500; ; wait *= 2) {
    const headers = { "content-type": "application/json", authorization: `Bearer ${writeKey}` };
    const body = JSON.stringify({ events });
    const response = await fetch(`${url}/v1/events`, { method: "POST", headers, body, signal: signal ?? null }).catch(
      (error: unknown) => {
        if (signal?.aborted === true) throw error;
        return undefined;
      },
    );
    const answer = response === undefined ? undefined : ((await response.json().catch(() => ({}))) as Answer);
    if (response?.status === 200) return answer?.rejected ?? [];
    const passing = response === undefined || response.status >= 500 || response.status === 429;
    if (!passing) throw new SendFault(`The server refused the rows: ${answer?.error?.message ?? response.status}.`);
    if (wait > longestWaitMs)
      throw new SendFault(
        `The server${url === "" ? "" : ` at ${url}`} does not take rows. Do the same again later: rows that went in count once.`,
      );
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
};

/**
 * Sends the rows of a file through the door, in order. Doing it again is safe: a row is known by the file's content
 * and its number, and counts once (within seven days, as every message does). Returns how many rows, and how many of
 * them were refused.
 */
export const sendFile = async (options: SendOptions): Promise<{ rows: number; refused: number }> => {
  const digest = await digestOf(options.file);
  let mapping: Mapping | undefined;
  let [rows, refused] = [0, 0];
  let held: Row[] = [];
  const flush = async (): Promise<void> => {
    const first = rows - held.length;
    const known = (mapping ??= options.mapping([...new Set(held.flatMap((row) => Object.keys(row)))]));
    const events = held.map((row, index) => eventOf(row, known, options.kind, `${digest} ${first + index}`));
    for (const { index, reason, message } of await post(options, events)) {
      refused += 1;
      options.refused({ row: first + index + 1, reason, message, content: held[index] ?? {} });
    }
    held = [];
    options.progress(rows, refused);
  };
  for await (const row of rowsOf(options.name, options.file)) {
    options.signal?.throwIfAborted();
    held.push(row);
    rows += 1;
    if (held.length === batchRows) await flush();
  }
  if (held.length > 0) await flush();
  return { rows, refused };
};
