import { createHash } from "node:crypto";
import { Ajv, type ErrorObject, type Options } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { RE2JS } from "re2js";
import { Refusal } from "#kernel/refusal.ts";
import type { Breach } from "#records/events/gate.ts";

/** A JSON Schema: 2020-12 as we write it, 2019-09 and draft-07 as others do. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What kind of rule an event broke; `unplanned_event` is for names that no contract has. */
export const rules = [
  "required_missing",
  "type_mismatch",
  "unplanned_property",
  "constraint",
  "unplanned_event",
] as const;
export type Rule = (typeof rules)[number];

/** One way in which an event breaks its contract. It never holds the value itself. */
export interface Violation extends Breach {
  readonly rule: Rule;
  readonly schemaPath: string;
}

export interface Validator {
  /** At most 20 violations; none where the value is as it should be. */
  (value: unknown): readonly Violation[];
}

const mostViolations = 20;
const mostSchemaBytes = 1_000_000;
const mostPattern = 1_000;

/** Patterns of a contract run on every event, so they run in linear time: RE2, without look-around. */
const linear = Object.assign(
  (pattern: string) => {
    if (pattern.length > mostPattern) throw new Error(`a pattern may have ${mostPattern} characters`);
    const compiled = RE2JS.compile(pattern);
    // the validator tells patterns apart by their text
    return { test: (text: string) => compiled.matcher(text).find(), toString: () => pattern };
  },
  { code: "new RE2" },
);

const options: Options = {
  allErrors: true,
  ownProperties: true, // `constructor` is no property of {}
  multipleOfPrecision: 6, // 19.99 is a multiple of 0.01
  strict: false,
  validateFormats: true,
  code: { regExp: linear as never }, // its type wants a RegExp; only `test` is used
};

/** The dialect that a schema says it is in. */
const dialectOf = (schema: JsonSchema): Ajv => {
  const named = typeof schema["$schema"] === "string" ? schema["$schema"] : "";
  if (/draft-0[67]/.test(named)) return new Ajv(options);
  return named.includes("2019-09") ? new Ajv2019(options) : new Ajv2020(options);
};

const typeOf = (value: unknown): string => {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
};

const escaped = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");

/** The property that an error is about, where that is not the place at which it was found. */
const propertyOf = ({ params }: ErrorObject): string | undefined => {
  const named: unknown =
    params["missingProperty"] ??
    params["additionalProperty"] ??
    params["unevaluatedProperty"] ??
    params["propertyName"];
  return typeof named === "string" ? named : undefined;
};

const ruleOf = (keyword: string): Rule => {
  if (keyword === "required" || keyword === "dependentRequired" || keyword === "dependencies")
    return "required_missing";
  if (keyword === "type") return "type_mismatch";
  return keyword === "additionalProperties" || keyword === "unevaluatedProperties"
    ? "unplanned_property"
    : "constraint";
};

/** Bounds of dates are keywords of their own in the validator. */
const plainKeyword = (keyword: string): string => {
  const bound = /^format(Exclusive)?(Minimum|Maximum)$/.exec(keyword);
  return bound === null ? keyword : `${bound[1] === undefined ? "" : "exclusive"}${bound[1] === undefined ? (bound[2] ?? "").toLowerCase() : bound[2]}`; // prettier-ignore
};

/** Of a choice it is told that nothing fitted, and not what each of its branches would have wanted. */
const isOfBranch = (error: ErrorObject, all: readonly ErrorObject[]): boolean =>
  /\/(oneOf|anyOf)\/\d+\//.test(error.schemaPath) ||
  (/^#\/(\$defs|definitions)\//.test(error.schemaPath) &&
    all.some(
      (choice) =>
        (choice.keyword === "oneOf" || choice.keyword === "anyOf") &&
        choice !== error &&
        error.instancePath.startsWith(choice.instancePath),
    ));

const expectedOf = ({ keyword, schema, params }: ErrorObject): string => {
  if (keyword === "required" || keyword === "dependentRequired") return "present";
  if (keyword === "additionalProperties" || keyword === "unevaluatedProperties") return "absent";
  if (keyword === "enum") return `one of ${JSON.stringify(params["allowedValues"])}`.slice(0, 200);
  return `${keyword} ${JSON.stringify(params["limit"] ?? params["type"] ?? params["pattern"] ?? params["format"] ?? schema ?? true)}`.slice(0, 200); // prettier-ignore
};

const valueAt = (root: unknown, pointer: string): unknown =>
  pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>(
      (value, part) =>
        typeof value === "object" && value !== null && Object.hasOwn(value, part)
          ? (value as Record<string, unknown>)[part]
          : undefined,
      root,
    );

const violationOf = (error: ErrorObject, root: unknown): Violation => {
  const keyword = plainKeyword(error.keyword);
  const property = propertyOf(error);
  const path = property === undefined ? error.instancePath : `${error.instancePath}/${escaped(property)}`;
  const expected = expectedOf(error);
  const actualType = typeOf(valueAt(root, path));
  const place = path === "" ? "The event" : path;
  const says = {
    required_missing: `${place} is missing.`,
    type_mismatch: `${place} should be ${String(error.params["type"])}; it is ${actualType}.`,
    unplanned_property: `${place} is not in the contract.`,
    constraint: `${place} should have ${expected}.`,
    unplanned_event: `No contract has this event.`,
  } satisfies Record<Rule, string>;
  const rule = ruleOf(keyword);
  return { rule, path, keyword, message: says[rule], expected, actualType, schemaPath: error.schemaPath };
};

interface Compiled {
  readonly validate: Validator;
  /** Names of the properties of a value that are not as they should be by themselves, whether or not they may be there. */
  readonly faulty: (value: object) => ReadonlySet<string>;
}

const known = new WeakMap<JsonSchema, Compiled>();
const compiled = new Map<string, Compiled>();
const mostCompiled = 2_000;

const compiledFrom = (text: string, schema: JsonSchema): Compiled => {
  // an instance of its own: what one has compiled it never lets go of
  const ajv = dialectOf(schema);
  addFormats.default(ajv, { mode: "full", keywords: true });
  const run = ajv.compile(JSON.parse(text));
  const errorsOf = (value: unknown): readonly ErrorObject[] => (run(value) ? [] : (run.errors ?? []));
  return {
    validate: (value) => {
      const all = errorsOf(value);
      return all
        .filter((error) => error.keyword !== "if" && !isOfBranch(error, all))
        .slice(0, mostViolations)
        .map((error) => violationOf(error, value));
    },
    faulty: (value) => {
      const names = errorsOf(value).map(({ instancePath }) => instancePath.split("/")[1] ?? "");
      return new Set(names.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~")));
    },
  };
};

const compiledOf = (schema: JsonSchema): Compiled => {
  const same = known.get(schema);
  if (same !== undefined) return same;
  const text = JSON.stringify(schema);
  if (text.length > mostSchemaBytes)
    throw new Refusal("contract.schema", `A schema may have ${mostSchemaBytes} bytes; this one has ${text.length}.`);
  const hash = createHash("sha256").update(text).digest("hex");
  try {
    const found = compiled.get(hash) ?? compiledFrom(text, schema);
    if (compiled.size >= mostCompiled) compiled.delete(compiled.keys().next().value ?? "");
    compiled.set(hash, found);
    known.set(schema, found);
    return found;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal("contract.schema", `The schema cannot be compiled: ${why.slice(0, 300)}.`);
  }
};

/**
 * Compiles a schema, once for each content. Throws `contract.schema` for one that cannot be: an unknown type, a
 * pattern that is no RE2, a reference to what is not there, or more than a megabyte.
 */
export const compileSchema = (schema: JsonSchema): Validator => compiledOf(schema).validate;

/** Which properties of an object a schema finds wrong; none where the schema cannot be compiled. */
export const faultyProperties = (schema: JsonSchema, value: object): ReadonlySet<string> => {
  try {
    return compiledOf(schema).faulty(value);
  } catch (error) {
    if (error instanceof Refusal) return new Set();
    throw error;
  }
};
