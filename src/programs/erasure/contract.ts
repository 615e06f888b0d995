import { z } from "zod";
import { defineOperation, FileAnswer } from "#kernel/operation.ts";

const Identifier = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .describe("Any of their ids, their email address, or our key of the person.");

const Person = z.object({
  person: z.string(),
  ids: z.array(z.string()),
  holds: z
    .array(z.object({ table: z.string(), what: z.string().describe("Of what a row is."), rows: z.number() }))
    .describe("What is kept of them, where."),
});
export type FoundPerson = z.output<typeof Person>;

export const find = defineOperation({
  name: "erasure.find",
  summary: "Who an identifier stands for, and what is kept of them.",
  permission: "govern",
  input: z.strictObject({ identifier: Identifier }),
  onlyLooks: true,
  discloses: true,
  output: z.object({ people: z.array(Person) }),
});

export const access = defineOperation({
  name: "erasure.access",
  summary: "Everything that is kept of a person, as NDJSON: one row a line, with the table that it is from.",
  permission: "govern",
  input: z.strictObject({ identifier: Identifier }),
  output: z.instanceof(FileAnswer),
});

export const states = ["received", "suppressed", "rows_deleted", "purged", "confirmed", "partial"] as const;
export const State = z.enum(states);
export type State = z.output<typeof State>;

const Request = z.object({
  id: z.string(),
  state: State,
  madeAt: z.string(),
  madeBy: z.string(),
  dueAt: z.string().describe("One month after it was made (GDPR, Art. 12(3))."),
  reached: z.partialRecord(State, z.string()).describe("When each state was reached."),
  people: z.number(),
  rows: z.number().describe("Rows that were erased."),
  left: z.array(z.string()).describe("Where they are still named, for somebody to look at."),
  problem: z.string().describe("Why the last attempt stopped; it is tried again."),
});
export type ErasureRequest = z.output<typeof Request>;

export const erase = defineOperation({
  name: "erasure.erase",
  summary: "Erases people: nothing more is taken of them from now on, and what is kept of them is destroyed.",
  permission: "govern",
  input: z.strictObject({
    identifiers: z.array(Identifier).min(1).max(1_000),
    everyone: z.boolean().default(false).describe("Also where an identifier stands for several people."),
  }),
  output: z.object({ request: z.string(), people: z.number() }),
});

export const requests = defineOperation({
  name: "erasure.requests",
  summary: "Requests to erase, the latest first, and how far they are.",
  permission: "govern",
  onlyLooks: true,
  input: z.strictObject({ limit: z.int().min(1).max(500).default(100) }),
  output: z.object({ requests: z.array(Request), suppressed: z.number() }),
});

export const allow = defineOperation({
  name: "erasure.allow",
  summary: "Takes an id from the list of those of whom nothing is taken. They begin anew, as somebody unknown.",
  permission: "govern",
  input: z.strictObject({ identifier: Identifier }),
  output: z.object({ ok: z.literal(true) }),
});
