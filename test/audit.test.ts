import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AuditView } from "#programs/audit/contract.ts";
import { noVeil } from "#kernel/classes.ts";
import type { FileAnswer } from "#kernel/operation.ts";
import { auditKeyFile } from "#kernel/config.ts";
import { keysIn, verifyFile, verifyStore } from "#surfaces/cli/audit.ts";
import { useWorld } from "./world.ts";

const world = useWorld();

const start = async () => {
  const workspace = await world.newWorkspace();
  const ask = <T>(operation: string, input: unknown = {}) => world.ask<T>(operation, input, workspace);
  const entries = async () => (await ask<{ entries: AuditView[] }>("audit.list")).entries;
  const short = async () => (await entries()).map(({ action, decision, reason }) => [action, decision, reason].join(" ").trim()); // prettier-ignore
  const post = (operation: string, input: unknown, headers: Record<string, string>) =>
    fetch(`${world.url}/api/${operation}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-throughline-workspace": workspace, ...headers },
      body: JSON.stringify(input),
    });
  return { workspace, ask, entries, short, post };
};

describe("what is written down", () => {
  it("is every change, every look at people, every refusal and every failure, and no plain question", async () => {
    const { ask, short, post } = await start();
    await ask("trends.ask", { series: [{ event: "x" }] });
    await ask("workspaces.change", { name: "Other" });
    for (const search of ["ana", "ana", "bo"]) await ask("people.list", { search }); // the same look again within an hour is one
    await ask("audit.list");
    await expect(ask("people.merge", { person: "1", into: "1" })).rejects.toThrow();
    const { key } = await ask<{ key: string }>("workspaces.createKey", { name: "v", role: "viewer" });
    expect((await post("workspaces.change", { name: "Mine" }, { authorization: `Bearer ${key}` })).status).toBe(403);
    expect(await short()).toEqual([
      "workspaces.change deny access.not_allowed",
      "workspaces.createKey allow",
      expect.stringMatching(/^people.merge failed people\./),
      "people.merge allow",
      "people.list allow",
      "people.list allow",
      "workspaces.change allow",
    ]);
  });

  it("is who signed in, and who tried to, where they belong", async () => {
    const { short, post } = await start();
    const { email, password } = world.owner;
    await post("workspaces.signIn", { email, password: "wrong one here" }, {});
    expect((await post("workspaces.signIn", { email: email.toUpperCase(), password }, {})).status).toBe(200);
    expect(await short()).toEqual(["workspaces.signIn allow", "workspaces.signIn deny access.wrong_password"]);
  });

  it("is found by its words alone, page by page", async () => {
    const { ask } = await start();
    for (const name of ["50% off", "50 off", "a_b", "aXb"]) await ask("workspaces.change", { name });
    const found = async (input: object) => (await ask<{ entries: AuditView[] }>("audit.list", input)).entries.map(({ detail }) => JSON.parse(detail ?? "null").name); // prettier-ignore
    expect(await found({ text: "50% o" })).toEqual(["50% off"]);
    expect(await found({ text: "A_B" })).toEqual(["a_b"]);
    expect(await found({ text: "' OR 1=1 --" })).toEqual([]);
    expect(await found({ limit: 2 })).toEqual(["aXb", "a_b"]);
    expect(await found({ limit: 2, before: 3 })).toEqual(["50 off", "50% off"]);
    expect(await found({ decision: "deny" })).toEqual([]);
    expect(await found({ to: "2020-01-01T00:00:00Z" })).toEqual([]);
    const other = await start();
    expect(await other.entries()).toEqual([]);
  });

  it("is checked and taken away; a change behind the server's back stops changes, not sign-ins and questions", async () => {
    const { ask, post, workspace, short } = await start();
    for (let n = 0; n < 5; n += 1) await ask("workspaces.change", { name: `n${n}` });
    await world.system.audit.checkpoint(workspace);
    expect(await ask("audit.verify")).toMatchObject({ state: "intact", entries: 5, checkpoints: 1 });
    const exported = await (await post("audit.export", {}, { cookie: world.owner.cookie })).text();
    const file = join(world.folder, "audit.ndjson");
    writeFileSync(file, exported);
    const keys = keysIn(auditKeyFile(world.system.config));
    expect(await verifyFile(file, keys)).toMatchObject([{ log: workspace, verdict: { state: "intact", entries: 6 } }]);
    writeFileSync(file, exported.replace('n3\\"', 'n4\\"'));
    expect(await verifyFile(file, undefined)).toMatchObject([{ verdict: { state: "broken", firstBad: 4 } }]);

    await world.system.store.deleteFrom("audit").where("workspace", "=", workspace).where("seq", ">=", 3).execute();
    await world.system.store.updateTable("audit_heads").set({ seq: 2 }).where("workspace", "=", workspace).execute();
    expect(await ask("audit.verify")).toMatchObject({ state: "broken", firstBad: 3 });
    // an export of a log whose end is gone does not pass for an empty one
    await world.system.store.deleteFrom("audit_heads").where("workspace", "=", workspace).execute();
    const unsigned = join(world.folder, "unsigned.ndjson");
    const module = world.system.modules.find(({ name }) => name === "audit")!;
    const found = (await world.system.directory.find(workspace))!;
    const call = { principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now: 0, ...found } as const;
    const answer = (await module.operations!.find(({ operation }) => operation.name === "audit.export")!.run(call, {})) as FileAnswer;
    let text = "";
    for await (const line of answer.content) text += String(line);
    writeFileSync(unsigned, text);
    expect(await verifyFile(unsigned, keys)).toMatchObject([{ verdict: { state: "broken" } }]);
    expect(text.match(/"entry"/g)).toHaveLength(2);
    const checked = await verifyStore(world.system.store, keys, undefined);
    expect(checked.find(({ log }) => log === workspace)).toMatchObject({ verdict: { state: "broken", firstBad: 3 } });
    await expect(ask("workspaces.change", { name: "after" })).rejects.toMatchObject({ code: "audit.broken", status: 503 });
    for (let n = 0; n < 2; n += 1) await expect(ask("people.list")).rejects.toMatchObject({ code: "audit.broken" });
    expect(await ask("trends.ask", { series: [{ event: "x" }] })).toBeDefined();
    const { email, password } = world.owner;
    expect((await post("workspaces.signIn", { email, password }, {})).status).toBe(200);
    // the command says so beside the running server, and lets a new log begin
    const run = (...args: string[]) => {
      const env = { ...process.env, THROUGHLINE_DATA: world.folder };
      try {
        return { code: 0, text: execFileSync("npx", ["tsx", "src/app/main.ts", "audit", ...args], { env, encoding: "utf8" }) };
      } catch (error) {
        const { status, stdout } = error as { status: number; stdout: string };
        return { code: status, text: stdout };
      }
    };
    const told = run("verify");
    expect(told).toMatchObject({ code: 1, text: expect.stringContaining(`${workspace}  broken from entry 3`) });
    expect(run("verify", file).code).toBe(1);
    expect(run("verify", join(world.folder, "none")).code).toBe(2);
    expect(run("set-aside", workspace).code).toBe(0);
    await ask("workspaces.change", { name: "after" });
    expect(await short()).toEqual(["workspaces.change allow"]);
    expect(run("verify").code).toBe(0);
  }, 180_000); // prettier-ignore

  it("is for auditors and admins alone", async () => {
    const { ask, post } = await start();
    const { key } = await ask<{ key: string }>("workspaces.createKey", { name: "e", role: "analyst" });
    for (const operation of ["audit.list", "audit.verify", "audit.export"])
      expect((await post(operation, {}, { authorization: `Bearer ${key}` })).status).toBe(403);
  });
});
