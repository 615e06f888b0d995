import { bind, identifier, join, literal, none, sql, type Sql } from "#kernel/sql.ts";
import { Refusal } from "#kernel/refusal.ts";
import { conditionsOf, matches, matchesAny, propertyNumber, propertyText } from "#insights/common/conditions.ts";
import { activeSlots } from "#insights/common/activity.ts";
import { addBuckets, bucketNumber, bucketNumberSql, startOf } from "#insights/common/time.ts";
import { other } from "#insights/common/frame.ts";
import { inRange, personOf, type Scope, type TimeRange } from "#records/events/scope.ts";
import { traitOfPeople } from "#records/people/relation.ts";
import { needsProperty, type Measure, type Series, type TrendsInput } from "./contract.ts";

/**
 * One read of the events answers every series: rows are grouped by bucket and value of the breakdown, with a partial
 * state of each aggregate; values are ranked and the small ones merged into Other; then the states are finished. So a
 * distinct count of Other is exact, and no question reads its events twice.
 */
interface Aggregate {
  readonly name: Sql;
  /** Parameters in parentheses of their own, such as the level of a quantile. */
  readonly parameters?: Sql;
  readonly argument: Sql;
  /** Parts of it add up to the whole, so that it is its own state. */
  readonly isAdditive?: true;
}

interface Measured {
  readonly aggregates: readonly Aggregate[];
  /** The measure from its finished aggregates, in their order. */
  readonly value: (finished: readonly Sql[]) => Sql;
}

const [first, second] = [(all: readonly Sql[]): Sql => all[0] ?? none, (all: readonly Sql[]): Sql => all[1] ?? none];
const single = (name: Sql, argument: Sql, parameters?: Sql): Measured => ({
  aggregates: [{ name, argument, ...(parameters === undefined ? {} : { parameters }) }],
  value: first,
});
const quantile = (level: Sql, value: Sql): Measured => single(sql`quantileExactInclusive`, value, sql`(${level})`);
const events: Aggregate = { name: sql`count`, argument: none, isAdditive: true };
const people = (scope: Scope): Aggregate => ({ name: sql`uniqExact`, argument: personOf(scope) });

/** Distinct texts, less the empty one. */
const named = (column: Sql): Measured => single(sql`uniqExact`, sql`nullIf(${column}, '')`);

const measured = {
  total: () => ({ aggregates: [events], value: first }),
  unique: (scope) => ({ aggregates: [people(scope)], value: first }),
  rolling_unique: (scope) => ({ aggregates: [people(scope)], value: first }),
  unique_sessions: () => named(sql`session`),
  unique_accounts: () => named(sql`account`),
  per_user: (scope) => ({
    aggregates: [events, people(scope)],
    value: (all) => sql`if(${second(all)} = 0, 0, ${first(all)} / ${second(all)})`,
  }),
  sum: (_, value) => ({ aggregates: [{ name: sql`sum`, argument: value, isAdditive: true }], value: first }),
  avg: (_, value) => single(sql`avg`, value),
  min: (_, value) => single(sql`min`, value),
  max: (_, value) => single(sql`max`, value),
  median: (_, value) => quantile(sql`0.5`, value),
  p90: (_, value) => quantile(sql`0.9`, value),
  p95: (_, value) => quantile(sql`0.95`, value),
  p99: (_, value) => quantile(sql`0.99`, value),
} satisfies Record<Measure, (scope: Scope, value: Sql) => Measured>;

const measuredBy = (scope: Scope, series: Series): Measured => {
  if (needsProperty.has(series.measure) && series.property === undefined) {
    throw new Refusal("trends.no_property", `The measure ${series.measure} needs a property.`);
  }
  return measured[series.measure](scope, propertyNumber(scope, series.property ?? "none"));
};

/** A series with what it reads: rolling measures look back before the range, or at its last days alone. */
interface Part {
  readonly index: number;
  readonly measured: Measured;
  /** Which of the rows that are read are its own; undefined where all are. */
  readonly condition: Sql | undefined;
  readonly range: TimeRange;
  /** Days that a day counts for: itself and those after it. */
  readonly days: number;
}

const partsOf = (scope: Scope, input: TrendsInput, range: TimeRange, totals: boolean): Part[] => {
  const isAlone = input.series.length === 1;
  return input.series.map((series, index) => {
    const isRolling = series.measure === "rolling_unique" && (totals || input.interval === "day");
    const firstDay = startOf(range.from, "day", scope);
    const afterLast = addBuckets(startOf(range.to - 1, "day", scope), "day", 1, scope.zone);
    const back = (start: number, days: number): number => addBuckets(start, "day", -days, scope.zone);
    const from = totals ? back(afterLast, series.windowDays) : back(firstDay, series.windowDays - 1);
    const own = isRolling ? { from, to: range.to } : range;
    return {
      index,
      measured: measuredBy(scope, series),
      condition: isAlone ? undefined : sql`${matches(scope, series)} AND ${inRange(own)}`,
      range: own,
      days: isRolling && !totals ? series.windowDays : 1,
    };
  });
};

const columnOf = (part: Part, place: number): Sql => sql`s${literal(part.index)}_${literal(place)}`;

/** An aggregate over the rows of a part: itself, or with `State` its unfinished state. */
const aggregated = (part: Part, { name, parameters = none, argument }: Aggregate, suffix: Sql = none): Sql => {
  if (part.condition === undefined) return sql`${name}${suffix}${parameters}(${argument})`;
  const given = argument === none ? part.condition : sql`${argument}, ${part.condition}`;
  return sql`${name}If${suffix}${parameters}(${given})`;
};

/** What is no finite number counts 0. */
const valueOf = (part: Part, aggregates: readonly Sql[]): Sql => {
  const value = sql`ifNull(toFloat64(${part.measured.value(aggregates)}), 0)`;
  return sql`if(isFinite(${value}), ${value}, 0)`;
};

const states = (part: Part): Sql[] =>
  part.measured.aggregates.map((one, place) => {
    const state = one.isAdditive === true ? aggregated(part, one) : aggregated(part, one, sql`State`);
    return sql`${state} AS ${columnOf(part, place)}`;
  });

/** The value of a series from its states, over a group or over a window. */
const finished = (part: Part, over: Sql = none): Sql => {
  const suffix = part.condition === undefined ? sql`Merge` : sql`IfMerge`;
  const merged = part.measured.aggregates.map(({ name, parameters = none, isAdditive }, place) =>
    isAdditive === true
      ? sql`sum(${columnOf(part, place)})${over}`
      : sql`${name}${suffix}${parameters}(${columnOf(part, place)})${over}`,
  );
  return valueOf(part, merged);
};

/** Properties of the breakdown, each with a name for what it joins. */
const brokenBy = (breakdown: TrendsInput["breakdown"]) =>
  breakdown === undefined
    ? []
    : [breakdown, ...breakdown.and].map(({ property, on }, place) => ({
        property,
        on,
        joined: identifier(`trait${place}`),
      }));

/** The group of an event: its value, or one of each property. */
const rawGroup = (scope: Scope, breakdown: TrendsInput["breakdown"]): Sql => {
  const values = brokenBy(breakdown).map(({ property, on, joined }) => (on === "person" ? sql`${joined}.value` : propertyText(scope, property))); // prettier-ignore
  const [only, ...others] = values;
  if (only === undefined) return sql`''`;
  if (others.length === 0) return only;
  const named = values.map((value) => sql`if(${value} = '', '(missing)', ${value})`);
  return sql`arrayStringConcat([${join(named, ", ")}], ' · ')`;
};

/** What the traits of the breakdown are joined by. */
const traitJoins = (scope: Scope, breakdown: TrendsInput["breakdown"]): Sql =>
  join(
    brokenBy(breakdown)
      .filter(({ on }) => on === "person")
      .map(({ property, joined }) => sql`LEFT ANY JOIN (${traitOfPeople(scope, property)}) AS ${joined} ON ${joined}.person = ${personOf(scope)}`), // prettier-ignore
    "\n",
  );

/** Groups of people that a sample is cut into, so that how much they differ says how far their sum may be off. */
export const replicates = 20;
const finest = 10_000;

/** The people of a sample, and which of its groups each is in; the same people whenever the same share is asked. */
const sampled = (scope: Scope, share: number): { inside: Sql; group: Sql } => {
  const most = literal(Math.round(share * finest));
  const place = sql`sipHash64(${personOf(scope)}, 'sample') % ${literal(finest)}`;
  return {
    inside: sql`${place} < ${most}`,
    group: sql`toString(intDiv((${place}) * ${literal(replicates)}, ${most}))`,
  };
};

/** The one read: a row per bucket and value of the breakdown, with the given columns. */
const grouped = (
  scope: Scope,
  input: TrendsInput,
  parts: readonly Part[],
  totals: boolean,
  columns: readonly Sql[],
): Sql => {
  const { breakdown } = input;
  const whole = {
    from: Math.min(...parts.map((part) => part.range.from)),
    to: Math.max(...parts.map((part) => part.range.to)),
  };
  const sample = input.sample === undefined ? undefined : sampled(scope, input.sample);
  const bucket = totals ? sql`toInt32(0)` : bucketNumberSql(input.interval, scope);
  return sql`SELECT ${bucket} AS bucket, ${sample?.group ?? rawGroup(scope, breakdown)} AS grp, ${join(columns, ", ")}
    FROM events ${traitJoins(scope, breakdown)}
    WHERE ${inRange(whole)} AND ${matchesAny(scope, input.series)} AND ${conditionsOf(scope, input.filters)} AND ${sample?.inside ?? sql`1`}
    GROUP BY ${breakdown === undefined && sample === undefined ? sql`bucket` : sql`bucket, grp`}`;
};

/** The values with the largest totals over all series keep their names; the others are Other. */
const ranked = (rows: Sql, parts: readonly Part[], limit: number): Sql => {
  const total = parts.map((part) => finished(part, sql` OVER (PARTITION BY grp)`)).reduce((a, b) => sql`${a} + ${b}`);
  return sql`SELECT * EXCEPT (grp, total, place), if(place <= ${literal(limit)}, grp, ${bind.string(other)}) AS grp
    FROM (SELECT *, dense_rank() OVER (ORDER BY total DESC, grp) AS place FROM (SELECT *, ${total} AS total FROM (${rows})))`;
};

/** One row per series, bucket and value of the breakdown; with `totals` one per series and value. */
export const trendsQuery = (scope: Scope, input: TrendsInput, range: TimeRange, totals: boolean): Sql => {
  const { breakdown } = input;
  const parts = partsOf(scope, input, range, totals);
  const isRolling = parts.some((part) => part.days > 1);
  const [only] = parts.length === 1 ? parts : [];
  // several series are one list a row, unfolded at the end
  const listed = (value: (part: Part) => Sql): Sql =>
    only === undefined
      ? sql`[${join(
          parts.map((part) => sql`(toInt32(${literal(part.index)}), ${value(part)})`),
          ", ",
        )}] AS each`
      : sql`${value(only)} AS value`;
  const unfolded = (rows: Sql): Sql =>
    only === undefined
      ? sql`SELECT tupleElement(one, 1) AS series, toInt32(bucket) AS bucket, grp, tupleElement(one, 2) AS value FROM (${rows}) ARRAY JOIN each AS one`
      : sql`SELECT toInt32(${literal(only.index)}) AS series, toInt32(bucket) AS bucket, grp, value FROM (${rows})`;
  if (breakdown === undefined && !isRolling) {
    const direct = listed((part) => valueOf(part, part.measured.aggregates.map((one) => aggregated(part, one)))); // prettier-ignore
    return unfolded(grouped(scope, input, parts, totals, [direct]));
  }
  const rows = grouped(scope, input, parts, totals, parts.flatMap(states));
  const byValue = breakdown === undefined ? rows : ranked(rows, parts, breakdown.limit);
  const kept = breakdown?.hideOther === true ? sql`WHERE grp != ${bind.string(other)}` : none;
  if (!isRolling) {
    const merged = listed((part) => finished(part));
    return unfolded(sql`SELECT bucket, grp, ${merged} FROM (${byValue}) ${kept} GROUP BY bucket, grp`);
  }
  // a day's state counts for the days after it too
  const targets = parts.map((part) =>
    part.days === 1
      ? sql`[(toInt32(${literal(part.index)}), toInt32(bucket))]`
      : sql`arrayMap(day -> (toInt32(${literal(part.index)}), toInt32(day)), range(bucket, bucket + ${literal(part.days)}))`,
  );
  const choices = parts.map((part) => sql`series = ${literal(part.index)}, ${finished(part)}`);
  return sql`SELECT series, slot AS bucket, grp, multiIf(${join(choices, ", ")}, 0) AS value FROM (
      SELECT * EXCEPT (bucket, target), tupleElement(target, 1) AS series, tupleElement(target, 2) AS slot
      FROM (${byValue}) ARRAY JOIN arrayConcat(${join(targets, ", ")}) AS target
    ) ${kept} GROUP BY series, slot, grp`;
};

/** Everybody who did what a series counts: `person`, or the account where accounts are counted. */
export const trendPeople = (
  scope: Scope,
  input: TrendsInput,
  series: Series,
  range: TimeRange,
  group: string | undefined,
): Sql => {
  const traits = traitJoins(scope, input.breakdown);
  const isAccounts = series.measure === "unique_accounts";
  const held = isAccounts ? sql`account != ''` : sql`1`;
  const valued = needsProperty.has(series.measure) && series.property !== undefined ? sql`${propertyNumber(scope, series.property)} IS NOT NULL` : sql`1`; // prettier-ignore
  const own = group === undefined ? sql`1` : sql`${rawGroup(scope, input.breakdown)} = ${bind.string(group)}`;
  return sql`SELECT DISTINCT ${isAccounts ? sql`account` : personOf(scope)} AS person FROM events ${traits}
    WHERE ${inRange(range)} AND ${matches(scope, series)} AND ${conditionsOf(scope, input.filters)} AND ${held} AND ${valued} AND ${own}`;
};

/**
 * Whether a series counts people by nothing but time, so that the buckets in which each of them was active say all. That
 * holds a word or a few for each person, where distinct counts hold each person in each bucket, and the daily rollup
 * serves it where it can.
 */
export const isByActivity = (input: TrendsInput, { measure }: Series): boolean =>
  input.breakdown === undefined &&
  input.sample === undefined &&
  (measure === "unique" ? input.interval !== "hour" : measure === "rolling_unique" && input.interval === "day");

/** The active buckets of each person, `before` more days than the range has. */
const activeIn = (scope: Scope, input: TrendsInput, series: Series, range: TimeRange, before: number) => {
  const start = startOf(range.from, input.interval, scope);
  const from = before === 0 ? range.from : addBuckets(start, "day", -before, scope.zone);
  const first = bucketNumber(before === 0 ? start : from, input.interval, scope.zone);
  const count = bucketNumber(range.to - 1, input.interval, scope.zone) - first + 1;
  const activity = { match: { event: series.event, filters: series.filters }, filters: input.filters, unit: "people" } as const; // prettier-ignore
  const slots = { range: { from, to: range.to }, interval: input.interval, first, count };
  return { active: activeSlots(scope, activity, slots), first, count };
};

const peopleByBucket = (scope: Scope, input: TrendsInput, index: number, series: Series, range: TimeRange): Sql => {
  const { active, first } = activeIn(scope, input, series, range, 0);
  return sql`SELECT toInt32(${literal(index)}) AS series, toInt32(slot + ${literal(first)}) AS bucket, '' AS grp, toFloat64(count()) AS value
    FROM (SELECT slots FROM (${active})) ARRAY JOIN slots AS slot GROUP BY slot`;
};

/**
 * A person counts from each active day on for as many days as the window has; where such stretches begin and end is all
 * that is kept of them, so that a window costs no more than a day.
 */
const rollingPeople = (scope: Scope, input: TrendsInput, index: number, series: Series, range: TimeRange): Sql => {
  const window = literal(series.windowDays);
  const { active, first, count } = activeIn(scope, input, series, range, series.windowDays - 1);
  const begins = sql`arrayMap(slot -> (slot, 1), arrayFilter((slot, before) -> slot - before > ${window}, slots, arrayPushFront(arrayPopBack(slots), toInt32(-100000))))`;
  const ends = sql`arrayMap(slot -> (slot + ${window}, -1), arrayFilter((slot, after) -> after - slot > ${window}, slots, arrayPushBack(arrayPopFront(slots), toInt32(1000000))))`;
  const turns = sql`SELECT toInt32(turn.1) AS slot, toInt64(turn.2) AS delta FROM (SELECT slots FROM (${active}) WHERE notEmpty(slots)) ARRAY JOIN arrayConcat(${begins}, ${ends}) AS turn`;
  return sql`SELECT toInt32(${literal(index)}) AS series, toInt32(slot + ${literal(first)}) AS bucket, '' AS grp, toFloat64(value) AS value FROM (
      SELECT slot, sum(delta) OVER (ORDER BY slot) AS value FROM (
        SELECT slot, sum(delta) AS delta FROM (${turns} UNION ALL SELECT toInt32(number), toInt64(0) FROM numbers(${literal(count)})) GROUP BY slot
      )
    ) WHERE slot >= ${literal(series.windowDays - 1)} AND slot < ${literal(count)}`;
};

/** One row per bucket of a series by activity, as trendsQuery gives them. */
export const activityQuery = (scope: Scope, input: TrendsInput, index: number, series: Series, range: TimeRange): Sql =>
  (series.measure === "unique" ? peopleByBucket : rollingPeople)(scope, input, index, series, range);
