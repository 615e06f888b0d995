import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { parse } from "csv-parse";
import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";

/** Everything in this folder but the page runs in browsers and in Node alike: a file is a Blob in both. */

export type Row = Readonly<Record<string, unknown>>;

/** The file cannot be read; the message says why, and what to do. */
export class FileFault extends Error {}

const formats = {
  csv: { read: (file: Blob) => csvRows(file, ",") },
  tsv: { read: (file: Blob) => csvRows(file, "\t") },
  ndjson: { read: (file: Blob) => lineRows(file) },
  jsonl: { read: (file: Blob) => lineRows(file) },
  json: { read: (file: Blob) => jsonRows(file) },
  parquet: { read: (file: Blob) => parquetRows(file) },
} as const;

/** Endings that are read, for file pickers. */
export const readable = Object.keys(formats).map((ending) => `.${ending}`);

/** A JSON document is held in memory as a whole; larger ones are better sent as newline-delimited JSON. */
const mostJsonBytes = 256 * 1024 * 1024;
const mostRowBytes = 1_000_000;

async function* textOf(file: Blob): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = file.stream().getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    yield decoder.decode(part.value, { stream: true });
  }
  yield decoder.decode();
}

async function* csvRows(file: Blob, delimiter: string): AsyncGenerator<Row> {
  const parser = parse({
    columns: true,
    bom: true,
    delimiter,
    relax_column_count: true,
    max_record_size: mostRowBytes,
  });
  // events rather than iteration: the parser's build for browsers has no iterator
  let rows: Row[] = [];
  let fault: Error | undefined;
  parser.on("data", (row: Row) => rows.push(row));
  parser.on("error", (error: Error) => (fault = error));
  const taken = (): Row[] => {
    if (fault !== undefined) throw new FileFault(`The file is no proper CSV: ${fault.message}.`);
    const ready = rows;
    rows = [];
    return ready;
  };
  for await (const text of textOf(file)) {
    await new Promise<void>((resolve) => parser.write(text, () => resolve()));
    yield* taken();
  }
  await new Promise<void>((resolve) => {
    parser.once("end", resolve).once("error", () => resolve());
    parser.end();
  });
  yield* taken();
}

const asRow = (value: unknown): Row =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Row) : { "(not an object)": value };

/** A line that is no JSON is still a row: the door refuses it, and it lands with its number among the refused. */
const lineRow = (line: string): Row => {
  try {
    return asRow(JSON.parse(line));
  } catch {
    return { "(not JSON)": line.slice(0, 1_000) };
  }
};

async function* lineRows(file: Blob): AsyncGenerator<Row> {
  let held = "";
  for await (const text of textOf(file)) {
    const lines = (held + text).split("\n");
    held = lines.pop() ?? "";
    if (held.length > mostRowBytes)
      throw new FileFault(`A line is longer than ${mostRowBytes.toLocaleString("en")} bytes.`);
    for (const line of lines) if (line.trim() !== "") yield lineRow(line);
  }
  if (held.trim() !== "") yield lineRow(held);
}

async function* jsonRows(file: Blob): AsyncGenerator<Row> {
  if (file.size > mostJsonBytes)
    throw new FileFault("A JSON file may have 256 MB. Write larger ones as newline-delimited JSON (.ndjson).");
  let document: unknown;
  try {
    document = JSON.parse(await file.text());
  } catch (error) {
    throw new FileFault(`The file is no proper JSON: ${error instanceof Error ? error.message : String(error)}.`);
  }
  const lists = Array.isArray(document) ? [document] : Object.values(asRow(document)).filter(Array.isArray);
  const [rows] = lists;
  if (rows === undefined || lists.length > 1)
    throw new FileFault("A JSON file must hold a list of objects, or an object with one such list.");
  for (const row of rows as readonly unknown[]) yield asRow(row);
}

/** Dates and whole numbers beyond 2^53 as JSON can carry them. */
const plain = (value: unknown): unknown => {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return bytesToHex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
};

async function* parquetRows(blob: Blob): AsyncGenerator<Row> {
  const slice = (from: number, to?: number): Promise<ArrayBuffer> => blob.slice(from, to).arrayBuffer();
  const file = { byteLength: blob.size, slice };
  const metadata = await parquetMetadataAsync(file).catch((error: unknown) => {
    throw new FileFault(`The file is no proper Parquet: ${error instanceof Error ? error.message : String(error)}.`);
  });
  const { compressors } = await import("hyparquet-compressors");
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors });
    for (const row of rows) yield asRow(plain(row));
    rowStart = rowEnd;
  }
}

/** Rows of a file in order, by its name's ending; an object each. Throws a FileFault where it cannot be read. */
export const rowsOf = (name: string, file: Blob): AsyncGenerator<Row> => {
  const ending = name.split(".").at(-1)?.toLowerCase() ?? "";
  if (Object.hasOwn(formats, ending)) return formats[ending as keyof typeof formats].read(file); // just looked up
  throw new FileFault(`${name} is not read. Use ${readable.join(", ")}.`);
};

/** Names the content of a file, so that the same rows sent twice are the same messages. */
export const digestOf = async (file: Blob): Promise<string> => {
  const hash = sha256.create();
  const reader = file.stream().getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) hash.update(part.value);
  return bytesToHex(hash.digest()).slice(0, 24);
};
