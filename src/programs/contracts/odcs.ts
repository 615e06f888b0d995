import { z } from "zod";
import type { JsonSchema } from "./schema.ts";

/**
 * Open Data Contract Standard 3.1 (kind DataContract). What we do not read is kept as it is, so that a contract that
 * is read and written again loses nothing.
 */

const CustomProperty = z.looseObject({ property: z.string(), value: z.unknown() });
const Quality = z.looseObject({
  id: z.string().optional(),
  type: z.string().optional(),
  metric: z.string().optional(),
  arguments: z.record(z.string(), z.unknown()).optional(),
  mustBe: z.unknown().optional(),
});

export const logicalTypes = [
  "string",
  "date",
  "timestamp",
  "time",
  "number",
  "integer",
  "object",
  "array",
  "boolean",
] as const;

export interface OdcsProperty {
  readonly name?: string | undefined;
  readonly logicalType?: (typeof logicalTypes)[number] | undefined;
  readonly logicalTypeOptions?: Readonly<Record<string, unknown>> | undefined;
  readonly required?: boolean | undefined;
  readonly unique?: boolean | undefined;
  readonly classification?: string | undefined;
  readonly description?: string | undefined;
  readonly businessName?: string | undefined;
  readonly examples?: readonly unknown[] | undefined;
  readonly quality?: readonly z.output<typeof Quality>[] | undefined;
  readonly customProperties?: readonly z.output<typeof CustomProperty>[] | undefined;
  readonly properties?: readonly OdcsProperty[] | undefined;
  readonly items?: OdcsProperty | undefined;
  readonly [other: string]: unknown;
}

export const OdcsProperty: z.ZodType<OdcsProperty> = z.lazy(() =>
  z.looseObject({
    name: z.string().min(1).max(500).optional(),
    logicalType: z.enum(logicalTypes).optional(),
    logicalTypeOptions: z.record(z.string(), z.unknown()).optional(),
    required: z.boolean().optional(),
    unique: z.boolean().optional(),
    classification: z.string().max(100).optional(),
    description: z.string().max(10_000).optional(),
    businessName: z.string().max(500).optional(),
    examples: z.array(z.unknown()).optional(),
    quality: z.array(Quality).optional(),
    customProperties: z.array(CustomProperty).optional(),
    properties: z.array(OdcsProperty).max(2_000).optional(),
    items: OdcsProperty.optional(),
  }),
);

export const OdcsSchema = z.looseObject({
  name: z.string().min(1).max(500),
  logicalType: z.enum(["object"]).optional(),
  description: z.string().max(10_000).optional(),
  properties: z.array(OdcsProperty).max(2_000).default([]),
  quality: z.array(Quality).optional(),
  customProperties: z.array(CustomProperty).optional(),
});
export type OdcsSchema = z.output<typeof OdcsSchema>;

export const Odcs = z.looseObject({
  kind: z.literal("DataContract"),
  apiVersion: z.string().regex(/^v3\.[01]\.\d+$/, "A version of ODCS 3 such as v3.1.0."),
  id: z.string().min(1).max(200),
  version: z.string().regex(/^\d+\.\d+\.\d+$/, "A version has three numbers, such as 1.4.0."),
  status: z.enum(["proposed", "draft", "active", "deprecated", "retired"]),
  name: z.string().max(500).optional(),
  schema: z.array(OdcsSchema).max(1_000).default([]),
  customProperties: z.array(CustomProperty).optional(),
});
export type Odcs = z.output<typeof Odcs>;

/** The value of one of ours among the custom properties. */
export const customOf = (
  { customProperties }: { readonly customProperties?: readonly z.output<typeof CustomProperty>[] | undefined },
  name: string,
): unknown => customProperties?.find(({ property }) => property === name)?.value;

const formats: Readonly<Record<string, string>> = { date: "date", timestamp: "date-time", time: "time" };
const jsonTypes: Readonly<Record<(typeof logicalTypes)[number], string>> = {
  string: "string",
  date: "string",
  timestamp: "string",
  time: "string",
  number: "number",
  integer: "integer",
  object: "object",
  array: "array",
  boolean: "boolean",
};
/** Options that mean the same in JSON Schema. */
const carried = ["minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "multipleOf", "required"] as const; // prettier-ignore
const bounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] as const;
/** Formats of numbers (i32, u64 …) say how they are stored, not how they read. */
const textFormats = new Set(["email", "idn-email", "uri", "uri-reference", "uuid", "hostname", "ipv4", "ipv6", "date", "time", "date-time", "duration", "regex"]); // prettier-ignore

const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);

const optionsOf = ({ logicalType, logicalTypeOptions = {} }: OdcsProperty): Record<string, unknown> => {
  const found: Record<string, unknown> = {};
  for (const option of carried)
    if (logicalTypeOptions[option] !== undefined) found[option] = logicalTypeOptions[option];
  const format = formats[logicalType ?? ""];
  for (const bound of bounds) {
    const limit = logicalTypeOptions[bound];
    // the bounds of dates are texts, which only the format can compare
    if (limit !== undefined) found[format === undefined ? bound : `format${capital(bound)}`] = limit;
  }
  const named = logicalTypeOptions["format"];
  if (format !== undefined) found["format"] = format;
  else if (logicalType === "string" && typeof named === "string" && textFormats.has(named)) found["format"] = named;
  return found;
};

/** The closed list of a property: a quality rule by which no value may be outside it. */
const validValues = ({ quality = [] }: OdcsProperty): readonly unknown[] | undefined => {
  const values = quality.find(({ metric, mustBe }) => metric === "invalidValues" && mustBe === 0)?.arguments?.["validValues"]; // prettier-ignore
  return Array.isArray(values) ? values : undefined;
};
const validPattern = ({ quality = [] }: OdcsProperty): unknown =>
  quality.find(({ metric, mustBe }) => metric === "invalidValues" && mustBe === 0)?.arguments?.["pattern"];

/** Meaning that no validator sees, and changes of it that one must. */
const notesOf = (property: OdcsProperty): Record<string, unknown> => {
  const unit = customOf(property, "unit");
  return {
    ...(property.businessName === undefined ? {} : { title: property.businessName }),
    ...(property.description === undefined ? {} : { description: property.description }),
    ...(property.examples === undefined ? {} : { examples: property.examples }),
    ...(property.classification === undefined ? {} : { "x-classification": property.classification }),
    ...(unit === undefined ? {} : { "x-unit": unit }),
    ...(customOf(property, "deprecated") === true ? { deprecated: true } : {}),
  };
};

const Keywords = z.looseObject({ $without: z.array(z.string()).default([]) });

/**
 * What ODCS has no words for, in those of JSON Schema: keywords that are added to what follows from the rest, or put in
 * its place; those in the list `$without` are taken away.
 */
const withKeywords = (
  owner: Pick<OdcsProperty, "customProperties">,
  schema: Readonly<Record<string, unknown>>,
): Record<string, unknown> => {
  const given = Keywords.safeParse(customOf(owner, "jsonSchema"));
  if (!given.success) return schema;
  const { $without, ...more } = given.data;
  return Object.fromEntries(Object.entries({ ...schema, ...more }).filter(([keyword]) => !$without.includes(keyword)));
};

/** A property as JSON Schema. `required` forbids null; otherwise it may be null or absent, unless `nullable` differs. */
export const propertySchema = (property: OdcsProperty): JsonSchema => {
  const { logicalType, items, properties, required = false } = property;
  const values = validValues(property);
  const pattern = validPattern(property);
  const type = logicalType === undefined ? undefined : jsonTypes[logicalType];
  const told = customOf(property, "nullable");
  const mayBeNull = typeof told === "boolean" ? told : !required;
  return withKeywords(property, {
    ...(type === undefined ? {} : { type: mayBeNull ? [type, "null"] : type }),
    ...optionsOf(property),
    ...(values === undefined ? {} : { enum: mayBeNull ? [...values, null] : values }),
    ...(typeof pattern === "string" ? { pattern } : {}),
    ...(items === undefined ? {} : { items: propertySchema({ ...items, required: items.required ?? true }) }),
    ...(properties === undefined ? {} : objectSchema(property, properties)),
    ...notesOf(property),
  });
};

const objectSchema = (
  owner: Pick<OdcsProperty, "customProperties">,
  properties: readonly OdcsProperty[],
): Record<string, unknown> => {
  const required = properties.filter((one) => one.required === true).map(({ name = "" }) => name);
  return {
    properties: Object.fromEntries(properties.map((one) => [one.name ?? "", propertySchema(one)])),
    ...(required.length === 0 ? {} : { required }),
    ...(customOf(owner, "additionalProperties") === false ? { additionalProperties: false } : {}),
  };
};

/** One schema of a contract as JSON Schema 2020-12. Extra properties are allowed unless the contract closes it. */
export const schemaOf = (schema: OdcsSchema): JsonSchema =>
  withKeywords(schema, {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    ...objectSchema(schema, schema.properties),
  });

/** What a schema may be of, by its custom property `of`: an event, traits of people or accounts, or a table. */
export const subjects = ["event", "person", "account", "table"] as const;
export type Subject = (typeof subjects)[number];

export const subjectOf = (schema: OdcsSchema): Subject =>
  subjects.find((one) => one === customOf(schema, "of")) ?? "event";

/** The name of the event that a schema is of, or of the table. */
export const nameOf = (schema: OdcsSchema): string => {
  const named = customOf(schema, "eventName");
  return typeof named === "string" && named !== "" ? named : schema.name;
};

/** The schemas of a contract that are of events, by the name of each. */
export const eventsOf = ({ schema }: Pick<Odcs, "schema">): readonly (readonly [event: string, schema: OdcsSchema])[] =>
  schema.flatMap((one) => (subjectOf(one) === "event" ? [[nameOf(one), one] as const] : []));

/** What a schema is of, for people to read. */
export const titleOf = (schema: OdcsSchema): string => {
  const titles = { event: nameOf(schema), person: "Traits of people", account: "Traits of accounts", table: `Table ${nameOf(schema)}` } satisfies Record<Subject, string>; // prettier-ignore
  return titles[subjectOf(schema)];
};

const numbered = (version: string): number[] => version.split(".").map(Number);
/** The newest first. */
export const byVersion = (a: { version: string }, b: { version: string }): number => {
  const [left, right] = [numbered(a.version), numbered(b.version)];
  return right.map((part, at) => part - (left[at] ?? 0)).find((difference) => difference !== 0) ?? 0;
};
