import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { parse } from "csv-parse";
import { Refusal } from "#kernel/refusal.ts";

/** Which column holds what. Every other column is a property (or a trait). */
export interface Mapping {
  readonly event?: string | undefined;
  readonly time?: string | undefined;
  readonly userId?: string | undefined;
  readonly anonymousId?: string | undefined;
  readonly account?: string | undefined;
}

export interface ImportOptions {
  readonly file: string;
  readonly url: string;
  readonly writeKey: string;
  /** `userId=customer_id,time=date`; what it leaves out is found by the usual names. */
  readonly map?: string | undefined;
  /** Name of the event where no column holds one. */
  readonly event?: string | undefined;
  /** The rows describe people, and are no events. */
  readonly traits: boolean;
  readonly progress: (rows: number, refused: number) => void;
}

export interface ImportOutcome {
  readonly rows: number;
  readonly refused: number;
  /** Where the refused rows are, with their reasons; undefined when there are none. */
  readonly errors: string | undefined;
}

type Row = Readonly<Record<string, unknown>>;

const usual = {
  event: ["event", "event_name", "event_type", "name"],
  time: ["time", "timestamp", "at", "date", "created_at", "occurred_at"],
  userId: ["userid", "user_id", "distinct_id", "customer_id", "person_id", "email"],
  anonymousId: ["anonymousid", "anonymous_id", "device_id", "visitor_id"],
  account: ["account", "account_id", "company", "company_id", "group_id"],
} as const satisfies Record<keyof Mapping, readonly string[]>;
const fields = Object.keys(usual) as (keyof Mapping)[]; // the keys written just above

const batchRows = 500;

/** The mapping: what is said, and for the rest the first column with a usual name. */
export const mappingFor = (columns: readonly string[], said: string | undefined): Mapping => {
  const given = new Map(
    (said ?? "")
      .split(",")
      .filter((part) => part !== "")
      .map((part) => {
        const [field = "", column = ""] = part.split("=").map((text) => text.trim());
        if (!fields.includes(field as keyof Mapping))
          throw new Refusal("import.map", `--map knows ${fields.join(", ")}; not ${field}.`);
        if (!columns.includes(column))
          throw new Refusal("import.map", `The file has no column ${column}. It has ${columns.join(", ")}.`);
        return [field, column] as const;
      }),
  );
  const find = (field: keyof Mapping): string | undefined =>
    given.get(field) ??
    usual[field]
      .map((name) => columns.find((column) => column.toLowerCase() === name))
      .find((column) => column !== undefined);
  return Object.fromEntries(fields.map((field) => [field, find(field)]));
};

/** Text of a CSV cell as what it says: numbers and truth values; an id with a leading zero stays text. */
const cellValue = (text: unknown): unknown => {
  if (typeof text !== "string") return text;
  if (text === "true" || text === "false") return text === "true";
  return /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text) ? Number(text) : text;
};

async function* csvRows(file: string, delimiter: string): AsyncGenerator<Row> {
  const parser = createReadStream(file).pipe(
    parse({ columns: true, bom: true, delimiter, relax_column_count: true, max_record_size: 1_000_000 }),
  );
  for await (const row of parser as AsyncIterable<Row>) yield row;
}

async function* lineRows(file: string): AsyncGenerator<Row> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line.trim() === "") continue;
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      row = { "(not JSON)": line.slice(0, 1_000) }; // goes to the door, which says what is missing
    }
    yield typeof row === "object" && row !== null && !Array.isArray(row) ? (row as Row) : { "(not an object)": row };
  }
}

const rowsOf = (file: string): AsyncGenerator<Row> => {
  const kind = extname(file).toLowerCase();
  if (kind === ".csv") return csvRows(file, ",");
  if (kind === ".tsv") return csvRows(file, "\t");
  if (kind === ".ndjson" || kind === ".jsonl") return lineRows(file);
  throw new Refusal("import.format", `${kind || "This file"} is not read. Use .csv, .tsv, .ndjson or .jsonl.`);
};

/** Names the content of a file, so that the same rows sent twice are the same messages. */
const digestOf = async (file: string): Promise<string> => {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex").slice(0, 24);
};

const text = (value: unknown): string | undefined => {
  if (value === undefined || value === null || value === "") return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
};

const eventOf = (row: Row, mapping: Mapping, options: ImportOptions, id: string) => {
  const at = (field: keyof Mapping): unknown => (mapping[field] === undefined ? undefined : row[mapping[field]]);
  const taken = new Set(Object.values(mapping));
  const rest = Object.fromEntries(
    Object.entries(row)
      .filter(([name, value]) => !taken.has(name) && value !== "")
      .map(([name, value]) => [name, cellValue(value)]),
  );
  const who = {
    id,
    time: text(at("time")),
    userId: text(at("userId")),
    anonymousId: text(at("anonymousId")),
    account: text(at("account")),
  };
  if (options.traits) return { ...who, person: { set: rest } };
  return { ...who, event: text(at("event")) ?? options.event ?? "", properties: rest };
};

interface Answer {
  readonly rejected?: readonly { readonly index: number; readonly reason: string; readonly message: string }[];
  readonly error?: { readonly message?: string };
}

const send = async (options: ImportOptions, events: readonly unknown[]): Promise<NonNullable<Answer["rejected"]>> => {
  for (let wait = 500; ; wait = Math.min(wait * 2, 10_000)) {
    const headers = { "content-type": "application/json", authorization: `Bearer ${options.writeKey}` };
    const response = await fetch(`${options.url}/v1/events`, {
      method: "POST",
      headers,
      body: JSON.stringify({ events }),
    }).catch(() => undefined);
    const body = response === undefined ? undefined : ((await response.json()) as Answer);
    if (response?.status === 200) return body?.rejected ?? [];
    const passing = response === undefined || response.status === 503 || response.status === 429;
    if (!passing)
      throw new Refusal("import.refused", `The server refused the rows: ${body?.error?.message ?? response.status}.`);
    if (wait >= 10_000)
      throw new Refusal(
        "import.unreachable",
        `The server at ${options.url} does not take rows. Run the same command again later: rows that went in count once.`,
      );
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
};

/**
 * Sends the rows of a file through the door, in order. Running it again is safe: a row is known by the file's content
 * and its number, and counts once (within seven days, as every message does). Refused rows go to a file beside it.
 */
export const importFile = async (options: ImportOptions): Promise<ImportOutcome> => {
  if (!existsSync(options.file)) throw new Refusal("import.no_file", `There is no file ${options.file}.`);
  const digest = await digestOf(options.file);
  const errorsPath = `${options.file}.errors.ndjson`;
  let errors: ReturnType<typeof createWriteStream> | undefined;
  let mapping: Mapping | undefined;
  let [rows, refused] = [0, 0];
  let held: Row[] = [];
  const flush = async (): Promise<void> => {
    const first = rows - held.length;
    const known = (mapping ??= mappingFor(Object.keys(held[0] ?? {}), options.map));
    const rejected = await send(
      options,
      held.map((row, index) => eventOf(row, known, options, `${digest} ${first + index}`)),
    );
    for (const { index, reason, message } of rejected) {
      errors ??= createWriteStream(errorsPath);
      errors.write(`${JSON.stringify({ row: first + index + 1, reason, message, content: held[index] })}\n`);
    }
    refused += rejected.length;
    held = [];
    options.progress(rows, refused);
  };
  for await (const row of rowsOf(options.file)) {
    held.push(row);
    rows += 1;
    if (held.length === batchRows) await flush();
  }
  if (held.length > 0) await flush();
  const file = errors;
  if (file !== undefined) await new Promise<void>((resolve) => file.end(resolve));
  return { rows, refused, errors: file === undefined ? undefined : errorsPath };
};
