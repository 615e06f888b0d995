import { z } from "zod";
import type { Keys } from "#records/people/keys.ts";
import {
  correctedTime,
  listOperations,
  storable,
  type EventSource,
  type IncomingEvent,
  type TraitChange,
} from "./incoming.ts";

/**
 * One line of the journal: what must be known to place an event (meta), a tab, and the event's row as the store takes
 * it, less the actor, which is decided when its turn comes. JSON text never holds a raw tab, so the cut is safe.
 */
export interface Meta {
  /** Workspace. */
  readonly w: string;
  /** When it was received, milliseconds. */
  readonly r: number;
  /** Source. */
  readonly s: string;
  /** Key of the message id. */
  readonly m?: string | undefined;
  /** Raw ids: user, anonymous, earlier. */
  readonly u?: string | undefined;
  readonly d?: string | undefined;
  readonly o?: string | undefined;
  /** 1 where the source attributes anonymous events to the last user of the device. */
  readonly l?: 1 | undefined;
  /** Trait changes: subject, account, op, trait, kind, value, at. */
  readonly t?: readonly TraitRow[] | undefined;
  /** A refused event: reason, message, body. */
  readonly x?: readonly [reason: string, message: string, body: string] | undefined;
  /** Ways in which it was not as agreed: event, rule, path, keyword, expected, actual type, contract, version, action, library, release. */
  readonly v?: readonly BreachRow[] | undefined;
  /** An event that is held: its key, name, body and why. */
  readonly q?: readonly [id: string, event: string, body: string, breaches: string] | undefined;
  /** An admin's decision about identity: kind, actor, into, by. */
  readonly g?: readonly [kind: "merge" | "unlink", actor: string, into: string, by: string] | undefined;
}

type TraitRow = readonly [
  subject: string,
  account: string,
  op: string,
  trait: string,
  kind: string,
  value: string,
  at: string,
];

export type BreachRow = readonly [
  event: string,
  rule: string,
  path: string,
  keyword: string,
  expected: string,
  actual: string,
  contract: string,
  version: string,
  action: string,
  library: string,
  release: string,
];

const text = z.string();
// a journal of an earlier version knows neither library nor release
const BreachRow = z.tuple([text, text, text, text, text, text, text, text, text, text.default(""), text.default("")]); // prettier-ignore
const TraitRow = z.tuple([z.string(), z.string(), z.string(), z.string(), z.string(), z.string(), z.string()]);
const MetaLine = z.object({
  w: z.string(),
  r: z.number(),
  s: z.string(),
  m: z.string().optional(),
  u: z.string().optional(),
  d: z.string().optional(),
  o: z.string().optional(),
  l: z.literal(1).optional(),
  t: z.array(TraitRow).optional(),
  x: z.tuple([z.string(), z.string(), z.string()]).optional(),
  v: z.array(BreachRow).optional(),
  q: z.tuple([z.string(), z.string(), z.string(), z.string()]).optional(),
  g: z.tuple([z.enum(["merge", "unlink"]), z.string(), z.string(), z.string()]).optional(),
});

export type ValueKind = "text" | "number" | "boolean" | "list" | "object";

export const kindOf = (value: unknown): ValueKind => {
  if (Array.isArray(value)) return "list";
  if (typeof value === "object") return "object";
  return typeof value === "number" ? "number" : typeof value === "boolean" ? "boolean" : "text";
};

/** A value as the store compares it: text as it is, everything else as JSON. */
export const textOf = (value: unknown): string => (typeof value === "string" ? value.toWellFormed() : storable(value));

const isListOperation = (op: TraitChange["op"]): boolean => listOperations.some((one) => one === op);

const traitRows = (subject: string, account: string, changes: readonly TraitChange[], at: string): TraitRow[] =>
  changes.flatMap(({ op, traits }) =>
    Object.entries(traits)
      .filter(([, value]) => value !== undefined && (value !== null || op === "unset"))
      .map(([trait, given]): TraitRow => {
        const value = isListOperation(op) && !Array.isArray(given) ? [given] : given; // one item, or a list of them
        return [subject, account, op, trait, kindOf(value), op === "unset" ? "" : textOf(value), at];
      }),
  );

/** The journal line of an event that passed its checks. `row` is absent for a call that is no event. */
export const lineOf = (
  event: IncomingEvent,
  source: EventSource,
  keys: Keys,
  received: number,
  sentAt?: number,
  breaches?: readonly BreachRow[],
): string => {
  const at = new Date(correctedTime(event.at, sentAt, received)).toISOString();
  const message = event.messageId === undefined ? undefined : keys.message(event.messageId);
  const traits = [
    ...traitRows("person", "", event.personTraits ?? [], at),
    ...traitRows("account", event.account ?? "", event.accountTraits ?? [], at),
  ];
  const meta: Meta = {
    w: source.workspace,
    r: received,
    s: source.id,
    m: message,
    u: event.userId,
    d: event.anonymousId,
    o: event.alias,
    l: source.identity === "last_user" ? 1 : undefined,
    t: traits.length > 0 ? traits : undefined,
    v: breaches === undefined || breaches.length === 0 ? undefined : breaches,
  };
  if (event.name === undefined) return storable(meta);
  const row = {
    event: event.name,
    at,
    message: message ?? "0",
    source: source.id,
    product: source.product,
    session: event.session ?? "",
    account: event.account ?? "",
    properties: withoutEmptyKey(event.properties ?? {}),
    received: new Date(received).toISOString(),
  };
  return `${storable(meta)}\t${storable(row)}`;
};

/** The engine's JSON column has no place for a nameless key. */
const withoutEmptyKey = (properties: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  if (!("" in properties)) return properties;
  const { "": nameless, ...named } = properties;
  return { ...named, "(nameless)": nameless };
};

export const readLine = (line: string): { meta: Meta; row: string | undefined } => {
  const tab = line.indexOf("\t");
  const meta: unknown = JSON.parse(tab < 0 ? line : line.slice(0, tab));
  return { meta: MetaLine.parse(meta), row: tab < 0 ? undefined : line.slice(tab + 1) };
};

/** The row with the actor put in. */
export const placed = (row: string, actor: string): string => `{"actor":"${actor}",${row.slice(1)}`;
