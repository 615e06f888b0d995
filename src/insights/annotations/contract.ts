import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

const Day = z.iso.date();

const Annotation = z.object({ id: z.string(), day: z.string(), text: z.string(), by: z.string() });
export type Annotation = z.output<typeof Annotation>;

export const list = defineOperation({
  name: "annotations.list",
  summary: "What happened on which day, as people noted it: releases, campaigns, outages.",
  permission: "read",
  input: z.strictObject({ from: Day.optional(), to: Day.optional() }),
  output: z.object({ annotations: z.array(Annotation) }),
});

export const add = defineOperation({
  name: "annotations.add",
  summary: "Notes what happened on a day; it stands on every chart over time.",
  permission: "edit",
  input: z.strictObject({ day: Day, text: z.string().trim().min(1, "Say what happened.").max(200) }),
  output: z.object({ id: z.string() }),
});

export const remove = defineOperation({
  name: "annotations.remove",
  summary: "Removes a note.",
  permission: "edit",
  input: z.strictObject({ id: z.string().max(100) }),
  output: z.object({ ok: z.literal(true) }),
});
