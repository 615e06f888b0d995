import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { tables } from "#app/modules.ts";
import { noVeil } from "#kernel/classes.ts";
import { bind, identifier, sql } from "#kernel/sql.ts";
import type { ErasureRequest } from "#programs/erasure/contract.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
const rows = Number(process.env["DRILL_ROWS"] ?? "300000");
const people = 100;
const at = Date.parse("2026-05-04T10:00:00Z");

const filesWith = (pattern: string): string[] => {
  try {
    return execFileSync("grep", ["-rlaE", pattern, world.folder], { encoding: "utf8" }).split("\n").filter(Boolean);
  } catch {
    return []; // grep ends with 1 where it finds nothing
  }
};

describe("the erasure drill", () => {
  it(`leaves no byte of ${people} people among ${rows.toLocaleString("en")} rows`, async () => {
    const { workspace } = world;
    const source = await world.system.registry.byKey((await world.source()).writeKey);
    const { engine } = (await world.system.directory.find(workspace))!;
    // what is replaced goes at once; who clears it away would otherwise look less often, up to every five minutes
    for (const { name } of tables) await engine.command(sql`ALTER TABLE ${identifier(name)} MODIFY SETTING old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0, max_cleanup_delay_period = 2`); // prettier-ignore
    await engine.command(sql`INSERT INTO events (event, actor, at, message, source, product, session, account, properties, received)
      SELECT concat('event ', toString(number % 5)), cityHash64(number % 40000) + 1, toDateTime64(${bind.int(at / 1000)} + number % (150 * 86400), 3, 'UTC') AS t, number + 1, 's', '', '', '',
        concat('{"plan":"p', toString(number % 5), '","n":', toString(number), '}'), t FROM numbers(${bind.int(rows)})`);
    await world.ask("contracts.save", { document: JSON.stringify({ apiVersion: "v3.1.0", kind: "DataContract", id: "c", version: "1.0.0", status: "active", schema: [{ name: "Held", customProperties: [{ property: "disposition", value: { violation: "quarantine" } }], properties: [{ name: "n", logicalType: "number", required: true }] }] }) }); // prettier-ignore
    const ids = Array.from({ length: people }, (_, n) => `planted-${n}-user`);
    for (const [n, userId] of ids.entries()) {
      const about = { userId, anonymousId: `planted-${n}-device`, at };
      const marker = `planted-${n}-marker`;
      await world.system.ingest.accept(source, [
        { ...about, name: `event ${n % 5}`, properties: { note: marker, deep: { list: [marker] } } },
        { ...about, personTraits: [{ op: "set", traits: { email: `planted-${n}-mail@example.com` } }] },
        { ...about, name: "Held", properties: { why: marker } },
        { fault: { reason: "x", message: "x" }, body: `{"userId":"${userId}","note":"${marker}"}` },
      ]);
    }
    await world.settled();
    await world.ask("people.list", { search: ids[0] });
    expect(filesWith("planted-[0-9]+-").length).toBeGreaterThan(3);

    const began = performance.now();
    await world.ask("erasure.erase", { identifiers: ids });
    const seconds = () => ((performance.now() - began) / 1_000).toFixed(1);
    const module = world.system.modules.find(({ name }) => name === "erasure");
    const found = (await world.system.directory.find(workspace))!;
    const call = { principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now: Date.now(), ...found } as const; // prettier-ignore
    let deleted = "";
    const latest = async () => {
      await module!.jobs![0]!.run(call);
      const { requests } = await world.ask<{ requests: ErasureRequest[] }>("erasure.requests", {});
      if (requests[0]?.reached.rows_deleted !== undefined && deleted === "") deleted = seconds();
      return requests[0];
    };
    await expect.poll(async () => (await latest())?.state, { timeout: 170_000, interval: 1_000 }).toBe("confirmed");
    console.log(`erasure drill: ${people} people, ${rows} rows; deleted after ${deleted} s, confirmed after ${seconds()} s`); // prettier-ignore
    expect((await latest())?.people).toBe(people);
    expect(filesWith("planted-[0-9]+-")).toEqual([]);
    expect(await world.ask("audit.verify", {})).toMatchObject({ state: "intact" });
    const [left] = await engine.rows(sql`SELECT toString(count()) AS n FROM events`, z.object({ n: z.string() })); // prettier-ignore
    expect(left).toEqual({ n: String(rows) });
  }, 180_000);
});
