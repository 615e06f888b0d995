/**
 * The engine host: a child process that opens one data folder with chdb and speaks ClickHouse's HTTP protocol on a
 * loopback port. It exists because a crash, a long query or a full libuv pool of the engine must never take the web
 * process down, and because an aborted query of the in-process driver keeps running.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { timingSafeEqual, randomUUID } from "node:crypto";
import { createGunzip, createGzip } from "node:zlib";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { Session, drainPending, type RawInsertFormat, type RawInsertParams } from "chdb";
import { sessionPool, type SessionPool } from "./session-pool.ts";
import { errorCode, readInsert, readRequest, statusOf, type EngineRequest, type InsertHead } from "./protocol.ts";
import { assignmentsOf, missingParam, resetStatement, setStatement } from "./protocol.ts";

const path = process.env["THROUGHLINE_ENGINE_PATH"] ?? "";
const secret = Buffer.from(process.env["THROUGHLINE_ENGINE_SECRET"] ?? "");
const readers = Number(process.env["THROUGHLINE_ENGINE_READERS"] ?? "4");
const memory = process.env["THROUGHLINE_ENGINE_MEMORY"] ?? "4000000000";
const port = Number(process.env["THROUGHLINE_ENGINE_PORT"] ?? "0");
const maxStatementBytes = 16 * 1024 * 1024;
const insertBlockBytes = 8 * 1024 * 1024;

const engineArgs = [
  "--allow_experimental_webassembly_udf=1",
  "--webassembly_udf_engine=wasmtime",
  `--max_server_memory_usage=${memory}`,
  "--output_format_json_quote_64bit_integers=1",
  "--max_query_size=67108864",
];

/** Only one process may hold a data folder; a predecessor that was killed gives it up within moments. */
const openEngine = async (): Promise<Session> => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return new Session(path, { connectionArgs: engineArgs });
    } catch (error) {
      if (attempt > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
};

const control = await openEngine();
/** The statement that hands over parameters is as long as they are. */
const begin = `SET max_query_size = ${maxStatementBytes}`;
const reads = sessionPool(path, readers, begin);
const writes = sessionPool(path, 2, begin);
/** The database that a session is in, where that is known. */
const databases = new WeakMap<Session, string>();

const authorised = (request: IncomingMessage): boolean => {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const given = basic === undefined ? "" : Buffer.from(basic, "base64").toString().split(":").slice(1).join(":");
  const bytes = Buffer.from(given);
  return bytes.length === secret.length && timingSafeEqual(bytes, secret);
};

const bodyOf = (request: IncomingMessage): Readable =>
  request.headers["content-encoding"] === "gzip" ? request.pipe(createGunzip()) : request;

const readAll = async (stream: Readable, limit: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit)
      throw new Error(`Code: 307. DB::Exception: The statement exceeds ${limit} bytes. (TOO_MANY_BYTES)`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const fail = (response: ServerResponse, error: unknown): void => {
  const message = error instanceof Error ? error.message : String(error);
  if (response.headersSent) return void response.destroy();
  const code = errorCode(message);
  response.writeHead(statusOf(code), { "x-clickhouse-exception-code": String(code), "content-type": "text/plain" });
  response.end(`${message}\n`);
};

/** Only ever ASYNC: KILL QUERY … SYNC never returns in the embedded engine. */
const kill = (id: string): void => {
  void control.queryAsync(`KILL QUERY WHERE Settings['log_comment'] = '${id}' ASYNC`).catch(() => undefined);
};

/**
 * Streaming inserts: cut at row boundaries, one block at a time, so that a large body never sits in memory. Where the
 * cuts lie depends on the body alone and never on how it came over the wire, since each block has a token of its own.
 */
async function* blocksOf(stream: Readable): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  let chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size < insertBlockBytes) continue;
    held = Buffer.concat([held, ...chunks]);
    chunks = [];
    while (held.length >= insertBlockBytes) {
      const before = held.lastIndexOf(10, insertBlockBytes - 1);
      const end = before < 0 ? held.indexOf(10, insertBlockBytes) : before;
      if (end < 0) break; // one row longer than a block
      yield held.subarray(0, end + 1);
      held = held.subarray(end + 1);
    }
    size = held.length;
  }
  const rest = Buffer.concat([held, ...chunks]);
  if (rest.length > 0) yield rest;
}

/** A token names one block; a body of several blocks gets a suffixed token for each, so that a retry is the same. */
const insertRows = async (session: Session, head: InsertHead, body: Readable, token: string | undefined) => {
  let rows = 0;
  let block = 0;
  for await (const values of blocksOf(body)) {
    const settings: Record<string, string> = {};
    if (token !== undefined) settings["insert_deduplication_token"] = block === 0 ? token : `${token}#${block}`;
    const insert: RawInsertParams = { table: head.table, values, settings, format: head.format as RawInsertFormat };
    const written = await session.insert(head.columns === undefined ? insert : { ...insert, columns: head.columns });
    rows += written.rowsSent ?? 0;
    block += 1;
  }
  return rows;
};

const output = (request: IncomingMessage, response: ServerResponse): Writable => {
  const wanted = /gzip/.test(String(request.headers["accept-encoding"] ?? ""));
  if (!wanted) return response;
  response.setHeader("content-encoding", "gzip");
  const gzip = createGzip({ level: 1 });
  gzip.pipe(response);
  return gzip;
};

/** Output is held until it ends or grows past this, so that an error on the way keeps its code and status. */
const heldBytes = 8 * 1024 * 1024;

/** Formats whose parts, one after another, are the whole: the engine gives each part of a stream by itself. */
const appendable = /^(JSONEachRow|JSONCompactEachRow|CSV|TabSeparated|TSV|RowBinary|Native|LineAsString|RawBLOB)$/i;
const trailingFormat = /\bFORMAT\s+([A-Za-z0-9]+)\s*;?\s*$/i;
/** Lines that each part begins with. */
const headLines = (format: string): number =>
  /WithNamesAndTypes$/i.test(format) ? 2 : /WithNames$/i.test(format) ? 1 : 0;

const withoutLines = (bytes: Uint8Array, lines: number): Uint8Array => {
  let from = 0;
  for (let line = 0; line < lines; line += 1) from = bytes.indexOf(10, from) + 1;
  return bytes.subarray(from);
};

/** A document (Parquet, JSON, Arrow …) is written to a file first and sent from there. */
const streamDocument = async (
  session: Session,
  query: string,
  format: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const file = join(tmpdir(), `throughline-${randomUUID()}`);
  try {
    await session.queryAsync(`INSERT INTO FUNCTION file('${file}', '${format}') ${query.replace(trailingFormat, "")}`);
    response.setHeader("content-type", "application/octet-stream");
    await pipeline(createReadStream(file), output(request, response));
  } finally {
    await rm(file, { force: true });
  }
};

const streamRows = async (
  session: Session,
  input: EngineRequest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const format = trailingFormat.exec(input.query)?.[1] ?? "TabSeparated";
  const head = headLines(format);
  if (head === 0 && !appendable.test(format)) return streamDocument(session, input.query, format, request, response);
  const stream = session.queryStream(input.query, { format: "TabSeparated" });
  let held: Uint8Array[] = [];
  let size = 0;
  let sink: Writable | undefined;
  const start = (): Writable => {
    response.setHeader("content-type", "text/plain; charset=UTF-8");
    const out = output(request, response);
    out.write(Buffer.concat(held));
    held = [];
    return out;
  };
  const closed = once(response, "close").catch(() => undefined);
  for await (const chunk of stream) {
    if (response.destroyed) return stream.cancel();
    const bytes = withoutLines(chunk.raw(), size === 0 ? 0 : head);
    size += bytes.length;
    if (sink === undefined) held.push(bytes);
    else if (!sink.write(bytes)) await Promise.race([once(sink, "drain"), closed]);
    if (size > heldBytes) sink ??= start();
  }
  (sink ?? start()).end();
};

const streams = /^\s*(?:--[^\n]*\n\s*)*(?:\(|SELECT|WITH)\b/i;

const execute = async (
  session: Session,
  input: EngineRequest,
  request: IncomingMessage,
  response: ServerResponse,
  body: Readable,
) => {
  const head = readInsert(input.query);
  if (head !== undefined) {
    const rows = await insertRows(session, head, body, input.settings["insert_deduplication_token"]);
    response.writeHead(200, { "x-clickhouse-summary": JSON.stringify({ written_rows: String(rows) }) }).end();
  } else if (streams.test(input.query)) {
    await streamRows(session, input, request, response);
  } else {
    // commands, and statements with a short answer that the engine cannot stream (DESCRIBE, SHOW, EXISTS)
    const result = await session.queryAsync(input.query, { format: "TabSeparated" });
    response.writeHead(200, { "content-type": "text/plain; charset=UTF-8" }).end(result.text());
  }
};

/** Runs one request on a session of its own: settings on, work, settings off. */
const inSession = async (
  pool: SessionPool,
  input: EngineRequest,
  gone: AbortSignal,
  work: (session: Session) => Promise<void>,
) => {
  const session = await pool.take(gone);
  const id = randomUUID();
  const assignments = { ...assignmentsOf(input), log_comment: id };
  const missing = missingParam(input);
  const onGone = (): void => kill(id);
  try {
    if (missing !== undefined)
      throw new Error(`Code: 456. DB::Exception: Substitution \`${missing}\` is not set. (UNKNOWN_QUERY_PARAMETER)`);
    const database = (input.database ?? "default").replaceAll("`", "");
    if (databases.get(session) !== database) await session.queryAsync(`USE \`${database}\``);
    databases.set(session, database);
    await session.queryAsync(setStatement(assignments));
    gone.addEventListener("abort", onGone, { once: true });
    if (gone.aborted) return;
    await work(session);
  } finally {
    gone.removeEventListener("abort", onGone);
    try {
      await session.queryAsync(resetStatement(assignments));
      pool.give(session);
    } catch {
      pool.replace(session);
    }
  }
};

/** The statement is the body, or a part `query` of a form whose other parts are parameters that are long. */
const readStatement = async (url: URL, body: Buffer, type: string | undefined): Promise<EngineRequest> => {
  if (type?.startsWith("multipart/form-data") !== true) return readRequest(url, body.toString("utf8"));
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
  const { query = "", ...params } = Object.fromEntries(
    [...form].map(([name, value]) => [name, typeof value === "string" ? value : ""]),
  );
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  return readRequest(url, query);
};

const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const url = new URL(request.url ?? "/", "http://engine");
  if (url.pathname === "/ping" || (request.method === "GET" && url.pathname === "/" && url.search === "")) {
    return void response.writeHead(200).end("Ok.\n");
  }
  if (!authorised(request))
    return fail(response, new Error("Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)"));
  const gone = new AbortController();
  response.on("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  const body = bodyOf(request);
  const isInsert = readInsert(url.searchParams.get("query") ?? "") !== undefined;
  const statement = isInsert ? Buffer.alloc(0) : await readAll(body, maxStatementBytes);
  const input = await readStatement(url, statement, request.headers["content-type"]);
  await inSession(isInsert ? writes : reads, input, gone.signal, (session) =>
    execute(session, input, request, response, body),
  );
};

// the longest address is what a ClickHouse server allows (http_max_uri_size)
const server = createServer({ maxHeaderSize: 1024 * 1024 }, (request, response) => {
  handle(request, response).catch((error: unknown) => fail(response, error));
});
server.requestTimeout = 0;
server.headersTimeout = 10_000;
server.keepAliveTimeout = 60_000;
server.listen(port, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: typeof address === "object" && address !== null ? address.port : 0 });
});

let stopping = false;
const stop = async (): Promise<void> => {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.kill(process.pid, "SIGKILL"), 8_000).unref();
  server.close();
  server.closeAllConnections();
  reads.close();
  writes.close();
  control.close();
  await drainPending();
  process.exit(0);
};
process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => undefined); // the parent decides; a terminal sends Ctrl-C to both
process.on("disconnect", () => void stop());
if (!process.connected) void stop(); // the parent went away while the engine was opening
