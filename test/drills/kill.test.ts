import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { openSystem } from "#app/system.ts";
import { readConfig } from "#kernel/config.ts";
import { sql } from "#kernel/sql.ts";
import { personOf } from "#records/events/scope.ts";
import { keysOf } from "#records/people/keys.ts";
import { createWorkspace } from "#programs/workspaces/create.ts";
import { freePort, killBoth, pause, serve } from "./served.ts";

const kills = Number(process.env["DRILL_KILLS"] ?? "6");
const folder = mkdtempSync(join(tmpdir(), "throughline-kill-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const users = 10;

describe("the kill drill", () => {
  it(`keeps every acknowledged event exactly once through ${kills} SIGKILLs of both processes`, async () => {
    const config = readConfig({}, { data: folder, log_level: "silent", engine_memory: 2e9 });
    const setup = await openSystem(config);
    const member = await setup.access.createMember("ana@example.com", "Ana", "a long password");
    const workspace = await createWorkspace(
      setup.store,
      { name: "Acme", zone: "UTC", weekStart: "monday" },
      member,
      Date.now(),
    );
    const { writeKey } = await setup.registry.create(workspace, "loader", "api", "");
    // contracts, consent and the search for personal data stand at the door all the while
    const principal = { kind: "member", id: member, email: "", name: "Ana" } as const;
    const ask = (operation: string, input: unknown) => setup.dispatch({ operation, input, principal, workspace });
    const properties = [{ name: "n", logicalType: "integer", required: true }, { name: "email", customProperties: [{ property: "redaction", value: "token" }] }]; // prettier-ignore
    await ask("contracts.save", { document: JSON.stringify({ kind: "DataContract", apiVersion: "v3.1.0", id: "tick", version: "1.0.0", status: "active", schema: [{ name: "Tick", properties }] }) }); // prettier-ignore
    await ask("contracts.setSettings", { settings: { violation: "quarantine", purposes: ["analytics"], absentConsent: "deny" } }); // prettier-ignore
    await setup.close();

    const port = await freePort();
    const userOf = (visit: number): string => `person ${visit % users}`;
    const acknowledged = new Set<string>();
    let loading = true;
    let batch = 0;
    const load = async (): Promise<void> => {
      while (loading) {
        const ids = Array.from({ length: 50 }, (_, n) => `${batch}-${n}`);
        // every batch is a visitor's, who signs in at its end: the join must survive as well as the events
        const anonymousId = `device ${batch}`;
        const consent = { analytics: true };
        const ticks = ids.map((id, n) => ({ event: "Tick", anonymousId, id, time: Date.now(), consent, properties: { n, email: `a${n}@example.com`, note: "call +1 202-555-0147" } })); // prettier-ignore
        const events = [...ticks, { anonymousId, userId: userOf(batch), id: `${batch}-join`, consent }];
        batch += 1;
        // like a real client: sends again until it is acknowledged
        for (let sent = false; !sent && loading;) {
          const response = await fetch(`http://127.0.0.1:${port}/v1/events`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ writeKey, events }),
            signal: AbortSignal.timeout(5_000),
          }).catch(() => undefined);
          sent = response?.status === 200;
          if (sent) for (const id of ids) acknowledged.add(id);
          else await pause(50);
        }
      }
    };
    /** Waits until another batch was acknowledged; half a minute at most. */
    const answering = async (): Promise<void> => {
      const [before, until] = [acknowledged.size, Date.now() + 30_000];
      while (acknowledged.size === before && Date.now() < until) await pause(50);
    };
    const loaders = [load(), load()];
    for (let kill = 0; kill < kills; kill += 1) {
      const child = serve(folder, port);
      // as a rule in the middle of its work, however long a busy machine takes to begin it; now and then before
      if (kill === 0 || Math.random() < 0.7) await answering();
      await pause(500 + Math.random() * 1_500);
      killBoth(child);
      await pause(200);
    }
    loading = false;
    await Promise.all(loaders);

    const system = await openSystem(config);
    expect(await system.ingest.caughtUp(60_000)).toBe(true);
    const { engine, workspace: acme } = (await system.directory.find(workspace))!;
    const keys = keysOf(acme.secret);
    const row = z.object({
      rows: z.number(),
      distinct: z.number(),
      rollup: z.number(),
      named: z.number(),
      seen: z.number(),
      visits: z.number(),
    });
    const [counts] = await engine.rows(
      sql`SELECT count() AS rows, uniqExact(message) AS distinct, (SELECT sum(events) FROM activity_daily) AS rollup, (SELECT sum(events) FROM event_names) AS named, (SELECT uniqExact(message) FROM seen_messages) AS seen, toInt32(uniqExact(actor)) AS visits FROM events`,
      row,
    );
    const stored = new Set(
      (
        await engine.rows(sql`SELECT toString(message) AS m FROM events`, z.object({ m: z.string() }), {
          purpose: "maintain",
        })
      ).map(({ m }) => m),
    );
    const lost = [...acknowledged].filter((id) => !stored.has(keys.message(id)));
    const { hasMerges } = await system.ingest.freshIdentities(workspace);
    const scope = { engine, hasMerges };
    const persons = await engine.rows(
      sql`SELECT DISTINCT toString(${personOf(scope)}) AS person FROM events`,
      z.object({ person: z.string() }),
    );
    const members = Array.from({ length: users }, (_, n) => keys.actor(`person ${n}`));
    await system.close();
    console.log(`kill drill: ${kills} kills, ${acknowledged.size} events acknowledged, ${counts?.rows} stored`);
    expect(acknowledged.size).toBeGreaterThan(0);
    expect(lost).toEqual([]);
    expect(persons.map(({ person }) => person).sort()).toEqual(members.sort());
    expect(counts).toEqual({
      rows: counts?.distinct,
      distinct: counts?.distinct,
      rollup: counts?.distinct,
      named: counts?.distinct,
      seen: (counts?.distinct ?? 0) + (counts?.visits ?? 0), // a join for every visit
      visits: counts?.visits,
    });
  }, 600_000);
});
