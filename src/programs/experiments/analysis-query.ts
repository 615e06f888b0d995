import { bind, identifier, join, literal, sql, type Sql } from "#kernel/sql.ts";
import { matches, matchesAny, propertyNumber, propertyText } from "#insights/common/conditions.ts";
import type { EventMatch } from "#insights/common/frame.ts";
import { byPerson, inRange, personOf, type Scope, type TimeRange } from "#records/events/scope.ts";
import type { Part, Unit, UnitMeasure } from "./document.ts";

const dayMs = 86_400_000;

export interface AnalysisQuestion {
  readonly unit: Unit;
  readonly exposure: EventMatch;
  /** Null where all are in one: `all`. */
  readonly armProperty: string | null;
  readonly measures: readonly UnitMeasure[];
  /** Exposures by a checked query with columns person (or account), at and arm, instead of by events. */
  readonly written?: Sql;
  /** Who was exposed counts from here on, and who never came here does not. */
  readonly trigger?: EventMatch;
  /** A property of the first exposure by which rows are split, instead of by its day. */
  readonly slice?: string;
  /** Another experiment by whose arm rows are split; who is not in it, or in several of its arms, does not count. */
  readonly beside?: AnalysisQuestion;
  /** When exposures count: from the start to the end, or to now. */
  readonly range: TimeRange;
  readonly windowDays: number;
  readonly covariateDays: number;
  readonly now: number;
}

const unitOf = (scope: Scope, unit: Unit): Sql =>
  ({ people: personOf(scope), accounts: sql`account`, sessions: sql`session` })[unit];
const isUnit = (unit: Unit): Sql =>
  ({ people: sql`1`, accounts: sql`account != ''`, sessions: sql`session != ''` })[unit];
/** Its column in a query that somebody wrote. */
const writtenUnit = (unit: Unit): Sql => ({ people: sql`toUInt64(person)`, accounts: sql`toString(account)`, sessions: sql`toString(session)` })[unit]; // prettier-ignore

/** What an event adds; `isAll` where every event that is read is one of the part. */
const valueOf = (scope: Scope, { match, property, isCounted }: Part, isAll: boolean): Sql => {
  const number = property === undefined ? sql`1.` : isCounted ? sql`toFloat64(isNotNull(${propertyNumber(scope, property)}))` : sql`toFloat64(ifNull(${propertyNumber(scope, property)}, 0))`;
  return isAll ? number : sql`if(${matches(scope, match)}, ${number}, 0.)`;
}; // prettier-ignore

/** Named with its database, since a query that somebody wrote is asked where there are no tables. */
const eventsIn = ({ engine }: Scope): Sql => sql`${identifier(engine.database)}.events`;

/** Nothing but whether a written query has the columns that exposures need, so that what is missing is said by its name. */
export const columnsOfWritten = (unit: Unit, written: Sql): Sql =>
  sql`SELECT ${writtenUnit(unit)}, at, arm FROM (${written}) LIMIT 0`;

/** One row an exposure: who, when, in which arm, and by what it may be sliced. */
const exposures = (scope: Scope, { unit, exposure, armProperty, written, range, slice }: AnalysisQuestion, share: Sql): Sql => {
  if (written !== undefined)
    return sql`SELECT unit, at, name FROM (SELECT ${writtenUnit(unit)} AS unit, toDateTime64(at, 3, 'UTC') AS at, toString(arm) AS name FROM (${written})) WHERE name != '' AND ${inRange(range)}`;
  const name = armProperty === null ? sql`'all'` : propertyText(scope, armProperty);
  return sql`SELECT ${unitOf(scope, unit)} AS unit, at, ${name} AS name${slice === undefined ? sql`` : sql`, ${propertyText(scope, slice)} AS slice`}
    FROM ${eventsIn(scope)} WHERE ${share} AND ${inRange(range)} AND ${isUnit(unit)} AND ${matches(scope, exposure)} AND name != ''`;
}; // prettier-ignore

/** Milliseconds and an arm in one number, by which the first is found at once. */
const packedArms = 256;

/**
 * One row a unit that was exposed: since when it counts, the arm of its first exposure, and whether it was seen in one arm
 * (1) or several (2). Where the arms are given, the arm is its place among them, and 0 is another one: numbers are grouped
 * faster than names.
 */
const exposedOf = (scope: Scope, question: AnalysisQuestion, share: Sql, arms?: readonly string[]): Sql => {
  const { unit, range, slice, trigger, beside } = question;
  const sliced = slice === undefined ? sql`` : sql`, argMin(slice, at) AS slice`;
  const every = exposures(scope, question, share);
  const place = sql`toUInt8(indexOf(${bind.strings(arms ?? [])}, name))`;
  const ms = sql`toUnixTimestamp64Milli(at)`;
  const first = arms === undefined
    ? sql`SELECT unit, min(at) AS since, argMin(name, at) AS arm, if(min(name) = max(name), 1, 2) AS arms${sliced} FROM (${every}) GROUP BY unit`
    : sql`SELECT * EXCEPT (packed), fromUnixTimestamp64Milli(intDiv(packed, ${literal(packedArms)}), 'UTC') AS since, toUInt8(packed % ${literal(packedArms)}) AS arm FROM (
      SELECT unit, min(${ms} * ${literal(packedArms)} + ${place}) AS packed, if(min(${place}) = max(${place}), 1, 2) AS arms${sliced} FROM (${every}) GROUP BY unit)`;
  const kept = slice === undefined ? sql`` : sql`, any(first.slice) AS slice`;
  const triggered = trigger === undefined ? first : sql`
    SELECT first.unit AS unit, min(reached.at) AS since, any(first.arm) AS arm, any(first.arms) AS arms${kept}
    FROM (SELECT ${unitOf(scope, unit)} AS unit, at FROM ${eventsIn(scope)} WHERE ${share} AND ${inRange(range)} AND ${isUnit(unit)} AND ${matches(scope, trigger)}) AS reached
    INNER JOIN (${first}) AS first ON reached.unit = first.unit WHERE reached.at >= first.since GROUP BY unit`;
  if (beside === undefined) return triggered;
  return sql`SELECT own.unit AS unit, own.since AS since, own.arm AS arm, own.arms AS arms, other.arm AS slice
    FROM (${triggered}) AS own INNER JOIN (${exposedOf(scope, beside, share)}) AS other ON own.unit = other.unit WHERE other.arms = 1`;
}; // prettier-ignore

const isSliced = ({ slice, beside }: AnalysisQuestion): boolean => slice !== undefined || beside !== undefined;
const dayOf = (scope: Scope, question: AnalysisQuestion): Sql =>
  isSliced(question) ? sql`slice` : sql`toDate(since, ${bind.string(scope.zone)})`;
const isRipe = ({ now, windowDays }: AnalysisQuestion): Sql =>
  sql`(arms = 1 AND since <= ${bind.time(now - windowDays * dayMs)})`;

/** What is read in shares of the people, where their events tell who was exposed; `units` is about how many were. */
const inPeople = (scope: Scope, { unit, written, beside }: AnalysisQuestion, relation: (share: Sql) => Sql, units: number): Sql =>
  unit === "people" && written === undefined && beside?.written === undefined ? byPerson(scope, relation, units) : relation(sql`1`); // prettier-ignore

/** How many exposures there are: at most so many units. */
export const countExposures = (scope: Scope, question: AnalysisQuestion): Sql =>
  sql`SELECT toFloat64(count()) AS units FROM (${exposures(scope, { ...question, armProperty: null }, sql`1`)})`;

/**
 * One row an arm and day of first exposure: how many units, of them in several arms, and of the others with a window that is
 * over. Arms other than those given go by the name ''; if none are given, each goes by its own. `units` is about how many
 * there are.
 */
export const exposuresByDay = (scope: Scope, question: AnalysisQuestion, units: number, arms?: readonly string[]): Sql => {
  const name = arms === undefined ? sql`byDay.arm` : sql`arrayElement(${bind.strings(arms)}, byDay.arm)`;
  return sql`SELECT ${name} AS arm, toString(byDay.day) AS day, units, crossed, ripe FROM (
    SELECT arm, ${dayOf(scope, question)} AS day, toFloat64(count()) AS units, toFloat64(countIf(arms > 1)) AS crossed, toFloat64(countIf(${isRipe(question)})) AS ripe
    FROM (${inPeople(scope, question, (share) => exposedOf(scope, question, share, arms), units)}) GROUP BY arm, day ORDER BY units DESC LIMIT 20000) AS byDay`;
}; // prettier-ignore

/** Values of each event that a measure adds up, and what is made of them for a unit. */
interface Columns {
  readonly values: readonly Sql[];
  /** Outcome and covariate, or what is above and below of a ratio, from the names of its values. */
  readonly pair: (names: readonly Sql[]) => { readonly y: Sql; readonly x: Sql };
}

const matchesOf = (measure: UnitMeasure): readonly EventMatch[] => {
  if (measure.kind === "conversion") return measure.steps;
  return measure.kind === "ratio" ? [measure.part.match, measure.per.match] : [measure.part.match];
};

const columnsOf = (scope: Scope, measure: UnitMeasure, { measures, windowDays, covariateDays }: AnalysisQuestion): Columns => {
  const isAll = new Set(measures.flatMap(matchesOf).map((match) => JSON.stringify(match))).size === 1;
  const value = (part: Part): Sql => valueOf(scope, part, isAll);
  const apart = sql`(done.ms - exposed.ms)`;
  const between = (from: number, to: number): Sql => sql`(${apart} >= ${literal(from * dayMs)} AND ${apart} < ${literal(to * dayMs)})`;
  const [after, before] = [between(0, windowDays), between(-covariateDays, 0)];
  const x = (of: (when: Sql) => Sql): Sql => (covariateDays === 0 ? sql`0.` : of(before));
  const sum = (name: Sql) => (when: Sql): Sql => sql`sumIf(${name}, ${when})`;
  // ones and zeros are added up, as they are for how often, so that the engine does it once for both
  const did = (name: Sql, { property, isCounted }: Part) => (when: Sql): Sql =>
    property === undefined || isCounted ? sql`toFloat64(${sum(name)(when)} > 0)` : sql`toFloat64(countIf(${name} > 0 AND ${when}) > 0)`;
  switch (measure.kind) {
    case "proportion":
      return { values: [value(measure.part)], pair: ([own = sql``]) => ({ y: did(own, measure.part)(after), x: x(did(own, measure.part)) }) };
    case "mean":
      return { values: [value(measure.part)], pair: ([own = sql``]) => ({ y: sum(own)(after), x: x(sum(own)) }) };
    case "ratio":
      return { values: [value(measure.part), value(measure.per)], pair: ([above = sql``, below = sql``]) => ({ y: sum(above)(after), x: sum(below)(after) }) };
    case "return":
      return { values: [value(measure.part)], pair: ([own = sql``]) => ({ y: did(own, measure.part)(between(measure.fromDay, measure.toDay)), x: x(did(own, measure.part)) }) };
    case "conversion": {
      // the last step comes after the exposure; those before it may have come before it too, within the funnel's own time
      const window = literal(Math.round(measure.windowSeconds * 1000));
      const whole = literal(measure.steps.length);
      const through = (names: readonly Sql[]) => (when: Sql): Sql => {
        const conditions = names.map((name, at) => (at === names.length - 1 ? sql`${name} > 0 AND ${when}` : sql`${name} > 0`));
        return sql`toFloat64(windowFunnel(${window})(toUInt64(done.ms), ${join(conditions, ", ")}) = ${whole})`;
      };
      return { values: measure.steps.map((match) => sql`toUInt8(${matches(scope, match)})`), pair: (names) => ({ y: through(names)(after), x: x(through(names)) }) };
    }
  }
}; // prettier-ignore

/** How long before the first exposure events are read, in days. */
const daysBefore = ({ measures, covariateDays }: AnalysisQuestion): number =>
  covariateDays + Math.max(0, ...measures.map((measure) => (measure.kind === "conversion" ? Math.ceil(measure.windowSeconds / 86_400) : 0))); // prettier-ignore

/**
 * One row an arm and day of first exposure: its units whose window is over, who were in one arm alone and did anything that
 * is measured, and of each metric two means with their variances and covariance: the outcome and the same before the
 * exposure, or what is above and below of a ratio. Units that did nothing are known from their exposures, and are nothing
 * but zeros. Everything that is added up comes from one reading of the events, past a table of the exposures. `units` is
 * about how many were exposed.
 */
export const momentsByDay = (scope: Scope, question: AnalysisQuestion, arms: readonly string[], units: number): Sql => {
  const { unit, measures, range, windowDays, now } = question;
  const columns = measures.map((measure) => columnsOf(scope, measure, question));
  // the same value is read once, whatever is made of it
  const values = new Map(columns.flatMap((one) => one.values).map((value) => [JSON.stringify(value), value]));
  const keys = [...values.keys()];
  const nameOf = (value: Sql): Sql => sql`v${literal(keys.indexOf(JSON.stringify(value)))}`;
  const pairs = columns.map((one) => one.pair(one.values.map(nameOf)));
  const around = { from: range.from - daysBefore(question) * dayMs, to: Math.min(now, range.to + windowDays * dayMs) };
  const done = (share: Sql): Sql => sql`SELECT ${unitOf(scope, unit)} AS unit, toUnixTimestamp64Milli(at) AS ms, ${join([...values.values()].map((value) => sql`${value} AS ${nameOf(value)}`), ", ")}
    FROM ${eventsIn(scope)} WHERE ${share} AND ${inRange(around)} AND ${isUnit(unit)} AND ${matchesAny(scope, measures.flatMap(matchesOf))}`;
  const each = (make: (y: Sql, x: Sql) => Sql): Sql => sql`[${join(pairs.map((_, n) => sql`ifNotFinite(${make(sql`y${literal(n)}`, sql`x${literal(n)}`)}, 0)`), ", ")}]`;
  const slice = (column: Sql): Sql => (isSliced(question) ? column : sql``);
  const ofShare = (share: Sql): Sql => sql`SELECT done.unit AS unit, any(exposed.arm) AS arm, fromUnixTimestamp64Milli(any(exposed.ms), 'UTC') AS since${slice(sql`, any(exposed.slice) AS slice`)}, ${join(pairs.map(({ y, x }, n) => sql`${y} AS own${literal(n)}, ${x} AS past${literal(n)}`), ", ")}
      FROM (${done(share)}) AS done
      INNER JOIN (SELECT unit, toUnixTimestamp64Milli(since) AS ms, arm${slice(sql`, slice`)} FROM (${exposedOf(scope, question, share, arms)}) WHERE ${isRipe(question)} AND arm > 0) AS exposed ON done.unit = exposed.unit
      GROUP BY unit`;
  const byUnit = inPeople(scope, question, ofShare, units);
  // over all arms together, so that a cap cannot make a difference between them
  const caps = measures.flatMap((measure, n) => (measure.kind === "mean" && measure.cap !== undefined ? [sql`quantileExactInclusiveIf(${bind.float(measure.cap)})(own${literal(n)}, own${literal(n)} > 0) OVER () AS cap${literal(n)}`] : []));
  const limited = measures.map((measure, n) => {
    const [own, past, cap] = [sql`own${literal(n)}`, sql`past${literal(n)}`, sql`cap${literal(n)}`];
    const below = (value: Sql): Sql => (measure.kind === "mean" && measure.cap !== undefined ? sql`if(isFinite(${cap}), least(${value}, ${cap}), ${value})` : value);
    return sql`${below(own)} AS y${literal(n)}, ${below(past)} AS x${literal(n)}`;
  });
  const capped = caps.length === 0 ? byUnit : sql`SELECT *, ${join(caps, ", ")} FROM (${byUnit})`;
  return sql`SELECT arrayElement(${bind.strings(arms)}, byDay.arm) AS arm, toString(byDay.day) AS day, byDay.n AS n, y, x, varY, varX, covXY FROM (
    SELECT arm, ${dayOf(scope, question)} AS day, toFloat64(count()) AS n,
      ${each((y) => sql`avg(${y})`)} AS y, ${each((_, x) => sql`avg(${x})`)} AS x,
      ${each((y) => sql`varSampStable(${y})`)} AS varY, ${each((_, x) => sql`varSampStable(${x})`)} AS varX, ${each((y, x) => sql`covarSampStable(${y}, ${x})`)} AS covXY
    FROM (SELECT unit, arm, since${slice(sql`, slice`)}, ${join(limited, ", ")} FROM (${capped})) GROUP BY arm, day ORDER BY day) AS byDay`;
}; // prettier-ignore
