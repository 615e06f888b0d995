import { createHash } from "node:crypto";
import { bind, identifier, literal, quotedName, sql, through, type Sql, type WordFunction } from "#kernel/sql.ts";
import { Refusal } from "#kernel/refusal.ts";
import { evaluatorWasm } from "./evaluator.wasm.ts";

/** The question put to a person's sequence of events. */
export interface SequenceQuestion {
  readonly steps: number;
  readonly order: "ordered" | "strict" | "unordered";
  readonly attempt: "any" | "first";
  /** best: the furthest attempt. one_after_another: totals. every: each event that can begin one. */
  readonly mode: "best" | "one_after_another" | "every";
  readonly windowMs: number;
  /** Attempts begin before this time, in milliseconds since the base; events after it can only continue one. */
  readonly entryMs: number;
  readonly optional: readonly number[];
  readonly exclusionMode: "drop_person" | "stop_chain";
  readonly exclusions: readonly { readonly from: number; readonly to: number }[];
}

export const maxSteps = 20;
export const maxExclusions = 5;
/** Named by its content, so that a data folder of an earlier version never answers with that version's code. */
const moduleName = `tl_sequence_${createHash("sha256").update(evaluatorWasm).digest("hex").slice(0, 12)}`;

/** Bits below the time in a packed event: 20 for steps, 5 for exclusions. */
const maskBits = 25;
/** Milliseconds that fit above the mask: some 17 years from the base of the question. */
const longestMs = 2 ** 39;

/** The question as the evaluator reads it: its shape and its exclusions as bits, the window, the time of entry. */
const wordsOf = (question: SequenceQuestion): readonly bigint[] => {
  const fields = [
    [question.steps, 5],
    [["ordered", "strict", "unordered"].indexOf(question.order), 2],
    [question.attempt === "first" ? 1 : 0, 1],
    [["best", "one_after_another", "every"].indexOf(question.mode), 2],
    [question.exclusionMode === "stop_chain" ? 1 : 0, 1],
    [question.exclusions.length, 3],
    [question.optional.reduce((mask, step) => mask | (1 << step), 0), maxSteps],
  ] as const;
  return [
    bitsOf(fields),
    bitsOf(question.exclusions.flatMap(({ from, to }) => [[from, 5] as const, [to, 5] as const])),
    BigInt(question.windowMs),
    BigInt(question.entryMs),
  ];
};

/** Values side by side in one word, the first in the lowest bits. */
const bitsOf = (fields: readonly (readonly [value: number, bits: number])[]): bigint => {
  let [word, at] = [0n, 0n];
  for (const [value, bits] of fields) {
    word |= BigInt(value) << at;
    at += BigInt(bits);
  }
  return word;
};

/** Refuses what the evaluator cannot hold. */
export const checkQuestion = (question: SequenceQuestion, spanMs: number): void => {
  if (question.steps > maxSteps)
    throw new Refusal("funnel.too_long", `A funnel may have ${maxSteps} steps.`, { given: question.steps });
  if (question.exclusions.length > maxExclusions)
    throw new Refusal("funnel.too_many_exclusions", `A funnel may have ${maxExclusions} exclusions.`);
  if (spanMs >= longestMs)
    throw new Refusal("funnel.range_too_long", "The range of a funnel may span 17 years. Shorten it.");
};

/** An event of the sequence: its time since `base`, and which steps and exclusions it meets. One UInt64. */
export const packed = (base: number, steps: readonly Sql[], exclusions: readonly Sql[]): Sql => {
  const bits = [
    ...steps.map((met, bit) => ({ met, bit })),
    ...exclusions.map((met, rule) => ({ met, bit: 20 + rule })),
  ];
  const mask = bits.map(({ met, bit }) => sql`if(${met}, ${literal(2 ** bit)}, 0)`);
  return sql`toUInt64(bitOr(bitShiftLeft(toUInt64(toUnixTimestamp64Milli(at) - ${bind.int(base)}), ${literal(maskBits)}), toUInt64(${sum(mask)})))`;
};

const sum = (terms: readonly Sql[]): Sql => terms.reduce((left, right) => sql`${left} + ${right}`);

/**
 * Attempts of each person, from rows of the columns `kept` and `words`, the person's packed events in order: `kept` and
 * `found`, an Array(Int64) of the times of an attempt, then those of the next. The best attempt of who has none is of −1
 * alone; who has no attempt otherwise may be left out.
 */
export const attemptsOf = (question: SequenceQuestion, kept: readonly Sql[], from: Sql): Sql =>
  through(attempts, u64s(wordsOf(question)), kept, from);

/** Which ways to look at. Nodes are numbers from 1 to `mostNodes`; 0 stands for all others. */
export interface PathQuestion {
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly gapMs: number;
  readonly steps: number;
  readonly collapse: boolean;
}

export const mostNodes = 4_000;
/** A link holds the time between its nodes in 35 bits, which is 397 days. */
export const longestPathMs = 2 ** 35;
/** The second node of a link where a path ends. */
export const pathEnd = 4_095;

/** An event of a path: its time since `base`, and the number of its node. One UInt64. */
export const packedNode = (base: number, node: Sql): Sql =>
  sql`toUInt64(bitOr(bitShiftLeft(toUInt64(toUnixTimestamp64Milli(at) - ${bind.int(base)}), ${literal(maskBits)}), toUInt64(${node})))`;

/** Links of each person's paths, from rows of `kept` and `words`, their packed events in order: `kept` and `found`, an Array(UInt64). */
export const linksOf = ({ start, end, gapMs, steps, collapse }: PathQuestion, kept: readonly Sql[], from: Sql): Sql => {
  const shape = bitsOf([
    [start ?? 0, 12],
    [end ?? 0, 12],
    [steps, 5],
    [collapse ? 1 : 0, 1],
  ]);
  return through(links, u64s([shape, BigInt(gapMs), 0n, 0n]), kept, from);
};

/** The parts of a link: where in the path, from which node to which, after how long. */
export const linkParts = (link: Sql): { place: Sql; source: Sql; target: Sql; elapsedMs: Sql } => ({
  place: sql`toInt32(bitAnd(bitShiftRight(${link}, 24), 31))`,
  source: sql`toInt32(bitAnd(bitShiftRight(${link}, 12), 4095))`,
  target: sql`toInt32(bitAnd(${link}, 4095))`,
  elapsedMs: sql`bitShiftRight(${link}, 29)`,
});

type Exported = "evaluate_sequence" | "evaluate_paths";
interface Exports extends Record<Exported, (handle: number, rows: number) => number> {
  readonly memory: WebAssembly.Memory;
  clickhouse_create_buffer(size: number): number;
  clickhouse_destroy_buffer(handle: number): void;
}

let instance: Exports | undefined;
const exportsOf = (): Exports => {
  if (instance !== undefined) return instance;
  const module = new WebAssembly.Module(Buffer.from(evaluatorWasm, "base64"));
  const made = new WebAssembly.Instance(module, { env: { abort: () => undefined } });
  instance = made.exports as unknown as Exports; // the module's own exports
  return instance;
};

/** A column of arrays as the module reads it: where each row ends, then the words of all. */
const columnOf = (ends: readonly number[], words: Buffer): Buffer => {
  const column = Buffer.alloc(ends.length * 8 + words.length);
  ends.forEach((end, row) => column.writeUInt32LE(end, row * 8));
  words.copy(column, ends.length * 8);
  return column;
};

/** One call of the module in this process, in the engine's Buffers format. */
const beside =
  (name: Exported): WordFunction["beside"] =>
  (ends, words, question) => {
    const wasm = exportsOf();
    const column = columnOf(ends, words);
    const input = [u64s([2n, BigInt(ends.length), BigInt(column.length)]), column, u64s([BigInt(question.length)]), question]; // prettier-ignore
    try {
      const handle = wasm.clickhouse_create_buffer(input.reduce((sum, { length }) => sum + length, 0));
      let at = new DataView(wasm.memory.buffer).getUint32(handle, true);
      for (const part of input) {
        new Uint8Array(wasm.memory.buffer).set(part, at);
        at += part.length;
      }
      const result = wasm[name](handle, ends.length);
      const memory = Buffer.from(wasm.memory.buffer);
      const data = memory.readUInt32LE(result);
      const found = Buffer.from(memory.subarray(data + 24, data + memory.readUInt32LE(result + 4)));
      wasm.clickhouse_destroy_buffer(result);
      wasm.clickhouse_destroy_buffer(handle);
      const foundEnds = ends.map((_, row) => found.readUInt32LE(row * 8));
      return { ends: foundEnds, words: found.subarray(ends.length * 8) };
    } catch (error) {
      instance = undefined; // what it holds is not known any more
      throw error;
    }
  };

/**
 * The function in the engine; it bounds its own work, so the engine need not count its instructions. The module travels
 * as text: the host takes no binary inserts.
 */
const wordFunction = (called: string, name: Exported, result: WordFunction["result"]): WordFunction => ({
  name: called,
  result,
  beside: beside(name),
  install: [
    sql`INSERT INTO system.webassembly_modules (name, code) SELECT ${bind.string(moduleName)}, base64Decode(${bind.string(evaluatorWasm)})`,
    sql`CREATE OR REPLACE FUNCTION ${identifier(called)} LANGUAGE WASM FROM ${quotedName(moduleName)} :: ${quotedName(name)}
      ARGUMENTS (words Array(UInt64), question FixedString(32)) RETURNS ${result === "Array(Int64)" ? sql`Array(Int64)` : sql`Array(UInt64)`}
      ABI BUFFERED_V1 SETTINGS serialization_format = 'Buffers', webassembly_udf_enable_fuel = 0`,
  ],
});

const attempts = wordFunction(moduleName.replace("tl_", "tl_evaluate_"), "evaluate_sequence", "Array(Int64)");
const links = wordFunction(moduleName.replace("tl_", "tl_paths_"), "evaluate_paths", "Array(UInt64)");

/** Attempts of each person in this process, from their packed events: times in milliseconds since the base. */
export const attemptsBeside = (people: readonly (readonly bigint[])[], question: SequenceQuestion): number[][][] => {
  let end = 0;
  const ends = people.map((events) => (end += events.length));
  const found = attempts.beside(ends, u64s(people.flat()), u64s(wordsOf(question)));
  return found.ends.map((to, row) => {
    const from = found.ends[row - 1] ?? 0;
    const times = Array.from({ length: to - from }, (_, at) => Number(found.words.readBigInt64LE((from + at) * 8)));
    return Array.from({ length: times.length / question.steps }, (_, attempt) =>
      times.slice(attempt * question.steps, (attempt + 1) * question.steps),
    ).filter(([began = -1]) => began >= 0);
  });
};

const u64s = (values: readonly bigint[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, index) => bytes.writeBigUInt64LE(BigInt.asUintN(64, value), index * 8));
  return bytes;
};

/** Packs an event in this process. */
export const pack = (ms: number, mask: number): bigint => (BigInt(ms) << BigInt(maskBits)) | BigInt(mask);
