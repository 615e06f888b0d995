import type { IncomingEvent, TraitChange } from "#records/events/incoming.ts";
import {
  accountAmong,
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

const machinery = ["token", "distinct_id", "$set", "$set_once", "$unset", "$anon_distinct_id", "$groups", "$user_id"];

const traitsOf = (item: Fields, properties: Fields): TraitChange[] => {
  const set = { ...fieldsAt(properties, "$set"), ...fieldsAt(item, "$set") };
  const once = { ...fieldsAt(properties, "$set_once"), ...fieldsAt(item, "$set_once") };
  const unset = properties["$unset"];
  const changes: TraitChange[] = [];
  if (Object.keys(set).length > 0) changes.push({ op: "set", traits: set });
  if (Object.keys(once).length > 0) changes.push({ op: "set_once", traits: once });
  if (Array.isArray(unset))
    changes.push({ op: "unset", traits: Object.fromEntries(unset.map((name) => [String(name), null])) });
  return changes;
};

const whoOf = (name: string, distinctId: string | undefined, properties: Fields): Partial<IncomingEvent> => {
  if (name === "$identify") return { userId: distinctId, alias: textAt(properties, "$anon_distinct_id") };
  if (name === "$create_alias" || name === "$merge_dangerously")
    return { userId: distinctId, alias: textAt(properties, "alias") };
  return properties["$is_identified"] === true ? { userId: distinctId } : { anonymousId: distinctId };
};

/** Calls that say who somebody is, and are no events of the product. */
const aboutPeople = new Set(["$identify", "$create_alias", "$merge_dangerously", "$set", "$groupidentify"]);

const timeIn = (item: Fields, received: number): number | undefined => {
  const { offset } = item;
  if (item["timestamp"] !== undefined) return timeOf(item["timestamp"]);
  return typeof offset === "number" ? received - offset : undefined;
};

const decodeItem = (item: Fields, received: number): IncomingEvent => {
  const properties = fieldsAt(item, "properties");
  const name = textAt(item, "event");
  if (name === undefined) throw new EventFault("event.no_name", "An event needs a name in `event`.");
  const distinctId = textAt(item, "distinct_id") ?? textAt(properties, "distinct_id") ?? textAt(item, "$distinct_id");
  if (distinctId === undefined) throw new EventFault("event.no_id", "An event needs a `distinct_id`.");
  const groups = fieldsAt(properties, "$groups");
  const base: IncomingEvent = {
    at: timeIn(item, received),
    messageId: textAt(item, "uuid") ?? textAt(item, "message_id"),
    account: accountAmong(groups),
    session: textAt(properties, "$session_id"),
    personTraits: traitsOf(item, properties),
    ...whoOf(name, distinctId, properties),
  };
  if (name === "$groupidentify") {
    const account = textAt(properties, "$group_key");
    const traits = fieldsAt(properties, "$group_set");
    // posthog-node names a made-up person here ("$company_acme"); the call is about the account alone
    return { at: base.at, messageId: base.messageId, account, accountTraits: [{ op: "set", traits }] };
  }
  if (aboutPeople.has(name)) return base;
  return { ...base, name, properties: without(properties, machinery) };
};

/** PostHog's capture formats: one event, a list, or `{api_key, batch, sent_at}`. */
export const decodePostHog = (body: unknown, received: number): Decoded => {
  const items = Array.isArray(body)
    ? (body as unknown[])
    : isFields(body) && Array.isArray(body["batch"])
      ? (body["batch"] as unknown[])
      : [body];
  const top = isFields(body) ? body : {};
  const first = isFields(items[0]) ? items[0] : {};
  const inProperties = isFields(first["properties"]) ? first["properties"] : {};
  const key = [
    top["api_key"],
    top["token"],
    first["api_key"],
    first["token"],
    inProperties["token"],
    inProperties["api_key"],
  ];
  const writeKey = key.find((value) => typeof value === "string");
  const sentAt = top["historical_migration"] === true ? undefined : timeOf(top["sent_at"]);
  return { writeKey, sentAt, items: decodeEach(items, (item) => decodeItem(item, received)) };
};

/** What posthog-js must be told before it sends anything compressed. Everything that we do not do is off. */
export const postHogConfig = (token: string): Fields => ({
  token,
  supportedCompression: ["gzip", "gzip-js"],
  hasFeatureFlags: true,
  captureDeadClicks: false,
  capturePerformance: false,
  autocapture_opt_out: false,
  autocaptureExceptions: false,
  analytics: { endpoint: "/e/" },
  elementsChainAsString: true,
  errorTracking: { autocaptureExceptions: false, suppressionRules: [] },
  sessionRecording: false,
  heatmaps: false,
  surveys: false,
  defaultIdentifiedOnly: true,
  siteApps: [],
});
