import { identifier, sql, type Sql } from "#kernel/sql.ts";
import { personOf, shownProperties, type Scope } from "#records/events/scope.ts";
import { latestValue, shownTraits } from "#records/people/relation.ts";

/** What can be asked in SQL. Nothing else can: these are the only tables that a query finds. */
interface Relation {
  readonly grain: string;
  readonly columns: Readonly<Record<string, { readonly type: string; readonly meaning: string }>>;
  /** Its rows, with these columns in this order. Tables are named with their database. */
  readonly rows: (scope: Scope, table: (name: string) => Sql) => Sql;
}

export const relations: Readonly<Record<string, Relation>> = {
  events: {
    grain: "One event.",
    columns: {
      at: { type: "DateTime64(3, 'UTC')", meaning: "When it happened." },
      event: { type: "LowCardinality(String)", meaning: "Its name." },
      person: { type: "UInt64", meaning: "Who did it; as in people." },
      account: { type: "String", meaning: "The account that it happened in; empty for none. As in accounts." },
      session: { type: "String", meaning: "The sender's session; empty for none." },
      product: { type: "LowCardinality(String)", meaning: "The product line that it belongs to." },
      properties: {
        type: "JSON(max_dynamic_paths=256)",
        meaning: "What was said about it: properties.plan, properties.amount.:Int64.",
      },
    },
    rows: (scope, table) =>
      sql`SELECT at, event, ${personOf(scope)} AS person, account, session, product, ${shownProperties(scope)} AS properties FROM ${table("events")}`,
  },
  people: {
    grain: "One person.",
    columns: {
      person: { type: "UInt64", meaning: "Key of the person." },
      ids: { type: "Array(String)", meaning: "Your own ids of the person." },
      traits: { type: "Map(String, String)", meaning: "Traits as they are now: traits['plan']." },
    },
    rows: (scope, table) => sql`
      SELECT known.person AS person, known.ids AS ids, told.traits AS traits
      FROM (SELECT ${personOf(scope)} AS person, groupUniqArray(1000)(id) AS ids FROM ${table("identities")} GROUP BY person) AS known
      LEFT ANY JOIN (
        SELECT person, mapFromArrays(groupArray(trait), groupArray(value)) AS traits FROM (
          SELECT ${personOf(scope)} AS person, trait, ${latestValue} AS value FROM (${shownTraits(scope, "person", table("trait_changes"))}) AS trait_changes
          GROUP BY person, trait
        ) GROUP BY person
      ) AS told ON told.person = known.person`,
  },
  accounts: {
    grain: "One account that has traits.",
    columns: {
      account: { type: "String", meaning: "Your own id of the account." },
      traits: { type: "Map(String, String)", meaning: "Traits as they are now: traits['tier']." },
    },
    rows: (scope, table) => sql`
      SELECT account, mapFromArrays(groupArray(trait), groupArray(value)) AS traits FROM (
        SELECT account, trait, ${latestValue} AS value FROM (${shownTraits(scope, "account", table("trait_changes"))}) AS trait_changes
        GROUP BY account, trait
      ) GROUP BY account`,
  },
  cohort_members: {
    grain: "One member of a cohort, as it is now.",
    columns: {
      cohort: { type: "String", meaning: "Id of the cohort, as in the address of its page." },
      person: { type: "UInt64", meaning: "The person; 0 where the cohort is of accounts." },
      account: { type: "String", meaning: "The account; empty where the cohort is of people." },
      since: { type: "DateTime64(3, 'UTC')", meaning: "When it last entered." },
    },
    rows: (scope, table) => sql`
      SELECT cohort, unit AS person, account, max(changed) AS since FROM (
        SELECT cohort, if(account = '', ${personOf(scope, sql`person`)}, 0) AS unit, account, change, at AS changed FROM ${table("memberships")}
      ) GROUP BY cohort, unit, account HAVING argMax(change, changed) = 1`,
  },
};

/** Every relation as a name of a WITH clause. */
export const withRelations = (scope: Scope): Sql => {
  const table = (name: string): Sql => sql`${identifier(scope.engine.database)}.${identifier(name)}`;
  return Object.entries(relations)
    .map(([name, { rows }]) => sql`${identifier(name)} AS (${rows(scope, table)})`)
    .reduce((a, b) => sql`${a}, ${b}`);
};
