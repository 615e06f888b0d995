import type { WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { literal, sql, type Sql } from "#kernel/sql.ts";
import { ask } from "#records/common/ask.ts";
import { personOf, type Scope, type TimeRange } from "#records/events/scope.ts";
import { other, Who, type Interval, type Unit } from "./frame.ts";
import { addBuckets, bucketsOf, labelOf } from "./time.ts";

/** Those found (`person`), in order of their keys and so many at most, with the ids that they are known by, those of signed-in people first. */
export const withIds = (scope: Scope, found: Sql, unit: Unit, limit: number): Sql => {
  const first = sql`SELECT DISTINCT person FROM (${found}) ORDER BY person LIMIT ${literal(limit)}`;
  if (unit === "accounts") return sql`SELECT person, [person] AS ids FROM (${first}) ORDER BY person`;
  return sql`SELECT toString(people.person) AS person, arraySlice(arrayMap(known -> known.2, arraySort(groupUniqArrayIf(1000)((kind != 'identified', id), id != ''))), 1, 20) AS ids
    FROM (${first}) AS people
    LEFT JOIN (SELECT DISTINCT ${personOf(scope)} AS person, id, kind FROM identities) AS known ON known.person = people.person
    GROUP BY person ORDER BY person`;
};

/** Asks who they are. */
export const askWho = async (
  call: WorkspaceCall,
  scope: Scope,
  found: Sql,
  unit: Unit,
  limit: number,
): Promise<Who> => ({
  unit,
  people: await ask(call, withIds(scope, found, unit, limit), Who.shape.people.element),
});

/** The bucket of a range by its label, cut to the range. Throws `who.bucket` where the range has no such bucket. */
export const bucketOf = (scope: Scope, range: TimeRange, interval: Interval, label: string): TimeRange => {
  const start = bucketsOf(range, interval, scope).find((one) => labelOf(one, interval, scope.zone) === label);
  if (start === undefined) throw new Refusal("who.bucket", `The range has no ${interval} of ${label.slice(0, 40)}.`);
  const end = addBuckets(start, interval, 1, scope.zone);
  return { from: Math.max(start, range.from), to: Math.min(end, range.to) };
};

/** Other is many values at once, so that nobody in it can be told from the group alone. */
export const refuseOther = (group: string | undefined): void => {
  if (group === other) throw new Refusal("who.other", "Other holds many values. Choose one of them by a condition.");
};
