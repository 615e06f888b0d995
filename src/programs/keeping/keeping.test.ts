import { stringify } from "yaml";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { noVeil } from "#kernel/classes.ts";
import { sql } from "#kernel/sql.ts";
import { keeping } from "./index.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
const day = 86_400_000;
const settings = { events: null, personal: null, restricted: null, held: 30, heldSensitive: 30, deadLetters: 90 };

const start = async () => {
  const workspace = await world.newWorkspace();
  const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
  const ask = <T>(operation: string, input: unknown = {}) => world.ask<T>(operation, input, workspace);
  const found = (await world.system.directory.find(workspace))!;
  const text = async (query: ReturnType<typeof sql>): Promise<string[]> => (await found.engine.rows(query, z.object({ t: z.string() }))).map(({ t }) => t); // prettier-ignore
  const [job] = keeping({ store: world.system.store, ingest: world.system.ingest }).jobs!;
  const run = () => job!.run({ ...found, principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now: Date.now() }); // prettier-ignore
  const send = async (...events: object[]) => {
    await world.system.ingest.accept(source, events.map((event) => ({ userId: "ana", ...event }))); // prettier-ignore
    await world.settled();
  };
  return { ask, send, text, run };
};

describe("what is kept so long", () => {
  it("goes when it is older: events by contract and for all, values by class, and nothing else", async () => {
    const { ask, send, text, run } = await start();
    const now = Date.now();
    const event = (name: string, ago: number, more: object = {}) => ({ name, messageId: `${name}${ago}`, at: now - ago * day, properties: { ago, plan: "pro", mail: `m${ago}@x`, deep: { pin: ago, open: 1 } }, ...more }); // prettier-ignore
    await send(...[1, 40, 100, 400].flatMap((ago) => [event("A", ago), event("B", ago)]));
    await send({ at: now - 100 * day, personTraits: [{ op: "set", traits: { iban: "old", city: "Oslo" } }] });
    await send({ at: now - 1 * day, personTraits: [{ op: "set", traits: { iban: "new" } }] });
    const document = stringify({ apiVersion: "v3.1.0", kind: "DataContract", id: "a", version: "1.0.0", status: "active", slaProperties: [{ property: "retention", value: 3, unit: "m" }], schema: [{ name: "A", properties: [{ name: "mail", classification: "personal" }, { name: "deep", logicalType: "object", properties: [{ name: "pin", classification: "restricted" }] }] }] }); // prettier-ignore
    await ask("contracts.save", { document });
    await ask("stewardship.classify", { kind: "person_trait", id: "iban", class: "restricted" });
    const chosen = { ...settings, events: 365, personal: 30, restricted: 60 };
    expect(await ask("keeping.preview", { settings: chosen })).toEqual({
      steps: [
        { what: "Events A, older than 90 days", rows: 2 },
        { what: "Other events, older than 365 days", rows: 1 },
        { what: "Values of personal properties, older than 30 days", rows: 6 },
        { what: "Values of restricted properties, older than 60 days", rows: 4 },
        { what: "Values of restricted traits of people, older than 60 days", rows: 1 },
      ],
    });
    // a preview and a choice change nothing by themselves
    await ask("keeping.set", { settings: chosen });
    expect((await text(sql`SELECT event AS t FROM events`)).length).toBe(8);
    await run();
    const rows = await text(sql`SELECT concat(event, ' ', toString(properties.ago), ' ', toString(properties.plan), ' ', toString(properties.mail), ' ', toString(properties.deep.pin), ' ', toString(properties.deep.open)) AS t FROM events ORDER BY t`); // prettier-ignore
    expect(rows.map((row) => row.replaceAll("NULL", "").trim())).toEqual(["A 1 pro m1@x 1 1", "A 40 pro  40 1", "B 1 pro m1@x 1 1", "B 100 pro   1", "B 40 pro  40 1"]); // prettier-ignore
    expect(await text(sql`SELECT concat(trait, ' ', value) AS t FROM trait_changes ORDER BY t`)).toEqual(["city Oslo", "iban new"]); // prettier-ignore
    expect(await text(sql`SELECT DISTINCT event AS t FROM activity_daily WHERE day < today() - 366`)).toEqual([]);
    expect(await ask("keeping.get")).toMatchObject({ contracts: [{ event: "A", days: 90 }], lastAt: expect.any(String), went: expect.arrayContaining([{ what: "Events A, older than 90 days", rows: 2 }]) }); // prettier-ignore
    await run();
    expect(await ask("keeping.get")).toMatchObject({ went: [] });
    expect((await text(sql`SELECT event AS t FROM events`)).length).toBe(5);
  }, 60_000);

  it("lets what is held go sooner where it holds something personal", async () => {
    const { ask, send, text, run } = await start();
    const document = stringify({ apiVersion: "v3.1.0", kind: "DataContract", id: "h", version: "1.0.0", status: "active", schema: [{ name: "H", properties: [{ name: "total", logicalType: "number", required: true }, { name: "mail", classification: "personal" }] }] }); // prettier-ignore
    await ask("contracts.save", { document });
    await ask("contracts.setSettings", { settings: { violation: "quarantine" } });
    await send({ name: "H", messageId: "1", properties: { mail: "a@b" } }, { name: "H", messageId: "2", properties: { plan: "x" } }, { name: "H", messageId: "3", properties: {}, personTraits: [{ op: "set", traits: { a: 1 } }] }); // prettier-ignore
    const inTen = { ...settings, held: 20, heldSensitive: 1 };
    await ask("keeping.set", { settings: inTen });
    await run();
    expect((await text(sql`SELECT toString(id) AS t FROM quarantine`)).length).toBe(3);
    const [step] = (await ask<{ steps: { rows: number }[] }>("keeping.preview", { settings: { ...settings, heldSensitive: 1 } })).steps; // prettier-ignore
    expect(step).toMatchObject({ rows: 0 });
    // as it is two days later
    world.clock.at = Date.now() + 2 * day;
    const later = (await ask<{ steps: { what: string; rows: number }[] }>("keeping.preview", { settings: inTen }))
      .steps;
    world.clock.at = undefined;
    expect(later.map(({ rows }) => rows)).toEqual([0, 2]);
  }, 60_000);
});
