import { z } from "zod";
import { allOf, anyOf, bind, join, literal, sql, type Sql } from "#kernel/sql.ts";
import type { EventMatch } from "#insights/common/frame.ts";
import { unitOf } from "#insights/common/activity.ts";
import { personOf } from "#records/events/scope.ts";
import { leavesOf, type Duration, type Leaf, type Rule } from "./contract.ts";
import { ago, type Asked } from "./rule.ts";

/** As of when the members were found last. What has been in the store then need not be looked at again. */
export const Basis = z.object({
  /** The moment that the rule was held against, in milliseconds. */
  at: z.number(),
  /** Everything that was received before this moment could be read. */
  received: z.number(),
  zone: z.string(),
});
export type Basis = z.output<typeof Basis>;

/** Beyond this it costs no more to find everybody anew. */
const longestMs = 2 * 86_400_000;
export const mostTouched = 20_000;
/** Clocks of two processes may differ by so much. */
const slackMs = 60_000;

/** The events that a condition looks at; undefined where it looks at none. */
const matchesOf = (leaf: Leaf): readonly EventMatch[] => {
  if (leaf.type === "sequence") return leaf.steps;
  return leaf.type === "trait" || leaf.type === "cohort" ? [] : [leaf.match];
};

/** Conditions of events that can change their answer for a person though nothing of that person came in. */
const reachesFurther = ({ on, property }: EventMatch["filters"][number], unit: Asked["unit"]): boolean =>
  on === "account" ||
  on === "cohort" ||
  (on === "session" && property !== "id") ||
  (unit === "accounts" && (on === "person" || on === "person_then" || on === "id"));

/** Lengths of time after which an event stops (or begins) to count. */
const edgesOf = (leaf: Leaf): readonly Duration[] => {
  if (leaf.type === "did" || leaf.type === "first_time" || leaf.type === "sequence")
    return leaf.within === undefined ? [] : [leaf.within];
  if (leaf.type === "stopped") return [leaf.within, leaf.notWithin];
  return leaf.type === "restarted" ? [leaf.quietWithin, leaf.againWithin] : [];
};

/**
 * Whom a rule may judge otherwise than at `basis`: `unit`. Those of whom something came in, those whose ids were joined
 * or parted, those who have an event that a length of time has passed over, and those who entered or left a cohort that
 * the rule names. Undefined where that cannot be told, and everybody has to be looked at.
 */
export const touchedSince = (asked: Asked, rule: Rule, basis: Basis): Sql | undefined => {
  const { scope, unit } = asked;
  const leaves = leavesOf(rule);
  const filters = leaves.flatMap(matchesOf).flatMap((match) => match.filters);
  if (basis.zone !== scope.zone || scope.now < basis.at || scope.now - basis.at > longestMs) return undefined;
  if (filters.some((filter) => reachesFurther(filter, unit))) return undefined;
  const then = { ...scope, now: basis.at };
  const since = bind.time(basis.received - slackMs);
  const owner = unitOf(scope, unit);
  const owned = unit === "accounts" ? sql`account != ''` : sql`1`;
  const named = (matches: readonly EventMatch[]): Sql =>
    matches.some((match) => match.event === null)
      ? owned
      : allOf([owned, sql`event IN ${bind.strings(matches.map((match) => match.event ?? ""))}`]);
  const passed = (from: number, to: number): Sql =>
    sql`at >= ${bind.time(Math.min(from, to))} AND at <= ${bind.time(Math.max(from, to))}`;

  const ofEvents: Sql[] = [];
  for (const leaf of leaves) {
    const matches = matchesOf(leaf);
    if (matches.length === 0) continue;
    const edges = edgesOf(leaf).map((edge) => passed(ago(then, edge), ago(scope, edge)));
    if (leaf.type === "regularly") {
      const length = scope.now - ago(scope, leaf.period);
      if (length !== then.now - ago(then, leaf.period)) return undefined;
      const elapsed = sql`(${bind.int(scope.now)} - toUnixTimestamp64Milli(at))`;
      const from = then.now - length * leaf.totalPeriods;
      edges.push(sql`at >= ${bind.time(from)} AND ${elapsed} % ${literal(length)} <= ${literal(scope.now - then.now)}`);
    }
    const moved = [sql`received >= ${since}`, passed(then.now, scope.now), ...edges];
    ofEvents.push(allOf([named(matches), anyOf(moved)]));
  }
  const [subject, key] = unit === "accounts" ? [sql`'account'`, sql`account`] : [sql`'person'`, personOf(scope)];
  const changed = sql`SELECT actor FROM identity_log WHERE at >= ${since}`;
  const cohorts = leaves.flatMap((leaf) => (leaf.type === "cohort" ? [leaf.cohort] : []));
  const member = unit === "accounts" ? sql`account` : personOf(scope, sql`person`);
  const sources = [
    ...ofEvents.map((moved) => sql`SELECT ${owner} AS unit FROM events WHERE ${moved}`),
    sql`SELECT ${key} AS unit FROM trait_changes WHERE subject = ${subject} AND received >= ${since}`,
    ...(cohorts.length === 0
      ? []
      : [
          sql`SELECT ${member} AS unit FROM memberships WHERE cohort IN ${bind.strings(cohorts)} AND memberships.at >= ${since}`,
        ]),
    ...(unit === "accounts"
      ? [sql`SELECT account AS unit FROM events WHERE account != '' AND received >= ${since}`]
      : [
          sql`SELECT ${personOf(scope)} AS unit FROM identities WHERE seen >= ${since}`,
          sql`SELECT ${personOf(scope)} AS unit FROM identity_log WHERE actor IN (${changed})`,
          sql`SELECT ${personOf(scope, sql`parent`)} AS unit FROM identity_log WHERE actor IN (${changed})`,
        ]),
  ];
  return sql`SELECT DISTINCT unit FROM (${join(sources, " UNION ALL ")}) LIMIT ${literal(mostTouched + 1)}`;
};

/** A statement's units, given. */
export const given = (unit: Asked["unit"], units: readonly string[]): Sql =>
  sql`SELECT arrayJoin(${unit === "accounts" ? bind.strings(units) : bind.ids(units)}) AS unit`;
