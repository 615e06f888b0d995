import { z } from "zod";
import type { Interval } from "#insights/common/frame.ts";
import { linesIn } from "#kernel/lines.ts";
import type { AskOptions, Engine } from "#kernel/engine/engine.ts";
import type { WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { sql, type Sql } from "#kernel/sql.ts";
import type { Scope, TimeRange } from "#records/events/scope.ts";
import type { SqlResult } from "./contract.ts";
import { checkTree, oneStatement } from "./check.ts";
import { overTime, pureFunctions, rowsOf, treeOf, writtenQuery, type Combined } from "./query.ts";

/** Limits of one written query: seconds, bytes of memory, rows and bytes of the answer. */
const mostRows = 10_000;
const mostBytes = 8_000_000;
const settings = {
  max_execution_time: 30,
  max_memory_usage: "2000000000",
  max_bytes_before_external_group_by: "1000000000",
  max_subquery_depth: "30",
  max_ast_depth: "300",
  max_ast_elements: "5000",
  max_expanded_ast_elements: "50000",
  output_format_json_quote_64bit_integers: 1,
} as const satisfies AskOptions["settings"];

const known = new WeakMap<Engine, Promise<ReadonlySet<string>>>();
const Name = z.object({ name: z.string() });

const functionsOf = (engine: Engine): Promise<ReadonlySet<string>> => {
  const held = known.get(engine) ?? engine.rows(pureFunctions, Name, { purpose: "look-up" }).then((rows) => new Set(rows.map(({ name }) => name))); // prettier-ignore
  known.set(engine, held);
  held.catch(() => known.delete(engine));
  return held;
};

/** What the engine says of a query that somebody wrote is theirs to read; everything else passes. */
const sayTheirs = (error: unknown): never => {
  const text = error instanceof Error ? error.message : "";
  const [, said] = /^engine error \d+: ([\s\S]+)$/.exec(text) ?? [];
  if (said === undefined) throw error;
  const short = said
    .replace(/ [Ii]n (scope|query) [\s\S]*$/, "") // the relations stand before the query in what the engine quotes
    .replace(/ Maybe you meant[\s\S]*$/, "") // and it knows names that are nobody's to read
    .replace(
      /failed at position \d+ \((.*?)\) \(line (\d+), col (\d+)\): [\s\S]*$/,
      (_, near: string, line: string, column: string) => `line ${Number(line) - 1}, column ${column}, near ${near}.`,
    ) // prettier-ignore
    .slice(0, 500);
  throw new Refusal("sql.wrong", short, {}, 422);
};

/** The checked statement, that may be asked `apart`. Throws `sql.not_allowed`, or `sql.wrong` where it cannot be read. */
const checkedStatement = async (call: WorkspaceCall, text: string): Promise<string> => {
  const statement = oneStatement(text);
  const apart = await call.engine.apart();
  const options = { purpose: "look-up", signal: call.signal, settings } as const;
  const tree = await apart.rows(treeOf(statement), z.object({ explain: z.string() }), options).catch(sayTheirs);
  checkTree(tree.map(({ explain }) => explain), await functionsOf(call.engine)); // prettier-ignore
  return statement;
};

/** Checks a query that somebody wrote, so that one of ours may stand on its rows; that one is then asked with `askOver`. */
export const writtenRows = async (call: WorkspaceCall, scope: Scope, text: string): Promise<Sql> =>
  rowsOf(scope, await checkedStatement(call, text));

/** Asks a query of ours that stands on `writtenRows`, by the limits of those; its own tables are named with their database. */
export const askOver = async <T>(call: WorkspaceCall, query: Sql, row: z.ZodType<T>): Promise<T[]> => {
  const apart = await call.engine.apart();
  const numbers = { ...settings, output_format_json_quote_64bit_integers: 0 } as const;
  return apart.rows(sql`${query} SETTINGS readonly = 2`, row, { purpose: "ask", signal: call.signal, settings: numbers }).catch(sayTheirs); // prettier-ignore
};

type Cell = SqlResult["rows"][number][number];
const cellOf = (value: unknown): Cell => {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  if (typeof value === "boolean") return String(value);
  return JSON.stringify(value);
};

interface Read {
  readonly columns: SqlResult["columns"];
  readonly rows: Cell[][];
  readonly cut: boolean;
}

/** Asks a query that somebody wrote. */
export const askWritten = async (call: WorkspaceCall, scope: Scope, text: string): Promise<Read> => {
  const statement = await checkedStatement(call, text);
  const apart = await call.engine.apart();
  const options = { purpose: "ask", signal: call.signal, settings } as const;
  const stream = await apart.stream(writtenQuery(scope, statement, mostRows + 1), "JSONCompactEachRowWithNamesAndTypes", options).catch(sayTheirs); // prettier-ignore
  const lines: unknown[][] = [];
  let bytes = 0;
  for await (const line of linesIn(stream)) {
    bytes += line.length;
    if (bytes > mostBytes && lines.length > 2) break;
    if (line === "") continue;
    lines.push(parsed(line));
  }
  stream.destroy();
  const [names = [], types = [], ...rows] = lines;
  return {
    columns: names.map((name, place) => ({ name: String(name), type: String(types[place]) })),
    rows: rows.slice(0, mostRows).map((row) => row.map(cellOf)),
    cut: rows.length > mostRows || bytes > mostBytes,
  };
};

/** What fails while it runs ends its answer with words that are no row. */
const parsed = (line: string): unknown[] => {
  try {
    return JSON.parse(line) as unknown[];
  } catch {
    throw new Refusal("sql.wrong", `The query failed while it ran: ${line.slice(0, 300)}`, {}, 422);
  }
};

const Over = z.object({ bucket: z.number(), whole: z.number(), value: z.number() });

/** A written query's `value` over time: a row per bucket, and one (`whole` is 1) over all of the range. */
export const answerOverTime = async (
  call: WorkspaceCall,
  scope: Scope,
  text: string,
  frame: { readonly range: TimeRange; readonly interval: Interval; readonly combine: Combined },
): Promise<z.output<typeof Over>[]> => {
  const statement = await checkedStatement(call, text);
  const apart = await call.engine.apart();
  const query = overTime(scope, statement, frame.range, frame.interval, frame.combine);
  const numbers = { ...settings, output_format_json_quote_64bit_integers: 0 } as const;
  return apart.rows(query, Over, { purpose: "ask", signal: call.signal, settings: numbers }).catch(sayTheirs);
};
