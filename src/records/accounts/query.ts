import { bind, literal, none, sql, type Sql } from "#kernel/sql.ts";
import { personOf, type Scope } from "#records/events/scope.ts";
import { latestValue, shownTraits } from "#records/people/relation.ts";

const found = (search: string): Sql =>
  search === ""
    ? none
    : sql`WHERE positionCaseInsensitiveUTF8(name, ${bind.string(search)}) > 0 OR positionCaseInsensitiveUTF8(id, ${bind.string(search)}) > 0`;

/** One row per account that has traits, or events since then. */
const accounts = (scope: Scope, since: number): Sql => sql`
  SELECT known.account AS id, if(names.name = '', known.account, names.name) AS name, busy.events AS events, busy.people AS people, busy.last AS last
  FROM (
    SELECT DISTINCT account FROM (
      SELECT account FROM trait_changes WHERE subject = 'account'
      UNION ALL SELECT account FROM events WHERE at >= ${bind.time(since)} AND account != ''
    ) WHERE account != ''
  ) AS known
  LEFT ANY JOIN (
    SELECT account, ${latestValue} AS name FROM (${shownTraits(scope, "account")}) AS trait_changes WHERE trait = 'name' GROUP BY account
  ) AS names ON names.account = known.account
  LEFT ANY JOIN (
    SELECT account, toFloat64(count()) AS events, toFloat64(uniqExact(${personOf(scope)})) AS people, toString(max(events.at)) AS last
    FROM events WHERE at >= ${bind.time(since)} AND account != '' GROUP BY account
  ) AS busy ON busy.account = known.account`;

/** Accounts, the busiest first. */
export const accountList = (scope: Scope, since: number, search: string, limit: number): Sql => sql`
  SELECT id, name, events, people, last FROM (${accounts(scope, since)}) ${found(search)} ORDER BY events DESC, id LIMIT ${literal(limit)}`;

export const accountCount = (scope: Scope, since: number, search: string): Sql => sql`
  SELECT toFloat64(count()) AS total FROM (${accounts(scope, since)}) ${found(search)}`;

export const traitsOfAccount = (account: string): Sql => sql`
  SELECT trait, ${latestValue} AS value, toString(max(trait_changes.at)) AS moment FROM trait_changes
  WHERE subject = 'account' AND account = ${bind.string(account)} GROUP BY trait ORDER BY trait`;

/** Events of an account, newest first. */
export const eventsOfAccount = (scope: Scope, account: string, since: number, limit: number): Sql => sql`
  SELECT toString(events.at) AS moment, event, toString(${personOf(scope)}) AS person, toString(properties) AS properties FROM events
  WHERE account = ${bind.string(account)} AND events.at >= ${bind.time(since)} ORDER BY events.at DESC LIMIT ${literal(limit)}`;
