import { Temporal } from "temporal-polyfill";
import { allOf, anyOf, bind, literal, sql, type Sql } from "#kernel/sql.ts";
import { Refusal } from "#kernel/refusal.ts";
import { firstActive, unitOf } from "#insights/common/activity.ts";
import { matches, textCondition } from "#insights/common/conditions.ts";
import type { Filter, Unit } from "#insights/common/frame.ts";
import { attemptsOf, packed } from "#insights/sequence/sequence.ts";
import { membersOf } from "#records/cohorts/relation.ts";
import { personOf, type Scope } from "#records/events/scope.ts";
import { latestValue } from "#records/people/relation.ts";
import type { Duration, Leaf, Rule } from "./contract.ts";

/** Who is asked about, and as of when. */
export interface Asked {
  readonly scope: Scope;
  readonly unit: Unit;
  /** Only of these is asked: `unit`. Of everybody where absent. */
  readonly among?: Sql;
}

export const ago = ({ now, zone }: Scope, { value, unit }: Duration): number =>
  Temporal.Instant.fromEpochMilliseconds(now)
    .toZonedDateTimeISO(zone)
    .subtract({ [`${unit}s`]: value }).epochMilliseconds;

const compared = { gte: sql`>=`, lte: sql`<=`, eq: sql`=` } as const;

/** Only rows of those who are asked about. By id first, which the store can look up. */
const ofAsked = ({ scope, unit, among }: Asked): Sql => {
  if (among === undefined) return unit === "accounts" ? sql`account != ''` : sql`1`;
  if (unit === "accounts") return sql`account != '' AND account IN (${among})`;
  return scope.hasMerges
    ? sql`actor IN (SELECT actor FROM identities WHERE ${personOf(scope)} IN (${among}))`
    : sql`actor IN (${among})`;
};

/** Events of a kind in [from, now], for a question about who did them. */
const events = (asked: Asked, holds: Sql, from?: number): Sql => {
  const since = from === undefined ? sql`1` : sql`at >= ${bind.time(from)}`;
  return sql`FROM events WHERE ${since} AND at <= ${bind.time(asked.scope.now)} AND ${ofAsked(asked)} AND ${holds}`;
};

const unitsWith = (asked: Asked, source: Sql, having: Sql = sql`1`): Sql =>
  sql`SELECT ${unitOf(asked.scope, asked.unit)} AS unit ${source} GROUP BY unit HAVING ${having}`;

/** The trait as of now; who never had one has an empty text. */
const withTrait = ({ scope, unit }: Asked, filter: Filter): Sql => {
  const [subject, key] = unit === "accounts" ? [sql`'account'`, sql`account`] : [sql`'person'`, personOf(scope)];
  return sql`SELECT unit FROM (
      SELECT ${key} AS unit, ${latestValue} AS value FROM trait_changes
      WHERE subject = ${subject} AND trait = ${bind.string(filter.property)} GROUP BY unit
    ) WHERE ${textCondition(sql`value`, filter)}`;
};

/** Conditions that people without the trait meet too are asked the other way round. */
const positive = { neq: "eq", not_contains: "contains", not_matches: "matches", is_not_set: "is_set" } as const;

/** One row per unit that meets the condition: \`unit\`. Each is a set of its own, so that rules are plain logic over sets. */
const unitsMeeting = (asked: Asked, leaf: Exclude<Leaf, { type: "trait" }>): Sql => {
  const { scope } = asked;
  const kinds: Readonly<Record<Exclude<Leaf["type"], "trait">, (one: never) => Sql>> = {
    did: (one: Leaf & { type: "did" }) => {
      const since = one.since === undefined ? undefined : Date.parse(one.since);
      const source = events(
        asked,
        matches(scope, one.match),
        one.within === undefined ? since : ago(scope, one.within),
      );
      return one.times === undefined
        ? unitsWith(asked, source)
        : unitsWith(asked, source, sql`count() ${compared[one.times.op]} ${literal(one.times.value)}`);
    },
    first_time: (one: Leaf & { type: "first_time" }) => {
      const activity = { match: one.match, filters: [], unit: asked.unit };
      return sql`SELECT unit FROM (${firstActive(scope, activity, scope.now + 1, ofAsked(asked))}) WHERE first >= ${bind.time(ago(scope, one.within))}`;
    },
    regularly: (one: Leaf & { type: "regularly" }) => {
      const length = scope.now - ago(scope, one.period);
      const elapsed = sql`(${bind.int(scope.now)} - toUnixTimestamp64Milli(at))`;
      // an event exactly one period ago is still in the latest period
      const period = sql`if(${elapsed} = 0, 0, intDiv(${elapsed} - 1, ${literal(length)}))`;
      const source = events(asked, matches(scope, one.match), scope.now - length * one.totalPeriods);
      return sql`SELECT unit FROM (
          SELECT ${unitOf(scope, asked.unit)} AS unit, ${period} AS period ${source}
          GROUP BY unit, period HAVING count() ${compared[one.times.op]} ${literal(one.times.value)}
        ) GROUP BY unit HAVING count() >= ${literal(one.minPeriods)}`;
    },
    stopped: (one: Leaf & { type: "stopped" }) =>
      unitsWith(
        asked,
        events(asked, matches(scope, one.match), ago(scope, one.within)),
        sql`max(at) < ${bind.time(ago(scope, one.notWithin))}`,
      ),
    restarted: (one: Leaf & { type: "restarted" }) => {
      const [quiet, again] = [bind.time(ago(scope, one.quietWithin)), bind.time(ago(scope, one.againWithin))];
      return unitsWith(
        asked,
        events(asked, matches(scope, one.match)),
        sql`countIf(at < ${quiet}) > 0 AND countIf(at >= ${quiet} AND at < ${again}) = 0 AND countIf(at >= ${again}) > 0`,
      );
    },
    sequence: (one: Leaf & { type: "sequence" }) => {
      const from = ago(scope, one.within);
      const question = {
        steps: one.steps.length,
        order: "ordered",
        attempt: "any",
        mode: "best",
        windowMs: Math.round(one.windowSeconds * 1000),
        entryMs: scope.now - from + 1,
        optional: [],
        exclusionMode: "drop_person",
        exclusions: [],
      } as const;
      const steps = one.steps.map((step) => matches(scope, step));
      const source = events(asked, anyOf(steps), from);
      const sorted = sql`arraySort(groupArray(200000)(${packed(from, steps, [])}))`;
      const each = sql`SELECT ${unitOf(scope, asked.unit)} AS unit, ${sorted} AS words ${source} GROUP BY unit`;
      return sql`SELECT unit FROM (${attemptsOf(question, [sql`unit`], each)}) WHERE found[-1] >= 0`;
    },
    cohort: (one: Leaf & { type: "cohort" }) => membersOf(scope, [one.cohort], asked.unit),
  };
  return kinds[leaf.type](leaf as never); // the kind's own condition
};

/** Whether \`unit\` meets a condition. */
export const leafHolds = (asked: Asked, leaf: Leaf): Sql => {
  if (leaf.type !== "trait") return sql`unit IN (${unitsMeeting(asked, leaf)})`;
  if (leaf.filter.property === "") throw new Refusal("filter.no_property", "A condition needs the name of a trait.");
  const opposite = positive[leaf.filter.op as keyof typeof positive] as Filter["op"] | undefined; // undefined for others
  return opposite === undefined
    ? sql`unit IN (${withTrait(asked, leaf.filter)})`
    : sql`unit NOT IN (${withTrait(asked, { ...leaf.filter, op: opposite })})`;
};

const holds = (asked: Asked, rule: Rule): Sql => {
  if (rule.type === "all") return allOf(rule.rules.map((one) => holds(asked, one)));
  if (rule.type === "any") return anyOf(rule.rules.map((one) => holds(asked, one)));
  if (rule.type === "not") return sql`NOT (${holds(asked, rule.rule)})`;
  return leafHolds(asked, rule);
};

/** One row for everybody there is (of those who are asked about), also those who never did anything: `unit`. */
export const everybody = ({ scope, unit, among }: Asked): Sql =>
  among !== undefined
    ? sql`SELECT unit FROM (${everybody({ scope, unit })}) WHERE unit IN (${among})`
    : unit === "accounts"
      ? sql`SELECT DISTINCT account AS unit FROM (SELECT account FROM trait_changes WHERE subject = 'account' UNION ALL SELECT DISTINCT account FROM events) WHERE account != ''`
      : sql`SELECT DISTINCT ${personOf(scope)} AS unit FROM identities`;

/** One row per unit that the rule holds for: \`unit\`. */
export const unitsOf = (asked: Asked, rule: Rule): Sql =>
  sql`SELECT unit FROM (${everybody(asked)}) WHERE ${holds(asked, rule)}`;
