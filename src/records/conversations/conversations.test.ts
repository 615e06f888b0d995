import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { sql } from "#kernel/sql.ts";
import { sendConversations } from "#surfaces/cli/conversations.ts";
import { useWorld } from "#test/world.ts";
import { conversationOf } from "./formats.ts";
import { IncomingConversation } from "./incoming.ts";

const world = useWorld();
const folder = mkdtempSync(join(tmpdir(), "throughline-conversations-"));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const read = (value: unknown) => IncomingConversation.parse(conversationOf(value));

const intercom = {
  type: "conversation", id: "147", created_at: 1_700_000_000, state: "closed", title: null, ai_agent_participated: true,
  source: { type: "conversation", id: "403", subject: "", body: "<p>My <b>invoice</b> is wrong &amp; late</p>", author: { type: "user", id: "667", name: "Ana" } },
  contacts: { contacts: [{ id: "667", external_id: "ana" }] }, company: { company_id: "acme" }, tags: { tags: [{ name: "billing" }] }, conversation_rating: { rating: 2 }, team_assignee_id: 5, admin_assignee_id: 9,
  conversation_parts: { conversation_parts: [
    { id: "1", part_type: "comment", body: "<p>Please see the article.</p>", created_at: 1_700_000_010, author: { type: "bot", id: "b", name: "Fin" } },
    { id: "2", part_type: "assignment", body: null, created_at: 1_700_000_020, author: { type: "bot", id: "b" } },
    { id: "3", part_type: "note", body: "<p>Angry one</p>", created_at: 1_700_000_030, author: { type: "admin", id: "9", name: "Bo" } },
    { id: "4", part_type: "comment", body: "<p>I refunded it.</p><script>evil()</script>", created_at: 1_700_000_040, author: { type: "admin", id: "9", name: "Bo" } },
    { id: "5", part_type: "comment", body: null, redacted: true, created_at: 1_700_000_050, author: { type: "user", id: "667" } },
  ] },
}; // prettier-ignore
const zendesk = {
  id: 35, created_at: "2026-03-01T10:00:00Z", status: "solved", subject: "Late", description: "Where is it?", via: { channel: "email" }, requester_id: 7, organization_id: 3, group_id: 2, tags: ["vip"], satisfaction_rating: { score: "bad_with_comment" },
  comments: [
    { id: 1, author_id: 7, plain_body: "Where is it?", body: "x", public: true, created_at: "2026-03-01T10:00:00Z" },
    { id: 2, author_id: 8, html_body: "<div>On its way<br>today</div>", public: true, created_at: "2026-03-01T11:00:00Z" },
    { id: 3, author_id: 8, body: "VIP, hurry", public: false, created_at: "2026-03-01T11:01:00Z" },
  ],
}; // prettier-ignore
const chatwoot = {
  id: 12, created_at: 1_700_000_000, status: "resolved", labels: ["bug"], meta: { channel: "Channel::WebWidget", sender: { id: 4, identifier: "cy" }, assignee: { name: "Bo" }, team: { name: "support" } },
  messages: [
    { id: 1, content: "It crashes", message_type: 0, sender_type: "Contact", private: false, created_at: 1_700_000_000 },
    { id: 2, content: "Try again", message_type: 1, sender_type: "AgentBot", private: false, created_at: 1_700_000_005 },
    { id: 3, content: "Bo joined", message_type: 2, private: false, created_at: 1_700_000_006 },
    { id: 4, content: "Check his plan", message_type: 1, sender_type: "User", private: true, created_at: 1_700_000_007 },
    { id: 5, content: "This message was deleted", message_type: 0, sender_type: "Contact", private: false, created_at: 1_700_000_008, content_attributes: { deleted: true } },
  ],
}; // prettier-ignore

describe("conversations of other systems", () => {
  it("come with roles, notes, ratings and what was taken back, as text", () => {
    expect(read(intercom)).toMatchObject({ id: "intercom 147", userId: "ana", account: "acme", channel: "conversation", state: "closed", tags: ["billing"], rating: 2, team: "5", createdAt: 1_700_000_000_000 }); // prettier-ignore
    expect(read(intercom).parts.map(({ role, text, private: isNote }) => [role, text, isNote])).toEqual([
      ["customer", "My invoice is wrong & late", false],
      ["ai_agent", "Please see the article.", false],
      ["teammate", "Angry one", true],
      ["teammate", "I refunded it.", false],
      ["customer", "", false],
    ]);
    expect(read(zendesk)).toMatchObject({ id: "zendesk 35", userId: "zendesk 7", account: "3", channel: "email", state: "closed", rating: 1 }); // prettier-ignore
    expect(read(zendesk).parts.map(({ role, text, private: isNote }) => [role, text, isNote])).toEqual([["customer", "Where is it?", false], ["teammate", "On its way\ntoday", false], ["teammate", "VIP, hurry", true]]); // prettier-ignore
    expect(read({ ...zendesk, comments: undefined }).parts).toMatchObject([{ role: "customer", text: "Where is it?" }]);
    expect(read(chatwoot)).toMatchObject({ id: "chatwoot 12", userId: "cy", channel: "WebWidget", team: "support", state: "closed" }); // prettier-ignore
    expect(read(chatwoot).parts.map(({ role, text, private: isNote }) => [role, text, isNote])).toEqual([["customer", "It crashes", false], ["ai_agent", "Try again", false], ["system", "Bo joined", false], ["teammate", "Check his plan", true], ["customer", "", false]]); // prettier-ignore
    expect(() => conversationOf({ requester_id: 1, id: 2 })).toThrow("created_at");
    expect(() => conversationOf(7)).toThrow("no object");
  });

  it("are sent from files of each shape, again without doubling, and what is refused is told", async () => {
    const workspace = await world.newWorkspace();
    const { writeKey: key } = await world.source("api", workspace);
    const send = (path: string, format?: string) => sendConversations({ file: path, url: world.url, key, format }, () => undefined); // prettier-ignore
    const lines = file("all.jsonl", `\uFEFF${[intercom, zendesk, chatwoot].map((one) => JSON.stringify(one)).join("\n")}\n{broken\n${JSON.stringify({ id: "own", parts: [{ id: "1", role: "customer", text: "Hi", at: 5 }] })}\n${JSON.stringify({ id: "no", parts: [{ id: "1", role: "robot", text: "Hi", at: 5 }] })}\n`); // prettier-ignore
    for (let turn = 0; turn < 2; turn += 1) {
      const outcome = await send(lines);
      expect(outcome).toMatchObject({ taken: 4, rejected: 2, errors: `${lines}.errors.ndjson` });
      expect(readFileSync(outcome.errors!, "utf8").trim().split("\n").map((line) => JSON.parse(line) as object)).toMatchObject([{ line: 4, message: "It is no JSON." }, { line: 6, id: "no", message: expect.stringContaining("role") }]); // prettier-ignore
    }
    expect(await send(file("list.json", JSON.stringify([chatwoot])))).toMatchObject({ taken: 1, rejected: 0 });
    expect(await send(file("inside.json", JSON.stringify({ data: { payload: [chatwoot] } })), "chatwoot")).toMatchObject({ taken: 1 }); // prettier-ignore
    await expect(send(join(folder, "none.json"))).rejects.toThrow(/no file/);
    await expect(send(file("bad.json", "[1,"))).rejects.toThrow(/neither JSON/);
    await expect(send(lines, "gorgias")).rejects.toThrow(/no format gorgias/);
    await expect(sendConversations({ file: lines, url: world.url, key: "wrong" }, () => undefined)).rejects.toThrow(/refused them/); // prettier-ignore
    const { engine } = (await world.system.directory.find(workspace))!;
    const [count] = await engine.rows(sql`SELECT toFloat64(count()) AS n FROM conversations FINAL`, z.object({ n: z.number() })); // prettier-ignore
    expect(count!.n).toBe(4);
  }, 60_000);
});
