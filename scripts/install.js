// Installs what the lockfile names, if it is not there yet. The stamp is the lockfile itself.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const stamp = "node_modules/.throughline-lock";

export function ensureInstalled() {
  const lock = readFileSync("package-lock.json", "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  console.log("Installing packages (once) …");
  // not `npm ci`: after an update only what changed is fetched
  run("npm", ["install", "--no-save", "--no-fund", "--no-audit", "--loglevel=error"]);
  writeFileSync(stamp, lock);
}

export function run(command, args, options = {}) {
  const { status } = spawnSync(command, args, { stdio: "inherit", ...options });
  if (status !== 0) process.exit(status ?? 1);
}
