import type { IncomingEvent, TraitChange } from "#records/events/incoming.ts";
import {
  accountAmong,
  decodeEach,
  EventFault,
  fieldsAt,
  isFields,
  present,
  textAt,
  timeOf,
  type Decoded,
  type Fields,
} from "./decoded.ts";

const operations: Readonly<Record<string, TraitChange["op"]>> = {
  $set: "set",
  $setOnce: "set_once",
  $add: "add",
  $unset: "unset",
  $append: "append",
  $prepend: "prepend",
  $preInsert: "union",
  $postInsert: "union",
  $remove: "remove",
};

/** `user_properties`: plain values are set; `$set` and its kin say what to do. */
const traitsOf = (given: Fields): TraitChange[] => {
  const plain = Object.fromEntries(Object.entries(given).filter(([name]) => !name.startsWith("$")));
  const changes: TraitChange[] = Object.keys(plain).length > 0 ? [{ op: "set", traits: plain }] : [];
  for (const [name, op] of Object.entries(operations)) {
    const traits = given[name];
    if (isFields(traits)) changes.push({ op, traits });
  }
  return changes;
};

const contextOf = (item: Fields): Fields =>
  present({
    $platform: item["platform"],
    $os: item["os_name"],
    $os_version: item["os_version"],
    $device_model: item["device_model"],
    $country: item["country"],
    $language: item["language"],
    $app_version: item["app_version"],
    $lib: item["library"],
    $revenue: item["revenue"],
    $price: item["price"],
    $quantity: item["quantity"],
    $product_id: item["productId"],
  });

const idOf = (item: Fields, name: string, shortest: number): string | undefined => {
  const id = textAt(item, name);
  if (id === undefined || id.length >= shortest) return id;
  throw new EventFault(
    "event.id_too_short",
    `${name} has ${id.length} characters, fewer than the least length of ${shortest}. Set options.min_id_length to allow it.`,
  );
};

const decodeItem = (item: Fields, shortest: number): IncomingEvent => {
  const type = textAt(item, "event_type");
  if (type === undefined) throw new EventFault("event.no_name", "An event needs a name in `event_type`.");
  const [userId, device] = [idOf(item, "user_id", shortest), idOf(item, "device_id", shortest)];
  const insert = textAt(item, "insert_id");
  const session = textAt(item, "session_id");
  const account = accountAmong(fieldsAt(item, "groups"));
  const base: IncomingEvent = {
    at: timeOf(item["time"]),
    messageId: insert === undefined ? undefined : `${device ?? userId ?? ""} ${insert}`,
    userId,
    anonymousId: device,
    account,
    session: session === "-1" ? undefined : session,
    personTraits: traitsOf(fieldsAt(item, "user_properties")),
  };
  if (type === "$groupidentify") return { ...base, accountTraits: traitsOf(fieldsAt(item, "group_properties")) };
  if (type === "$identify") return base;
  return { ...base, name: type, properties: { ...contextOf(item), ...fieldsAt(item, "event_properties") } };
};

/** Amplitude's HTTP V2 and batch APIs: `{api_key, events, options, client_upload_time}`. */
export const decodeAmplitude = (body: unknown): Decoded => {
  if (!isFields(body)) throw new EventFault("body.not_an_object", "The body must be a JSON object.");
  const { events: items } = body;
  if (!Array.isArray(items)) throw new EventFault("body.no_events", "`events` must be a list.");
  const options = isFields(body["options"]) ? body["options"] : {};
  const shortest = typeof options["min_id_length"] === "number" ? options["min_id_length"] : 5;
  const writeKey = typeof body["api_key"] === "string" ? body["api_key"] : undefined;
  return {
    writeKey,
    sentAt: timeOf(body["client_upload_time"]),
    items: decodeEach(items as unknown[], (item) => decodeItem(item, shortest)),
  };
};
