import { newId } from "#kernel/ids.ts";
import { defineModule, handle, type Module } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { scopeOf } from "#records/common/ask.ts";
import type { Ingest } from "#records/events/ingest.ts";
import { askWritten } from "./ask.ts";
import * as contract from "./contract.ts";
import { SqlInput } from "./contract.ts";
import { relations } from "./relations.ts";

export { answerOverTime } from "./ask.ts";

const mostSaved = 500;

/** SQL for people: one read-only SELECT over relations that hold what questions may see, and nothing else. */
export const sqlPage = ({ ingest, store }: { readonly ingest: Ingest; readonly store: Store }): Module =>
  defineModule({
    name: "sql",
    assets: async (call) => {
      const rows = await store.selectFrom("saved_queries").selectAll().where("workspace", "=", call.workspace.id).execute(); // prettier-ignore
      return rows.map(({ id, name, input, saved_by, updated_at }) => ({
        kind: "query",
        id,
        title: name,
        address: "/sql",
        owner: saved_by,
        description: "",
        updatedAt: updated_at,
        definition: JSON.parse(input) as unknown,
      }));
    },
    operations: [
      handle(contract.askSql, async (call, { query, display }) => {
        const began = performance.now();
        const scope = await scopeOf(ingest, call);
        const { columns, rows, cut } = await askWritten(call, scope, query);
        const count = `${rows.length.toLocaleString("en")} row${rows.length === 1 ? "" : "s"}`;
        return {
          kind: "sql" as const,
          columns,
          rows,
          cut,
          display,
          sentence: cut ? `The first ${count}; there are more.` : `${count}.`,
          provenance: {
            definition: "As it is written. Times are in UTC unless the query says otherwise.",
            zone: scope.zone,
            from: "",
            to: "",
            askedAt: new Date(scope.now).toISOString(),
            milliseconds: Math.round(performance.now() - began),
            sql: query,
          },
        };
      }),
      handle(contract.schema, async () => ({
        tables: Object.entries(relations).map(([name, { grain, columns }]) => ({
          name,
          grain,
          columns: Object.entries(columns).map(([column, doc]) => ({ name: column, ...doc })),
        })),
      })),
      handle(contract.saved, async (call) => {
        const rows = await store
          .selectFrom("saved_queries")
          .leftJoin("members", "members.id", "saved_queries.saved_by")
          .select([
            "saved_queries.id",
            "saved_queries.name",
            "input",
            "saved_by",
            "updated_at",
            "members.name as member",
          ])
          .where("workspace", "=", call.workspace.id)
          .orderBy("saved_queries.name")
          .execute();
        const queries = rows.map(({ id, name, input, member, saved_by, updated_at }) => ({
          id,
          name,
          input: SqlInput.parse(JSON.parse(input)),
          by: member ?? saved_by,
          updatedAt: updated_at,
        }));
        return { queries };
      }),
      handle(contract.save, async (call, { id, name, input }) => {
        const saved_by = call.principal.kind === "nobody" ? "" : call.principal.id;
        const kept = { name, input: JSON.stringify(input), saved_by, updated_at: new Date(call.now).toISOString() };
        const { id: workspace } = call.workspace;
        if (id !== undefined) {
          const { numUpdatedRows } = await store.updateTable("saved_queries").set(kept).where("workspace", "=", workspace).where("id", "=", id).executeTakeFirst(); // prettier-ignore
          if (numUpdatedRows === 0n) throw new Refusal("sql.unknown", "There is no such query here.", {}, 404);
          return { id };
        }
        const { count } = await store
          .selectFrom("saved_queries")
          .select(({ fn }) => fn.countAll<number>().as("count"))
          .where("workspace", "=", workspace)
          .executeTakeFirstOrThrow();
        if (Number(count) >= mostSaved)
          throw new Refusal("sql.too_many", `A workspace keeps ${mostSaved} queries. Remove some.`);
        const made = newId("sql");
        await store
          .insertInto("saved_queries")
          .values({ id: made, workspace, ...kept })
          .execute();
        return { id: made };
      }),
      handle(contract.remove, async (call, { id }) => {
        await store
          .deleteFrom("saved_queries")
          .where("workspace", "=", call.workspace.id)
          .where("id", "=", id)
          .execute();
        return { ok: true as const };
      }),
    ],
  });
