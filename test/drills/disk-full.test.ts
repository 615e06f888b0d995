import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { listen } from "#app/server.ts";
import { openSystem } from "#app/system.ts";
import { readConfig } from "#kernel/config.ts";
import { sql } from "#kernel/sql.ts";
import { createWorkspace } from "#programs/workspaces/create.ts";

const place = mkdtempSync(join(tmpdir(), "throughline-full-"));
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256m", "tmpfs", place]).status === 0;
if (!mounted) console.log("no small disk can be mounted here; the disk-full drill is skipped");
afterAll(() => {
  if (mounted) spawnSync("umount", ["-l", place]);
  rmSync(place, { recursive: true, force: true });
});

const filler = join(place, "filler");
/** Takes every byte that is left on the disk. */
const fill = (): void => {
  const file = openSync(filler, "a");
  for (const size of [1024 * 1024, 4096, 1]) {
    const bytes = Buffer.alloc(size, 1);
    try {
      for (;;) writeSync(file, bytes);
    } catch {
      // full for this size
    }
  }
  closeSync(file);
};

describe.skipIf(!mounted)("the disk-full drill", () => {
  it("refuses with a reason while the disk is full, loses nothing acknowledged, and goes on by itself", async () => {
    const data = join(place, "data");
    mkdirSync(data);
    const system = await openSystem(readConfig({}, { data, port: 0, log_level: "silent", engine_memory: 1e9 }));
    const server = await listen(system);
    const member = await system.access.createMember("ana@example.com", "Ana", "a long password");
    const named = { name: "Acme", zone: "UTC", weekStart: "monday" } as const;
    const workspace = await createWorkspace(system.store, named, member, Date.now());
    const { writeKey } = await system.registry.create(workspace, "loader", "api", "");
    const acknowledged = new Set<string>();
    let batch = 0;
    const send = async () => {
      const ids = Array.from({ length: 100 }, (_, n) => `${batch}-${n}`);
      batch += 1;
      const events = ids.map((id) => ({ event: "Tick", userId: "ana", id, properties: { text: "x".repeat(500) } }));
      const response = await fetch(`${server.url}/v1/events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ writeKey, events }),
      });
      if (response.status === 200) for (const id of ids) acknowledged.add(id);
      return { status: response.status, retry: response.headers.get("retry-after"), body: await response.json() };
    };
    for (let n = 0; n < 20; n += 1) expect((await send()).status).toBe(200);
    fill();
    const refusals = [];
    for (let n = 0; n < 40; n += 1) {
      const answer = await send();
      if (answer.status !== 200) refusals.push(answer);
      if (n % 5 === 0) fill(); // what the engine gave free by merging
    }
    expect(refusals.length).toBeGreaterThan(10);
    for (const { status, retry, body } of refusals) {
      expect([status, retry]).toEqual([503, "2"]);
      expect(body).toMatchObject({
        error: { code: "ingest.disk_full", message: expect.stringContaining("disk is full") },
      });
    }
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);

    rmSync(filler);
    await expect.poll(async () => (await send()).status, { timeout: 30_000 }).toBe(200);
    expect(await system.ingest.caughtUp(60_000)).toBe(true);
    await expect.poll(async () => (await fetch(`${server.url}/readyz`)).status, { timeout: 30_000 }).toBe(200);
    const { engine } = (await system.directory.find(workspace))!;
    const [row] = await engine.rows(
      sql`SELECT count() AS rows, uniqExact(message) AS distinct, (SELECT sum(events) FROM activity_daily) AS rollup FROM events`,
      z.object({ rows: z.number(), distinct: z.number(), rollup: z.number() }),
    );
    await server.http.close();
    await system.close();
    expect(row).toEqual({ rows: row?.distinct, distinct: row?.distinct, rollup: row?.distinct });
    // a refused batch is not there; an acknowledged one is
    expect(row?.distinct).toBe(acknowledged.size);
  }, 180_000);
});
