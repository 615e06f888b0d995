import { bind, none, sql, type Sql } from "#kernel/sql.ts";

/** What is there of conversations: when sources last changed them, and whether they took them back as a whole. */
export const heldOf = (ids: readonly string[]): Sql => sql`
  SELECT id, toFloat64(toUnixTimestamp64Milli(max(conversations.updated))) AS updated, toFloat64(argMax(conversations.state, conversations.received) = 'deleted') AS gone
  FROM conversations WHERE id IN ${bind.strings(ids)} GROUP BY id`;

/** Ids of the parts that are there, as `CONVERSATION PART`. */
export const partKeys = (ids: readonly string[]): Sql =>
  sql`SELECT DISTINCT concat(conversation, ' ', id) AS part FROM conversation_parts WHERE conversation IN ${bind.strings(ids)}`;

/** Of parts (as `CONVERSATION PART`; all where none are named) something is still written in any version. */
const written = (conversations: readonly string[], parts: readonly string[] | undefined): Sql =>
  sql`text != '' AND conversation IN ${bind.strings(conversations)}${parts === undefined ? none : sql` AND concat(conversation, ' ', id) IN ${bind.strings(parts)}`}`;

export const writtenCount = (conversations: readonly string[], parts?: readonly string[]): Sql =>
  sql`SELECT toFloat64(count()) AS rows FROM conversation_parts WHERE ${written(conversations, parts)}`;
/** What was taken back goes from every version, not from the newest alone. */
export const forget = (conversations: readonly string[], parts?: readonly string[]): Sql =>
  sql`ALTER TABLE conversation_parts UPDATE text = '' WHERE ${written(conversations, parts)}`;
/** Marks conversations as taken back; all else that is known of them stays. Then nothing of their subjects is left. */
export const bury = (ids: readonly string[], now: number): readonly Sql[] => [
  sql`INSERT INTO conversations SELECT * REPLACE ('deleted' AS state, '' AS subject, ${bind.time(now)} AS received) FROM conversations FINAL WHERE id IN ${bind.strings(ids)}`,
  sql`ALTER TABLE conversations UPDATE subject = '' WHERE subject != '' AND id IN ${bind.strings(ids)}`,
];

/**
 * One row a conversation of those whose head is there and is so: what all of its parts say together, whatever their order
 * and however often they were sent, and when the last was written. Another text is another content.
 */
export const contents = (heads: Sql): Sql => sql`
  SELECT conversation, hex(groupBitXor(sipHash64(id, role, private, text))) AS content, max(conversation_parts.at) AS latest FROM conversation_parts FINAL
  WHERE conversation IN (SELECT id FROM conversations WHERE ${heads}) GROUP BY conversation`;

/** How much has arrived, and when the last did; of each conversation its head comes last. */
export const arrivals: Sql = sql`SELECT toFloat64(count() + (SELECT count() FROM conversation_parts)) AS rows, toString(max(received)) AS latest FROM conversations`;
