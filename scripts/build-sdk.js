// Builds packages/sdk: one file without imports, its types beside it.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { build } from "esbuild";

const out = "packages/sdk/dist";
rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: ["packages/sdk/src/index.ts"],
  outdir: out,
  bundle: true,
  splitting: true, // regular expressions are large, and loaded where a rule has one
  minify: true,
  platform: "neutral",
  mainFields: ["module", "main"],
  format: "esm",
  target: "es2022",
  legalComments: "none",
  logLevel: "warning",
});
const { status } = spawnSync("npx", ["tsc", "-p", "packages/sdk/tsconfig.json"], { stdio: "inherit" });
process.exit(status ?? 1);
