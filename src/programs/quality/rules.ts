import { z } from "zod";
import { anyOf, bind, identifier, jsonPath, sql, type Sql } from "#kernel/sql.ts";
import type { TableDoc } from "#kernel/module.ts";
import { nameOf, subjectOf, titleOf, type Odcs, type OdcsProperty, type OdcsSchema } from "#programs/contracts/odcs.ts";

/**
 * Quality rules that a contract lays down (Open Data Contract Standard 3.1, metrics of its library), as questions:
 * how many of the rows, or which share of them, are null, missing, invalid, duplicate, or there at all.
 */

export const dimensions: Readonly<Record<string, string>> = {
  nullValues: "completeness",
  missingValues: "completeness",
  invalidValues: "conformity",
  duplicateValues: "uniqueness",
  rowCount: "coverage",
};

const Bound = z.coerce.number();
const Rule = z.looseObject({
  type: z.literal("library").default("library"),
  metric: z.enum(["nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"]),
  unit: z.enum(["rows", "percent"]).default("rows"),
  arguments: z.looseObject({ missingValues: z.array(z.unknown()).optional(), validValues: z.array(z.unknown()).optional(), pattern: z.string().optional(), properties: z.array(z.string()).optional() }).default({}),
  mustBe: Bound.optional(),
  mustNotBe: Bound.optional(),
  mustBeGreaterThan: Bound.optional(),
  mustBeGreaterOrEqualTo: Bound.optional(),
  mustBeLessThan: Bound.optional(),
  mustBeLessOrEqualTo: Bound.optional(),
  mustBeBetween: z.tuple([Bound, Bound]).optional(),
  mustNotBeBetween: z.tuple([Bound, Bound]).optional(),
}); // prettier-ignore
type Rule = z.output<typeof Rule>;

const between = (value: number, [low, high]: readonly [number, number]): boolean => value > low && value < high;

/** What a rule asks for, in words; and whether a number meets it. `mustBeBetween` leaves its ends out. */
const conditions: readonly { readonly key: keyof Rule; readonly says: (bound: string) => string; readonly meets: (value: number, bound: never) => boolean }[] = [
  { key: "mustBe", says: (bound) => `be ${bound}`, meets: (value, bound: number) => value === bound },
  { key: "mustNotBe", says: (bound) => `not be ${bound}`, meets: (value, bound: number) => value !== bound },
  { key: "mustBeGreaterThan", says: (bound) => `be more than ${bound}`, meets: (value, bound: number) => value > bound },
  { key: "mustBeGreaterOrEqualTo", says: (bound) => `be at least ${bound}`, meets: (value, bound: number) => value >= bound },
  { key: "mustBeLessThan", says: (bound) => `be less than ${bound}`, meets: (value, bound: number) => value < bound },
  { key: "mustBeLessOrEqualTo", says: (bound) => `be at most ${bound}`, meets: (value, bound: number) => value <= bound },
  { key: "mustBeBetween", says: (bound) => `be between ${bound}`, meets: (value, bound: [number, number]) => between(value, bound) },
  { key: "mustNotBeBetween", says: (bound) => `not be between ${bound}`, meets: (value, bound: [number, number]) => !between(value, bound) },
]; // prettier-ignore

/** One rule of one contract, ready to be asked. */
export interface Asked {
  readonly contract: string;
  /** Name of the event; empty where it is of something else. */
  readonly event: string;
  readonly title: string;
  readonly property: string | null;
  readonly rule: Rule;
  /** Gives one row: `rows` looked at and `bad` ones. */
  readonly statement: Sql;
}

export interface Unasked {
  readonly contract: string;
  readonly title: string;
  readonly message: string;
}

/** Where values lie: the rows that are looked at, and a property of them as text, empty where it is missing. */
interface Place {
  readonly from: Sql;
  readonly text: (name: string) => Sql;
  readonly isNull: (name: string) => Sql;
}

const traits = (subject: "person" | "account", name: string): Place => {
  const key = subject === "person" ? sql`actor` : sql`account`;
  const latest = sql`SELECT ${key} AS owner, argMax(value, at) AS value FROM trait_changes WHERE subject = ${bind.string(subject)} AND trait = ${bind.string(name)} GROUP BY owner`;
  return { from: sql`(${latest})`, text: () => sql`value`, isNull: () => sql`value = ''` };
};

const placeOf = (schema: OdcsSchema, name: string, from: number, tables: readonly TableDoc[]): Place | string => {
  const of = subjectOf(schema);
  if (of === "person" || of === "account") return traits(of, name);
  if (of === "table") {
    const table = tables.find((one) => one.name === nameOf(schema));
    if (table === undefined) return `There is no table ${nameOf(schema).slice(0, 100)}; there are ${tables.map((one) => one.name).join(", ")}.`; // prettier-ignore
    const unknown = [name].find((column) => column !== "" && !Object.hasOwn(table.columns, column));
    if (unknown !== undefined) return `The table ${table.name} has no column ${unknown.slice(0, 100)}.`;
    const text = (column: string): Sql => sql`toString(${identifier(column)})`;
    return { from: identifier(table.name), text, isNull: (column) => sql`isNull(${identifier(column)}) OR ${text(column)} = ''` }; // prettier-ignore
  }
  const text = (property: string): Sql => sql`${jsonPath(sql`properties`, property)}::String`;
  return {
    from: sql`(SELECT properties FROM events WHERE event = ${bind.string(nameOf(schema))} AND at >= ${bind.time(from)})`,
    text,
    isNull: (property) => sql`${text(property)} = ''`,
  };
};

/** As JSON writes a value, and the store gives it back as text. */
const texts = (values: readonly unknown[]): readonly string[] =>
  values.map((value) => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""))).map((text) => (text === "null" ? "" : text)); // prettier-ignore

const badIn = ({ metric, arguments: { missingValues = [], validValues, pattern } }: Rule, place: Place, name: string): Sql | undefined => {
  if (metric === "nullValues") return sql`countIf(${place.isNull(name)})`;
  if (metric === "missingValues") return sql`countIf(${place.text(name)} IN ${bind.strings(texts(missingValues))} OR ${place.isNull(name)})`; // prettier-ignore
  if (metric !== "invalidValues") return undefined;
  const wrong = [
    ...(validValues === undefined ? [] : [sql`${place.text(name)} NOT IN ${bind.strings(texts(validValues))}`]),
    ...(pattern === undefined ? [] : [sql`NOT match(${place.text(name)}, ${bind.string(pattern.slice(0, 1_000))})`]),
  ];
  return wrong.length === 0 ? undefined : sql`countIf(NOT (${place.isNull(name)}) AND ${anyOf(wrong)})`;
}; // prettier-ignore

const statementOf = (rule: Rule, place: Place, names: readonly string[]): Sql | undefined => {
  if (rule.metric === "rowCount") return sql`SELECT toFloat64(count()) AS rows, toFloat64(count()) AS bad FROM ${place.from}`;
  const [name] = names;
  if (name === undefined) return undefined;
  if (rule.metric === "duplicateValues") {
    // of rows that have the value: those beyond the first of each
    const key = names.length === 1 ? place.text(name) : sql`tuple(${names.map((one) => place.text(one)).reduce((a, b) => sql`${a}, ${b}`)})`;
    return sql`SELECT toFloat64(count()) AS rows, toFloat64(countIf(NOT (${place.isNull(name)})) - uniqExactIf(${key}, NOT (${place.isNull(name)}))) AS bad FROM ${place.from}`;
  }
  const bad = badIn(rule, place, name);
  return bad === undefined ? undefined : sql`SELECT toFloat64(count()) AS rows, toFloat64(${bad}) AS bad FROM ${place.from}`;
}; // prettier-ignore

/** The rules of active contracts; what cannot be asked is told, not passed over. `from` is the first moment of events. */
export const rulesOf = (
  contracts: readonly Odcs[],
  from: number,
  tables: readonly TableDoc[],
): { readonly asked: readonly Asked[]; readonly unasked: readonly Unasked[] } => {
  const asked: Asked[] = [];
  const unasked: Unasked[] = [];
  const take = (contract: Odcs, schema: OdcsSchema, property: OdcsProperty | undefined, given: unknown): void => {
    const title = titleOf(schema);
    const leave = (message: string): void => void unasked.push({ contract: contract.id, title, message });
    const read = Rule.safeParse(given);
    if (!read.success) {
      leave(`A rule of ${property?.name ?? title} is none of the library that is known (nullValues, missingValues, invalidValues, duplicateValues, rowCount): it is kept, and not looked at.`); // prettier-ignore
      return;
    }
    const rule = read.data;
    const names = property?.name === undefined ? (rule.arguments.properties ?? []) : [property.name];
    const isOfRows = rule.metric === "rowCount";
    const place = placeOf(schema, isOfRows ? "" : (names[0] ?? ""), from, tables);
    if (typeof place === "string") leave(place);
    else if (conditions.every(({ key }) => rule[key] === undefined))
      leave(`A rule of ${property?.name ?? title} says not what must be.`); // prettier-ignore
    else {
      const statement = statementOf(rule, place, names);
      if (statement === undefined) leave(`A rule of ${property?.name ?? title} lacks what it is about.`);
      else asked.push({ contract: contract.id, event: subjectOf(schema) === "event" ? nameOf(schema) : "", title, property: property?.name ?? null, rule, statement }); // prettier-ignore
    }
  };
  for (const contract of contracts)
    for (const schema of contract.schema) {
      for (const rule of schema.quality ?? []) take(contract, schema, undefined, rule);
      for (const property of schema.properties) {
        for (const rule of property.quality ?? []) take(contract, schema, property, rule);
        // what has to be unique has a rule without anybody writing it
        if (property.unique === true) take(contract, schema, property, { metric: "duplicateValues", mustBe: 0 });
      }
    }
  return { asked, unasked };
};

/** What is wrong by a rule, in a sentence; undefined where nothing is. `share` is of the rows that are bad. */
export const brokenRule = ({ rule, title, property }: Asked, rows: number, bad: number): { says: string; share: number } | undefined => {
  const share = rows === 0 ? 0 : bad / rows;
  const value = rule.unit === "percent" && rule.metric !== "rowCount" ? share * 100 : bad;
  const broken = conditions.filter(({ key, meets }) => rule[key] !== undefined && !meets(value, rule[key] as never));
  const [first] = broken;
  if (first === undefined) return undefined;
  const bound = rule[first.key];
  const unit = rule.unit === "percent" && rule.metric !== "rowCount" ? " %" : "";
  const shown = (number: number): string => number.toLocaleString("en", { maximumFractionDigits: 2 });
  const words = Array.isArray(bound) ? bound.map((one) => shown(Number(one))).join(" and ") : shown(Number(bound));
  const of = property === null ? title : `${property} of ${title}`;
  return {
    says: `${rule.metric} of ${of} is ${shown(value)}${unit}; it should ${first.says(words)}${unit} (${dimensions[rule.metric] ?? "quality"}).`,
    share: rule.metric === "rowCount" ? 1 : share,
  };
}; // prettier-ignore

/** Columns that a contract of a table wants and the table lacks. */
export const missingColumns = (contracts: readonly Odcs[], tables: readonly TableDoc[]): readonly Unasked[] =>
  contracts.flatMap((contract) =>
    contract.schema.flatMap((schema): Unasked[] => {
      if (subjectOf(schema) !== "table") return [];
      const table = tables.find(({ name }) => name === nameOf(schema));
      if (table === undefined) return [{ contract: contract.id, title: titleOf(schema), message: `There is no table ${nameOf(schema).slice(0, 100)}.` }]; // prettier-ignore
      return schema.properties.flatMap(({ name = "", logicalType }): Unasked[] => {
        const column = Object.hasOwn(table.columns, name) ? table.columns[name] : undefined;
        if (column === undefined) return [{ contract: contract.id, title: titleOf(schema), message: `The table ${table.name} has no column ${name.slice(0, 100)}.` }]; // prettier-ignore
        const is = logicalOf(column.type);
        return logicalType === undefined || is === logicalType || (is === "integer" && logicalType === "number") ? [] : [{ contract: contract.id, title: titleOf(schema), message: `${table.name}.${name} is ${is}, and the contract says ${logicalType}.` }]; // prettier-ignore
      });
    }),
  );

/** The logical type of a column of ours. */
const logicalOf = (type: string): NonNullable<OdcsProperty["logicalType"]> => {
  const inner = /^(?:LowCardinality|Nullable|SimpleAggregateFunction\(\w+, )\(?(.+?)\)?$/.exec(type)?.[1] ?? type;
  if (/^U?Int/.test(inner)) return "integer";
  if (/^(Float|Decimal)/.test(inner)) return "number";
  if (inner.startsWith("DateTime")) return "timestamp";
  if (inner.startsWith("Date")) return "date";
  if (inner.startsWith("Bool")) return "boolean";
  if (inner.startsWith("Array")) return "array";
  return inner.startsWith("JSON") ? "object" : "string";
};
