import { bind, sql, type Sql } from "#kernel/sql.ts";

/** One row per message of the list that another batch brought since `oldest`: when it came last, in seconds. */
export const receivedBefore = (messages: readonly string[], batch: number, oldest: number): Sql => sql`
  SELECT toString(message) AS message, toUnixTimestamp(max(received)) AS last FROM seen_messages
  WHERE message IN ${bind.ids(messages)} AND batch != ${bind.int(batch)} AND received >= ${bind.time(oldest)}
  GROUP BY message`;

/** Every message remembered since then. */
export const rememberedMessages = (since: number): Sql => sql`
  SELECT DISTINCT toString(message) AS message FROM seen_messages WHERE received >= ${bind.time(since)}`;

/** By our clock rather than by a TTL, so that a batch that is replayed late still finds what it must compare with. */
export const forgetMessages = (before: number): Sql => sql`
  ALTER TABLE seen_messages DELETE WHERE received < ${bind.time(before)}`;

export const anyMerges: Sql = sql`SELECT toInt32(count() > 0) AS any FROM identity_overrides`;

/** How many ids have acted. */
export const countIdentities: Sql = sql`SELECT toFloat64(count()) AS people FROM identities`;

export const reloadIdentities: Sql = sql`SYSTEM RELOAD DICTIONARY identity_of`;
