import { bind, sql, type Sql } from "#kernel/sql.ts";
import { personOf, tableIn, type Scope } from "#records/events/scope.ts";

/** A list as of now: its changes one after another, from nothing. Items are kept as their JSON. */
const foldedList: Sql = sql`
  concat('[', arrayStringConcat(arrayFold((items, change) -> multiIf(
    change.2 IN ('set', 'set_once'), JSONExtractArrayRaw(change.3),
    change.2 = 'append', arrayConcat(items, JSONExtractArrayRaw(change.3)),
    change.2 = 'prepend', arrayConcat(JSONExtractArrayRaw(change.3), items),
    change.2 = 'union', arrayConcat(items, arrayFilter(item -> NOT has(items, item), arrayDistinct(JSONExtractArrayRaw(change.3)))),
    change.2 = 'remove', arrayFilter(item -> NOT has(JSONExtractArrayRaw(change.3), item), items),
    CAST([], 'Array(String)')
  ), arraySort(change -> change.1, groupArrayIf((at, op, value), kind = 'list' OR op = 'unset')), CAST([], 'Array(String)')), ','), ']')`;

/** A trait as of now, from its changes: a set (or unset) beats every set_once; adds count from the last set on. */
export const latestValue: Sql = sql`
  multiIf(
    countIf(op IN ('append', 'prepend', 'union', 'remove')) > 0 AND argMax(kind, at) = 'list', ${foldedList},
    countIf(op = 'add') > 0,
      toString(sumIf(toFloat64OrZero(value), op = 'add') + toFloat64OrZero(argMaxIf(value, at, op != 'add'))),
    argMax(value, (op != 'set_once', if(op = 'set_once', -toUnixTimestamp64Milli(at), toUnixTimestamp64Milli(at)))))`;

/** One row per person who has (or had) the trait: its value as text, empty where it was unset. */
export const traitOfPeople = (scope: Scope, trait: string): Sql => {
  scope.veil.check("person", trait);
  return sql`
  SELECT ${personOf(scope)} AS person, ${latestValue} AS value
  FROM ${tableIn(scope, "trait_changes")} WHERE subject = 'person' AND trait = ${bind.string(trait)}
  GROUP BY person`;
};

/** One row per account that has (or had) the trait: its value as text, empty where it was unset. */
export const traitOfAccounts = (scope: Pick<Scope, "engine" | "veil">, trait: string): Sql => {
  scope.veil.check("account", trait);
  return sql`
  SELECT account, ${latestValue} AS value FROM ${tableIn(scope, "trait_changes")}
  WHERE subject = 'account' AND trait = ${bind.string(trait)} GROUP BY account`;
};

/** Changes of the traits that may be shown, of people or of accounts. */
export const shownTraits = (
  { veil }: Pick<Scope, "veil">,
  subject: "person" | "account",
  table: Sql = sql`trait_changes`,
): Sql => {
  const hidden = veil.hidden(subject);
  const isShown =
    hidden.length === 0
      ? sql`1`
      : sql`NOT arrayExists(name -> trait = name OR startsWith(trait, concat(name, '.')), ${bind.strings(hidden)})`;
  return sql`SELECT * FROM ${table} WHERE subject = ${bind.string(subject)} AND ${isShown}`;
};

/** One row per person and moment at which the trait changed: its value from then on. */
export const traitOverTime = (scope: Scope, trait: string): Sql => {
  scope.veil.check("person", trait);
  const changes = sql`SELECT ${personOf(scope)} AS person, at, op, kind, value FROM ${tableIn(scope, "trait_changes")}
    WHERE subject = 'person' AND trait = ${bind.string(trait)}`;
  return sql`SELECT person, since, ${latestValue} AS value FROM (
      SELECT person, moments.since AS since, changes.at AS at, op, kind, value
      FROM (${changes}) AS changes
      INNER JOIN (SELECT DISTINCT person, at AS since FROM (${changes})) AS moments ON moments.person = changes.person
      WHERE changes.at <= moments.since
    ) GROUP BY person, since`;
};

/** One row per id that ever joined or left another: the id that it belongs to now, itself where it stands alone. */
export const parentOfEach: Sql = sql`
  SELECT toString(actor) AS actor, toString(argMax(parent, sequence)) AS parent
  FROM identity_log WHERE kind != 'refused' GROUP BY actor`;

/** Every id that a sender used for a signed-in person. */
export const identifiedActors: Sql = sql`
  SELECT DISTINCT toString(actor) AS actor FROM identities WHERE kind = 'identified'`;

/** One row per device: the user who was last seen on it. */
export const lastUserOfEach: Sql = sql`
  SELECT toString(device) AS actor, toString(argMax(user, version)) AS parent FROM device_users GROUP BY device`;
