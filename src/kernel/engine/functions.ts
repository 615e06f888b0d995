import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { z } from "zod";
import {
  identifier,
  join,
  quotedName,
  replaceThrough,
  sql,
  type Sql,
  type Through,
  type WordFunction,
} from "../sql.ts";
import { Refusal } from "../refusal.ts";
import type { AskOptions, Engine } from "./engine.ts";

/** Where functions of ours run: in the engine, or in this process where the engine does not run WebAssembly. */
export type FunctionsRun = "inside" | "beside";

const prefix = "staged_";

type Plain = Pick<Engine, "database" | "rows" | "stream" | "command" | "insert">;

/** Rows that have been read: their words one after another, and what is kept of each, with the end of each row. */
interface Batch {
  readonly words: Buffer;
  readonly wordEnds: number[];
  readonly kept: Buffer;
  readonly keptEnds: number[];
}

/** Reads rows of (Array(UInt64), String) in RowBinary, batch by batch. */
async function* batchesOf(stream: Readable): AsyncGenerator<Batch> {
  let held: Buffer = Buffer.alloc(0);
  let at = 0;
  /** A number of seven bits a byte; undefined where it is not all there. */
  const readLength = (): number | undefined => {
    let [value, factor] = [0, 1];
    while (at < held.length) {
      const byte = held[at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
    return undefined;
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const batch: Batch = { words: Buffer.allocUnsafe(held.length), wordEnds: [], kept: Buffer.allocUnsafe(held.length), keptEnds: [] }; // prettier-ignore
    let [done, wordEnd, keptEnd] = [0, 0, 0];
    at = 0;
    for (;;) {
      const count = readLength();
      if (count === undefined) break;
      const from = at;
      at += count * 8;
      const length = at > held.length ? undefined : readLength();
      if (length === undefined || at + length > held.length) break;
      held.copy(batch.words, wordEnd * 8, from, from + count * 8);
      held.copy(batch.kept, keptEnd, at, at + length);
      batch.wordEnds.push((wordEnd += count));
      batch.keptEnds.push((keptEnd += length));
      done = at += length;
    }
    held = held.subarray(done);
    const { words, kept } = batch;
    if (done > 0) yield { ...batch, words: words.subarray(0, wordEnd * 8), kept: kept.subarray(0, keptEnd) };
  }
  if (held.length > 0) throw new Error("the engine's answer was cut short");
}

/** Characters of tab-separated text. */
const [opening, comma, closing] = [0x5b, 0x2c, 0x5d];
const [tab, newline, minus, zero] = [0x09, 0x0a, 0x2d, 0x30];
/** Digits that a word takes at most, with its sign and what parts it from the next. */
const longestWord = 21;

/** Writes a whole number as digits; returns where they end. */
const writeDigits = (out: Buffer, from: number, value: number): number => {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits += 1;
  let rest = value;
  for (let place = from + digits - 1; place >= from; place -= 1) {
    const tenth = Math.floor(rest / 10);
    out[place] = zero + (rest - tenth * 10);
    rest = tenth;
  }
  return from + digits;
};

/** Writes a 64-bit word as text; returns where it ends. */
const writeWord = (out: Buffer, from: number, words: Buffer, at: number, isSigned: boolean): number => {
  const high = isSigned ? words.readInt32LE(at + 4) : words.readUInt32LE(at + 4);
  const low = words.readUInt32LE(at);
  if (high >= 0 && high < 2 ** 21) return writeDigits(out, from, high * 2 ** 32 + low);
  if (high === -1 && low > 0) {
    out[from] = minus;
    return writeDigits(out, from + 1, 2 ** 32 - low);
  }
  const text = String(isSigned ? words.readBigInt64LE(at) : words.readBigUInt64LE(at));
  return from + out.write(text, from, "latin1");
};

/** The rows of a batch of which something is found, as lines of tab-separated text: the words found, then what was kept. */
const linesOf = ({ call, question }: Through, { words, wordEnds, kept, keptEnds }: Batch): Buffer => {
  const found = call.beside(wordEnds, words, question);
  const isSigned = call.result === "Array(Int64)";
  const out = Buffer.allocUnsafe((found.words.length / 8) * longestWord + kept.length + wordEnds.length * 4);
  let [at, from, keptFrom] = [0, 0, 0];
  for (let row = 0; row < wordEnds.length; row += 1) {
    const [to, keptTo] = [found.ends[row] ?? 0, keptEnds[row] ?? 0];
    if (to > from) {
      for (let word = from; word < to; word += 1) {
        out[at] = word === from ? opening : comma;
        at = writeWord(out, at + 1, found.words, word * 8, isSigned);
      }
      out[at++] = closing;
      out[at++] = keptTo > keptFrom ? tab : newline;
      at += kept.copy(out, at, keptFrom, keptTo);
    }
    [from, keptFrom] = [to, keptTo];
  }
  return out.subarray(0, at);
};

async function* linesOfAll(part: Through, rows: Readable): AsyncGenerator<Buffer> {
  for await (const batch of batchesOf(rows)) {
    const lines = linesOf(part, batch);
    if (lines.length > 0) yield lines;
  }
}

/** A table that lives as long as a statement: its name cannot be known beforehand. */
const newTable = (): string => `${prefix}${randomBytes(12).toString("hex")}`;

/** Tables that an earlier process left when it was ended in the middle of a statement. */
const leftTables = sql`SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, ${quotedName(prefix)}) AND metadata_modification_time < now() - INTERVAL 2 HOUR`;

const swept = new Set<string>();
const dropLeft = async (engine: Plain): Promise<void> => {
  if (swept.has(engine.database)) return;
  swept.add(engine.database);
  for (const { name } of await engine.rows(leftTables, z.object({ name: z.string() })))
    await engine.command(sql`DROP TABLE IF EXISTS ${identifier(name)}`);
};

/**
 * Runs the functions of a statement in this process: what goes in is read from the engine, what is found is put into a
 * table of its own that stands in the statement for it. The answer is the same, in one more way there and back.
 */
export const withoutFunctions = async (
  engine: Plain,
  root: Sql,
  options: AskOptions | undefined,
): Promise<{ statement: Sql; done: () => Promise<void> }> => {
  await dropLeft(engine);
  const tables = new Map<Through, string>();
  const done = async (): Promise<void> => {
    for (const table of tables.values()) await engine.command(sql`DROP TABLE IF EXISTS ${identifier(table)}`);
    tables.clear();
  };
  const staged = async (part: Through): Promise<Sql> => {
    options?.signal?.throwIfAborted();
    const known = tables.get(part);
    const columns = join([...part.kept, sql`found`], ", ");
    if (known !== undefined) return sql`SELECT ${columns} FROM ${identifier(known)}`;
    const table = newTable();
    const from = await replaceThrough(part.from, staged);
    const empty = part.call.result === "Array(Int64)" ? sql`'Array(Int64)'` : sql`'Array(UInt64)'`;
    const shape = join([sql`CAST([], ${empty}) AS found`, ...part.kept], ", ");
    await engine.command(
      sql`CREATE TABLE ${identifier(table)} ENGINE = Memory EMPTY AS SELECT ${shape} FROM (${from})`,
      options,
    );
    tables.set(part, table);
    const kept = part.kept.length === 0 ? sql`''` : sql`formatRow('TSV', ${join(part.kept, ", ")})`;
    const rows = await engine.stream(sql`SELECT words, ${kept} AS kept FROM (${from})`, "RowBinary", {
      ...options,
      // what a question may answer says nothing of how much it may look at
      settings: { ...options?.settings, max_result_rows: "0", max_result_bytes: "0" },
    });
    await engine.insert(table, Readable.from(linesOfAll(part, rows), { objectMode: false }), { format: "TSV" });
    return sql`SELECT ${columns} FROM ${identifier(table)}`;
  };
  try {
    return { statement: await replaceThrough(root, staged), done };
  } catch (error) {
    await done();
    throw error;
  }
};

/** What an engine knows of functions: which it has, and whether it runs them at all. */
export const functionsIn = (run: (statement: Sql) => Promise<void>, given: FunctionsRun | undefined) => {
  let runs = given;
  const made = new Map<WordFunction, Promise<boolean>>();
  const make = async (call: WordFunction): Promise<boolean> => {
    try {
      for (const statement of call.install) await run(statement);
      return true;
    } catch (error) {
      made.delete(call);
      if (error instanceof Refusal) throw error; // it is away or full, which says nothing of functions
      runs = "beside";
      return false;
    }
  };
  return {
    /** Makes functions in the engine, once; false where it does not run them. */
    async inside(calls: readonly WordFunction[]): Promise<boolean> {
      for (const call of calls) {
        if (runs === "beside") return false;
        const making = made.get(call) ?? make(call);
        made.set(call, making);
        if (!(await making)) return false;
      }
      return true;
    },
  };
};
export type Functions = ReturnType<typeof functionsIn>;
