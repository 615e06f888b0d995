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
/** Rows of a block that is read from the engine. */
const blockRows = "16384";

type Plain = Pick<Engine, "database" | "rows" | "stream" | "command" | "insert">;

/** Texts one after another: where each begins and ends among the bytes. */
interface Texts {
  readonly bytes: Buffer;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Rows that have been read: their words one after another with the end of each row, and what is kept of each. */
interface Batch {
  readonly words: Buffer;
  readonly ends: readonly number[];
  readonly kept: Texts;
}

/** Reads a stream by what stands in it. Numbers are of seven bits a byte, the lowest first. */
const readerOf = (stream: Readable) => {
  const chunks = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  let at = 0;
  /** Waits for so many bytes that were not taken yet; false where the stream ends before. */
  const reach = async (count: number): Promise<boolean> => {
    const parts = [held.subarray(at)];
    let size = held.length - at;
    while (size < count) {
      const next = await chunks.next();
      if (next.done === true) return false;
      parts.push(next.value);
      size += next.value.length;
    }
    if (parts.length > 1) [held, at] = [Buffer.concat(parts), 0];
    return true;
  };
  const need = async (count: number): Promise<void> => {
    if (!(await reach(count))) throw new Error("the engine's answer was cut short");
  };
  const take = async (count: number): Promise<Buffer> => {
    await need(count);
    return held.subarray(at, (at += count));
  };
  const number = async (): Promise<number> => {
    for (let [value, factor] = [0, 1]; ; factor *= 128) {
      const [byte = 0] = await take(1);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const text = async (): Promise<string> => (await take(await number())).toString("latin1");
  const texts = async (count: number): Promise<Texts> => {
    const [starts, ends]: [number[], number[]] = [[], []];
    let to = 0;
    while (ends.length < count) {
      let [length, factor, from, byte] = [0, 1, to, 128];
      while (byte >= 128 && at + from < held.length) {
        byte = held[at + from++] ?? 0;
        length += (byte & 127) * factor;
        factor *= 128;
      }
      if (byte >= 128 || at + from + length > held.length) await need(held.length - at + 1);
      else {
        starts.push(from);
        ends.push((to = from + length));
      }
    }
    return { bytes: await take(to), starts, ends };
  };
  return { reach, take, number, text, texts };
};

/** Reads blocks of the columns `words`, Array(UInt64), and `kept`, String, as the engine's format Native has them. */
async function* batchesOf(stream: Readable): AsyncGenerator<Batch> {
  const { reach, take, number, text, texts } = readerOf(stream);
  const expect = async (...said: readonly string[]): Promise<void> => {
    for (const one of said)
      if ((await text()) !== one) throw new Error("the engine answers in another shape than it was asked for");
  };
  try {
    while (await reach(1)) {
      const [, rows] = [await number(), await number()];
      await expect("words", "Array(UInt64)");
      const column = await take(rows * 8);
      const ends = Array.from({ length: rows }, (_, row) => Number(column.readBigUInt64LE(row * 8)));
      const words = await take((ends.at(-1) ?? 0) * 8);
      await expect("kept", "String");
      yield { words, ends, kept: await texts(rows) };
    }
  } finally {
    stream.destroy(); // or the engine goes on with what nobody reads
  }
}

/** Characters of tab-separated text. */
const [opening, comma, closing] = [0x5b, 0x2c, 0x5d];
const [tab, newline, minus, zero] = [0x09, 0x0a, 0x2d, 0x30];
/** Digits that a word takes at most, with its sign and what parts it from the next. */
const longestWord = 21;

/** The digits of each number below 10,000, four of each: most time goes into digits. */
const fours = Buffer.from(Array.from({ length: 10_000 }, (_, number) => String(number).padStart(4, "0")).join(""));

/** Writes a whole number as digits; returns where they end. */
const writeDigits = (out: Buffer, from: number, value: number): number => {
  const above = Math.floor(value / 10_000);
  const place = (value - above * 10_000) * 4;
  let at = above === 0 ? from : writeDigits(out, from, above);
  for (let digit = 0; digit < 4; digit += 1) {
    const code = fours[place + digit] ?? zero;
    if (code !== zero || at > from || digit === 3) out[at++] = code;
  }
  return at;
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
const linesOf = ({ call, question }: Through, { words, ends, kept }: Batch): Buffer => {
  const found = call.beside(ends, words, question);
  const isSigned = call.result === "Array(Int64)";
  const out = Buffer.allocUnsafe((found.words.length / 8) * longestWord + kept.bytes.length + ends.length * 4);
  let [at, from] = [0, 0];
  for (let row = 0; row < ends.length; row += 1) {
    const to = found.ends[row] ?? 0;
    if (to > from) {
      for (let word = from; word < to; word += 1) {
        out[at] = word === from ? opening : comma;
        at = writeWord(out, at + 1, found.words, word * 8, isSigned);
      }
      out[at++] = closing;
      const [start = 0, end = 0] = [kept.starts[row], kept.ends[row]];
      out[at++] = end > start ? tab : newline;
      for (let byte = start; byte < end; byte += 1) out[at++] = kept.bytes[byte] ?? 0;
    }
    from = to;
  }
  return out.subarray(0, at);
};

/** So many bytes of lines are put in at once, while the next are made. */
const linesAtOnce = 2 ** 21;

/** Puts what a function finds into a table. */
const stage = async (engine: Plain, table: string, part: Through, rows: Readable): Promise<void> => {
  let [held, size]: [Buffer[], number] = [[], 0];
  let putting: Promise<void> = Promise.resolve();
  const put = async (): Promise<void> => {
    await putting;
    putting = engine.insert(table, Readable.from(held, { objectMode: false }), { format: "TSV" });
    putting.catch(() => undefined); // it is waited for later
    [held, size] = [[], 0];
  };
  for await (const batch of batchesOf(rows)) {
    const lines = linesOf(part, batch);
    held.push(lines);
    size += lines.length;
    if (size > linesAtOnce) await put();
  }
  if (size > 0) await put();
  await putting;
};

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
    const rows = await engine.stream(sql`SELECT words, ${kept} AS kept FROM (${from})`, "Native", {
      ...options,
      // what a question may answer says nothing of how much it may look at; a block is held here as a whole
      settings: { ...options?.settings, max_result_rows: "0", max_result_bytes: "0", max_block_size: blockRows },
    });
    await stage(engine, table, part, rows);
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
