import { startWorld, stopWorld } from "#test/world.ts";
import { answerAnalytics } from "./analytics.ts";
import { runCases, type Case, type Outcome } from "./cases.ts";
import { runContracts } from "./contracts.ts";
import { runPii } from "./pii.ts";

/** Case files are data of many shapes; which one it is, is told by what it holds. */
export const runFile = async (content: any): Promise<Outcome> => {
  if ("odcs_validation" in content) return runContracts(content);
  if (content.cases.some((test: any) => "entities" in test)) return runPii(content);
  const world = await startWorld();
  const outcome = await runCases(content.cases as Case[], (test) => answerAnalytics(world, test));
  await stopWorld(world);
  return outcome;
};
