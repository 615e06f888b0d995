import { newId } from "#kernel/ids.ts";
import { randomBytes } from "node:crypto";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import type { EventSource } from "#records/events/incoming.ts";

export const sourceKinds = ["segment", "posthog", "amplitude", "mixpanel", "api", "file", "demo"] as const;
export type SourceKind = (typeof sourceKinds)[number];

export interface SourceRow {
  readonly id: string;
  readonly workspace: string;
  readonly name: string;
  readonly kind: SourceKind;
  readonly product: string;
  readonly writeKey: string;
  readonly createdAt: string;
}

/** Sources by their write keys, remembered for a few seconds: the door asks for every request. */
export interface SourceRegistry {
  byKey(writeKey: string | undefined): Promise<EventSource>;
  byId(workspace: string, id: string): Promise<EventSource>;
  list(workspace: string): Promise<readonly SourceRow[]>;
  create(workspace: string, name: string, kind: SourceKind, product: string): Promise<SourceRow>;
  disable(workspace: string, id: string): Promise<void>;
}

const rememberedMs = 5_000;

const eventSource = (row: { id: string; workspace: string; kind: string; product: string }): EventSource => ({
  id: row.id,
  workspace: row.workspace,
  product: row.product,
  // Amplitude's own rule, so that its numbers stay what they were
  identity: row.kind === "amplitude" ? "last_user" : "first_link",
});

export const sourceRegistry = (store: Store): SourceRegistry => {
  const known = new Map<string, { source: EventSource | undefined; until: number }>();

  const look = async (writeKey: string): Promise<EventSource | undefined> => {
    const row = await store
      .selectFrom("sources")
      .innerJoin("workspaces", "workspaces.id", "sources.workspace")
      .select(["sources.id", "sources.workspace", "sources.kind", "sources.product"])
      .where("write_key", "=", writeKey)
      .where("disabled_at", "is", null)
      .where("workspaces.removed_at", "is", null)
      .executeTakeFirst();
    return row === undefined ? undefined : eventSource(row);
  };

  return {
    byKey: async (writeKey) => {
      if (writeKey === undefined || writeKey === "") {
        throw new Refusal(
          "source.no_key",
          "The request carries no write key. Take one from the Sources page.",
          {},
          401,
        );
      }
      const held = known.get(writeKey);
      const fresh =
        held !== undefined && held.until > Date.now()
          ? held
          : { source: await look(writeKey), until: Date.now() + rememberedMs };
      if (known.size > 10_000) known.clear();
      known.set(writeKey, fresh);
      if (fresh.source !== undefined) return fresh.source;
      throw new Refusal(
        "source.unknown_key",
        "This write key is not known here, or its source was switched off.",
        {},
        401,
      );
    },
    byId: async (workspace, id) => {
      const row = await store
        .selectFrom("sources")
        .selectAll()
        .where("workspace", "=", workspace)
        .where("id", "=", id)
        .executeTakeFirst();
      if (row === undefined) throw new Refusal("source.unknown", "There is no such source in this workspace.", {}, 404);
      return eventSource(row);
    },
    list: async (workspace) => {
      const rows = await store
        .selectFrom("sources")
        .selectAll()
        .where("workspace", "=", workspace)
        .where("disabled_at", "is", null)
        .orderBy("created_at")
        .execute();
      return rows.map((row) => ({
        id: row.id,
        workspace: row.workspace,
        name: row.name,
        kind: row.kind as SourceKind, // written only below
        product: row.product,
        writeKey: row.write_key,
        createdAt: row.created_at,
      }));
    },
    create: async (workspace, name, kind, product) => {
      const row = {
        id: newId("src"),
        workspace,
        name,
        kind,
        product,
        write_key: randomBytes(16).toString("hex"),
        created_at: new Date().toISOString(),
        disabled_at: null,
      };
      await store.insertInto("sources").values(row).execute();
      return { id: row.id, workspace, name, kind, product, writeKey: row.write_key, createdAt: row.created_at };
    },
    disable: async (workspace, id) => {
      const now = new Date().toISOString();
      await store
        .updateTable("sources")
        .set({ disabled_at: now })
        .where("workspace", "=", workspace)
        .where("id", "=", id)
        .execute();
      known.clear();
    },
  };
};
