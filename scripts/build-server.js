// Bundles the server to dist/main.js and the engine host beside it; packages stay in node_modules. A command loads its own part.
import { readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const out = "dist";
const parts = /-[A-Z0-9]{8}\.js(\.map)?$/;

const { metafile } = await build({
  entryPoints: { main: "src/app/main.ts", "engine-host": "src/kernel/engine/host.ts" },
  outdir: out,
  bundle: true,
  splitting: true,
  metafile: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  sourcemap: true,
  logLevel: "warning",
});

// parts of an earlier build
for (const name of readdirSync(out))
  if (parts.test(name) && metafile.outputs[`${out}/${name}`] === undefined) rmSync(`${out}/${name}`);
