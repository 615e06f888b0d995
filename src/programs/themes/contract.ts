import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

const Done = z.object({ ok: z.literal(true) });
const Id = z.string().min(1).max(100);

export const list = defineOperation({
  name: "themes.list",
  summary: "What conversations speak of: themes that were found in them, and what people made of them.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({
    foundAt: z.string().nullable().describe("When they were found last; null where there were too few conversations."),
    themes: z.array(z.object({ id: z.string(), title: z.string(), isPinned: z.boolean(), countsAs: z.string().nullable(), words: z.array(z.string()) })),
  }),
}); // prettier-ignore
export type ThemeList = z.output<typeof list.output>;

export const find = defineOperation({
  name: "themes.find",
  summary: "Finds themes anew in conversations of 90 days. Those that people named or put together stay.",
  permission: "edit",
  input: z.strictObject({}),
  output: z.object({ themes: z.number() }),
});

export const name = defineOperation({
  name: "themes.name",
  summary: "Names a theme, by which it stays when themes are found anew. An empty name lets it go by its words again.",
  permission: "edit",
  input: z.strictObject({ id: Id, name: z.string().trim().max(100) }),
  output: Done,
});

export const merge = defineOperation({
  name: "themes.merge",
  summary: "Counts a theme as another one; with null it stands for itself again.",
  permission: "edit",
  input: z.strictObject({ id: Id, into: Id.nullable() }),
  output: Done,
});
