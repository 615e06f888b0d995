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
    expect((await groups()).map(({ rule, action }) => `${rule} ${action}`).toSorted()).toEqual([
      "constraint block",
      "unplanned_property forward",
    ]);
    expect(await ask("catalog.properties", { event: "Order Completed" })).not.toMatchObject({ properties: [{ name: "colour" }] }); // prettier-ignore
    await expect(ask("contracts.save", { document: contractOf("1.0.0") })).rejects.toThrow(/Raise its version/);
    await ask("contracts.save", {
      document: contractOf("2.0.0", closed, [{ name: "sum", logicalType: "integer", required: true }]),
    });
    expect(await send({ properties: { total: 3 } }, { properties: { sum: 3 } })).toMatchObject({ rejected: [] });
  }, 60_000);

  it("holds traits against what was agreed on them, and says which release of which SDK sent what does not fit", async () => {
    const { ask, send, groups, held, workspace } = await start();
    const traits = (of: string, disposition: object) => ({ name: of, properties: [{ name: "plan", logicalType: "string", required: true, quality: [{ metric: "invalidValues", mustBe: 0, arguments: { validValues: ["free", "pro"] } }] }, { name: "salary", logicalType: "number", classification: "restricted" }], customProperties: [{ property: "of", value: of }, { property: "disposition", value: disposition }] }); // prettier-ignore
    const document = stringify({ apiVersion: "v3.1.0", kind: "DataContract", id: "traits", version: "1.0.0", status: "active", schema: [traits("person", { violation: "omit" }), traits("account", { violation: "quarantine" })] }); // prettier-ignore
    await ask("contracts.save", { document });
    const sender = { $lib: "analytics.js", $lib_version: "5.2.0", $app_version: "3.14" };
    const set = (values: object) => [{ op: "set", traits: values }];
    await send(
      // a change names what changes: what it does not name is not missing
      { messageId: "a", userId: "ana", personTraits: set({ salary: 7 }) },
      { messageId: "b", userId: "bo", personTraits: set({ plan: "gold", city: "Oslo" }), properties: sender },
      { messageId: "c", userId: "cy", account: "acme", accountTraits: set({ plan: 4 }) },
      { messageId: "d", userId: "di", name: undefined, account: "acme", accountTraits: [{ op: "set_once", traits: { plan: "pro" } }] },
    ); // prettier-ignore
    expect((await groups()).map(({ path, action, library, release, contract }) => [path, action, library, release, contract].join("|")).toSorted()).toEqual([
      "/accountTraits/plan|quarantine|||traits",
      "/accountTraits/plan|quarantine|||traits",
      "/personTraits/plan|forward|analytics.js 5.2.0|3.14|traits",
    ]); // prettier-ignore
    expect(await held()).toMatchObject({ count: 1, held: [{ event: "Order Completed" }] });
    const { engine } = (await world.system.directory.find(workspace))!;
    const rows = await engine.rows(sql`SELECT subject, trait, value FROM trait_changes ORDER BY trait, subject`, z.object({ subject: z.string(), trait: z.string(), value: z.string() })); // prettier-ignore
    expect(rows.map((row) => Object.values(row).join(" "))).toEqual(["person city Oslo", "account plan pro", "person salary 7"]); // prettier-ignore
    // what a contract classes of people is classed of people, and of nothing else
    expect(await world.system.store.selectFrom("classifications").select(["holder", "name", "class"]).where("workspace", "=", workspace).orderBy("holder").execute()).toEqual([
      { holder: "account", name: "salary", class: "restricted" },
      { holder: "person", name: "salary", class: "restricted" },
    ]); // prettier-ignore
    await expect(ask("contracts.save", { document: document.replace("value: person", "value: nobody") })).rejects.toThrow(/can be of event, person, account, table/); // prettier-ignore
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
    expect(document).toContain("In 120 of 120 events. From 0 to 29.75.");
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

  it("puts in place of personal data what was chosen: a type, a token, what names nobody, nothing", async () => {
    const { ask, send, workspace, held } = await start();
    const { engine } = (await world.system.directory.find(workspace))!;
    const stored = async () => (await engine.rows(sql`SELECT toString(properties) AS properties FROM events ORDER BY received, at`, z.object({ properties: z.string() }))).map(({ properties }) => JSON.parse(properties) as Record<string, unknown>); // prettier-ignore
    const note = "ana@example.com from 203.0.113.77, card 4242 4242 4242 4242";
    const ways = ["redact", "token", "truncate", "drop", "forward"];
    for (const [at, pii] of ways.entries()) {
      await ask("contracts.setSettings", { settings: { pii } });
      await send({ at: Date.now() + at, properties: { note, list: [note, "plain"], n: at } });
    }
    await ask("contracts.setSettings", { settings: { pii: "token" } });
    await send({ at: Date.now() + 10, properties: { note: "ANA@example.com" } });
    const [mask, token, cut, drop, kept, again] = await stored();
    expect(mask).toMatchObject({ note: "[EMAIL_ADDRESS] from [IP_ADDRESS], card [CREDIT_CARD]" });
    expect(cut).toMatchObject({ note: "[EMAIL_ADDRESS at example.com] from [IP_ADDRESS 203.0.113.*], card [CREDIT_CARD *4242]" });
    expect(Object.keys(drop!)).toEqual(["list", "n"]);
    expect(drop).toMatchObject({ list: ["plain"] });
    expect(kept).toMatchObject({ note });
    expect(token!["note"]).toMatch(/^\[EMAIL_ADDRESS tok_[0-9a-f]{20}\] from \[IP_ADDRESS tok_[0-9a-f]{20}\], card \[CREDIT_CARD tok_/);
    // the same value is told to be the same, however it is written
    expect(token!["note"]).toContain(again!["note"]);

    // a contract says so of a property, after it has been judged; what is held can go on all the same
    const way = (redaction: string) => [{ property: "redaction", value: redaction }];
    const properties = [
      { name: "mail", logicalType: "string", required: true, logicalTypeOptions: { format: "email" }, classification: "personal", customProperties: way("token") },
      { name: "ip", logicalType: "string", logicalTypeOptions: { format: "ipv4" }, customProperties: way("truncate") },
      { name: "pin", logicalType: "integer", required: true, customProperties: way("drop") },
      { name: "salary", logicalType: "number", customProperties: way("mask") },
      { name: "total", logicalType: "number", required: true },
    ];
    await ask("contracts.save", { document: contractOf("1.0.0", {}, properties) });
    await ask("contracts.setSettings", { settings: { violation: "quarantine" } });
    const good = { mail: "bo@example.com", ip: "203.0.113.9", pin: 4711, salary: 50_000, total: 1 };
    await send({ at: Date.now() + 20, properties: good }, { at: Date.now() + 30, messageId: "held", properties: { ...good, total: "2" } }, { at: Date.now() + 40, properties: { ...good, mail: "no mail" } });
    const shown = { mail: expect.stringMatching(/^tok_/), ip: "[IP_ADDRESS 203.0.113.*]", salary: "[MASKED]" };
    expect((await stored()).at(-1)).toEqual({ ...shown, total: 1 });
    expect(await held()).toMatchObject({ count: 2 });
    expect(JSON.stringify(await held())).not.toMatch(/bo@example|203\.0\.113\.9|4711|50000/);
    const mend = { event: "Order Completed", patches: [{ op: "cast", property: "total", to: "number" }], dryRun: false };
    expect(await ask("quarantine.replay", mend)).toMatchObject({ held: 2, fits: 2 });
    await world.settled();
    // sent on, the token is the same as before
    expect((await stored()).filter(({ mail }) => mail === undefined).length).toBe(6);
    expect(new Set((await stored()).flatMap(({ mail }) => (mail === undefined ? [] : [mail]))).size).toBe(2);
    const nested = contractOf("3.0.0", {}, [{ name: "a", logicalType: "object", properties: [{ name: "b", customProperties: way("drop") }] }]);
    await expect(ask("contracts.save", { document: nested })).rejects.toThrow(/only whole properties/);
    await expect(ask("contracts.save", { document: contractOf("3.0.0", {}, [{ name: "a", customProperties: way("hide") }]) })).rejects.toThrow(/mask, token, truncate, drop/);
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

describe("plans of others", () => {
  it("are taken over as drafts, change nothing until they are active, and are given out again", async () => {
    const { ask, send, groups } = await start();
    const text = "Event Name,Property Name,Property Type,Required\nOrder Completed,total,number,yes\nSigned Up,plan,string,no\n";
    const told = { format: "csv", faults: [], contracts: [{ id: "order-completed", version: "1.0.0", properties: 1, becomes: "new" }, { id: "signed-up" }] };
    expect(await ask("contracts.importPlan", { text })).toMatchObject(told);
    expect(await ask("contracts.list")).toEqual({ contracts: [] });
    expect(await ask("contracts.importPlan", { text, dryRun: false })).toMatchObject(told);
    await send({ properties: {} });
    expect(await groups()).toEqual([]);
    await ask("contracts.setStatus", { id: "order-completed", version: "1.0.0", status: "active" });
    await send({ properties: {} });
    expect(await groups()).toMatchObject([{ path: "/properties/total", rule: "required_missing", contract: "order-completed" }]);
    // what is active stays as it is
    expect(await ask("contracts.importPlan", { text, dryRun: false })).toMatchObject({ contracts: [{ becomes: "same" }, { becomes: "same" }] });
    const changed = text.replace("number", "integer");
    expect(await ask("contracts.importPlan", { text: changed, dryRun: false })).toMatchObject({
      contracts: [{ id: "signed-up", becomes: "same" }],
      faults: [{ rule: "Order Completed", message: expect.stringMatching(/Raise the version/) }],
    });
    const { text: plan } = await ask<{ text: string }>("contracts.exportPlan", { format: "segment", ids: ["order-completed"] });
    expect(JSON.parse(plan)).toMatchObject({ rules: [{ type: "TRACK", key: "Order Completed" }] });
  }, 60_000);
}); // prettier-ignore
