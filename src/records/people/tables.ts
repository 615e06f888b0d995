import type { TableDoc } from "#kernel/module.ts";
import { sql } from "#kernel/sql.ts";

const remembered = sql`non_replicated_deduplication_window = 2000`;

const identities: TableDoc = {
  name: "identities",
  grain: "One raw identifier. The only place where raw identifiers of people are kept.",
  people: { keys: ["actor"] },
  columns: {
    actor: { type: "UInt64", meaning: "Our key of the identifier.", class: "internal" },
    id: { type: "String", meaning: "The identifier as the sender knows it.", class: "personal" },
    kind: { type: "LowCardinality(String)", meaning: "identified or anonymous.", class: "internal" },
    seen: { type: "DateTime64(3, 'UTC')", meaning: "When it was first noted as this kind.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS identities (
      actor UInt64, id String, kind LowCardinality(String), seen DateTime64(3, 'UTC')
    ) ENGINE = ReplacingMergeTree ORDER BY (actor, kind)
    SETTINGS ${remembered}`,
  ],
};

const identityLog: TableDoc = {
  name: "identity_log",
  grain: "One change of who an id belongs to: link, merge, or the undoing of one.",
  people: { keys: ["actor", "parent"] },
  columns: {
    sequence: { type: "UInt64", meaning: "Order of the changes; later wins.", class: "internal" },
    kind: { type: "LowCardinality(String)", meaning: "link, merge, unlink or refused.", class: "internal" },
    actor: { type: "UInt64", meaning: "The id that joins (or leaves).", class: "internal" },
    parent: { type: "UInt64", meaning: "The id that it joins; itself when it leaves.", class: "internal" },
    at: { type: "DateTime64(3, 'UTC')", meaning: "When it was decided.", class: "internal" },
    by: { type: "String", meaning: "Source or member who caused it.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS identity_log (
      sequence UInt64, kind LowCardinality(String), actor UInt64, parent UInt64, at DateTime64(3, 'UTC'), by String
    ) ENGINE = MergeTree ORDER BY (actor, sequence)
    SETTINGS ${remembered}`,
  ],
};

/** The log, resolved: only ids that belong to another id's person. Loaded into a dictionary that reads use. */
const identityOverrides: TableDoc = {
  name: "identity_overrides",
  grain: "One known id and the person it belongs to; the newest version counts.",
  people: { keys: ["actor", "person"] },
  columns: {
    actor: { type: "UInt64", meaning: "Key of the known id.", class: "internal" },
    person: { type: "UInt64", meaning: "Key of the id that stands for the person.", class: "internal" },
    version: { type: "UInt64", meaning: "Order of the changes; later wins.", class: "internal" },
  },
  create: (database) => [
    sql`CREATE TABLE IF NOT EXISTS identity_overrides (actor UInt64, person UInt64, version UInt64)
    ENGINE = ReplacingMergeTree(version) ORDER BY actor
    SETTINGS ${remembered}`,
    sql`CREATE DICTIONARY IF NOT EXISTS identity_of (actor UInt64, person UInt64) PRIMARY KEY actor
    SOURCE(CLICKHOUSE(QUERY 'SELECT actor, argMax(person, version) AS person FROM ${database}.identity_overrides GROUP BY actor'))
    LAYOUT(HASHED()) LIFETIME(0)`,
  ],
};

const traitChanges: TableDoc = {
  name: "trait_changes",
  grain: "One change of one trait of one known id or account.",
  people: { keys: ["actor"] },
  columns: {
    subject: { type: "LowCardinality(String)", meaning: "person or account.", class: "internal" },
    trait: { type: "String", meaning: "Name of the trait.", class: "internal" },
    actor: { type: "UInt64", meaning: "Key of the known id; 0 for an account.", class: "internal" },
    account: { type: "String", meaning: "Account id; empty for a person.", class: "internal" },
    at: { type: "DateTime64(3, 'UTC')", meaning: "When it changed.", class: "internal" },
    op: {
      type: "LowCardinality(String)",
      meaning: "set, set_once, unset, add, append, prepend, union or remove.",
      class: "internal",
    },
    kind: { type: "LowCardinality(String)", meaning: "text, number, boolean, list or object.", class: "internal" },
    value: { type: "String", meaning: "The value as text; JSON for lists and objects.", class: "personal" },
    received: { type: "DateTime64(3, 'UTC')", meaning: "When it arrived.", class: "internal" },
    source: { type: "LowCardinality(String)", meaning: "Source that it came through.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS trait_changes (
      subject LowCardinality(String), trait String, actor UInt64, account String, at DateTime64(3, 'UTC'),
      op LowCardinality(String), kind LowCardinality(String), value String, received DateTime64(3, 'UTC') DEFAULT at, source LowCardinality(String),
      INDEX by_actor actor TYPE bloom_filter(0.01) GRANULARITY 1
    ) ENGINE = MergeTree ORDER BY (subject, trait, actor, account, at)
    SETTINGS ${remembered}`,
    // of a workspace that is older than this column
    sql`ALTER TABLE trait_changes ADD COLUMN IF NOT EXISTS received DateTime64(3, 'UTC') DEFAULT at,
      ADD COLUMN IF NOT EXISTS source LowCardinality(String)`,
  ],
};

const deviceUsers: TableDoc = {
  name: "device_users",
  grain: "One device and the user who was last seen on it, for sources that attribute by last user.",
  people: { keys: ["device", "user"] },
  columns: {
    device: { type: "UInt64", meaning: "Key of the device's id.", class: "internal" },
    user: { type: "UInt64", meaning: "Key of the user's id.", class: "internal" },
    version: { type: "UInt64", meaning: "Order of the changes; later wins.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS device_users (device UInt64, user UInt64, version UInt64)
    ENGINE = ReplacingMergeTree(version) ORDER BY device
    SETTINGS ${remembered}`,
  ],
};

export const peopleTables: readonly TableDoc[] = [
  identities,
  identityLog,
  identityOverrides,
  traitChanges,
  deviceUsers,
];
