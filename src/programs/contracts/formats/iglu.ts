import { nameOf, subjectOf, type Odcs } from "../odcs.ts";
import { isFields, toJsonSchema } from "./json-schema.ts";
import { contractsOf, originOf, textOf, versionOf, without, type Fields, type Plan, type Rule } from "./plan.ts";

/** Self-describing JSON Schemas of an Iglu registry, one or a list, and plain JSON Schemas that name their event. */

const selfDescribing = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#";

/** What keywords hold further schemas. */
const inner = (value: Fields, read: (schema: Fields) => Fields): Fields =>
  Object.fromEntries(
    Object.entries(value).map(([keyword, one]) => {
      const all = (of: Fields): Fields => Object.fromEntries(Object.entries(of).map(([name, schema]) => [name, isFields(schema) ? read(schema) : schema])); // prettier-ignore
      if (["properties", "patternProperties", "definitions"].includes(keyword) && isFields(one)) return [keyword, all(one)]; // prettier-ignore
      if (["items", "additionalProperties", "not"].includes(keyword) && isFields(one)) return [keyword, read(one)];
      if (["allOf", "anyOf", "oneOf"].includes(keyword) && Array.isArray(one)) return [keyword, one.map((schema: unknown) => (isFields(schema) ? read(schema) : schema))]; // prettier-ignore
      return [keyword, one];
    }),
  );

const bounds = [["exclusiveMinimum", "minimum"], ["exclusiveMaximum", "maximum"]] as const; // prettier-ignore

/** Draft-04, in which an exclusive bound is a flag beside the bound, as the later ones have it. */
const fromDraft4 = (schema: Fields): Fields => {
  const changed = { ...inner(schema, fromDraft4) };
  for (const [flag, bound] of bounds) {
    if (typeof changed[flag] !== "boolean") continue;
    if (changed[flag]) {
      changed[flag] = changed[bound];
      delete changed[bound];
    } else delete changed[flag];
  }
  return changed;
};
const toDraft4 = (schema: Fields): Fields => {
  const changed = { ...inner(schema, toDraft4) };
  for (const [flag, bound] of bounds) {
    if (typeof changed[flag] !== "number") continue;
    changed[bound] = changed[flag];
    changed[flag] = true;
  }
  return changed;
};

const isSelfDescribing = (given: unknown): given is Fields & { self: Fields } =>
  isFields(given) && isFields(given["self"]) && typeof given["self"]["name"] === "string";

export const readIglu = (given: unknown): Plan | undefined => {
  const all = Array.isArray(given) ? given : [given];
  if (all.length === 0 || !all.every(isSelfDescribing)) return undefined;
  const rules = all.map((one): Rule => {
    const { self } = one;
    const schema = fromDraft4(without(one, "$schema", "self"));
    return { of: "event", name: textOf(self["name"]), version: versionOf(self["version"]), description: textOf(one["description"]), schema, rest: { self, $schema: one["$schema"] } }; // prettier-ignore
  });
  return { contracts: contractsOf("iglu", "", { isList: Array.isArray(given) }, rules), notes: [], faults: [] };
};

export const writeIglu = (contracts: readonly Odcs[]): unknown => {
  const schemas = contracts.flatMap((contract) =>
    contract.schema.flatMap((schema) => {
      if (subjectOf(schema) !== "event") return [];
      const rule = originOf(contract, "iglu")?.rule;
      const name = nameOf(schema).replaceAll(/[^A-Za-z0-9_-]+/g, "_");
      const self = { vendor: "com.example", name, format: "jsonschema", ...(isFields(rule?.["self"]) ? rule["self"] : {}), version: contract.version.replaceAll(".", "-") }; // prettier-ignore
      return [{ $schema: rule?.["$schema"] ?? selfDescribing, self, ...toDraft4(toJsonSchema(schema)) }];
    }),
  );
  const isList = contracts.some((contract) => originOf(contract, "iglu")?.plan["isList"] === true);
  return schemas.length === 1 && !isList ? schemas[0] : schemas;
};

const named = (schema: Fields): string => textOf(schema["title"]) || textOf(schema["$id"]).split("/").at(-1)?.replace(/\.json$/, "") || ""; // prettier-ignore

export const readJsonSchema = (given: unknown): Plan | undefined => {
  const all = Array.isArray(given) ? given : [given];
  if (all.length === 0 || !all.every((one) => isFields(one) && (isFields(one["properties"]) || "$schema" in one))) return undefined; // prettier-ignore
  const rules = all.filter(isFields).map((schema, at): Rule => ({
    of: "event",
    name: named(schema) || `Event ${at + 1}`,
    version: versionOf(schema["version"]),
    description: textOf(schema["description"]),
    schema,
    rest: { $schema: schema["$schema"] ?? null },
  })); // prettier-ignore
  return { contracts: contractsOf("json-schema", "", { isList: Array.isArray(given) }, rules), notes: [], faults: [] };
};

export const writeJsonSchema = (contracts: readonly Odcs[]): unknown => {
  const schemas = contracts.flatMap((contract) =>
    contract.schema.flatMap((schema) => {
      if (subjectOf(schema) !== "event") return [];
      const origin = originOf(contract, "json-schema");
      const draft = origin === undefined ? "https://json-schema.org/draft/2020-12/schema" : origin.rule["$schema"];
      const own = toJsonSchema(schema);
      return [{ ...(typeof draft === "string" ? { $schema: draft } : {}), ...(origin === undefined ? { title: nameOf(schema) } : {}), ...own }]; // prettier-ignore
    }),
  );
  const isList = contracts.some((contract) => originOf(contract, "json-schema")?.plan["isList"] === true);
  return schemas.length === 1 && !isList ? schemas[0] : schemas;
};
