import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { yamlOf } from "#programs/contracts/yaml.ts";
import { Refusal } from "#kernel/refusal.ts";
import { planFormats, type PlanFormat } from "#programs/contracts/contract.ts";
import { readContract } from "#programs/contracts/document.ts";
import { readPlan, writePlan } from "#programs/contracts/formats/index.ts";
import { byVersion, type Odcs } from "#programs/contracts/odcs.ts";
import { contractsUnder } from "./check.ts";

/** Tracking plans of others to contracts in files, and back. */

const largestPlan = 15_000_000;

const formatOf = (text: string | undefined): PlanFormat | undefined => {
  if (text === undefined) return undefined;
  const found = planFormats.find((one) => one === text);
  if (found === undefined) throw new Refusal("plan.format", `There is no format ${text}: ${planFormats.join(", ")}.`);
  return found;
};

interface Given {
  readonly path: string;
  readonly out?: string | undefined;
  readonly format?: string | undefined;
  readonly to?: string | undefined;
}

type Say = Pick<Console, "log" | "error">;

/** The newest version of each contract of a folder, as one plan. */
const planOf = ({ path, out }: Given, to: PlanFormat, say: Say): void => {
  const newest = new Map<string, Odcs>();
  for (const one of contractsUnder(path).map(({ text }) => readContract(text)).toSorted((a, b) => byVersion(b, a))) newest.set(one.id, one); // prettier-ignore
  if (newest.size === 0) throw new Refusal("plan.none", `There is no contract at ${path}.`);
  const text = writePlan(
    to,
    [...newest.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  );
  if (out === undefined) say.log(text);
  else writeFileSync(out, text);
};

/** Contracts of a plan, each version a file. */
const contractsFrom = ({ path, out, format }: Given, say: Say): void => {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true) throw new Refusal("plan.missing", `There is no file ${path}.`);
  if (found.size > largestPlan) throw new Refusal("plan.too_large", `A plan may have ${largestPlan} bytes.`);
  const read = readPlan(readFileSync(path, "utf8"), formatOf(format));
  for (const note of read.plan.notes) say.error(note);
  for (const { rule, message } of read.plan.faults) say.error(`${rule}: ${message}`);
  const { contracts } = read.plan;
  if (out === undefined) say.log(contracts.map((contract) => yamlOf(contract)).join("---\n"));
  else {
    mkdirSync(out, { recursive: true });
    const isMany = new Set(contracts.map(({ id }) => id)).size < contracts.length;
    for (const contract of contracts) {
      const file = join(out, `${contract.id}${isMany ? `-${contract.version}` : ""}.yaml`);
      if (existsSync(file)) throw new Refusal("plan.exists", `${file} is there already, and stays as it is. Choose an empty folder.`); // prettier-ignore
      writeFileSync(file, yamlOf(contract));
    }
    say.error(`${contracts.length} contracts of a ${read.format} plan are in ${out}.`);
  }
  if (read.plan.faults.length > 0) throw new Refusal("plan.faults", `${read.plan.faults.length} rules could not be taken over.`); // prettier-ignore
};

/** Throws a refusal that says what could not be read; what could is written all the same. */
export const convert = (given: Given, say: Say): void => {
  const to = formatOf(given.to);
  if (to === undefined) contractsFrom(given, say);
  else planOf(given, to, say);
};
