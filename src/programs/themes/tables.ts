import type { TableDoc } from "#kernel/module.ts";
import { sql } from "#kernel/sql.ts";

const topics: TableDoc = {
  name: "cx_topics",
  grain: "What one conversation speaks of, as it stood and by the themes that were known then; the newest counts.",
  people: { keys: ["actor"] },
  columns: {
    conversation: { type: "String", meaning: "Conversation.", class: "internal" },
    actor: { type: "UInt64", meaning: "Key of the customer's id.", class: "internal" },
    content: { type: "String", meaning: "Which parts it had then.", class: "internal" },
    model: { type: "LowCardinality(String)", meaning: "Which finding of themes it was.", class: "internal" },
    theme: { type: "LowCardinality(String)", meaning: "Theme; empty where none is near.", class: "internal" },
    near: { type: "Float64", meaning: "How near to it, 0 to 1.", class: "internal" },
    assigned: { type: "DateTime64(3, 'UTC')", meaning: "When it was said.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS cx_topics (conversation String, actor UInt64, content String, model LowCardinality(String), theme LowCardinality(String), near Float64, assigned DateTime64(3, 'UTC'))
    ENGINE = ReplacingMergeTree(assigned) ORDER BY conversation SETTINGS non_replicated_deduplication_window = 2000`,
  ],
};

export const themeTables: readonly TableDoc[] = [topics];
