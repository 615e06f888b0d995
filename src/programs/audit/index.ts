import { sql, type ExpressionBuilder } from "kysely";
import type { Audit } from "#kernel/audit/audit.ts";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { FileAnswer } from "#kernel/operation.ts";
import type { State } from "#kernel/state/schema.ts";
import type { Store } from "#kernel/state/store.ts";
import * as contract from "./contract.ts";

interface Parts {
  readonly store: Store;
  readonly audit: Audit;
}

const hour = 3_600_000;

/** The log of a workspace: searched, checked, taken away; and signed every hour. */
export const audit = ({ store, audit: log }: Parts): Module => {
  async function* lines(workspace: string): AsyncGenerator<string> {
    yield `${JSON.stringify({ key: { name: log.key, public: log.publicKey } })}\n`;
    for (const checkpoint of await log.checkpoints(workspace)) yield `${JSON.stringify({ checkpoint })}\n`;
    const { head, last } = await log.end(workspace);
    if (head !== undefined) yield `${JSON.stringify({ head })}\n`;
    for await (const entry of log.entries(workspace)) {
      if (entry.seq > last) return; // written while this was read
      yield `${JSON.stringify({ entry })}\n`;
    }
  }

  /** Whether a text holds another, small and large letters alike; nothing in it has a meaning of its own. */
  const contains = (build: ExpressionBuilder<State, "audit">, column: "action" | "detail", text: string) =>
    build(sql<string>`lower(${sql.ref(`audit.${column}`)})`, "like", sql<string>`${`%${text.toLowerCase().replaceAll(/[\\%_]/g, "\\$&")}%`} escape '\\'`); // prettier-ignore

  const list = async (call: WorkspaceCall, input: (typeof contract.list)["input"]["_output"]) => {
    const { text, actor, decision, from, to, before, limit } = input;
    let found = store
      .selectFrom("audit")
      .leftJoin("members", "members.id", "audit.actor")
      .leftJoin("api_keys", "api_keys.id", "audit.actor")
      .select(["seq", "at", "action", "decision", "reason", "detail", "actor", "actor_kind", "members.name as member", "api_keys.name as key"])
      .where("audit.workspace", "=", call.workspace.id)
      .orderBy("seq", "desc")
      .limit(limit + 1); // prettier-ignore
    if (text !== "") found = found.where((build) => build.or([contains(build, "action", text), contains(build, "detail", text)])); // prettier-ignore
    if (actor !== "") found = found.where("actor", "=", actor);
    if (decision !== undefined) found = found.where("decision", "=", decision);
    if (from !== undefined) found = found.where("at", ">=", new Date(from).toISOString());
    if (to !== undefined) found = found.where("at", "<", new Date(to).toISOString());
    if (before !== undefined) found = found.where("seq", "<", before);
    const rows = await found.execute();
    const who = ({ member, key, actor_kind: kind, actor: id }: (typeof rows)[number]): string =>
      member ?? (key === null ? (kind === "system" ? "Throughline itself" : id) : `key ${key}`);
    const entries = rows.slice(0, limit).map((row) => ({ ...row, who: who(row) }));
    return { entries, more: rows.length > limit };
  };

  return defineModule({
    name: "audit",
    operations: [
      handle(contract.list, list),
      handle(contract.verify, async (call) => ({
        ...(await log.verify(call.workspace.id)),
        key: log.key,
        publicKey: log.publicKey,
      })),
      handle(contract.exportLog, async (call) =>
        Promise.resolve(new FileAnswer("audit.ndjson", "application/x-ndjson", lines(call.workspace.id))),
      ),
    ],
    jobs: [{ name: "audit.checkpoint", everyMs: hour, run: (call) => log.checkpoint(call.workspace.id) }],
  });
};
