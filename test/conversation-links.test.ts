import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Intercom } from "intercom-client";
import { noVeil } from "#kernel/classes.ts";
import { signatureOf } from "#kernel/outbound.ts";
import { sql } from "#kernel/sql.ts";
import { happy, part, range, startDesk } from "./cx.ts";
import { chatwoot, intercom } from "./conversations.ts";
import { startWorld, stopWorld, type World } from "./world.ts";
import { z } from "zod";
import type { Conversation, Overview, RuleView } from "#programs/cx-score/contract.ts";
import type { Link } from "#records/conversations/contract.ts";

let world: World;
let api: Server;
let answer: (request: IncomingMessage, body: string, response: ServerResponse) => void = () => undefined;
beforeAll(async () => {
  api = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => answer(request, body, response));
  });
  await new Promise<void>((ready) => api.listen(0, "127.0.0.1", ready));
  world = await startWorld({ private_hosts: `127.0.0.1:${(api.address() as AddressInfo).port}` });
});
afterAll(async () => {
  await stopWorld(world);
  api.close();
});
const apiUrl = () => `http://127.0.0.1:${(api.address() as AddressInfo).port}`;

const secret = "a secret that both know";
const sign = {
  intercom: (body: string) => ({ "x-hub-signature": `sha1=${createHmac("sha1", secret).update(body).digest("hex")}` }),
  zendesk: (body: string, now = Date.now()) => ({ "x-zendesk-webhook-signature-timestamp": new Date(now).toISOString(), "x-zendesk-webhook-signature": createHmac("sha256", secret).update(new Date(now).toISOString() + body).digest("base64") }), // prettier-ignore
  chatwoot: (body: string, now = Date.now()) => ({ "x-chatwoot-timestamp": String(Math.floor(now / 1_000)), "x-chatwoot-signature": `sha256=${createHmac("sha256", secret).update(`${Math.floor(now / 1_000)}.${body}`).digest("hex")}` }), // prettier-ignore
};

const desk = async () => {
  const own = await startDesk(world);
  const add = (vendor: string, more: object = {}) => own.ask<{ id: string; address: string; secret: string | null }>("conversations.addLink", { vendor, kind: "hook", secret, ...more }); // prettier-ignore
  const post = async (id: string, body: string, headers: Record<string, string>) => {
    const response = await fetch(`${world.url}/v1/conversations/hooks/${id}`, { method: "POST", body, headers: { "content-type": "application/json", ...headers } }); // prettier-ignore
    return {
      status: response.status,
      body: (await response.json()) as { accepted?: number; error?: { code: string } },
    };
  };
  const links = async () => (await own.ask<{ links: Link[] }>("conversations.links", {})).links;
  const get = (id: string) => own.ask<Conversation>("cx.conversation", { id });
  return { ...own, add, post, links, get };
};

describe("messages of other systems", () => {
  it("are taken where they are signed: none that is forged, altered, of another link, or sent again later", async () => {
    const { add, post, links, get } = await desk();
    const other = await desk();
    const { id } = await add("intercom");
    const body = JSON.stringify({ type: "notification_event", topic: "conversation.user.replied", data: { item: intercom } }); // prettier-ignore
    expect(await post(id, body, sign.intercom(body))).toMatchObject({ status: 200, body: { accepted: 1 } });
    expect((await get("intercom 147")).parts).toHaveLength(5);
    for (const headers of [{}, sign.intercom(`${body} `), { "x-hub-signature": "sha1=" }, { "x-hub-signature": sign.intercom(body)["x-hub-signature"].slice(0, -1) }]) expect(await post(id, body, headers as Record<string, string>)).toMatchObject({ status: 401, body: { error: { code: "conversations.unsigned" } } }); // prettier-ignore
    expect((await post("lnk_none", body, sign.intercom(body))).status).toBe(401);
    const { id: foreign } = await other.add("intercom", { secret: "another secret" });
    expect((await post(foreign, body, sign.intercom(body))).status).toBe(401);
    expect(await post(id, "{broken", sign.intercom("{broken"))).toMatchObject({ status: 400 });
    expect((await post(id, "{}", sign.intercom("{}"))).status).toBe(400);
    // a ping speaks of no conversation
    const ping = JSON.stringify({ topic: "ping", data: { item: {} } });
    expect(await post(id, ping, sign.intercom(ping))).toMatchObject({ status: 200, body: { accepted: 0 } });

    for (const vendor of ["zendesk", "chatwoot"] as const) {
      const { id: own } = await add(vendor);
      const text = vendor === "zendesk" ? JSON.stringify({ type: "zen:event-type:ticket.comment_added", time: "2026-03-01T11:00:00Z", detail: { id: 35, created_at: "2026-03-01T10:00:00Z", updated_at: "2026-03-01T11:00:00Z", status: "OPEN", subject: "Late", requester_id: 7, description: "Where is it?" }, event: { comment: { id: 9, body: "Any news?", is_public: true, author: { id: 7 } } } }) : JSON.stringify({ event: "message_created", id: 8, content: "It crashes again", message_type: "incoming", private: false, created_at: "2026-03-01T11:00:00Z", sender: { type: "contact", name: "Cy" }, conversation: { ...chatwoot, messages: [] } }); // prettier-ignore
      expect(await post(own, text, sign[vendor](text))).toMatchObject({ status: 200, body: { accepted: 1 } });
      expect((await post(own, text, sign[vendor](text, Date.now() - 301_000))).status, `${vendor}, kept and sent again`).toBe(401); // prettier-ignore
      expect((await post(own, text, {})).status).toBe(401);
      expect((await get(`${vendor} ${vendor === "zendesk" ? 35 : 12}`)).parts).toMatchObject([{ role: "customer", text: vendor === "zendesk" ? "Any news?" : "It crashes again" }]); // prettier-ignore
    }

    const made = await add("own", { secret: "" });
    const text = JSON.stringify({ conversations: [happy("mine", "ana")] });
    const seconds = Math.floor(Date.now() / 1_000);
    const standard = (key: string, at = seconds) => ({ "webhook-id": "msg_1", "webhook-timestamp": String(at), "webhook-signature": `v1,none ${signatureOf(key, "msg_1", at, text)}` }); // prettier-ignore
    expect((await post(made.id, text, standard(made.secret!))).status).toBe(200);
    expect((await post(made.id, text, standard("whsec_bm8="))).status).toBe(401);
    expect((await post(made.id, text, standard(made.secret!, seconds - 400))).status).toBe(401);
    expect((await links()).map(({ vendor, taken, problem }) => [vendor, taken, problem === ""])).toEqual([["intercom", 1, false], ["zendesk", 1, true], ["chatwoot", 1, true], ["own", 1, true]]); // prettier-ignore
    expect(JSON.stringify(await links())).not.toContain(secret);
    const { ask } = await desk();
    await expect(ask("conversations.removeLink", { id })).rejects.toThrow(/no such link/);
  }, 60_000);

  it("come in any order and end in the newest state; what is taken back is gone from everything that is kept", async () => {
    const { add, post, get, ask, score, engine } = await desk();
    const { id } = await add("intercom");
    const send = async (item: object, topic = "conversation.user.replied") => {
      const body = JSON.stringify({ topic, data: { item } });
      expect((await post(id, body, sign.intercom(body))).status).toBe(200);
    };
    const at = 1_700_000_000;
    await send({ ...intercom, state: "closed", updated_at: at + 100, title: "Newer" });
    await send({ ...intercom, state: "open", updated_at: at + 50, title: "Older" });
    expect(await get("intercom 147")).toMatchObject({ state: "closed", subject: "Newer" });
    await send({ ...intercom, state: "open", updated_at: at + 200, title: "Newest" });
    expect(await get("intercom 147")).toMatchObject({ state: "open", subject: "Newest" });
    await score();
    const bytes = async () => (await engine.rows(sql`SELECT toFloat64(count()) AS n FROM (SELECT text AS t FROM conversation_parts UNION ALL SELECT summary FROM cx_scores) WHERE t LIKE '%invoice%'`, z.object({ n: z.number() })))[0]!.n; // prettier-ignore
    expect(await bytes()).toBeGreaterThan(1);
    await send({ ...intercom, updated_at: at + 300, source: { ...intercom.source, redacted: true, body: "My invoice is wrong" } }); // prettier-ignore
    await score();
    // in any version of any row
    expect(await bytes()).toBe(0);
    // an older message, sent again by whoever kept it, brings nothing back, and what it has that is new comes in
    const { conversation_parts: said } = intercom.conversation_parts;
    await send({ ...intercom, updated_at: at + 60, conversation_parts: { conversation_parts: [...said, { ...said[0]!, id: "missed", body: "<p>One that was missed</p>" }] } }); // prettier-ignore
    expect(await bytes()).toBe(0);
    expect((await get("intercom 147")).parts.map(({ text }) => text)).toContain("One that was missed");
    await score();
    const [newest] = (await get("intercom 147")).scores;
    expect(newest!.reason).toBe("no_customer_text");
    await send({ type: "conversation", id: "147" }, "conversation.deleted");
    await score();
    const gone = await get("intercom 147");
    expect([gone.subject, gone.parts.map(({ text }) => text).join("")]).toEqual(["", ""]);
    // it stays what it was otherwise, and stays gone, whatever comes late
    expect(gone).toMatchObject({ state: "deleted", account: "acme", rating: 2 });
    await send({ ...intercom, updated_at: at + 900 });
    await send({ type: "conversation", id: "999" }, "conversation.deleted");
    await send({ ...intercom, id: "999", updated_at: at + 900 });
    for (const one of ["intercom 147", "intercom 999"]) expect((await get(one)).parts.map(({ text }) => text).join("")).toBe(""); // prettier-ignore
    expect((await ask<Overview>("cx.overview", { ...range, from: "2023-11-01" })).total.scored).toBe(0);
  }, 60_000);

  it("take something back also where nobody agreed to more being kept", async () => {
    const { ask, send, score, get } = await desk();
    await send([happy("a", "ana"), happy("b", "bo")]);
    await score();
    await ask("contracts.setSettings", { settings: { purposes: ["support"], absentConsent: "deny" } });
    const [first] = happy("a", "ana").parts;
    expect((await send([{ ...happy("a", "ana"), parts: [{ ...first, text: "" }, part("9", "customer", "And this is new")] }, { id: "b", deleted: true }])).body).toMatchObject({ accepted: 1, withheld: 1 }); // prettier-ignore
    await score();
    expect((await get("a")).parts.map(({ text }) => text)).toEqual(["", "Open settings and press reset.", "That worked, thank you so much, great help!"]); // prettier-ignore
    expect((await get("a")).scores).toHaveLength(2);
    expect((await get("b")).parts.map(({ text }) => text).join("")).toBe("");
  }, 60_000);
});

/** As Intercom's API gives it, held to the types of its own client. */
const listed = (n: number, updated: number): Intercom.Conversation => ({
  type: "conversation", id: String(n), created_at: updated - 60, updated_at: updated, state: "closed", open: false, read: true, custom_attributes: {}, ai_agent_participated: false,
  source: { type: "conversation", id: `s${n}`, delivered_as: "customer_initiated", subject: "", body: `It does not work, number ${n}`, author: { type: "user", id: `u${n}`, name: "Ana", email: "ana@example.com" }, attachments: [], redacted: false },
  contacts: { type: "contact.list", contacts: [{ type: "contact", id: `u${n}`, external_id: `user${n % 7}` }] },
  conversation_parts: { type: "conversation_part.list", total_count: 1, conversation_parts: [{ type: "conversation_part", id: `p${n}`, part_type: "comment", body: "It is fixed now.", created_at: updated, updated_at: updated, author: { type: "admin", id: "9", name: "Bo", email: "bo@example.com" }, attachments: [], redacted: false }] },
}); // prettier-ignore

describe("Intercom's API", () => {
  const began = 1_760_000_000;
  let all: Intercom.Conversation[] = [];
  let [calls, failAfter, status] = [0, Infinity, 500];
  const serve = () => {
    answer = (request, body, response) => {
      calls += 1;
      const send = (value: unknown, code = 200) => response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(value)); // prettier-ignore
      if (request.headers.authorization !== "Bearer the token") return void send({ errors: [] }, 401);
      if (calls > failAfter) return void send({ errors: [] }, status);
      const id = /^\/conversations\/(\d+)\?display_as=plaintext$/.exec(request.url ?? "")?.[1];
      if (id !== undefined) {
        const found = all.find((one) => one.id === id);
        return void send(found ?? { errors: [] }, found === undefined ? 404 : 200);
      }
      const { query, pagination } = JSON.parse(body) as { query: { value: number }; pagination: { per_page: number; starting_after?: string } }; // prettier-ignore
      // by whole days, as the API does it for times
      const wanted = all.filter((one) => one.updated_at! > query.value - (query.value % 86_400)).toSorted((a, b) => a.updated_at! - b.updated_at!); // prettier-ignore
      const from = Number(pagination.starting_after ?? 0);
      const page = wanted.slice(from, from + pagination.per_page);
      const next = from + page.length < wanted.length ? { next: { page: 2, starting_after: String(from + page.length) } } : {}; // prettier-ignore
      send({ type: "conversation.list", conversations: page.map(({ conversation_parts: _parts, ...one }) => one), total_count: wanted.length, pages: { type: "pages", page: 1, ...next } }); // prettier-ignore
    };
  };

  it("is asked page by page, goes on where it was cut off, and takes what changes later", async () => {
    const { ask, links, get, count, workspace } = await desk();
    serve();
    all = Array.from({ length: 120 }, (_, n) => listed(n, began + n * 10));
    const found = (await world.system.directory.find(workspace))!;
    const [job] = world.system.modules.find(({ name }) => name === "conversations")!.jobs!;
    const pull = () => job!.run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now: Date.now(), ...found }); // prettier-ignore
    const link = (more: object) => ask<{ id: string }>("conversations.addLink", { vendor: "intercom", kind: "pull", secret: "the token", address: apiUrl(), ...more }); // prettier-ignore
    await expect(link({ address: "http://169.254.169.254/" })).rejects.toThrow(/Only https/);
    await expect(link({ address: "https://10.0.0.1/" })).rejects.toThrow(/no public address/);
    await expect(link({ vendor: "zendesk" })).rejects.toThrow(/Only Intercom/);
    await expect(link({ secret: "x" })).rejects.toThrow(/token/);

    const { id: wrong } = await link({ secret: "wrong token" });
    await pull();
    expect(await links()).toMatchObject([{ taken: 0, problem: expect.stringContaining("does not take this token") }]);
    await ask("conversations.removeLink", { id: wrong });

    await link({});
    // cut off on the second page, then told to wait, then left alone
    [calls, failAfter, status] = [0, 75, 500];
    await pull();
    expect([await count("conversations"), (await links())[0]!.problem]).toEqual([50, "Intercom answered with 500."]);
    [calls, failAfter, status] = [0, 60, 429];
    await pull();
    expect((await links())[0]!.problem).toContain("asked to wait");
    [calls, failAfter] = [0, Infinity];
    await pull();
    expect([await count("conversations"), await count("conversation_parts")]).toEqual([120, 240]);
    expect(await links()).toMatchObject([{ problem: "" }]);

    // later: one is new, one goes on, one is gone; the others are not asked for again
    all.push(listed(500, began + 5_000));
    all[3] = { ...listed(3, began + 30), updated_at: began + 5_001, conversation_parts: { ...listed(3, began).conversation_parts!, conversation_parts: [...listed(3, began + 30).conversation_parts!.conversation_parts!, { type: "conversation_part", id: "later", part_type: "comment", body: "It broke again", created_at: began + 5_001, updated_at: began + 5_001, author: { type: "user", id: "u3", name: "Ana", email: "" }, attachments: [], redacted: false }] } }; // prettier-ignore
    calls = 0;
    await pull();
    expect(calls).toBeLessThan(12);
    expect([await count("conversations"), await count("conversation_parts")]).toEqual([121, 243]);
    expect((await get("intercom 3")).parts.map(({ role }) => role)).toEqual(["customer", "teammate", "customer"]);
    expect((await get("intercom 3")).parts[0]!.text).toBe("It does not work, number 3");
  }, 60_000);

  it("is written to where a rule tags: once each, tried again where it fails, and told where it cannot be", async () => {
    const { ask, send, score, run, workspace } = await desk();
    serve();
    const listing = answer;
    const tagged: string[] = [];
    let down = 500;
    let [calledMe, calledTags] = [0, 0];
    answer = (request, body, response) => {
      const reply = (value: unknown, code = 200) => void response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(value)); // prettier-ignore
      const id = /^\/conversations\/([^/]+)\/tags$/.exec(request.url ?? "")?.[1];
      calledMe += Number(request.url === "/me");
      calledTags += Number(request.url === "/tags");
      if (request.url === "/me") return down === 200 ? reply({ type: "admin", id: "17" } satisfies Partial<Intercom.AdminWithApp>) : reply({ errors: [] }, down); // prettier-ignore
      if (request.url === "/tags") return reply({ type: "tag", id: "5", name: (JSON.parse(body) as { name: string }).name } satisfies Partial<Intercom.Tag>); // prettier-ignore
      if (id === undefined) return listing(request, body, response);
      if (id === "2") return reply({ errors: [] }, 404);
      const { id: tag, admin_id: admin } = JSON.parse(body) as Intercom.TagConversationRequest;
      tagged.push(`${id} ${tag} ${admin} ${request.headers.authorization}`);
      reply({ type: "tag", id: "5", name: "Unhappy" } satisfies Partial<Intercom.Tag>);
    };
    all = Array.from({ length: 3 }, (_, n) => listed(n, began + n * 10));
    const rule = { name: "Tags", above: 1, tag: "Unhappy" };
    const { id } = await ask<{ id: string }>("cx.saveRule", { rule, isOn: true });
    await ask("conversations.addLink", { vendor: "intercom", kind: "pull", secret: "the token", address: apiUrl() });
    const jobOf = (module: string, name: string) => world.system.modules.find((one) => one.name === module)!.jobs!.find((one) => one.name === name)!; // prettier-ignore
    const later = async (minutes: number) => {
      const found = (await world.system.directory.find(workspace))!;
      const now = Date.now() + minutes * 60_000;
      await jobOf("cx-score", "cx.rules").run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now, ...found }); // prettier-ignore
      return (await ask<{ rules: RuleView[] }>("cx.rules", {})).rules[0]!.tags;
    };
    await run(jobOf("conversations", "conversations.pull"));
    await send([happy("own", "ana")]);
    await score();
    // whose token it is cannot be told; one never came from there
    const first = await later(0);
    expect([first.done, first.waiting, first.failed]).toEqual([0, 3, 1]);
    expect(first.problem).toContain("did not come by Intercom");
    // asked to wait, none of that source is asked for again before a minute is over, and it is no failed try
    down = 429;
    calledMe = 0;
    expect((await later(3)).waiting).toBe(3);
    expect((await later(3.5)).waiting).toBe(3);
    expect(calledMe).toBe(1);
    // then there is one that is gone, which is not asked for again; whose token it is and the tag are asked for once
    down = 200;
    [calledMe, calledTags] = [0, 0];
    const last = await later(5);
    expect([last.done, last.waiting, last.failed]).toEqual([2, 0, 2]);
    expect([calledMe, calledTags]).toEqual([1, 1]);
    expect(last.problem).toMatch(/does not have this conversation|did not come by Intercom/);
    await later(100_000);
    expect(calledMe).toBe(1);
    expect(tagged.toSorted()).toEqual(["0 5 17 Bearer the token", "1 5 17 Bearer the token"]);
    // saved again, what failed is tried again, and what is done is left alone
    await ask("cx.saveRule", { id, rule, isOn: true });
    const again = await later(100_000);
    expect([again.done, again.waiting, again.failed, calledMe]).toEqual([2, 0, 2, 2]);
    expect(tagged).toHaveLength(2);
    // one that fails again and again is given up after ten tries
    await send([happy("more", "bo")]);
    all.push(listed(7, began + 90));
    await run(jobOf("conversations", "conversations.pull"));
    await score();
    down = 500;
    calledMe = 0;
    for (let n = 0; n < 14; n += 1) await later(200_000 + 10 * 2 ** n);
    expect([calledMe, await later(900_000)]).toEqual([10, expect.objectContaining({ done: 2, waiting: 0, failed: 4 })]);
  }, 60_000);
});
