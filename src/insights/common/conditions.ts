import { allOf, anyOf, bind, jsonPath, sql, type Sql } from "#kernel/sql.ts";
import { Refusal } from "#kernel/refusal.ts";
import { membersOf } from "#records/cohorts/relation.ts";
import { personOf, tableIn, type Scope } from "#records/events/scope.ts";
import { traitOfAccounts, traitOfPeople, traitOverTime } from "#records/people/relation.ts";
import { momentIn } from "#sdk/moment.ts";
import type { EventMatch, Filter } from "./frame.ts";

/** An event's property as text; empty where it is missing. Throws `access.hidden`. */
export const propertyText = ({ veil }: Pick<Scope, "veil">, name: string): Sql => {
  veil.check("event", name);
  return sql`${jsonPath(sql`properties`, name)}::String`;
};

/** An event's property as a number; NULL where it is missing or no number. Throws `access.hidden`. */
export const propertyNumber = ({ veil }: Pick<Scope, "veil">, name: string): Sql => {
  veil.check("event", name);
  const path = jsonPath(sql`properties`, name);
  // the path is read once as whatever it is; as three columns, one of each type, it takes half as long again
  const as = (type: Sql): Sql => sql`dynamicElement(${path}, ${type})`;
  const [whole, real] = [as(sql`'Int64'`), as(sql`'Float64'`)];
  return sql`multiIf(isNotNull(${whole}), toFloat64(${whole}), isNotNull(${real}), ${real}, toFloat64OrNull(${as(sql`'String'`)}))`;
};

const numberOf = (filter: Filter): number => {
  const number = Number(filter.values[0]);
  if (filter.values.length === 1 && Number.isFinite(number)) return number;
  throw new Refusal("filter.number", `${filter.property}: this comparison needs one number.`, { given: filter.values });
};

const onlyOf = (filter: Filter, what: string): string => {
  const [value = ""] = filter.values;
  if (filter.values.length === 1 && value !== "") return value;
  throw new Refusal("filter.one_value", `${filter.property}: this comparison needs one ${what}.`, {
    given: filter.values,
  });
};

/** Regular expressions are the engine's (RE2): they take time in proportion to the text, whatever they are. */
const longestExpression = 500;
const expressionOf = (filter: Filter): string => {
  const expression = onlyOf(filter, "regular expression");
  if (expression.length <= longestExpression) return expression;
  throw new Refusal("filter.expression", `${filter.property}: an expression may have ${longestExpression} characters.`);
};

const momentOf = (filter: Filter): number => {
  const text = onlyOf(filter, "date");
  const ms = momentIn(text);
  if (Number.isFinite(ms)) return ms;
  throw new Refusal("filter.date", `${filter.property}: ${text.slice(0, 40)} is no date. Use one like 2026-03-01.`);
};

const dated = (text: Sql, compare: Sql, filter: Filter): Sql =>
  sql`(match(${text}, '^[0-9]{4}-[0-9]{2}-[0-9]{2}') AND ifNull(parseDateTime64BestEffortOrNull(${text}, 3, 'UTC') ${compare} ${bind.time(momentOf(filter))}, 0))`;

/** Up to four numbers with dots between, then whether it is a release rather than what comes before one: 1.2.0-rc.1 < 1.2.0. */
const versionKey = (text: Sql): Sql =>
  sql`arrayPushBack(arrayResize(arrayMap(part -> toUInt64OrZero(part), splitByChar('.', extract(${text}, '^[vV]?([0-9]+(?:\\.[0-9]+)*)'))), 4, toUInt64(0)), toUInt64(NOT match(${text}, '^[vV]?[0-9.]+-')))`;

const versioned = (text: Sql, compare: Sql, filter: Filter): Sql => {
  const version = onlyOf(filter, "version");
  if (!/^[vV]?\d+(\.\d+){0,3}([-+].*)?$/.test(version))
    throw new Refusal(
      "filter.version",
      `${filter.property}: ${version.slice(0, 40)} is no version. Use one like 4.12.0.`,
    );
  return sql`(match(${text}, '^[vV]?[0-9]') AND ${versionKey(text)} ${compare} ${versionKey(sql`${bind.string(version)}`)})`;
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
  matches: (text: Sql, filter: Filter) => sql`match(${text}, ${bind.string(expressionOf(filter))})`,
  not_matches: (text: Sql, filter: Filter) => sql`NOT match(${text}, ${bind.string(expressionOf(filter))})`,
  before: (text: Sql, filter: Filter) => dated(text, sql`<`, filter),
  after: (text: Sql, filter: Filter) => dated(text, sql`>=`, filter),
  version_lt: (text: Sql, filter: Filter) => versioned(text, sql`<`, filter),
  version_lte: (text: Sql, filter: Filter) => versioned(text, sql`<=`, filter),
  version_gt: (text: Sql, filter: Filter) => versioned(text, sql`>`, filter),
  version_gte: (text: Sql, filter: Filter) => versioned(text, sql`>=`, filter),
  is_set: (text: Sql) => sql`${text} != ''`,
  is_not_set: (text: Sql) => sql`${text} = ''`,
} satisfies Record<Filter["op"], (text: Sql, filter: Filter) => Sql>;

/** Whether a text meets a filter's operator and values. */
export const textCondition = (text: Sql, filter: Filter): Sql => textConditions[filter.op](text, filter);

/** Operators that also hold for people who have no such trait at all. */
const holdsForMissing: ReadonlySet<Filter["op"]> = new Set(["neq", "not_contains", "not_matches", "is_not_set"]);
const opposite = { neq: "eq", not_contains: "contains", not_matches: "matches", is_not_set: "is_set" } as const;

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

/** A trait as it was when the event happened; empty before it was first known. */
const personThenCondition = (scope: Scope, filter: Filter): Sql =>
  sql`message IN (
    SELECT message FROM (SELECT message, at, ${personOf(scope)} AS person FROM ${tableIn(scope, "events")}) AS happened
    ASOF LEFT JOIN (${traitOverTime(scope, filter.property)}) AS known ON known.person = happened.person AND known.since <= happened.at
    WHERE ${textConditions[filter.op](sql`known.value`, filter)})`;

const accountCondition = (scope: Scope, filter: Filter): Sql => {
  const accounts = (op: Filter["op"]): Sql =>
    sql`(SELECT account FROM (${traitOfAccounts(scope, filter.property)}) WHERE ${textConditions[op](sql`value`, { ...filter, op })})`;
  const negated = holdsForMissing.has(filter.op) ? opposite[filter.op as keyof typeof opposite] : undefined; // the set's own members
  return negated === undefined ? sql`account IN ${accounts(filter.op)}` : sql`account NOT IN ${accounts(negated)}`;
};

/** Of all events of the session, wherever the range begins. */
const sessionFigures = {
  events: sql`toString(count())`,
  seconds: sql`toString(dateDiff('millisecond', min(at), max(at)) / 1000)`,
} as const;

const sessionCondition = (scope: Scope, filter: Filter): Sql => {
  if (filter.property === "id") return textConditions[filter.op](sql`session`, filter);
  if (filter.property !== "events" && filter.property !== "seconds")
    throw new Refusal("filter.session", `A session has an id, events and seconds, but no ${filter.property.slice(0, 40)}.`); // prettier-ignore
  // senders number the sessions of each person by themselves, so that two people may have one of the same name
  return sql`(${personOf(scope)}, session) IN (SELECT ${personOf(scope)} AS person, session FROM ${tableIn(scope, "events")} WHERE session != '' GROUP BY person, session HAVING ${textConditions[filter.op](sessionFigures[filter.property], filter)})`;
};

const conditionOf = (scope: Scope, filter: Filter): Sql => {
  if (filter.on === "cohort") return cohortCondition(scope, filter);
  if (filter.on === "id") return idCondition(scope, filter);
  if (filter.on === "product") return textConditions[filter.op](sql`product`, filter);
  if (filter.property === "") throw new Refusal("filter.no_property", "A filter needs the name of a property.");
  if (filter.on === "person") return personCondition(scope, filter);
  if (filter.on === "person_then") return personThenCondition(scope, filter);
  if (filter.on === "account") return accountCondition(scope, filter);
  if (filter.on === "session") return sessionCondition(scope, filter);
  return textConditions[filter.op](propertyText(scope, filter.property), filter);
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
