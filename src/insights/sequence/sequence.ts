import { createHash } from "node:crypto";
import { bind, identifier, literal, quotedName, sql, type Sql } from "#kernel/sql.ts";
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
const evaluator = identifier(moduleName.replace("tl_", "tl_evaluate_"));
const pathEvaluator = identifier(moduleName.replace("tl_", "tl_paths_"));

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

const asked = (words: readonly bigint[]): Sql =>
  sql`toFixedString(unhex(${bind.string(u64s(words).toString("hex"))}), 32)`;

/**
 * Attempts of one person, from an expression that gives their packed events in order. Array(Int64): the times of an
 * attempt, then those of the next.
 */
export const attemptsOf = (question: SequenceQuestion, sortedEvents: Sql): Sql =>
  sql`${evaluator}(${sortedEvents}, ${asked(wordsOf(question))})`;

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

/** Links of one person's paths, from an expression that gives their packed events in order. Array(UInt64). */
export const linksOf = ({ start, end, gapMs, steps, collapse }: PathQuestion, sortedEvents: Sql): Sql => {
  const shape = bitsOf([
    [start ?? 0, 12],
    [end ?? 0, 12],
    [steps, 5],
    [collapse ? 1 : 0, 1],
  ]);
  return sql`${pathEvaluator}(${sortedEvents}, ${asked([shape, BigInt(gapMs), 0n, 0n])})`;
};

/** The parts of a link: where in the path, from which node to which, after how long. */
export const linkParts = (link: Sql): { place: Sql; source: Sql; target: Sql; elapsedMs: Sql } => ({
  place: sql`toInt32(bitAnd(bitShiftRight(${link}, 24), 31))`,
  source: sql`toInt32(bitAnd(bitShiftRight(${link}, 12), 4095))`,
  target: sql`toInt32(bitAnd(${link}, 4095))`,
  elapsedMs: sql`bitShiftRight(${link}, 29)`,
});

const abi = sql`ABI BUFFERED_V1 SETTINGS serialization_format = 'Buffers', webassembly_udf_enable_fuel = 0`;

/** Makes the functions in the engine; each bounds its own work, so the engine need not count its instructions. Idempotent. The module travels as text: the host takes no binary inserts. */
export const installStatements: readonly Sql[] = [
  sql`INSERT INTO system.webassembly_modules (name, code) SELECT ${bind.string(moduleName)}, base64Decode(${bind.string(evaluatorWasm)})`,
  sql`CREATE OR REPLACE FUNCTION ${evaluator} LANGUAGE WASM FROM ${quotedName(moduleName)} :: 'evaluate_sequence'
      ARGUMENTS (events Array(UInt64), question FixedString(32)) RETURNS Array(Int64)
      ${abi}`,
  sql`CREATE OR REPLACE FUNCTION ${pathEvaluator} LANGUAGE WASM FROM ${quotedName(moduleName)} :: 'evaluate_paths'
      ARGUMENTS (events Array(UInt64), question FixedString(32)) RETURNS Array(UInt64)
      ${abi}`,
];

interface Evaluator {
  readonly memory: WebAssembly.Memory;
  clickhouse_create_buffer(size: number): number;
  clickhouse_destroy_buffer(handle: number): void;
  evaluate_sequence(handle: number, rows: number): number;
}

/** The same module in this process: attempts of each person, times in milliseconds since the base. */
export const createEvaluator = (): ((
  people: readonly (readonly bigint[])[],
  question: SequenceQuestion,
) => number[][][]) => {
  const module = new WebAssembly.Module(Buffer.from(evaluatorWasm, "base64"));
  const instance = new WebAssembly.Instance(module, { env: { abort: () => undefined } });
  const wasm = instance.exports as unknown as Evaluator; // the module's own exports
  return (people, question) => {
    const input = inputOf(people, question);
    const handle = wasm.clickhouse_create_buffer(input.length);
    const view = new DataView(wasm.memory.buffer);
    new Uint8Array(wasm.memory.buffer).set(input, view.getUint32(handle, true));
    const result = wasm.evaluate_sequence(handle, people.length);
    const after = new DataView(wasm.memory.buffer);
    const [data, size] = [after.getUint32(result, true), after.getUint32(result + 4, true)];
    const times = readTimes(Buffer.from(wasm.memory.buffer.slice(data, data + size)));
    wasm.clickhouse_destroy_buffer(result);
    wasm.clickhouse_destroy_buffer(handle);
    return times.map((all) =>
      Array.from({ length: all.length / question.steps }, (_, attempt) =>
        all.slice(attempt * question.steps, (attempt + 1) * question.steps),
      ),
    );
  };
};

const u64s = (values: readonly bigint[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, index) => bytes.writeBigUInt64LE(BigInt.asUintN(64, value), index * 8));
  return bytes;
};

/** The rows as the engine hands them over: its Buffers format. */
const inputOf = (people: readonly (readonly bigint[])[], question: SequenceQuestion): Buffer => {
  let end = 0n;
  const ends = people.map((events) => (end += BigInt(events.length)));
  const column = u64s([...ends, ...people.flat()]);
  const asked = u64s(people.flatMap(() => wordsOf(question)));
  const head = [2n, BigInt(people.length), BigInt(column.length)];
  return Buffer.concat([u64s(head), column, u64s([BigInt(asked.length)]), asked]);
};

const readTimes = (bytes: Buffer): number[][] => {
  const rows = Number(bytes.readBigUInt64LE(8));
  const end = (row: number): number => (row < 0 ? 0 : Number(bytes.readBigUInt64LE(24 + row * 8)));
  const time = (index: number): number => Number(bytes.readBigInt64LE(24 + (rows + index) * 8));
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: end(row) - end(row - 1) }, (_, index) => time(end(row - 1) + index)),
  );
};

/** Packs an event in this process, for the tests and for reading beside the engine. */
export const pack = (ms: number, mask: number): bigint => (BigInt(ms) << BigInt(maskBits)) | BigInt(mask);
