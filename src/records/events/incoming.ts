import type { IdentityPolicy } from "#records/people/identity.ts";

/** Operations on a trait that is a list: items at its end, at its beginning, at its end unless there, or taken out. */
export const listOperations = ["append", "prepend", "union", "remove"] as const;
export type ListOperation = (typeof listOperations)[number];

/** A change of traits, in the words that all vendors share. */
export interface TraitChange {
  readonly op: "set" | "set_once" | "unset" | "add" | ListOperation;
  readonly traits: Readonly<Record<string, unknown>>;
}

/**
 * What every vendor's format is decoded to: one thing that a sender said. It may be an event, a change of a person's
 * or account's traits, a statement that two ids are one person, or several of these at once.
 */
export interface IncomingEvent {
  /** Name of the event; absent for a call that only says something about a person or account. */
  readonly name?: string | undefined;
  /** Milliseconds since the epoch by the sender's clock; absent for "now". */
  readonly at?: number | undefined;
  /** By which a repeat is recognised, within the workspace. */
  readonly messageId?: string | undefined;
  readonly userId?: string | undefined;
  readonly anonymousId?: string | undefined;
  /** An earlier id that is the same person: `previousId` of an alias, `$anon_distinct_id` of an identify. */
  readonly alias?: string | undefined;
  readonly account?: string | undefined;
  readonly session?: string | undefined;
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
  readonly personTraits?: readonly TraitChange[] | undefined;
  readonly accountTraits?: readonly TraitChange[] | undefined;
  /** Purposes that the person agreed to, or did not, as the sender says with the event. */
  readonly consent?: Readonly<Record<string, boolean>> | undefined;
  /** Their browser sent Global Privacy Control with it. */
  readonly optedOut?: boolean | undefined;
}

/** What was wrong with one thing that was sent: a stable code, and what, where and what to do. */
export interface Fault {
  readonly reason: string;
  readonly message: string;
}

/** Something that could not be decoded, with what came. */
export interface Undecodable {
  readonly fault: Fault;
  readonly body: unknown;
}

/** One item of a batch, in the order in which the sender gave them. */
export type Incoming = IncomingEvent | Undecodable;

/** Where events come from, as the pipeline needs to know it. */
export interface EventSource {
  readonly id: string;
  readonly workspace: string;
  readonly product: string;
  readonly identity: IdentityPolicy;
}

/** Why one event of a batch was not taken. `index` is its place in what the caller sent. */
export interface Rejection extends Fault {
  readonly index: number;
}

const limit = { name: 200, id: 500, properties: 2_000, depth: 20, bytes: 1_000_000 };
const hour = 3_600_000;
const earliest = Date.parse("1971-01-01");

/** What is wrong with an event, or undefined. Never throws, whatever it is given. */
export const faultOf = (event: IncomingEvent): Fault | undefined => {
  const fault = (reason: string, message: string) => ({ reason, message });
  if (event.name !== undefined && (event.name === "" || event.name.length > limit.name)) {
    return fault("event.name", `The event name must have 1 to ${limit.name} characters; it has ${event.name.length}.`);
  }
  const ids = [event.userId, event.anonymousId, event.alias, event.account, event.session, event.messageId];
  const long = ids.find((id) => id !== undefined && id.length > limit.id);
  if (long !== undefined)
    return fault("event.id_too_long", `An id may have ${limit.id} characters; one has ${long.length}.`);
  if (event.userId === undefined && event.anonymousId === undefined && event.accountTraits === undefined) {
    return fault("event.no_id", "The event names neither a user nor an anonymous id, so it belongs to nobody.");
  }
  if (event.at !== undefined && (!Number.isFinite(event.at) || event.at < earliest)) {
    return fault("event.time", "The timestamp cannot be read, or lies before 1971. Send ISO 8601 or milliseconds.");
  }
  return shapeFault(event.properties ?? {}) ?? shapeFaultOfTraits(event);
};

const shapeFaultOfTraits = (event: IncomingEvent) =>
  [...(event.personTraits ?? []), ...(event.accountTraits ?? [])]
    .map((change) => shapeFault(change.traits))
    .find((fault) => fault !== undefined);

/** Walks with a stack of its own, so that a deep body cannot exhaust ours. */
const shapeFault = (root: unknown): Fault | undefined => {
  const stack: [value: unknown, depth: number][] = [[root, 0]];
  let count = 0;
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const [value, depth] = item;
    if (typeof value !== "object" || value === null) continue;
    if (depth > limit.depth) {
      return { reason: "event.too_deep", message: `Properties may nest ${limit.depth} levels; these go deeper.` };
    }
    const inside = Object.values(value);
    count += inside.length;
    if (count > limit.properties) {
      return {
        reason: "event.too_many_properties",
        message: `An event may hold ${limit.properties} values; this holds more.`,
      };
    }
    for (const part of inside) stack.push([part, depth + 1]);
  }
  return undefined;
};

/**
 * The time of an event by our clock: the sender's time moved by how far the sender's clock was off when it sent
 * (Segment's rule: received − sentAt). What then still lies over an hour ahead happened no later than its arrival.
 */
export const correctedTime = (at: number | undefined, sentAt: number | undefined, received: number): number => {
  if (at === undefined) return received;
  const moved = sentAt === undefined || !Number.isFinite(sentAt) ? at : at + (received - sentAt);
  return moved > received + hour ? received : Math.max(moved, earliest);
};

/** JSON for the store: lone surrogates are replaced, since neither UTF-8 nor the engine can hold them. */
export const storable = (value: unknown): string => {
  const json = JSON.stringify(value);
  return json.includes("\\ud") ? json.replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, "$1\ufffd") : json;
};

/** What came, for people to read: never throws, however odd or deep the value is. */
export const shownText = (value: unknown, limit: number): string => {
  if (typeof value === "string") return value.slice(0, limit).toWellFormed();
  try {
    return (storable(value) ?? "").slice(0, limit).toWellFormed();
  } catch {
    return "(nested too deep to show)";
  }
};

export const maxEventBytes = limit.bytes;
