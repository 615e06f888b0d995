import type { Logger } from "pino";
import type { EngineServer } from "./engine/engine.ts";
import type { WorkspaceDirectory } from "./dispatch.ts";
import type { TableDoc, Workspace } from "./module.ts";
import { identifier, sql } from "./sql.ts";
import type { Store } from "./state/store.ts";

export interface Directory extends WorkspaceDirectory {
  /** Forgets what is cached of a workspace after it was changed or removed. */
  changed(id: string): void;
  /** Takes a workspace away for good, with everything that its database holds. */
  remove(id: string, now: number): Promise<void>;
  all(): Promise<readonly Workspace[]>;
}

/** Finds workspaces, and makes their database and tables when they are first used. */
export const openDirectory = (
  store: Store,
  server: EngineServer,
  tables: readonly TableDoc[],
  log: Logger,
): Directory => {
  const opened = new Map<
    string,
    Promise<{ workspace: Workspace; engine: ReturnType<EngineServer["in"]> } | undefined>
  >();

  const read = async (id: string): Promise<Workspace | undefined> => {
    const row = await store
      .selectFrom("workspaces")
      .selectAll()
      .where("id", "=", id)
      .where("removed_at", "is", null)
      .executeTakeFirst();
    return row === undefined ? undefined : asWorkspace(row);
  };

  const open = async (id: string) => {
    const workspace = await read(id);
    if (workspace === undefined) return undefined;
    const database = identifier(workspace.database);
    // Atomic, because the embedded engine's `default` database refuses what we need
    await server.in("default").command(sql`CREATE DATABASE IF NOT EXISTS ${database} ENGINE = Atomic`);
    const engine = server.in(workspace.database);
    for (const statement of tables.flatMap((table) => table.create(database))) await engine.command(statement);
    log.debug({ workspace: id }, "a workspace was opened");
    return { workspace, engine };
  };

  return {
    find: (id) => {
      const held = opened.get(id);
      if (held !== undefined) return held;
      const opening = open(id);
      opened.set(id, opening);
      // a failure, or a workspace that is not there yet, is asked for again
      opening.then((found) => found ?? opened.delete(id)).catch(() => opened.delete(id));
      return opening;
    },
    changed: (id) => {
      opened.delete(id);
    },
    remove: async (id, now) => {
      const workspace = await read(id);
      if (workspace === undefined) return;
      const removed_at = new Date(now).toISOString();
      await store.updateTable("workspaces").set({ removed_at }).where("id", "=", id).execute();
      opened.delete(id);
      await server.in("default").command(sql`DROP DATABASE IF EXISTS ${identifier(workspace.database)} SYNC`);
    },
    all: async () => {
      const rows = await store
        .selectFrom("workspaces")
        .selectAll()
        .where("removed_at", "is", null)
        .orderBy("created_at")
        .execute();
      return rows.map(asWorkspace);
    },
  };
};

const asWorkspace = (row: {
  id: string;
  name: string;
  database: string;
  secret: string;
  zone: string;
  week_start: string;
  is_demo: number;
  demands_second_factor: number;
  region: string;
}): Workspace => ({
  id: row.id,
  name: row.name,
  database: row.database,
  secret: row.secret,
  zone: row.zone,
  weekStart: row.week_start === "sunday" ? "sunday" : "monday",
  isDemo: row.is_demo > 0,
  demandsSecondFactor: row.demands_second_factor > 0,
  region: row.region,
});
