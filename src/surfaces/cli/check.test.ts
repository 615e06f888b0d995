import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { afterAll, describe, expect, it } from "vitest";
import { useWorld } from "#test/world.ts";
import { checkCode, checkContracts, formats } from "./check.ts";

const world = useWorld();
const folder = mkdtempSync(join(tmpdir(), "throughline-check-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const total = (more: object = {}) => ({ name: "total", logicalType: "number", required: true, ...more });
const contract = (version: string, properties: object[], more: object = {}): string =>
  stringify({ kind: "DataContract", apiVersion: "v3.1.0", id: "orders", version, status: "active", schema: [{ name: "Bought", customProperties: [{ property: "additionalProperties", value: false }], properties }], ...more }); // prettier-ignore
const write = (name: string, text: string): string => {
  mkdirSync(join(folder, name, ".."), { recursive: true });
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const git = (...args: string[]): string => execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], { cwd: folder, encoding: "utf8" }); // prettier-ignore

describe("contracts in a repository", () => {
  it("are compared with a commit: what breaks is named with its place and an event that shows it", async () => {
    git("init", "-q", "-b", "main");
    write("contracts/orders.yaml", contract("1.0.0", [total(), { name: "plan", logicalType: "string" }]));
    write("contracts/gone.yaml", contract("1.0.0", [total()], { id: "gone" }));
    write("contracts/metric.yaml", "kind: Metric\nkey: x\n");
    git("add", ".");
    git("commit", "-q", "-m", "first");
    const check = () => checkContracts({ path: join(folder, "contracts"), base: "main" });
    const clean = await check();
    expect([clean, checkCode(clean, "error")]).toEqual([{ findings: [], checked: 2, problems: [] }, 0]);

    // moved to another file and made stricter
    rmSync(join(folder, "contracts/orders.yaml"));
    rmSync(join(folder, "contracts/gone.yaml"));
    write("contracts/new/place.yaml", `# ours\n${contract("1.1.0", [total({ logicalType: "integer" })])}`);
    const found = await check();
    expect(checkCode(found, "error")).toBe(1);
    expect(found.findings.map(({ rule, level, line }) => [rule, level, line])).toEqual([["breaking", "error", 2], ["breaking", "error", 1]]); // prettier-ignore
    expect(found.findings[0]?.message).toMatch(/^Bought breaks senders: .*type_narrowed at \/properties\/total\/type.*Right before and wrong now: \{"total":.*\} Raise the version from 1\.0\.0/); // prettier-ignore
    expect(found.findings[1]?.message).toContain("gone is gone");
    const github = formats.github(found).split("\n");
    expect(github[0]).toMatch(/^::error file=.*place\.yaml,line=2,title=contract breaking::Bought breaks/);
    const junit = formats.junit(found);
    expect(junit).toMatch(/tests="2" failures="2" errors="0"/);
    expect(junit).toContain("&quot;total&quot;:");
    // said so by its version: a warning
    write("contracts/new/place.yaml", contract("2.0.0", [total({ logicalType: "integer" })]));
    write("contracts/gone.yaml", contract("1.0.0", [total()], { id: "gone" }));
    const raised = await check();
    expect([checkCode(raised, "error"), checkCode(raised, "warning"), checkCode(raised, "never")]).toEqual([0, 1, 0]);
    await expect(checkContracts({ path: folder, base: "nowhere" })).rejects.toMatchObject({ code: "check.base" });
    await expect(checkContracts({ path: folder, base: "--output=/tmp/x" })).rejects.toMatchObject({ code: "check.base" });
  }, 60_000); // prettier-ignore

  it("include policies, whose own tests are run, and which say what they would change for whom", async () => {
    const policy = (see: string, more: object = {}): string =>
      stringify({ kind: "AccessPolicy", version: "1.0.0", rules: [{ classes: ["restricted"], who: { roles: ["analyst"] }, see: "clear" }], tests: [{ who: { role: "analyst" }, class: "restricted", see }], ...more }); // prettier-ignore
    const path = write("policy/access.yaml", policy("nothing"));
    const failing = await checkContracts({ path });
    expect([failing.checked, checkCode(failing, "error")]).toEqual([1, 1]);
    expect(failing.findings).toMatchObject([{ rule: "policy", level: "error", message: "Test 1: analyst sees restricted clear, where nothing is wanted." }]); // prettier-ignore
    const { key } = await world.ask<{ key: string }>("workspaces.createKey", { name: "ci", role: "steward" });
    write("policy/access.yaml", policy("clear"));
    const clean = await checkContracts({ path, remote: { url: world.url, key } });
    expect(checkCode(clean, "warning")).toBe(0);
    expect(clean.findings).toMatchObject([{ level: "notice", message: "analyst would see restricted: clear; now nothing." }]); // prettier-ignore
    write("policy/access.yaml", policy("clear", { tests: [] }));
    expect(checkCode(await checkContracts({ path }), "warning")).toBe(1);
    write("policy/access.yaml", policy("clear", { rules: [{ see: "nothing" }] }));
    expect((await checkContracts({ path })).findings).toMatchObject([{ rule: "invalid", message: expect.stringMatching(/needs names/) }]); // prettier-ignore
  });

  it("are compared with a workspace, with what hangs on them and recent events", async () => {
    const source = await world.system.registry.byKey((await world.source()).writeKey);
    await world.system.ingest.accept(source, [1, 2.5].map((n) => ({ name: "Bought", userId: "a", at: Date.now(), properties: { total: n } }))); // prettier-ignore
    await world.settled();
    await world.ask("contracts.save", { document: contract("1.0.0", [total()]) });
    const { id } = await world.ask<{ id: string }>("dashboards.create", { name: "Sales: all\n::error::x" });
    const question = { kind: "trends", input: { series: [{ event: "Bought", measure: "sum", property: "total" }] } };
    await world.ask("dashboards.addTile", { id, title: "Total", question, address: "/explore" });
    const { key } = await world.ask<{ key: string }>("workspaces.createKey", { name: "ci", role: "viewer" });
    const file = write("one/orders.yaml", contract("1.0.1", [total({ logicalType: "integer" })]));
    const remote = { url: world.url, key };
    const found = await checkContracts({ path: file, remote });
    expect(found.findings.map(({ rule, level }) => `${rule} ${level}`)).toEqual(["breaking error", "change notice", "samples warning"]); // prettier-ignore
    expect(found.findings[1]?.message).toContain("total: dashboard Sales");
    expect(found.findings[2]?.message).toMatch(/Of the latest 2 Bought, 1 would not fit/);
    // a name cannot begin an annotation of its own
    expect(
      formats
        .github(found)
        .split("\n")
        .filter((line) => line.startsWith("::error::")),
    ).toEqual([]);
    const away = await checkContracts({ path: file, remote: { url: "http://127.0.0.1:1", key } });
    expect([checkCode(away, "never"), away.problems[0]]).toEqual([2, expect.stringContaining("No server answers")]);
    const wrong = await checkContracts({ path: file, remote: { ...remote, key: "tlk_x" } });
    expect(checkCode(wrong, "never")).toBe(2);
  }, 60_000);

  it("say what cannot be read, where, and that nothing was there", async () => {
    write("bad/a.yaml", "kind: DataContract\nid: [\n");
    write("bad/b.yaml", "---\nkind: Metric\n---\nkind: DataContract\nid: x\nversion: one\n");
    const found = await checkContracts({ path: join(folder, "bad") });
    expect(found.findings.map(({ rule, line }) => [rule, line])).toEqual([["invalid", 3], ["invalid", 4]]); // prettier-ignore
    expect(checkCode(found, "error")).toBe(1);
    write("none/readme.yaml", "kind: Metric\n");
    const none = await checkContracts({ path: join(folder, "none") });
    expect([checkCode(none, "never"), formats.text(none)]).toEqual([2, expect.stringContaining("no contract here")]);
    await expect(checkContracts({ path: join(folder, "nowhere") })).rejects.toMatchObject({ code: "files.missing" });
    // from the command line
    const run = (...args: string[]): number => {
      try {
        execFileSync("npx", ["tsx", "src/app/main.ts", "check", ...args], { stdio: "ignore" });
        return 0;
      } catch (error) {
        return (error as { status: number }).status;
      }
    };
    expect([run(join(folder, "bad")), run(join(folder, "none")), run(join(folder, "nowhere")), run(join(folder, "bad"), "--format", "x"), run(join(folder, "one"))]).toEqual([1, 2, 2, 2, 0]); // prettier-ignore
  }, 60_000);
});
