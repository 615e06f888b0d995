import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

/** How far back an account's people and events are looked for. */
export const accountDays = 90;

export const list = defineOperation({
  name: "accounts.list",
  summary: `Accounts (companies, households), the busiest first; numbers are of the last ${accountDays} days.`,
  permission: "read",
  input: z.strictObject({ search: z.string().max(200).default(""), limit: z.int().min(1).max(500).default(50) }),
  output: z.object({
    accounts: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        events: z.number(),
        people: z.number(),
        last: z.string().nullable(),
      }),
    ),
    total: z.number(),
  }),
});

export const profile = defineOperation({
  name: "accounts.profile",
  summary: `One account: its traits, and its people and latest events of the last ${accountDays} days.`,
  permission: "read",
  discloses: true,
  input: z.strictObject({ id: z.string().min(1).max(500) }),
  output: z.object({
    id: z.string(),
    traits: z.array(z.object({ trait: z.string(), value: z.string(), at: z.string() })),
    people: z.array(z.object({ id: z.string(), name: z.string(), events: z.number(), last: z.string() })),
    events: z.array(z.object({ at: z.string(), event: z.string(), person: z.string(), properties: z.string() })),
  }),
});
