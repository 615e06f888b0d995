import { bind, literal, none, sql, type Sql } from "#kernel/sql.ts";
import type { Unit } from "#insights/common/frame.ts";
import { membersOf } from "#records/cohorts/relation.ts";
import { personOf, type Scope } from "#records/events/scope.ts";
import type { Leaf } from "./contract.ts";
import { everybody, leafHolds, type Asked } from "./rule.ts";

const columns = (unit: Unit): Sql =>
  unit === "accounts" ? sql`toUInt64(0) AS person, unit AS account` : sql`unit AS person, '' AS account`;

/** The list given: persons by key (their ids may have been joined since), or accounts. */
export const listed = (scope: Scope, unit: Unit, keys: readonly string[]): Sql =>
  unit === "accounts"
    ? sql`SELECT arrayJoin(arrayDistinct(${bind.strings(keys)})) AS unit`
    : sql`SELECT DISTINCT ${personOf(scope)} AS unit FROM (SELECT arrayJoin(${bind.ids(keys)}) AS actor)`;

/** Now, and in any case after every change that is noted already. */
const noted = (scope: Scope, cohort: string): Sql =>
  sql`greatest(${bind.time(scope.now)}, (SELECT max(memberships.at) FROM memberships WHERE cohort = ${bind.string(cohort)}) + INTERVAL 1 MILLISECOND)`;

/**
 * Writes who entered and who left since the last time; who is in it as before costs nothing. Where only some were
 * looked at, all others stay as they are.
 */
export const noteChanges = ({ scope, unit, among }: Asked, cohort: string, wanted: Sql): Sql => sql`
  INSERT INTO memberships (cohort, person, account, change, at)
  SELECT ${bind.string(cohort)}, ${columns(unit)}, toInt8(if(isWanted, 1, -1)), ${noted(scope, cohort)} FROM (
    SELECT unit, max(side = 1) AS isWanted, max(side = 2) AS wasIn FROM (
      SELECT unit, 1 AS side FROM (${wanted}) UNION ALL SELECT unit, 2 AS side FROM (${membersOf(scope, [cohort], unit)}) ${among === undefined ? none : sql`WHERE unit IN (${among})`}
    ) GROUP BY unit
  ) WHERE isWanted != wasIn`;

export const sizeOf = (scope: Scope, cohort: string, unit: Unit): Sql =>
  sql`SELECT toFloat64(count()) AS size FROM (${membersOf(scope, [cohort], unit)})`;

export const countOf = (asked: Asked, units: Sql): Sql =>
  sql`SELECT toFloat64(count()) AS size, toFloat64((SELECT count() FROM (${everybody(asked)}))) AS all FROM (${units})`;

/** One row per member: key, a name, and since when; the latest to enter first. */
export const memberList = (scope: Scope, cohort: string, unit: Unit, limit: number): Sql => {
  const key = unit === "accounts" ? sql`account` : personOf(scope, sql`person`);
  const members = sql`SELECT ${key} AS unit, max(memberships.at) AS since FROM memberships WHERE cohort = ${bind.string(cohort)}
    GROUP BY unit HAVING argMax(change, memberships.at) = 1 ORDER BY since DESC, unit LIMIT ${literal(limit)}`;
  if (unit === "accounts") return sql`SELECT unit, unit AS name, toString(since) AS moment FROM (${members})`;
  const names = sql`SELECT ${personOf(scope)} AS person, argMax(id, (kind = 'identified', seen)) AS name FROM identities GROUP BY person`;
  return sql`SELECT toString(members.unit) AS unit, names.name AS name, toString(members.since) AS moment
    FROM (${members}) AS members LEFT ANY JOIN (${names}) AS names ON names.person = members.unit ORDER BY members.since DESC, unit`;
};

/** One row per day on which anybody entered or left. */
export const historyOf = (scope: Scope, cohort: string): Sql => sql`
  SELECT toString(toDate(at, ${bind.string(scope.zone)})) AS day, toFloat64(countIf(change = 1)) AS entered, toFloat64(countIf(change = -1)) AS left
  FROM memberships WHERE cohort = ${bind.string(cohort)} GROUP BY day ORDER BY day DESC LIMIT 400`;

const one = ({ scope, unit }: Asked, key: string): Sql =>
  unit === "accounts" ? sql`${bind.string(key)}` : personOf(scope, sql`toUInt64(${bind.id(key)})`);

/** Whether somebody meets each of the conditions. */
export const whyQuery = (asked: Asked, key: string, leaves: readonly Leaf[]): Sql => {
  const held = leaves.map((leaf) => sql`toUInt8(${leafHolds(asked, leaf)})`);
  const list = held.reduce((left, right) => sql`${left}, ${right}`);
  return sql`SELECT [${list}] AS held FROM (SELECT ${one(asked, key)} AS unit)`;
};

/** When somebody entered and left, the latest first. */
export const changesOf = (asked: Asked, cohort: string, key: string): Sql => {
  const unit = asked.unit === "accounts" ? sql`account` : personOf(asked.scope, sql`person`);
  return sql`SELECT toString(memberships.at) AS moment, toInt32(change) AS change FROM memberships
    WHERE cohort = ${bind.string(cohort)} AND ${unit} = ${one(asked, key)} ORDER BY memberships.at DESC LIMIT 100`;
};
