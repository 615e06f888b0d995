import type { TableDoc } from "#kernel/module.ts";
import { sql } from "#kernel/sql.ts";

/** Blocks remembered per table, so that a batch that is sent again after a crash changes nothing. */
const remembered = sql`non_replicated_deduplication_window = 2000`;

/** Sorted for behavioural questions: one event's rows of one person lie together and in order of time. */
const events: TableDoc = {
  name: "events",
  grain: "One accepted event. Nothing in it is ever updated.",
  people: { keys: ["actor"] },
  columns: {
    event: { type: "LowCardinality(String)", meaning: "Name of what happened.", class: "internal" },
    actor: {
      type: "UInt64",
      meaning: "Key of the known id that acted; resolves to a person at read.",
      class: "internal",
    },
    at: {
      type: "DateTime64(3, 'UTC')",
      meaning: "When it happened, corrected for the sender's clock.",
      class: "internal",
    },
    message: { type: "UInt64", meaning: "Key of the message id, by which repeats are recognised.", class: "internal" },
    source: { type: "LowCardinality(String)", meaning: "Source that it came through.", class: "internal" },
    product: { type: "LowCardinality(String)", meaning: "Product line that it belongs to.", class: "internal" },
    session: { type: "String", meaning: "Session id given by the sender; empty for none.", class: "internal" },
    account: { type: "String", meaning: "Account id that it happened in; empty for none.", class: "internal" },
    properties: { type: "JSON(max_dynamic_paths = 256)", meaning: "What the sender said about it.", class: "personal" },
    received: { type: "DateTime64(3, 'UTC')", meaning: "When it arrived.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS events (
      event LowCardinality(String),
      actor UInt64,
      at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
      message UInt64 CODEC(NONE),
      source LowCardinality(String),
      product LowCardinality(String),
      session String CODEC(ZSTD(1)),
      account String CODEC(ZSTD(1)),
      properties JSON(max_dynamic_paths = 256),
      received DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
      INDEX by_actor actor TYPE bloom_filter(0.01) GRANULARITY 1,
      INDEX by_account account TYPE bloom_filter(0.01) GRANULARITY 1,
      INDEX by_received received TYPE minmax GRANULARITY 1
    ) ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (event, actor, at)
    SETTINGS ${remembered}`,
  ],
};

const activityDaily: TableDoc = {
  name: "activity_daily",
  derived: true,
  grain: "One known id, one event name, one UTC day.",
  people: { keys: ["actor"] },
  columns: {
    event: { type: "LowCardinality(String)", meaning: "Name of what happened.", class: "internal" },
    actor: { type: "UInt64", meaning: "Key of the known id that acted.", class: "internal" },
    day: { type: "Date", meaning: "Day in UTC.", class: "internal" },
    events: { type: "SimpleAggregateFunction(sum, UInt64)", meaning: "How many.", class: "internal" },
    first: {
      type: "SimpleAggregateFunction(min, DateTime64(3, 'UTC'))",
      meaning: "The first of them.",
      class: "internal",
    },
    last: {
      type: "SimpleAggregateFunction(max, DateTime64(3, 'UTC'))",
      meaning: "The last of them.",
      class: "internal",
    },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS activity_daily (
      event LowCardinality(String),
      actor UInt64,
      day Date,
      events SimpleAggregateFunction(sum, UInt64),
      first SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
      last SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
    ) ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(day) ORDER BY (event, actor, day)
    SETTINGS ${remembered}`,
    sql`CREATE MATERIALIZED VIEW IF NOT EXISTS activity_daily_feed TO activity_daily AS
      SELECT event, actor, toDate(at) AS day, count() AS events, min(at) AS first, max(at) AS last
      FROM events GROUP BY event, actor, day`,
  ],
};

const eventNames: TableDoc = {
  name: "event_names",
  derived: true,
  grain: "One event name.",
  people: "nobody",
  columns: {
    event: { type: "LowCardinality(String)", meaning: "Name of what happened.", class: "internal" },
    events: { type: "SimpleAggregateFunction(sum, UInt64)", meaning: "How often, ever.", class: "internal" },
    last: {
      type: "SimpleAggregateFunction(max, DateTime64(3, 'UTC'))",
      meaning: "When it happened last.",
      class: "internal",
    },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS event_names (
      event LowCardinality(String),
      events SimpleAggregateFunction(sum, UInt64),
      last SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
    ) ENGINE = AggregatingMergeTree ORDER BY event
    SETTINGS ${remembered}`,
    // of a workspace that is older than this table
    sql`INSERT INTO event_names SELECT event, sum(events), max(last) FROM activity_daily
      WHERE (SELECT count() FROM event_names) = 0 GROUP BY event`,
    sql`CREATE MATERIALIZED VIEW IF NOT EXISTS event_names_feed TO event_names AS
      SELECT event, count() AS events, max(at) AS last FROM events GROUP BY event`,
  ],
};

const seenMessages: TableDoc = {
  name: "seen_messages",
  grain: "One message id that was accepted in the last eight days.",
  people: "nobody",
  columns: {
    message: { type: "UInt64", meaning: "Key of the message id.", class: "internal" },
    batch: { type: "UInt64", meaning: "First journal frame of the batch that brought it.", class: "internal" },
    received: { type: "DateTime", meaning: "When it arrived.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS seen_messages (message UInt64 CODEC(NONE), batch UInt64, received DateTime)
    ENGINE = MergeTree PARTITION BY toDate(received) ORDER BY message
    SETTINGS index_granularity = 512, ${remembered}`,
  ],
};

const propertyValues: TableDoc = {
  name: "property_values",
  grain: "One value of one property of one event (or of people), seen lately.",
  people: { value: "value" },
  columns: {
    event: { type: "LowCardinality(String)", meaning: "Event name; empty for a trait of people.", class: "internal" },
    property: { type: "String", meaning: "Property name.", class: "internal" },
    kind: { type: "LowCardinality(String)", meaning: "text, number, boolean, list or object.", class: "internal" },
    value: { type: "String", meaning: "The value as text, at most 100 characters.", class: "personal" },
    last: { type: "DateTime", meaning: "When it was last noted.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS property_values (
      event LowCardinality(String), property String, kind LowCardinality(String), value String, last DateTime
    ) ENGINE = ReplacingMergeTree(last) ORDER BY (event, property, kind, value)
    SETTINGS ${remembered}`,
  ],
};

const deadLetters: TableDoc = {
  name: "dead_letters",
  grain: "One event that was refused, with its reason and its body.",
  people: { text: "body" },
  columns: {
    received: { type: "DateTime64(3, 'UTC')", meaning: "When it arrived.", class: "internal" },
    source: { type: "LowCardinality(String)", meaning: "Source that it came through.", class: "internal" },
    reason: { type: "LowCardinality(String)", meaning: "Stable code of what was wrong.", class: "internal" },
    message: { type: "String", meaning: "What was wrong, where, and what to do.", class: "internal" },
    body: { type: "String", meaning: "The event as it came, cut at 32,768 characters.", class: "restricted" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS dead_letters (
      received DateTime64(3, 'UTC'), source LowCardinality(String), reason LowCardinality(String), message String, body String
    ) ENGINE = MergeTree PARTITION BY toYYYYMM(received) ORDER BY received
    TTL toDateTime(received) + INTERVAL 90 DAY
    SETTINGS ${remembered}`,
  ],
};

const violations: TableDoc = {
  name: "violations",
  grain: "One way in which one event was not as was agreed. It holds no value.",
  people: "nobody",
  columns: {
    received: { type: "DateTime64(3, 'UTC')", meaning: "When the event arrived.", class: "internal" },
    source: { type: "LowCardinality(String)", meaning: "Source that it came through.", class: "internal" },
    event: { type: "LowCardinality(String)", meaning: "Name of the event.", class: "internal" },
    rule: { type: "LowCardinality(String)", meaning: "Kind of rule, or masked.", class: "internal" },
    path: { type: "String", meaning: "JSON Pointer into the event.", class: "internal" },
    keyword: { type: "LowCardinality(String)", meaning: "Rule of the schema, or type of data.", class: "internal" },
    expected: { type: "String", meaning: "What the contract wants.", class: "internal" },
    actual: { type: "LowCardinality(String)", meaning: "JSON type of what came.", class: "internal" },
    contract: { type: "LowCardinality(String)", meaning: "Id of the contract; empty for none.", class: "internal" },
    version: { type: "LowCardinality(String)", meaning: "Version of the contract.", class: "internal" },
    action: { type: "LowCardinality(String)", meaning: "What became of the event.", class: "internal" },
    library: { type: "LowCardinality(String)", meaning: "SDK that sent it, with its version.", class: "internal" },
    release: { type: "LowCardinality(String)", meaning: "Version of the app that sent it.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS violations (
      received DateTime64(3, 'UTC'), source LowCardinality(String), event LowCardinality(String), rule LowCardinality(String),
      path String, keyword LowCardinality(String), expected String, actual LowCardinality(String),
      contract LowCardinality(String), version LowCardinality(String), action LowCardinality(String),
      library LowCardinality(String), release LowCardinality(String)
    ) ENGINE = MergeTree PARTITION BY toYYYYMM(received) ORDER BY (event, rule, path, received)
    TTL toDateTime(received) + INTERVAL 90 DAY
    SETTINGS ${remembered}`,
    sql`ALTER TABLE violations ADD COLUMN IF NOT EXISTS library LowCardinality(String), ADD COLUMN IF NOT EXISTS release LowCardinality(String)`,
  ],
};

const quarantine: TableDoc = {
  name: "quarantine",
  grain: "One event that is held, by the key of its message; the newest state counts.",
  people: { text: "body" },
  columns: {
    id: { type: "UInt64", meaning: "Key of the message id, or a number of its own.", class: "internal" },
    received: { type: "DateTime64(3, 'UTC')", meaning: "When it arrived.", class: "internal" },
    source: { type: "LowCardinality(String)", meaning: "Source that it came through.", class: "internal" },
    event: { type: "LowCardinality(String)", meaning: "Name of the event.", class: "internal" },
    body: { type: "String", meaning: "The event, with what is personal or secret masked.", class: "personal" },
    breaches: { type: "String", meaning: "Why it is held, as JSON.", class: "internal" },
    state: { type: "LowCardinality(String)", meaning: "held or replayed.", class: "internal" },
    changed: { type: "DateTime64(3, 'UTC')", meaning: "Since when it is in that state.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS quarantine (
      id UInt64, received DateTime64(3, 'UTC'), source LowCardinality(String), event LowCardinality(String),
      body String, breaches String, state LowCardinality(String), changed DateTime64(3, 'UTC')
    ) ENGINE = ReplacingMergeTree(changed) ORDER BY (event, id)
    TTL toDateTime(received) + INTERVAL 30 DAY
    SETTINGS ${remembered}`,
  ],
};

/** In the order in which they are made: the rollup reads the events. What came from a person is found by their events, so it is erased before them. */
export const eventTables: readonly TableDoc[] = [
  propertyValues,
  events,
  activityDaily,
  eventNames,
  seenMessages,
  deadLetters,
  violations,
  quarantine,
];
