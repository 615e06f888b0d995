import { z } from "zod";
import { addedUp, bind, join, literal, sql, type Sql } from "#kernel/sql.ts";
import { matches, matchesAny, propertyNumber, propertyText } from "#insights/common/conditions.ts";
import type { EventMatch } from "#insights/common/frame.ts";
import { byPerson, inRange, personOf, tableIn, type Scope, type TimeRange } from "#records/events/scope.ts";
import type { DayRow } from "./analysis.ts";
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

/** Nothing but whether a written query has the columns that exposures need, so that what is missing is said by its name. */
export const columnsOfWritten = (unit: Unit, written: Sql): Sql =>
  sql`SELECT ${writtenUnit(unit)}, at, arm FROM (${written}) LIMIT 0`;

/** One row an exposure: who, when, in which arm, and by what it may be sliced. */
const exposures = (scope: Scope, { unit, exposure, armProperty, written, range, slice }: AnalysisQuestion, share: Sql): Sql => {
  if (written !== undefined)
    return sql`SELECT unit, at, arm FROM (SELECT ${writtenUnit(unit)} AS unit, toDateTime64(at, 3, 'UTC') AS at, toString(arm) AS arm FROM (${written})) WHERE arm != '' AND ${inRange(range)}`;
  const arm = armProperty === null ? sql`'all'` : propertyText(scope, armProperty);
  return sql`SELECT ${unitOf(scope, unit)} AS unit, at, ${arm} AS arm${slice === undefined ? sql`` : sql`, ${propertyText(scope, slice)} AS slice`}
    FROM ${tableIn(scope, "events")} WHERE ${share} AND ${inRange(range)} AND ${isUnit(unit)} AND ${matches(scope, exposure)} AND arm != ''`;
}; // prettier-ignore

/**
 * Milliseconds and the place of an arm in one number: the first of them is found at once, and one column goes through a
 * join where two would.
 */
const packed = (ms: Sql, place: Sql): Sql => sql`bitShiftLeft(${ms}, 8) + ${place}`;
const msIn = (first: Sql): Sql => sql`bitShiftRight(${first}, 8)`;
const placeIn = (first: Sql): Sql => sql`toUInt8(bitAnd(${first}, 255))`;

/**
 * One row a unit that was exposed: `first`, since when it counts and the place of the arm of its first exposure among those
 * given, and whether it was seen in one arm (1) or several (2). The place is 0 for any other arm. Where no arms are given,
 * `arm` is its name: numbers are grouped faster than names.
 */
const exposedOf = (scope: Scope, question: AnalysisQuestion, share: Sql, arms?: readonly string[]): Sql => {
  const { unit, range, slice, trigger, beside } = question;
  const ms = sql`toUnixTimestamp64Milli(at)`;
  const place = arms === undefined ? sql`0` : sql`toUInt8(indexOf(${bind.strings(arms)}, every.arm))`;
  const told = arms === undefined ? sql`every.arm` : place;
  const more = [...(arms === undefined ? [sql`arm`] : []), ...(slice === undefined ? [] : [sql`slice`])];
  const select = (columns: readonly Sql[], each: (column: Sql) => Sql): Sql =>
    sql`SELECT ${join([...columns, ...more.map((column) => sql`${each(column)} AS ${column}`)], ", ")}`;
  const first = sql`${select([sql`unit`, sql`min(${packed(ms, place)}) AS first`, sql`if(min(${told}) = max(${told}), 1, 2) AS arms`], (column) => sql`argMin(every.${column}, at)`)}
    FROM (${exposures(scope, question, share)}) AS every GROUP BY unit`;
  const triggered = trigger === undefined ? first : sql`
    ${select([sql`before.unit AS unit`, sql`${packed(sql`min(reached.ms)`, placeIn(sql`any(before.first)`))} AS first`, sql`any(before.arms) AS arms`], (column) => sql`any(before.${column})`)}
    FROM (SELECT ${unitOf(scope, unit)} AS unit, ${ms} AS ms FROM ${tableIn(scope, "events")} WHERE ${share} AND ${inRange(range)} AND ${isUnit(unit)} AND ${matches(scope, trigger)}) AS reached
    INNER JOIN (${first}) AS before ON reached.unit = before.unit WHERE reached.ms >= ${msIn(sql`before.first`)} GROUP BY unit`;
  if (beside === undefined) return triggered;
  return sql`${select([sql`own.unit AS unit`, sql`own.first AS first`, sql`own.arms AS arms`, sql`other.arm AS slice`], (column) => sql`own.${column}`)}
    FROM (${triggered}) AS own INNER JOIN (${exposedOf(scope, beside, share)}) AS other ON own.unit = other.unit WHERE other.arms = 1`;
}; // prettier-ignore

const isSliced = ({ slice, beside }: AnalysisQuestion): boolean => slice !== undefined || beside !== undefined;
const dayOf = (scope: Scope, question: AnalysisQuestion): Sql =>
  isSliced(question)
    ? sql`slice`
    : sql`toDate(fromUnixTimestamp64Milli(${msIn(sql`first`)}, 'UTC'), ${bind.string(scope.zone)})`;
const isRipe = ({ now, windowDays }: AnalysisQuestion): Sql =>
  sql`(arms = 1 AND ${msIn(sql`first`)} <= ${bind.int(now - windowDays * dayMs)})`;

/** What is read in shares of the people, where their events tell who was exposed; `units` is about how many were. */
const inPeople = (scope: Scope, { unit, written, beside }: AnalysisQuestion, relation: (share: Sql) => Sql, units: number): Sql =>
  unit === "people" && written === undefined && beside?.written === undefined ? byPerson(scope, relation, units) : relation(sql`1`); // prettier-ignore

/** How many exposures there are: at most so many units. */
export const countExposures = (scope: Scope, question: AnalysisQuestion): Sql =>
  sql`SELECT toFloat64(count()) AS units FROM (${exposures(scope, { ...question, armProperty: null }, sql`1`)})`;

/** A row of `exposuresByDay`. */
export const Counted = z.object({
  arm: z.string(),
  day: z.string(),
  units: z.number(),
  crossed: z.number(),
  ripe: z.number(),
});

/**
 * One row an arm and day of first exposure: how many units, of them in several arms, and of the others with a window that is
 * over. Arms other than those given go by the name ''; if none are given, each goes by its own. `units` is about how many
 * there are.
 */
export const exposuresByDay = (scope: Scope, question: AnalysisQuestion, units: number, arms?: readonly string[]): Sql => {
  const name = arms === undefined ? sql`byDay.arm` : sql`arrayElement(${bind.strings(arms)}, byDay.arm)`;
  return sql`SELECT ${name} AS arm, toString(byDay.day) AS day, units, crossed, ripe FROM (
    SELECT ${arms === undefined ? sql`arm` : placeIn(sql`first`)} AS arm, ${dayOf(scope, question)} AS day, toFloat64(count()) AS units, toFloat64(countIf(arms > 1)) AS crossed, toFloat64(countIf(${isRipe(question)})) AS ripe
    FROM (${inPeople(scope, question, (share) => exposedOf(scope, question, share, arms), units)}) GROUP BY arm, day ORDER BY units DESC LIMIT 20000) AS byDay`;
}; // prettier-ignore

/** Columns that are each made once, whatever is asked of them. */
const columnsBy = (nameOf: (place: Sql) => Sql) => {
  const known = new Map<string, { readonly made: Sql; readonly name: Sql }>();
  return {
    /** The name of a column that holds this. */
    of(made: Sql): Sql {
      const key = JSON.stringify(made);
      const found = known.get(key) ?? { made, name: nameOf(literal(known.size)) };
      known.set(key, found);
      return found.name;
    },
    names: (): Sql[] => [...known.values()].map(({ name }) => name),
    all: (): Sql[] => [...known.values()].map(({ made, name }) => sql`${made} AS ${name}`),
  };
};
type Columns = ReturnType<typeof columnsBy>;

const matchesOf = (measure: UnitMeasure): readonly EventMatch[] => {
  if (measure.kind === "conversion") return measure.steps;
  return measure.kind === "ratio" ? [measure.part.match, measure.per.match] : [measure.part.match];
};

/** Each step has its columns once and by name: a plan of many shares, every expression of each, takes a tenth longer else. */
interface Steps {
  /** Numbers as they stand in an event, and what is made of them. */
  readonly given: Columns;
  readonly read: Columns;
  /** Whether an event is within so many days of the exposure. */
  readonly when: Columns;
  /** What is added up by unit. */
  readonly added: Columns;
}

/**
 * Of a unit, the outcome and the same before the exposure, or what is above and below of a ratio, from what is made in each
 * step before.
 */
const pairOf = (scope: Scope, measure: UnitMeasure, { measures, windowDays, covariateDays }: AnalysisQuestion, { given, read, when, added }: Steps): { readonly y: Sql; readonly x: Sql } => {
  const isAll = new Set(measures.flatMap(matchesOf).map((match) => JSON.stringify(match))).size === 1;
  const isOf = (match: EventMatch): Sql => read.of(sql`toUInt8(${matches(scope, match)})`);
  const between = (from: number, to: number): Sql => when.of(sql`apart >= ${literal(from * dayMs)} AND apart < ${literal(to * dayMs)}`);
  const [after, before] = [between(0, windowDays), between(-covariateDays, 0)];
  const x = (of: (within: Sql) => Sql): Sql => (covariateDays === 0 ? sql`0.` : of(before));
  /** What an event adds. */
  const valueOf = ({ match, property, isCounted }: Part): Sql => {
    const known = property === undefined ? undefined : given.of(propertyNumber(scope, property));
    const number = known === undefined ? sql`1.` : read.of(isCounted ? sql`toFloat64(isNotNull(${known}))` : sql`ifNull(${known}, 0.)`);
    return isAll ? number : sql`if(${isOf(match)}, ${number}, 0.)`;
  };
  const sum = (part: Part) => (within: Sql): Sql => added.of(sql`sumIf(${valueOf(part)}, ${within})`);
  // ones and zeros are added up, as they are for how often, so that the engine does it once for both
  const did = (part: Part) => (within: Sql): Sql =>
    sql`toFloat64(${part.property === undefined || part.isCounted ? sum(part)(within) : added.of(sql`countIf(${valueOf(part)} > 0 AND ${within})`)} > 0)`;
  switch (measure.kind) {
    case "proportion":
      return { y: did(measure.part)(after), x: x(did(measure.part)) };
    case "mean":
      return { y: sum(measure.part)(after), x: x(sum(measure.part)) };
    case "ratio":
      return { y: sum(measure.part)(after), x: sum(measure.per)(after) };
    case "return":
      return { y: did(measure.part)(between(measure.fromDay, measure.toDay)), x: x(did(measure.part)) };
    case "conversion": {
      // the last step comes after the exposure; those before it may have come before it too, within the funnel's own time
      const window = literal(Math.round(measure.windowSeconds * 1000));
      const steps = measure.steps.map(isOf);
      const through = (within: Sql): Sql => {
        const conditions = steps.map((step, at) => (at === steps.length - 1 ? sql`${step} AND ${within}` : step));
        return added.of(sql`toFloat64(windowFunnel(${window})(toUInt64(ms), ${join(conditions, ", ")}) = ${literal(steps.length)})`);
      };
      return { y: through(after), x: x(through) };
    }
  }
}; // prettier-ignore

/** How long before the first exposure events are read, in days. */
const daysBefore = ({ measures, covariateDays }: AnalysisQuestion): number =>
  covariateDays + Math.max(0, ...measures.map((measure) => (measure.kind === "conversion" ? Math.ceil(measure.windowSeconds / 86_400) : 0))); // prettier-ignore

const Numbers = z.array(z.number());
/** A row of `momentsByDay`; lists are by metric. */
export const Moments = z.object({ arm: z.string(), day: z.string(), n: z.number(), y: Numbers, x: Numbers, varY: Numbers, varX: Numbers, covXY: Numbers }); // prettier-ignore

/** What each metric of a row of `momentsByDay` has, by itself. */
export const dayRowOf = ({ arm, day, n, y, x, varY, varX, covXY }: z.output<typeof Moments>): DayRow =>
  ({ arm, day, pairs: y.map((value, at) => ({ n, y: value, x: x[at] ?? 0, varY: varY[at] ?? 0, varX: varX[at] ?? 0, covXY: covXY[at] ?? 0 })) }); // prettier-ignore

/**
 * One row an arm and day of first exposure: its units whose window is over, who were in one arm alone and did anything that
 * is measured, and of each metric two means with their variances and covariance: the outcome and the same before the
 * exposure, or what is above and below of a ratio. Units that did nothing are known from their exposures, and are nothing
 * but zeros. Everything that is added up comes from one reading of the events, past a table of the exposures. `units` is
 * about how many were exposed. An arm and day may come in several rows, each of some of its units.
 */
export const momentsByDay = (scope: Scope, question: AnalysisQuestion, arms: readonly string[], units: number): Sql => {
  const { unit, measures, range, windowDays, now } = question;
  // little goes through the join, and less comes out of what is grouped
  const steps = { given: columnsBy((place) => sql`given${place}`), read: columnsBy((place) => sql`read${place}`), when: columnsBy((place) => sql`when${place}`), added: columnsBy((place) => sql`sum${place}`) };
  const { given, read, when, added } = steps;
  const pairs = measures.map((measure) => pairOf(scope, measure, question, steps));
  const around = { from: range.from - daysBefore(question) * dayMs, to: Math.min(now, range.to + windowDays * dayMs) };
  const done = (share: Sql): Sql => sql`SELECT ${unitOf(scope, unit)} AS unit, ${join([sql`toUnixTimestamp64Milli(at) AS ms`, ...given.all(), ...read.all()], ", ")}
    FROM ${tableIn(scope, "events")} WHERE ${share} AND ${inRange(around)} AND ${isUnit(unit)} AND ${matchesAny(scope, measures.flatMap(matchesOf))}`;
  const slice = (column: Sql): Sql => (isSliced(question) ? column : sql``);
  const ofShare = (share: Sql): Sql => sql`SELECT any(met.first) AS first${slice(sql`, any(met.slice) AS slice`)}, ${join(added.all(), ", ")} FROM (
      SELECT ${join([sql`done.unit AS unit, done.ms AS ms, exposed.first AS first${slice(sql`, exposed.slice AS slice`)}, done.ms - ${msIn(sql`exposed.first`)} AS apart`, ...read.names(), ...when.all()], ", ")}
      FROM (${done(share)}) AS done
      INNER JOIN (SELECT unit, first${slice(sql`, slice`)} FROM (${exposedOf(scope, question, share, arms)}) WHERE ${isRipe(question)} AND ${placeIn(sql`first`)} > 0) AS exposed ON done.unit = exposed.unit) AS met GROUP BY unit`;
  const byUnit = inPeople(scope, question, ofShare, units);
  // over all arms together, so that a cap cannot make a difference between them
  const caps = measures.map((measure) => (measure.kind === "mean" ? measure.cap : undefined));
  const bounds = pairs.flatMap(({ y }, n) => { const cap = caps[n]; return cap === undefined ? [] : [sql`quantileExactInclusiveIf(${bind.float(cap)})(${y}, ${y} > 0) OVER () AS bound${literal(n)}`]; });
  const values = columnsBy((place) => sql`value${place}`);
  const limited = pairs.map(({ y, x }, n) => {
    const bound = sql`bound${literal(n)}`;
    const below = (value: Sql): Sql => (caps[n] === undefined ? value : sql`if(isFinite(${bound}), least(${value}, ${bound}), ${value})`);
    return { y: values.of(below(y)), x: values.of(below(x)) };
  });
  const each = (make: (y: Sql, x: Sql) => Sql): Sql => sql`[${join(limited.map(({ y, x }) => sql`ifNotFinite(${make(y, x)}, 0)`), ", ")}]`;
  const capped = bounds.length === 0 ? byUnit : sql`SELECT *, ${join(bounds, ", ")} FROM (${byUnit})`;
  const moments = sql`SELECT arrayElement(${bind.strings(arms)}, byDay.arm) AS arm, toString(byDay.day) AS day, byDay.n AS n, y, x, varY, varX, covXY FROM (
    SELECT ${placeIn(sql`first`)} AS arm, ${dayOf(scope, question)} AS day, toFloat64(count()) AS n,
      ${each((y) => sql`avg(${y})`)} AS y, ${each((_, x) => sql`avg(${x})`)} AS x,
      ${each((y) => sql`varSampStable(${y})`)} AS varY, ${each((_, x) => sql`varSampStable(${x})`)} AS varX, ${each((y, x) => sql`covarSampStable(${y}, ${x})`)} AS covXY
    FROM (SELECT first${slice(sql`, slice`)}, ${join(values.all(), ", ")} FROM (${capped})) GROUP BY arm, day ORDER BY day) AS byDay`;
  return bounds.length === 0 ? addedUp(moments) : moments;
}; // prettier-ignore
