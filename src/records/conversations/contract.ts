import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

/** Support is what is scored; all others say what people need, and how they see things. */
export const conversationKinds = [
  "support",
  "feedback",
  "survey",
  "review",
  "interview",
  "sales_call",
  "note",
] as const;

export const linkKinds = ["hook", "pull"] as const;
export const vendors = ["intercom", "zendesk", "chatwoot", "own"] as const;
export const intercomRegions = { us: "https://api.intercom.io", eu: "https://api.eu.intercom.io", au: "https://api.au.intercom.io" } as const; // prettier-ignore

const Link = z.object({
  id: z.string(),
  vendor: z.enum(vendors),
  kind: z.enum(linkKinds),
  source: z.string(),
  address: z.string().describe("Where the other system sends to, or which API is asked."),
  taken: z.number(),
  lastAt: z.string().nullable(),
  problem: z.string().describe("What went wrong the last time; empty for nothing."),
});
export type Link = z.output<typeof Link>;

export const links = defineOperation({
  name: "conversations.links",
  summary: "Other systems that conversations come from by themselves.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({ links: z.array(Link) }),
});

export const addLink = defineOperation({
  name: "conversations.addLink",
  summary: "Lets another system send its conversations (signed), or asks its API for them.",
  permission: "edit",
  input: z.strictObject({
    vendor: z.enum(vendors),
    kind: z.enum(linkKinds),
    secret: z.string().trim().max(500).default("").describe("The secret that signs what it sends, or the token of its API. Empty for `own`: one is made."),
    address: z.string().max(500).default("").describe("Of the API, where it is not the usual one."),
    product: z.string().trim().max(100).default(""),
  }),
  output: z.object({ id: z.string(), address: z.string(), secret: z.string().nullable().describe("The one that was made; shown once.") }),
}); // prettier-ignore

export const removeLink = defineOperation({
  name: "conversations.removeLink",
  summary: "Ends it: nothing more is taken from there. What came stays.",
  permission: "edit",
  input: z.strictObject({ id: z.string().max(100) }),
  output: z.object({ ok: z.literal(true) }),
});
