import { z } from "zod";
import { newId } from "#kernel/ids.ts";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import * as contract from "./contract.ts";
import { Tile } from "./contract.ts";

const mostTiles = 50;

const readTiles = (json: string): Tile[] => z.array(Tile).parse(JSON.parse(json));

/** Questions kept side by side; each is asked anew when the dashboard is opened. */
export const dashboards = ({ store }: { readonly store: Store }): Module => {
  const find = async (call: WorkspaceCall, id: string) => {
    const row = await store
      .selectFrom("dashboards")
      .selectAll()
      .where("workspace", "=", call.workspace.id)
      .where("id", "=", id)
      .executeTakeFirst();
    if (row === undefined) throw new Refusal("dashboards.unknown", "There is no such dashboard here.", {}, 404);
    return { ...row, tiles: readTiles(row.tiles) };
  };
  const save = async (call: WorkspaceCall, id: string, tiles: readonly Tile[]): Promise<void> => {
    const updated_at = new Date(call.now).toISOString();
    await store
      .updateTable("dashboards")
      .set({ tiles: JSON.stringify(tiles), updated_at })
      .where("workspace", "=", call.workspace.id)
      .where("id", "=", id)
      .execute();
  };

  return defineModule({
    name: "dashboards",
    uses: async (call, { id }) => {
      const rows = await store
        .selectFrom("dashboards")
        .selectAll()
        .where("workspace", "=", call.workspace.id)
        .execute();
      return rows
        .filter((row) =>
          readTiles(row.tiles).some(({ question }) => question.kind === "metric" && question.input.metric === id),
        )
        .map((row) => ({ kind: "dashboard", title: row.name, address: `/dashboards/${row.id}` }));
    },
    operations: [
      handle(contract.list, async (call) => {
        const rows = await store
          .selectFrom("dashboards")
          .selectAll()
          .where("workspace", "=", call.workspace.id)
          .orderBy("name")
          .execute();
        const view = rows.map((row) => ({
          id: row.id,
          name: row.name,
          tiles: readTiles(row.tiles).length,
          updatedAt: row.updated_at,
        }));
        return { dashboards: view };
      }),
      handle(contract.get, async (call, { id }) => {
        const { name, tiles } = await find(call, id);
        return { id, name, tiles };
      }),
      handle(contract.create, async (call, { name }) => {
        const id = newId("dash");
        const now = new Date(call.now).toISOString();
        const created_by = call.principal.kind === "nobody" ? "" : call.principal.id;
        const row = {
          id,
          workspace: call.workspace.id,
          name,
          tiles: "[]",
          created_by,
          created_at: now,
          updated_at: now,
        };
        await store.insertInto("dashboards").values(row).execute();
        return { id };
      }),
      handle(contract.addTile, async (call, { id, title, question, address }) => {
        const { tiles } = await find(call, id);
        if (tiles.length >= mostTiles) {
          throw new Refusal(
            "dashboards.full",
            `A dashboard holds ${mostTiles} questions. Take one off, or start another.`,
          );
        }
        const tile = newId("tile");
        await save(call, id, [...tiles, { id: tile, title, question, address, wide: false }]);
        return { tile };
      }),
      handle(contract.arrange, async (call, { id, tiles: order }) => {
        const { tiles } = await find(call, id);
        const placed = order.flatMap(({ id: tile, wide }) => {
          const known = tiles.find((one) => one.id === tile);
          return known === undefined ? [] : [{ ...known, wide }];
        });
        const rest = tiles.filter((one) => !placed.some((tile) => tile.id === one.id));
        await save(call, id, [...placed, ...rest]);
        return { ok: true as const };
      }),
      handle(contract.rename, async (call, { id, name }) => {
        await find(call, id);
        await store
          .updateTable("dashboards")
          .set({ name, updated_at: new Date(call.now).toISOString() })
          .where("workspace", "=", call.workspace.id)
          .where("id", "=", id)
          .execute();
        return { ok: true as const };
      }),
      handle(contract.remove, async (call, { id }) => {
        await store.deleteFrom("dashboards").where("workspace", "=", call.workspace.id).where("id", "=", id).execute();
        return { ok: true as const };
      }),
      handle(contract.removeTile, async (call, { id, tile }) => {
        const { tiles } = await find(call, id);
        await save(
          call,
          id,
          tiles.filter((one) => one.id !== tile),
        );
        return { ok: true as const };
      }),
    ],
  });
};
