import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Kysely, Migrator, PostgresDialect, SqliteDialect, type Dialect } from "kysely";
import Libsql from "libsql";
import pg from "pg";
import { migrations } from "./migrations.ts";
import type { State } from "./schema.ts";

export type Store = Kysely<State>;

/** SQLite in the data folder. Every commit reaches the disk before it returns (WAL, synchronous FULL); what is deleted is overwritten. */
export const embeddedDialect = (folder: string): Dialect => {
  mkdirSync(folder, { recursive: true });
  const database = new Libsql(join(folder, "state.db"));
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA busy_timeout = 5000",
  );
  return new SqliteDialect({ database });
};

export const postgresDialect = (url: string): Dialect =>
  new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 10 }) });

/** Opens the state store and brings its tables up to date. */
export const openStore = async (dialect: Dialect): Promise<Store> => {
  const store = new Kysely<State>({ dialect });
  const migrator = new Migrator({ db: store, provider: { getMigrations: async () => ({ ...migrations }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw new Error("the state store could not be brought up to date", { cause: error });
  return store;
};
