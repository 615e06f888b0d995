import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { restore } from "#app/backup.ts";
import { tables } from "#app/modules.ts";
import { openSystem, type System } from "#app/system.ts";
import { readConfig } from "#kernel/config.ts";
import { identifier, sql } from "#kernel/sql.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
const base = mkdtempSync(join(tmpdir(), "throughline-backup-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const program = fileURLToPath(new URL("../src/app/main.ts", import.meta.url));

/** The command line in a process of its own: its output, or an error with what it wrote to standard error. */
const run = async (data: string, ...args: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", program, ...args], {
    env: { ...process.env, THROUGHLINE_DATA: data, THROUGHLINE_LOG_LEVEL: "error" },
    timeout: 60_000,
  });
  return stdout;
};

/** Rows of every table, and one number of all that they hold. */
const contents = async (system: System, workspace: string) => {
  const { engine } = (await system.directory.find(workspace))!;
  const found: Record<string, unknown> = {};
  for (const { name, columns } of tables) {
    const list = Object.entries(columns).map(([column, { type }]) => {
      if (column === "properties") return sql`toString(properties)`;
      // a hash of nothing would be nothing
      return type.startsWith("Nullable") ? sql`ifNull(toString(${identifier(column)}), 'nothing')` : identifier(column);
    });
    const hashed = list.reduce((a, b) => sql`${a}, ${b}`);
    // rows that are the same but for merging count once
    const statement = sql`SELECT toString(uniqExact(h)) AS rows, toString(groupBitXor(h)) AS all FROM (SELECT DISTINCT cityHash64(${hashed}) AS h FROM ${identifier(name)} FINAL)`;
    const plain = sql`SELECT toString(uniqExact(h)) AS rows, toString(groupBitXor(h)) AS all FROM (SELECT DISTINCT cityHash64(${hashed}) AS h FROM ${identifier(name)})`;
    const row = z.object({ rows: z.string(), all: z.string() });
    const isPlain = [
      "events",
      "identity_log",
      "trait_changes",
      "seen_messages",
      "dead_letters",
      "violations",
      "memberships",
    ].includes(name);
    found[name] = (await engine.rows(isPlain ? plain : statement, row))[0];
  }
  return found;
};

describe("a backup", () => {
  it("taken while the server runs brings everything back into an empty folder", async () => {
    const workspace = await world.newWorkspace({ zone: "Europe/Paris" });
    const { writeKey } = await world.source("api", workspace);
    const source = await world.system.registry.byKey(writeKey);
    const events = Array.from({ length: 5_000 }, (_, n) => ({
      name: `Event ${n % 7}`,
      anonymousId: `visitor ${n % 90}`,
      userId: n % 13 === 0 ? `user ${n % 30}` : undefined,
      at: Date.now() - n * 3_600_000,
      messageId: `m${n}`,
      account: `acme ${n % 5}`,
      properties: {
        amount: n / 3,
        plan: n % 2 === 0 ? "pro" : null,
        "dotted.name": "ä\n\"'\u2028\u2029",
        nested: { list: [1, "a"] },
      },
      personTraits: [{ op: "set" as const, traits: { rank: n } }],
    }));
    await world.system.ingest.accept(source, events);
    await world.system.ingest.accept(source, [{ name: "nobody's" }]);
    await world.settled();
    const question = {
      range: { last: 300, unit: "day" },
      series: [{ event: null, measure: "unique" }],
      breakdown: { property: "plan" },
    };
    const answer = async (system: System) => {
      const principal = { kind: "member", id: (await system.store.selectFrom("members").select("id").executeTakeFirst())!.id, email: "", name: "" } as const; // prettier-ignore
      const { lines } = (await system.dispatch({ operation: "trends.ask", input: question, principal, workspace })) as {
        lines: unknown;
      };
      return lines;
    };
    expect(await world.system.ingest.letGo(workspace)).toBe(true); // hints for typing are written a moment after the events
    const before = { contents: await contents(world.system, workspace), answer: await answer(world.system) };

    const folder = join(base, "taken");
    expect(await run(world.folder, "backup", folder)).toMatch(/2 workspace\(s\) with 5,000 events are in/);
    expect(statSync(join(folder, "manifest.json")).mode & 0o777).toBe(0o600);
    await expect(run(world.folder, "backup", folder)).rejects.toThrow(/already/);

    const data = join(base, "restored");
    expect(await run(data, "restore", folder)).toMatch(/2 workspace\(s\) with 5,000 events came back/);
    const system = await openSystem(readConfig({}, { data, log_level: "error", engine_memory: 2e9 }));
    try {
      expect(await contents(system, workspace)).toEqual(before.contents);
      expect(await answer(system)).toEqual(before.answer);
      expect(await system.access.signIn(world.owner.email, world.owner.password)).toMatch(/^tls_/);
      // the same message still counts once, and a known visitor is still the same person
      const again = await system.registry.byKey(writeKey);
      await system.ingest.accept(again, events.slice(0, 100));
      await system.ingest.caughtUp(30_000);
      expect(system.ingest.stats.repeats).toBe(100);
      const hints = { property_values: expect.anything() as unknown }; // noted again, with a later time
      expect(await contents(system, workspace)).toEqual({ ...before.contents, ...hints });
      await expect(restore(system, folder)).rejects.toMatchObject({ code: "restore.not_empty" });
    } finally {
      await system.close();
    }
  }, 120_000);

  it("that is not whole is not restored", async () => {
    const folder = join(base, "torn");
    await run(world.folder, "backup", folder);
    const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
    const [id] = Object.keys(manifest.data);
    // in the order in which they were read: what decides before what it was decided about
    const read = Object.keys(manifest.data[id!]);
    for (const [first, then] of [
      ["seen_messages", "events"],
      ["identity_log", "identity_overrides"],
      ["identities", "identity_log"],
    ] as const)
      // prettier-ignore
      expect(read.indexOf(first)).toBeLessThan(read.indexOf(then));
    manifest.data[id!].events += 1;
    writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
    await expect(run(join(base, "from torn"), "restore", folder)).rejects.toThrow(/has .* rows; the backup says/);
    await expect(run(join(base, "from nothing"), "restore", join(base, "nowhere"))).rejects.toThrow(/no whole backup/);
  }, 60_000);

  it("is asked of the server that runs, which doctor sees too", async () => {
    expect(await run(world.folder, "doctor")).toMatch(/server +http.*"status":"ready|server +http.*"status":"ok/);
  });

  it("can be had from the server by nobody without the folder's token", async () => {
    const ask = (authorization: string) =>
      fetch(`${world.url}/control/backup`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify({ folder: join(base, "stolen") }),
      });
    expect((await ask("Control guessed")).status).toBe(403);
    expect((await ask("")).status).toBe(403);
  });
});
