import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

export const create = defineOperation({
  name: "demo.create",
  summary:
    "Adds a workspace with a simulated company. It fills while it can be used; `demo.status` says how far it is.",
  permission: "member",
  input: z.strictObject({}),
  output: z.object({ workspace: z.string() }),
});

export const status = defineOperation({
  name: "demo.status",
  summary: "How much of the simulated company has been stored. Goes on with the filling where a restart ended it.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({
    /** From 0 to 1. */
    share: z.number(),
    complete: z.boolean(),
  }),
});
