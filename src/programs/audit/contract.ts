import { z } from "zod";
import { defineOperation, FileAnswer } from "#kernel/operation.ts";

const View = z.object({
  seq: z.number(),
  at: z.string(),
  who: z.string(),
  action: z.string(),
  decision: z.string(),
  reason: z.string(),
  detail: z.string().nullable().describe("What was asked for, as JSON without secrets; null once it was erased."),
});
export type AuditView = z.output<typeof View>;

export const list = defineOperation({
  name: "audit.list",
  summary: "Who did, read or tried what, newest first.",
  permission: "audit",
  onlyLooks: true,
  input: z.strictObject({
    text: z.string().max(200).default("").describe("In the name of the action or in its detail."),
    actor: z.string().max(200).default("").describe("Id of a member or a key."),
    decision: z.enum(["allow", "deny", "failed"]).optional(),
    from: z.iso.datetime().optional(),
    to: z.iso.datetime().optional(),
    before: z.int().optional().describe("Entries before this one, to turn the page."),
    limit: z.int().min(1).max(500).default(100),
  }),
  output: z.object({ entries: z.array(View), more: z.boolean() }),
});

export const verify = defineOperation({
  name: "audit.verify",
  summary: "Walks the whole log and says whether each entry is as it was written, or which is the first that is not.",
  permission: "audit",
  onlyLooks: true,
  input: z.strictObject({}),
  output: z.object({
    state: z.enum(["intact", "broken", "unknown"]),
    entries: z.number(),
    checkpoints: z.number(),
    lastCheckpoint: z.string().nullable(),
    firstBad: z.number().nullable(),
    message: z.string(),
    key: z.string().describe("Name of this server's signing key."),
    publicKey: z.string().describe("Its public half, PEM; keep it elsewhere."),
  }),
});

export const exportLog = defineOperation({
  name: "audit.export",
  summary: "The whole log with its checkpoints, as NDJSON that `throughline audit verify FILE` can check by itself.",
  permission: "audit",
  input: z.strictObject({}),
  output: z.instanceof(FileAnswer),
});
