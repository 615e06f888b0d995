import { randomBytes } from "node:crypto";
import type { Kysely, Migration } from "kysely";
import { detailHash, entryHash, origin, type Entry, type Head } from "../audit/chain.ts";

interface Before {
  audit_before: { workspace: string; at: string; actor: string; operation: string; detail: string };
  audit: Entry;
  audit_heads: Head;
}

/** What was written down before there was a chain begins it. Its end is signed at the first checkpoint. */
const chainEarlierEntries = async (db: Kysely<Before>): Promise<void> => {
  const ends = new Map<string, { seq: number; hash: string }>();
  for (const { workspace, at, actor, operation, detail } of await db.selectFrom("audit_before").selectAll().orderBy("at").execute()) {
    const last = ends.get(workspace) ?? { seq: 0, hash: origin };
    const kind = actor === "" ? "system" : actor.startsWith("key_") ? "key" : "member";
    const salt = randomBytes(16).toString("hex");
    const entry = { workspace, seq: last.seq + 1, at, actor_kind: kind, actor, action: operation, decision: "allow", reason: "", detail_hash: detailHash(salt, detail), prev: last.hash };
    const end = { seq: entry.seq, hash: entryHash(entry) };
    await db.insertInto("audit").values({ ...entry, detail, salt, hash: end.hash }).execute();
    ends.set(workspace, end);
  }
  for (const [workspace, end] of ends)
    await db.insertInto("audit_heads").values({ workspace, ...end, key: "", signature: "" }).execute();
}; // prettier-ignore

/** Applied in order of name, once each. Never edit one that has been released: add another. */
export const migrations: Readonly<Record<string, Migration>> = {
  "2026-11-24-first": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("workspaces")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("database", "text", (c) => c.notNull().unique())
        .addColumn("secret", "text", (c) => c.notNull())
        .addColumn("zone", "text", (c) => c.notNull())
        .addColumn("week_start", "text", (c) => c.notNull())
        .addColumn("is_demo", "integer", (c) => c.notNull())
        .addColumn("created_at", "text", (c) => c.notNull())
        .addColumn("removed_at", "text")
        .execute();
      await db.schema
        .createTable("members")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("email", "text", (c) => c.notNull().unique())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("password", "text", (c) => c.notNull())
        .addColumn("created_at", "text", (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("memberships")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("member", "text", (c) => c.notNull())
        .addColumn("role", "text", (c) => c.notNull())
        .addColumn("created_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("memberships_key", ["workspace", "member"])
        .execute();
      await db.schema
        .createTable("sessions")
        .addColumn("hash", "text", (c) => c.primaryKey())
        .addColumn("member", "text", (c) => c.notNull())
        .addColumn("created_at", "text", (c) => c.notNull())
        .addColumn("expires_at", "text", (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("api_keys")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("prefix", "text", (c) => c.notNull())
        .addColumn("hash", "text", (c) => c.notNull().unique())
        .addColumn("role", "text", (c) => c.notNull())
        .addColumn("created_by", "text", (c) => c.notNull())
        .addColumn("created_at", "text", (c) => c.notNull())
        .addColumn("revoked_at", "text")
        .execute();
      await db.schema
        .createTable("sources")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("product", "text", (c) => c.notNull())
        .addColumn("write_key", "text", (c) => c.notNull().unique())
        .addColumn("created_at", "text", (c) => c.notNull())
        .addColumn("disabled_at", "text")
        .execute();
      await db.schema
        .createTable("dashboards")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("created_by", "text", (c) => c.notNull())
        .addColumn("created_at", "text", (c) => c.notNull())
        .addColumn("updated_at", "text", (c) => c.notNull())
        .addColumn("tiles", "text", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("dashboards_by_workspace").on("dashboards").column("workspace").execute();
      await db.schema
        .createTable("audit")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("at", "text", (c) => c.notNull())
        .addColumn("actor", "text", (c) => c.notNull())
        .addColumn("operation", "text", (c) => c.notNull())
        .addColumn("detail", "text", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("audit_by_workspace").on("audit").columns(["workspace", "at"]).execute();
    },
  },
  "2026-11-25-cohorts": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("cohorts")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("description", "text", (c) => c.notNull())
        .addColumn("unit", "text", (c) => c.notNull())
        .addColumn("definition", "text", (c) => c.notNull())
        .addColumn("size", "integer", (c) => c.notNull())
        .addColumn("evaluated_at", "text")
        .addColumn("created_by", "text", (c) => c.notNull())
        .addColumn("created_at", "text", (c) => c.notNull())
        .addColumn("updated_at", "text", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("cohorts_by_workspace").on("cohorts").column("workspace").execute();
      await db.schema
        .createTable("job_turns")
        .addColumn("job", "text", (c) => c.notNull())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("due_at", "text", (c) => c.notNull())
        .addColumn("busy_until", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("job_turns_key", ["job", "workspace"])
        .execute();
    },
  },
  "2026-11-26-metrics": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("metrics")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("key", "text", (c) => c.notNull())
        .addColumn("version", "integer", (c) => c.notNull())
        .addColumn("definition", "text", (c) => c.notNull())
        .addColumn("origin", "text", (c) => c.notNull())
        .addColumn("updated_at", "text", (c) => c.notNull())
        .addColumn("removed_at", "text")
        .addPrimaryKeyConstraint("metrics_key", ["workspace", "key"])
        .execute();
      await db.schema
        .createTable("metric_versions")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("key", "text", (c) => c.notNull())
        .addColumn("version", "integer", (c) => c.notNull())
        .addColumn("definition", "text", (c) => c.notNull())
        .addColumn("changed_by", "text", (c) => c.notNull())
        .addColumn("changed_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("metric_versions_key", ["workspace", "key", "version"])
        .execute();
    },
  },
  "2026-11-26-saved-queries": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("saved_queries")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("input", "text", (c) => c.notNull())
        .addColumn("saved_by", "text", (c) => c.notNull())
        .addColumn("updated_at", "text", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("saved_queries_by_workspace").on("saved_queries").column("workspace").execute();
    },
  },
  "2026-11-27-schedules": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .alterTable("dashboards")
        .addColumn("view", "text", (c) => c.notNull().defaultTo("{}"))
        .execute();
      await db.schema
        .createTable("schedules")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("dashboard", "text", (c) => c.notNull())
        .addColumn("members", "text", (c) => c.notNull())
        .addColumn("rhythm", "text", (c) => c.notNull())
        .addColumn("next_at", "text", (c) => c.notNull())
        .addColumn("tries", "integer", (c) => c.notNull())
        .addColumn("sent_at", "text")
        .addColumn("problem", "text", (c) => c.notNull())
        .addColumn("created_by", "text", (c) => c.notNull())
        .addColumn("created_at", "text", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("schedules_by_workspace").on("schedules").column("workspace").execute();
    },
  },
  "2026-11-27-annotations": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("annotations")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("day", "text", (c) => c.notNull())
        .addColumn("text", "text", (c) => c.notNull())
        .addColumn("made_by", "text", (c) => c.notNull())
        .addColumn("made_at", "text", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("annotations_by_workspace").on("annotations").columns(["workspace", "day"]).execute();
    },
  },
  "2026-11-28-cohort-basis": {
    up: async (db: Kysely<unknown>) => {
      await db.schema.alterTable("cohorts").addColumn("basis", "text").execute();
    },
  },
  "2026-11-29-contracts": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("contracts")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("id", "text", (c) => c.notNull())
        .addColumn("version", "text", (c) => c.notNull())
        .addColumn("status", "text", (c) => c.notNull())
        .addColumn("document", "text", (c) => c.notNull())
        .addColumn("text", "text", (c) => c.notNull())
        .addColumn("updated_by", "text", (c) => c.notNull())
        .addColumn("updated_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("contracts_key", ["workspace", "id", "version"])
        .execute();
      await db.schema
        .createTable("gate_settings")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("source", "text", (c) => c.notNull())
        .addColumn("settings", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("gate_settings_key", ["workspace", "source"])
        .execute();
    },
  },
  "2026-11-30-audit-chain": {
    up: async (db: Kysely<unknown>) => {
      await db.schema.dropIndex("audit_by_workspace").execute();
      await db.schema.alterTable("audit").renameTo("audit_before").execute();
      await db.schema
        .createTable("audit")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("seq", "integer", (c) => c.notNull())
        .addColumn("at", "text", (c) => c.notNull())
        .addColumn("actor_kind", "text", (c) => c.notNull())
        .addColumn("actor", "text", (c) => c.notNull())
        .addColumn("action", "text", (c) => c.notNull())
        .addColumn("decision", "text", (c) => c.notNull())
        .addColumn("reason", "text", (c) => c.notNull())
        .addColumn("detail", "text")
        .addColumn("salt", "text")
        .addColumn("detail_hash", "text", (c) => c.notNull())
        .addColumn("prev", "text", (c) => c.notNull())
        .addColumn("hash", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("audit_key", ["workspace", "seq"])
        .execute();
      await db.schema
        .createTable("audit_heads")
        .addColumn("workspace", "text", (c) => c.primaryKey())
        .addColumn("seq", "integer", (c) => c.notNull())
        .addColumn("hash", "text", (c) => c.notNull())
        .addColumn("key", "text", (c) => c.notNull())
        .addColumn("signature", "text", (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("audit_checkpoints")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("n", "integer", (c) => c.notNull())
        .addColumn("at", "text", (c) => c.notNull())
        .addColumn("seq", "integer", (c) => c.notNull())
        .addColumn("head", "text", (c) => c.notNull())
        .addColumn("prev", "text", (c) => c.notNull())
        .addColumn("key", "text", (c) => c.notNull())
        .addColumn("hash", "text", (c) => c.notNull())
        .addColumn("signature", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("audit_checkpoints_key", ["workspace", "n"])
        .execute();
      await chainEarlierEntries(db as Kysely<Before>);
      await db.schema.dropTable("audit_before").execute();
    },
  },
  "2026-12-01-erasures": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("erasures")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("subject", "text", (c) => c.notNull())
        .addColumn("reached", "text", (c) => c.notNull())
        .addColumn("people", "integer", (c) => c.notNull())
        .addColumn("rows", "integer", (c) => c.notNull())
        .addColumn("left", "text", (c) => c.notNull())
        .addColumn("problem", "text", (c) => c.notNull())
        .addColumn("made_by", "text", (c) => c.notNull())
        .addColumn("made_at", "text", (c) => c.notNull())
        .execute();
      await db.schema.createIndex("erasures_by_workspace").on("erasures").columns(["workspace", "made_at"]).execute();
      await db.schema
        .createTable("suppressions")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("actor", "text", (c) => c.notNull())
        .addColumn("at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("suppressions_key", ["workspace", "actor"])
        .execute();
    },
  },
  "2026-12-02-roles": {
    up: async (db: Kysely<Record<"memberships" | "api_keys", { role: string }>>) => {
      for (const table of ["memberships", "api_keys"] as const)
        await db.updateTable(table).set({ role: "analyst" }).where("role", "=", "editor").execute();
    },
  },
  "2026-12-03-classifications": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("classifications")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("holder", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("class", "text", (c) => c.notNull())
        .addColumn("origin", "text", (c) => c.notNull())
        .addColumn("note", "text", (c) => c.notNull())
        .addColumn("decided_by", "text", (c) => c.notNull())
        .addColumn("decided_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("classifications_key", ["workspace", "holder", "name", "origin"])
        .execute();
      await db.schema
        .createTable("catalog_notes")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("owner", "text", (c) => c.notNull())
        .addColumn("description", "text", (c) => c.notNull())
        .addColumn("updated_by", "text", (c) => c.notNull())
        .addColumn("updated_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("catalog_notes_key", ["workspace", "kind", "name"])
        .execute();
    },
  },
  "2026-12-04-sign-on": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("sign_ons")
        .addColumn("issuer", "text", (c) => c.notNull())
        .addColumn("subject", "text", (c) => c.notNull())
        .addColumn("member", "text", (c) => c.notNull())
        .addColumn("at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("sign_ons_key", ["issuer", "subject"])
        .execute();
      await db.schema
        .createTable("second_factors")
        .addColumn("member", "text", (c) => c.primaryKey())
        .addColumn("secret", "text", (c) => c.notNull())
        .addColumn("confirmed_at", "text")
        .addColumn("last_step", "integer", (c) => c.notNull())
        .addColumn("recovery", "text", (c) => c.notNull())
        .execute();
    },
  },
  "2026-12-05-quality": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("quality_reports")
        .addColumn("workspace", "text", (c) => c.primaryKey())
        .addColumn("at", "text", (c) => c.notNull())
        .addColumn("report", "text", (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("findings")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("type", "text", (c) => c.notNull())
        .addColumn("detector", "text", (c) => c.notNull())
        .addColumn("hits", "integer", (c) => c.notNull())
        .addColumn("looked", "integer", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("found_at", "text", (c) => c.notNull())
        .addColumn("judged_by", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("findings_key", ["workspace", "kind", "name", "type"])
        .execute();
    },
  },
  "2026-12-06-policies": {
    up: async (db: Kysely<unknown>) => {
      await db.schema.alterTable("workspaces").addColumn("demands_second_factor", "integer", (c) => c.notNull().defaultTo(0)).execute(); // prettier-ignore
      await db.schema
        .alterTable("sessions")
        .addColumn("vouched", "integer", (c) => c.notNull().defaultTo(0))
        .execute();
      await db.schema.alterTable("memberships").addColumn("attributes", "text").execute();
      await db.schema.alterTable("api_keys").addColumn("expires_at", "text").execute();
      await db.schema.alterTable("api_keys").addColumn("attributes", "text").execute();
      await db.schema
        .createTable("policies")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("number", "integer", (c) => c.notNull())
        .addColumn("version", "text", (c) => c.notNull())
        .addColumn("document", "text", (c) => c.notNull())
        .addColumn("text", "text", (c) => c.notNull())
        .addColumn("set_by", "text", (c) => c.notNull())
        .addColumn("set_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("policies_key", ["workspace", "number"])
        .execute();
    },
  },
  "2026-12-07-keeping": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .alterTable("workspaces")
        .addColumn("region", "text", (c) => c.notNull().defaultTo(""))
        .execute();
      await db.schema
        .createTable("keeping")
        .addColumn("workspace", "text", (c) => c.primaryKey())
        .addColumn("settings", "text", (c) => c.notNull())
        .addColumn("last_at", "text")
        .addColumn("went", "text", (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("purposes")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("number", "integer", (c) => c.notNull())
        .addColumn("purpose", "text", (c) => c.notNull())
        .addColumn("basis", "text", (c) => c.notNull())
        .addColumn("version", "text", (c) => c.notNull())
        .addColumn("text", "text", (c) => c.notNull())
        .addColumn("set_by", "text", (c) => c.notNull())
        .addColumn("set_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("purposes_key", ["workspace", "number"])
        .execute();
      await db.schema
        .createTable("consent_drops")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("day", "text", (c) => c.notNull())
        .addColumn("source", "text", (c) => c.notNull())
        .addColumn("events", "integer", (c) => c.notNull())
        .addPrimaryKeyConstraint("consent_drops_key", ["workspace", "day", "source"])
        .execute();
    },
  },
  "2026-12-08-alerts": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("quality_incidents")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("key", "text", (c) => c.notNull())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("event", "text", (c) => c.notNull())
        .addColumn("property", "text")
        .addColumn("says", "text", (c) => c.notNull())
        .addColumn("began_at", "text", (c) => c.notNull())
        .addColumn("ended_at", "text")
        .addColumn("notified_at", "text")
        .execute();
      await db.schema
        .createTable("quality_slas")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("event", "text", (c) => c.notNull())
        .addColumn("kinds", "text", (c) => c.notNull())
        .addColumn("target", "double precision", (c) => c.notNull())
        .addColumn("days", "integer", (c) => c.notNull())
        .addColumn("made_at", "text", (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("channels")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("members", "text", (c) => c.notNull())
        .addColumn("owners", "integer", (c) => c.notNull())
        .addColumn("address", "text", (c) => c.notNull())
        .addColumn("secret", "text", (c) => c.notNull())
        .addColumn("made_at", "text", (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("alert_deliveries")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("channel", "text", (c) => c.notNull())
        .addColumn("key", "text", (c) => c.notNull())
        .addColumn("body", "text", (c) => c.notNull())
        .addColumn("at", "text", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("tries", "integer", (c) => c.notNull())
        .addColumn("next_at", "text", (c) => c.notNull())
        .addColumn("problem", "text", (c) => c.notNull())
        .addUniqueConstraint("alert_deliveries_key", ["channel", "key"])
        .execute();
      await db.schema.createIndex("quality_incidents_of").on("quality_incidents").columns(["workspace", "began_at"]).execute(); // prettier-ignore
      await db.schema.createIndex("alert_deliveries_due").on("alert_deliveries").columns(["workspace", "state", "next_at"]).execute(); // prettier-ignore
    },
  },
  "2026-12-09-cards": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("ai_uses")
        .addColumn("id", "text", (c) => c.notNull())
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("content", "text", (c) => c.notNull())
        .addColumn("version", "text", (c) => c.notNull())
        .addColumn("registered_by", "text", (c) => c.notNull())
        .addColumn("registered_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("ai_uses_key", ["workspace", "id"])
        .execute();
      await db.schema
        .createTable("evaluations")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("number", "integer", (c) => c.notNull())
        .addColumn("use_id", "text", (c) => c.notNull())
        .addColumn("version", "text", (c) => c.notNull())
        .addColumn("content", "text", (c) => c.notNull())
        .addColumn("made_by", "text", (c) => c.notNull())
        .addColumn("made_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("evaluations_key", ["workspace", "number"])
        .execute();
      await db.schema
        .createTable("cards")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("number", "integer", (c) => c.notNull())
        .addColumn("kind", "text", (c) => c.notNull())
        .addColumn("id", "text", (c) => c.notNull())
        .addColumn("fields", "text", (c) => c.notNull())
        .addColumn("made_by", "text", (c) => c.notNull())
        .addColumn("made_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("cards_key", ["workspace", "number"])
        .execute();
      await db.schema
        .createTable("releases")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("number", "integer", (c) => c.notNull())
        .addColumn("use_id", "text", (c) => c.notNull())
        .addColumn("version", "text", (c) => c.notNull())
        .addColumn("checks", "text", (c) => c.notNull())
        .addColumn("note", "text", (c) => c.notNull())
        .addColumn("released_by", "text", (c) => c.notNull())
        .addColumn("released_at", "text", (c) => c.notNull())
        .addColumn("withdrawn_at", "text")
        .addPrimaryKeyConstraint("releases_key", ["workspace", "number"])
        .execute();
    },
  },
  "2026-12-10-flags": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("flag_environments")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("number", "integer", (c) => c.notNull())
        .addColumn("client_key", "text", (c) => c.notNull().unique())
        .addColumn("made_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("flag_environments_key", ["workspace", "name"])
        .execute();
      await db.schema
        .createTable("flags")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("key", "text", (c) => c.notNull())
        .addColumn("content", "text", (c) => c.notNull())
        .addColumn("version", "integer", (c) => c.notNull())
        .addColumn("updated_at", "text", (c) => c.notNull())
        .addColumn("archived_at", "text")
        .addPrimaryKeyConstraint("flags_key", ["workspace", "key"])
        .execute();
      await db.schema
        .createTable("flag_changes")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("flag", "text", (c) => c.notNull())
        .addColumn("version", "integer", (c) => c.notNull())
        .addColumn("changes", "text", (c) => c.notNull())
        .addColumn("note", "text", (c) => c.notNull())
        .addColumn("made_by", "text", (c) => c.notNull())
        .addColumn("made_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("flag_changes_key", ["workspace", "flag", "version"])
        .execute();
    },
  },
  "2026-12-11-experiments": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("experiments")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("key", "text", (c) => c.notNull())
        .addColumn("content", "text", (c) => c.notNull())
        .addColumn("version", "integer", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("agreed", "text")
        .addColumn("started_at", "text")
        .addColumn("ended_at", "text")
        .addColumn("decision", "text")
        .addColumn("updated_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("experiments_key", ["workspace", "key"])
        .execute();
    },
  },
  "2026-12-12-flag-reviews": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .alterTable("flag_environments")
        .addColumn("needs_review", "integer", (c) => c.notNull().defaultTo(0))
        .execute();
      await db.schema
        .createTable("flag_proposals")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("id", "text", (c) => c.notNull())
        .addColumn("flag", "text", (c) => c.notNull())
        .addColumn("version", "integer", (c) => c.notNull())
        .addColumn("content", "text", (c) => c.notNull())
        .addColumn("note", "text", (c) => c.notNull())
        .addColumn("made_by", "text", (c) => c.notNull())
        .addColumn("made_at", "text", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("decided_by", "text")
        .addColumn("decided_at", "text")
        .addColumn("reason", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("flag_proposals_key", ["workspace", "id"])
        .execute();
    },
  },
  "2026-12-13-flag-assignments": {
    up: async (db: Kysely<unknown>) => {
      await db.schema.alterTable("flag_environments").addColumn("server_key_hash", "text").execute();
      await db.schema
        .createIndex("flag_environments_server_key")
        .on("flag_environments")
        .column("server_key_hash")
        .execute();
      await db.schema
        .createTable("flag_assignments")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("environment", "text", (c) => c.notNull())
        .addColumn("unit", "text", (c) => c.notNull())
        .addColumn("assignment", "text", (c) => c.notNull())
        .addColumn("variation", "text", (c) => c.notNull())
        .addColumn("made_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("flag_assignments_key", ["workspace", "environment", "unit", "assignment"])
        .execute();
    },
  },
  "2026-12-14-cx-rules": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("cx_rules")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("id", "text", (c) => c.notNull())
        .addColumn("content", "text", (c) => c.notNull())
        .addColumn("is_on", "integer", (c) => c.notNull())
        .addColumn("seen", "text", (c) => c.notNull())
        .addColumn("made_by", "text", (c) => c.notNull())
        .addColumn("updated_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("cx_rules_key", ["workspace", "id"])
        .execute();
      await db.schema
        .createTable("cx_firings")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("rule", "text", (c) => c.notNull())
        .addColumn("conversation", "text", (c) => c.notNull())
        .addColumn("at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("cx_firings_key", ["workspace", "rule", "conversation"])
        .execute();
    },
  },
  "2026-12-15-cx-versions": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("cx_versions")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("id", "text", (c) => c.notNull())
        .addColumn("model", "text", (c) => c.notNull())
        .addColumn("calibration", "text", (c) => c.notNull())
        .addColumn("state", "text", (c) => c.notNull())
        .addColumn("activations", "text", (c) => c.notNull())
        .addColumn("made_by", "text", (c) => c.notNull())
        .addColumn("made_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("cx_versions_key", ["workspace", "id"])
        .execute();
    },
  },
  "2026-12-16-cx-themes": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("cx_theme_models")
        .addColumn("workspace", "text", (c) => c.notNull().primaryKey())
        .addColumn("id", "text", (c) => c.notNull())
        .addColumn("vocabulary", "text", (c) => c.notNull())
        .addColumn("found_at", "text", (c) => c.notNull())
        .execute();
      await db.schema
        .createTable("cx_themes")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("id", "text", (c) => c.notNull())
        .addColumn("name", "text", (c) => c.notNull())
        .addColumn("content", "text", (c) => c.notNull())
        .addColumn("is_pinned", "integer", (c) => c.notNull())
        .addColumn("merged_into", "text", (c) => c.notNull())
        .addColumn("found_at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("cx_themes_key", ["workspace", "id"])
        .execute();
    },
  },
  "2026-12-17-cx-reviews": {
    up: async (db: Kysely<unknown>) => {
      for (const name of ["assignee", "done_by", "digest"])
        await db.schema.alterTable("cx_firings").addColumn(name, "text", (c) => c.notNull().defaultTo("")).execute(); // prettier-ignore
      await db.schema.alterTable("cx_firings").addColumn("done_at", "text").execute();
    },
  },
  "2026-12-18-conversation-links": {
    up: async (db: Kysely<unknown>) => {
      let table = db.schema.createTable("conversation_links").addColumn("id", "text", (c) => c.primaryKey());
      for (const name of [
        "workspace",
        "source",
        "vendor",
        "kind",
        "secret",
        "address",
        "problem",
        "made_by",
        "made_at",
      ])
        table = table.addColumn(name, "text", (c) => c.notNull());
      for (const name of ["cursor", "taken"]) table = table.addColumn(name, "integer", (c) => c.notNull());
      await table.addColumn("last_at", "text").execute();
      await db.schema.createIndex("conversation_links_workspace").on("conversation_links").column("workspace").execute(); // prettier-ignore
    },
  },
  "2026-12-19-cx-judges": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("cx_judges")
        .addColumn("workspace", "text", (c) => c.notNull().primaryKey())
        .addColumn("settings", "text", (c) => c.notNull())
        .addColumn("problem", "text", (c) => c.notNull())
        .addColumn("updated_at", "text", (c) => c.notNull())
        .execute();
    },
  },
  "2026-12-20-cx-tags": {
    up: async (db: Kysely<unknown>) => {
      for (const name of ["tag", "tag_state", "tag_after", "tag_problem"])
        await db.schema.alterTable("cx_firings").addColumn(name, "text", (c) => c.notNull().defaultTo("")).execute(); // prettier-ignore
      await db.schema.alterTable("cx_firings").addColumn("tag_tries", "integer", (c) => c.notNull().defaultTo(0)).execute(); // prettier-ignore
      await db.schema.createIndex("cx_firings_tags").on("cx_firings").columns(["workspace", "tag_state", "tag_after"]).execute(); // prettier-ignore
    },
  },
  "2026-12-21-watches": {
    up: async (db: Kysely<unknown>) => {
      const keyed = db.schema
        .createTable("watches")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("id", "text", (c) => c.notNull());
      let table = keyed.addColumn("is_on", "integer", (c) => c.notNull()).addPrimaryKeyConstraint("watches_key", ["workspace", "id"]); // prettier-ignore
      for (const name of ["metric", "content", "state", "seen", "problem", "made_by", "updated_at"])
        table = table.addColumn(name, "text", (c) => c.notNull());
      await table.execute();
      await db.schema
        .createTable("watch_firings")
        .addColumn("workspace", "text", (c) => c.notNull())
        .addColumn("watch", "text", (c) => c.notNull())
        .addColumn("bucket", "text", (c) => c.notNull())
        .addColumn("value", "double precision", (c) => c.notNull())
        .addColumn("says", "text", (c) => c.notNull())
        .addColumn("at", "text", (c) => c.notNull())
        .addPrimaryKeyConstraint("watch_firings_key", ["workspace", "watch", "bucket"])
        .execute();
    },
  },
};
