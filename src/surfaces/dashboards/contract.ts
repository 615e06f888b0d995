import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { Filter } from "#insights/common/frame.ts";
import { Question } from "#surfaces/explore/contract.ts";

/** How much of the page's width a tile takes. */
export const widths = ["third", "half", "full"] as const;
const Width = z.enum(widths);
export type Width = z.output<typeof Width>;

const QuestionTile = z.object({
  id: z.string(),
  title: z.string(),
  question: Question,
  /** Where the builder shows the same question. */
  address: z.string(),
  width: Width.default("half"),
});
export type QuestionTile = z.output<typeof QuestionTile>;

const TextTile = z.object({
  id: z.string(),
  /** Markdown. */
  text: z.string(),
  width: Width.default("full"),
});
export type TextTile = z.output<typeof TextTile>;

export const Tile = z.union([QuestionTile, TextTile]);
export type Tile = z.output<typeof Tile>;

/** What every question of a dashboard is asked over, besides what it says itself. */
export const View = z.strictObject({
  /** Instead of each question's own range. */
  days: z.int().min(1).max(1_000).optional(),
  filters: z.array(Filter).max(20).default([]),
});
export type View = z.output<typeof View>;

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
  output: z.object({ id: z.string(), name: z.string(), tiles: z.array(Tile), view: View }),
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
  summary: "Puts the tiles of a dashboard in an order, and says how wide each is. Tiles left out stay at the end.",
  permission: "edit",
  input: z.strictObject({
    id: z.string(),
    tiles: z.array(z.strictObject({ id: z.string(), width: Width })).max(50),
  }),
  output: z.object({ ok: z.literal(true) }),
});

const Markdown = z.string().trim().min(1, "Write something.").max(10_000);

export const writeText = defineOperation({
  name: "dashboards.writeText",
  summary: "Puts a text on a dashboard, or changes one that is there.",
  permission: "edit",
  input: z.strictObject({ id: z.string(), tile: z.string().optional(), text: Markdown }),
  output: z.object({ tile: z.string() }),
});

export const keepView = defineOperation({
  name: "dashboards.keepView",
  summary: "Says over which range and under which conditions a dashboard is opened.",
  permission: "edit",
  input: z.strictObject({ id: z.string(), view: View }),
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

/** When something is sent: at an hour of a zone, every day, on a day of the week (Monday is 1) or of the month. */
export const Rhythm = z.discriminatedUnion("every", [
  z.strictObject({ every: z.literal("day"), hour: z.int().min(0).max(23), zone: z.string().max(64) }),
  z.strictObject({
    every: z.literal("week"),
    weekday: z.int().min(1).max(7),
    hour: z.int().min(0).max(23),
    zone: z.string().max(64),
  }),
  z.strictObject({
    every: z.literal("month"),
    day: z.int().min(1).max(28),
    hour: z.int().min(0).max(23),
    zone: z.string().max(64),
  }),
]);
export type Rhythm = z.output<typeof Rhythm>;

const Schedule = z.object({
  id: z.string(),
  members: z.array(z.object({ id: z.string(), name: z.string(), email: z.string() })),
  rhythm: Rhythm,
  nextAt: z.string(),
  sentAt: z.string().nullable(),
  /** Why it did not go out the last time; empty where it did. */
  problem: z.string(),
});

export const schedules = defineOperation({
  name: "dashboards.schedules",
  summary: "To whom a dashboard is sent by mail, and when.",
  permission: "read",
  input: z.strictObject({ id: z.string() }),
  output: z.object({ canSend: z.boolean(), schedules: z.array(Schedule) }),
});

export const addSchedule = defineOperation({
  name: "dashboards.addSchedule",
  summary: "Sends a dashboard to members of the workspace again and again.",
  permission: "edit",
  input: z.strictObject({
    id: z.string(),
    members: z.array(z.string()).min(1, "Choose somebody.").max(100),
    rhythm: Rhythm,
  }),
  output: z.object({ schedule: z.string(), nextAt: z.string() }),
});

export const removeSchedule = defineOperation({
  name: "dashboards.removeSchedule",
  summary: "Stops sending a dashboard.",
  permission: "edit",
  input: z.strictObject({ id: z.string(), schedule: z.string() }),
  output: z.object({ ok: z.literal(true) }),
});

export const sendNow = defineOperation({
  name: "dashboards.sendNow",
  summary: "Sends a dashboard to whoever asks for it, once, now.",
  permission: "read",
  input: z.strictObject({ id: z.string() }),
  output: z.object({ to: z.string() }),
});
