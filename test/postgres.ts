import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A PostgreSQL server of our own in a folder of its own, where this machine has the programs for one. */
export const startPostgres = (): { readonly url: string; stop(): void } | undefined => {
  const base = "/usr/lib/postgresql";
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : [];
  const bin = versions.map((version) => join(base, version, "bin")).find((path) => existsSync(join(path, "initdb")));
  if (bin === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "throughline-postgres-"));
  chmodSync(folder, 0o777);
  // it refuses to run as root
  const run = (command: string): boolean => {
    const line = process.getuid?.() === 0 ? ["su", ["postgres", "-s", "/bin/sh", "-c", command]] : ["sh", ["-c", command]]; // prettier-ignore
    return spawnSync(line[0] as string, line[1] as string[], { stdio: "ignore", timeout: 60_000 }).status === 0;
  };
  const data = join(folder, "data");
  const stop = (): void => {
    run(`${bin}/pg_ctl -D ${data} -m immediate stop`);
    rmSync(folder, { recursive: true, force: true });
  };
  const began =
    run(`${bin}/initdb -D ${data} -U throughline -A trust`) &&
    run(`${bin}/pg_ctl -D ${data} -w -o "-c listen_addresses='' -k ${folder}" start`);
  if (began) return { url: `postgres://throughline@localhost/postgres?host=${encodeURIComponent(folder)}`, stop };
  stop();
  return undefined;
};
