import { bind, join, literal, sql, type Sql } from "#kernel/sql.ts";
import { matches, propertyNumber, propertyText } from "#insights/common/conditions.ts";
import type { EventMatch, Unit } from "#insights/common/frame.ts";
import { inRange, personOf, type Scope, type TimeRange } from "#records/events/scope.ts";
import type { Part, UnitMeasure } from "./document.ts";

const dayMs = 86_400_000;

export interface AnalysisQuestion {
  readonly unit: Unit;
  readonly exposure: EventMatch;
  readonly armProperty: string;
  readonly measures: readonly UnitMeasure[];
  /** When exposures count: from the start to the end, or to now. */
  readonly range: TimeRange;
  readonly windowDays: number;
  readonly covariateDays: number;
  readonly now: number;
}

const unitOf = (scope: Scope, unit: Unit): Sql => (unit === "accounts" ? sql`account` : personOf(scope));
const isUnit = (unit: Unit): Sql => (unit === "accounts" ? sql`account != ''` : sql`1`);

const valueOf = (scope: Scope, { match, property, isCounted }: Part): Sql => {
  const number = property === undefined ? sql`1.` : isCounted ? sql`toFloat64(isNotNull(${propertyNumber(scope, property)}))` : sql`toFloat64(ifNull(${propertyNumber(scope, property)}, 0))`;
  return sql`if(${matches(scope, match)}, ${number}, 0.)`;
}; // prettier-ignore

/** One row a unit that was exposed: its first exposure, the arm of it, and in how many arms it was seen. */
const exposedOf = (scope: Scope, { unit, exposure, armProperty, range }: AnalysisQuestion): Sql => {
  const arm = propertyText(scope, armProperty);
  return sql`SELECT ${unitOf(scope, unit)} AS unit, min(at) AS since, argMin(${arm}, at) AS arm, uniqExact(${arm}) AS arms
    FROM events WHERE ${inRange(range)} AND ${isUnit(unit)} AND ${matches(scope, exposure)} AND ${arm} != '' GROUP BY unit`;
};

/** One row an arm: how many units were exposed to it first, of them in several arms, and with a window that is over. */
export const exposuresOf = (scope: Scope, question: AnalysisQuestion): Sql => {
  const ended = question.now - question.windowDays * dayMs;
  return sql`SELECT arm, toFloat64(count()) AS units, toFloat64(countIf(arms > 1)) AS crossed, toFloat64(countIf(arms = 1 AND since <= ${bind.time(ended)})) AS ripe
    FROM (${exposedOf(scope, question)}) GROUP BY arm ORDER BY units DESC LIMIT 100`;
}; // prettier-ignore

/**
 * One row an arm and day of first exposure: its units whose window is over and who were in one arm alone, and of each metric
 * two means with their variances and covariance: the outcome and the same before the exposure, or what is above and below
 * of a ratio. Everything that is added up comes from one reading of the events.
 */
export const momentsByDay = (scope: Scope, question: AnalysisQuestion, arms: readonly string[]): Sql => {
  const { unit, measures, range, windowDays, covariateDays, now } = question;
  const parts = measures.map((measure) => [measure.part, ...(measure.kind === "ratio" ? [measure.per] : [])]);
  const flat = parts.flat();
  const names = flat.map((_, at) => literal(at));
  const value = (at: number): Sql => sql`v${names[at] ?? literal(0)}`;
  const around = { from: range.from - covariateDays * dayMs, to: Math.min(now, range.to + windowDays * dayMs) };
  const matched = flat.map(({ match }) => matches(scope, match));
  const done = sql`SELECT ${unitOf(scope, unit)} AS unit, at, ${join(flat.map((part, at) => sql`${valueOf(scope, part)} AS ${value(at)}`), ", ")}
    FROM events WHERE ${inRange(around)} AND ${isUnit(unit)} AND (${join(matched, " OR ")})`;
  const apart = sql`dateDiff('millisecond', exposed.since, done.at)`;
  const after = sql`joined AND ${apart} >= 0 AND ${apart} < ${literal(windowDays * dayMs)}`;
  const before = sql`joined AND ${apart} < 0 AND ${apart} >= -${literal(covariateDays * dayMs)}`;
  let at = 0;
  const pairs = measures.map(({ kind }) => {
    const own = value(at);
    at += kind === "ratio" ? 2 : 1;
    if (kind === "ratio") return { y: sql`sumIf(${own}, ${after})`, x: sql`sumIf(${value(at - 1)}, ${after})` };
    const of = (when: Sql): Sql => (kind === "proportion" ? sql`toFloat64(countIf(${own} > 0 AND ${when}) > 0)` : sql`sumIf(${own}, ${when})`);
    return { y: of(after), x: covariateDays === 0 ? sql`0.` : of(before) };
  });
  const each = (make: (y: Sql, x: Sql) => Sql): Sql => sql`[${join(pairs.map((_, n) => sql`ifNotFinite(${make(sql`y${literal(n)}`, sql`x${literal(n)}`)}, 0)`), ", ")}]`;
  const ended = now - windowDays * dayMs;
  return sql`SELECT arm, toString(toDate(since, ${bind.string(scope.zone)})) AS day, toFloat64(count()) AS n,
      ${each((y) => sql`avg(${y})`)} AS y, ${each((_, x) => sql`avg(${x})`)} AS x,
      ${each((y) => sql`varSampStable(${y})`)} AS varY, ${each((_, x) => sql`varSampStable(${x})`)} AS varX, ${each((y, x) => sql`covarSampStable(${y}, ${x})`)} AS covXY
    FROM (
      SELECT exposed.unit AS unit, any(exposed.arm) AS arm, any(exposed.since) AS since, ${join(pairs.map(({ y, x }, n) => sql`${y} AS y${literal(n)}, ${x} AS x${literal(n)}`), ", ")}
      FROM (SELECT * FROM (${exposedOf(scope, question)}) WHERE arms = 1 AND since <= ${bind.time(ended)} AND arm IN ${bind.strings(arms)}) AS exposed
      LEFT JOIN (SELECT *, 1 AS joined FROM (${done})) AS done ON done.unit = exposed.unit
      GROUP BY unit
    ) GROUP BY arm, day ORDER BY day`;
}; // prettier-ignore
