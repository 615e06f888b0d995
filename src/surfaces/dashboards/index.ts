import { z } from "zod";
import { newId } from "#kernel/ids.ts";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { dashboardSchedules, type Parts } from "./schedules.ts";
import * as contract from "./contract.ts";
import { Tile, View } from "./contract.ts";

const mostTiles = 50;

/** Tiles that were kept before there were widths say whether they are wide. */
const Kept = z.array(
  z.preprocess((tile) => {
    if (typeof tile !== "object" || tile === null || !("wide" in tile)) return tile;
    const { wide, ...rest } = tile;
    return { ...rest, width: wide === true ? "full" : "half" };
  }, Tile),
);

const readTiles = (json: string): Tile[] => Kept.parse(JSON.parse(json));

/** Questions kept side by side; each is asked anew when the dashboard is opened. */
export const dashboards = (parts: Parts): Module => {
  const { store } = parts;
  const schedules = dashboardSchedules(parts, async (call, id) => find(call, id));
  const find = async (call: WorkspaceCall, id: string) => {
    const row = await store
      .selectFrom("dashboards")
      .selectAll()
      .where("workspace", "=", call.workspace.id)
      .where("id", "=", id)
      .executeTakeFirst();
    if (row === undefined) throw new Refusal("dashboards.unknown", "There is no such dashboard here.", {}, 404);
    return { ...row, tiles: readTiles(row.tiles), view: View.parse(JSON.parse(row.view)) };
  };
  const save = async (call: WorkspaceCall, id: string, tiles: readonly Tile[]): Promise<void> => {
    if (tiles.length > mostTiles)
      throw new Refusal("dashboards.full", `A dashboard holds ${mostTiles} tiles. Take one off, or start another.`);
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
    jobs: schedules.jobs,
    routes: schedules.routes,
    assets: async (call) => {
      const rows = await store
        .selectFrom("dashboards")
        .selectAll()
        .where("workspace", "=", call.workspace.id)
        .execute();
      return rows.map(({ id, name, created_by, updated_at, tiles, view }) => ({
        kind: "dashboard",
        id,
        title: name,
        address: `/dashboards/${id}`,
        owner: created_by,
        description: "",
        updatedAt: updated_at,
        definition: [readTiles(tiles), JSON.parse(view)],
      }));
    },
    operations: [
      ...schedules.operations,
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
        const { name, tiles, view } = await find(call, id);
        return { id, name, tiles, view };
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
          view: "{}",
          created_by,
          created_at: now,
          updated_at: now,
        };
        await store.insertInto("dashboards").values(row).execute();
        return { id };
      }),
      handle(contract.addTile, async (call, { id, title, question, address }) => {
        const { tiles } = await find(call, id);
        const tile = newId("tile");
        await save(call, id, [...tiles, { id: tile, title, question, address, width: "half" }]);
        return { tile };
      }),
      handle(contract.writeText, async (call, { id, tile, text }) => {
        const { tiles } = await find(call, id);
        if (tile !== undefined) {
          if (!tiles.some((one) => one.id === tile && "text" in one))
            throw new Refusal("dashboards.unknown_tile", "There is no such text on the dashboard.", {}, 404);
          await save(call, id, tiles.map((one) => (one.id === tile ? { ...one, text } : one))); // prettier-ignore
          return { tile };
        }
        const made = newId("tile");
        await save(call, id, [...tiles, { id: made, text, width: "full" }]);
        return { tile: made };
      }),
      handle(contract.keepView, async (call, { id, view }) => {
        await find(call, id);
        await store
          .updateTable("dashboards")
          .set({ view: JSON.stringify(view) })
          .where("workspace", "=", call.workspace.id)
          .where("id", "=", id)
          .execute();
        return { ok: true as const };
      }),
      handle(contract.arrange, async (call, { id, tiles: order }) => {
        const { tiles } = await find(call, id);
        const placed = order.flatMap(({ id: tile, width }) => {
          const known = tiles.find((one) => one.id === tile);
          return known === undefined ? [] : [{ ...known, width }];
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
        await store
          .deleteFrom("schedules")
          .where("workspace", "=", call.workspace.id)
          .where("dashboard", "=", id)
          .execute();
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
