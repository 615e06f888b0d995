import {
  ClickHouseLogLevel,
  createClient,
  ClickHouseError,
  type ClickHouseClient,
  type ClickHouseSettings,
} from "@clickhouse/client";
import type { Readable } from "node:stream";
import type { z } from "zod";
import { Refusal } from "../refusal.ts";
import { inTurns } from "../in-turns.ts";
import { compile, functionsOf, hasManyShares, hasShares, turnsOf, type Sql, type Turn } from "../sql.ts";
import { functionsIn, withoutFunctions, type Functions, type FunctionsRun } from "./functions.ts";

/** What a statement is for decides its limits of time, memory and result. */
export type Purpose = "ask" | "look-up" | "ingest" | "maintain" | "export";

const common: ClickHouseSettings = {
  output_format_json_quote_64bit_integers: 0,
  date_time_output_format: "iso",
  http_max_tries: "1",
};

/** The limits, per purpose. Seconds, bytes and rows. */
const limits: Readonly<Record<Purpose, ClickHouseSettings>> = {
  ask: {
    max_execution_time: 60,
    max_memory_usage: "3000000000",
    max_bytes_before_external_group_by: "1000000000",
    max_result_rows: "200000",
  },
  "look-up": { max_execution_time: 10, max_memory_usage: "1000000000", max_result_rows: "100000" },
  ingest: { max_execution_time: 120, max_partitions_per_insert_block: "0" },
  maintain: { max_execution_time: 3_600, max_memory_usage: "3000000000", mutations_sync: "2" },
  export: { max_execution_time: 3_600, max_memory_usage: "3000000000" },
};

/**
 * For statements in shares: no more of them at a time than threads, and none of the rewritings that compare each
 * expression with all that lies below it, which took a quarter of the time in which many shares are planned.
 */
const ofShares: ClickHouseSettings = {
  max_streams_for_union_step_to_max_threads_ratio: 1,
  optimize_syntax_fuse_functions: 0,
  optimize_group_by_function_keys: 0,
  optimize_aggregators_of_group_by_keys: 0,
  optimize_and_compare_chain: 0,
};

/**
 * Where there are more shares than threads, rows are not looked up in a filter before a join: with it, where a tenth of
 * 10 million people was joined, an analysis took 2 % less time, 3 % more where a fifth was and 16 % more where half.
 */
const ofManyShares = { ...ofShares, enable_join_runtime_filters: 0 } as ClickHouseSettings; // the client does not know it yet

/** So many statements of a few shares each are asked at a time; others who ask want sessions too. */
const turnsAtOnce = 2;

/** What a function of ours may hold at once: rows of one call, and memory of one that runs. */
const functionLimits = {
  webassembly_udf_max_input_block_size: "16384",
  min_joined_block_size_rows: "16384",
  webassembly_udf_max_memory: "1073741824",
} as ClickHouseSettings; // the client does not know them yet

export interface InsertOptions {
  /** The same token twice is the same insert: the second changes nothing, in the table and in its views. */
  readonly token?: string;
  readonly columns?: readonly [string, ...string[]];
  /** Lines of JSON, or of tab-separated text in the order of the columns. */
  readonly format?: "JSONEachRow" | "TSV";
}

export interface AskOptions {
  readonly purpose?: Purpose;
  readonly signal?: AbortSignal;
  readonly settings?: ClickHouseSettings;
}

/** One database of the engine. The same calls serve the embedded engine and a ClickHouse server. */
export interface Engine {
  readonly database: string;
  /**
   * The same engine in a database that holds no table, for text that people write: a name in it that is not given
   * along means nothing, whatever the workspace's own database holds.
   */
  apart(): Promise<Engine>;
  /** Runs a question and parses every row. Throws a Refusal for limits and outages. */
  rows<T>(statement: Sql, row: z.ZodType<T>, options?: AskOptions): Promise<T[]>;
  /** Result bytes in a ClickHouse output format, streamed. */
  stream(
    statement: Sql,
    format: "CSVWithNames" | "JSON" | "JSONEachRow" | "JSONCompactEachRowWithNamesAndTypes" | "Parquet" | "Native",
    options?: AskOptions,
  ): Promise<Readable>;
  command(statement: Sql, options?: AskOptions): Promise<void>;
  /** Inserts lines, newline-delimited JSON if nothing else is said, all or none; resolves when the engine has it. Bad rows: `engine.bad_rows`. */
  insert(table: string, lines: string | Readable, options?: InsertOptions): Promise<void>;
}

/** The connection: hands out databases, answers for health. */
export interface EngineServer {
  in(database: string): Engine;
  version(): Promise<string>;
  close(): Promise<void>;
}

export interface EngineAddress {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Where functions of ours run; found out where absent. */
  readonly functions?: FunctionsRun | undefined;
}

const apartDatabase = "throughline_apart";

const gone = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

/** What the engine says of rows that it cannot read: no number where one belongs, a path given twice, broken JSON. */
const aboutRows = new Set([
  6, 15, 25, 26, 27, 33, 38, 41, 44, 53, 69, 70, 72, 117, 130, 131, 190, 321, 349, 407, 469, 691,
]);

/** Turns what the engine says into what a caller can act on; anything else passes through as the bug it is. */
const explain = (error: unknown): never => {
  if (error instanceof ClickHouseError) {
    const code = Number(error.code);
    const [first = ""] = error.message.split("\n");
    if (code === 159)
      throw refuse(
        "engine.too_slow",
        "The question took longer than allowed. Shorten its range or add a filter.",
        422,
        error,
      );
    if (code === 241)
      throw refuse(
        "engine.too_large",
        "The question needs more memory than allowed. Shorten its range or add a filter.",
        422,
        error,
      );
    if (code === 396)
      throw refuse(
        "engine.too_many_rows",
        "The answer has more rows than a page may hold. Export it instead.",
        422,
        error,
      );
    if (code === 394) throw refuse("engine.cancelled", "The question was cancelled.", 409, error);
    if (code === 243)
      throw refuse("engine.disk_full", "The disk of the store is full. Free space, then try again.", 503, error);
    if (code === 427)
      throw refuse("engine.expression", "The regular expression cannot be read. It has the syntax of RE2.", 422, error);
    if (code === 770)
      throw refuse(
        "engine.too_large",
        "One person has too many events for this question. Shorten its range or add a filter.",
        422,
        error,
      );
    throw new Error(`engine error ${code}: ${first}`, { cause: error });
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const text = error instanceof Error ? error.message : "";
  if (gone.has(code) || /socket hang up|ECONNREFUSED|Timeout error|aborted|Premature close/.test(text)) {
    throw refuse("engine.unavailable", "The store is restarting. Try again in a few seconds.", 503, error);
  }
  throw error;
};

const explainInsert = (error: unknown): never => {
  const code = error instanceof ClickHouseError ? Number(error.code) : 0;
  if (error instanceof ClickHouseError && aboutRows.has(code)) {
    const [first = ""] = error.message.split("\n");
    throw refuse("engine.bad_rows", `The store cannot read these rows: ${first.slice(0, 1_000)}`, 422, error);
  }
  return explain(error);
};

const refuse = (code: string, message: string, status: 409 | 422 | 503, cause: unknown): Refusal => {
  const refusal = new Refusal(code, message, {}, status);
  refusal.cause = cause;
  return refusal;
};

const engineIn = (
  client: ClickHouseClient,
  database: string,
  apart: () => Promise<Engine>,
  functions: Functions,
  threads: () => Promise<number>,
): Engine => {
  const settingsFor = (options: AskOptions | undefined, fallback: Purpose): ClickHouseSettings => ({
    ...common,
    ...limits[options?.purpose ?? fallback],
    ...options?.settings,
  });
  const threadsOf = async (statement: Sql): Promise<number> => (hasShares(statement) ? threads() : 1);
  const asked = async (statement: Sql, options: AskOptions | undefined, fallback: Purpose, turn?: Turn) => {
    const most = await threadsOf(statement);
    const { query, params } = compile(statement, most, turn);
    const signal = options?.signal === undefined ? {} : { abort_signal: options.signal };
    const shared = hasManyShares(statement, most) ? ofManyShares : ofShares;
    const settings = { ...(hasShares(statement) ? shared : {}), ...settingsFor(options, fallback) };
    return { query, query_params: params, clickhouse_settings: settings, ...signal };
  };
  const plain: Engine = {
    database,
    apart,
    rows: async (statement, row, options) => {
      const read = async (as: AskOptions | undefined, turn?: Turn) => {
        const question = await asked(statement, as, "ask", turn);
        const result = await client.query({ ...question, format: "JSONEachRow" }).catch(explain);
        const rows = await result.json().catch(explain);
        return rows.map((value) => row.parse(value));
      };
      const most = await threadsOf(statement);
      const turns = turnsOf(statement, most, turnsAtOnce);
      if (turns.length === 1) return read(options);
      const settings = settingsFor(options, "ask");
      const ends = performance.now() + Number(settings.max_execution_time) * 1_000;
      const ofTurn = (signal: AbortSignal): AskOptions => ({
        ...options,
        signal,
        settings: {
          ...options?.settings,
          max_threads: Math.ceil(most / turnsAtOnce),
          max_execution_time: Math.max(1, ends - performance.now()) / 1_000, // 0 would be no limit
          max_memory_usage: String(Number(settings.max_memory_usage) / turnsAtOnce),
        },
      });
      return (await inTurns(turns, turnsAtOnce, (turn, signal) => read(ofTurn(signal), turn), options?.signal)).flat();
    },
    stream: async (statement, format, options) => {
      const { query, ...rest } = await asked(statement, options, "export");
      const result = await client.exec({ query: `${query}\nFORMAT ${format}`, ...rest }).catch(explain);
      return result.stream;
    },
    command: async (statement, options) => {
      await client.command(await asked(statement, options, "maintain")).catch(explain);
    },
    insert: async (table, lines, options) => {
      const target = options?.columns === undefined ? table : `${table} (${options.columns.join(", ")})`;
      const token = options?.token === undefined ? {} : { insert_deduplication_token: options.token };
      const clickhouse_settings = {
        ...limits.ingest,
        ...token,
        deduplicate_blocks_in_dependent_materialized_views: 1,
        input_format_skip_unknown_fields: 0,
        type_json_skip_duplicated_paths: 1, // {"a.b": 1, "a": {"b": 2}}: the first counts
        date_time_input_format: "best_effort",
      } as ClickHouseSettings;
      const query = `INSERT INTO ${target} FORMAT ${options?.format ?? "JSONEachRow"}`;
      const values = lines as Readable; // the client sends a string body as it is
      const { stream } = await client.exec({ query, values, clickhouse_settings }).catch(explainInsert);
      for await (const _ of stream) void _;
    },
  };
  /** Runs a statement with its functions inside the engine, or else beside it. */
  const runnable = async <T>(
    statement: Sql,
    options: AskOptions | undefined,
    run: (statement: Sql, options?: AskOptions) => Promise<T>,
    after: (answer: T, done: () => Promise<void>) => Promise<void> = (_, done) => done(),
  ): Promise<T> => {
    const calls = functionsOf(statement);
    if (calls.length === 0) return run(statement, options);
    if (await functions.inside(calls))
      return run(statement, { ...options, settings: { ...functionLimits, ...options?.settings } });
    const { statement: own, done } = await withoutFunctions(plain, statement, options);
    try {
      const answer = await run(own, options);
      await after(answer, done);
      return answer;
    } catch (error) {
      await done();
      throw error;
    }
  };
  return {
    ...plain,
    rows: (statement, row, options) => runnable(statement, options, (own, as) => plain.rows(own, row, as)),
    command: (statement, options) => runnable(statement, options, (own, as) => plain.command(own, as)),
    stream: (statement, format, options) =>
      runnable(
        statement,
        options,
        (own, as) => plain.stream(own, format, as),
        (stream, done) => {
          stream.once("close", () => void done().catch(() => undefined)); // what stays is dropped later
          return Promise.resolve();
        },
      ),
  };
};

/** Connects to the engine, embedded or not. `tls` and clusters are a matter of the URL. */
export const connectEngine = (address: EngineAddress): EngineServer => {
  const clients = new Map<string, ClickHouseClient>();
  const functions = functionsIn(
    (statement) => engineIn(clientFor("default"), "default", apart, functions, threads).command(statement),
    address.functions,
  );
  const clientFor = (database: string): ClickHouseClient => {
    const known = clients.get(database);
    if (known !== undefined) return known;
    const client = createClient({
      url: address.url,
      username: address.username,
      password: address.password,
      database,
      request_timeout: 3_600_000,
      max_open_connections: 16,
      use_multipart_params_auto: true, // long lists of ids do not fit into an address
      keep_alive: { enabled: true, idle_socket_ttl: 2_500 },
      application: "throughline",
      log: { level: ClickHouseLogLevel.OFF },
    });
    clients.set(database, client);
    return client;
  };
  let threadsOf: Promise<number> | undefined;
  /** How many threads a statement has, if nothing else is asked for. */
  const threads = (): Promise<number> =>
    (threadsOf ??= clientFor("default")
      .query({ query: "SELECT toUInt32(getSetting('max_threads')) AS threads", format: "JSONEachRow" })
      .then(async (result) => (await result.json<{ threads: number }>())[0]?.threads ?? 1)
      .catch((error: unknown) => {
        threadsOf = undefined;
        return explain(error);
      }));
  let made: Promise<void> | undefined;
  const apart = async (): Promise<Engine> => {
    made ??= clientFor("default")
      .command({ query: `CREATE DATABASE IF NOT EXISTS ${apartDatabase}` })
      .then(() => undefined)
      .catch((error: unknown) => {
        made = undefined;
        return explain(error);
      });
    await made;
    return engineIn(clientFor(apartDatabase), apartDatabase, apart, functions, threads);
  };
  return {
    in: (database) => engineIn(clientFor(database), database, apart, functions, threads),
    version: async () => {
      const result = await clientFor("default")
        .query({ query: "SELECT version() AS version", format: "JSONEachRow" })
        .catch(explain);
      const [row] = await result.json<{ version: string }>();
      return row?.version ?? "unknown";
    },
    close: async () => {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
};
