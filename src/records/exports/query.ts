import { bind, sql, type Sql } from "#kernel/sql.ts";
import { inRange, personOf, shownProperties, type Scope, type TimeRange } from "#records/events/scope.ts";
import { latestValue, shownTraits, traitOfPeople } from "#records/people/relation.ts";

/** Whether a person agrees to a purpose now; everybody where none is named. */
const agrees = (scope: Scope, person: Sql, purpose: string | undefined): Sql =>
  purpose === undefined
    ? sql`1`
    : sql`${person} IN (SELECT person FROM (${traitOfPeople(scope, `consent.${purpose}`)}) WHERE value = 'true')`;

/** One row per event: what was said, the raw id that said it, and the person that it belongs to now. */
export const exportedEvents = (scope: Scope, range: TimeRange, event: string | undefined, purpose?: string): Sql => sql`
  SELECT event, at, toString(${personOf(scope)}) AS person, known.id AS id, account, session, product, source,
    toString(message) AS message, toString(${shownProperties(scope)}) AS properties, received
  FROM events LEFT ANY JOIN (SELECT actor, id FROM identities) AS known ON known.actor = events.actor
  WHERE ${inRange(range)} AND ${event === undefined ? sql`1` : sql`event = ${bind.string(event)}`}
    AND ${agrees(scope, personOf(scope), purpose)}`;

/** One row per known id; `traits` is a JSON object of texts, as of now. */
export const exportedPeople = (scope: Scope, purpose?: string): Sql => sql`
  SELECT toString(known.person) AS person, id, kind, toJSONString(mapFromArrays(names, held)) AS traits
  FROM (SELECT DISTINCT ${personOf(scope)} AS person, id, kind FROM identities) AS known
  LEFT ANY JOIN (
    SELECT person, groupArray(trait) AS names, groupArray(value) AS held FROM (
      SELECT ${personOf(scope)} AS person, trait, ${latestValue} AS value FROM (${shownTraits(scope, "person")})
      GROUP BY person, trait
    ) GROUP BY person
  ) AS told ON told.person = known.person
  WHERE ${agrees(scope, sql`known.person`, purpose)}`;
