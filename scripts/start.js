// npm start: installs if needed, builds if the sources changed, and serves.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureInstalled, run } from "./install.js";

ensureInstalled();
const hash = createHash("sha256");
for (const file of walk("src").sort()) hash.update(file).update(readFileSync(file));
const digest = hash.update(readFileSync("package-lock.json")).digest("hex");
const stamp = "dist/.built";
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== digest) {
  console.log("Building …");
  run("npm", ["run", "--silent", "build"]);
  writeFileSync(stamp, digest);
}
const server = spawn(process.execPath, ["dist/main.js", "serve", ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.kill(signal));
server.on("exit", (code) => process.exit(code ?? 1));

function walk(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? walk(join(folder, entry.name))
      : entry.name.endsWith(".wasm.ts")
        ? []
        : [join(folder, entry.name)],
  );
}
