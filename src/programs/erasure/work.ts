import { sql as stateSql } from "kysely";
import { z } from "zod";
import type { TableDoc, WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { State as StateTables } from "#kernel/state/schema.ts";
import type { Store } from "#kernel/state/store.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { State } from "./contract.ts";
import { countsAbout, deletesByHash, deletesByKey, hashesAbout, leftParts, portions, type Subject } from "./query.ts";

/**
 * The way of a request: received, suppressed (nothing more is taken), rows_deleted, purged (no byte of them is left in
 * the engine's folder), then confirmed, or partial where people wrote their names elsewhere. Every step can be done
 * again, so that it goes on after a crash where it was.
 */

export interface Parts {
  readonly store: Store;
  readonly ingest: Ingest;
  /** What stands at the door: it is told to read anew whom it lets in. */
  readonly gate: { readonly forget: (workspace: string) => void };
  readonly tables: readonly TableDoc[];
}

export const SubjectText = z.object({ keys: z.array(z.string()), ids: z.array(z.string()) });
const Reached = z.record(z.string(), z.string());
const Count = z.object({ rows: z.number() });

const countOf = async (call: WorkspaceCall, table: TableDoc, subject: Subject): Promise<number> => {
  let total = 0;
  for (const statement of countsAbout(table, subject)) {
    const [found] = await call.engine.rows(statement, Count, { purpose: "export" });
    total += found?.rows ?? 0;
  }
  return total;
};

/** What is kept of people, by table. */
export const holdsOf = async (call: WorkspaceCall, tables: readonly TableDoc[], subject: Subject) => {
  const holds = [];
  for (const table of tables) {
    const rows = await countOf(call, table, subject);
    if (rows > 0) holds.push({ table: table.name, what: table.grain, rows });
  }
  return holds;
};

const deleteFrom = async ({ engine }: WorkspaceCall, table: TableDoc, subject: Subject): Promise<void> => {
  for (const statement of deletesByKey(table, subject)) await engine.command(statement);
  for (const statement of hashesAbout(table, subject)) {
    const hashes = await engine.rows(statement, z.object({ hash: z.string() }), { purpose: "export" });
    for (const deletion of deletesByHash(table, hashes.map(({ hash }) => hash))) await engine.command(deletion); // prettier-ignore
  }
};

/** Whether a text names one of these: a short id only between quotes, a longer one as a word of its own. */
export const mentions = (names: readonly string[]): ((text: string) => boolean) => {
  const escaped = (name: string): string => name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const [short, long] = [names.filter(({ length }) => length < 4), names.filter(({ length }) => length >= 4)];
  const patterns = [
    ...portions(short, 500).map((some) => `"(?:${some.map(escaped).join("|")})"`),
    ...portions(long, 500).map((some) => `(?<![\\p{L}\\p{N}])(?:${some.map(escaped).join("|")})(?![\\p{L}\\p{N}])`),
  ].map((pattern) => new RegExp(pattern, "u"));
  return (text) => patterns.some((pattern) => pattern.test(text));
};

/** What people make by hand, in which they may have named somebody; only they can say what it should be instead. */
const written = {
  cohorts: "cohorts",
  dashboards: "dashboards",
  saved_queries: "saved queries",
  metrics: "metrics",
  metric_versions: "earlier versions of metrics",
  annotations: "notes of days",
  contracts: "contracts",
  policies: "policies",
  purposes: "purposes of consent",
  cards: "cards",
  flags: "flags",
  flag_changes: "changes of flags",
  cx_rules: "rules for conversations",
  cx_themes: "themes of conversations",
  cx_theme_models: "words of themes",
  flag_proposals: "proposed changes of flags",
  experiments: "experiments",
  watches: "watches of metrics",
  ai_uses: "AI uses",
  evaluations: "evaluations of AI uses",
  releases: "releases of AI uses",
  quality_incidents: "faults that were found",
  alert_deliveries: "alerts",
} as const satisfies Partial<Record<keyof StateTables, string>>;

const leftIn = async ({ store }: Parts, workspace: string, names: readonly string[]): Promise<string[]> => {
  const isNamed = mentions(names);
  const left: string[] = [];
  for (const table of Object.keys(written) as (keyof typeof written)[]) {
    const rows = await store.selectFrom(table).selectAll().where("workspace", "=", workspace).execute();
    const named = rows.filter((row) => Object.values(row).some((value) => typeof value === "string" && isNamed(value)));
    if (named.length > 0) left.push(`${named.length} of the ${written[table]}`);
  }
  return left;
};

/** Details of the log that name them go; the chain holds only a salted hash of each, and stays as it is. */
const forgetDetails = async ({ store }: Parts, workspace: string, names: readonly string[]): Promise<void> => {
  const isNamed = mentions(names);
  for (let after = 0; ;) {
    const rows = await store.selectFrom("audit").select(["seq", "detail"]).where("workspace", "=", workspace).where("seq", ">", after).orderBy("seq").limit(2_000).execute(); // prettier-ignore
    const named = rows.filter(({ detail }) => detail !== null && isNamed(detail)).map(({ seq }) => seq);
    if (named.length > 0)
      await store.updateTable("audit").set({ detail: null, salt: null }).where("workspace", "=", workspace).where("seq", "in", named).execute(); // prettier-ignore
    after = rows.at(-1)?.seq ?? after;
    if (rows.length < 2_000) return;
  }
};

/** The state's own journal still holds what was overwritten, until it is taken in. */
const settleState = async (store: Store): Promise<void> => {
  const isEmbedded = await stateSql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(store).then(() => true, () => false); // prettier-ignore
  if (!isEmbedded) for (const table of ["audit", "erasures"]) await stateSql`VACUUM ${stateSql.table(table)}`.execute(store); // prettier-ignore
};

type Row = StateTables["erasures"];

/** Takes the requests of a workspace as far as they can go now. */
export const workOn = async (parts: Parts, call: WorkspaceCall): Promise<void> => {
  const { store, gate, ingest, tables } = parts;
  const workspace = call.workspace.id;
  const about = tables.filter(({ people }) => people !== "nobody");

  const set = async (row: Row, change: Partial<Row>, state?: State): Promise<Row> => {
    const reached = state === undefined ? row.reached : JSON.stringify({ ...Reached.parse(JSON.parse(row.reached)), [state]: new Date().toISOString() }); // prettier-ignore
    const next = { ...row, problem: "", ...change, reached, state: state ?? row.state };
    await store.updateTable("erasures").set(next).where("id", "=", row.id).execute();
    return next;
  };

  const step = async (row: Row): Promise<Row | undefined> => {
    if (row.subject === "") return undefined; // it is done, and nobody knows any more whom it was about
    const subject = SubjectText.parse(JSON.parse(row.subject));
    switch (row.state) {
      case "received": {
        const at = new Date().toISOString();
        for (const some of portions(subject.keys, 200))
          await store.insertInto("suppressions").values(some.map((actor) => ({ workspace, actor, at }))).onConflict((conflict) => conflict.columns(["workspace", "actor"]).doNothing()).execute(); // prettier-ignore
        gate.forget(workspace);
        return set(row, {}, "suppressed");
      }
      case "suppressed": {
        if (!(await ingest.letGo(workspace))) throw new Refusal("erasure.behind", "Events that came before still wait for the store."); // prettier-ignore
        let rows = row.rows;
        for (const table of about) {
          const count = await countOf(call, table, subject);
          rows += count;
          if (count > 0) await deleteFrom(call, table, subject);
        }
        for (const some of portions(subject.keys, 200))
          await store.deleteFrom("flag_assignments").where("workspace", "=", workspace).where("unit", "in", some).execute(); // prettier-ignore
        await forgetDetails(parts, workspace, [...subject.ids, ...subject.keys]);
        // who an id belongs to is read anew, here and in the engine
        if (!(await ingest.letGo(workspace))) throw new Refusal("erasure.behind", "Events still wait for the store.");
        return set(row, { rows }, "rows_deleted");
      }
      case "rows_deleted": {
        const since = Date.parse(Reached.parse(JSON.parse(row.reached))["rows_deleted"] ?? "");
        const names = about.map(({ name }) => name);
        const [left] = await call.engine.rows(leftParts(names, since), z.object({ parts: z.number() }));
        if ((left?.parts ?? 0) > 0) return undefined; // the engine keeps what it has replaced for some minutes
        // another process may have taken something in before it knew
        const again = await holdsOf(call, about, subject);
        return again.length > 0 ? set(row, {}, "suppressed") : set(row, {}, "purged");
      }
      case "purged": {
        const left = await leftIn(parts, workspace, subject.ids);
        const done = await set(row, { left: JSON.stringify(left), subject: "" }, left.length > 0 ? "partial" : "confirmed"); // prettier-ignore
        await settleState(store);
        return done;
      }
      default:
        return undefined;
    }
  };

  const open = await store.selectFrom("erasures").selectAll().where("workspace", "=", workspace).where("state", "not in", ["confirmed", "partial"]).orderBy("made_at").execute(); // prettier-ignore
  for (const row of open) {
    try {
      for (let next: Row | undefined = row; next !== undefined;) {
        call.signal.throwIfAborted();
        next = await step(next);
      }
    } catch (error) {
      call.log.warn({ err: error, request: row.id }, "an erasure stopped; it is tried again");
      const problem = error instanceof Error ? error.message.slice(0, 500) : "It failed.";
      await store.updateTable("erasures").set({ problem }).where("id", "=", row.id).execute();
    }
  }
};
