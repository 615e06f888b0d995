import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
/** npm run bench -- ingest [--governed] | gate | cx | flags | experiments [millions of exposures] [merged] | query [millions of events ...] | merged [millions of events] | pages [millions of events], such as query 1 10 100. Prints ratios of one run; times depend on the machine. */
/** Each is loaded alone: what one needs is no garbage to another. */
const benches: Readonly<Record<string, () => Promise<(folder: string, args: readonly string[]) => Promise<void>>>> = {
  ingest: async () => (await import("./ingest.ts")).benchIngest,
  gate: async () => (await import("./gate.ts")).benchGate,
  cx: async () => (await import("./cx.ts")).benchCx,
  flags: async () => (await import("./flags.ts")).benchFlags,
  experiments: async () => (await import("./experiments.ts")).benchExperiments,
  query: async () => (await import("./query.ts")).benchQuery,
  merged: async () => (await import("./query.ts")).benchMerged,
  pages: async () => (await import("./pages.ts")).benchPages,
};

const [first = "", ...args] = process.argv.slice(2);
const name = first === "ingest" && args.includes("--governed") ? "gate" : first;
const load = benches[name];
if (load === undefined) {
  console.error(`Name a benchmark: ${Object.keys(benches).join(", ")}`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "throughline-bench-"));
await (
  await load()
)(folder, args);
rmSync(folder, { recursive: true, force: true });
process.exit(0);
