import { z } from "zod";
import type { IncomingEvent } from "#records/events/incoming.ts";
import { decodeEach, EventFault, isFields, timeOf, type Decoded } from "./decoded.ts";

const Id = z.union([z.string(), z.number().transform(String)]).optional();
const Traits = z.record(z.string(), z.unknown()).optional();

/** One event of `POST /v1/events`. */
export const OwnEvent = z.strictObject({
  event: z.string().optional().describe("What happened. Leave it out to say something about a person or account only."),
  id: Id.describe("Message id; the same id within seven days counts once."),
  time: z
    .union([z.string(), z.number()])
    .optional()
    .describe("ISO 8601, or milliseconds since 1970. Now, when absent."),
  userId: Id.describe("Your id of a signed-in person."),
  anonymousId: Id.describe("Your id of a visitor or device."),
  previousId: Id.describe("An earlier anonymous id of the same person."),
  account: Id.describe("Your id of the company or household."),
  session: Id,
  properties: z.record(z.string(), z.unknown()).optional(),
  person: z
    .strictObject({ set: Traits, setOnce: Traits, add: Traits, unset: z.array(z.string()).optional() })
    .optional(),
  accountTraits: Traits,
  consent: z
    .record(z.string().max(100), z.boolean())
    .refine((purposes) => Object.keys(purposes).length <= 50, "50 purposes at most.")
    .optional()
    .describe("Purposes that the person agreed to, or did not."),
});

const traitsOf = ({ set, setOnce, add, unset }: NonNullable<z.output<typeof OwnEvent>["person"]>) => [
  ...(set === undefined ? [] : [{ op: "set" as const, traits: set }]),
  ...(setOnce === undefined ? [] : [{ op: "set_once" as const, traits: setOnce }]),
  ...(add === undefined ? [] : [{ op: "add" as const, traits: add }]),
  ...(unset === undefined
    ? []
    : [{ op: "unset" as const, traits: Object.fromEntries(unset.map((name) => [name, null])) }]),
];

/** An item of our own format as an incoming event; throws an EventFault that names the field. */
export const readOwnEvent = (item: unknown): IncomingEvent => {
  const parsed = OwnEvent.safeParse(item);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new EventFault("event.invalid", `${issue?.path.join(".") || "event"}: ${issue?.message ?? "not valid"}.`);
  }
  const {
    event,
    id,
    time,
    userId,
    anonymousId,
    previousId,
    account,
    session,
    properties,
    person,
    accountTraits,
    consent,
  } = parsed.data;
  return {
    name: event,
    messageId: id,
    at: timeOf(time),
    userId,
    anonymousId,
    alias: previousId,
    account,
    session,
    properties,
    personTraits: person === undefined ? undefined : traitsOf(person),
    accountTraits: accountTraits === undefined ? undefined : [{ op: "set", traits: accountTraits }],
    consent,
  };
};

/** `{events: […], sentAt, writeKey}`, a bare list, or one event. */
export const decodeOwn = (body: unknown): Decoded => {
  const listed = isFields(body) ? body["events"] : body;
  if (isFields(body) && listed !== undefined && !Array.isArray(listed))
    throw new EventFault("body.no_events", "`events` must be a list.");
  const items: unknown[] = Array.isArray(listed) ? listed : [body];
  const top = isFields(body) && listed !== undefined ? body : {};
  const writeKey = typeof top["writeKey"] === "string" ? top["writeKey"] : undefined;
  return { writeKey, sentAt: timeOf(top["sentAt"]), items: decodeEach(items, readOwnEvent) };
};
