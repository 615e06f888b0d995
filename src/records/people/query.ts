import { bind, literal, none, sql, type Sql } from "#kernel/sql.ts";
import { personOf, type Scope } from "#records/events/scope.ts";
import { latestValue, shownTraits } from "./relation.ts";

/** One row per person: how many events, the first and the last. */
const activity = (scope: Scope): Sql => sql`
  SELECT ${personOf(scope)} AS person, toFloat64(sum(events)) AS events, min(first) AS first_at, max(last) AS last_at
  FROM activity_daily GROUP BY person`;

/** One row per person: a name to show, and all their ids as text for the search. */
const names = (scope: Scope): Sql => sql`
  SELECT person, groupUniqArray(20)(id) AS ids, anyIf(id, kind = 'identified') AS identified
  FROM (SELECT ${personOf(scope)} AS person, id, kind FROM identities) GROUP BY person`;

const namesTold = (scope: Scope): Sql => sql`
  SELECT person, anyIf(value, trait = 'name') AS full_name, anyIf(value, trait = 'email') AS email FROM (
    SELECT ${personOf(scope)} AS person, trait, ${latestValue} AS value FROM (${shownTraits(scope, "person")}) AS trait_changes
    WHERE trait IN ('name', 'email') GROUP BY person, trait
  ) GROUP BY person`;

const joined = (scope: Scope): Sql => sql`
  SELECT a.person AS person, n.ids AS ids, a.events AS events, a.first_at AS first_at, a.last_at AS last_at,
    multiIf(t.full_name != '', t.full_name, t.email != '', t.email, n.identified != '', n.identified, arrayElement(n.ids, 1)) AS name
  FROM (${activity(scope)}) AS a
  LEFT ANY JOIN (${names(scope)}) AS n ON n.person = a.person
  LEFT ANY JOIN (${namesTold(scope)}) AS t ON t.person = a.person`;

const found = (search: string): Sql =>
  search === ""
    ? none
    : sql`WHERE positionCaseInsensitiveUTF8(name, ${bind.string(search)}) > 0 OR arrayExists(one -> positionCaseInsensitiveUTF8(one, ${bind.string(search)}) > 0, ids)`;

/** People, the latest seen first. */
export const peopleList = (scope: Scope, search: string, limit: number): Sql => sql`
  SELECT toString(person) AS id, ids, name, events, toString(first_at) AS first, toString(last_at) AS last
  FROM (${joined(scope)}) ${found(search)} ORDER BY last_at DESC, id LIMIT ${literal(limit)}`;

/** The people who did something in an account since then, the latest seen first. */
export const peopleInAccount = (scope: Scope, account: string, since: number, limit: number): Sql => sql`
  SELECT toString(person) AS id, ids, name, events, toString(first_at) AS first, toString(last_at) AS last
  FROM (${joined(scope)})
  WHERE person IN (SELECT ${personOf(scope)} FROM events WHERE account = ${bind.string(account)} AND at >= ${bind.time(since)})
  ORDER BY last_at DESC, id LIMIT ${literal(limit)}`;

export const peopleCount = (scope: Scope, search: string): Sql => sql`
  SELECT toFloat64(count()) AS total FROM (${search === "" ? activity(scope) : joined(scope)}) ${found(search)}`;

/** Keys of all ids that are this person: few, so that timelines read little. */
export const actorsOf = (scope: Scope, person: string): Sql => sql`
  SELECT DISTINCT toString(actor) AS key, id, kind, toInt32(actor != ${bind.id(person)}) AS joined
  FROM identities WHERE ${personOf(scope)} = ${bind.id(person)} ORDER BY joined, kind DESC, id LIMIT 1000`;

/** Not what may be shown of them, but all; the veil is drawn over the answer. */
export const traitsOfActors = (actors: readonly string[]): Sql => sql`
  SELECT trait, ${latestValue} AS value, toString(max(trait_changes.at)) AS moment FROM trait_changes
  WHERE subject = 'person' AND actor IN ${bind.ids(actors)} GROUP BY trait ORDER BY trait`;

/** Events of a person, newest first; all of the last moment, so that the next page can begin before it. */
export const timelineOf = (actors: readonly string[], before: number, limit: number): Sql => sql`
  SELECT toString(events.at) AS moment, event, source, account, toString(properties) AS properties FROM events
  WHERE actor IN ${bind.ids(actors)} AND events.at < ${bind.time(before)} ORDER BY events.at DESC LIMIT ${literal(limit)} WITH TIES`;

export const joinsOf = (actors: readonly string[]): Sql => sql`
  SELECT toString(identity_log.at) AS moment, kind, toString(actor) AS child, toString(parent) AS into, by FROM identity_log
  WHERE actor IN ${bind.ids(actors)} OR parent IN ${bind.ids(actors)} ORDER BY sequence DESC LIMIT 200`;
