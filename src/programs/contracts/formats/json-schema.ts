import { isDeepStrictEqual } from "node:util";
import { propertySchema, schemaOf, type OdcsProperty, type OdcsSchema } from "../odcs.ts";
import type { JsonSchema } from "../schema.ts";

/**
 * JSON Schema to ODCS and back without loss of a rule. What ODCS has words for is said in them; every keyword that would
 * come out otherwise is kept as it is in the custom property `jsonSchema`, which the door heeds too.
 */

type Fields = Readonly<Record<string, unknown>>;
type Custom = { readonly property: string; readonly value: unknown };

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Levels of a schema that are said in the words of ODCS; what lies deeper stays as it is. */
const deepest = 30;
const logical: Readonly<Record<string, NonNullable<OdcsProperty["logicalType"]>>> = {
  string: "string",
  number: "number",
  integer: "integer",
  boolean: "boolean",
  object: "object",
  array: "array",
};
const timed: Readonly<Record<string, NonNullable<OdcsProperty["logicalType"]>>> = {
  date: "date",
  "date-time": "timestamp",
  time: "time",
};
const plainOptions = ["minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] as const; // prettier-ignore

/** Values that mean the same: the order of keys, and of what is required, says nothing. */
const isSame = (one: unknown, other: unknown, keyword: string): boolean =>
  keyword === "required" && Array.isArray(one) && Array.isArray(other)
    ? isDeepStrictEqual(one.map(String).toSorted(), other.map(String).toSorted())
    : isDeepStrictEqual(one, other);

/** What has to be said besides so that `derived` becomes `wanted`. */
const besides = (derived: Fields, wanted: Fields): Fields => {
  const gone = Object.keys(derived).filter((keyword) => !Object.hasOwn(wanted, keyword));
  return Object.fromEntries([
    ...Object.entries(wanted).filter(([keyword, value]) => !isSame(value, derived[keyword], keyword)),
    ...(gone.length === 0 ? [] : [["$without", gone]]),
  ]);
};

const withCustom = <T extends { readonly customProperties?: readonly Custom[] | undefined }>(
  one: T,
  custom: readonly Custom[],
): T => (custom.length === 0 ? one : { ...one, customProperties: [...(one.customProperties ?? []), ...custom] });

const typeOf = (schema: Fields): { readonly logicalType?: OdcsProperty["logicalType"]; readonly hasNull: boolean } => {
  const listed = Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]];
  const [only, ...others] = listed.filter((type) => type !== "null");
  const hasNull = listed.includes("null");
  if (typeof only !== "string" || others.length > 0) return { hasNull };
  const time = only === "string" && typeof schema["format"] === "string" ? timed[schema["format"]] : undefined;
  return { logicalType: time ?? logical[only], hasNull };
};

/** One property in the words of ODCS as far as they go. */
const plainProperty = (name: string | undefined, schema: Fields, required: boolean, depth: number): OdcsProperty => {
  const { logicalType, hasNull } = typeOf(schema);
  const text = (keyword: string): string | undefined => (typeof schema[keyword] === "string" ? schema[keyword] : undefined); // prettier-ignore
  const options = Object.fromEntries(plainOptions.flatMap((option) => (schema[option] === undefined ? [] : [[option, schema[option]]]))); // prettier-ignore
  const format = logicalType === "string" ? text("format") : undefined;
  const all = { ...options, ...(format === undefined ? {} : { format }) };
  const values = Array.isArray(schema["enum"]) ? schema["enum"].filter((value) => value !== null) : undefined;
  const isDeprecated = schema["deprecated"] === true ? [{ property: "deprecated", value: true }] : [];
  const unit = schema["x-unit"] === undefined ? [] : [{ property: "unit", value: schema["x-unit"] }];
  const nullable = logicalType !== undefined && hasNull === required ? [{ property: "nullable", value: hasNull }] : [];
  const custom = [...nullable, ...unit, ...isDeprecated, ...(isFields(schema["properties"]) ? closed(schema) : [])];
  return {
    ...(name === undefined ? {} : { name }),
    ...(logicalType === undefined ? {} : { logicalType }),
    ...(Object.keys(all).length === 0 ? {} : { logicalTypeOptions: all }),
    ...(required ? { required: true } : {}),
    ...(text("x-classification") === undefined ? {} : { classification: text("x-classification") }),
    ...(text("title") === undefined ? {} : { businessName: text("title") }),
    ...(text("description") === undefined ? {} : { description: text("description") }),
    ...(Array.isArray(schema["examples"]) ? { examples: schema["examples"] } : {}),
    ...(values === undefined ? {} : { quality: [{ metric: "invalidValues", mustBe: 0, arguments: { validValues: values } }] }), // prettier-ignore
    ...(isFields(schema["items"]) ? { items: propertyOf(undefined, schema["items"], true, depth + 1) } : {}),
    ...(isFields(schema["properties"]) ? { properties: propertiesOf(schema, depth + 1) } : {}),
    ...(custom.length === 0 ? {} : { customProperties: custom }),
  };
};

/** Whether ODCS would take a property: it has limits of its own on names, texts and numbers. */
const isCarried = (name: string, schema: unknown): schema is Fields =>
  isFields(schema) && name !== "" && name.length <= 500 && !/^__proto__$/.test(name);

const propertyOf = (name: string | undefined, schema: Fields, required: boolean, depth: number): OdcsProperty => {
  const plain = depth > deepest ? { ...(name === undefined ? {} : { name }), ...(required ? { required } : {}) } : plainProperty(name, schema, required, depth); // prettier-ignore
  const more = besides(propertySchema(plain), schema);
  return withCustom(plain, Object.keys(more).length === 0 ? [] : [{ property: "jsonSchema", value: more }]);
};

const propertiesOf = (schema: Fields, depth: number): OdcsProperty[] => {
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  const properties = isFields(schema["properties"]) ? schema["properties"] : {};
  return Object.entries(properties).flatMap(([name, one]) =>
    isCarried(name, one) ? [propertyOf(name, one, required.has(name), depth)] : [],
  );
};

const closed = (schema: Fields): readonly Custom[] =>
  schema["additionalProperties"] === false ? [{ property: "additionalProperties", value: false }] : [];

/** A schema of an object as one of a contract. `schemaOf` of what comes out is what was given, word for word. */
export const fromJsonSchema = (name: string, schema: JsonSchema, custom: readonly Custom[] = []): OdcsSchema => {
  const { $schema, ...rest } = schema;
  // only an older draft reads otherwise
  const draft = typeof $schema === "string" && /draft-0[67]|2019-09/.test($schema) ? { $schema } : {};
  const description = typeof rest["description"] === "string" ? { description: rest["description"] } : {};
  const plain = withCustom<OdcsSchema>(
    { name, logicalType: "object", ...description, properties: propertiesOf(rest, 1) },
    [...custom, ...closed(rest)],
  );
  const { $schema: _, ...derived } = schemaOf(plain);
  const more = { ...besides(derived, rest), ...draft };
  return withCustom(plain, Object.keys(more).length === 0 ? [] : [{ property: "jsonSchema", value: more }]);
};

/** The schema of one of a contract, as whoever gave it wrote it: without a draft where it named none. */
export const toJsonSchema = (schema: OdcsSchema): JsonSchema => {
  const { $schema, ...rest } = schemaOf(schema);
  return typeof $schema === "string" && !$schema.includes("2020-12") ? { $schema, ...rest } : rest;
};
