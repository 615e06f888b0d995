import { z } from "zod";
import { startWorld, stopWorld } from "#test/world.ts";
import { answerAnalytics } from "./analytics.ts";
import { runCases, type Case, type Outcome } from "./cases.ts";
import { runContracts } from "./contracts.ts";
import { runExperiments, type ExperimentCases } from "./experiments.ts";
import { runPii } from "./pii.ts";

const has = (value: unknown, name: string): boolean => Object.hasOwn(Object(value), name);
const Cases = z.looseObject({ cases: z.array(z.unknown()).default([]) });
const Contracts = z.custom<Parameters<typeof runContracts>[0]>((file) => has(file, "odcs_validation"));
const Pii = z.custom<Parameters<typeof runPii>[0]>((file) => Cases.safeParse(file).data?.cases.some((test) => has(test, "entities"))); // prettier-ignore
const Experiments = z.custom<ExperimentCases>((file) => has(file, "datasets") && has(file, "methods"));
const Analytics = z.object({ cases: z.array(z.custom<Case>((test) => has(test, "query"))) });

/** Case files are data of many shapes; which one it is, is told by what it holds. */
export const runFile = async (content: unknown): Promise<Outcome> => {
  const [contracts, pii] = [Contracts.safeParse(content), Pii.safeParse(content)];
  if (contracts.success) return runContracts(contracts.data);
  if (pii.success) return runPii(pii.data);
  const experiments = Experiments.safeParse(content);
  if (experiments.success) return runExperiments(experiments.data);
  const { cases } = Analytics.parse(content);
  const world = await startWorld();
  const outcome = await runCases(cases, (test) => answerAnalytics(world, test));
  await stopWorld(world);
  return outcome;
};
