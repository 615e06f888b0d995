import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

/** Our key of a person: 64 bits as decimal text. */
export const Id = z
  .string()
  .regex(/^\d{1,20}$/, "A person's id is a number.")
  .refine((id) => BigInt(id) < 2n ** 64n, "A person's id has 64 bits.");

const PersonRow = z.object({
  id: z.string(),
  ids: z.array(z.string()),
  name: z.string().describe("Their name or email if it is known, else one of their ids."),
  events: z.number(),
  first: z.string(),
  last: z.string(),
});

export const list = defineOperation({
  name: "people.list",
  summary: "People, the latest seen first; search by id, name or email.",
  permission: "read",
  discloses: true,
  input: z.strictObject({ search: z.string().max(200).default(""), limit: z.int().min(1).max(500).default(50) }),
  output: z.object({ people: z.array(PersonRow), total: z.number() }),
});

export const profile = defineOperation({
  name: "people.profile",
  summary: "One person: ids, traits with when they changed last, and events, newest first.",
  permission: "read",
  discloses: true,
  input: z.strictObject({ id: Id, before: z.iso.datetime().optional(), limit: z.int().min(1).max(500).default(100) }),
  output: z.object({
    person: z.string(),
    ids: z.array(z.object({ key: z.string(), id: z.string(), kind: z.string(), joined: z.boolean() })),
    traits: z.array(z.object({ trait: z.string(), value: z.string(), at: z.string() })),
    events: z.array(
      z.object({ at: z.string(), event: z.string(), source: z.string(), account: z.string(), properties: z.string() }),
    ),
    joins: z.array(
      z.object({ at: z.string(), kind: z.string(), actor: z.string(), parent: z.string(), by: z.string() }),
    ),
  }),
});

export const merge = defineOperation({
  name: "people.merge",
  summary: "Says that two persons are one. Their history counts as one person's from now on; it can be undone.",
  permission: "govern",
  input: z.strictObject({ person: Id, into: Id }),
  output: z.object({ ok: z.literal(true) }),
});

export const unlink = defineOperation({
  name: "people.unlink",
  summary: "Undoes a join: the id, and what had joined it, is a person of its own again.",
  permission: "govern",
  input: z.strictObject({ key: Id }),
  output: z.object({ ok: z.literal(true) }),
});
