import { isDeepStrictEqual } from "node:util";
import { compileSchema, type JsonSchema, type Validator } from "./schema.ts";
import { schemaIn, valuesFor } from "./samples.ts";

/**
 * What a change of a contract does to both sides. Producers break where an event that was right is wrong now
 * (`backward` is false); readers may where an event that is right now would have been wrong (`forward` is false).
 */

export type Bump = "none" | "patch" | "minor" | "major";
const bumps: readonly Bump[] = ["none", "patch", "minor", "major"];

export interface Change {
  /** Stable code of what changed, such as `property_removed`. */
  readonly code: string;
  /** JSON Pointer into the schema. */
  readonly path: string;
  readonly backward: boolean;
  readonly forward: boolean;
  readonly bump: Exclude<Bump, "none">;
}

export interface Evolution {
  readonly backward: boolean;
  readonly forward: boolean;
  /** Whether released producers, or readers, have to change. */
  readonly breaking: boolean;
  readonly bump: Bump;
  readonly changes: readonly Change[];
  /** An event that was right and is wrong now. */
  readonly refusedNow?: { readonly event: unknown };
  /** An event that is right now and was wrong before. */
  readonly acceptedNow?: { readonly event: unknown };
}

type Kind = "wider" | "narrower" | "other" | "meaning" | "words";
const effects = {
  wider: { backward: true, forward: false, bump: "minor" },
  narrower: { backward: false, forward: true, bump: "major" },
  other: { backward: false, forward: false, bump: "major" },
  meaning: { backward: true, forward: true, bump: "major" },
  words: { backward: true, forward: true, bump: "patch" },
} as const satisfies Record<Kind, Omit<Change, "code" | "path">>;

const change = (code: string, path: string, kind: Kind, more: Partial<Change> = {}): Change => ({ code, path, ...effects[kind], ...more }); // prettier-ignore

const snake = (keyword: string): string => keyword.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll(/\W/g, "_"); // prettier-ignore
const pointer = (path: string, ...parts: readonly string[]): string =>
  `${path}${parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("")}`;
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const has = (list: readonly unknown[], value: unknown): boolean => list.some((one) => isDeepStrictEqual(one, value));

interface Sides {
  readonly old: JsonSchema;
  readonly now: JsonSchema;
  readonly path: string;
}

/** The types that a schema takes; those of its closed list where it names none. Undefined for any. */
const typesOf = (schema: JsonSchema): readonly string[] | undefined => {
  const { type } = schema;
  if (type !== undefined) return typeof type === "string" ? [type] : listOf(type).map(String);
  const values = "const" in schema ? [schema["const"]] : listOf(schema["enum"]);
  if (values.length === 0) return undefined;
  return [...new Set(values.map((value) => (value === null ? "null" : Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value)))]; // prettier-ignore
};

/** Whether every value of the one types is also of the others; a whole number is a number. */
const within = (inner: readonly string[] | undefined, outer: readonly string[] | undefined): boolean =>
  outer === undefined ||
  (inner !== undefined &&
    inner.every((type) => outer.includes(type) || (type === "integer" && outer.includes("number"))));

const typeChange = ({ old, now, path }: Sides): Change[] => {
  const [before, after] = [typesOf(old), typesOf(now)];
  const [grows, shrinks] = [within(before, after), within(after, before)];
  if (grows && shrinks) return [];
  const place = pointer(path, "type");
  if (grows) return "type" in old || "type" in now ? [change("type_widened", place, "wider")] : [];
  if (shrinks) return "enum" in now || "const" in now ? [] : [change("type_narrowed", place, "narrower")];
  return [change("type_changed", place, "other")];
};

const closedLists = ({ old, now, path }: Sides): Change[] => {
  const place = pointer(path, "enum");
  if (!("enum" in old)) return "enum" in now ? [change("enum_added", place, "narrower")] : [];
  if (!("enum" in now)) return [change("enum_removed", place, "wider")];
  const [before, after] = [listOf(old["enum"]), listOf(now["enum"])];
  return [
    ...(before.some((value) => !has(after, value)) ? [change("enum_value_removed", place, "narrower")] : []),
    ...(after.some((value) => !has(before, value)) ? [change("enum_value_added", place, "wider")] : []),
  ];
};

/** A bound, and whether a higher one lets less through. */
const bounds: Readonly<Record<string, "lower" | "upper">> = {
  minimum: "lower",
  exclusiveMinimum: "lower",
  minLength: "lower",
  minItems: "lower",
  minProperties: "lower",
  minContains: "lower",
  formatMinimum: "lower",
  formatExclusiveMinimum: "lower",
  maximum: "upper",
  exclusiveMaximum: "upper",
  maxLength: "upper",
  maxItems: "upper",
  maxProperties: "upper",
  maxContains: "upper",
  formatMaximum: "upper",
  formatExclusiveMaximum: "upper",
};

const boundChange = ({ old, now, path }: Sides, keyword: string): Change[] => {
  const [before, after] = [old[keyword] as number | undefined, now[keyword] as number | undefined]; // dates compare as texts
  if (isDeepStrictEqual(before, after)) return [];
  const [name, place] = [snake(keyword), pointer(path, keyword)];
  if (before === undefined || after === undefined)
    return [
      before === undefined ? change(`${name}_added`, place, "narrower") : change(`${name}_removed`, place, "wider"),
    ];
  const isUp = after > before;
  const isTighter = isUp === (bounds[keyword] === "lower");
  return [change(`${name}_${isUp ? "increased" : "decreased"}`, place, isTighter ? "narrower" : "wider")];
};

const multipleChange = ({ old, now, path }: Sides): Change[] => {
  const [before, after] = [old["multipleOf"], now["multipleOf"]];
  const place = pointer(path, "multipleOf");
  if (before === after) return [];
  if (typeof before !== "number") return [change("multiple_of_added", place, "narrower")];
  if (typeof after !== "number") return [change("multiple_of_removed", place, "wider")];
  const isWhole = (ratio: number) => Math.abs(ratio - Math.round(ratio)) < 1e-9;
  if (isWhole(after / before)) return [change("multiple_of_expanded", place, "narrower")];
  return [isWhole(before / after) ? change("multiple_of_reduced", place, "wider") : change("multiple_of_changed", place, "other")]; // prettier-ignore
};

/** Keywords that restrict by being there, and of which two values cannot be compared. */
const restrictions = ["pattern", "format", "const", "contains", "propertyNames", "not"] as const;
const restrictionChange = ({ old, now, path }: Sides, keyword: string): Change[] => {
  if (isDeepStrictEqual(old[keyword], now[keyword])) return [];
  const [name, place] = [snake(keyword), pointer(path, keyword)];
  if (!(keyword in old)) return [change(`${name}_added`, place, "narrower")];
  return [keyword in now ? change(`${name}_changed`, place, "other") : change(`${name}_removed`, place, "wider")];
};

const uniqueChange = ({ old, now, path }: Sides): Change[] => {
  const [before, after] = [old["uniqueItems"] === true, now["uniqueItems"] === true];
  if (before === after) return [];
  return [after ? change("unique_items_added", pointer(path, "uniqueItems"), "narrower") : change("unique_items_removed", pointer(path, "uniqueItems"), "wider")]; // prettier-ignore
};

const isClosed = (schema: JsonSchema): boolean =>
  schema["additionalProperties"] === false || schema["unevaluatedProperties"] === false;

const extraChange = (sides: Sides): Change[] => {
  const { old, now, path } = sides;
  const place = pointer(path, "additionalProperties");
  if (isClosed(old) !== isClosed(now))
    return [isClosed(now) ? change("additional_properties_closed", place, "narrower") : change("additional_properties_opened", place, "wider")]; // prettier-ignore
  const [before, after] = [old["additionalProperties"], now["additionalProperties"]];
  const [restricts, restricted] = [typeof after === "object", typeof before === "object"];
  if (restricts && restricted) return differences({ old: schemaIn(before), now: schemaIn(after), path: place });
  if (restricts === restricted) return [];
  return [restricts ? change("additional_properties_narrowed", place, "narrower") : change("additional_properties_widened", place, "wider")]; // prettier-ignore
};

const propertyChanges = ({ old, now, path }: Sides): Change[] => {
  const [before, after] = [schemaIn(old["properties"]), schemaIn(now["properties"])];
  const [neededBefore, neededNow] = [listOf(old["required"]), listOf(now["required"])];
  const names = [
    ...new Set([...Object.keys(before), ...Object.keys(after), ...[...neededBefore, ...neededNow].map(String)]),
  ];
  return names.flatMap((name): Change[] => {
    const place = pointer(path, "properties", name);
    const [was, is] = [neededBefore.includes(name), neededNow.includes(name)];
    if (Object.hasOwn(before, name) && !Object.hasOwn(after, name) && !is)
      // where others may come, so may this one, with any type or not at all
      return [change("property_removed", place, "other", isClosed(now) ? { forward: !was } : { backward: true })];
    if (!Object.hasOwn(before, name) && Object.hasOwn(after, name) && !was) {
      if (is) return [change("required_property_added", place, "other", isClosed(old) ? {} : { forward: true })];
      // where others could come, this one may have come already, with another type
      return [isClosed(old) ? change("optional_property_added", place, "wider") : change("optional_property_added", place, "narrower", { bump: "minor" })]; // prettier-ignore
    }
    const need = pointer(path, "required", name);
    return [
      ...(is && !was ? [change("property_made_required", need, "narrower")] : []),
      ...(was && !is ? [change("property_made_optional", need, "wider")] : []),
      ...(Object.hasOwn(before, name) && Object.hasOwn(after, name)
        ? differences({ old: schemaIn(before[name]), now: schemaIn(after[name]), path: place })
        : []),
    ];
  });
};

const dependentChanges = ({ old, now, path }: Sides): Change[] => {
  const [before, after] = [schemaIn(old["dependentRequired"]), schemaIn(now["dependentRequired"])];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) => {
    const [was, is] = [listOf(before[name]), listOf(after[name])];
    const place = pointer(path, "dependentRequired", name);
    return [
      ...(is.some((one) => !was.includes(one)) ? [change("dependent_required_added", place, "narrower")] : []),
      ...(was.some((one) => !is.includes(one)) ? [change("dependent_required_removed", place, "wider")] : []),
    ];
  });
};

const itemChanges = ({ old, now, path }: Sides): Change[] => {
  const place = pointer(path, "items");
  if (isDeepStrictEqual(old["items"], now["items"])) return [];
  if (!("items" in old)) return [change("items_added", place, "narrower")];
  if (!("items" in now)) return [change("items_removed", place, "wider")];
  return differences({ old: schemaIn(old["items"]), now: schemaIn(now["items"]), path: place });
};

/** Branches that came or went. More branches let more through where any will do, and less where all must. */
const branchChanges = ({ old, now, path }: Sides, keyword: "oneOf" | "anyOf" | "allOf"): Change[] => {
  if (isDeepStrictEqual(old[keyword], now[keyword])) return [];
  const [before, after] = [listOf(old[keyword]), listOf(now[keyword])];
  const [name, place] = [snake(keyword), pointer(path, keyword)];
  const [gone, come] = [before.some((one) => !has(after, one)), after.some((one) => !has(before, one))];
  if (gone && come) return [change(`${name}_changed`, place, "other")];
  const isAll = keyword === "allOf";
  if (before.length === 0) return [change(`${name}_added`, place, "narrower")];
  if (after.length === 0) return [change(`${name}_removed`, place, "wider")];
  if (come) return [change(`${name}_branch_added`, place, isAll ? "narrower" : "wider")];
  return gone ? [change(`${name}_branch_removed`, place, isAll ? "wider" : "narrower")] : [];
};

/** Keywords of which any change is taken to break both sides, until a witness shows which. */
const opaque = ["if", "then", "else", "patternProperties", "dependentSchemas", "prefixItems", "unevaluatedItems", "dependencies"]; // prettier-ignore
const words = ["title", "description", "examples", "$comment", "default", "readOnly", "writeOnly", "x-owner", "x-tags", "x-order"]; // prettier-ignore
const classes = ["public", "internal", "confidential", "personal", "restricted"];

const classChanges = ({ old, now, path }: Sides): Change[] => {
  const rank = (schema: JsonSchema) => {
    const named = schema["x-classification"];
    return typeof named === "string" ? classes.indexOf(named) : 0;
  };
  const place = pointer(path, "x-classification");
  const up = rank(now) - rank(old);
  const held = up === 0 ? [] : [up > 0 ? change("classification_raised", place, "meaning", { bump: "minor" }) : change("classification_lowered", place, "meaning")]; // prettier-ignore
  const [was, is] = [old["x-pii"] === true, now["x-pii"] === true];
  if (was === is) return held;
  return [...held, is ? change("pii_flag_added", pointer(path, "x-pii"), "meaning", { bump: "minor" }) : change("pii_flag_removed", pointer(path, "x-pii"), "meaning")]; // prettier-ignore
};

const meaningChanges = ({ old, now, path }: Sides): Change[] => {
  const known = new Set([...words, "x-classification", "x-pii"]);
  const own = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((key) => key.startsWith("x-") && !known.has(key)); // prettier-ignore
  return own
    .filter((key) => !isDeepStrictEqual(old[key], now[key]))
    .map((key) => change("semantics_changed", pointer(path, key), "meaning"));
};

const wordChanges = ({ old, now, path }: Sides): Change[] => [
  ...(words.some((key) => !isDeepStrictEqual(old[key], now[key]))
    ? [change("documentation_changed", path, "words")]
    : []),
  ...(old["deprecated"] !== true && now["deprecated"] === true ? [change("property_deprecated", path, "words")] : []),
  ...(old["deprecated"] === true && now["deprecated"] !== true ? [change("property_undeprecated", path, "words")] : []),
];

/** The values of a closed list; undefined where there is none. */
const listed = (schema: JsonSchema): readonly unknown[] | undefined => {
  if ("const" in schema) return [schema["const"]];
  return "enum" in schema ? listOf(schema["enum"]) : undefined;
};

/** Where a side is a closed list, each of its values tells exactly what the rules together do to it. */
const exactly = ({ old, now }: Sides, changes: readonly Change[]): Change[] => {
  const allTaken = (values: readonly unknown[] | undefined, schema: JsonSchema): boolean =>
    values !== undefined && values.every((value) => compileSchema(schema)(value).length === 0);
  if (changes.every(({ backward, forward }) => backward && forward)) return [...changes];
  const [keepsOld, keepsNow] = [allTaken(listed(old), now), allTaken(listed(now), old)];
  return changes.map((made) => ({
    ...made,
    ...(keepsOld && !made.backward ? { backward: true, bump: "minor" as const } : {}),
    ...(keepsNow ? { forward: true } : {}),
  }));
};

/** Every change from one schema to another, the innermost place of each. */
const differences = (sides: Sides): Change[] => exactly(sides, rulesChanged(sides));

const rulesChanged = (sides: Sides): Change[] => {
  const types = typeChange(sides);
  const besides = [...classChanges(sides), ...meaningChanges(sides), ...wordChanges(sides)];
  // nothing else can be compared of two things that have nothing in common
  if (types.some(({ code }) => code === "type_changed")) return [...types, ...besides];
  const { old, now, path } = sides;
  return [
    ...types,
    ...closedLists(sides),
    ...Object.keys(bounds).flatMap((keyword) => boundChange(sides, keyword)),
    ...multipleChange(sides),
    ...restrictions.flatMap((keyword) => restrictionChange(sides, keyword)),
    ...uniqueChange(sides),
    ...extraChange(sides),
    ...propertyChanges(sides),
    ...dependentChanges(sides),
    ...itemChanges(sides),
    ...(["oneOf", "anyOf", "allOf"] as const).flatMap((keyword) => branchChanges(sides, keyword)),
    ...opaque
      .filter((keyword) => !isDeepStrictEqual(old[keyword], now[keyword]))
      .map((keyword) => change(`${snake(keyword)}_changed`, pointer(path, keyword), "other")),
    ...besides,
  ];
};

const deepest = 20;
/** References may lead to others, and each to several: so many are followed, and the rest takes anything. */
const mostReferences = 1_000;

/**
 * The schema with what it refers to in place of the references, so that both sides can be compared where they lie.
 * What lies within itself is shown once.
 */
const resolved = (root: JsonSchema): JsonSchema => {
  let left = mostReferences;
  const read = (schema: unknown, depth: number, within: readonly string[]): unknown => {
    if (typeof schema !== "object" || schema === null || depth > deepest) return schema;
    if (Array.isArray(schema)) return schema.map((one) => read(one, depth + 1, within));
    const { $ref, $defs: _, definitions: __, ...own } = schema as Record<string, unknown>;
    const entries = Object.entries(own).map(([key, value]) => [key, read(value, depth + 1, within)] as const);
    const isFollowed = typeof $ref === "string" && $ref.startsWith("#/") && !within.includes($ref) && left > 0;
    if (!isFollowed) return Object.fromEntries(entries);
    left -= 1;
    const target = $ref
      .slice(2)
      .split("/")
      .reduce<unknown>((at, part) => schemaIn(at)[part], root);
    return { ...schemaIn(read(target, depth + 1, [...within, $ref])), ...Object.fromEntries(entries) };
  };
  return schemaIn(read(root, 0, []));
};

const firstWhere = (events: readonly unknown[], right: Validator, wrong: Validator): { event: unknown } | undefined => {
  const found = events.findIndex((event) => right(event).length === 0 && wrong(event).length > 0);
  return found < 0 ? undefined : { event: events[found] };
};

/**
 * Compares two versions of a schema. What the comparison of the rules says is held against thousands of small events:
 * an event that only one of the versions takes overrules it, and is given as the witness.
 */
export const compareSchemas = (old: JsonSchema, now: JsonSchema): Evolution => {
  const [before, after] = [resolved(old), resolved(now)];
  const changes = differences({ old: before, now: after, path: "" });
  const events = changes.length === 0 ? [] : [...valuesFor([before, after]), ...valuesFor([after, before])];
  const [takesOld, takesNow] = [compileSchema(old), compileSchema(now)];
  const refusedNow = firstWhere(events, takesOld, takesNow);
  const acceptedNow = firstWhere(events, takesNow, takesOld);
  const breaking = changes.some(({ bump }) => bump === "major");
  const bump = bumps.findLast((one) => changes.some((made) => made.bump === one)) ?? "none";
  return {
    backward: changes.every((made) => made.backward) && refusedNow === undefined,
    forward: changes.every((made) => made.forward) && acceptedNow === undefined,
    breaking,
    bump,
    changes,
    ...(refusedNow === undefined ? {} : { refusedNow }),
    ...(acceptedNow === undefined ? {} : { acceptedNow }),
  };
};
