import { allOf, anyOf, bind, jsonPath, sql, type Sql } from "#kernel/sql.ts";
import { Refusal } from "#kernel/refusal.ts";
import { membersOf } from "#records/cohorts/relation.ts";
import { personOf, type Scope } from "#records/events/scope.ts";
import { traitOfPeople } from "#records/people/relation.ts";
import type { EventMatch, Filter } from "./frame.ts";

/** An event's property as text; empty where it is missing. */
export const propertyText = (name: string): Sql => sql`${jsonPath(sql`properties`, name)}::String`;

/** An event's property as a number; NULL where it is missing or no number. */
export const propertyNumber = (name: string): Sql => {
  const path = jsonPath(sql`properties`, name);
  return sql`coalesce(toFloat64(${path}.:Int64), ${path}.:Float64, toFloat64OrNull(${path}.:String))`;
};

const numberOf = (filter: Filter): number => {
  const number = Number(filter.values[0]);
  if (filter.values.length === 1 && Number.isFinite(number)) return number;
  throw new Refusal("filter.number", `${filter.property}: this comparison needs one number.`, { given: filter.values });
};

/** Conditions on a text: several values mean any of them. `text` is empty where the property is missing. */
const textConditions = {
  eq: (text: Sql, { values }: Filter) => sql`${text} IN ${bind.strings(values)}`,
  neq: (text: Sql, { values }: Filter) => sql`${text} NOT IN ${bind.strings(values)}`,
  contains: (text: Sql, { values }: Filter) =>
    anyOf(values.map((value) => sql`positionCaseInsensitiveUTF8(${text}, ${bind.string(value)}) > 0`)),
  not_contains: (text: Sql, { values }: Filter) =>
    allOf(values.map((value) => sql`positionCaseInsensitiveUTF8(${text}, ${bind.string(value)}) = 0`)),
  gt: (text: Sql, filter: Filter) => sql`ifNull(toFloat64OrNull(${text}) > ${bind.float(numberOf(filter))}, 0)`,
  gte: (text: Sql, filter: Filter) => sql`ifNull(toFloat64OrNull(${text}) >= ${bind.float(numberOf(filter))}, 0)`,
  lt: (text: Sql, filter: Filter) => sql`ifNull(toFloat64OrNull(${text}) < ${bind.float(numberOf(filter))}, 0)`,
  lte: (text: Sql, filter: Filter) => sql`ifNull(toFloat64OrNull(${text}) <= ${bind.float(numberOf(filter))}, 0)`,
  is_set: (text: Sql) => sql`${text} != ''`,
  is_not_set: (text: Sql) => sql`${text} = ''`,
} satisfies Record<Filter["op"], (text: Sql, filter: Filter) => Sql>;

/** Whether a text meets a filter's operator and values. */
export const textCondition = (text: Sql, filter: Filter): Sql => textConditions[filter.op](text, filter);

/** Operators that also hold for people who have no such trait at all. */
const holdsForMissing: ReadonlySet<Filter["op"]> = new Set(["neq", "not_contains", "is_not_set"]);
const opposite = { neq: "eq", not_contains: "contains", is_not_set: "is_set" } as const;

const personCondition = (scope: Scope, filter: Filter): Sql => {
  const people = (op: Filter["op"]): Sql =>
    sql`(SELECT person FROM (${traitOfPeople(scope, filter.property)}) WHERE ${textConditions[op](sql`value`, { ...filter, op })})`;
  const negated = holdsForMissing.has(filter.op) ? opposite[filter.op as keyof typeof opposite] : undefined; // the set's own members
  return negated === undefined
    ? sql`${personOf(scope)} IN ${people(filter.op)}`
    : sql`${personOf(scope)} NOT IN ${people(negated)}`;
};

const idCondition = (scope: Scope, filter: Filter): Sql => {
  const actors = bind.ids(filter.values.map((id) => scope.keys.actor(id)));
  const people = sql`(SELECT ${personOf(scope)} FROM (SELECT arrayJoin(${actors}) AS actor))`;
  return filter.op === "neq" ? sql`${personOf(scope)} NOT IN ${people}` : sql`${personOf(scope)} IN ${people}`;
};

/** In any of the cohorts, of persons or of accounts. */
const cohortCondition = (scope: Scope, { op, values }: Filter): Sql => {
  const isIn = sql`(${personOf(scope)} IN (${membersOf(scope, values, "people")}) OR account IN (${membersOf(scope, values, "accounts")}))`;
  return op === "neq" ? sql`NOT ${isIn}` : isIn;
};

const conditionOf = (scope: Scope, filter: Filter): Sql => {
  if (filter.on === "cohort") return cohortCondition(scope, filter);
  if (filter.on === "id") return idCondition(scope, filter);
  if (filter.property === "") throw new Refusal("filter.no_property", "A filter needs the name of a property.");
  if (filter.on === "person") return personCondition(scope, filter);
  return textConditions[filter.op](propertyText(filter.property), filter);
};

export const conditionsOf = (scope: Scope, filters: readonly Filter[]): Sql =>
  allOf(filters.map((filter) => conditionOf(scope, filter)));

/** Whether an event is the one asked for. */
export const matches = (scope: Scope, match: EventMatch): Sql =>
  match.event === null
    ? conditionsOf(scope, match.filters)
    : sql`(event = ${bind.string(match.event)} AND ${conditionsOf(scope, match.filters)})`;

const isNamed = (names: readonly string[]): Sql => {
  const [only = "", ...others] = names;
  return others.length === 0 ? sql`event = ${bind.string(only)}` : sql`event IN ${bind.strings(names)}`;
};

/** Any of several; by name first, so that the sort key prunes. */
export const matchesAny = (scope: Scope, all: readonly EventMatch[]): Sql => {
  const names = all.flatMap((match) => (match.event === null ? [] : [match.event]));
  const byName = names.length < all.length ? sql`1` : isNamed([...new Set(names)]);
  const filtered = all.some((match) => match.filters.length > 0);
  return filtered ? sql`${byName} AND ${anyOf(all.map((match) => matches(scope, match)))}` : byName;
};
