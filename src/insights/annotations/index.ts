import { newId } from "#kernel/ids.ts";
import { defineModule, handle, type Module } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import * as contract from "./contract.ts";

const mostAnnotations = 2_000;

/** Annotations: what happened on which day, for whoever reads a chart. */
export const annotations = ({ store }: { readonly store: Store }): Module =>
  defineModule({
    name: "annotations",
    operations: [
      handle(contract.list, async (call, { from = "0000", to = "9999" }) => {
        const rows = await store
          .selectFrom("annotations")
          .leftJoin("members", "members.id", "annotations.made_by")
          .select(["annotations.id", "day", "text", "made_by", "members.name as member"])
          .where("workspace", "=", call.workspace.id)
          .where("day", ">=", from)
          .where("day", "<=", to)
          .orderBy("day")
          .limit(mostAnnotations)
          .execute();
        return {
          annotations: rows.map(({ id, day, text, made_by, member }) => ({ id, day, text, by: member ?? made_by })),
        };
      }),
      handle(contract.add, async (call, { day, text }) => {
        const { count } = await store
          .selectFrom("annotations")
          .select(({ fn }) => fn.countAll<number>().as("count"))
          .where("workspace", "=", call.workspace.id)
          .executeTakeFirstOrThrow();
        if (Number(count) >= mostAnnotations)
          throw new Refusal("annotations.too_many", `A workspace keeps ${mostAnnotations} notes. Remove some.`);
        const id = newId("note");
        const made_by = call.principal.kind === "nobody" ? "" : call.principal.id;
        const row = { id, workspace: call.workspace.id, day, text, made_by, made_at: new Date(call.now).toISOString() };
        await store.insertInto("annotations").values(row).execute();
        return { id };
      }),
      handle(contract.remove, async (call, { id }) => {
        await store.deleteFrom("annotations").where("workspace", "=", call.workspace.id).where("id", "=", id).execute();
        return { ok: true as const };
      }),
    ],
  });
