import { performance } from "node:perf_hooks";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { noVeil } from "#kernel/classes.ts";
import { sql } from "#kernel/sql.ts";
import type { Overview } from "#programs/cx-score/contract.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
const parts = Number(process.env["DRILL_PARTS"] ?? "20000");
const each = 20;
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
      expect(await response.json()).toEqual({ accepted: to - from, rejected: [] });
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
});
