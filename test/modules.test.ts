import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { tables } from "#app/modules.ts";
import { identifier, sql } from "#kernel/sql.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();

describe("the program", () => {
  it("is made of every module that has a folder", () => {
    const folders = ["records", "insights", "programs", "surfaces"].flatMap((room) =>
      readdirSync(join("src", room)).filter((name) => existsSync(join("src", room, name, "index.ts"))),
    );
    expect(world.system.modules.map((module) => module.name).sort()).toEqual(folders.sort());
  });

  it.each(tables.map((table) => [table.name, table] as const))(
    "documents the table %s as it is",
    async (name, table) => {
      const { engine } = (await world.system.directory.find(world.workspace))!;
      const row = z.object({ name: z.string(), type: z.string() });
      const columns = await engine.rows(sql`DESCRIBE TABLE ${identifier(name)}`, row);
      const plain = (type: string): string => type.replaceAll(/\s/g, "");
      expect(columns.map((column) => [column.name, plain(column.type)])).toEqual(
        Object.entries(table.columns).map(([column, { type }]) => [column, plain(type)]),
      );
      for (const { meaning } of Object.values(table.columns)) expect(meaning).toMatch(/\S.*\.$/);
    },
  );
});
