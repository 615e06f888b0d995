import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { KyselyPGlite } from "kysely-pglite";
import { afterAll, describe, expect, it } from "vitest";
import { startPostgres } from "#test/postgres.ts";
import { createAccess } from "../access.ts";
import { systemClock } from "../clock.ts";
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

describe.each(dialects)("the state store on %s", (_name, dialect) => {
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
