import { startWorld, stopWorld } from "#test/world.ts";
import { answerAnalytics } from "./analytics.ts";
import { runCases, type Case, type Outcome } from "./cases.ts";
import { runContracts } from "./contracts.ts";

/** Case files are data of many shapes; which one it is, is told by what it holds. */
export const runFile = async (content: any): Promise<Outcome> => {
  if ("odcs_validation" in content) return runContracts(content);
  const world = await startWorld();
  const outcome = await runCases(content.cases as Case[], (test) => answerAnalytics(world, test));
  await stopWorld(world);
  return outcome;
};
