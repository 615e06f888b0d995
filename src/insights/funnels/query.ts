import { bind, identifier, join, literal, none, sql, type Sql } from "#kernel/sql.ts";
import { conditionsOf, matches, matchesAny, propertyText } from "#insights/common/conditions.ts";
import { withIds } from "#insights/common/who.ts";
import { other, type Interval, type Unit } from "#insights/common/frame.ts";
import { bucketNumberSql } from "#insights/common/time.ts";
import { attemptsOf, packed, type SequenceQuestion } from "#insights/sequence/sequence.ts";
import { byPerson, inRange, personOf, type Scope, type TimeRange } from "#records/events/scope.ts";
import { traitOfPeople } from "#records/people/relation.ts";
import type { ConversionInput, FunnelInput } from "./contract.ts";

/** The most events of one person that a question looks at; more would hold the engine's function up. */
const mostEvents = 200_000;

/** Which attempts count: of each person the best, those one after another, or each that an event can begin. */
type Mode = SequenceQuestion["mode"];
const modes = { people: "best", attempts: "one_after_another" } satisfies Record<FunnelInput["counting"], Mode>;

export const questionOf = (
  input: FunnelInput,
  range: TimeRange,
  mode: Mode = modes[input.counting],
): SequenceQuestion => ({
  steps: input.steps.length,
  order: input.order,
  attempt: input.attempt,
  mode,
  windowMs: Math.round(input.windowSeconds * 1000),
  entryMs: range.to - range.from,
  optional: input.steps.flatMap((step, index) => (step.optional ? [index] : [])),
  exclusionMode: input.exclusionMode,
  exclusions: input.exclusions.map(({ from, to }) => ({ from, to })),
});

/** Where events may lie: with dates by entry, steps after the first may still come within the window after the range. */
export const scanned = (input: FunnelInput, range: TimeRange): TimeRange =>
  input.dates === "whole" ? range : { from: range.from, to: range.to + Math.round(input.windowSeconds * 1000) };

/** The group of a person (or of an event, where a person may be in several). */
const groupColumns = (scope: Scope, input: FunnelInput, isAnyStep: Sql): { column: Sql; key: Sql; joined: Sql } => {
  const { breakdown } = input;
  if (breakdown === undefined) return { column: sql`'' AS grp`, key: none, joined: none };
  if (breakdown.on === "person") {
    const joined = sql`LEFT ANY JOIN (${traitOfPeople(scope, breakdown.property)}) AS trait ON trait.person = ${personOf(scope)}`;
    return { column: sql`any(trait.value) AS grp`, key: none, joined };
  }
  const value = propertyText(scope, breakdown.property);
  const kinds = {
    first_touch: { column: sql`argMinIf(${value}, at, ${value} != '' AND ${isAnyStep}) AS grp`, key: none },
    last_touch: { column: sql`argMaxIf(${value}, at, ${value} != '' AND ${isAnyStep}) AS grp`, key: none },
    all_events: { column: sql`${value} AS grp`, key: sql`, grp` },
    step: {
      column: sql`groupArrayIf((toUnixTimestamp64Milli(at), ${value}), ${stepMatch(scope, input, breakdown.step)}) AS touched`,
      key: none,
    },
  };
  return { ...kinds[breakdown.attribution], joined: none };
};

const stepMatch = (scope: Scope, input: FunnelInput, index: number): Sql => {
  const step = input.steps[Math.min(index, input.steps.length - 1)];
  return step === undefined ? sql`0` : matches(scope, step);
};

/** What the attempts of a row belong to: its group, or what it takes to find the group of each attempt. */
const heldGroup = ({ breakdown }: FunnelInput): Sql =>
  breakdown?.attribution === "step" && breakdown.on === "event" ? sql`touched` : sql`grp`;

/**
 * One row per person (and group, and values held) with `attempts`: for each attempt, the time of each step in ms since
 * the range began. A person is an account where accounts are counted.
 */
const attemptsOfEach = (scope: Scope, input: FunnelInput, range: TimeRange, mode: Mode): Sql => {
  const steps = input.steps.map((step) => matches(scope, step));
  const exclusions = input.exclusions.map((match) => matches(scope, match));
  const relevant = input.order === "strict" ? sql`1` : matchesAny(scope, [...input.steps, ...input.exclusions]);
  const { column, key, joined } = groupColumns(scope, input, matchesAny(scope, input.steps));
  const held = input.hold.map((name) => sql`, ${propertyText(scope, name)}`);
  const { unit, owned } = {
    people: { unit: personOf(scope), owned: sql`1` },
    accounts: { unit: sql`account`, owned: sql`account != ''` },
    // two people may have sessions of one name
    sessions: { unit: sql`(${personOf(scope)}, session)`, owned: sql`session != ''` },
  }[input.unit];
  const events = sql`arraySort(groupArray(${literal(mostEvents)})(${packed(range.from, steps, exclusions)}))`;
  const each = (share: Sql): Sql => sql`SELECT ${unit} AS person, ${column}, ${events} AS words
    FROM events ${joined}
    WHERE ${share} AND ${inRange(scanned(input, range))} AND ${owned} AND ${relevant} AND ${conditionsOf(scope, input.filters)}
    GROUP BY person${key}${held.reduce((a, b) => sql`${a}${b}`, none)}`;
  const all = input.unit === "people" && joined === none ? byPerson(scope, each) : each(sql`1`);
  const kept = [sql`person`, heldGroup(input)];
  return sql`SELECT ${join(kept, ", ")}, found AS attempts FROM (${attemptsOf(questionOf(input, range, mode), kept, all)})`;
};

/** The same, one row per person (and group): of the ways with each value held, the best one where only that counts. */
const peopleWithAttempts = (scope: Scope, input: FunnelInput, range: TimeRange, mode: Mode): Sql => {
  const each = attemptsOfEach(scope, input, range, mode);
  if (input.hold.length === 0 || mode !== "best") return each;
  const group = heldGroup(input);
  const key = input.breakdown?.attribution === "all_events" && input.breakdown.on === "event" ? sql`, grp` : none;
  // the furthest, then the earliest completed, then the latest begun
  const rank = sql`(arrayCount(x -> x >= 0, attempts), -arrayMax(attempts), arrayMin(arrayFilter(x -> x >= 0, attempts)))`; // prettier-ignore
  return sql`SELECT person, tupleElement(pick, 1) AS ${group}, tupleElement(pick, 2) AS attempts
    FROM (SELECT person, argMax((${group}, attempts), ${rank}) AS pick FROM (${each}) WHERE attempts[1] >= 0 GROUP BY person${key})`;
};

/** Unfolds the attempts of a row to `t`. Where only the best counts there is one, which is cheaper to take. */
const unfolded = (input: FunnelInput, mode: Mode): Sql => {
  if (mode === "best") return sql`attempts AS t, attempts[1] >= 0 AS counts`;
  const begins = sql`(place - 1) % ${literal(input.steps.length)} = 0`;
  return sql`arrayJoin(arraySplit((_, place) -> ${begins}, attempts, arrayEnumerate(attempts))) AS t, 1 AS counts`;
};

/**
 * One row per attempt that counts: its person, group, and `t`, the time of each step (−1 where it was not done). Where
 * nothing is grouped, people without an attempt may have one of −1 alone.
 */
export const countedAttempts = (
  scope: Scope,
  input: FunnelInput,
  range: TimeRange,
  mode: Mode = modes[input.counting],
): Sql => {
  const people = peopleWithAttempts(scope, input, range, mode);
  const { breakdown } = input;
  if (breakdown === undefined && mode === "best") return sql`SELECT person, grp, attempts AS t FROM (${people})`;
  if (breakdown === undefined || breakdown.on === "person" || breakdown.attribution !== "step") {
    return sql`SELECT person, grp, t FROM (SELECT person, grp, ${unfolded(input, mode)} FROM (${people})) WHERE counts`;
  }
  const at = literal(Math.min(breakdown.step, input.steps.length - 1) + 1);
  return sql`SELECT person, t, tupleElement(arrayFirst(x -> x.1 = t[${at}] + ${bind.int(range.from)}, touched), 2) AS grp
    FROM (SELECT person, touched, ${unfolded(input, mode)} FROM (${people})) WHERE counts AND t[${at}] >= 0`;
};

/** Whether a step was done, and the milliseconds since the latest one done before it; the first always is. */
const sincePrevious = (input: FunnelInput, step: number): { done: Sql; elapsed: Sql } => {
  const at = sql`t[${literal(step + 1)}]`;
  const skips = input.steps.some((one) => one.optional);
  const earlier = Array.from({ length: step }, (_, one) => sql`t[${literal(one + 1)}]`);
  const before = skips ? sql`greatest(${join(earlier, ", ")})` : (earlier.at(-1) ?? at);
  return { done: sql`${at} >= 0`, elapsed: sql`${at} - ${before}` };
};

/** One row per group: per step the count, the mean and the median of the seconds since the step before. */
export const funnelQuery = (scope: Scope, input: FunnelInput, range: TimeRange): Sql => {
  const steps = input.steps.map((_, index) => index);
  const later = (value: (since: { done: Sql; elapsed: Sql }) => Sql): Sql =>
    join(
      steps.map((step) => (step === 0 ? sql`toFloat64(0)` : sql`toFloat64(${value(sincePrevious(input, step))})`)),
      ", ",
    );
  const counts = steps.map((step) => sql`toFloat64(countIf(t[${literal(step + 1)}] >= 0))`);
  const grouped = input.breakdown === undefined ? none : sql`GROUP BY grp ORDER BY counts[1] DESC, grp LIMIT 10000`;
  return sql`SELECT ${input.breakdown === undefined ? sql`''` : sql`grp`} AS grp,
      [${join(counts, ", ")}] AS counts,
      [${later(({ done, elapsed }) => sql`sumIf(${elapsed}, ${done}) / 1000`)}] AS sums,
      [${later(({ done }) => sql`countIf(${done})`)}] AS timed,
      [${later(({ done, elapsed }) => sql`ifNotFinite(quantileExactInclusiveIf(0.5)(${elapsed}, ${done}), 0) / 1000`)}] AS medians
    FROM (${countedAttempts(scope, input, range)}) ${grouped}`;
};

/** Sessions are told by the people whose they are. */
export const peopleBehind = ({ unit }: FunnelInput, found: Sql): Sql =>
  unit === "sessions" ? sql`SELECT DISTINCT tupleElement(person, 1) AS person FROM (${found})` : found;
export const unitOfPeople = ({ unit }: FunnelInput): Unit => (unit === "accounts" ? "accounts" : "people");

interface Which {
  readonly step: number;
  readonly who: "reached" | "dropped";
  readonly group?: string | undefined;
  readonly limit: number;
}

/** Who reached a step, or who reached the one before it and not this. */
export const funnelPeopleQuery = (
  scope: Scope,
  input: FunnelInput,
  range: TimeRange,
  { step, who, group, limit }: Which,
): Sql => {
  const ofGroup = group === undefined ? none : sql`WHERE grp = ${bind.string(group)}`;
  const reached = sql`max(t[${literal(step + 1)}]) >= 0`;
  const before = sql`max(t[${literal(Math.max(step, 1))}]) >= 0`;
  const found = sql`SELECT person FROM (${countedAttempts(scope, input, range)}) ${ofGroup} GROUP BY person HAVING ${who === "reached" ? reached : sql`${before} AND NOT (${reached})`}`;
  return withIds(scope, peopleBehind(input, found), unitOfPeople(input), limit);
};

interface Between {
  readonly from: number;
  readonly to: number;
  readonly who: Which["who"];
  readonly group: string | undefined;
  /** When they entered. */
  readonly entered: TimeRange;
}

/** Who of those who entered in a stretch of the range got from one step to another, or did not: `person`. */
export const conversionPeopleQuery = (
  scope: Scope,
  input: FunnelInput,
  range: TimeRange,
  { from, to, who, group, entered }: Between,
): Sql => {
  const mode = input.counting === "people" ? "every" : "one_after_another";
  const ofGroup = group === undefined ? none : sql`AND grp = ${bind.string(group)}`;
  const [came, went] = [sql`t[${literal(from + 1)}] >= 0`, sql`t[${literal(to + 1)}] >= 0`];
  return sql`SELECT person FROM (${countedAttempts(scope, input, range, mode)})
    WHERE t[1] >= ${literal(entered.from - range.from)} AND t[1] < ${literal(entered.to - range.from)} ${ofGroup}
    GROUP BY person HAVING countIf(${came}) > 0 AND ${who === "reached" ? none : sql`NOT`} countIf(${came} AND ${went}) > 0`;
};

const secondsBetween = (from: number, to: number): Sql => sql`(t[${literal(to + 1)}] - t[${literal(from + 1)}]) / 1000`;

/** Seconds between two steps, of everybody who did both: count, mean, least and most. */
export const elapsedQuery = (scope: Scope, input: FunnelInput, range: TimeRange, from: number, to: number): Sql => sql`
  SELECT toFloat64(count()) AS people, toFloat64(ifNull(avgOrNull(seconds), 0)) AS average, toFloat64(ifNull(minOrNull(seconds), 0)) AS least, toFloat64(ifNull(maxOrNull(seconds), 0)) AS most
  FROM (SELECT ${secondsBetween(from, to)} AS seconds FROM (${countedAttempts(scope, input, range)}) WHERE t[${literal(from + 1)}] >= 0 AND t[${literal(to + 1)}] >= 0)`;

/** People per bin of equal width. */
export const histogramQuery = (
  scope: Scope,
  input: FunnelInput,
  range: TimeRange,
  from: number,
  to: number,
  least: number,
  width: number,
): Sql => sql`
  SELECT toInt32(floor((${secondsBetween(from, to)} - ${bind.float(least)}) / ${bind.float(width)})) AS bin, toFloat64(count()) AS people
  FROM (${countedAttempts(scope, input, range)}) WHERE t[${literal(from + 1)}] >= 0 AND t[${literal(to + 1)}] >= 0 GROUP BY bin ORDER BY bin`;

/** Whether all attempts of a person (in a group) are in one row of `peopleWithAttempts`, with that group. */
const isOneRowEach = ({ hold, breakdown }: FunnelInput): boolean =>
  hold.length === 0 && !(breakdown?.on === "event" && breakdown.attribution === "step");

/** Of all attempts of a row, the times of a step as an array, by the name given. */
const stepsOf = ({ steps }: FunnelInput, named: Readonly<Record<string, number>>): Sql => {
  const times = (step: number): Sql =>
    sql`arrayFilter((_, place) -> (place - 1) % ${literal(steps.length)} = ${literal(step)}, attempts, arrayEnumerate(attempts))`;
  const columns = Object.entries(named).map(([name, step]) => sql`${times(step)} AS ${identifier(name)}`);
  return join(columns, ", ");
};

/** The buckets in which attempts began that did a step. */
const bucketsWith = (step: Sql): Sql => sql`arrayCompact(arrayFilter((_, done) -> done >= 0, buckets, ${step}))`;

/**
 * One row per bucket of the first step and group: how many entered, and how many of them converted. A person counts
 * once a bucket, whichever of their attempts in it went furthest; with attempts counted, each counts.
 */
export const conversionQuery = (scope: Scope, input: ConversionInput, range: TimeRange): Sql => {
  const mode = input.counting === "people" ? "every" : "one_after_another";
  const bucketOf = (time: Sql): Sql =>
    bucketNumberSql(input.interval, scope, sql`fromUnixTimestamp64Milli(${time} + ${bind.int(range.from)}, 'UTC')`);
  const [from, to] = [input.fromStep, input.toStep ?? input.steps.length - 1];
  const rows = sql`SELECT grp, toInt32(bucket) AS bucket, toFloat64(countIf(came)) AS entered, toFloat64(countIf(came AND went)) AS converted`;
  if (input.counting === "people" && isOneRowEach(input)) {
    // attempts are in the order in which they began, so that those of a bucket are neighbours
    const each = sql`SELECT grp, ${stepsOf(input, { first: 0, from, to })} FROM (${peopleWithAttempts(scope, input, range, mode)})`;
    const bucketed = sql`SELECT grp, arrayMap(time -> toUInt32(${bucketOf(sql`time`)}), first) AS buckets, ${from === 0 ? sql`arrayCompact(buckets)` : bucketsWith(identifier("from"))} AS entries, ${bucketsWith(identifier("to"))} AS ends FROM (${each})`;
    // whoever takes a later step has taken those before it, but for one that may be left out
    const converted = input.steps[from]?.optional === true ? sql`arrayIntersect(ends, entries)` : sql`ends`;
    // a bucket and whether it is one of entry or of conversion are one number
    const counted = sql`SELECT grp, mark, count() AS people FROM (${bucketed}) ARRAY JOIN arrayConcat(arrayMap(bucket -> toUInt32(bucket * 2), entries), arrayMap(bucket -> toUInt32(bucket * 2 + 1), ${converted})) AS mark GROUP BY grp, mark`;
    return sql`SELECT grp, toInt32(intDiv(mark, 2)) AS bucket, toFloat64(sumIf(people, mark % 2 = 0)) AS entered, toFloat64(sumIf(people, mark % 2 = 1)) AS converted FROM (${counted}) GROUP BY grp, bucket LIMIT 100000`;
  }
  const reached = sql`${bucketOf(sql`t[1]`)} AS bucket, t[${literal(from + 1)}] >= 0 AS came, t[${literal(to + 1)}] >= 0 AS went`;
  const attempts = sql`SELECT person, grp, ${reached} FROM (${countedAttempts(scope, input, range, mode)})`;
  const counted =
    input.counting === "people"
      ? sql`SELECT grp, bucket, max(attempts.came) AS came, max(attempts.went) AS went FROM (${attempts}) AS attempts GROUP BY person, grp, bucket`
      : attempts;
  return sql`${rows} FROM (${counted}) GROUP BY grp, bucket LIMIT 100000`;
};

/** Values of the breakdown with the most attempts keep their names; the others are Other. */
const namedGroups = ({ breakdown }: FunnelInput, rows: Sql): Sql =>
  breakdown === undefined
    ? rows
    : sql`SELECT * EXCEPT (grp, size, place), if(place <= ${literal(breakdown.limit)}, grp, ${bind.string(other)}) AS grp
      FROM (SELECT *, dense_rank() OVER (ORDER BY size DESC, grp) AS place FROM (SELECT *, count() OVER (PARTITION BY grp) AS size FROM (${rows})))`;

/**
 * One row per group, and per group and bucket of the first step: how many took both steps, and the seconds between
 * them: mean, then the 25th, 50th, 75th, 90th and 95th percentile. `whole` marks rows over all buckets.
 */
export const timesQuery = (
  scope: Scope,
  input: FunnelInput,
  range: TimeRange,
  between: { readonly from: number; readonly to: number; readonly interval: Interval },
): Sql => {
  const [from, to] = [sql`t[${literal(between.from + 1)}]`, sql`t[${literal(between.to + 1)}]`];
  const entered = sql`fromUnixTimestamp64Milli(t[1] + ${bind.int(range.from)}, 'UTC')`;
  const levels = sql`0.25, 0.5, 0.75, 0.9, 0.95`;
  const taken = sql`SELECT grp, toInt32(${bucketNumberSql(between.interval, scope, entered)}) AS bucket, (${to} - ${from}) / 1000 AS seconds
    FROM (${countedAttempts(scope, input, range)}) WHERE ${from} >= 0 AND ${to} >= 0`;
  return sql`SELECT grp, bucket, toFloat64(grouping(bucket) = 1) AS whole, toFloat64(count()) AS people, avg(seconds) AS average, quantilesExactInclusive(${levels})(seconds) AS percentiles
    FROM (${namedGroups(input, taken)}) GROUP BY GROUPING SETS ((grp, bucket), (grp)) ORDER BY people DESC, grp, bucket LIMIT 100000`;
};
