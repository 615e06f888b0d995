import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import type { Book } from "#sdk/evaluate.ts";
import { bookOf } from "./book.ts";
import { Flag } from "./document.ts";
import { hashOfKey } from "./http.ts";

/** Flags as they are asked: held in memory, by workspace and environment. */
export interface Shelf {
  /** The flags of one environment. */
  book(workspace: string, environment: string): Promise<Book>;
  /** All flags that are not archived. */
  flags(workspace: string): Promise<readonly Flag[]>;
  /** How often each of them was changed, by key. */
  versions(workspace: string): Promise<ReadonlyMap<string, number>>;
  /** Which environment a client's key is for. Throws `flags.unknown_key`. */
  byKey(key: string | undefined): Promise<Place & { readonly secret: string }>;
  /** Which environment a secret key is for, with which rules may be read. Throws `flags.unknown_key`. */
  byServerKey(key: string | undefined): Promise<Place & { readonly secret: string }>;
  /** The environment that a workspace began with; undefined where it has none. */
  first(workspace: string): Promise<string | undefined>;
  /** Something was changed: it is read anew before the next answer, and whoever listens is told. */
  changed(workspace: string): void;
  /** Calls back after each change; what it gives back ends that. */
  listen(workspace: string, heard: () => void): () => void;
}

export interface Place {
  readonly workspace: string;
  readonly environment: string;
}

/** Another process may have changed something. */
const rememberedMs = 5_000;
const mostRemembered = 10_000;

interface Remembered<T> {
  get(key: string): Promise<T>;
  forget(key?: string): void;
}

/** Looks things up once in a while. What could not be looked up is not remembered. */
const remembered = <T>(look: (key: string) => Promise<T>): Remembered<T> => {
  const held = new Map<string, { readonly found: Promise<T>; readonly until: number }>();
  return {
    get: (key) => {
      const last = held.get(key);
      if (last !== undefined && last.until > Date.now()) return last.found;
      if (held.size > mostRemembered) held.clear();
      const found = look(key);
      const entry = { found, until: Date.now() + rememberedMs };
      held.set(key, entry);
      found.catch(() => {
        if (held.get(key) === entry) held.delete(key);
      });
      return found;
    },
    forget: (key) => {
      if (key === undefined) held.clear();
      else held.delete(key);
    },
  };
};

export const createShelf = (store: Store): Shelf => {
  const listeners = new Map<string, Set<() => void>>();

  const flagsOf = remembered(async (workspace) => {
    const rows = await store.selectFrom("flags").select(["key", "content", "version"]).where("workspace", "=", workspace).where("archived_at", "is", null).execute();
    return { flags: rows.map(({ content }) => Flag.parse(JSON.parse(content))), versions: new Map(rows.map(({ key, version }) => [key, version])), books: new Map<string, Book>() };
  });
  const firstOf = remembered(async (workspace) =>
    (await store.selectFrom("flag_environments").select("name").where("workspace", "=", workspace).orderBy("number").limit(1).executeTakeFirst())?.name,
  );
  const placeBy = (column: "client_key" | "server_key_hash") =>
    remembered(async (key) => {
      const row = await store
        .selectFrom("flag_environments")
        .innerJoin("workspaces", "workspaces.id", "flag_environments.workspace")
        .select(["flag_environments.workspace", "flag_environments.name", "workspaces.secret"])
        .where(`flag_environments.${column}`, "=", key)
        .where("workspaces.removed_at", "is", null)
        .executeTakeFirst();
      return row === undefined ? undefined : { workspace: row.workspace, environment: row.name, secret: row.secret };
    });
  const [placeOf, placeOfServer] = [placeBy("client_key"), placeBy("server_key_hash")];
  const demand = async (places: typeof placeOf, key: string, given: string) => {
    const place = given === "" || given.length > 200 ? undefined : await places.get(key);
    if (place === undefined) throw new Refusal("flags.unknown_key", "This key is of no environment here. Take one from the Flags page.", {}, 401);
    return place;
  };

  return {
    first: (workspace) => firstOf.get(workspace),
    book: async (workspace, environment) => {
      const { flags, books } = await flagsOf.get(workspace);
      const book = books.get(environment) ?? bookOf(flags, environment);
      books.set(environment, book);
      return book;
    },
    flags: async (workspace) => (await flagsOf.get(workspace)).flags,
    versions: async (workspace) => (await flagsOf.get(workspace)).versions,
    byKey: (key = "") => demand(placeOf, key, key),
    byServerKey: (key = "") => demand(placeOfServer, hashOfKey(key), key),
    changed: (workspace) => {
      flagsOf.forget(workspace);
      firstOf.forget(workspace);
      placeOf.forget();
      placeOfServer.forget();
      for (const heard of listeners.get(workspace) ?? []) heard();
    },
    listen: (workspace, heard) => {
      const all = listeners.get(workspace) ?? new Set();
      listeners.set(workspace, all.add(heard));
      return () => {
        all.delete(heard);
        if (all.size === 0) listeners.delete(workspace);
      };
    },
  };
}; // prettier-ignore
