import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { KyselyPGlite } from "kysely-pglite";
import { Kysely, Migrator } from "kysely";
import { afterAll, describe, expect, it } from "vitest";
import { startPostgres } from "#test/postgres.ts";
import { createAccess } from "../access.ts";
import { openAudit } from "../audit/audit.ts";
import { systemClock } from "../clock.ts";
import { migrations } from "./migrations.ts";
import { embeddedDialect, openStore, postgresDialect } from "./store.ts";

const server = startPostgres();
afterAll(() => server?.stop());
const given = process.env["THROUGHLINE_TEST_DATABASE_URL"] ?? server?.url;
if (given === undefined) console.log("no PostgreSQL server is found or given; the store is tested on PGlite alone");
const dialects = [
  ["embedded SQLite", () => embeddedDialect(mkdtempSync(join(tmpdir(), "throughline-state-")))],
  ["PostgreSQL (PGlite)", () => new KyselyPGlite(new PGlite()).dialect],
  ...(given === undefined ? [] : [["PostgreSQL (server)", () => postgresDialect(given)] as const]),
] as const;

describe.each(dialects)("the state store on %s", (name, dialect) => {
  it("chains what was written down before there was a chain, and goes on with it", async () => {
    const workspace = `ws-${Date.now()}`;
    const own = dialect();
    const db = new Kysely<any>({ dialect: own });
    const last = "2026-11-30-audit-chain";
    const earlier = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < last));
    // a server that is shared with other tests is up to date already
    const isNew = !(await db.introspection.getTables()).some(({ name }) => name === "audit_heads");
    if (isNew) {
      const { error } = await new Migrator({ db, provider: { getMigrations: async () => earlier } }).migrateToLatest();
      expect(error).toBeUndefined();
      for (const [n, actor] of ["mem_a", "key_b", ""].entries())
        await db.insertInto("audit").values({ id: `${workspace} ${n}`, workspace, at: `2026-11-0${n + 1}T00:00:00.000Z`, actor, operation: `op.${n}`, detail: "{}" }).execute(); // prettier-ignore
      const { error: second } = await new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } }).migrateToLatest(); // prettier-ignore
      expect(second).toBeUndefined();
    }
    const keyFile = join(mkdtempSync(join(tmpdir(), "throughline-key-")), "key.pem");
    // transactions of PGlite share one connection, so there only one may write
    const one = openAudit({ store: db, clock: systemClock, keyFile });
    const logs = [one, name.includes("PGlite") ? one : openAudit({ store: db, clock: systemClock, keyFile })];
    const before = isNew ? 3 : 0;
    expect(await logs[0]!.verify(workspace)).toMatchObject({ state: "intact", entries: before });
    const note = { principal: { kind: "nobody" }, action: "x", decision: "allow" } as const;
    await Promise.all(Array.from({ length: 20 }, (_, n) => logs[n % 2]!.append(workspace, note)));
    await logs[0]!.checkpoint(workspace);
    expect(await logs[1]!.verify(workspace)).toMatchObject({ state: "intact", entries: before + 20, checkpoints: 1 });
    await db.updateTable("audit").set({ decision: "deny" }).where("workspace", "=", workspace).where("seq", "=", 2).execute(); // prettier-ignore
    expect(await logs[1]!.verify(workspace)).toMatchObject({ state: "broken", firstBad: 2 });
    await db.destroy();
  });

  it("is made once, opened again, and lets members in by password and session only", async () => {
    const store = await openStore(dialect());
    const access = createAccess(store, systemClock);
    const email = `ana-${Date.now()}@example.com`;
    await access.createMember(email, "Ana", "a long password");
    await expect(access.createMember(email.toUpperCase(), "Ana", "a long password")).rejects.toMatchObject({
      code: "access.email_taken",
    });
    await expect(access.signIn(email, "another password")).rejects.toMatchObject({
      code: "access.wrong_password",
      status: 401,
    });
    await expect(access.signIn("nobody@example.com", "a long password")).rejects.toMatchObject({
      code: "access.wrong_password",
    });
    const session = await access.signIn(email, "a long password");
    expect(await access.fromSession(session)).toMatchObject({ kind: "member", email });
    await access.signOut(session);
    expect(await access.fromSession(session)).toEqual({ kind: "nobody" });
    await store.destroy();
  });
});
