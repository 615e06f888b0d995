import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { benchExperiments } from "./experiments.ts";
import { benchFlags } from "./flags.ts";
import { benchGate } from "./gate.ts";
import { benchIngest } from "./ingest.ts";
import { benchPages } from "./pages.ts";
import { benchQuery } from "./query.ts";

/** npm run bench -- ingest [--governed] | gate | flags | experiments [millions of exposures] | query [millions of events ...] | pages [millions of events], such as query 1 10 100. Prints ratios of one run; times depend on the machine. */
const benches: Readonly<Record<string, (folder: string, args: readonly string[]) => Promise<void>>> = {
  ingest: benchIngest,
  gate: benchGate,
  flags: benchFlags,
  experiments: benchExperiments,
  query: benchQuery,
  pages: benchPages,
};

const [first = "", ...args] = process.argv.slice(2);
const name = first === "ingest" && args.includes("--governed") ? "gate" : first;
const bench = benches[name];
if (bench === undefined) {
  console.error(`Name a benchmark: ${Object.keys(benches).join(", ")}`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "throughline-bench-"));
await bench(folder, args);
rmSync(folder, { recursive: true, force: true });
process.exit(0);
