import { readFileSync } from "node:fs";
import { startWorld, stopWorld } from "#test/world.ts";
import { answerAnalytics } from "./analytics.ts";
import { runCases, type Case } from "./cases.ts";

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("Name a file of cases: npm run cases -- FILE");
  process.exit(2);
}
const content: { cases: Case[] } = JSON.parse(readFileSync(file, "utf8"));
const world = await startWorld();
const outcome = await runCases(content.cases, (test) => answerAnalytics(world, test));
for (const { id, kind, why } of outcome.failures) console.log(`FAILED ${kind} ${id}\n  ${why}`);
for (const [option, count] of outcome.unsupported) console.log(`not yet supported: ${option} (${count})`);
const notYet = [...outcome.unsupported.values()].reduce((sum, count) => sum + count, 0);
console.log(`${outcome.passed} passed, ${outcome.failures.length} failed, ${notYet} not yet supported`);
await stopWorld(world);
process.exit(outcome.failures.length > 0 ? 1 : 0);
