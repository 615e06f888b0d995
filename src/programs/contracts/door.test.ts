import { execFileSync } from "node:child_process";
import { stringify } from "yaml";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Refusal } from "#kernel/refusal.ts";
import { sql } from "#kernel/sql.ts";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { useWorld } from "#test/world.ts";
import type { HeldEvent, ViolationGroup } from "./contract.ts";

const world = useWorld();

const contractOf = (version: string, more: object = {}, properties?: object[]) =>
  stringify({
    apiVersion: "v3.1.0",
    kind: "DataContract",
    id: "orders",
    version,
    status: "active",
    schema: [
      {
        name: "Order Completed",
        properties: properties ?? [
          { name: "total", logicalType: "number", required: true, logicalTypeOptions: { minimum: 0 } },
          { name: "email", logicalType: "string", classification: "personal" },
          {
            name: "guests",
            logicalType: "array",
            items: {
              logicalType: "object",
              properties: [{ name: "mail", logicalType: "string", classification: "personal" }],
            },
          },
        ],
        ...more,
      },
    ],
  });

const start = async () => {
  const workspace = await world.newWorkspace();
  const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
  const ask = <T>(operation: string, input: unknown = {}) => world.ask<T>(operation, input, workspace);
  const send = async (...events: object[]) => {
    const answer = await world.system.ingest.accept(
      source,
      events.map((event) => ({ name: "Order Completed", userId: "ana", at: Date.now(), ...event })),
    );
    await world.settled();
    return answer;
  };
  const total = async (): Promise<number> => {
    const series = [{ event: "Order Completed", measure: "sum", property: "total" }];
    return (await ask<TrendsResult>("trends.ask", { series })).lines[0]?.total ?? 0;
  };
  const groups = async () => (await ask<{ groups: ViolationGroup[] }>("contracts.violations")).groups;
  const held = () => ask<{ held: HeldEvent[]; count: number }>("quarantine.list");
  return { workspace, source, ask, send, total, groups, held };
};

describe("the door", () => {
  it("sends on what does not fit and says so, until a contract holds it; a mapping mends it and the number", async () => {
    const { ask, send, total, groups, held } = await start();
    await ask("contracts.save", { document: contractOf("1.0.0") });
    await send({ messageId: "1", properties: { total: 10 } });
    expect(await groups()).toEqual([]);
    // a release renames the property
    await send({ messageId: "2", properties: { amount: "20" } });
    expect(await groups()).toMatchObject([
      { event: "Order Completed", rule: "required_missing", path: "/properties/total", action: "forward", version: "1.0.0", count: 1 },
    ]);
    expect((await held()).count).toBe(0);

    await ask("contracts.setSettings", { settings: { violation: "quarantine" } });
    await send({ messageId: "3", properties: { amount: "30" } }, { messageId: "4", properties: { amount: "x" } });
    await send({ messageId: "3", properties: { amount: "30" } });
    expect(await held()).toMatchObject({ count: 2 });
    expect(await total()).toBe(10);

    const mapping = {
      event: "Order Completed",
      patches: [{ op: "rename", property: "amount", to: "total" }, { op: "cast", property: "total", to: "number" }],
    };
    expect(await ask("quarantine.replay", { event: "Order Completed" })).toMatchObject({ held: 2, fits: 0 });
    const dry = { held: 2, fits: 1, stays: [{ message: "/properties/total should be number; it is string.", count: 1 }] };
    expect(await ask("quarantine.replay", mapping)).toEqual(dry);
    expect(await total()).toBe(10);
    expect(await ask("quarantine.replay", { ...mapping, dryRun: false })).toEqual(dry);
    await world.settled();
    expect(await total()).toBe(40);
    expect((await held()).held.map(({ messages }) => messages)).toEqual([["/properties/total is missing."]]);
    // the same again changes nothing
    await ask("quarantine.replay", { ...mapping, dryRun: false });
    await world.settled();
    expect(await total()).toBe(40);
  }, 60_000); // prettier-ignore

  it("sends an event without an id on once, whatever the clocks say, and keeps what is refused on its way", async () => {
    const { ask, send, total, held, workspace } = await start();
    await ask("contracts.save", { document: contractOf("1.0.0") });
    await ask("contracts.setSettings", { settings: { violation: "quarantine" } });
    world.clock.at = Date.now() + 60_000; // held by a clock that is ahead of the one that sends on
    await send({ properties: { total: "5" } });
    world.clock.at = undefined;
    await send({ properties: { total: "7" } });
    const { engine } = (await world.system.directory.find(workspace))!;
    await engine.command(sql`CREATE TABLE as_held ENGINE = Memory AS SELECT * FROM quarantine`);
    const mapping = { event: "Order Completed", patches: [{ op: "cast", property: "total", to: "number" }], dryRun: false };
    expect(await ask("quarantine.replay", mapping)).toMatchObject({ held: 2, fits: 2, stays: [] });
    await world.settled();
    expect((await held()).count).toBe(0);
    expect(await total()).toBe(12);
    // a process that ended before it had marked them sends them again
    await engine.command(sql`TRUNCATE TABLE quarantine`);
    await engine.command(sql`INSERT INTO quarantine SELECT * FROM as_held`);
    expect(await ask("quarantine.replay", mapping)).toMatchObject({ held: 2, fits: 2 });
    await world.settled();
    expect(await total()).toBe(12);
    // what a mapping makes of it can be more than an event may be: that stays
    await send({ properties: { total: "1", ...Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`p${n}`, "x"])) } });
    const longer = { ...mapping, patches: [...mapping.patches, { op: "default", property: "note", value: "x".repeat(1_100_000) }] };
    expect(await ask("quarantine.replay", longer)).toMatchObject({ held: 1, fits: 0, stays: [{ count: 1 }] });
    expect((await held()).count).toBe(1);
  }, 60_000); // prettier-ignore

  it("refuses where it is told to, leaves out what nobody planned, and judges by the version that fits", async () => {
    const { ask, send, groups } = await start();
    const closed = { customProperties: [{ property: "additionalProperties", value: false }, { property: "disposition", value: { unplannedProperty: "omit", violation: "block" } }] }; // prettier-ignore
    await ask("contracts.save", { document: contractOf("1.0.0", closed) });
    const answer = await send({ properties: { total: 1, colour: "red" } }, { properties: { total: -1 } });
    expect(answer).toMatchObject({ accepted: 1, rejected: [{ index: 1, reason: "contract.blocked" }] });
    expect((await groups()).map(({ rule, action }) => `${rule} ${action}`)).toEqual(["unplanned_property forward"]);
    expect(await ask("catalog.properties", { event: "Order Completed" })).not.toMatchObject({ properties: [{ name: "colour" }] }); // prettier-ignore
    await expect(ask("contracts.save", { document: contractOf("1.0.0") })).rejects.toThrow(/Raise its version/);
    await ask("contracts.save", {
      document: contractOf("2.0.0", closed, [{ name: "sum", logicalType: "integer", required: true }]),
    });
    expect(await send({ properties: { total: 3 } }, { properties: { sum: 3 } })).toMatchObject({ rejected: [] });
  }, 60_000);

  it("says of a new version whom it breaks, with an event that shows it, and names every fault of a bad one", async () => {
    const { ask, send } = await start();
    await ask("contracts.save", { document: contractOf("1.0.0") });
    const changed = contractOf("1.1.0", {}, [{ name: "total", logicalType: "integer", required: true }]);
    expect(await ask("contracts.check", { document: changed })).toMatchObject({
      against: "1.0.0",
      verdicts: [{ event: "Order Completed", backward: false, breaking: true, bump: "major", refusedNow: expect.stringMatching(/total/) }],
    });
    await send({ properties: { total: 1.5 } }, { properties: { total: 2 } });
    const { recent } = await ask<{ recent: object[] }>("contracts.check", { document: changed });
    expect(recent).toEqual([{ event: "Order Completed", looked: 2, fits: 1, messages: ["/total should be integer; it is number."] }]);
    expect(await ask("contracts.check", { document: changed.replace("Order Completed", "Another") })).toMatchObject({ removed: ["Order Completed"], verdicts: [] });
    await expect(ask("contracts.setStatus", { id: "orders", version: "1.0.0", status: "draft" })).rejects.toThrow(/cannot be a draft again/);
    await expect(ask("contracts.check", { document: `${"[".repeat(500)}${"]".repeat(500)}` })).rejects.toThrow(/nested 100 deep/);
    await expect(ask("contracts.check", { document: "[".repeat(400_000) })).rejects.toThrow(Refusal);
    await expect(ask("contracts.check", { document: contractOf("1.1.0", { customProperties: [{ property: "disposition", value: { violation: "hold" } }] }) })).rejects.toThrow(/disposition of Order Completed.*violation/);
    const bad = "kind: DataContract\napiVersion: v3.1.0\nid: x\nversion: one\nstatus: on\n";
    await expect(ask("contracts.check", { document: bad })).rejects.toThrow(/version: .*; status: /);
    await expect(ask("contracts.save", { document: "a: [" })).rejects.toThrow(/no YAML/);
    await expect(ask("contracts.save", { document: contractOf("1.2.0", {}, [{ name: "a", logicalType: "string", logicalTypeOptions: { pattern: "(?=x)" } }]) })).rejects.toThrow(/cannot be compiled/);
  }, 60_000); // prettier-ignore

  it("learns a contract that everything that came would meet", async () => {
    const { ask, send, groups } = await start();
    await send(...Array.from({ length: 120 }, (_, n) => ({ messageId: `l${n}`, properties: { total: n / 4, plan: ["free", "pro"][n % 2], cart: { items: n, "a.b": "x" }, when: "2026-01-15 12:30:45", ...(n % 3 === 0 ? { first: true } : {}) } })));
    const { document, events } = await ask<{ document: string; events: number }>("contracts.learn", { event: "Order Completed" });
    expect(events).toBe(120);
    expect(document).toContain("validValues:\n                - free\n                - pro");
    expect(document).toMatch(/name: total\n\s+logicalType: number\n\s+required: true/);
    await ask("contracts.save", { document: document.replace("status: draft", "status: active") });
    expect(await ask("contracts.check", { document })).toMatchObject({ verdicts: [{ changes: [] }], recent: [{ looked: 120, fits: 120 }] });
    await send({ messageId: "after", properties: { total: 1, plan: "pro", cart: { items: 1 }, when: "2026-01-15 12:30:45" } });
    await send({ name: "Another" });
    expect(await groups()).toEqual([]);
  }, 60_000); // prettier-ignore

  it("lets no personal data or secret of a property reach the disk, dead letters and quarantine included", async () => {
    const { ask, send, groups, workspace, source } = await start();
    const secret = `ghp_${"aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5"}`;
    const card = "4242 4242 4242 4242";
    await ask("contracts.save", { document: contractOf("1.0.0") });
    await ask("contracts.setSettings", { settings: { violation: "quarantine" } });
    await send({ properties: { total: 1, note: `mail planted@example.com, card ${card}`, email: "wanted@example.com", guests: [{ mail: "guest@example.com" }], [secret]: secret, deep: [{ token: secret }] } });
    await send({ properties: { note: `held ${card}`, total: "x" } });
    await send({ userId: undefined, properties: { note: `refused planted@example.com ${secret}` } });
    await world.system.ingest.accept(source, [{ fault: { reason: "x", message: "x" }, body: `raw ${card} ${secret}` }]);
    await world.settled();
    const kinds = (await groups()).filter(({ rule }) => rule === "masked").map(({ keyword }) => keyword);
    expect(new Set(kinds)).toEqual(new Set(["EMAIL_ADDRESS", "CREDIT_CARD", "SECRET"]));
    const { engine } = (await world.system.directory.find(workspace))!;
    const Row = z.object({ properties: z.string() });
    const events = await engine.rows(sql`SELECT toString(properties) AS properties FROM events`, Row);
    const stored = events.map(({ properties }) => properties).join("\n");
    expect(stored).toContain("[CREDIT_CARD]");
    expect(stored).toContain("wanted@example.com");
    expect(stored).toContain("guest@example.com");
    for (const marker of ["planted@example", card, secret]) {
      const found = (() => {
        try {
          return execFileSync("grep", ["-rlaF", marker, world.folder], { encoding: "utf8" });
        } catch {
          return ""; // grep ends with 1 where it finds nothing
        }
      })();
      expect(found, marker).toBe("");
    }
  }, 60_000); // prettier-ignore

  it("belongs to its workspace alone", async () => {
    const [one, two] = [await start(), await start()];
    await one.ask("contracts.save", { document: contractOf("1.0.0") });
    await one.ask("contracts.setSettings", { settings: { violation: "quarantine" } });
    await one.send({ properties: {} });
    await two.send({ properties: {} });
    expect((await one.held()).count).toBe(1);
    expect((await two.held()).count).toBe(0);
    expect(await two.ask("contracts.list")).toEqual({ contracts: [] });
    expect(await two.groups()).toEqual([]);
    await expect(two.ask("contracts.setSettings", { source: one.source.id, settings: {} })).rejects.toThrow();
  }, 60_000);
});
