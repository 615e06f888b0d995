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
// in a tuple: the newest of them may be that there is none, which argMax by itself would pass over
const each = carried.map((name) => sql`argMax(tuple(rows.${identifier(name)}), rank).1 AS ${identifier(name)}`);

/** One row a conversation: the score that counts. What no version in use has scored is read as it is. */
export const counting = ({ standing, range, among }: View): Sql => sql`
  SELECT conversation, ${join(each, ", ")}, argMax(rows.at, rank) AS at, argMax(rows.scored, rank) AS latest, max(rank).1 AS since
  FROM (SELECT *, (${effective(standing)}, scored) AS rank FROM cx_scores ${among === undefined ? none : sql`WHERE conversation IN (${among})`}) AS rows
  GROUP BY conversation${range === undefined ? none : sql` HAVING ${inRange(range)}`}`;

/** With what its source says of the conversation. */
export const scoredConversations = (view: View): Sql => sql`
  SELECT s.conversation AS id, s.score AS score, s.reason AS reason, s.language AS language, s.drivers AS drivers, s.contributions AS contributions, s.ai AS ai, s.teammate AS teammate, s.summary AS summary, s.actor AS actor, s.content AS content, s.at AS at, s.latest AS latest, s.since AS since,
    c.channel AS channel, c.team AS team, c.assignee AS assignee, c.account AS account, c.source AS source, c.tags AS tags
  FROM (${counting(view)}) AS s LEFT ANY JOIN (SELECT id, channel, team, assignee, account, source, tags FROM conversations FINAL) AS c ON c.id = s.conversation`;
