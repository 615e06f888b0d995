import { bind, sql, type Sql } from "#kernel/sql.ts";
import { membersOf } from "#records/cohorts/relation.ts";

/** Changes where somebody came into a cohort or left it, or where two ids became one person. */
export const signatureOf = (cohort: string): Sql => sql`
  SELECT (SELECT toFloat64(count()) FROM memberships WHERE cohort = ${bind.string(cohort)}) AS changes, (SELECT toFloat64(count()) FROM identity_overrides) AS joins`;

/** Everybody in a cohort, by each id that was joined to them. */
export const peopleIds = (scope: Parameters<typeof membersOf>[0], cohort: string): Sql => {
  const persons = membersOf(scope, [cohort], "people");
  return sql`SELECT toString(unit) AS unit FROM (${persons})
    UNION ALL SELECT toString(actor) AS unit FROM identity_overrides GROUP BY actor HAVING argMax(person, version) IN (${persons})`;
};
