/** The part of ClickHouse's HTTP interface that the engine host understands, as pure functions. */

export interface EngineRequest {
  /** Statement text; for an insert the part before the data. */
  readonly query: string;
  readonly database: string | undefined;
  /** Settings for this request alone. */
  readonly settings: Readonly<Record<string, string>>;
  /** Query parameters as they came: ClickHouse's `Escaped` text, which the engine itself decodes by type. */
  readonly params: Readonly<Record<string, string>>;
}

/** URL parameters that steer the transport and are not settings of the engine. */
const transport = new Set([
  "query",
  "database",
  "query_id",
  "default_format",
  "user",
  "password",
  "session_id",
  "role",
]);
/** Settings of ClickHouse's HTTP handler, unknown to the embedded engine. */
const handlerOnly = new Set([
  "enable_http_compression",
  "wait_end_of_query",
  "buffer_size",
  "http_zlib_compression_level",
]);

/** Reads the URL of a request. Anything that is neither transport nor `param_*` is a setting. */
export const readRequest = (url: URL, body: string): EngineRequest => {
  const settings: Record<string, string> = {};
  const params: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    if (name.startsWith("param_")) params[name.slice(6)] = value;
    else if (!transport.has(name) && !handlerOnly.has(name)) settings[name] = value;
  }
  const inUrl = url.searchParams.get("query") ?? "";
  const query = inUrl !== "" && body !== "" ? `${inUrl}\n${body}` : inUrl + body;
  return { query, database: url.searchParams.get("database") ?? undefined, settings, params };
};

const quote = (value: string): string => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
const plainName = /^[a-zA-Z_][a-zA-Z0-9_]{0,99}$/;

/** Everything a session must be told before the statement: settings, and parameters as `param_x`. */
export const assignmentsOf = (input: EngineRequest): Readonly<Record<string, string>> => ({
  ...input.settings,
  ...Object.fromEntries(Object.entries(input.params).map(([name, value]) => [`param_${name}`, value])),
});

/** `SET a = 'x', b = 'y'`. Throws on a name that cannot be a setting's. */
export const setStatement = (assignments: Readonly<Record<string, string>>): string => {
  const names = Object.keys(assignments);
  const odd = names.find((name) => !plainName.test(name));
  if (odd !== undefined) throw new Error(`Code: 115. DB::Exception: Unknown setting ${quote(odd)}. (UNKNOWN_SETTING)`);
  return `SET ${names.map((name) => `${name} = ${quote(assignments[name] ?? "")}`).join(", ")}`;
};

/** Puts settings back and empties parameters, so that nothing leaks into the next request of the session. */
export const resetStatement = (assignments: Readonly<Record<string, string>>): string =>
  `SET ${Object.keys(assignments)
    .map((name) => (name.startsWith("param_") ? `${name} = ''` : `${name} = DEFAULT`))
    .join(", ")}`;

/** A placeholder without a value. A session remembers that a parameter existed, so the engine would not notice. */
export const missingParam = (input: EngineRequest): string | undefined =>
  [...input.query.matchAll(/\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*:\s*[A-Za-z]/g)]
    .map((match) => match[1] ?? "")
    .find((name) => !(name in input.params));

export interface InsertHead {
  readonly table: string;
  readonly columns: readonly string[] | undefined;
  readonly format: string;
}

const insertHead = /^\s*INSERT\s+INTO\s+(?:TABLE\s+)?([A-Za-z0-9_.`]+)\s*(?:\(([^()]*)\))?\s*FORMAT\s+([A-Za-z]+)\s*$/i;

/** Splits `INSERT INTO t (a, b) FORMAT JSONEachRow`; undefined for every other statement. */
export const readInsert = (query: string): InsertHead | undefined => {
  const match = insertHead.exec(query);
  if (match === null) return undefined;
  const [, table = "", columns, format = ""] = match;
  const unquote = (name: string): string => name.replaceAll("`", "").trim();
  return { table: unquote(table), columns: columns?.split(",").map(unquote), format };
};

/** ClickHouse's numeric code in an error text, or 1000 (POCO_EXCEPTION) where it has none. */
export const errorCode = (message: string): number => Number(/Code: (\d+)/.exec(message)?.[1] ?? 1000);

/** The status a ClickHouse server gives with a code: 4xx for the caller's mistakes, 503 for pressure, 500 otherwise. */
export const statusOf = (code: number): number => {
  if ([60, 81, 46, 47, 16].includes(code)) return 404;
  if ([62, 36, 42, 43, 53, 27, 26, 6, 70, 115, 117, 456, 457].includes(code)) return 400;
  if ([241, 202, 252].includes(code)) return 503;
  return code === 159 ? 408 : 500;
};
