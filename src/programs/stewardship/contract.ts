import { z } from "zod";
import { defineOperation, FileAnswer } from "#kernel/operation.ts";

/** What data there is, and what people made of it. */
export const dataKinds = ["event", "property", "person_trait", "account_trait"] as const;
export const madeKinds = [
  "metric",
  "cohort",
  "dashboard",
  "query",
  "contract",
  "source",
  "model",
  "flag",
  "experiment",
  "watch",
] as const;
export const kinds = [...dataKinds, ...madeKinds] as const;
export const Kind = z.enum(kinds);
export type Kind = z.output<typeof Kind>;
export const DataKind = z.enum(dataKinds);

/** The same list as in the kernel, which only servers may read. */
export const DataClass = z.enum(["public", "internal", "personal", "restricted"]);
export type DataClass = z.output<typeof DataClass>;

/** Whose property or trait it is. */
export const holderOf = { property: "event", person_trait: "person", account_trait: "account" } as const;

const Item = z.object({
  kind: Kind,
  id: z.string(),
  title: z.string(),
  address: z.string().describe("Its own page; empty for data, which has none."),
  owner: z.string(),
  description: z.string(),
  class: DataClass.nullable().describe("Of properties and traits; null for all else."),
  at: z.string().nullable().describe("When it was last seen, or changed; null where that is not known."),
});
export type Item = z.output<typeof Item>;

export const list = defineOperation({
  name: "stewardship.catalog",
  summary: "Everything there is: events, properties, traits, sources, contracts, and what people made of them.",
  permission: "read",
  input: z.strictObject({
    search: z.string().max(200).default(""),
    kind: Kind.optional(),
    limit: z.int().min(1).max(1_000).default(200),
  }),
  output: z.object({ items: z.array(Item), total: z.int() }),
});

const Node = z.object({
  kind: Kind,
  id: z.string(),
  title: z.string(),
  /** Negative where it feeds the item, 0 for the item, positive for what is made from it. */
  step: z.int(),
});
export type Node = z.output<typeof Node>;

export const item = defineOperation({
  name: "stewardship.item",
  summary: "One thing of the catalog: what it is, how it is classed and by whom, what feeds it and what hangs on it.",
  permission: "read",
  input: z.strictObject({ kind: Kind, id: z.string().min(1).max(500) }),
  output: Item.extend({
    said: z.array(
      z.object({
        class: DataClass,
        by: z.string().describe("Who or what classed it so."),
        note: z.string(),
        at: z.string(),
        isSteward: z.boolean(),
      }),
    ),
    nodes: z.array(Node),
    edges: z.array(z.object({ from: z.string(), to: z.string() })).describe("Between nodes: `kind id`."),
  }),
});

export const describe = defineOperation({
  name: "stewardship.describe",
  summary: "Says what an event, a property or a trait is, and who answers for it.",
  permission: "govern",
  input: z.strictObject({
    kind: DataKind,
    id: z.string().min(1).max(500),
    owner: z.string().trim().max(200),
    description: z.string().trim().max(2_000),
  }),
  output: z.object({ ok: z.literal(true) }),
});

export const classify = defineOperation({
  name: "stewardship.classify",
  summary: "Says how carefully a property or trait is to be handled; null takes that back, and contracts count again.",
  permission: "govern",
  input: z.strictObject({
    kind: DataKind.exclude(["event"]),
    id: z.string().min(1).max(500),
    class: DataClass.nullable(),
    note: z.string().trim().max(1_000).default(""),
  }),
  output: z.object({ ok: z.literal(true) }),
});

export const openLineage = defineOperation({
  name: "stewardship.openLineage",
  summary: "The lineage of the whole workspace as OpenLineage 2-0-2 events, one a line.",
  permission: "read",
  input: z.strictObject({}),
  output: z.instanceof(FileAnswer),
});

const Finding = z.object({
  kind: DataKind,
  name: z.string(),
  type: z
    .string()
    .describe("What its values look like, such as EMAIL_ADDRESS; FIELD_NAME where only its name says so."),
  detector: z.string(),
  hits: z.int().describe("How many of the values looked so."),
  looked: z.int(),
  advised: DataClass,
  foundAt: z.string(),
});
export type Finding = z.output<typeof Finding>;

export const findings = defineOperation({
  name: "stewardship.findings",
  summary: "Properties and traits that look personal and that nobody has classed or judged yet.",
  permission: "govern",
  onlyLooks: true,
  input: z.strictObject({}),
  output: z.object({ findings: z.array(Finding), scannedAt: z.string().nullable() }),
});

export const scan = defineOperation({
  name: "stewardship.scan",
  summary: "Looks through the values that are stored for personal data now, instead of within the day.",
  permission: "govern",
  input: z.strictObject({}),
  output: z.object({ looked: z.int(), found: z.int() }),
});

export const dismiss = defineOperation({
  name: "stewardship.dismiss",
  summary: "Says that a finding is none. It is asked again only when a newer detector finds it.",
  permission: "govern",
  input: z.strictObject({ kind: DataKind, name: z.string().min(1).max(500), type: z.string().max(100) }),
  output: z.object({ ok: z.literal(true) }),
});

const Task = z.object({
  phase: z.enum(["30", "60", "90"]).describe("By which day it should be so."),
  title: z.string(),
  says: z.string().describe("How it stands."),
  isDone: z.boolean(),
  address: z.string(),
});
export type Task = z.output<typeof Task>;

export const home = defineOperation({
  name: "stewardship.home",
  summary: "What waits for a steward, and how far the first ninety days of governing have come.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({
    waits: z.array(z.object({ says: z.string(), address: z.string() })),
    tasks: z.array(Task),
  }),
});
