import { bind, identifier, join, literal, none, sql, type Sql } from "#kernel/sql.ts";
import { inRange, type TimeRange } from "#records/events/scope.ts";
import type { Standing } from "./versions/book.ts";

/** Which of the scores of a conversation counts: all others ask here. */

const never = sql`toInt64(-1)`;
/**
 * From when on a row of scores counts, in milliseconds: since it was made by a version that was in use then, or since a
 * version was switched on for what was before as well. -1 where it never did: in shadow, or after an upgrade.
 */
export const effective = (standing: Standing): Sql => {
  const made = sql`toUnixTimestamp64Milli(scored)`;
  const each = standing.map(({ id, since, rebased }) => {
    const from = sql`toInt64(${literal(Math.round(since))})`;
    return sql`if(model = ${bind.string(id)}, ${rebased ? sql`greatest(${made}, ${from})` : sql`if(${made} >= ${from}, ${made}, ${never})`}, ${never})`;
  });
  return sql`greatest(${join([never, ...each], ", ")})`;
};

export interface View {
  readonly standing: Standing;
  readonly range?: TimeRange | undefined;
  /** A question for ids of conversations, to read no more than these. */
  readonly among?: Sql | undefined;
}

const carried = ["score", "reason", "language", "drivers", "contributions", "ai", "teammate", "summary", "actor", "content"] as const; // prettier-ignore
type Carried = (typeof carried)[number];

/** One row a conversation: the score that counts. What no version in use has scored is read as it is. `names`: what is read of it. */
export const counting = ({ standing, range, among }: View, names: readonly Carried[] = carried): Sql => {
  // all in one, so that each row is compared once; the newest may be that there is no score, which argMax by itself would pass over
  const held = join(["at", "scored", ...names].map((name) => sql`rows.${identifier(name)}`), ", ");
  const given = join(names.map((name, place) => sql`tupleElement(held, ${literal(place + 3)}) AS ${identifier(name)}`), ", ");
  return sql`
  SELECT conversation, tupleElement(held, 1) AS at, tupleElement(held, 2) AS latest, since, ${given} FROM (
    SELECT conversation, argMax(tuple(${held}), rank) AS held, max(rank).1 AS since
    FROM (SELECT *, (${effective(standing)}, scored) AS rank FROM cx_scores ${among === undefined ? none : sql`WHERE conversation IN (${among})`}) AS rows
    GROUP BY conversation)${range === undefined ? none : sql` WHERE ${inRange(range)}`}`;
}; // prettier-ignore

/** With what its source says of the conversation. */
export const scoredConversations = (view: View, names: readonly Carried[] = carried): Sql => sql`
  SELECT s.conversation AS id, ${join(names.map((name) => sql`s.${identifier(name)} AS ${identifier(name)}`), ", ")}, s.at AS at, s.latest AS latest, s.since AS since,
    c.channel AS channel, c.team AS team, c.assignee AS assignee, c.account AS account, c.source AS source, c.tags AS tags
  FROM (${counting(view, names)}) AS s LEFT ANY JOIN (SELECT id, channel, team, assignee, account, source, tags FROM conversations FINAL) AS c ON c.id = s.conversation`; // prettier-ignore
