import { describe, expect, it } from "vitest";
import { identifier, sql } from "#kernel/sql.ts";
import { eventTables } from "#records/events/tables.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();

describe("the names of events", () => {
  it("are counted as they come, and for a workspace that is older than their table, once", async () => {
    const source = await world.system.registry.byKey((await world.source()).writeKey);
    const at = Date.parse("2026-03-01T00:00:00Z");
    const send = async (from: number, count: number) => {
      const events = Array.from({ length: count }, (_, n) => ({ name: n % 2 === 0 ? "A" : "B", userId: "u", at: at + n, messageId: String(from + n) })); // prettier-ignore
      await world.system.ingest.accept(source, events);
      await world.settled();
    };
    const names = async () => (await world.ask<{ events: { name: string; count: number }[] }>("catalog.events", {})).events.map(({ name, count }) => [name, count]); // prettier-ignore
    await send(0, 11);
    expect(await names()).toEqual([["A", 6], ["B", 5]]); // prettier-ignore
    const { engine } = (await world.system.directory.find(world.workspace))!;
    await engine.command(sql`DROP VIEW event_names_feed`);
    await engine.command(sql`DROP TABLE event_names SYNC`);
    const { create } = eventTables.find(({ name }) => name === "event_names")!;
    for (let twice = 0; twice < 2; twice += 1)
      for (const statement of create(identifier(engine.database))) await engine.command(statement);
    expect(await names()).toEqual([["A", 6], ["B", 5]]); // prettier-ignore
    await send(11, 1);
    expect(await names()).toEqual([["A", 7], ["B", 5]]); // prettier-ignore
  });
});
