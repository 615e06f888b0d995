import { randomBytes } from "node:crypto";
import { newId } from "#kernel/ids.ts";
import type { Store } from "#kernel/state/store.ts";

export interface NewWorkspace {
  readonly name: string;
  readonly zone: string;
  readonly weekStart: "monday" | "sunday";
  readonly isDemo?: boolean;
}

/** Writes a workspace and makes a member its owner; its database comes into being when it is first used. */
export const createWorkspace = async (
  store: Store,
  workspace: NewWorkspace,
  owner: string,
  now: number,
): Promise<string> => {
  const id = newId("ws");
  const created_at = new Date(now).toISOString();
  const row = {
    id,
    name: workspace.name,
    database: `ws_${randomBytes(8).toString("hex")}`,
    secret: randomBytes(32).toString("base64url"),
    zone: workspace.zone,
    week_start: workspace.weekStart,
    demands_second_factor: 0,
    region: "",
    is_demo: workspace.isDemo === true ? 1 : 0,
    created_at,
    removed_at: null,
  };
  await store.transaction().execute(async (tx) => {
    await tx.insertInto("workspaces").values(row).execute();
    await tx.insertInto("memberships").values({ workspace: id, member: owner, role: "owner", created_at }).execute();
  });
  return id;
};
