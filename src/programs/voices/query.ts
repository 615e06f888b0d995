import { bind, identifier, join, literal, none, sql, type Sql } from "#kernel/sql.ts";
import { contents } from "#records/conversations/query.ts";
import { inRange, personOf, type Scope, type TimeRange } from "#records/events/scope.ts";
import type { StatementType } from "./types.ts";

/** Conversations that were not read as they stand, by the themes that are known now. */
export const unread = (model: string, most: number): Sql => sql`
  SELECT conversation, content FROM (${contents(sql`1`)})
  WHERE (conversation, content) NOT IN (SELECT conversation, content FROM voice_readings FINAL WHERE model = ${bind.string(model)}) ORDER BY conversation LIMIT ${literal(most)}`;

export const waitingCount: Sql = sql`SELECT greatest(0, toFloat64((SELECT uniqExact(id) FROM conversations)) - toFloat64((SELECT uniqExact(conversation) FROM voice_readings))) AS waiting`;

export const headsOf = (ids: readonly string[]): Sql =>
  sql`SELECT id, toString(actor) AS actor, language, kind FROM conversations FINAL WHERE id IN ${bind.strings(ids)}`;

const mostParts = 2_000;
export const said = (ids: readonly string[]): Sql => sql`
  SELECT conversation, id, text, toFloat64(toUnixTimestamp64Milli(conversation_parts.at)) AS at FROM conversation_parts FINAL
  WHERE conversation IN ${bind.strings(ids)} AND role = 'customer' AND private = 0 AND text != '' ORDER BY conversation, at, id LIMIT ${literal(mostParts)} BY conversation`;

export interface Asked {
  readonly range: TimeRange;
  readonly kind?: string | undefined;
  readonly type?: StatementType | undefined;
  /** Ids of themes that count as the one that is asked for; an empty one for none. */
  readonly themes?: readonly string[] | undefined;
}

/** One row a statement. */
const statements = (scope: Scope, { range, kind, type, themes }: Asked, roots: ReadonlyMap<string, string>): Sql => sql`
  SELECT said.conversation AS conversation, part, start, stop, type, sentiment, theme, job, words, said.at AS at, toString(${personOf(scope, sql`said.actor`)}) AS person, heads.kind AS kind, heads.account AS account
  FROM (
    SELECT conversation, actor, at, part, start, stop, type, sentiment, transform(own, ${bind.strings([...roots.keys()])}, ${bind.strings([...roots.values()])}, '') AS theme, job, words FROM (SELECT * FROM voice_readings FINAL WHERE ${inRange(range)})
    ARRAY JOIN parts AS part, starts AS start, ends AS stop, types AS type, sentiments AS sentiment, themes AS own, jobs AS job, keys AS words
    WHERE ${type === undefined ? sql`1` : sql`type = ${bind.string(type)}`} ${themes === undefined ? none : sql`AND own IN ${bind.strings(themes)}`}
  ) AS said INNER JOIN (SELECT id, kind, account FROM conversations FINAL) AS heads ON heads.id = said.conversation
  WHERE ${kind === undefined ? sql`1` : sql`kind = ${bind.string(kind)}`}`;

/** How many say what about which theme: statements and distinct people. */
export const byTheme = (scope: Scope, asked: Asked, roots: ReadonlyMap<string, string>): Sql => sql`
  SELECT theme, toFloat64(count()) AS statements, toFloat64(uniqExact(person)) AS people, toFloat64(countIf(type = 'problem')) AS problems, toFloat64(countIf(type = 'request')) AS requests, toFloat64(countIf(type = 'praise')) AS praise, toFloat64(countIf(type = 'job')) AS jobs,
    avg(sentiment) AS mood, toFloat64(uniqExactIf(person, type = 'praise')) AS praising, toFloat64(uniqExactIf(person, type = 'problem')) AS suffering
  FROM (${statements(scope, asked, roots)}) GROUP BY theme ORDER BY people DESC, statements DESC LIMIT 200`;

export const kindCounts = (range: TimeRange): Sql => sql`
  SELECT heads.kind AS kind, toFloat64(count()) AS conversations, toFloat64(sum(length(types))) AS statements FROM (SELECT conversation, types FROM voice_readings FINAL WHERE ${inRange(range)}) AS said
  INNER JOIN (SELECT id, kind FROM conversations FINAL) AS heads ON heads.id = said.conversation GROUP BY kind ORDER BY conversations DESC`;

const held = ["conversation", "part", "start", "stop", "sentiment", "theme", "job", "moment", "person", "kind", "account"] as const; // prettier-ignore
/** What was said, those of the same words as one: the latest of them stands for all. What most people say comes first. */
export const statementList = (
  scope: Scope,
  asked: Asked,
  roots: ReadonlyMap<string, string>,
  limit: number,
): Sql => sql`
  SELECT conversation, part, start, stop, type, sentiment, theme, job, moment, person, kind, account, times, people, texts.text AS text, texts.author AS speaker
  FROM (
    SELECT type, times, people, ${join(
      held.map((name, place) => sql`tupleElement(latest, ${literal(place + 1)}) AS ${identifier(name)}`),
      ", ",
    )} FROM (
      SELECT type, argMax(tuple(conversation, part, toFloat64(start), toFloat64(stop), toFloat64(sentiment), theme, job, toString(at), person, kind, account), at) AS latest, toFloat64(count()) AS times, toFloat64(uniqExact(person)) AS people
      FROM (${statements(scope, asked, roots)}) AS each GROUP BY type, words)
    ORDER BY people DESC, times DESC, abs(sentiment) DESC LIMIT ${literal(limit)}
  ) AS chosen
  LEFT ANY JOIN (SELECT conversation, id, text, author FROM conversation_parts FINAL) AS texts ON texts.conversation = chosen.conversation AND texts.id = chosen.part
  ORDER BY people DESC, times DESC, abs(sentiment) DESC`;
