import type { TableDoc } from "#kernel/module.ts";
import { sql } from "#kernel/sql.ts";

const memberships: TableDoc = {
  name: "memberships",
  grain: "One time that a person or account entered or left a cohort. Nothing in it is ever updated.",
  people: { keys: ["person"] },
  columns: {
    cohort: { type: "String", meaning: "Id of the cohort.", class: "internal" },
    person: { type: "UInt64", meaning: "Key of the person; 0 where the cohort is of accounts.", class: "internal" },
    account: { type: "String", meaning: "Account id; empty where the cohort is of persons.", class: "internal" },
    change: { type: "Int8", meaning: "1 entered, -1 left; the latest counts.", class: "internal" },
    at: { type: "DateTime64(3, 'UTC')", meaning: "When that was found.", class: "internal" },
  },
  create: () => [
    sql`CREATE TABLE IF NOT EXISTS memberships (
      cohort String, person UInt64, account String, change Int8, at DateTime64(3, 'UTC')
    ) ENGINE = MergeTree ORDER BY (cohort, person, account, at)
    SETTINGS non_replicated_deduplication_window = 2000`,
  ],
};

export const cohortTables: readonly TableDoc[] = [memberships];
