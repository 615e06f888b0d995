/**
 * SQL as values. Text and values never mix: a value becomes a typed ClickHouse parameter (`{p1:String}`), a fragment
 * nests, and nothing else can enter. Nobody edits SQL text after it is made.
 */
export interface Sql {
  readonly chunks: readonly string[];
  readonly parts: readonly (Sql | Bound)[];
  /** Where the fragment puts rows through a function of ours, what it takes to do so outside the engine. */
  readonly through?: Through;
  /** Where the fragment may be asked for in shares. */
  readonly shared?: Shared;
  /** Where whoever asks adds up the rows. */
  readonly isAddedUp?: true;
}

/** A WebAssembly function that turns the words of a row (Array(UInt64)) and a question, one for all rows, to words. */
export interface WordFunction {
  readonly name: string;
  /** Makes it in an engine. Idempotent. */
  readonly install: readonly Sql[];
  readonly result: "Array(Int64)" | "Array(UInt64)";
  /** The same in this process. Words are little-endian bytes; `ends` says where each row ends, in words. */
  beside(ends: readonly number[], words: Buffer, question: Buffer): { ends: readonly number[]; words: Buffer };
}

/** A fragment that puts rows through a function, in its parts. */
export interface Through {
  readonly call: WordFunction;
  readonly question: Buffer;
  readonly kept: readonly Sql[];
  readonly from: Sql;
}

/** What may be asked for in shares. */
interface Shared {
  /** The share between two values of 64 bits, both inside. */
  readonly between: (from: bigint, to: bigint) => Sql;
  /** About how many groups there are in all, where it is known. */
  readonly groups: number;
}

interface Bound {
  readonly type: string;
  readonly value: unknown;
}

/** What is sent to the engine: text with placeholders, and their values. */
export interface CompiledSql {
  readonly query: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const isBound = (part: Sql | Bound): part is Bound => "type" in part;

/** Tagged template: `sql\`SELECT ${bind.string(name)} FROM (${relation})\``. */
export const sql = (chunks: TemplateStringsArray, ...parts: readonly (Sql | Bound)[]): Sql => ({
  chunks: [...chunks],
  parts,
});

const verbatim = (text: string): Sql => ({ chunks: [text], parts: [] });

/**
 * Text that somebody wrote. Only for text that \`insights/sql\` has checked, word by word and as the engine reads it, and
 * only asked \`apart\`.
 */
export const writtenSql = (text: string): Sql => verbatim(text);

/** Nothing: a fragment that may be left out. */
export const none: Sql = verbatim("");

/** Fragments with a separator between them, for lists, conditions and unions. */
export const join = (fragments: readonly Sql[], separator: ", " | " AND " | " OR " | " UNION ALL " | "\n"): Sql => {
  if (fragments.length === 0) return none;
  return { chunks: ["", ...fragments.slice(1).map(() => separator), ""], parts: fragments };
};

/** All must hold; no conditions hold always. */
export const allOf = (conditions: readonly Sql[]): Sql =>
  conditions.length === 0 ? sql`1` : sql`(${join(conditions, " AND ")})`;

/** At least one must hold; no conditions hold never. */
export const anyOf = (conditions: readonly Sql[]): Sql =>
  conditions.length === 0 ? sql`0` : sql`(${join(conditions, " OR ")})`;

const checkedName = (name: string): string => {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name)) return name;
  throw new Error(`not an identifier: ${JSON.stringify(name)}`);
};

/** A table, column or database name of ours. Names that come from users are values, never identifiers. */
export const identifier = (name: string): Sql => verbatim(`\`${checkedName(name)}\``);

/** The same name where the grammar wants a text and takes no parameter. */
export const quotedName = (name: string): Sql => verbatim(`'${checkedName(name)}'`);

/** A whole number known to the program (bucket sizes, limits), written as a literal. */
export const literal = (value: number): Sql => {
  if (!Number.isSafeInteger(value)) throw new Error(`not a whole number: ${value}`);
  return verbatim(String(value));
};

/** Bytes of the function's question. */
const questionBytes = 32;

/**
 * Puts each row of `from`, which has the columns `kept` and `words`, through a function: `kept` and `found`. Rows of
 * which nothing is found may be left out.
 */
export const through = (call: WordFunction, question: Buffer, kept: readonly Sql[], from: Sql): Sql => {
  if (question.length !== questionBytes) throw new Error(`a question has ${questionBytes} bytes`);
  // The question comes by a join, which also makes few large blocks of many small ones: each call costs 0.2 ms. A
  // condition on what is found cannot slip below it and call the function twice.
  const once = sql`SELECT toUInt64(0) AS zero, toFixedString(unhex(${bind.string(question.toString("hex"))}), ${literal(questionBytes)}) AS question`;
  const columns = join([...kept, sql`${identifier(call.name)}(words, once.question) AS found`], ", ");
  const asked = sql`SELECT ${columns} FROM (${from}) AS units LEFT ANY JOIN (${once}) AS once ON once.zero = bitAnd(length(units.words), 0)`;
  return { ...asked, through: { call, question, kept, from } };
};

/**
 * A relation grouped by a column whose values lie evenly over 64 bits, `column` of the rows that it reads. An engine is
 * asked for it in as many shares as it has threads, one a thread, so that no thread holds groups that another holds too
 * and nothing is merged. Where there are many `groups` there are more shares, so that what is kept of the groups of one
 * stays near. `relation` takes what must hold of a row, and ends where SETTINGS may follow.
 */
export const inShares = (column: Sql, relation: (within: Sql) => Sql, groups = 0): Sql => ({
  ...relation(sql`1`),
  shared: {
    groups,
    // in the text, since every parameter of every share takes its time when a plan is made
    between: (from, to) => relation(sql`${column} BETWEEN ${verbatim(String(from))} AND ${verbatim(String(to))}`),
  },
});

/**
 * Each share is planned by itself, in 4 to 17 ms: one a thread up to so many, or one for so many groups, as many of each
 * thread. Smaller ones take longer to plan, and what larger ones keep no longer stays near: an analysis of 10 million
 * people took 4.0 s in shares of 290,000, 3.7 of 380,000, 4.8 of 500,000 and 7.1 of 560,000 (two threads, one machine).
 */
const [mostShares, groupsEach, mostOfGroups] = [8, 400_000, 64];

/** How many shares, and how many of them at a time. */
const countOf = ({ groups }: Shared, threads: number): { readonly busy: number; readonly count: number } => {
  const busy = Math.min(mostShares, threads);
  return { busy, count: busy * Math.max(1, Math.ceil(Math.min(mostOfGroups, groups / groupsEach) / busy)) };
};

/** Every so many shares, from one of them on. */
export interface Turn {
  readonly place: number;
  readonly of: number;
}

const whole: Turn = { place: 0, of: 1 };

const unionOf = (shared: Shared, threads: number, turn: Turn): Sql => {
  const { count } = countOf(shared, threads);
  const size = 2n ** 64n / BigInt(count) + 1n;
  // tables for many threads take a tenth longer where there is one
  const joins = count < threads ? sql`` : sql`, join_algorithm = 'hash'`;
  const shares = Array.from({ length: count }, (_, place) => {
    const from = size * BigInt(place);
    const to = place === count - 1 ? 2n ** 64n - 1n : from + size - 1n;
    return sql`(${shared.between(from, to)} SETTINGS max_threads = ${literal(Math.ceil(threads / count))}${joins}, group_by_two_level_threshold = 0, group_by_two_level_threshold_bytes = 300000000)`;
  });
  return join(
    shares.filter((_, place) => place % turn.of === turn.place),
    " UNION ALL ",
  );
};

const sharedIn = (root: Sql): readonly Shared[] =>
  root.shared === undefined ? root.parts.flatMap((part) => (isBound(part) ? [] : sharedIn(part))) : [root.shared];

/** Whether a statement has relations that may be asked for in shares. */
export const hasShares = (root: Sql): boolean => sharedIn(root).length > 0;

/** Whether an engine of so many threads is asked for more shares than it works on at a time. */
export const hasManyShares = (root: Sql, threads: number): boolean =>
  sharedIn(root).some((shared) => {
    const { busy, count } = countOf(shared, threads);
    return count > busy;
  });

/**
 * A statement whose rows may come several times, each from some of the shares of the one relation that it has in shares,
 * since whoever asks adds them up.
 */
export const addedUp = (statement: Sql): Sql => ({ ...statement, isAddedUp: true });

/**
 * So many turns for each of those that are asked at once: a few, so that no thread waits for long when it has come to the
 * end of its own, and not one for each share, since a statement takes its time beside those.
 */
const turnsEach = 3;

/**
 * The turns in which a statement is best asked, `atOnce` at a time: an engine plans a statement on one thread, whatever it
 * has, and another one meanwhile. One turn where rows are not added up.
 */
export const turnsOf = (root: Sql, threads: number, atOnce: number): readonly Turn[] => {
  const [shared, ...others] = root.isAddedUp === true && threads > 1 ? sharedIn(root) : [];
  if (shared === undefined || others.length > 0) return [whole];
  const { busy, count } = countOf(shared, threads);
  const of = Math.max(atOnce, Math.min(atOnce * turnsEach, Math.floor((count * atOnce) / busy)));
  return Array.from({ length: of }, (_, place) => ({ place, of }));
};

/** The functions that a statement puts rows through. */
export const functionsOf = (root: Sql): WordFunction[] => [
  ...(root.through === undefined ? [] : [root.through.call]),
  ...root.parts.flatMap((part) => (isBound(part) ? [] : functionsOf(part))),
];

/** The statement with other fragments in place of those that put rows through a function, the outermost first. */
export const replaceThrough = async (root: Sql, other: (found: Through) => Promise<Sql>): Promise<Sql> => {
  if (root.through !== undefined) return other(root.through);
  const parts: (Sql | Bound)[] = [];
  for (const part of root.parts) parts.push(isBound(part) ? part : await replaceThrough(part, other));
  return { chunks: root.chunks, parts };
};

/** A moment as the engine reads it, in parameters and in rows that are inserted. */
export const engineTime = (ms: number): string => new Date(ms).toISOString().replace("T", " ").replace("Z", "");

/** Values, by the type the engine sees. */
export const bind = {
  string: (value: string): Bound => ({ type: "String", value }),
  strings: (value: readonly string[]): Bound => ({ type: "Array(String)", value }),
  int: (value: number): Bound => ({ type: "Int64", value }),
  float: (value: number): Bound => ({ type: "Float64", value }),
  floats: (value: readonly number[]): Bound => ({ type: "Array(Float64)", value }),
  /** A 64-bit id as decimal text, since JSON numbers cannot carry it. */
  id: (value: string): Bound => ({ type: "UInt64", value }),
  ids: (value: readonly string[]): Bound => ({ type: "Array(UInt64)", value: value.map(BigInt) }),
  /** Milliseconds since the epoch, as DateTime64(3) in UTC. */
  time: (ms: number): Bound => ({ type: "DateTime64(3, 'UTC')", value: engineTime(ms) }),
};

/** Text and parameters for an engine of so many threads. Parameters are numbered in order of appearance. */
export const compile = (root: Sql, threads = 1, turn = whole): CompiledSql => {
  const params: Record<string, unknown> = {};
  const write = (fragment: Sql): string => {
    const { chunks, parts, shared } = fragment;
    if (shared !== undefined && threads > 1) return write(unionOf(shared, threads, turn));
    return chunks.reduce((text, chunk, index) => {
      const part = index === 0 ? undefined : parts[index - 1];
      return part === undefined ? text + chunk : text + place(part) + chunk;
    }, "");
  };
  const place = (part: Sql | Bound): string => {
    if (!isBound(part)) return write(part);
    const name = `p${Object.keys(params).length + 1}`;
    params[name] = part.value;
    return `{${name}:${part.type}}`;
  };
  return { query: write(root), params };
};

/**
 * A sub-column of a JSON column. The path comes from users (property names), and the engine takes no parameter there,
 * so it is quoted as an identifier. A dot steps into a nested object; the engine stores a key that itself
 * holds a dot in the same place, so `a.b` is `{"a": {"b": 1}}` and `{"a.b": 1}` alike.
 */
export const jsonPath = (column: Sql, name: string): Sql => {
  const quoted = `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
  return { chunks: ["", `.${quoted}`], parts: [column] };
};
