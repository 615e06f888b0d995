import { parse } from "csv-parse/sync";
import { Refusal } from "#kernel/refusal.ts";
import { nameOf, subjectOf, type Odcs, type OdcsSchema } from "../odcs.ts";
import { isFields, toJsonSchema } from "./json-schema.ts";
import { contractsOf, originOf, textOf, versionOf, type Fields, type Plan, type Rule } from "./plan.ts";

/**
 * Tables of tracking plans, a property a row: those of Segment and Avo, and sheets that people keep. Columns are known
 * by their names, whatever their order; those that are not known are kept, and written again.
 */

const columns = {
  of: ["rule type", "event type", "applies to", "call", "method"],
  event: ["event name", "event", "rule name", "tracking plan event", "name"],
  about: ["event description", "description of event"],
  version: ["event version", "version"],
  property: ["property name", "property", "property key", "property path", "field"],
  description: ["property description", "description", "definition"],
  type: ["property type", "data type", "type", "value type"],
  required: ["required", "is required", "property required", "presence", "always sent"],
  values: ["allowed values", "permitted property values", "permitted values", "property values", "enum", "enum values", "values", "matches"],
  pattern: ["pattern", "regex", "regular expression", "regex rules"],
  minimum: ["min", "minimum", "min value"],
  maximum: ["max", "maximum", "max value"],
  format: ["format"],
  list: ["is list", "list", "is array"],
  classification: ["classification", "data class", "sensitivity", "pii"],
  unit: ["unit"],
  propertySchema: ["property schema"],
  eventSchema: ["event schema"],
} as const; // prettier-ignore
type Column = keyof typeof columns;

const [mostRows, mostRules, mostSteps] = [100_000, 2_000, 20];
const header = (text: string): string => text.toLowerCase().replaceAll(/[^a-z]+/g, " ").trim(); // prettier-ignore
const columnOf = (text: string): Column | undefined =>
  (Object.keys(columns) as Column[]).find((column) => (columns[column] as readonly string[]).includes(header(text)));

/** A spreadsheet takes a cell that begins so for a formula. */
const isFormula = /^[=+\-@\t]/;
const cell = (text: string): string => {
  const safe = isFormula.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
const uncell = (text: string): string => (text.startsWith("'") && isFormula.test(text.slice(1)) ? text.slice(1) : text);

const types: Readonly<Record<string, Fields>> = {
  string: { type: "string" },
  text: { type: "string" },
  url: { type: "string", format: "uri" },
  email: { type: "string", format: "email" },
  uuid: { type: "string", format: "uuid" },
  int: { type: "integer" },
  integer: { type: "integer" },
  long: { type: "integer" },
  number: { type: "number" },
  float: { type: "number" },
  double: { type: "number" },
  decimal: { type: "number" },
  numeric: { type: "number" },
  bool: { type: "boolean" },
  boolean: { type: "boolean" },
  object: { type: "object" },
  array: { type: "array" },
  list: { type: "array" },
  date: { type: "string", format: "date" },
  datetime: { type: "string", format: "date-time" },
  "date time": { type: "string", format: "date-time" },
  timestamp: { type: "string", format: "date-time" },
  any: {},
  "": {},
};

const isYes = (text: string): boolean => /^(true|yes|y|1|x|required|always( sent)?)$/i.test(text.trim());

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** A list of values: JSON, or parted by lines, bars, semicolons or commas. */
const valuesIn = (text: string, type: unknown): readonly unknown[] => {
  const json = text.trim().startsWith("[") ? parsed(text) : undefined;
  if (Array.isArray(json)) return json;
  const sign = ["\n", "|", ";", ","].find((one) => text.includes(one)) ?? ",";
  const texts = text.split(sign).map((one) => one.trim().replace(/^"(.*)"$/, "$1")).filter((one) => one !== ""); // prettier-ignore
  if (type === "number" || type === "integer") {
    const numbers = texts.map(Number);
    return numbers.every(Number.isFinite) ? numbers : texts;
  }
  return type === "boolean" ? texts.map((one) => (/^(true|false)$/i.test(one) ? /^true$/i.test(one) : one)) : texts;
};

type Row = Readonly<Record<Column, string>> & { readonly others: Fields };

/** What a row says of its property; throws where it says what cannot be read. */
const schemaOf = (row: Row): Fields => {
  if (row.propertySchema !== "") {
    const whole = parsed(row.propertySchema);
    if (!isFields(whole)) throw new Refusal("plan.cell", `The schema of ${row.property} is no JSON object.`);
    return whole;
  }
  if (row.type.length > 60) throw new Refusal("plan.cell", `${row.property.slice(0, 100)} has a type of ${row.type.length} characters.`); // prettier-ignore
  const named = header(row.type.replaceAll("_", " ")) || row.type.trim();
  const ofList = /^(?:list|array)(?: of)? (.+?)s?$/.exec(named)?.[1] ?? /^(.+?)\s*\[\]$/.exec(row.type.trim().toLowerCase())?.[1]; // prettier-ignore
  const base = types[ofList ?? named];
  if (base === undefined) throw new Refusal("plan.cell", `${row.property} has the type ${row.type.slice(0, 50)}, which is not known. Known are ${Object.keys(types).filter((one) => one !== "").join(", ")}.`); // prettier-ignore
  const numeric = (text: string, name: string): Fields => {
    if (text.trim() === "") return {};
    const limit = Number(text);
    if (!Number.isFinite(limit)) throw new Refusal("plan.cell", `${row.property} has the ${name} ${text.slice(0, 50)}, which is no number.`); // prettier-ignore
    return { [name]: limit };
  };
  const isPattern = /^\/.*\/$|^\^/.test(row.values.trim());
  const pattern = row.pattern !== "" ? row.pattern : isPattern ? row.values.trim() : "";
  const values = row.values.trim() === "" || isPattern ? [] : valuesIn(row.values, base["type"]);
  const one: Fields = {
    ...base,
    ...(row.format === "" ? {} : { format: row.format }),
    ...(pattern === "" ? {} : { pattern: pattern.replace(/^\/(.*)\/$/, "$1") }),
    ...(values.length === 0 ? {} : { enum: values }),
    ...numeric(row.minimum, "minimum"),
    ...numeric(row.maximum, "maximum"),
  };
  const shown = ofList !== undefined || isYes(row.list) ? { type: "array", items: one } : one;
  return {
    ...shown,
    ...(row.description === "" ? {} : { description: row.description }),
    ...(row.classification === "" ? {} : { "x-classification": isYes(row.classification) ? "personal" : /^(no|false|0)$/i.test(row.classification) ? "internal" : row.classification }),
    ...(row.unit === "" ? {} : { "x-unit": row.unit }),
  }; // prettier-ignore
};

interface Node {
  schema: Record<string, unknown>;
}

/** Puts a property into the schema of its event: `address.city` in an object, `items.$.sku` and `items[].sku` in a list. */
const place = (root: Node, path: string, schema: Fields, required: boolean): void => {
  const steps = path.replaceAll("[]", ".$").split(".").filter((one) => one !== ""); // prettier-ignore
  if (steps.length > mostSteps)
    throw new Refusal("plan.deep", `${path.slice(0, 100)} is nested deeper than ${mostSteps}.`);
  let at = root.schema;
  for (const [depth, step] of steps.entries()) {
    const isLast = depth === steps.length - 1;
    if (step === "$") {
      at["type"] = "array";
      at["items"] = { ...(isFields(at["items"]) ? at["items"] : {}), ...(isLast ? schema : {}) };
      at = at["items"] as Record<string, unknown>;
      continue;
    }
    at["type"] ??= "object";
    const properties: Record<string, unknown> = isFields(at["properties"]) ? at["properties"] : {};
    at["properties"] = properties;
    const own = Object.getOwnPropertyDescriptor(properties, step)?.value as unknown;
    const next = { ...(isFields(own) ? own : {}), ...(isLast ? schema : {}) };
    Object.defineProperty(properties, step, { value: next, enumerable: true, configurable: true, writable: true });
    if (isLast && required) at["required"] = [...new Set([...((at["required"] as string[] | undefined) ?? []), step])];
    at = next;
  }
};

const subject = (text: string): Rule["of"] =>
  /identify|person|user/i.test(text) ? "person" : /group|account|company/i.test(text) ? "account" : "event";

export const readCsv = (text: string): Plan => {
  const rows: string[][] = (() => {
    try {
      return parse(text, { bom: true, skip_empty_lines: true, relax_column_count: true, to: mostRows + 2 });
    } catch (error) {
      throw new Refusal("plan.csv", `This is no CSV: ${error instanceof Error ? error.message.slice(0, 300) : "it cannot be read"}`); // prettier-ignore
    }
  })();
  const [names = [], ...body] = rows;
  const known = names.map(columnOf);
  if (!known.includes("event"))
    throw new Refusal("plan.columns", `No column names the event. It is called one of: ${columns.event.join(", ")}; there are ${names.slice(0, 20).join(", ")}.`); // prettier-ignore
  if (body.length > mostRows) throw new Refusal("plan.rows", `A plan may have ${mostRows} rows.`);
  const read = body.map((cells): Row => {
    const own: Record<string, string> = Object.fromEntries(Object.keys(columns).map((column) => [column, ""]));
    const others: Record<string, string> = {};
    for (const [at, name] of names.entries()) {
      const value = uncell(cells[at] ?? "").trim();
      const column = known[at];
      // of two columns for the same the first that says something counts
      if (column === undefined || (own[column] !== "" && value !== "")) {
        if (value !== "") others[name] = value;
      } else if (value !== "") own[column] = value;
    }
    return { ...(own as Record<Column, string>), others };
  });
  const groups = new Map<
    string,
    { first: Row; root: Node; others: Record<string, Fields>; wrong: string | undefined }
  >();
  let last = "";
  for (const [at, row] of read.entries()) {
    // sheets often name the event once, above its properties
    const event = row.event === "" ? last : row.event;
    last = event;
    if (event === "") continue;
    const key = `${subject(row.of)} ${event} ${row.version}`;
    const group = groups.get(key) ?? { first: { ...row, event }, root: { schema: { type: "object" } }, others: {}, wrong: undefined }; // prettier-ignore
    groups.set(key, group);
    if (groups.size > mostRules) throw new Refusal("plan.rules", `A plan may have ${mostRules} events.`);
    // columns of a part are those of the property that it is in
    const owner = row.property.split(/[.[]/)[0] ?? "";
    if (Object.keys(row.others).length > 0) group.others[owner] = { ...group.others[owner], ...row.others };
    try {
      if (row.eventSchema !== "") {
        const given = parsed(row.eventSchema);
        if (!isFields(given)) throw new Refusal("plan.cell", `The schema of ${event} is no JSON object.`);
        group.root.schema = { ...given, ...group.root.schema };
      }
      if (row.property !== "") place(group.root, row.property, schemaOf(row), isYes(row.required));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      group.wrong ??= `Row ${at + 2}: ${error.message}`;
    }
  }
  const fine = [...groups.values()].filter(({ wrong }) => wrong === undefined);
  const rules = fine.map(({ first, root, others }): Rule => ({
    of: subject(first.of),
    name: first.event,
    version: versionOf(first.version),
    description: first.about,
    schema: root.schema,
    rest: Object.keys(others).length === 0 ? {} : { columns: others },
  }));
  const faults = [...groups.values()].flatMap(({ first, wrong }) => (wrong === undefined ? [] : [{ rule: first.event, message: wrong }])); // prettier-ignore
  const unknown = [...new Set(read.flatMap(({ others }) => Object.keys(others)))];
  const notes = unknown.length === 0 ? [] : [`Columns that say nothing of what an event is are kept: ${unknown.join(", ")}.`]; // prettier-ignore
  return { contracts: contractsOf("csv", "", {}, rules), notes, faults };
};

const written: readonly (readonly [Column, string])[] = [
  ["of", "Rule Type"], ["event", "Event Name"], ["about", "Event Description"], ["version", "Event Version"],
  ["property", "Property Name"], ["description", "Property Description"], ["type", "Property Type"], ["required", "Required"],
  ["values", "Allowed Values"], ["pattern", "Pattern"], ["minimum", "Min"], ["maximum", "Max"], ["format", "Format"],
  ["classification", "Classification"], ["unit", "Unit"], ["propertySchema", "Property Schema"], ["eventSchema", "Event Schema"],
]; // prettier-ignore

const blank = Object.fromEntries(Object.keys(columns).map((column) => [column, ""])) as Record<Column, string>;
const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
const sorted = (fields: Fields): Fields => Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1))); // prettier-ignore

/** A property in the columns that people read; also its whole schema where those do not say all of it. */
const propertyCells = (name: string, schema: Fields, required: boolean): Record<Column, string> => {
  const type = typeof schema["type"] === "string" ? schema["type"] : "";
  const plain: Record<Column, string> = {
    ...blank,
    property: name,
    description: textOf(schema["description"]),
    type,
    required: required ? "true" : "false",
    values: Array.isArray(schema["enum"]) ? JSON.stringify(schema["enum"]) : "",
    pattern: textOf(schema["pattern"]),
    minimum: typeof schema["minimum"] === "number" ? String(schema["minimum"]) : "",
    maximum: typeof schema["maximum"] === "number" ? String(schema["maximum"]) : "",
    format: textOf(schema["format"]),
    classification: textOf(schema["x-classification"]),
    unit: textOf(schema["x-unit"]),
  };
  const back = (() => {
    try {
      return schemaOf({ ...plain, others: {} });
    } catch {
      return undefined;
    }
  })();
  const isWhole = back !== undefined && same(sorted(back), sorted(schema)) && Object.values(plain).every((value) => value === value.trim()); // prettier-ignore
  return isWhole ? plain : { ...plain, propertySchema: JSON.stringify(schema) };
};

const calls = { event: "track", person: "identify", account: "group", table: "" } as const;

const rowsOf = (contract: Odcs, schema: OdcsSchema): readonly { cells: Record<Column, string>; others: Fields }[] => {
  const whole = toJsonSchema(schema);
  const required = new Set(Array.isArray(whole["required"]) ? whole["required"] : []);
  const properties = isFields(whole["properties"]) ? whole["properties"] : {};
  // a name with a dot or brackets would read as a path
  const isPlain = Object.entries(properties).every(([name, one]) => isFields(one) && !/[.$[\]]|^$|^\s|\s$/.test(name)) && [...required].every((name) => Object.hasOwn(properties, textOf(name))); // prettier-ignore
  // what the rows say need not be said again; what is there and empty has no row
  const isSaid = (keyword: string, value: unknown): boolean =>
    (keyword === "type" && value === "object") ||
    (isPlain && ((keyword === "required" && required.size > 0) || (keyword === "properties" && Object.keys(properties).length > 0))); // prettier-ignore
  const around = Object.fromEntries(Object.entries(whole).filter(([keyword, value]) => !isSaid(keyword, value)));
  const about = { of: calls[subjectOf(schema)], event: nameOf(schema), about: schema.description ?? "", version: contract.version }; // prettier-ignore
  const first = { ...blank, ...about, eventSchema: Object.keys(around).length === 0 ? "" : JSON.stringify(around) };
  const kept = originOf(contract, "csv")?.rule["columns"];
  const othersOf = (name: string): Fields => (isFields(kept) && isFields(kept[name]) ? kept[name] : {});
  const listed = isPlain ? Object.entries(properties).filter((entry): entry is [string, Fields] => isFields(entry[1])) : []; // prettier-ignore
  const rows = listed.map(([name, one]) => ({ cells: { ...propertyCells(name, one, required.has(name)), ...about }, others: othersOf(name) })); // prettier-ignore
  return [
    ...(first.eventSchema === "" && rows.length > 0 && Object.keys(othersOf("")).length === 0
      ? []
      : [{ cells: first, others: othersOf("") }]),
    ...rows,
  ];
};

export const writeCsv = (contracts: readonly Odcs[]): string => {
  const rows = contracts.flatMap((contract) => contract.schema.filter((schema) => subjectOf(schema) !== "table").flatMap((schema) => rowsOf(contract, schema))); // prettier-ignore
  const more = [...new Set(rows.flatMap(({ others }) => Object.keys(others)))];
  const lines = [
    [...written.map(([, title]) => title), ...more],
    ...rows.map(({ cells, others }) => [...written.map(([column]) => cells[column]), ...more.map((name) => textOf(others[name]))]),
  ]; // prettier-ignore
  return `${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
};
