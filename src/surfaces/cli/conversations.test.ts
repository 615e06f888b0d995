import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { sql } from "#kernel/sql.ts";
import { chatwoot, intercom, zendesk } from "#test/conversations.ts";
import { useWorld } from "#test/world.ts";
import { sendConversations } from "./conversations.ts";

const world = useWorld();
const folder = mkdtempSync(join(tmpdir(), "throughline-conversations-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe("conversations", () => {
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

  it("are sent from tables, one part a row, and what the table lacks is told", async () => {
    const workspace = await world.newWorkspace();
    const { writeKey: key } = await world.source("api", workspace);
    const send = (path: string) => sendConversations({ file: path, url: world.url, key }, () => undefined);
    const rows = ["Conversation ID,Message ID,Author Type,Body,Created At,User ID,Status,Tags,CSAT,Internal", 'c1,1,user,"It broke, ""again""\nand again",2026-03-01T10:00:00Z,ana,closed,"fees; vip",2,', "c1,2,agent,On it,2026-03-01T10:05:00Z,ana,closed,,,", "c1,3,admin,Careful with her,2026-03-01T10:06:00Z,ana,closed,,,yes", "c2,1,Customer,Hi,1772359200000,bo,open,,,", "c3,1,robot,Hi,2026-03-01T10:00:00Z,bo,open,,,"]; // prettier-ignore
    const table = file("all.csv", rows.join("\n").replaceAll("\\n", "\n"));
    for (let turn = 0; turn < 2; turn += 1) expect(await send(table)).toMatchObject({ taken: 2, rejected: 1 });
    const { engine } = (await world.system.directory.find(workspace))!;
    const found = await engine.rows(sql`SELECT role, text, toFloat64(private) AS private FROM conversation_parts FINAL ORDER BY conversation, id`, z.object({ role: z.string(), text: z.string(), private: z.number() })); // prettier-ignore
    expect(found).toEqual([{ role: "customer", text: 'It broke, "again"\nand again', private: 0 }, { role: "teammate", text: "On it", private: 0 }, { role: "teammate", text: "Careful with her", private: 1 }, { role: "customer", text: "Hi", private: 0 }]); // prettier-ignore
    await expect(send(file("lacks.csv", "id,text\n1,hi"))).rejects.toThrow(/no column conversationid, role, at/);
    await expect(send(file("bad.csv", 'conversation,role,text,at\n1,user,"open'))).rejects.toThrow(/no proper table/);
  }, 60_000);
});
