import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { Question } from "#surfaces/explore/contract.ts";

export const Tile = z.object({
  id: z.string(),
  title: z.string(),
  question: Question,
  /** Where the builder shows the same question. */
  address: z.string(),
  /** Takes the whole width of the page. */
  wide: z.boolean().default(false),
});
export type Tile = z.output<typeof Tile>;

const Name = z.string().trim().min(1, "Give it a name.").max(100);
/** A path of this app only, so that a saved tile cannot lead elsewhere. */
const Address = z
  .string()
  .max(40_000)
  .regex(/^\/(explore|sql)(\?|$)/, "An address of the Explore or the SQL page.");

export const list = defineOperation({
  name: "dashboards.list",
  summary: "The dashboards of the workspace.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({
    dashboards: z.array(z.object({ id: z.string(), name: z.string(), tiles: z.number(), updatedAt: z.string() })),
  }),
});

export const get = defineOperation({
  name: "dashboards.get",
  summary: "One dashboard with its questions.",
  permission: "read",
  input: z.strictObject({ id: z.string() }),
  output: z.object({ id: z.string(), name: z.string(), tiles: z.array(Tile) }),
});

export const create = defineOperation({
  name: "dashboards.create",
  summary: "Creates an empty dashboard.",
  permission: "edit",
  input: z.strictObject({ name: Name }),
  output: z.object({ id: z.string() }),
});

export const addTile = defineOperation({
  name: "dashboards.addTile",
  summary: "Puts a question on a dashboard.",
  permission: "edit",
  input: z.strictObject({ id: z.string(), title: Name, question: Question, address: Address }),
  output: z.object({ tile: z.string() }),
});

export const arrange = defineOperation({
  name: "dashboards.arrange",
  summary:
    "Puts the questions of a dashboard in an order, and says which are wide. Questions left out stay at the end.",
  permission: "edit",
  input: z.strictObject({
    id: z.string(),
    tiles: z.array(z.strictObject({ id: z.string(), wide: z.boolean() })).max(50),
  }),
  output: z.object({ ok: z.literal(true) }),
});

export const rename = defineOperation({
  name: "dashboards.rename",
  summary: "Gives a dashboard another name.",
  permission: "edit",
  input: z.strictObject({ id: z.string(), name: Name }),
  output: z.object({ ok: z.literal(true) }),
});

export const remove = defineOperation({
  name: "dashboards.remove",
  summary: "Removes a dashboard with its questions.",
  permission: "edit",
  input: z.strictObject({ id: z.string() }),
  output: z.object({ ok: z.literal(true) }),
});

export const removeTile = defineOperation({
  name: "dashboards.removeTile",
  summary: "Takes a question off a dashboard.",
  permission: "edit",
  input: z.strictObject({ id: z.string(), tile: z.string() }),
  output: z.object({ ok: z.literal(true) }),
});
