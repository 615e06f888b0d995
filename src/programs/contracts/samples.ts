import { isDeepStrictEqual } from "node:util";
import { faultyProperties, type JsonSchema } from "./schema.ts";

/** Values that a schema might take or refuse, small and many: what a witness is found among. */

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textsOf = (value: unknown): readonly string[] => listOf(value).filter((one) => typeof one === "string");
export const schemaIn = (value: unknown): JsonSchema => (isObject(value) ? value : {});

/** One of every kind. */
const oneOfEach: readonly unknown[] = ["x", "", "1", 0, 1, 1.5, -1, true, null, [], ["x"], [1], {}, { z: 1 }];

const byFormat: Readonly<Record<string, string>> = {
  date: "2026-01-15",
  "date-time": "2026-01-15T12:30:45Z",
  time: "12:30:45Z",
  email: "a@example.com",
  uuid: "550e8400-e29b-41d4-a716-446655440000",
  uri: "https://example.com/",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  duration: "P1D",
};

/** A text that a simple pattern takes: literals, classes, groups and how often. What is not simple gives some text. */
const textFor = (pattern: string): string => {
  const classes: Readonly<Record<string, string>> = { d: "1", w: "a", s: " ", D: "a", W: "-", S: "a" };
  let out = "";
  let rest = pattern.replace(/^\^/, "").replace(/\$$/, "");
  for (let left = 200; rest !== "" && left > 0; left -= 1) {
    const part = /^(?:\[(\^?)((?:\\.|[^\]])+)\]|\\(.)|\(\?:([^()|]*)[^()]*\)|\(([^()|]*)[^()]*\)|(.))(\{(\d+)[^}]*\}|[+*?])?/s.exec(rest); // prettier-ignore
    if (part === null) break;
    const [all, not, set, escape, soft, group, plain, , count] = part;
    const inSet = set === undefined ? undefined : not === "^" ? "~" : set.startsWith("\\") ? (classes[set[1] ?? ""] ?? set[1]) : set[0]; // prettier-ignore
    const inner = soft ?? group;
    const piece = inSet ?? (escape === undefined ? undefined : (classes[escape] ?? escape)) ?? (inner === undefined ? undefined : textFor(inner)) ?? (plain === "." ? "a" : plain) ?? ""; // prettier-ignore
    out += piece.repeat(count === undefined ? 1 : Math.min(Number(count), 100));
    rest = rest.slice(all.length);
  }
  return out;
};

const numbersOf = (schema: JsonSchema): number[] => {
  const limits = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
    .map((name) => schema[name])
    .filter((limit) => typeof limit === "number");
  return limits.flatMap((limit) => [
    limit - 1,
    limit - 0.5,
    limit,
    limit + 0.5,
    limit + 1,
    limit * 2,
    limit * 3,
    limit * 10,
  ]);
};

const textsFor = (schema: JsonSchema): string[] => {
  const lengths = ["minLength", "maxLength"].map((name) => schema[name]).filter((length) => typeof length === "number");
  const sized = lengths.flatMap((length) => [length - 1, length, length + 1]).filter((length) => length >= 0);
  const format = typeof schema["format"] === "string" ? byFormat[schema["format"]] : undefined;
  const bounds = ["formatMinimum", "formatMaximum", "formatExclusiveMinimum", "formatExclusiveMaximum"].map((name) => schema[name]); // prettier-ignore
  const days = bounds.filter((bound) => typeof bound === "string").flatMap((day) => [day, "1000-01-01", "9000-01-01"]);
  const pattern = typeof schema["pattern"] === "string" ? [textFor(schema["pattern"])] : [];
  return [...sized.map((length) => "x".repeat(Math.min(length, 5_000))), ...(format === undefined ? [] : [format]), ...days, ...pattern]; // prettier-ignore
};

/** Lists of which one part is one of several, in the lengths that the schemas speak of. */
const arraysFor = (schemas: readonly JsonSchema[], depth: number): unknown[][] => {
  const items =
    depth > 3
      ? ["x"]
      : valuesFor(
          schemas.map((schema) => schemaIn(schema["items"])),
          depth + 1,
        );
  const limits = schemas
    .flatMap((schema) => [schema["minItems"], schema["maxItems"]])
    .filter((n) => typeof n === "number");
  const lengths = [...new Set([1, 2, ...limits.flatMap((n) => [n - 1, n, n + 1])])].filter((n) => n >= 0 && n <= 200);
  const few = items.slice(0, 60);
  return [
    [],
    ...few.map((item) => [item]),
    ...lengths.flatMap((length) => few.slice(0, 12).map((item) => Array.from({ length }, () => item))),
    ...lengths.map((length) => Array.from({ length }, (_, at) => few[at % Math.max(1, few.length)])),
  ];
};

const propertiesOf = (schema: JsonSchema): Readonly<Record<string, unknown>> => schemaIn(schema["properties"]);

/** Values of each name to choose from. */
type Choices = ReadonlyMap<string, readonly unknown[]>;

/** Of each of the names the first value that all of the schemas take; if there is none, that the first of them takes. */
const fitting = (names: readonly string[], choices: Choices, schemas: readonly JsonSchema[]) => {
  const values = new Map<string, unknown>();
  const search = (open: readonly string[], wanted: readonly JsonSchema[]): readonly string[] => {
    let left = open;
    for (let at = 0; left.length > 0; at += 1) {
      const tried = left.filter((name) => at < (choices.get(name)?.length ?? 0));
      if (tried.length === 0) break;
      for (const name of tried) values.set(name, choices.get(name)?.[at]);
      const event = Object.fromEntries(tried.map((name) => [name, values.get(name)]));
      const wrong = wanted.map((schema) => faultyProperties(schema, event));
      left = left.filter((name) => !values.has(name) || wrong.some((faulty) => faulty.has(name)) || !(name in event));
    }
    return left;
  };
  const unfit = search(names, schemas);
  for (const name of search(unfit, schemas.slice(0, 1))) values.delete(name);
  return values;
};

/** Tells which properties the schemas can differ in: in what they say of each, or in what they say of all together. */
const differing = (names: readonly string[], schemas: readonly JsonSchema[]): readonly string[] => {
  const [first = {}, ...others] = schemas;
  const rest = (schema: JsonSchema) => ({ ...schema, properties: undefined, required: undefined });
  const isWhole = others.length === 0 || others.some((other) => !isDeepStrictEqual(rest(first), rest(other)));
  const needs = new Map(schemas.map((schema) => [schema, new Set(textsOf(schema["required"]))]));
  return names.filter((name) =>
    isWhole || others.some((other) =>
      needs.get(first)?.has(name) !== needs.get(other)?.has(name) ||
      !isDeepStrictEqual(propertiesOf(first)[name], propertiesOf(other)[name]))); // prettier-ignore
};

/** Events to try, and properties in all of them together. */
const [mostEvents, mostProperties] = [20_000, 3_000_000];

/** Objects around those that just fit: each property left out or otherwise, and one that nobody planned. */
const objectsFor = (schemas: readonly JsonSchema[], depth: number): Record<string, unknown>[] => {
  const names = [...new Set(schemas.flatMap((schema) => [...Object.keys(propertiesOf(schema)), ...textsOf(schema["required"])]))]; // prettier-ignore
  const own = (name: string) => schemas.map((schema) => schemaIn(propertiesOf(schema)[name]));
  const choices: Choices = new Map(names.map((name) => [name, [...valuesFor(own(name), depth + 1), ...oneOfEach]]));
  // what fits one of them as barely as can be, and as fully; and what fits all at once
  const fits = [...schemas.map((schema) => [schema]), schemas].flatMap((wanted) => {
    const needed = [...new Set(wanted.flatMap((schema) => textsOf(schema["required"])))];
    const full = [...new Set([...needed, ...wanted.flatMap((schema) => Object.keys(propertiesOf(schema)))])];
    const values = fitting(full, choices, wanted);
    return [needed, full].map((chosen) => Object.fromEntries(chosen.map((name) => [name, values.get(name)])));
  });
  const bases = [...new Map(fits.map((base) => [JSON.stringify(base), base])).values()];
  const most = depth === 0 ? Math.min(mostEvents, Math.ceil(mostProperties / (names.length + 1))) : 60;
  const found: Record<string, unknown>[] = bases.flatMap((base) => [base, { ...base, z: 1 }]);
  const varied = differing(names, schemas);
  const turn = (change: (base: Record<string, unknown>, name: string) => void): void => {
    for (const name of varied) for (const base of bases) if (found.length < most) change(base, name);
  };
  turn((base, name) => {
    const { [name]: _, ...without } = base;
    found.push(without, { [name]: choices.get(name)?.[0] });
  });
  // one value of each property after another, so that each has its turn before there are too many
  const longest = varied.reduce((length, name) => Math.max(length, choices.get(name)?.length ?? 0), 0);
  for (let at = 0; at < longest && found.length < most; at += 1)
    turn((base, name) => {
      const values = choices.get(name) ?? [];
      if (at < values.length) found.push({ ...base, [name]: values[at] });
    });
  return found.slice(0, most);
};

/** Values to try on any of the schemas; those that should fit the first come first. */
export const valuesFor = (given: readonly JsonSchema[], depth = 0): unknown[] => {
  if (depth > 6) return ["x"];
  const branches = given.flatMap((schema) => [...listOf(schema["oneOf"]), ...listOf(schema["anyOf"]), ...listOf(schema["allOf"])].map(schemaIn)); // prettier-ignore
  const schemas = [...given, ...branches];
  const typesOf = (schema: JsonSchema): readonly unknown[] => (typeof schema["type"] === "string" ? [schema["type"]] : listOf(schema["type"])); // prettier-ignore
  const hasType = (type: string) => schemas.some((schema) => typesOf(schema).includes(type));
  const closed = schemas.flatMap((schema) => [
    ...listOf(schema["enum"]),
    ...("const" in schema ? [schema["const"]] : []),
  ]);
  const texts = schemas.flatMap(textsFor);
  const hasLists = hasType("array") || schemas.some((schema) => "items" in schema);
  const hasObjects = hasType("object") || schemas.some((schema) => "properties" in schema || "required" in schema);
  const found = [
    ...closed,
    ...texts,
    ...(hasType("string") ? ["x", "y", "q"] : []),
    ...schemas.flatMap(numbersOf),
    ...(hasType("integer") || hasType("number") ? [1, 5, 0, 10, 15, 1.5, -1, 1_000_000] : []),
    ...(hasType("boolean") ? [true, false] : []),
    ...(hasLists ? arraysFor(schemas, depth) : []),
    ...(hasObjects ? objectsFor(schemas, depth) : []),
    ...oneOfEach,
  ];
  return depth === 0 ? found : found.slice(0, 120);
};
