import type { TableDoc } from "#kernel/module.ts";
import { sql } from "#kernel/sql.ts";

const readings: TableDoc = {
  name: "voice_readings",
  grain:
    "What customers say in one conversation, as it stood: one item of each list is one statement; the newest counts.",
  people: { keys: ["actor"] },
  columns: {
    conversation: { type: "String", meaning: "Conversation that was read.", class: "internal" },
    content: { type: "String", meaning: "Which parts it had then.", class: "internal" },
    model: {
      type: "LowCardinality(String)",
      meaning: "By which reader, and which finding of themes.",
      class: "internal",
    },
    actor: { type: "UInt64", meaning: "Key of the customer's id.", class: "internal" },
    parts: { type: "Array(String)", meaning: "Part in which each is.", class: "internal" },
    starts: { type: "Array(UInt32)", meaning: "Where each begins in the text, in UTF-16 units.", class: "internal" },
    ends: { type: "Array(UInt32)", meaning: "Where each ends, outside.", class: "internal" },
    types: { type: "Array(LowCardinality(String))", meaning: "problem, request, praise or job.", class: "internal" },
    sentiments: { type: "Array(Float32)", meaning: "-1 to 1.", class: "internal" },
    themes: { type: "Array(LowCardinality(String))", meaning: "Theme of each; empty for none.", class: "internal" },
    jobs: { type: "Array(String)", meaning: "Of a job: places of when, want and so, as JSON; empty for others.", class: "internal" }, // prettier-ignore
    at: { type: "DateTime64(3, 'UTC')", meaning: "When the last of these parts was written.", class: "internal" },
    made: { type: "DateTime64(3, 'UTC')", meaning: "When it was read.", class: "internal" },
    keys: { type: "Array(String)", meaning: "Of each: the same for the same words.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS voice_readings (
      conversation String, content String, model LowCardinality(String), actor UInt64, parts Array(String), starts Array(UInt32), ends Array(UInt32), types Array(LowCardinality(String)),
      sentiments Array(Float32), themes Array(LowCardinality(String)), jobs Array(String), at DateTime64(3, 'UTC'), made DateTime64(3, 'UTC')
    ) ENGINE = ReplacingMergeTree(made) ORDER BY conversation SETTINGS non_replicated_deduplication_window = 2000`,
    sql`ALTER TABLE voice_readings ADD COLUMN IF NOT EXISTS keys Array(String)`,
  ],
};

export const voiceTables: readonly TableDoc[] = [readings];
