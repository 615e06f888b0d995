import { bind, literal, none, sql, type Sql } from "#kernel/sql.ts";
import { personOf, type Scope } from "#records/events/scope.ts";
import { latestValue } from "#records/people/relation.ts";

const prefix = "consent.";
const told = sql`subject = 'person' AND startsWith(trait, ${bind.string(prefix)})`;
const purpose = sql`substring(trait, ${literal(prefix.length + 1)})`;

/** For each purpose: people who agree now, and who do not. */
export const agreement = (scope: Scope): Sql => sql`
  SELECT purpose, toFloat64(countIf(value = 'true')) AS agreed, toFloat64(countIf(value = 'false')) AS refused FROM (
    SELECT ${purpose} AS purpose, ${personOf(scope)} AS person, ${latestValue} AS value FROM trait_changes WHERE ${told} GROUP BY purpose, person
  ) GROUP BY purpose ORDER BY purpose LIMIT 1000`;

/** One row per time that somebody said something of a purpose. */
export const said = (scope: Scope, actor: string | undefined, of: string | undefined, limit: number): Sql => sql`
  SELECT known.id AS id, toString(${personOf(scope, sql`changes.actor`)}) AS person, changes.purpose AS purpose, changes.value = 'true' AS given,
    toString(changes.at) AS at, changes.source AS source
  FROM (
    SELECT actor, ${purpose} AS purpose, value, at, source FROM trait_changes WHERE ${told}
      AND ${of === undefined ? sql`1` : sql`trait = ${bind.string(prefix + of)}`}
      AND ${actor === undefined ? sql`1` : sql`${personOf(scope)} = ${personOf(scope, sql`toUInt64(${bind.string(actor)})`)}`}
    ORDER BY at DESC LIMIT ${literal(limit)}
  ) AS changes LEFT ANY JOIN (SELECT actor, id FROM identities) AS known ON known.actor = changes.actor
  ORDER BY changes.at DESC, person, purpose ${none}`;

export const isKnown = (actor: string): Sql => sql`SELECT toFloat64(count()) AS count FROM identities WHERE actor = toUInt64(${bind.string(actor)})`; // prettier-ignore
