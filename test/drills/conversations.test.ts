import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { openSystem, type System } from "#app/system.ts";
import { noVeil } from "#kernel/classes.ts";
import { readConfig } from "#kernel/config.ts";
import { sql } from "#kernel/sql.ts";
import type { Overview } from "#programs/cx-score/contract.ts";
import { createWorkspace } from "#programs/workspaces/create.ts";
import { useWorld } from "#test/world.ts";
import { freePort, killBoth, pause, serve } from "./served.ts";

const world = useWorld();
const parts = Number(process.env["DRILL_PARTS"] ?? "20000");
const each = 20;
const kills = Number(process.env["DRILL_KILLS"] ?? "3");
const day = 86_400_000;
const begin = Date.now() - 60 * day;

const says = ["Why was I charged a fee? This is a scam!", "I am sorry, let me look into it.", "I already told you, it still does not work.", "I have refunded the fee, it should be fine now.", "Thank you, that worked!"]; // prettier-ignore

describe("the drill of conversations", () => {
  it(`takes ${parts.toLocaleString("en")} parts, is cut off again and again while it scores, and loses and doubles nothing`, async () => {
    const { writeKey } = await world.source();
    const count = Math.ceil(parts / each);
    const send = async (from: number, to: number) => {
      const conversations = Array.from({ length: to - from }, (_, n) => {
        const id = from + n;
        const at = begin + (id % 50) * day;
        return { id: `d${id}`, userId: `u${id % 5_000}`, channel: "chat", state: "closed", createdAt: at, parts: Array.from({ length: each }, (__, place) => ({ id: String(place), role: place % 2 === 0 ? "customer" : "teammate", at: at + place * 1_000, text: `${says[(id + place) % says.length]} (${id}.${place})` })) }; // prettier-ignore
      });
      const response = await fetch(`${world.url}/v1/conversations`, { method: "POST", headers: { authorization: `Bearer ${writeKey}` }, body: JSON.stringify({ conversations }) }); // prettier-ignore
      expect(await response.json()).toEqual({ accepted: to - from, withheld: 0, rejected: [] });
    };
    let began = performance.now();
    for (let from = 0; from < count; from += 1_000) await send(from, Math.min(count, from + 1_000));
    await send(0, Math.min(count, 1_000)); // as an import that was cut off does
    const sent = performance.now() - began;
    const found = (await world.system.directory.find(world.workspace))!;
    const job = world.system.modules.find(({ name }) => name === "cx-score")!.jobs![0]!;
    const scored = async () => (await found.engine.rows(sql`SELECT toFloat64(count()) AS n FROM cx_scores FINAL`, z.object({ n: z.number() })))[0]!.n; // prettier-ignore
    began = performance.now();
    let cuts = 0;
    for (; (await scored()) < count && cuts < 10_000; cuts += 1) {
      const cut = new AbortController();
      const timer = setTimeout(() => cut.abort(), cuts < 5 ? 60 : 600_000);
      await job.run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: cut.signal, log: world.system.log, now: Date.now(), ...found }).catch(() => undefined); // prettier-ignore
      clearTimeout(timer);
    }
    const took = performance.now() - began;
    await world.settled();
    expect(await scored()).toBe(count);
    const [events] = await found.engine.rows(sql`SELECT toFloat64(countIf(event = 'Conversation scored')) AS scored, toFloat64(countIf(event = 'Conversation started')) AS started FROM events`, z.object({ scored: z.number(), started: z.number() })); // prettier-ignore
    expect(events).toEqual({ scored: count, started: count });
    const range = { from: new Date(begin - day).toISOString().slice(0, 10), to: new Date().toISOString().slice(0, 10) };
    began = performance.now();
    expect((await world.ask<Overview>("cx.overview", range)).total).toMatchObject({
      conversations: count,
      scored: count,
    });
    console.log(`${parts} parts taken in ${Math.round(sent)} ms, ${count} conversations scored in ${Math.round(took)} ms with ${cuts} cuts, overview in ${Math.round(performance.now() - began)} ms`); // prettier-ignore
  }, 900_000);

  it("keeps every acknowledged conversation, and scores each once, through SIGKILLs of both processes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "throughline-conversations-"));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    const config = readConfig({}, { data: folder, log_level: "silent", engine_memory: 2e9 });
    const setup = await openSystem(config);
    const member = await setup.access.createMember("ana@example.com", "Ana", "a long password");
    const workspace = await createWorkspace(setup.store, { name: "Acme", zone: "UTC", weekStart: "monday" }, member, begin); // prettier-ignore
    const { writeKey } = await setup.registry.create(workspace, "loader", "api", "");
    await setup.close();
    const port = await freePort();
    let [loading, acknowledged] = [true, 0];
    const load = async (): Promise<void> => {
      for (let batch = 0; loading; batch += 1) {
        const conversations = Array.from({ length: 200 }, (_, n) => ({ id: `${batch}-${n}`, userId: `u${n}`, state: "closed", parts: [{ id: "1", role: "customer", text: says[0], at: begin }, { id: "2", role: "teammate", text: says[3], at: begin + 1_000 }] })); // prettier-ignore
        // like a real client: sends again until it is acknowledged
        for (let sent = false; !sent && loading;) {
          const response = await fetch(`http://127.0.0.1:${port}/v1/conversations`, { method: "POST", headers: { authorization: `Bearer ${writeKey}` }, body: JSON.stringify({ conversations }), signal: AbortSignal.timeout(10_000) }).catch(() => undefined); // prettier-ignore
          sent = response?.status === 200;
          if (sent) acknowledged += conversations.length;
          else await pause(50);
        }
        // now and then a rest in which it is scored
        if (batch % 10 === 9) await pause(3_000);
      }
    };
    const loader = load();
    for (let kill = 0; kill < kills; kill += 1) {
      const child = serve(folder, port);
      const [before, until] = [acknowledged, Date.now() + 60_000];
      while (acknowledged === before && Date.now() < until) await pause(50);
      await pause(3_000 + Math.random() * 4_000);
      killBoth(child);
      await pause(200);
    }
    loading = false;
    await loader;

    const system: System = await openSystem(config);
    const { engine, workspace: acme } = (await system.directory.find(workspace))!;
    const count = async () => (await engine.rows(sql`SELECT (SELECT toFloat64(count()) FROM conversations FINAL) AS heads, (SELECT toFloat64(count()) FROM cx_scores FINAL) AS scores, (SELECT toFloat64(countIf(actor = 0)) FROM cx_scores FINAL) AS nobodys, toFloat64(countIf(event = 'Conversation scored')) AS scored, toFloat64(uniqExact(message)) AS messages, toFloat64(count()) AS events FROM events`, z.object({ heads: z.number(), scores: z.number(), nobodys: z.number(), scored: z.number(), messages: z.number(), events: z.number() })))[0]!; // prettier-ignore
    const early = await count();
    const job = system.modules.find(({ name }) => name === "cx-score")!.jobs![0]!;
    await job.run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: system.log, now: Date.now(), engine, workspace: acme }); // prettier-ignore
    expect(await system.ingest.caughtUp(60_000)).toBe(true);
    const found = await count();
    await system.close();
    console.log(`${kills} kills, ${acknowledged} conversations acknowledged, ${found.heads} stored, ${early.scores} scored before the last kill`); // prettier-ignore
    expect(acknowledged).toBeGreaterThan(0);
    expect(found.heads).toBeGreaterThanOrEqual(acknowledged);
    expect(found).toMatchObject({ scores: found.heads, scored: found.heads, nobodys: 0, messages: found.events });
  }, 600_000);
});
