import type { IncomingEvent } from "#records/events/incoming.ts";
import {
  decodeEach,
  EventFault,
  fieldsAt,
  isFields,
  present,
  textAt,
  timeOf,
  without,
  type Decoded,
  type Fields,
} from "./decoded.ts";

const contextOf = (context: Fields): Fields => {
  const page = isFields(context["page"]) ? context["page"] : {};
  const campaign = isFields(context["campaign"]) ? context["campaign"] : {};
  const library = isFields(context["library"]) ? context["library"] : {};
  const os = isFields(context["os"]) ? context["os"] : {};
  const app = isFields(context["app"]) ? context["app"] : {};
  return present({
    $current_url: page["url"],
    $pathname: page["path"],
    $referrer: page["referrer"],
    $title: page["title"],
    $utm_source: campaign["source"],
    $utm_medium: campaign["medium"],
    $utm_campaign: campaign["name"],
    $locale: context["locale"],
    $timezone: context["timezone"],
    $user_agent: context["userAgent"],
    $os: os["name"],
    $lib: library["name"],
    $lib_version: library["version"],
    $app_version: app["version"],
  });
};

const kinds: Readonly<Record<string, (item: Fields, properties: Fields, traits: Fields) => Partial<IncomingEvent>>> = {
  track: (item, properties) => {
    const name = textAt(item, "event");
    if (name === undefined) throw new EventFault("event.no_name", "A track call needs an event name in `event`.");
    return { name, properties };
  },
  page: (item, properties) => ({
    name: "$pageview",
    properties: present({ ...properties, name: item["name"], category: item["category"] }),
  }),
  screen: (item, properties) => ({
    name: "$screen",
    properties: present({ ...properties, name: item["name"], category: item["category"] }),
  }),
  identify: (_item, _properties, traits) => ({ personTraits: [{ op: "set", traits }] }),
  group: (item, _properties, traits) => {
    const account = textAt(item, "groupId");
    if (account === undefined)
      throw new EventFault("event.no_group", "A group call needs the account's id in `groupId`.");
    return {
      account,
      accountTraits: [{ op: "set", traits }],
      personTraits: [{ op: "set", traits: { $account: account } }],
    };
  },
  alias: (item) => {
    const alias = textAt(item, "previousId");
    if (alias === undefined)
      throw new EventFault("event.no_alias", "An alias call needs the earlier id in `previousId`.");
    return { alias };
  },
};

/** `context.consent.categoryPreferences`, as consent managers write it; anything else says nothing. */
const consentOf = (context: Fields): Readonly<Record<string, boolean>> | undefined => {
  const consent = context["consent"];
  const given = isFields(consent) ? consent["categoryPreferences"] : undefined;
  if (!isFields(given)) return undefined;
  return Object.fromEntries(
    Object.entries(given)
      .slice(0, 50)
      .map(([purpose, value]) => [purpose.slice(0, 100), value === true]),
  );
};

const decodeItem = (item: Fields, type: string | undefined): IncomingEvent => {
  const kind = textAt(item, "type") ?? type ?? "";
  const read = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (read === undefined)
    throw new EventFault("event.unknown_type", `There is no Segment call of type "${kind.slice(0, 50)}".`);
  const context = fieldsAt(item, "context");
  const given = read(item, fieldsAt(item, "properties"), fieldsAt(item, "traits"));
  const { properties } = given;
  return {
    at: timeOf(item["originalTimestamp"] ?? item["timestamp"]),
    messageId: textAt(item, "messageId"),
    userId: textAt(item, "userId"),
    anonymousId: textAt(item, "anonymousId"),
    account: textAt(context, "groupId"),
    session: textAt(context, "sessionId"),
    consent: consentOf(context),
    ...given,
    ...(properties === undefined ? {} : { properties: { ...contextOf(context), ...properties } }),
  };
};

/** Segment's HTTP API: a batch, or one call on its own route (`t`, `track` …), which `type` then names. */
export const decodeSegment = (body: unknown, type: string | undefined): Decoded => {
  if (!isFields(body)) throw new EventFault("body.not_an_object", "The body must be a JSON object.");
  const batch = body["batch"];
  const items = Array.isArray(batch) ? (batch as unknown[]) : [without(body, ["writeKey"])];
  if (batch !== undefined && !Array.isArray(batch))
    throw new EventFault("body.no_batch", "`batch` must be a list of calls.");
  const writeKey = typeof body["writeKey"] === "string" ? body["writeKey"] : undefined;
  return { writeKey, sentAt: timeOf(body["sentAt"]), items: decodeEach(items, (item) => decodeItem(item, type)) };
};

/** What the browser library asks for first. It sends nothing unless its own destination is listed here. */
export const segmentSettings = (writeKey: string, apiHost: string): Fields => ({
  integrations: {
    "Segment.io": {
      apiKey: writeKey,
      apiHost,
      unbundledIntegrations: [],
      addBundledMetadata: false,
      maybeBundledConfigIds: {},
      versionSettings: { version: "4.4.7", componentTypes: ["browser"] },
    },
  },
  plan: {
    track: { __default: { enabled: true, integrations: {} } },
    identify: { __default: { enabled: true } },
    group: { __default: { enabled: true } },
  },
  edgeFunction: {},
  analyticsNextEnabled: true,
  middlewareSettings: {},
  enabledMiddleware: {},
  metrics: { sampleRate: 0 },
  legacyVideoPluginsEnabled: false,
  remotePlugins: [],
});
