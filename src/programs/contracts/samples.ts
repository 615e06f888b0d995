import { compileSchema, type JsonSchema } from "./schema.ts";

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

/** Whether a schema takes a value; one that cannot be compiled by itself takes anything. */
const takes = (schema: JsonSchema, value: unknown): boolean => {
  try {
    return compileSchema(schema)(value).length === 0;
  } catch {
    return true;
  }
};

/** Objects around those that just fit: each property left out or otherwise, and one that nobody planned. */
const objectsFor = (schemas: readonly JsonSchema[], depth: number): Record<string, unknown>[] => {
  const names = [...new Set(schemas.flatMap((schema) => [...Object.keys(schemaIn(schema["properties"])), ...textsOf(schema["required"])]))]; // prettier-ignore
  const choices = new Map(
    names.map((name) => {
      const own = schemas.map((schema) => schemaIn(schemaIn(schema["properties"])[name]));
      return [name, { own, values: [...valuesFor(own, depth + 1), ...oneOfEach] }] as const;
    }),
  );
  const fitting = (name: string, wanted: readonly JsonSchema[]): unknown => {
    const own = wanted.map((schema) => schemaIn(schemaIn(schema["properties"])[name]));
    const values = choices.get(name)?.values ?? [];
    return values.find((value) => own.every((schema) => takes(schema, value))) ?? values.find((value) => takes(own[0] ?? {}, value)); // prettier-ignore
  };
  // what fits one of them as barely as can be, and as fully; and what fits all at once
  const bases = [...schemas.map((schema) => [schema]), schemas].flatMap((wanted) => {
    const needed = [...new Set(wanted.flatMap((schema) => textsOf(schema["required"])))];
    const full = [...new Set([...needed, ...wanted.flatMap((schema) => Object.keys(schemaIn(schema["properties"])))])];
    return [needed, full].map((chosen) => Object.fromEntries(chosen.map((name) => [name, fitting(name, wanted)])));
  });
  const most = depth === 0 ? 4_000 : 60;
  const found: Record<string, unknown>[] = [...bases];
  for (const base of bases) {
    found.push({ ...base, z: 1 });
    for (const [name, { values }] of choices) {
      const { [name]: _, ...without } = base;
      found.push(without, { [name]: values[0] });
      for (const value of values) found.push({ ...base, [name]: value });
    }
  }
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
