import { z } from "zod";
import { defineOperation, FileAnswer } from "#kernel/operation.ts";

const Day = z.iso.date("A date, like 2026-03-01.");

export const formats = ["ndjson", "csv", "parquet"] as const;

const Purpose = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .optional()
  .describe("Only of people who agree to this purpose now (`consent.PURPOSE` is true).");

export const events = defineOperation({
  name: "exports.events",
  summary: "Every event of a range with its person, as a file that is streamed.",
  permission: "edit",
  input: z.strictObject({
    from: Day.optional().describe("First day, in UTC. From the beginning, when absent."),
    to: Day.optional().describe("Last day, in UTC, inside. To the end, when absent."),
    event: z.string().max(500).optional(),
    purpose: Purpose,
    format: z.enum(formats).default("ndjson"),
  }),
  output: z.instanceof(FileAnswer),
});

export const people = defineOperation({
  name: "exports.people",
  summary: "Every known id with the person that it belongs to, and that person's traits, as a file that is streamed.",
  permission: "edit",
  input: z.strictObject({ purpose: Purpose, format: z.enum(formats).default("ndjson") }),
  output: z.instanceof(FileAnswer),
});
