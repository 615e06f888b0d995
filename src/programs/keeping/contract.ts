import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

const Days = (most: number) => z.int().min(1).max(most);

/** Days after which things go, counted from when they happened (held and refused ones: from when they came). */
export const Settings = z.strictObject({
  events: Days(36_500).nullable().default(null).describe("Events as a whole; null for ever. A contract can say less or more of its own (slaProperties: retention)."),
  personal: Days(36_500).nullable().default(null).describe("Values of properties and traits that are classed personal."),
  restricted: Days(36_500).nullable().default(null).describe("Values of properties and traits that are classed restricted."),
  conversations: Days(36_500).nullable().default(null).describe("What was written in conversations: parts, subjects and summaries, from the last part on. Scores and their drivers stay."),
  held: Days(30).default(30).describe("Held events."),
  heldSensitive: Days(30).default(30).describe("Held events with a personal or restricted property, or traits."),
  deadLetters: Days(90).default(90).describe("Refused events."),
}); // prettier-ignore
export type Settings = z.output<typeof Settings>;

const Step = z.object({
  what: z.string().describe("What goes, in words."),
  rows: z.number().describe("Rows that it is of."),
});
export type Step = z.output<typeof Step>;

export const get = defineOperation({
  name: "keeping.get",
  summary: "How long things are kept, and what went when it was last looked.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({
    settings: Settings,
    contracts: z
      .array(z.object({ event: z.string(), days: z.number() }))
      .describe("What contracts say of their own events."),
    lastAt: z.string().nullable(),
    went: z.array(Step),
  }),
});

export const preview = defineOperation({
  name: "keeping.preview",
  summary: "What would go now if things were kept so long.",
  permission: "govern",
  onlyLooks: true,
  input: z.strictObject({ settings: Settings }),
  output: z.object({ steps: z.array(Step) }),
});

export const set = defineOperation({
  name: "keeping.set",
  summary: "Chooses how long things are kept. What is older goes within a day, for good.",
  permission: "govern",
  input: z.strictObject({ settings: Settings }),
  output: z.object({ ok: z.literal(true) }),
});
