import type { TableDoc } from "#kernel/module.ts";
import { sql } from "#kernel/sql.ts";

const scores: TableDoc = {
  name: "cx_scores",
  grain:
    "One conversation as it stood, scored by one version of the model. Nothing in it is ever changed: what is scored again is another row.",
  people: { keys: ["actor"] },
  columns: {
    conversation: { type: "String", meaning: "Conversation that was scored.", class: "internal" },
    model: { type: "LowCardinality(String)", meaning: "Version of the scorer.", class: "internal" },
    content: { type: "String", meaning: "Which parts it had then.", class: "internal" },
    actor: { type: "UInt64", meaning: "Key of the customer's id.", class: "internal" },
    at: { type: "DateTime64(3, 'UTC')", meaning: "When the last of these parts was written.", class: "internal" },
    score: { type: "Nullable(Float64)", meaning: "1 to 5; null where it was not eligible.", class: "internal" },
    reason: { type: "LowCardinality(String)", meaning: "scored, or why not.", class: "internal" },
    language: { type: "LowCardinality(String)", meaning: "As it was told or found.", class: "internal" },
    limited: { type: "UInt8", meaning: "1 where words of the language mean nothing to the scorer.", class: "internal" },
    confidence: { type: "Float64", meaning: "0 to 1.", class: "internal" },
    other: { type: "Float64", meaning: "Points that no driver explains.", class: "internal" },
    ai: { type: "Nullable(Float64)", meaning: "How well the AI agent answered, 1 to 5.", class: "internal" },
    teammate: { type: "Nullable(Float64)", meaning: "How well teammates answered, 1 to 5.", class: "internal" },
    drivers: { type: "Array(LowCardinality(String))", meaning: "Drivers that moved it.", class: "internal" },
    contributions: { type: "Array(Float64)", meaning: "Points of each of them.", class: "internal" },
    detail: { type: "String", meaning: "Drivers with strength, confidence and quotes (part id and offsets), as JSON.", class: "personal" }, // prettier-ignore
    summary: { type: "String", meaning: "What happened, in its own words.", class: "personal" },
    scored: { type: "DateTime64(3, 'UTC')", meaning: "When it was scored.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS cx_scores (
      conversation String, model LowCardinality(String), content String, actor UInt64, at DateTime64(3, 'UTC'),
      score Nullable(Float64), reason LowCardinality(String), language LowCardinality(String), limited UInt8, confidence Float64,
      other Float64, ai Nullable(Float64), teammate Nullable(Float64), drivers Array(LowCardinality(String)),
      contributions Array(Float64), detail String CODEC(ZSTD(3)), summary String CODEC(ZSTD(3)), scored DateTime64(3, 'UTC')
    ) ENGINE = ReplacingMergeTree(scored) ORDER BY (conversation, model, content) SETTINGS non_replicated_deduplication_window = 2000`,
  ],
};

const labels: TableDoc = {
  name: "cx_labels",
  grain: "What one person of the workspace said of a conversation; the newest counts.",
  people: { keys: ["actor"] },
  columns: {
    conversation: { type: "String", meaning: "Conversation that was labelled.", class: "internal" },
    by: { type: "String", meaning: "Member who labelled it.", class: "internal" },
    actor: { type: "UInt64", meaning: "Key of the customer's id.", class: "internal" },
    label: { type: "Float64", meaning: "1 to 5.", class: "internal" },
    at: { type: "DateTime64(3, 'UTC')", meaning: "When it was said.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS cx_labels (conversation String, by String, actor UInt64, label Float64, at DateTime64(3, 'UTC'))
    ENGINE = ReplacingMergeTree(at) ORDER BY (conversation, by) SETTINGS non_replicated_deduplication_window = 2000`,
  ],
};

const judgements: TableDoc = {
  name: "cx_judgements",
  grain: "What a language model said of a conversation as it stood, in one of its runs.",
  people: { keys: ["actor"] },
  columns: {
    conversation: { type: "String", meaning: "Conversation that was judged.", class: "internal" },
    content: { type: "String", meaning: "Which parts it had then.", class: "internal" },
    actor: { type: "UInt64", meaning: "Key of the customer's id.", class: "internal" },
    judge: { type: "LowCardinality(String)", meaning: "Model, and version of what it was asked.", class: "internal" },
    run: { type: "UInt8", meaning: "1, or 2 where it was asked twice.", class: "internal" },
    score: { type: "Nullable(Float64)", meaning: "1 to 5; null where no answer could be used.", class: "internal" },
    reason: { type: "String", meaning: "Why, in its words.", class: "personal" },
    problem: { type: "String", meaning: "Why no answer could be used.", class: "internal" },
    detail: { type: "String", meaning: "Drivers with quotes (part id and offsets), as JSON.", class: "internal" },
    quoted: { type: "UInt16", meaning: "Quotes that it gave.", class: "internal" },
    found: { type: "UInt16", meaning: "Of these, in the text word for word.", class: "internal" },
    tokens_in: { type: "UInt32", meaning: "Tokens that were sent.", class: "internal" },
    tokens_out: { type: "UInt32", meaning: "Tokens that came back.", class: "internal" },
    at: { type: "DateTime64(3, 'UTC')", meaning: "When it was asked.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS cx_judgements (
      conversation String, content String, actor UInt64, judge LowCardinality(String), run UInt8, score Nullable(Float64), reason String CODEC(ZSTD(3)), problem String,
      detail String CODEC(ZSTD(3)), quoted UInt16, found UInt16, tokens_in UInt32, tokens_out UInt32, at DateTime64(3, 'UTC')
    ) ENGINE = ReplacingMergeTree(at) ORDER BY (conversation, judge, content, run) SETTINGS non_replicated_deduplication_window = 2000`,
  ],
};

export const cxTables: readonly TableDoc[] = [scores, labels, judgements];
