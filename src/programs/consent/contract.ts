import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

/** Lawful bases of the GDPR, Art. 6(1). */
export const bases = ["consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"] as const; // prettier-ignore
const Basis = z.enum(bases);
export type Basis = z.output<typeof Basis>;

const Purpose = z.string().trim().min(1).max(100);

const PurposeView = z.object({
  purpose: z.string(),
  basis: Basis.nullable().describe("Null where people were asked and nobody has written down why."),
  version: z.string().describe("Of the text that people are shown; empty for none."),
  text: z.string(),
  setAt: z.string().nullable(),
  agreed: z.number().describe("People who agree now."),
  refused: z.number().describe("People who do not, having been asked."),
});
export type PurposeView = z.output<typeof PurposeView>;

export const purposes = defineOperation({
  name: "consent.purposes",
  summary: "What data of people is used for, on which basis, and how many agree.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({
    purposes: z.array(PurposeView),
    dropped: z
      .array(z.object({ day: z.string(), source: z.string(), events: z.number() }))
      .describe("Events that were not kept for want of consent, in 30 days."),
  }),
});

export const setPurpose = defineOperation({
  name: "consent.setPurpose",
  summary:
    "Writes down what data of people is used for: the basis, and the text that they are shown. Every version is kept.",
  permission: "govern",
  input: z.strictObject({
    purpose: Purpose,
    basis: Basis,
    version: z.string().trim().max(100).default(""),
    text: z.string().max(20_000).default(""),
  }),
  output: z.object({ ok: z.literal(true) }),
});

const Entry = z.object({
  id: z.string(),
  person: z.string(),
  purpose: z.string(),
  given: z.boolean(),
  at: z.string(),
  source: z.string().describe("Id of the source; empty where it was written down before sources were."),
  basis: Basis.nullable().describe("Of the purpose at that time."),
  version: z.string().describe("Of the text at that time."),
});

export const ledger = defineOperation({
  name: "consent.ledger",
  summary: "Who agreed to what and who did not, when, by which source, on which text: the latest first.",
  permission: "govern",
  onlyLooks: true,
  discloses: true,
  input: z.strictObject({
    id: z.string().max(500).optional().describe("Of one person, as the sender knows them."),
    purpose: Purpose.optional(),
    limit: z.int().min(1).max(10_000).default(200),
  }),
  output: z.object({ entries: z.array(Entry) }),
});

export const record = defineOperation({
  name: "consent.record",
  summary: "Writes down what somebody said by another way: by letter, on the telephone. It counts from now on.",
  permission: "govern",
  input: z.strictObject({
    id: z.string().min(1).max(500).describe("Of the person, as senders know them."),
    purpose: Purpose,
    given: z.boolean(),
    note: z.string().max(1_000).default("").describe("How it came; kept in the audit log."),
  }),
  output: z.object({ ok: z.literal(true) }),
});
