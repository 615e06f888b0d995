import { compile } from "html-to-text";
import { z } from "zod";

/**
 * Conversations as other systems export them, in the words of `POST /v1/conversations`. Each function takes one record and
 * gives what the door reads, or says what it lacks; the door checks the rest.
 */

export const conversationFormats = ["own", "intercom", "zendesk", "chatwoot"] as const;
export type ConversationFormat = (typeof conversationFormats)[number];

const plain = compile({ wordwrap: false, limits: { maxInputLength: 2_000_000, maxDepth: 50, maxChildNodes: 2_000 }, selectors: [{ selector: "img", format: "skip" }, { selector: "a", options: { ignoreHref: true } }, { selector: "blockquote.gmail_quote", format: "skip" }] }); // prettier-ignore
/** Text of a body; one without markup stays as it is. */
const textOf = (body: string | null | undefined): string => {
  if (body === null || body === undefined) return "";
  return (/<[a-z!/]/i.test(body) ? plain(body) : body).trim().slice(0, 100_000);
};

const Id = z.union([z.string(), z.number()]).transform(String);
const Text = z.string().nullish();
const Seconds = z.number().transform((seconds) => Math.round(seconds * 1_000));

const IntercomAuthor = z.looseObject({ type: z.string(), id: Id.nullish(), name: Text });
const Intercom = z.looseObject({
  id: Id,
  created_at: Seconds,
  updated_at: Seconds.nullish(),
  state: Text,
  title: Text,
  source: z.looseObject({ id: Id.nullish(), type: Text, subject: Text, body: Text, author: IntercomAuthor, redacted: z.boolean().nullish() }).nullish(), // prettier-ignore
  contacts: z.looseObject({ contacts: z.array(z.looseObject({ id: Id, external_id: Id.nullish() })).default([]) }).nullish(), // prettier-ignore
  company: z.looseObject({ company_id: Id.nullish(), id: Id.nullish() }).nullish(),
  team_assignee_id: Id.nullish(),
  admin_assignee_id: Id.nullish(),
  tags: z.looseObject({ tags: z.array(z.looseObject({ name: z.string() })).default([]) }).nullish(),
  conversation_rating: z.looseObject({ rating: z.number().nullish() }).nullish(),
  ai_agent_participated: z.boolean().nullish(),
  conversation_parts: z.looseObject({ conversation_parts: z.array(z.looseObject({ id: Id, part_type: z.string(), body: Text, created_at: Seconds, author: IntercomAuthor, redacted: z.boolean().nullish() })).default([]) }).nullish(), // prettier-ignore
});

const intercom = (value: unknown) => {
  const { id, created_at, updated_at, state, title, source, contacts, company, team_assignee_id, admin_assignee_id, tags, conversation_rating, ai_agent_participated, conversation_parts } = Intercom.parse(value); // prettier-ignore
  const roleOf = ({ type }: z.output<typeof IntercomAuthor>): string => {
    if (type === "user" || type === "lead" || type === "contact") return "customer";
    if (type === "bot") return ai_agent_participated === true ? "ai_agent" : "bot";
    return type === "admin" || type === "teammate" || type === "team" ? "teammate" : "system";
  };
  const said = conversation_parts?.conversation_parts ?? [];
  const first = source === null || source === undefined ? [] : [{ id: `source ${source.id ?? id}`, role: roleOf(source.author), author: source.author.name ?? "", text: source.redacted === true ? "" : textOf(source.body), at: created_at, private: false }]; // prettier-ignore
  const contact = contacts?.contacts[0];
  return {
    id: `intercom ${id}`,
    ...(contact === undefined ? {} : { userId: contact.external_id ?? `intercom ${contact.id}` }),
    account: company?.company_id ?? "",
    channel: source?.type ?? "",
    subject: textOf(title ?? source?.subject),
    state: state === "closed" ? "closed" : "open",
    team: team_assignee_id ?? "",
    assignee: admin_assignee_id ?? "",
    tags: (tags?.tags ?? []).map(({ name }) => name),
    rating: conversation_rating?.rating ?? null,
    createdAt: created_at,
    ...(updated_at === null || updated_at === undefined ? {} : { updatedAt: updated_at }),
    // assignments, closings and such say nothing; notes are kept, as notes
    parts: [...first, ...said.filter(({ body, redacted }) => (body !== null && body !== undefined && body !== "") || redacted === true).map((part) => ({ id: part.id, role: roleOf(part.author), author: part.author.name ?? "", text: part.redacted === true ? "" : textOf(part.body), at: part.created_at, private: part.part_type === "note" || part.part_type.startsWith("note_") }))], // prettier-ignore
  };
};

const Moment = z.iso.datetime({ offset: true });
const ZendeskComment = z.looseObject({ id: Id, author_id: Id.nullish(), plain_body: Text, html_body: Text, body: Text, public: z.boolean().default(true), created_at: Moment }); // prettier-ignore
const Zendesk = z.looseObject({
  id: Id,
  created_at: Moment,
  updated_at: Moment.nullish(),
  subject: Text,
  description: Text,
  status: Text,
  via: z.looseObject({ channel: z.union([z.string(), z.number()]).nullish() }).nullish(),
  requester_id: Id.nullish(),
  requester: z.looseObject({ external_id: Id.nullish() }).nullish(),
  assignee_id: Id.nullish(),
  group_id: Id.nullish(),
  organization_id: Id.nullish(),
  tags: z.array(z.string()).nullish(),
  satisfaction_rating: z.looseObject({ score: Text }).nullish(),
  comments: z.union([z.array(ZendeskComment), z.looseObject({ comments: z.array(ZendeskComment) }).transform(({ comments }) => comments)]).nullish(), // prettier-ignore
});

const zendesk = (value: unknown) => {
  const ticket = Zendesk.parse(value);
  const said = ticket.comments ?? [];
  const score = ticket.satisfaction_rating?.score ?? "";
  const customer = ticket.requester?.external_id ?? (ticket.requester_id === null || ticket.requester_id === undefined ? undefined : `zendesk ${ticket.requester_id}`); // prettier-ignore
  const parts = said.map((comment) => ({ id: comment.id, role: comment.author_id !== null && comment.author_id === ticket.requester_id ? "customer" : comment.author_id === "-1" ? "system" : "teammate", author: comment.author_id ?? "", text: textOf(comment.plain_body ?? comment.html_body ?? comment.body), at: comment.created_at, private: !comment.public })); // prettier-ignore
  return {
    id: `zendesk ${ticket.id}`,
    ...(customer === undefined ? {} : { userId: customer }),
    account: ticket.organization_id ?? "",
    channel: String(ticket.via?.channel ?? ""),
    subject: (ticket.subject ?? "").slice(0, 2_000),
    state: ticket.status === "solved" || ticket.status === "closed" ? "closed" : "open",
    team: ticket.group_id ?? "",
    assignee: ticket.assignee_id ?? "",
    tags: (ticket.tags ?? []).slice(0, 100),
    rating: score.startsWith("good") ? 5 : score.startsWith("bad") ? 1 : null,
    createdAt: ticket.created_at,
    ...(ticket.updated_at === null || ticket.updated_at === undefined ? {} : { updatedAt: ticket.updated_at }),
    // exports without comments have what the customer first wrote
    parts: parts.length > 0 || ticket.description === null || ticket.description === undefined ? parts : [{ id: "description", role: "customer", author: "", text: textOf(ticket.description), at: ticket.created_at, private: false }], // prettier-ignore
  };
};

const Chatwoot = z.looseObject({
  id: Id,
  created_at: z.number().nullish(),
  timestamp: z.number().nullish(),
  updated_at: z.number().nullish(),
  status: Text,
  channel: Text,
  labels: z.array(z.string()).nullish(),
  meta: z.looseObject({ channel: Text, sender: z.looseObject({ id: Id, identifier: Text }).nullish(), assignee: z.looseObject({ name: Text }).nullish(), team: z.looseObject({ name: Text }).nullish() }).nullish(), // prettier-ignore
  messages: z.array(z.looseObject({ id: Id, content: Text, message_type: z.union([z.number(), z.string()]), sender_type: Text, private: z.boolean().nullish(), created_at: Seconds, sender: z.looseObject({ name: Text }).nullish(), content_attributes: z.looseObject({ deleted: z.boolean().nullish() }).nullish() })).default([]), // prettier-ignore
});

const chatwoot = (value: unknown) => {
  const { id, created_at, timestamp, updated_at, status, channel, labels, meta, messages } = Chatwoot.parse(value);
  const roleOf = ({ message_type: type, sender_type: sender }: (typeof messages)[number]): string => {
    if (type === 0 || type === "incoming") return "customer";
    if (type === 1 || type === "outgoing") return sender === "AgentBot" || sender === "Captain::Assistant" ? "ai_agent" : "teammate"; // prettier-ignore
    return "system";
  };
  const began = created_at ?? timestamp;
  const sender = meta?.sender;
  return {
    id: `chatwoot ${id}`,
    ...(sender === null || sender === undefined ? {} : { userId: sender.identifier ?? `chatwoot ${sender.id}` }),
    channel: (meta?.channel ?? channel ?? "").replace(/^Channel::/, ""),
    state: status === "resolved" ? "closed" : "open",
    team: meta?.team?.name ?? "",
    assignee: meta?.assignee?.name ?? "",
    tags: (labels ?? []).slice(0, 100),
    ...(began === null || began === undefined ? {} : { createdAt: Math.round(began * 1_000) }),
    ...(updated_at === null || updated_at === undefined ? {} : { updatedAt: Math.round(updated_at * 1_000) }),
    parts: messages.map((message) => ({ id: message.id, role: roleOf(message), author: message.sender?.name ?? "", text: message.content_attributes?.deleted === true ? "" : textOf(message.content), at: message.created_at, private: message.private === true })), // prettier-ignore
  };
};

/** By what a record looks like. */
const guess = (value: object): ConversationFormat => {
  if ("conversation_parts" in value || ("source" in value && "contacts" in value)) return "intercom";
  if ("requester_id" in value) return "zendesk";
  return "messages" in value && !("parts" in value) ? "chatwoot" : "own";
};

const readers: Readonly<Record<ConversationFormat, (value: unknown) => unknown>> = { own: (value) => value, intercom, zendesk, chatwoot }; // prettier-ignore

/** One record as the door takes it. Throws an error that says what it lacks. */
export const conversationOf = (value: unknown, format?: ConversationFormat): unknown => {
  if (typeof value !== "object" || value === null) throw new Error("It is no object.");
  try {
    return readers[format ?? guess(value)](value);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    throw new Error(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not valid"}`, { cause: error });
  }
};
