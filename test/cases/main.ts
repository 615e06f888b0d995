import { readFileSync } from "node:fs";
import { runFile } from "./run.ts";

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("Name a file of cases: npm run cases -- FILE");
  process.exit(2);
}
const outcome = await runFile(JSON.parse(readFileSync(file, "utf8")));
for (const { id, kind, why } of outcome.failures) console.log(`FAILED ${kind} ${id}\n  ${why}`);
const { quirks = [] } = outcome;
for (const { id, kind, why } of quirks) console.log(`quirk of its source, not followed: ${kind} ${id}\n  ${why}`);
for (const [option, count] of outcome.unsupported) console.log(`not yet supported: ${option} (${count})`);
const notYet = [...outcome.unsupported.values()].reduce((sum, count) => sum + count, 0);
console.log(
  `${outcome.passed} passed, ${outcome.failures.length} failed, ${notYet} not yet supported, ${quirks.length} quirks not followed`,
);
process.exit(outcome.failures.length > 0 ? 1 : 0);
