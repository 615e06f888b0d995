import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { Provenance } from "#insights/common/frame.ts";

/** Characters of a query. */
const longest = 20_000;
export const Query = z.string().min(1, "Write a query.").max(longest);

const Display = z.strictObject({
  type: z.enum(["table", "line", "bar"]).default("table"),
  /** Column along the bottom; the first where absent. */
  x: z.string().max(200).optional(),
  /** Columns that are drawn; every other one with numbers where empty. */
  y: z.array(z.string().max(200)).max(10).default([]),
});
export type Display = z.output<typeof Display>;

export const SqlInput = z.strictObject({ query: Query, display: Display.default({ type: "table", y: [] }) });
export type SqlInput = z.output<typeof SqlInput>;

const Cell = z.union([z.string(), z.number(), z.null()]);

export const SqlResult = z.object({
  kind: z.literal("sql"),
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  rows: z.array(z.array(Cell)),
  /** There were more rows, or more bytes, than are shown. */
  cut: z.boolean(),
  display: Display,
  sentence: z.string(),
  provenance: Provenance,
});
export type SqlResult = z.output<typeof SqlResult>;

export const askSql = defineOperation({
  name: "sql.ask",
  summary: "Asks in SQL: one SELECT over the tables of sql.schema, read-only, with limits of time, memory and rows.",
  permission: "read",
  discloses: true,
  input: SqlInput,
  output: SqlResult,
});

export const schema = defineOperation({
  name: "sql.schema",
  summary: "The tables that can be asked in SQL, with their columns.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({
    tables: z.array(
      z.object({
        name: z.string(),
        grain: z.string(),
        columns: z.array(z.object({ name: z.string(), type: z.string(), meaning: z.string() })),
      }),
    ),
  }),
});

const Saved = z.object({
  id: z.string(),
  name: z.string(),
  input: SqlInput,
  by: z.string(),
  updatedAt: z.string(),
});

export const saved = defineOperation({
  name: "sql.saved",
  summary: "Queries that were kept.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({ queries: z.array(Saved) }),
});

export const save = defineOperation({
  name: "sql.save",
  summary: "Keeps a query, or changes one that was kept.",
  permission: "edit",
  input: z.strictObject({
    id: z.string().max(100).optional(),
    name: z.string().trim().min(1, "Give it a name.").max(100),
    input: SqlInput,
  }),
  output: z.object({ id: z.string() }),
});

export const remove = defineOperation({
  name: "sql.remove",
  summary: "Removes a query that was kept.",
  permission: "edit",
  input: z.strictObject({ id: z.string().max(100) }),
  output: z.object({ ok: z.literal(true) }),
});
