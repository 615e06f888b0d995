import type { IncomingEvent, TraitChange } from "#records/events/incoming.ts";
import {
  decodeEach,
  EventFault,
  fieldsAt,
  isFields,
  textAt,
  timeOf,
  without,
  type Decoded,
  type Fields,
} from "./decoded.ts";

const machinery = ["token", "time", "distinct_id", "$insert_id", "$device_id", "$user_id", "mp_sent_by_lib_version"];
const operations: Readonly<Record<string, TraitChange["op"]>> = {
  $set: "set",
  $set_once: "set_once",
  $add: "add",
  $append: "append",
  $union: "union",
  $remove: "remove",
};

const whoOf = (properties: Fields): Partial<IncomingEvent> => {
  const user = textAt(properties, "$user_id");
  const device = textAt(properties, "$device_id");
  if (user !== undefined || device !== undefined) return { userId: user, anonymousId: device };
  const distinct = textAt(properties, "distinct_id");
  return { anonymousId: distinct?.startsWith("$device:") === true ? distinct.slice(8) : distinct };
};

/** Statements about who is who; they are no events. */
const joins: Readonly<Record<string, (properties: Fields) => Partial<IncomingEvent>>> = {
  $identify: (p) => ({ userId: textAt(p, "$identified_id"), alias: textAt(p, "$anon_id") }),
  $create_alias: (p) => ({ userId: textAt(p, "distinct_id"), alias: textAt(p, "alias") }),
};

const decodeTrack = (item: Fields): IncomingEvent => {
  const name = textAt(item, "event");
  if (name === undefined) throw new EventFault("event.no_name", "An event needs a name in `event`.");
  const properties = fieldsAt(item, "properties");
  const insert = textAt(properties, "$insert_id");
  const at = timeOf(properties["time"]);
  const messageId =
    insert === undefined ? undefined : [name, textAt(properties, "distinct_id") ?? "", at ?? "", insert].join(" ");
  const join = Object.hasOwn(joins, name) ? joins[name] : undefined;
  if (join !== undefined) return { at, messageId, ...join(properties) };
  return {
    name,
    at,
    messageId,
    ...whoOf(properties),
    session: textAt(properties, "$session_id"),
    properties: without(properties, machinery),
  };
};

const traitsOf = (item: Fields): TraitChange[] => {
  if (item["$delete"] !== undefined)
    throw new EventFault("trait.operation", "$delete of a profile is not supported here; what is kept stays.");
  const changes: TraitChange[] = [];
  for (const [name, op] of Object.entries(operations))
    if (isFields(item[name])) changes.push({ op, traits: item[name] });
  const unset = item["$unset"];
  if (Array.isArray(unset))
    changes.push({ op: "unset", traits: Object.fromEntries(unset.map((trait) => [String(trait), null])) });
  return changes;
};

const decodeEngage = (item: Fields): IncomingEvent => ({
  at: timeOf(item["$time"]),
  userId: textAt(item, "$distinct_id"),
  personTraits: traitsOf(item),
});

const decodeGroup = (item: Fields): IncomingEvent => ({
  at: timeOf(item["$time"]),
  account: textAt(item, "$group_id"),
  accountTraits: traitsOf(item),
});

const decoders = { track: decodeTrack, engage: decodeEngage, groups: decodeGroup } as const;
export type MixpanelCall = keyof typeof decoders;

/** Mixpanel's ingestion and profile APIs: one object or a list; the token is in each. */
export const decodeMixpanel = (body: unknown, call: MixpanelCall): Decoded => {
  const items: unknown[] = Array.isArray(body) ? body : [body];
  const first = isFields(items[0]) ? items[0] : {};
  const properties = isFields(first["properties"]) ? first["properties"] : {};
  const writeKey = [first["$token"], properties["token"]].find((value) => typeof value === "string");
  return { writeKey, sentAt: undefined, items: decodeEach(items, decoders[call]) };
};
