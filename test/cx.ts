import { noVeil } from "#kernel/classes.ts";
import { sql } from "#kernel/sql.ts";
import { z } from "zod";
import type { World } from "./world.ts";

const day = 86_400_000;
export const begin = Date.now() - 10 * day;
export const range = { from: new Date(begin - day).toISOString().slice(0, 10), to: new Date(Date.now() + day).toISOString().slice(0, 10) }; // prettier-ignore

/** A workspace that takes conversations, and what runs by itself in a server run by hand. */
export const startDesk = async (world: World) => {
  const workspace = await world.newWorkspace();
  const source = await world.source("api", workspace);
  const found = (await world.system.directory.find(workspace))!;
  const ask = <T>(operation: string, input: object) => world.ask<T>(operation, input, workspace);
  const send = async (conversations: readonly object[], key = source.writeKey) => {
    const response = await fetch(`${world.url}/v1/conversations`, { method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" }, body: JSON.stringify({ conversations }) }); // prettier-ignore
    return { status: response.status, body: (await response.json()) as { accepted: number; rejected: { index: number; message: string }[]; error?: { code: string } } }; // prettier-ignore
  };
  const [scoring, acting] = world.system.modules.find(({ name }) => name === "cx-score")!.jobs!;
  const run = (job: NonNullable<typeof scoring>) => job.run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now: Date.now(), ...found }); // prettier-ignore
  const rules = () => run(acting!);
  const score = async () => {
    await run(scoring!);
    await world.settled();
  };
  const count = async (table: "cx_scores" | "conversation_parts" | "conversations") => (await found.engine.rows(sql`SELECT toFloat64(count()) AS n FROM ${{ cx_scores: sql`cx_scores`, conversation_parts: sql`conversation_parts`, conversations: sql`conversations` }[table]} FINAL`, z.object({ n: z.number() })))[0]!.n; // prettier-ignore
  return { workspace, ask, send, run, score, rules, count, engine: found.engine };
};

export const part = (id: string, role: string, text: string, at = begin, more: object = {}) => ({
  id,
  role,
  text,
  at,
  ...more,
});
export const angry = (id: string, userId: string, more: object = {}) => ({ id, userId, account: "acme", channel: "chat", team: "billing", state: "closed", createdAt: new Date(begin).toISOString(), parts: [part("1", "customer", "Why was I charged a cancellation fee? This is a scam!"), part("2", "ai_agent", "I'm sorry, I did not understand. Could you rephrase?", begin + 60_000), part("3", "customer", "Useless. I already told you. I want a human.", begin + 120_000), part("4", "teammate", "Our policy does not allow refunds.", begin + 180_000)], ...more }); // prettier-ignore
export const happy = (id: string, userId: string) => ({ id, userId, channel: "email", state: "closed", createdAt: begin, parts: [part("1", "customer", "How do I reset it?"), part("2", "teammate", "Open settings and press reset.", begin + 60_000), part("3", "customer", "That worked, thank you so much, great help!", begin + 120_000)] }); // prettier-ignore
