import { bind, sql, type Sql } from "#kernel/sql.ts";
import { personOf, type Scope } from "#records/events/scope.ts";

/** A trait as of now, from its changes: a set (or unset) beats every set_once; adds count from the last set on. */
export const latestValue: Sql = sql`
  if(countIf(op = 'add') > 0,
    toString(sumIf(toFloat64OrZero(value), op = 'add') + toFloat64OrZero(argMaxIf(value, at, op != 'add'))),
    argMax(value, (op != 'set_once', if(op = 'set_once', -toUnixTimestamp64Milli(at), toUnixTimestamp64Milli(at)))))`;

/** One row per person who has (or had) the trait: its value as text, empty where it was unset. */
export const traitOfPeople = (scope: Scope, trait: string): Sql => sql`
  SELECT ${personOf(scope)} AS person, ${latestValue} AS value
  FROM trait_changes WHERE subject = 'person' AND trait = ${bind.string(trait)}
  GROUP BY person`;
