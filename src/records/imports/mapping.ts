import type { Row } from "./rows.ts";

/** Which column holds what. Every other column is a property (or a trait). */
export interface Mapping {
  readonly event?: string | undefined;
  readonly time?: string | undefined;
  readonly userId?: string | undefined;
  readonly anonymousId?: string | undefined;
  readonly account?: string | undefined;
}

/** What the rows are, beside what their columns say. */
export interface RowKind {
  /** The rows describe people, and are no events. */
  readonly traits: boolean;
  /** Name of the event where no column holds one. */
  readonly event?: string | undefined;
}

const usual = {
  event: ["event", "event_name", "event_type", "name"],
  time: ["time", "timestamp", "at", "date", "created_at", "occurred_at"],
  userId: ["userid", "user_id", "distinct_id", "customer_id", "person_id", "email"],
  anonymousId: ["anonymousid", "anonymous_id", "device_id", "visitor_id"],
  account: ["account", "account_id", "company", "company_id", "group_id"],
} as const satisfies Record<keyof Mapping, readonly string[]>;

export const mappable = Object.keys(usual) as (keyof Mapping)[]; // the keys written just above

/** For each meaning the first column with a usual name. What describes people has no event names. */
export const guessMapping = (columns: readonly string[], traits: boolean): Mapping => {
  const find = (field: keyof Mapping): string | undefined =>
    usual[field]
      .map((name) => columns.find((column) => column.toLowerCase() === name))
      .find((column) => column !== undefined);
  const fields = traits ? mappable.filter((field) => field !== "event") : mappable;
  return Object.fromEntries(fields.map((field) => [field, find(field)]));
};

/** Text of a CSV cell as what it says: numbers and truth values; an id with a leading zero stays text. */
const cellValue = (text: unknown): unknown => {
  if (typeof text !== "string") return text;
  if (text === "true" || text === "false") return text === "true";
  return /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text) ? Number(text) : text;
};

const textOf = (value: unknown): string | undefined => {
  if (value === undefined || value === null || value === "") return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
};

/** A row as an event of `POST /v1/events`. */
export const eventOf = (row: Row, mapping: Mapping, kind: RowKind, id: string) => {
  const at = (field: keyof Mapping): unknown => (mapping[field] === undefined ? undefined : row[mapping[field]]);
  const taken = new Set(Object.values(mapping));
  const rest = Object.fromEntries(
    Object.entries(row)
      .filter(([name, value]) => !taken.has(name) && value !== "")
      .map(([name, value]) => [name, cellValue(value)]),
  );
  const time = at("time");
  const who = {
    id,
    time: typeof time === "number" ? time : textOf(time),
    userId: textOf(at("userId")),
    anonymousId: textOf(at("anonymousId")),
    account: textOf(at("account")),
  };
  if (kind.traits) return { ...who, person: { set: rest } };
  return { ...who, event: textOf(at("event")) ?? kind.event ?? "", properties: rest };
};
