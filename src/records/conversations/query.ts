import { bind, sql, type Sql } from "#kernel/sql.ts";

/** When sources last changed conversations that are there. */
export const updatedOf = (ids: readonly string[]): Sql =>
  sql`SELECT id, toFloat64(toUnixTimestamp64Milli(max(conversations.updated))) AS updated FROM conversations WHERE id IN ${bind.strings(ids)} GROUP BY id`;

/** Parts as `CONVERSATION PART`, of which something is still written in any version. */
const written = (conversations: readonly string[], parts: readonly string[] | undefined): Sql =>
  sql`text != '' AND conversation IN ${bind.strings(conversations)}${parts === undefined ? sql`` : sql` AND concat(conversation, ' ', id) IN ${bind.strings(parts)}`}`;

export const writtenCount = (conversations: readonly string[], parts?: readonly string[]): Sql =>
  sql`SELECT toFloat64(count()) AS rows FROM conversation_parts WHERE ${written(conversations, parts)}`;
/** What was taken back goes from every version, not from the newest alone. */
export const forget = (conversations: readonly string[], parts?: readonly string[]): Sql =>
  sql`ALTER TABLE conversation_parts UPDATE text = '' WHERE ${written(conversations, parts)}`;
export const forgetSubjects = (conversations: readonly string[]): Sql =>
  sql`ALTER TABLE conversations UPDATE subject = '' WHERE subject != '' AND id IN ${bind.strings(conversations)}`;
