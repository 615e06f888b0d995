import type { Incoming, IncomingEvent } from "#records/events/incoming.ts";

/** A request body, decoded: whose key it carries and what it says. */
export interface Decoded {
  readonly writeKey: string | undefined;
  readonly items: readonly Incoming[];
  /** When the sender says it sent this, by its own clock. */
  readonly sentAt: number | undefined;
}

export type Fields = Readonly<Record<string, unknown>>;

/** A fault of one event inside a decoder; the others of its batch go on. */
export class EventFault extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The object there, or an empty one where nothing is; a fault where something else is. */
export const fieldsAt = (parent: Fields, name: string): Fields => {
  const value = parent[name];
  if (value === undefined || value === null) return {};
  if (isFields(value)) return value;
  throw new EventFault(
    "event.wrong_type",
    `${name} must be an object; it is ${Array.isArray(value) ? "a list" : typeof value}.`,
  );
};

/** Text there (a number counts as its digits), undefined where nothing is; a fault where something else is. */
export const textAt = (parent: Fields, name: string): string | undefined => {
  const value = parent[name];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  throw new EventFault(
    "event.wrong_type",
    `${name} must be text; it is ${Array.isArray(value) ? "a list" : typeof value}.`,
  );
};

/** Milliseconds from ISO 8601 text, or from a number of seconds or milliseconds. NaN where it cannot be read. */
export const timeOf = (value: unknown): number | undefined => {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "number") return value < 100_000_000_000 ? value * 1000 : value;
  if (typeof value !== "string") return Number.NaN;
  if (/^\d+(\.\d+)?$/.test(value)) return timeOf(Number(value));
  // text without a zone means UTC, not the zone of this machine
  const zoned = /(Z|[+-]\d\d:?\d\d)$/i.test(value) || !/\d[T ]\d/.test(value);
  return Date.parse(zoned ? value : `${value.replace(" ", "T")}Z`);
};

export const without = (fields: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));

/** Drops what is undefined, so that absent context leaves no trace. */
export const present = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));

/** Decodes each item by itself: a faulty one keeps its place in the batch, and the others go on. */
export const decodeEach = (items: readonly unknown[], decode: (item: Fields) => IncomingEvent): Incoming[] =>
  items.map((item) => {
    try {
      if (isFields(item)) return decode(item);
      const given = Array.isArray(item) ? "a list" : typeof item;
      throw new EventFault("event.not_an_object", `An event must be an object; this is ${given}.`);
    } catch (error) {
      if (!(error instanceof EventFault)) throw error;
      return { fault: { reason: error.reason, message: error.message }, body: item };
    }
  });

/** Groups of a vendor, by type: the one that stands for the customer's company. */
export const accountAmong = (groups: Fields): string | undefined => {
  const names = ["account", "company", "organization", "organisation", "workspace", "team", ...Object.keys(groups)];
  for (const name of names) {
    const value = groups[name];
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof first === "string" && first !== "") return first;
    if (typeof first === "number") return String(first);
  }
  return undefined;
};
