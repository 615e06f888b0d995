import { z } from "zod";
import { conversationKinds } from "./contract.ts";

/** A conversation as `POST /v1/conversations` takes it. What is sent again replaces what was there, part by part. */

export const partRoles = ["customer", "ai_agent", "teammate", "bot", "system"] as const;

const Id = z.union([z.string().min(1).max(500), z.number().transform(String)]);
const Name = z.string().max(200).default("");
const span = "A time lies between 1970 and 2096.";
const Moment = z.union([z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)), z.int()]).pipe(z.int().min(0, span).max(4e12, span)).describe("ISO 8601 with a zone, or milliseconds since 1970."); // prettier-ignore

const Part = z.strictObject({
  id: Id,
  role: z.enum(partRoles),
  text: z.string().max(100_000).describe("Empty where it was taken back."),
  at: Moment,
  private: z.boolean().default(false).describe("A note that the customer does not see."),
  author: Name,
});

export const IncomingConversation = z.strictObject({
  id: Id,
  userId: Id.optional().describe("Your id of the customer."),
  anonymousId: Id.optional(),
  account: z.string().max(500).default(""),
  kind: z.enum(conversationKinds).default("support"),
  channel: Name.describe("Such as chat, email or phone."),
  language: z.string().max(35).default(""),
  subject: z.string().max(2_000).default(""),
  state: z.enum(["open", "closed"]).default("open"),
  team: Name,
  assignee: Name,
  tags: z.array(z.string().max(200)).max(100).default([]),
  rating: z.number().min(1).max(5).nullable().default(null),
  createdAt: Moment.optional(),
  updatedAt: Moment.optional().describe(
    "When its source changed it last: what comes late changes nothing that is newer.",
  ),
  deleted: z
    .boolean()
    .default(false)
    .describe("It was taken back as a whole: what was written in it goes, and is not scored again."),
  consent: z
    .record(z.string().min(1).max(100), z.boolean())
    .optional()
    .describe("What the customer agreed to, by purpose, where the workspace asks for it."),
  parts: z.array(Part).max(5_000).default([]),
});
export type IncomingConversation = z.output<typeof IncomingConversation>;
