// npm test: installs if needed, then types, lint, build, and every test. Ends with one line of counts.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { ensureInstalled } from "./install.js";

ensureInstalled();
const report = ".cache/vitest.json";
mkdirSync(".cache", { recursive: true });
rmSync(report, { force: true });

let [passed, failed, skipped] = [0, 0, 0];
for (const name of ["build", "types", "lint"]) {
  const { status } = spawnSync("npm", ["run", "--silent", name], { stdio: "inherit" });
  if (status === 0) passed += 1;
  else failed += 1;
  console.log(`${status === 0 ? "✓" : "✗"} ${name}`);
}
const tests = spawnSync("npx", ["vitest", "run", ...process.argv.slice(2)], { stdio: "inherit" });
try {
  const counts = JSON.parse(readFileSync(report, "utf8"));
  passed += counts.numPassedTests;
  // a file that could not even be read has no tests of its own to count
  failed += Math.max(counts.numFailedTests, counts.numFailedTestSuites > 0 ? 1 : 0);
  skipped += counts.numPendingTests + counts.numTodoTests;
} catch {
  failed += 1;
}
if (tests.status !== 0 && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
