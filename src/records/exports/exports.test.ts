import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { afterAll, describe, expect, it } from "vitest";
import type { AuditView } from "#programs/audit/contract.ts";
import { importFile } from "#surfaces/cli/import-file.ts";
import { askRemote, exportTo } from "#surfaces/cli/remote.ts";
import { readBack } from "#test/clients/read-back.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
const folder = mkdtempSync(join(tmpdir(), "throughline-export-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Midnight of four days ago. */
const first = Math.floor(Date.now() / 86_400_000 - 2) * 86_400_000;
const second = new Date(first + 86_400_000).toISOString().slice(0, 10);

const filled = async () => {
  const workspace = await world.newWorkspace();
  const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
  await world.system.ingest.accept(
    source,
    Array.from({ length: 300 }, (_, n) => ({
      name: n % 3 === 0 ? "Bought" : "Seen",
      anonymousId: `visitor ${n % 10}`,
      at: first + 36_000_000 + n * 240_000,
      messageId: String(n),
      account: "acme",
      properties: { amount: n, text: 'a "quoted",\ntext' },
    })),
  );
  await world.system.ingest.accept(source, [
    { userId: "ana", anonymousId: "visitor 1", personTraits: [{ op: "set", traits: { plan: "pro" } }] },
  ]);
  await world.settled();
  const { key } = await world.ask<{ key: string }>("workspaces.createKey", { name: "k", role: "analyst" }, workspace);
  return { workspace, remote: { url: world.url, key } };
};

describe("an export", () => {
  it("has every event of the range with its person, in each format", async () => {
    const { remote } = await filled();
    const out = (format: string) => join(folder, `events.${format}`);
    for (const format of ["ndjson", "csv", "parquet"]) await exportTo(remote, "events", { format }, out(format));
    const rows = readFileSync(out("ndjson"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(rows.length).toBe(300);
    expect(rows[0]?.["properties"]).toContain("quoted");
    const ofAna = rows.filter((row) => row["id"] === "visitor 1").map((row) => row["person"]);
    const { people } = (await askRemote(remote, "people.list", '{"search":"ana"}')) as { people: { id: string }[] };
    expect(new Set(ofAna)).toEqual(new Set([people[0]?.id]));
    const bytes = readFileSync(out("parquet"));
    const file = {
      byteLength: bytes.length,
      slice: (a: number, b?: number) => new Uint8Array(bytes.subarray(a, b)).buffer,
    };
    expect((await parquetReadObjects({ file, compressors })).length).toBe(300);
    expect(readFileSync(out("csv"), "utf8").split("\n")[0]).toContain('"event","at","person","id"');

    const some = join(folder, "some.ndjson");
    await exportTo(remote, "events", { from: second, to: second, event: "Bought" }, some);
    const day = readFileSync(some, "utf8").trim().split("\n");
    expect(day.length).toBe(30);
    const who = join(folder, "people.ndjson");
    await exportTo(remote, "people", {}, who);
    expect(readFileSync(who, "utf8")).toContain('"traits":"{\\"plan\\":\\"pro\\"}"');
  });

  it("can be imported again, from CSV and Parquet alike", async () => {
    const { remote } = await filled();
    for (const format of ["csv", "parquet"]) {
      const file = join(folder, `again.${format}`);
      await exportTo(remote, "events", { format }, file);
      const workspace = await world.newWorkspace();
      const { writeKey } = await world.source("api", workspace);
      const map = "userId=person,anonymousId=id";
      const outcome = await importFile({
        file,
        url: world.url,
        writeKey,
        map,
        traits: false,
        progress: () => undefined,
      });
      expect(outcome).toEqual({ rows: 300, refused: 0, errors: undefined });
      expect(await readBack(world, workspace, "Bought")).toMatchObject({ events: 100, people: 10 });
    }
  });

  it("is refused to viewers, and written down", async () => {
    const { workspace, remote } = await filled();
    const { key } = await world.ask<{ key: string }>("workspaces.createKey", { name: "v", role: "viewer" }, workspace);
    await expect(exportTo({ ...remote, key }, "events", {}, join(folder, "x"))).rejects.toThrow(/permission to edit/);
    await exportTo(remote, "people", {}, join(folder, "x"));
    const { entries } = await world.ask<{ entries: AuditView[] }>("audit.list", {}, workspace);
    expect(entries[0]).toMatchObject({ action: "exports.people", decision: "allow", who: "key k" });
    expect(entries.find(({ decision }) => decision === "deny")).toMatchObject({
      action: "exports.events",
      who: "key v",
    });
  });

  it("is refused to strangers, and says what is wrong with its input", async () => {
    const { remote } = await filled();
    const stranger = { ...remote, key: "tlk_wrong" };
    await expect(exportTo(stranger, "events", {}, join(folder, "x"))).rejects.toMatchObject({ code: "cli.refused" });
    await expect(exportTo(remote, "events", { from: "yesterday" }, join(folder, "x"))).rejects.toThrow(/from: A date/);
    await expect(askRemote(remote, "trends.ask", "{")).rejects.toMatchObject({ code: "cli.input" });
  });
});

describe("a file", () => {
  const run = async (name: string, content: string | Uint8Array, traits = false) => {
    const workspace = await world.newWorkspace();
    const { writeKey } = await world.source("api", workspace);
    const file = join(folder, name);
    writeFileSync(file, content);
    const outcome = await importFile({
      file,
      url: world.url,
      writeKey,
      event: "Row",
      traits,
      progress: () => undefined,
    });
    return { outcome, workspace };
  };

  it("of JSON is a list, or an object with one list", async () => {
    const rows = [{ user_id: "ana", amount: 1 }, { user_id: "bo", amount: 2, odd: { deep: [1] } }, "no object"]; // prettier-ignore
    for (const document of [rows, { data: rows, total: 3 }]) {
      const { outcome, workspace } = await run("rows.json", JSON.stringify(document));
      expect(outcome).toMatchObject({ rows: 3, refused: 1 });
      expect(await readBack(world, workspace, "Row")).toMatchObject({ events: 2, people: 2 });
    }
  });

  it("of traits describes people and is no events", async () => {
    const { workspace } = await run("people.csv", "user_id,name,plan\nana,Ana Diaz,pro\nbo,Bo Weber,free\n", true);
    await world.settled();
    const read = await fetch(`${world.url}/api/exports.people`, {
      method: "POST",
      headers: { "content-type": "application/json", cookie: world.owner.cookie, "x-throughline-workspace": workspace },
      body: "{}",
    });
    expect(await read.text()).toContain("Ana Diaz");
    expect(await readBack(world, workspace, "Row")).toMatchObject({ events: 0 });
  });

  it.each([
    ["broken.json", "{", /no proper JSON/],
    ["two.json", '{"a":[],"b":[]}', /list of objects/],
    ["broken.parquet", "PAR1 nothing", /no proper Parquet/],
    ["broken.csv", 'a,b\n"never closed', /no proper CSV/],
    ["what.xlsx", "PK", /is not read/],
  ])("%s that cannot be read is refused with a reason", async (name, content, why) => {
    await expect(run(name, content)).rejects.toThrow(why);
  });
});
