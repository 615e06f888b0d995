import {
  copyFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline as pipe, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { z } from "zod";
import { linesIn } from "#kernel/lines.ts";
import { auditKeyFile } from "#kernel/config.ts";
import { Refusal } from "#kernel/refusal.ts";
import { identifier, join as joined, sql, type Sql } from "#kernel/sql.ts";
import type { State } from "#kernel/state/schema.ts";
import { writeOrder } from "#records/events/ingest.ts";
import type { System } from "./system.ts";
import { tables } from "./modules.ts";
import { version } from "./version.ts";

/**
 * A backup is a folder of plain files: `state/TABLE.ndjson`, `data/WORKSPACE/TABLE.ndjson.gz` and a manifest with the
 * rows of each. It is taken while the server runs. It holds secrets (password hashes, keys of ids): keep it as such.
 */
export const Manifest = z.object({
  format: z.literal(1),
  version: z.string(),
  createdAt: z.string(),
  state: z.record(z.string(), z.number()),
  data: z.record(z.string(), z.record(z.string(), z.number())),
});
export type Manifest = z.output<typeof Manifest>;

/** Sessions are left out: whoever restores signs in anew. So are the turns of jobs. */
const keptState: Readonly<Record<Exclude<keyof State, "sessions" | "job_turns">, true>> = {
  workspaces: true,
  members: true,
  memberships: true,
  sign_ons: true,
  second_factors: true,
  api_keys: true,
  sources: true,
  dashboards: true,
  schedules: true,
  cohorts: true,
  annotations: true,
  catalog_notes: true,
  classifications: true,
  policies: true,
  keeping: true,
  purposes: true,
  consent_drops: true,
  findings: true,
  quality_reports: true,
  ai_uses: true,
  evaluations: true,
  cards: true,
  flag_environments: true,
  flags: true,
  flag_changes: true,
  flag_proposals: true,
  flag_assignments: true,
  cx_rules: true,
  cx_firings: true,
  conversation_links: true,
  cx_versions: true,
  cx_judges: true,
  cx_theme_models: true,
  cx_themes: true,
  experiments: true,
  watches: true,
  watch_firings: true,
  releases: true,
  quality_incidents: true,
  quality_slas: true,
  channels: true,
  alert_deliveries: true,
  contracts: true,
  gate_settings: true,
  metrics: true,
  metric_versions: true,
  saved_queries: true,
  audit: true,
  audit_heads: true,
  audit_checkpoints: true,
  erasures: true,
  suppressions: true,
};
const stateTables = Object.keys(keptState) as (keyof typeof keptState)[]; // its own keys

/**
 * Read against the order in which batches are written, so that what later batches are decided by (messages seen, joins
 * logged) never knows more than what it was decided about. What is derived is left out: it is made anew from the events.
 */
const dataTables = tables
  .filter(({ derived }) => derived !== true)
  .sort((a, b) => writeOrder.indexOf(b.name) - writeOrder.indexOf(a.name));

const insertBytes = 4 * 1024 * 1024;

/** Passes bytes on and counts their lines. */
async function* counted(content: AsyncIterable<Buffer>, count: (rows: number) => void): AsyncGenerator<Buffer> {
  let rows = 0;
  for await (const bytes of content) {
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) rows += 1;
    yield bytes;
  }
  count(rows);
}

const columnsOf = (table: (typeof tables)[number]): Sql =>
  joined(
    Object.keys(table.columns).map((column) => identifier(column)),
    ", ",
  );

/** Writes everything that is kept into a new folder. Returns the manifest. */
export const backup = async ({ config, store, directory, ingest }: System, folder: string): Promise<Manifest> => {
  if (existsSync(join(folder, "manifest.json")))
    throw new Refusal("backup.exists", `There is a backup in ${folder} already. Name another folder.`);
  if (!(await ingest.caughtUp(60_000)))
    throw new Refusal("backup.behind", "Acknowledged events still wait for the store. Look at /readyz, then try again.", {}, 503); // prettier-ignore
  mkdirSync(join(folder, "state"), { recursive: true, mode: 0o700 });
  const manifest: Manifest = { format: 1, version, createdAt: new Date().toISOString(), state: {}, data: {} };
  for (const name of stateTables) {
    const rows = await store.selectFrom(name).selectAll().execute();
    writeFileSync(join(folder, "state", `${name}.ndjson`), rows.map((row) => `${JSON.stringify(row)}\n`).join(""), {
      mode: 0o600,
    });
    manifest.state[name] = rows.length;
  }
  for (const workspace of await directory.all()) {
    const found = await directory.find(workspace.id);
    if (found === undefined) continue; // removed meanwhile
    const path = join(folder, "data", workspace.id);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const counts: Record<string, number> = {};
    for (const table of dataTables) {
      const statement = sql`SELECT ${columnsOf(table)} FROM ${identifier(table.name)}`;
      const stream = await found.engine.stream(statement, "JSONEachRow");
      const rows = counted(stream, (total) => (counts[table.name] = total));
      const file = createWriteStream(join(path, `${table.name}.ndjson.gz`), { mode: 0o600 });
      await pipeline(Readable.from(rows, { objectMode: false }), createGzip({ level: 3 }), file);
    }
    manifest.data[workspace.id] = counts;
  }
  copyFileSync(auditKeyFile(config), join(folder, "audit-key.pem"));
  writeFileSync(join(folder, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
  return manifest;
};

const readManifest = (folder: string): Manifest => {
  const path = join(folder, "manifest.json");
  if (!existsSync(path)) throw new Refusal("restore.no_backup", `There is no whole backup in ${folder}.`);
  const parsed = Manifest.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (!parsed.success)
    throw new Refusal("restore.format", `The backup in ${folder} is of a format that version ${version} cannot read.`);
  return parsed.data;
};

/** Puts a backup into an empty installation and checks that every row came back. */
export const restore = async ({ config, store, directory, ingest }: System, folder: string): Promise<Manifest> => {
  const manifest = readManifest(folder);
  const known = await store.selectFrom("members").select("id").limit(1).executeTakeFirst();
  if (known !== undefined)
    throw new Refusal("restore.not_empty", "A backup is restored into an empty data folder; this one is in use.");
  // who restores goes on signing as before; backups of earlier versions have no key
  const key = join(folder, "audit-key.pem");
  if (existsSync(key)) copyFileSync(key, auditKeyFile(config));
  const linesOf = (name: string): string[] => {
    const path = join(folder, "state", `${name}.ndjson`);
    // a backup of an earlier version has no such table
    if (manifest.state[name] === undefined && !existsSync(path)) return [];
    return readFileSync(path, "utf8").split("\n").filter(Boolean);
  };
  const Pinned = z.object({ name: z.string(), region: z.string().default("") });
  for (const line of linesOf("workspaces")) {
    const { name, region } = Pinned.parse(JSON.parse(line));
    if (region !== "" && region !== config.region)
      throw new Refusal("restore.region", `The workspace ${name} is pinned to ${region}; this server stands in ${config.region === "" ? "no region that it was told of (THROUGHLINE_REGION)" : config.region}.`); // prettier-ignore
  }
  await store.transaction().execute(async (tx) => {
    for (const name of stateTables) {
      const lines = linesOf(name);
      for (const line of lines) await tx.insertInto(name).values(JSON.parse(line)).execute();
    }
  });
  for (const [id, counts] of Object.entries(manifest.data)) {
    const found = await directory.find(id);
    if (found === undefined) throw new Refusal("restore.torn", `The backup has data of ${id} but no such workspace.`);
    for (const { name } of dataTables.toReversed()) {
      const path = join(folder, "data", id, `${name}.ndjson.gz`);
      // what fails in either is met by whoever reads the lines
      const lines = linesIn(pipe(createReadStream(path), createGunzip(), () => undefined));
      let held: string[] = [];
      let bytes = 0;
      let part = 0;
      const flush = async (): Promise<void> => {
        if (held.length > 0) await found.engine.insert(name, held.join("\n"), { token: `restore ${part}` });
        part += 1;
        held = [];
        bytes = 0;
      };
      for await (const line of lines) {
        held.push(line);
        bytes += line.length;
        if (bytes >= insertBytes) await flush();
      }
      await flush();
      const [row] = await found.engine.rows(
        sql`SELECT toFloat64(count()) AS rows FROM ${identifier(name)}`,
        z.object({ rows: z.number() }),
      );
      // a table that keeps the newest version of a row may hold fewer than it was given, never more
      const whole = name === "events" ? row?.rows === counts[name] : (row?.rows ?? 0) <= (counts[name] ?? 0);
      if (!whole)
        throw new Refusal(
          "restore.incomplete",
          `${name} of ${id} has ${row?.rows} rows; the backup says ${counts[name]}. Empty the data folder before you try again.`,
        );
    }
    ingest.forget(id);
  }
  return manifest;
};
