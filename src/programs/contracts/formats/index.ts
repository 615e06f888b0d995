import { Refusal } from "#kernel/refusal.ts";
import { planFormats, type PlanFormat } from "../contract.ts";
import { isDeeper } from "../document.ts";
import { schemaOf, type Odcs } from "../odcs.ts";
import { compileSchema } from "../schema.ts";
import { readCsv, writeCsv } from "./csv.ts";
import { readIglu, readJsonSchema, writeIglu, writeJsonSchema } from "./iglu.ts";
import type { Plan } from "./plan.ts";
import { readRudderstack, writeRudderstack } from "./rudderstack.ts";
import { readSegment, writeSegment } from "./segment.ts";

const readers = [
  ["segment", readSegment],
  ["rudderstack", readRudderstack],
  ["iglu", readIglu],
  ["json-schema", readJsonSchema],
] as const;

const mostRules = 2_000;

/** Contracts whose schemas cannot be compiled are told, not kept. */
const compiled = ({ contracts, notes, faults }: Plan): Plan => {
  const wrong: { rule: string; message: string }[] = [];
  const fine = contracts.filter((contract) => {
    try {
      for (const schema of contract.schema) compileSchema(schemaOf(schema));
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      wrong.push({ rule: contract.name ?? contract.id, message: error.message });
      return false;
    }
  });
  return { contracts: fine, notes, faults: [...faults, ...wrong] };
};

/**
 * Reads a tracking plan of any of the formats, told by what is in it, or of the one that is named. Throws `plan.format`
 * where it is of none.
 */
export const readPlan = (text: string, format?: PlanFormat): { readonly format: PlanFormat; readonly plan: Plan } => {
  const isJson = /^\s*[[{]/.test(text.replace(/^\ufeff/, ""));
  if (format === "csv" || (format === undefined && !isJson)) return { format: "csv", plan: compiled(readCsv(text)) };
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new Refusal("plan.text", `This is no JSON: ${error instanceof Error ? error.message.slice(0, 200) : "it cannot be read"}`); // prettier-ignore
  }
  if (isDeeper(content)) throw new Refusal("plan.deep", "A plan may be nested 100 deep.");
  for (const [name, read] of readers) {
    if (format !== undefined && format !== name) continue;
    const plan = read(content);
    if (plan === undefined) continue;
    if (plan.contracts.length > mostRules) throw new Refusal("plan.rules", `A plan may have ${mostRules} events.`);
    return { format: name, plan: compiled(plan) };
  }
  throw new Refusal(
    "plan.format",
    `This is no plan of ${format ?? planFormats.join(", ")}: nothing in it looks like one.`,
  );
};

/** Writes contracts as one plan of a format. What no format has a place for (tables, events in Iglu's traits) is left out. */
export const writePlan = (format: PlanFormat, contracts: readonly Odcs[]): string => {
  if (format === "csv") return writeCsv(contracts);
  const written = { segment: writeSegment, rudderstack: writeRudderstack, iglu: writeIglu, "json-schema": writeJsonSchema }; // prettier-ignore
  return `${JSON.stringify(written[format](contracts), null, 2)}\n`;
};
