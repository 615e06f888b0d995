import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

const Name = z.string().trim().min(1).max(100);
const Id = z.string().max(100);

const Channel = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(["mail", "webhook"]),
  members: z.array(z.string()).describe("Names of those it goes to."),
  owners: z.boolean().describe("Also to members who are named as owners of what is hit."),
  address: z.string(),
});
export type Channel = z.output<typeof Channel>;

const Delivery = z.object({
  id: z.string(),
  channel: z.string(),
  at: z.string(),
  title: z.string(),
  state: z.enum(["waiting", "sent", "failed"]),
  tries: z.number(),
  problem: z.string(),
});
export type Delivery = z.output<typeof Delivery>;

export const list = defineOperation({
  name: "alerts.list",
  summary: "Where alerts go, and what became of the latest.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({ channels: z.array(Channel), deliveries: z.array(Delivery), canMail: z.boolean() }),
});

export const addMail = defineOperation({
  name: "alerts.addMail",
  summary: "Sends alerts to members by mail.",
  permission: "govern",
  input: z.strictObject({
    name: Name,
    members: z.array(Id).max(100).default([]).describe("Ids of members of the workspace."),
    owners: z.boolean().default(true),
  }),
  output: z.object({ id: z.string() }),
});

export const addWebhook = defineOperation({
  name: "alerts.addWebhook",
  summary: "Sends alerts to an address as JSON, signed as Standard Webhooks says. Its secret is shown once, here.",
  permission: "govern",
  input: z.strictObject({ name: Name, address: z.string().min(1).max(2_000) }),
  output: z.object({ id: z.string(), secret: z.string() }),
});

export const remove = defineOperation({
  name: "alerts.remove",
  summary: "Sends nothing more there.",
  permission: "govern",
  input: z.strictObject({ id: Id }),
  output: z.object({ ok: z.literal(true) }),
});

export const test = defineOperation({
  name: "alerts.test",
  summary: "Sends a test there, now.",
  permission: "govern",
  input: z.strictObject({ id: Id }),
  output: z.object({ ok: z.literal(true) }),
});
