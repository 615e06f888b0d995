import type { TableDoc } from "#kernel/module.ts";
import { sql } from "#kernel/sql.ts";

const remembered = sql`non_replicated_deduplication_window = 2000`;

const conversations: TableDoc = {
  name: "conversations",
  grain: "One version of a conversation, as its source told it; the newest counts.",
  people: { keys: ["actor"] },
  columns: {
    id: { type: "String", meaning: "Id at its source.", class: "internal" },
    actor: { type: "UInt64", meaning: "Key of the customer's id; 0 where nobody is known.", class: "internal" },
    account: { type: "String", meaning: "Account that it is with; empty for none.", class: "internal" },
    source: { type: "LowCardinality(String)", meaning: "Source that it came through.", class: "internal" },
    channel: { type: "LowCardinality(String)", meaning: "Such as chat, email or phone.", class: "internal" },
    language: { type: "LowCardinality(String)", meaning: "As the source says; empty where it does not.", class: "internal" }, // prettier-ignore
    team: { type: "LowCardinality(String)", meaning: "Who handles it.", class: "internal" },
    assignee: { type: "LowCardinality(String)", meaning: "The teammate who handles it.", class: "internal" },
    tags: { type: "Array(String)", meaning: "As the source has them.", class: "internal" },
    state: { type: "LowCardinality(String)", meaning: "open, closed or deleted.", class: "internal" },
    subject: { type: "String", meaning: "As the customer or the source wrote it.", class: "personal" },
    rating: { type: "Nullable(Float64)", meaning: "What the customer answered when asked, 1 to 5.", class: "internal" },
    created: { type: "DateTime64(3, 'UTC')", meaning: "When it began.", class: "internal" },
    received: { type: "DateTime64(3, 'UTC')", meaning: "When this version arrived.", class: "internal" },
    updated: { type: "DateTime64(3, 'UTC')", meaning: "When its source changed it; 1970 where it does not say.", class: "internal" }, // prettier-ignore
    kind: { type: "LowCardinality(String)", meaning: "support, or feedback, survey, review, interview, sales_call, note.", class: "internal" }, // prettier-ignore
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS conversations (
      id String, actor UInt64, account String, source LowCardinality(String), channel LowCardinality(String),
      language LowCardinality(String), team LowCardinality(String), assignee LowCardinality(String), tags Array(String),
      state LowCardinality(String), subject String CODEC(ZSTD(1)), rating Nullable(Float64),
      created DateTime64(3, 'UTC'), received DateTime64(3, 'UTC')
    ) ENGINE = ReplacingMergeTree(received) ORDER BY id SETTINGS ${remembered}`,
    sql`ALTER TABLE conversations ADD COLUMN IF NOT EXISTS updated DateTime64(3, 'UTC')`,
    sql`ALTER TABLE conversations ADD COLUMN IF NOT EXISTS kind LowCardinality(String) DEFAULT 'support'`,
  ],
};

const parts: TableDoc = {
  name: "conversation_parts",
  grain: "One version of a message or note in a conversation; the newest counts.",
  people: { keys: ["actor"] },
  columns: {
    conversation: { type: "String", meaning: "Conversation that it is in.", class: "internal" },
    id: { type: "String", meaning: "Id at its source.", class: "internal" },
    actor: { type: "UInt64", meaning: "Key of the customer's id, whoever wrote this part.", class: "internal" },
    role: {
      type: "LowCardinality(String)",
      meaning: "customer, ai_agent, teammate, bot or system.",
      class: "internal",
    },
    private: {
      type: "UInt8",
      meaning: "1 for a note that the customer does not see; never scored.",
      class: "internal",
    },
    author: { type: "LowCardinality(String)", meaning: "Who wrote it, as the source names them.", class: "internal" },
    text: { type: "String", meaning: "What was written; empty where the source took it back.", class: "personal" },
    at: { type: "DateTime64(3, 'UTC')", meaning: "When it was written.", class: "internal" },
    received: { type: "DateTime64(3, 'UTC')", meaning: "When this version arrived.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS conversation_parts (
      conversation String, id String, actor UInt64, role LowCardinality(String), private UInt8, author LowCardinality(String),
      text String CODEC(ZSTD(3)), at DateTime64(3, 'UTC'), received DateTime64(3, 'UTC')
    ) ENGINE = ReplacingMergeTree(received) ORDER BY (conversation, id) SETTINGS ${remembered}`,
  ],
};

export const conversationTables: readonly TableDoc[] = [conversations, parts];
