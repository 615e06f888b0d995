import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { signatureOf } from "#kernel/outbound.ts";
import { conversationOf } from "./formats.ts";

/**
 * What other systems send by themselves as conversations go on: whether it is theirs, and what it says. Only what is
 * signed with the secret that both know is read.
 */

export const hookKinds = ["intercom", "zendesk", "chatwoot", "own"] as const;
export type HookKind = (typeof hookKinds)[number];

/** So old a signed message may be; an older one was kept by somebody and sent again. */
const freshSeconds = 300;

const isSame = (given: string, wanted: string): boolean => {
  const of = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(of(given), of(wanted));
};
const one = (headers: IncomingHttpHeaders, name: string): string => {
  const value = headers[name];
  return typeof value === "string" ? value : "";
};
const isFresh = (seconds: number, now: number): boolean => Math.abs(now / 1_000 - seconds) <= freshSeconds;

/** Whether a message was signed with the secret, and lately where its sender signs the time too. */
export const isSigned = (kind: HookKind, secret: string, headers: IncomingHttpHeaders, body: Buffer, now: number): boolean => {
  if (kind === "intercom") return isSame(one(headers, "x-hub-signature"), `sha1=${createHmac("sha1", secret).update(body).digest("hex")}`);
  if (kind === "zendesk") {
    const stamp = one(headers, "x-zendesk-webhook-signature-timestamp");
    return isFresh(Date.parse(stamp) / 1_000, now) && isSame(one(headers, "x-zendesk-webhook-signature"), createHmac("sha256", secret).update(stamp).update(body).digest("base64"));
  }
  if (kind === "chatwoot") {
    const stamp = one(headers, "x-chatwoot-timestamp");
    return isFresh(Number(stamp), now) && isSame(one(headers, "x-chatwoot-signature"), `sha256=${createHmac("sha256", secret).update(`${stamp}.`).update(body).digest("hex")}`);
  }
  // Standard Webhooks 1.0; several signatures while a secret changes
  const [id, stamp] = [one(headers, "webhook-id"), Number(one(headers, "webhook-timestamp"))];
  const wanted = signatureOf(secret, id, stamp, body.toString("utf8"));
  return id !== "" && isFresh(stamp, now) && one(headers, "webhook-signature").split(" ").some((given) => isSame(given, wanted));
}; // prettier-ignore

const Id = z.union([z.string(), z.number()]).transform(String);
const Intercom = z.looseObject({ topic: z.string(), data: z.looseObject({ item: z.looseObject({ type: z.string().optional(), id: Id.optional() }) }) }); // prettier-ignore
const Zendesk = z.looseObject({
  type: z.string(),
  detail: z.looseObject({ id: Id, created_at: z.string().optional(), updated_at: z.string().optional(), status: z.string().nullish() }),
  event: z.looseObject({ comment: z.looseObject({ id: Id, body: z.string().nullish(), is_public: z.boolean().optional(), author: z.looseObject({ id: Id, is_staff: z.boolean().optional() }).optional() }).optional() }).optional(),
  time: z.string().optional(),
}); // prettier-ignore
const Chatwoot = z.looseObject({ event: z.string(), id: Id.optional(), conversation: z.looseObject({ id: Id }).optional(), created_at: z.union([z.string(), z.number()]).nullish() }); // prettier-ignore

/** Seconds since the epoch, of what may be written in words. */
const secondsOf = (at: string | number | null | undefined): number => (typeof at === "number" ? at : Date.parse(at ?? "") / 1_000); // prettier-ignore

const intercom = (body: unknown): readonly unknown[] => {
  const { topic, data } = Intercom.parse(body);
  if (!topic.startsWith("conversation")) return [];
  if (topic === "conversation.deleted") return [{ id: `intercom ${data.item.id ?? ""}`, deleted: true }];
  return data.item.type === "conversation" ? [conversationOf(data.item, "intercom")] : [];
};

const zendesk = (body: unknown): readonly unknown[] => {
  const { type, detail, event, time } = Zendesk.parse(body);
  if (!type.startsWith("zen:event-type:ticket.")) return [];
  if (/permanently_deleted|soft_deleted/.test(type)) return [{ id: `zendesk ${detail.id}`, deleted: true }];
  const comment = event?.comment;
  const at = time ?? detail.updated_at ?? detail.created_at;
  const comments = comment === undefined ? [] : [{ id: comment.id, author_id: comment.author?.id, body: comment.body, public: comment.is_public ?? true, created_at: at }]; // prettier-ignore
  return [conversationOf({ ...detail, status: detail.status?.toLowerCase(), created_at: detail.created_at ?? at, comments, description: undefined }, "zendesk")]; // prettier-ignore
};

const chatwoot = (body: unknown): readonly unknown[] => {
  const read = Chatwoot.parse(body);
  if (read.event === "message_created" || read.event === "message_updated") {
    if (read.conversation === undefined) return [];
    const message = { ...read, sender_type: typeOf(read["sender"]), created_at: secondsOf(read.created_at) };
    return [conversationOf({ ...read.conversation, messages: [message] }, "chatwoot")];
  }
  return read.event.startsWith("conversation_") ? [conversationOf({ messages: [], ...read }, "chatwoot")] : [];
};
/** As messages name who sent them. */
const typeOf = (sender: unknown): string => {
  const type = typeof sender === "object" && sender !== null && "type" in sender ? sender.type : "";
  return type === "agent_bot" ? "AgentBot" : type === "user" ? "User" : "Contact";
};

const own = (body: unknown): readonly unknown[] => {
  const read = z.object({ conversations: z.array(z.unknown()).max(1_000) }).parse(body);
  return read.conversations;
};

const readers: Readonly<Record<HookKind, (body: unknown) => readonly unknown[]>> = { intercom, zendesk, chatwoot, own };

/** Conversations that a message speaks of, as `POST /v1/conversations` takes them; none where it is of something else. */
export const conversationsIn = (kind: HookKind, body: unknown): readonly unknown[] => readers[kind](body);
