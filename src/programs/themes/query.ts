import { bind, literal, sql, type Sql } from "#kernel/sql.ts";
import { contents } from "#records/conversations/query.ts";

/** What customers wrote first of conversations, and what they were said to speak of. */

const firstTurns = 3;
const written = (which: Sql): Sql => sql`
  SELECT conversation, toString(any(actor)) AS by, max(conversation_parts.at) AS latest, arrayMap(turn -> turn.3, arraySlice(arraySort(groupArray((conversation_parts.at, id, conversation_parts.text))), 1, ${literal(firstTurns)})) AS turns
  FROM conversation_parts FINAL WHERE role = 'customer' AND private = 0 AND conversation_parts.text != '' AND ${which} GROUP BY conversation`;

/** Some conversations since a time, the same ones each time. */
export const sample = (since: number, most: number): Sql => sql`
  SELECT conversation, by, turns FROM (${written(sql`1`)}) WHERE latest >= ${bind.time(since)} ORDER BY sipHash64(conversation) LIMIT ${literal(most)}`;

/** How many conversations there are of which something was written since. */
export const lately = (since: number): Sql =>
  sql`SELECT toFloat64(uniqExact(conversation)) AS conversations FROM conversation_parts WHERE conversation_parts.at >= ${bind.time(since)}`;

/** Conversations of which the themes that are known now have not been asked as they stand. */
export const unassigned = (model: string, most: number): Sql => sql`
  SELECT standing.conversation AS conversation, content, toString(heads.actor) AS actor FROM (${contents(sql`1`)}) AS standing
  LEFT ANY JOIN (SELECT id, actor FROM conversations FINAL) AS heads ON heads.id = standing.conversation
  WHERE (standing.conversation, content) NOT IN (SELECT conversation, content FROM cx_topics FINAL WHERE model = ${bind.string(model)}) ORDER BY conversation LIMIT ${literal(most)}`;

export const textsOf = (ids: readonly string[]): Sql =>
  sql`SELECT conversation, by, turns FROM (${written(sql`conversation IN ${bind.strings(ids)}`)})`;

/** The theme of each conversation, by its id; empty for none. */
export const topics: Sql = sql`SELECT conversation, theme FROM cx_topics FINAL`;
