import type { WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { changesOf } from "./changes.ts";
import { Flag } from "./document.ts";
import type { Shelf } from "./shelf.ts";

/** Where flags are written. Whatever changes one goes through here, so that nothing is written over and everything is told. */
export const createDesk = (store: Store, shelf: Shelf) => {
  const by = ({ principal }: WorkspaceCall): string => (principal.kind === "nobody" ? "" : principal.id);

  /** Throws `flags.unknown`. */
  const find = async (workspace: string, key: string) => {
    const row = await store.selectFrom("flags").selectAll().where("workspace", "=", workspace).where("key", "=", key).executeTakeFirst(); // prettier-ignore
    if (row === undefined) throw new Refusal("flags.unknown", "There is no such flag in this workspace.", {}, 404);
    return { ...row, flag: Flag.parse(JSON.parse(row.content)) };
  };

  /** Whoever changed it in the meantime is not written over: the row is taken only while it has the version that was seen. */
  const put = async (call: WorkspaceCall, flag: Flag, seen: number, said: readonly string[], note: string, isArchived = false): Promise<number> => {
    const workspace = call.workspace.id;
    const at = new Date(call.now).toISOString();
    const version = seen + 1;
    const row = { content: JSON.stringify(flag), version, updated_at: at, archived_at: isArchived ? at : null };
    await store.transaction().execute(async (tx) => {
      const taken =
        seen === 0
          ? (await tx.insertInto("flags").values({ workspace, key: flag.key, ...row }).onConflict((conflict) => conflict.columns(["workspace", "key"]).doNothing()).executeTakeFirst()).numInsertedOrUpdatedRows
          : (await tx.updateTable("flags").set(row).where("workspace", "=", workspace).where("key", "=", flag.key).where("version", "=", seen).executeTakeFirst()).numUpdatedRows;
      if (taken !== 1n) throw new Refusal("flags.changed", "Somebody changed this flag in the meantime. Load it again, then make your change.", {}, 409);
      await tx.insertInto("flag_changes").values({ workspace, flag: flag.key, version, changes: JSON.stringify(said), note, made_by: by(call), made_at: at }).execute();
    });
    shelf.changed(workspace);
    return version;
  }; // prettier-ignore

  /** Switches it off because something has gone wrong; false where it is off already. No review is waited for. */
  const turnOff = async (call: WorkspaceCall, key: string, environment: string, note: string): Promise<boolean> => {
    const { flag, version, archived_at } = await find(call.workspace.id, key);
    const setting = flag.environments[environment];
    if (setting?.isOn !== true || archived_at !== null) return false;
    const next = { ...flag, environments: { ...flag.environments, [environment]: { ...setting, isOn: false } } };
    await put(call, next, version, changesOf(flag, next), note);
    return true;
  };

  return { find, put, turnOff };
};
export type Desk = ReturnType<typeof createDesk>;
