import type { TableDoc } from "#kernel/module.ts";
import { anyOf, bind, identifier, join, literal, sql, type Sql } from "#kernel/sql.ts";
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
const theirValues = (keys: readonly string[]): Sql => sql`value != '' AND (
  (event IN (SELECT event FROM events WHERE actor IN ${bind.ids(keys)})
    AND substringUTF8(if(kind = 'text', toJSONString(value), value), 1, ${compared})
      IN (SELECT ${tokens(sql`toJSONString(properties)`)} FROM events WHERE actor IN ${bind.ids(keys)}))
  OR (event = '' AND substringUTF8(value, 1, ${compared})
    IN (SELECT substringUTF8(value, 1, ${compared}) FROM trait_changes WHERE subject = 'person' AND actor IN ${bind.ids(keys)})))`;

/** Servers limit how much a statement may hold; and how many words are looked for at once. */
const [keysAtOnce, idsAtOnce, hashesAtOnce] = [2_000, 100, 2_000];
export const portions = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size));

/** Which rows of a table are about these people: a condition for each portion of them that one statement can name. */
const rowsAbout = ({ people }: TableDoc, { keys, ids }: Subject): Sql[] => {
  if (people === "nobody") return [];
  if ("text" in people)
    return portions(ids, idsAtOnce).map((some) => {
      const searched = [...some.map((id) => JSON.stringify(id)), ...some.filter((id) => id.length >= longId)];
      return sql`multiSearchAny(${identifier(people.text)}, ${bind.strings(searched)})`;
    });
  return portions(keys, keysAtOnce).map(
    (some) =>
    "value" in people ? theirValues(some) : anyOf(people.keys.map((column) => sql`${identifier(column)} IN ${bind.ids(some)}`)), // prettier-ignore
  );
};

/** A row may name two people of two portions: then it is given, and counted, twice. */
export const allAbout = (table: TableDoc, subject: Subject): Sql[] =>
  rowsAbout(table, subject).map((rows) => sql`SELECT * FROM ${identifier(table.name)} WHERE ${rows}`);

export const countsAbout = (table: TableDoc, subject: Subject): Sql[] =>
  rowsAbout(table, subject).map((rows) => sql`SELECT toFloat64(count()) AS rows FROM ${identifier(table.name)} WHERE ${rows}`); // prettier-ignore

const isByKey = ({ people }: TableDoc): boolean => people !== "nobody" && "keys" in people;

export const deletesByKey = (table: TableDoc, subject: Subject): Sql[] =>
  isByKey(table) ? rowsAbout(table, subject).map((rows) => sql`ALTER TABLE ${identifier(table.name)} DELETE WHERE ${rows}`) : []; // prettier-ignore

const hashOf = ({ columns }: TableDoc): Sql =>
  sql`sipHash64(tuple(${join(Object.keys(columns).map((column) => identifier(column)), ", ")}))`; // prettier-ignore

/**
 * Rows that are found by what they say. The engine keeps the text of a deletion for a while, so no id may stand in it:
 * these rows are named by their hash.
 */
export const hashesAbout = (table: TableDoc, subject: Subject): Sql[] =>
  isByKey(table) ? [] : rowsAbout(table, subject).map((rows) => sql`SELECT DISTINCT toString(${hashOf(table)}) AS hash FROM ${identifier(table.name)} WHERE ${rows}`); // prettier-ignore

export const deletesByHash = (table: TableDoc, hashes: readonly string[]): Sql[] =>
  portions(hashes, hashesAtOnce).map((some) => sql`ALTER TABLE ${identifier(table.name)} DELETE WHERE ${hashOf(table)} IN ${bind.ids(some)}`); // prettier-ignore

/** Which of the keys are known, and whose email is one of these (in small letters; empty where it was found by key). */
export const actorsNamed = (keys: readonly string[], emails: readonly string[]): Sql => sql`
  SELECT DISTINCT toString(actor) AS actor, '' AS named FROM identities WHERE actor IN ${bind.ids(keys)}
  UNION ALL
  SELECT toString(actor) AS actor, lower(email) AS named FROM (
    SELECT actor, ${latestValue} AS email FROM trait_changes
    WHERE subject = 'person' AND lower(trait) IN ('email', '$email') GROUP BY actor, trait)
  WHERE named IN ${bind.strings(emails.map((email) => email.toLowerCase()))}`;

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
