import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { tables } from "#app/modules.ts";
import { noVeil } from "#kernel/classes.ts";
import { identifier, sql } from "#kernel/sql.ts";
import type { ErasureRequest, FoundPerson } from "#programs/erasure/contract.ts";
import type { IncomingEvent } from "#records/events/incoming.ts";
import { useWorld } from "./world.ts";

const world = useWorld();

/** Files under the data folder that hold a text. */
const filesWith = (text: string): string[] => {
  try {
    return execFileSync("grep", ["-rlaF", text, world.folder], { encoding: "utf8" }).split("\n").filter(Boolean);
  } catch {
    return []; // grep ends with 1 where it finds nothing
  }
};

const start = async () => {
  const workspace = await world.newWorkspace();
  const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
  const { engine } = (await world.system.directory.find(workspace))!;
  const ask = <T>(operation: string, input: unknown = {}) => world.ask<T>(operation, input, workspace);
  const send = async (...events: IncomingEvent[]) => {
    const answer = await world.system.ingest.accept(source, events);
    await world.settled();
    return answer;
  };
  // a server keeps what it has replaced for eight minutes; a test does not wait for that
  for (const { name } of tables)
    await engine.command(sql`ALTER TABLE ${identifier(name)} MODIFY SETTING old_parts_lifetime = 1`);
  const requests = async () => (await ask<{ requests: ErasureRequest[]; suppressed: number }>("erasure.requests")).requests;
  const work = () => {
    const call = { principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now: Date.now() } as const;
    const module = world.system.modules.find(({ name }) => name === "erasure");
    return world.system.directory.find(workspace).then((found) => module!.jobs![0]!.run({ ...call, ...found! }));
  };
  const done = () =>
    expect.poll(async () => {
      await work();
      return (await requests())[0]?.state;
    }, { timeout: 60_000, interval: 1_000 });
  const count = async (table: string) => (await engine.rows(sql`SELECT toFloat64(count()) AS n FROM ${identifier(table)}`, z.object({ n: z.number() })))[0]?.n;
  return { workspace, source, engine, ask, send, requests, work, done, count };
}; // prettier-ignore

const at = Date.parse("2026-05-04T10:00:00Z");

describe("a person who asks to be forgotten", () => {
  it("leaves nothing behind in any store, is not taken in again, and the log still holds", async () => {
    const { ask, send, done, requests, count, workspace } = await start();
    const id = "planted-user-41";
    const marker = "planted marker 7f3a";
    await ask("contracts.save", { document: JSON.stringify({ apiVersion: "v3.1.0", kind: "DataContract", id: "c", version: "1.0.0", status: "active", schema: [{ name: "Held", customProperties: [{ property: "disposition", value: { violation: "quarantine" } }], properties: [{ name: "n", logicalType: "number", required: true }] }] }) });
    const about = { userId: id, anonymousId: "planted-device-9", at };
    await send(
      { ...about, name: "Opened", messageId: "m1", properties: { note: marker, order: 918_273_645, plan: "pro" } },
      { ...about, personTraits: [{ op: "set", traits: { email: "planted@example.com", city: "planted city" } }] },
      { ...about, name: "Held", properties: { why: marker } },
      { userId: "another", name: "Opened", at, messageId: "m2", properties: { note: "theirs", plan: "pro" } },
      { fault: { reason: "x", message: "x" }, body: `{"userId":"${id}","note":"${marker}"}` } as never,
    );
    await ask("people.list", { search: "planted@example.com" });
    // a flag that remembers who got what
    const parts = [{ variation: "on", weight: 1 }];
    await ask("flags.save", { flag: { key: "kept", type: "boolean", variations: [{ name: "on", value: true }], environments: { production: { isOn: true, rules: [{ serve: { split: { parts, sticky: 1 } } }] } } }, version: 0 });
    const { environments } = await ask<{ environments: { key: string }[] }>("flags.environments");
    const evaluate = (targetingKey: string) => fetch(`${world.url}/ofrep/v1/evaluate/flags/kept`, { method: "POST", headers: { "x-api-key": environments[0]!.key }, body: JSON.stringify({ context: { targetingKey } }) }).then((response) => response.json());
    const remembered = async () => (await world.system.store.selectFrom("flag_assignments").select("unit").where("workspace", "=", workspace).execute()).length;
    for (const one of [id, "another"]) expect(await evaluate(one)).toMatchObject({ value: true });
    expect(await remembered()).toBe(2);
    await ask("cohorts.create", { name: "Openers", definition: { kind: "rule", rule: { type: "did", match: { event: "Opened" } } } });
    expect(filesWith(id).length).toBeGreaterThan(0);

    const { people } = await ask<{ people: FoundPerson[] }>("erasure.find", { identifier: "planted@EXAMPLE.com" });
    expect(people).toHaveLength(1);
    expect(people[0]?.ids.toSorted()).toEqual(["planted-device-9", id, "planted@example.com"].toSorted());
    const held = Object.fromEntries((people[0]?.holds ?? []).map(({ table, rows }) => [table, rows]));
    expect(held).toMatchObject({ events: 1, dead_letters: 1, quarantine: 1, identities: 2, trait_changes: 2, memberships: 1 });
    expect(held["property_values"]).toBeGreaterThanOrEqual(4);

    const file = await fetch(`${world.url}/api/erasure.access`, { method: "POST", headers: { "content-type": "application/json", "x-throughline-workspace": workspace, cookie: world.owner.cookie }, body: JSON.stringify({ identifier: id }) });
    const lines = (await file.text()).trim().split("\n").map((line) => JSON.parse(line) as { table: string });
    expect(new Set(lines.map(({ table }) => table))).toEqual(new Set(Object.keys(held).filter((name) => name !== "activity_daily")));

    const before = await count("events");
    expect(await ask("erasure.erase", { identifiers: ["planted-device-9"] })).toMatchObject({ people: 1 });
    await done().toBe("confirmed");
    expect((await requests())[0]).toMatchObject({ people: 1, left: [], problem: "" });
    expect(Object.keys((await requests())[0]?.reached ?? {})).toEqual(["received", "suppressed", "rows_deleted", "purged", "confirmed"]);
    for (const text of [id, "planted-device-9", marker, "planted@example.com", "planted city"]) expect(filesWith(text), text).toEqual([]);
    expect(await count("events")).toBe((before ?? 0) - 1);
    expect(await remembered()).toBe(1);
    expect(await evaluate(id)).toMatchObject({ value: true });
    expect(await remembered()).toBe(1); // and they are not remembered again
    expect(await ask("erasure.find", { identifier: id })).toEqual({ people: [] });
    expect(await ask("audit.verify")).toMatchObject({ state: "intact" });

    // nothing of them is taken in any more, by any of their ids, faulty or not
    await send({ ...about, name: "Opened", properties: { note: marker } }, { anonymousId: "planted-device-9", name: "Opened" }, { userId: id, name: "" });
    expect(await count("events")).toBe((before ?? 0) - 1);
    expect(filesWith(marker)).toEqual([]);
    // what others typed is offered again once it comes
    await send({ userId: "another", name: "Opened", at, messageId: "m3", properties: { plan: "pro" } });
    await world.system.ingest.letGo(workspace);
    expect(await ask("catalog.values", { event: "Opened", property: "plan" })).toMatchObject({ values: ["pro"] });
    // until they are let in again, as somebody unknown
    await ask("erasure.allow", { identifier: id });
    await send({ userId: id, name: "Opened", at, properties: {} });
    const again = await ask<{ people: FoundPerson[] }>("erasure.find", { identifier: id });
    expect(again.people[0]?.ids).toEqual([id]);
    await expect(ask("erasure.allow", { identifier: id })).rejects.toMatchObject({ code: "erasure.not_listed" });
  }, 120_000); // prettier-ignore

  it("is named by people who made things: then it is partial, and says where", async () => {
    const { ask, send, done, requests } = await start();
    await send({ userId: "customer-5000", name: "Opened", at, properties: {} });
    await ask("annotations.add", { day: "2026-05-04", text: "customer-5000 called" });
    await ask("erasure.erase", { identifiers: ["customer-5000"] });
    await done().toBe("partial");
    expect((await requests())[0]).toMatchObject({ left: ["1 of the notes of days"] });
  }, 120_000);

  it("is not mistaken for somebody else, and belongs to one workspace", async () => {
    const [one, two] = [await start(), await start()];
    for (const { send } of [one, two]) {
      await send({ userId: "7", name: "Opened", at, properties: { n: 7 } }, { userId: "77", name: "Opened", at, properties: { n: 77 } });
      for (const userId of ["a1", "a2"]) await send({ userId, at, personTraits: [{ op: "set", traits: { email: "shared@example.com" } }] });
    }
    await expect(one.ask("erasure.erase", { identifiers: ["nobody"] })).rejects.toMatchObject({ code: "erasure.unknown" });
    await expect(one.ask("erasure.erase", { identifiers: ["shared@example.com"] })).rejects.toMatchObject({ code: "erasure.several" });
    await expect(one.ask("erasure.erase", { identifiers: ["7", "shared@example.com"] })).rejects.toMatchObject({ code: "erasure.several" });
    await expect(one.ask("erasure.erase", { identifiers: ["7", "nobody"] })).rejects.toThrow(/nobody/);
    expect(await one.requests()).toEqual([]);
    await one.ask("erasure.erase", { identifiers: ["7"] });
    await expect.poll(async () => (await one.requests())[0]?.reached).toHaveProperty("rows_deleted");
    expect((await one.ask<{ people: FoundPerson[] }>("erasure.find", { identifier: "77" })).people).toHaveLength(1);
    expect((await two.ask<{ people: FoundPerson[] }>("erasure.find", { identifier: "7" })).people).toHaveLength(1);
    expect([await one.count("events"), await two.count("events")]).toEqual([1, 2]);
    expect(await two.requests()).toEqual([]);
    await two.send({ userId: "7", name: "Opened", at });
    expect(await two.count("events")).toBe(3);
  }, 120_000); // prettier-ignore
});
