import { parse } from "yaml";
import { Refusal } from "#kernel/refusal.ts";
import { treatments } from "../privacy/redact.ts";
import { Settings } from "./contract.ts";
import { customOf, Odcs, schemaOf, subjects, titleOf, type OdcsProperty } from "./odcs.ts";
import { compileSchema } from "./schema.ts";

const deepest = 100;

/** Whether something is nested deeper than a contract may be; walks it level by level, so that nothing runs out. */
export const isDeeper = (content: unknown): boolean => {
  let level = [content];
  for (let depth = 0; depth < deepest; depth += 1) {
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
    if (level.length === 0) return false;
  }
  return true;
};

/** The parts of a property, at any depth. */
const inside = ({ properties = [], items }: OdcsProperty): readonly OdcsProperty[] =>
  [...properties, ...(items === undefined ? [] : [items])].flatMap((one) => [one, ...inside(one)]);

/** Reads a contract, or says where it is wrong. Each of its schemas is compiled, so that none can fail at the door. */
export const readContract = (text: string): Odcs => {
  let content: unknown;
  try {
    content = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw new Refusal("contract.text", `This is no YAML: ${error instanceof Error ? error.message.slice(0, 300) : "it cannot be read"}`); // prettier-ignore
  }
  if (isDeeper(content)) throw new Refusal("contract.deep", `A contract may be nested ${deepest} deep.`);
  const read = Odcs.safeParse(content);
  if (!read.success) {
    const faults = read.error.issues
      .slice(0, 10)
      .map((issue) => `${issue.path.join(".") || "the document"}: ${issue.message}`);
    throw new Refusal("contract.odcs", `This is no contract of ODCS 3.1: ${faults.join("; ")}`, { faults });
  }
  for (const schema of read.data.schema) compileSchema(schemaOf(schema));
  for (const of of [read.data, ...read.data.schema]) {
    const chosen = Settings.partial().safeParse(customOf(of, "disposition") ?? {});
    if (!chosen.success) throw new Refusal("contract.disposition", `The disposition of ${of.name ?? read.data.id} cannot be read: ${chosen.error.issues.map(({ path, message }) => [...path, message].join(": ")).join("; ")}`); // prettier-ignore
  }
  for (const schema of read.data.schema) {
    const of = customOf(schema, "of");
    if (of !== undefined && !subjects.some((one) => one === of))
      throw new Refusal("contract.of", `${schema.name} is of ${JSON.stringify(of).slice(0, 50)}; it can be of ${subjects.join(", ")}.`); // prettier-ignore
  }
  for (const { name, properties } of read.data.schema)
    for (const property of properties) {
      if (inside(property).some((one) => customOf(one, "redaction") !== undefined))
        throw new Refusal("contract.redaction", `${name}.${property.name ?? ""} holds a part with a redaction; only whole properties can have one.`); // prettier-ignore
      const way = customOf(property, "redaction");
      if (way !== undefined && !treatments.some((one) => one === way))
        throw new Refusal("contract.redaction", `${name}.${property.name ?? ""} asks for ${JSON.stringify(way).slice(0, 50)}; a redaction is ${treatments.join(", ")}.`); // prettier-ignore
    }
  const names = read.data.schema.map(titleOf);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Refusal("contract.twice", `The contract has ${twice} twice.`);
  return read.data;
};
