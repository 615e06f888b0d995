import type { TableDoc } from "#kernel/module.ts";
import { anyOf, bind, identifier, literal, sql, type Sql } from "#kernel/sql.ts";
import { personOf, type Scope } from "#records/events/scope.ts";
import { latestValue } from "#records/people/relation.ts";

/** People whose data is looked for: the keys of all their ids, and the ids as their senders know them. */
export interface Subject {
  readonly keys: readonly string[];
  readonly ids: readonly string[];
}

/** An id stands between quotes in what is kept as JSON; a long one is looked for wherever it stands. */
const longId = 8;
/** Values are compared by so many characters: hints are cut. */
const compared = literal(40);

/** Strings (with their quotes) and numbers of a JSON text, cut. */
const tokens = (text: Sql): Sql =>
  sql`substringUTF8(arrayJoin(extractAll(${text}, ${bind.string('"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*')})), 1, ${compared})`;

/** Values that the events or traits of these people hold too. */
const theirValues = ({ keys }: Subject): Sql => sql`value != '' AND (
  (event IN (SELECT event FROM events WHERE actor IN ${bind.ids(keys)})
    AND substringUTF8(if(kind = 'text', toJSONString(value), value), 1, ${compared})
      IN (SELECT ${tokens(sql`toJSONString(properties)`)} FROM events WHERE actor IN ${bind.ids(keys)}))
  OR (event = '' AND substringUTF8(value, 1, ${compared})
    IN (SELECT substringUTF8(value, 1, ${compared}) FROM trait_changes WHERE subject = 'person' AND actor IN ${bind.ids(keys)})))`;

/** Rows of a table that are about these people; undefined where the table speaks of nobody. */
export const rowsAbout = ({ people }: TableDoc, subject: Subject): Sql | undefined => {
  if (people === "nobody") return undefined;
  if ("keys" in people) return anyOf(people.keys.map((column) => sql`${identifier(column)} IN ${bind.ids(subject.keys)}`)); // prettier-ignore
  if ("value" in people) return theirValues(subject);
  const searched = [...subject.ids.map((id) => JSON.stringify(id)), ...subject.ids.filter((id) => id.length >= longId)];
  return sql`multiSearchAny(${identifier(people.text)}, ${bind.strings(searched)})`;
};

/**
 * The same for a statement that deletes. The engine keeps the text of those for a while, so no id may stand in it: rows
 * that are found by what they say are named by their hash.
 */
export const hashOf = ({ columns }: TableDoc): Sql =>
  sql`sipHash64(tuple(${Object.keys(columns).map((column) => identifier(column)).reduce((all, column) => sql`${all}, ${column}`)}))`; // prettier-ignore

export const hashesAbout = (table: TableDoc, subject: Subject): Sql | undefined => {
  const rows = rowsAbout(table, subject);
  if (rows === undefined || (table.people !== "nobody" && "keys" in table.people)) return undefined;
  return sql`SELECT DISTINCT toString(${hashOf(table)}) AS hash FROM ${identifier(table.name)} WHERE ${rows}`;
};

/** Keys of the ids, and of the people whose email is one of these. */
export const actorsNamed = (keys: readonly string[], emails: readonly string[]): Sql => sql`
  SELECT DISTINCT toString(actor) AS actor FROM (
    SELECT actor FROM identities WHERE actor IN ${bind.ids(keys)}
    UNION ALL
    SELECT actor FROM (
      SELECT actor, ${latestValue} AS email FROM trait_changes
      WHERE subject = 'person' AND lower(trait) IN ('email', '$email') GROUP BY actor, trait)
    WHERE lower(email) IN ${bind.strings(emails.map((email) => email.toLowerCase()))})`;

/** Parts of tables that are no longer read and became so before then, but whose bytes are still on the disk. */
export const leftParts = (tables: readonly string[], before: number): Sql => sql`
  SELECT toFloat64(count()) AS parts FROM system.parts
  WHERE database = currentDatabase() AND NOT active AND table IN ${bind.strings(tables)} AND remove_time <= ${bind.time(before)}`;

/** The people that keys belong to, with all their ids. */
export const idsOfPeople = (scope: Pick<Scope, "engine" | "hasMerges">, actors: readonly string[]): Sql => {
  const person = personOf(scope);
  return sql`SELECT DISTINCT toString(${person}) AS person, toString(actor) AS actor, id FROM identities
    WHERE ${person} IN (SELECT ${person} FROM (SELECT arrayJoin(${bind.ids(actors)}) AS actor)) ORDER BY person, id`;
};

export const emailsOf = (actors: readonly string[]): Sql => sql`
  SELECT DISTINCT value FROM trait_changes
  WHERE subject = 'person' AND lower(trait) IN ('email', '$email') AND value != '' AND actor IN ${bind.ids(actors)}`;
