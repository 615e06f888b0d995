import { bind, sql, type Sql } from "#kernel/sql.ts";
import { personOf, tableIn, type Scope } from "#records/events/scope.ts";

/** One row per person or account who is in any of the cohorts now: `unit`. The latest change counts. */
export const membersOf = (
  scope: Pick<Scope, "engine" | "hasMerges">,
  cohorts: readonly string[],
  unit: "people" | "accounts",
): Sql => {
  const key = unit === "accounts" ? sql`account` : personOf(scope, sql`person`);
  const own = unit === "accounts" ? sql`account != ''` : sql`account = ''`;
  return sql`SELECT DISTINCT unit FROM (
      SELECT ${key} AS unit, cohort FROM ${tableIn(scope, "memberships")} WHERE cohort IN ${bind.strings(cohorts)} AND ${own}
      GROUP BY unit, cohort HAVING argMax(change, memberships.at) = 1
    )`;
};
