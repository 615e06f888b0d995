import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Libsql from "libsql";
import { Refusal } from "./refusal.ts";

/** Holds a data folder for this process; the lock goes with the process, however it ends. */
export interface FolderLock {
  release(): void;
}

/** How long a predecessor that is just ending may take to let go. */
const patienceMs = 5_000;

/**
 * Takes a data folder, or refuses with `data.in_use` where another process has it: two would overwrite each other's
 * journal. SQLite's own file lock is used, since Node has none.
 */
export const lockFolder = async (folder: string): Promise<FolderLock> => {
  mkdirSync(folder, { recursive: true });
  const until = Date.now() + patienceMs;
  for (;;) {
    const database = new Libsql(join(folder, "lock.db"));
    try {
      database.exec("PRAGMA busy_timeout = 0");
      database.exec("BEGIN EXCLUSIVE");
      return { release: () => database.close() };
    } catch {
      database.close();
    }
    if (Date.now() > until) {
      throw new Refusal(
        "data.in_use",
        `Another process is using the data folder ${folder}. Stop it first, or name another folder in THROUGHLINE_DATA.`,
        { folder },
        409,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};
