import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, describe, expect, it } from "vitest";
import { auditSays, keysIn, verifyFile, verifyStore } from "#surfaces/cli/audit.ts";
import { systemClock } from "../clock.ts";
import { embeddedDialect, openStore, type Store } from "../state/store.ts";
import { openAudit, setAside, type Audit } from "./audit.ts";
import { entryHash, type Entry } from "./chain.ts";

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

const member = { kind: "member", id: "mem_1", email: "a@example.com", name: "Ana" } as const;

/** A log of so many entries; checkpoints after each of the given numbers of them. */
const filled = async (entries: number, points: readonly number[] = []) => {
  const folder = mkdtempSync(join(tmpdir(), "throughline-audit-"));
  folders.push(folder);
  const store = await openStore(embeddedDialect(folder));
  const [keyFile, checkpointFolder] = [join(folder, "key.pem"), join(folder, "elsewhere")];
  const audit = openAudit({ store, clock: systemClock, keyFile, checkpointFolder });
  for (let n = 1; n <= entries; n += 1) {
    await audit.append("w", { principal: member, action: `thing.${n % 3}`, decision: "allow", detail: { n, password: "p" } }); // prettier-ignore
    if (points.includes(n)) await audit.checkpoint("w");
  }
  return { folder, store, audit, keyFile, checkpointFolder };
};

const forged = async (store: Store, from: number, action: string): Promise<void> => {
  const rows: Entry[] = await store.selectFrom("audit").selectAll().orderBy("seq").execute();
  let prev = rows[from - 2]?.hash ?? "0".repeat(64);
  for (const row of rows.slice(from - 1)) {
    const entry = { ...row, action: row.seq === from ? action : row.action, prev };
    prev = entryHash(entry);
    await store.updateTable("audit").set({ ...entry, hash: prev }).where("seq", "=", row.seq).execute(); // prettier-ignore
  }
};

/** Ways in which a log can be changed behind the server's back, at an entry; each gives the entry that is to be named. */
const tampers: Readonly<Record<string, (store: Store, at: number, last: number) => Promise<number>>> = {
  "flips a field": async (store, at) => {
    await store.updateTable("audit").set({ actor: "mem_2" }).where("seq", "=", at).execute();
    return at;
  },
  "flips a decision": async (store, at) => {
    await store.updateTable("audit").set({ decision: "deny" }).where("seq", "=", at).execute();
    return at;
  },
  "rewrites a detail": async (store, at) => {
    await store.updateTable("audit").set({ detail: "{}" }).where("seq", "=", at).execute();
    return at;
  },
  "moves it in time": async (store, at) => {
    await store.updateTable("audit").set({ at: "2020-01-01T00:00:00.000Z" }).where("seq", "=", at).execute();
    return at;
  },
  "drops it": async (store, at) => {
    await store.deleteFrom("audit").where("seq", "=", at).execute();
    return at;
  },
  "drops it and closes the gap": async (store, at, last) => {
    await store.deleteFrom("audit").where("seq", "=", at).execute();
    for (let seq = at + 1; seq <= last; seq += 1)
      await store.updateTable("audit").set({ seq: seq - 1 }).where("seq", "=", seq).execute(); // prettier-ignore
    return at;
  },
  "swaps it with the next": async (store, at, last) => {
    const other = at === last ? at - 1 : at + 1;
    await store.updateTable("audit").set({ seq: -1 }).where("seq", "=", at).execute();
    await store.updateTable("audit").set({ seq: at }).where("seq", "=", other).execute();
    await store.updateTable("audit").set({ seq: other }).where("seq", "=", -1).execute();
    return Math.min(at, other);
  },
  "cuts off the end": async (store, at) => {
    await store.deleteFrom("audit").where("seq", ">=", at).execute();
    return at;
  },
  "adds one at the end": async (store, _, last) => {
    await sql`INSERT INTO audit SELECT workspace, ${last + 1}, at, actor_kind, actor, action, decision, reason, detail, salt, detail_hash, prev, hash FROM audit WHERE seq = ${last}`.execute(store);
    return last + 1;
  },
}; // prettier-ignore

describe("the audit log", () => {
  it("is as it was written, hides secrets, keeps its key to itself, and goes on after details were erased", async () => {
    const { store, audit, keyFile, checkpointFolder } = await filled(30, [10, 20]);
    expect(await audit.verify("w")).toMatchObject({ state: "intact", entries: 30, checkpoints: 2, firstBad: null });
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const [first] = await store.selectFrom("audit").selectAll().orderBy("seq").execute();
    expect(first?.detail).toBe('{"n":1,"password":"(hidden)"}');
    await store.updateTable("audit").set({ detail: null, salt: null }).where("seq", "<", 9).execute();
    await audit.append("w", { principal: { kind: "nobody" }, action: "x", decision: "failed", reason: "because" });
    await audit.checkpoint("w");
    expect(await audit.verify("w")).toMatchObject({ state: "intact", entries: 31, checkpoints: 3 });
    expect(readFileSync(join(checkpointFolder, "w.jsonl"), "utf8").split("\n").filter(Boolean)).toHaveLength(3);
    expect(await audit.verify("another")).toMatchObject({ state: "intact", entries: 0 });
  });

  it("writes what comes at once in some order, without a gap", async () => {
    const { audit, store, keyFile } = await filled(0);
    const other: Audit = openAudit({ store, clock: systemClock, keyFile });
    const notes = Array.from({ length: 60 }, (_, n) => [audit, other][n % 2]!.append("w", { principal: member, action: `a${n}`, decision: "allow" })); // prettier-ignore
    await Promise.all(notes);
    expect(await audit.verify("w")).toMatchObject({ state: "intact", entries: 60 });
  });

  it.each(Object.entries(tampers))("names the first bad entry where somebody %s", async (_, tamper) => {
    for (const [entries, points] of [[12, []], [12, [4, 9]], [12, [12]]] as const) {
      for (const at of [2, 4, 7, 12]) {
        const { store, audit, keyFile, checkpointFolder } = await filled(entries, points);
        const bad = await tamper(store, at, entries);
        expect(await audit.verify("w"), `at ${at}`).toMatchObject({ state: "broken", firstBad: bad });
        const checked = await verifyStore(store, keysIn(keyFile), points.length === 0 ? undefined : checkpointFolder);
        expect(auditSays(checked)).toMatchObject({ code: 1, text: expect.stringContaining(`from entry ${bad}`) });
        await store.destroy();
      }
    }
  }, 60_000); // prettier-ignore

  it("is not fooled by a whole new chain, a moved end, or checkpoints that are gone", async () => {
    const new_ = await filled(12, [4, 8]);
    await forged(new_.store, 6, "harmless");
    expect(await new_.audit.verify("w")).toMatchObject({ state: "broken", firstBad: 5 }); // after the checkpoint of 4
    const end = await filled(12, []);
    await forged(end.store, 6, "harmless");
    expect(await end.audit.verify("w")).toMatchObject({ state: "broken", firstBad: 1 });
    const { hash = "" } = (await end.store.selectFrom("audit").select("hash").where("seq", "=", 12).executeTakeFirst()) ?? {}; // prettier-ignore
    await end.store.updateTable("audit_heads").set({ hash }).execute();
    expect(await end.audit.verify("w")).toMatchObject({ state: "broken" });
    // and nothing is ever signed on top of it
    await expect(end.audit.append("w", { principal: member, action: "x", decision: "allow" })).rejects.toMatchObject({ code: "audit.broken" }); // prettier-ignore
    await expect(end.audit.checkpoint("w")).rejects.toMatchObject({ code: "audit.broken" });
    for (const n of [1, 2, 3]) {
      const gone = await filled(12, [4, 8, 12]);
      await gone.store.deleteFrom("audit_checkpoints").where("n", "=", n).execute();
      const [kept, alone] = [await verifyStore(gone.store, keysIn(gone.keyFile), gone.checkpointFolder), await gone.audit.verify("w")]; // prettier-ignore
      // the last can only be missed where it was written elsewhere, and there all is well with the entries
      expect(alone.state).toBe(n === 3 ? "intact" : "broken");
      expect(auditSays(kept).code).toBe(n === 3 ? 0 : 1);
    }
    // everything put back to an earlier state: only what lies elsewhere shows that
    const back = await filled(12, [4, 12]);
    await back.store.deleteFrom("audit").where("workspace", "=", "w").execute();
    await back.store.deleteFrom("audit_heads").execute();
    await back.store.deleteFrom("audit_checkpoints").execute();
    expect(await back.audit.verify("w")).toMatchObject({ state: "intact", entries: 0 });
    const said = auditSays(await verifyStore(back.store, keysIn(back.keyFile), back.checkpointFolder));
    expect(said).toMatchObject({ code: 1, text: expect.stringContaining("from entry 1: The entries from 1 to 12 are gone") });
  }, 60_000); // prettier-ignore

  it("is told by another key apart, and set aside where it is broken", async () => {
    const { store, audit, folder } = await filled(5, [5]);
    const stranger = openAudit({ store, clock: systemClock, keyFile: join(folder, "other.pem") });
    expect(await stranger.verify("w")).toMatchObject({ state: "unknown", message: expect.stringContaining(audit.key) });
    expect(auditSays(await verifyStore(store, keysIn(join(folder, "other.pem")), undefined)).code).toBe(2);
    await expect(stranger.append("w", { principal: member, action: "x", decision: "allow" })).rejects.toThrow(/share the file/); // prettier-ignore
    const aside = await setAside(store, "w", 0);
    await stranger.append("w", { principal: member, action: "x", decision: "allow" });
    expect(await stranger.verify("w")).toMatchObject({ state: "intact", entries: 1 });
    const kept = await verifyStore(store, keysIn(join(folder, "key.pem")), undefined);
    expect(kept.map(({ log }) => log)).toEqual(["w"]);
    expect(await store.selectFrom("audit").selectAll().where("workspace", "=", aside).execute()).toHaveLength(5);
  });

  it("of any order of notes and checkpoints is intact, and broken after any one byte of an entry was changed", async () => {
    const columns = ["at", "actor_kind", "actor", "action", "decision", "reason", "detail", "salt", "detail_hash", "prev", "hash"] as const; // prettier-ignore
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), fc.nat(), fc.constantFrom(...columns), fc.nat(), async (steps, pick, column, place) => {
        const { store, audit } = await filled(1);
        for (const isPoint of steps) await (isPoint ? audit.checkpoint("w") : audit.append("w", { principal: member, action: "a", decision: "allow", reason: "r", detail: { a: 1 } }));
        expect(await audit.verify("w")).toMatchObject({ state: "intact" });
        const rows = await store.selectFrom("audit").selectAll().orderBy("seq").execute();
        const row = rows[pick % rows.length]!;
        const text = row[column] ?? "";
        const at = text === "" ? 0 : place % text.length;
        const changed = `${text.slice(0, at)}${text[at] === "z" ? "y" : "z"}${text.slice(at + 1)}`;
        await store.updateTable("audit").set({ [column]: changed }).where("seq", "=", row.seq).execute();
        expect(await audit.verify("w")).toMatchObject({ state: "broken", firstBad: row.seq });
        await store.destroy();
      }),
      { numRuns: 40 },
    ); // prettier-ignore
  }, 60_000);

  it("keeps a detail whole that is cut within a character, and takes a checkpoint that was written twice elsewhere", async () => {
    const { store, audit, keyFile, checkpointFolder } = await filled(2, [1]);
    for (let pad = 0; pad < 4; pad += 1)
      await audit.append("w", { principal: member, action: "x", decision: "allow", detail: { text: `${"a".repeat(pad)}${"😀".repeat(3_000)}` } });
    expect((await store.selectFrom("audit").select("detail").execute()).every(({ detail }) => detail?.isWellFormed())).toBe(true);
    await audit.checkpoint("w");
    // the server ended after it had been written elsewhere, and before it was kept here
    await store.deleteFrom("audit_checkpoints").where("n", "=", 2).execute();
    await audit.append("w", { principal: member, action: "x", decision: "allow" });
    await audit.checkpoint("w");
    expect(await audit.verify("w")).toMatchObject({ state: "intact", entries: 7, checkpoints: 2 });
    const look = async () => auditSays(await verifyStore(store, keysIn(keyFile), checkpointFolder));
    expect((await look()).code).toBe(0);
    // but each of the two must be true
    await store.deleteFrom("audit").where("seq", "=", 6).execute();
    expect(await look()).toMatchObject({ code: 1 });
  }); // prettier-ignore

  it("says what is wrong with a file", async () => {
    const { folder } = await filled(1);
    const file = join(folder, "log.ndjson");
    await expect(verifyFile(file, undefined)).rejects.toMatchObject({ code: "audit.no_file" });
    writeFileSync(file, '{"entry":1}\n');
    await expect(verifyFile(file, undefined)).rejects.toThrow(/Line 1/);
    writeFileSync(file, "no json\n");
    await expect(verifyFile(file, undefined)).rejects.toThrow(/Line 1/);
    expect(() => keysIn(file)).toThrow(/no key in PEM/);
    expect(auditSays([])).toMatchObject({ code: 2 });
  });
});
