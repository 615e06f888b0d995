// Bundles the server to dist/main.js and the engine host beside it; packages stay in node_modules.
import { build } from "esbuild";

await build({
  entryPoints: { main: "src/app/main.ts", "engine-host": "src/kernel/engine/host.ts" },
  outdir: "dist",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  sourcemap: true,
  logLevel: "warning",
});
