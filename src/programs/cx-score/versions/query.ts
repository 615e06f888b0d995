import { bind, literal, sql, type Sql } from "#kernel/sql.ts";
import { scoredConversations, type View } from "../relation.ts";

/** What would change if another version counted: both scores of the same conversations. */

const both = (view: View, id: string): Sql => sql`
  SELECT used.id AS id, used.score AS before, other.score AS after, used.channel AS channel, used.team AS team, used.language AS language, used.summary AS summary
  FROM (${scoredConversations(view, ["score", "language", "summary"])}) AS used
  INNER JOIN (SELECT conversation, argMax(tuple(cx_scores.score), scored).1 AS score FROM cx_scores WHERE model = ${bind.string(id)} GROUP BY conversation) AS other ON other.conversation = used.id
  WHERE used.score IS NOT NULL AND other.score IS NOT NULL`;

const band = (score: Sql): Sql => sql`multiIf(${score} < 2.5, 'low', ${score} < 3.5, 'middle', 'high')`;

/** One row a part of the whole, the whole first. */
export const changes = (view: View, id: string): Sql => sql`
  SELECT kind, name, toFloat64(count()) AS conversations, avg(before) AS meanBefore, avg(after) AS meanAfter, toFloat64(countIf(before >= 3.5)) AS goodBefore, toFloat64(countIf(after >= 3.5)) AS goodAfter
  FROM (SELECT *, arrayJoin([('all', ''), ('channel', channel), ('team', team), ('language', language)]) AS segment, segment.1 AS kind, segment.2 AS name FROM (${both(view, id)}))
  WHERE kind = 'all' OR name != '' GROUP BY kind, name ORDER BY kind != 'all', kind, conversations DESC LIMIT 100`;

export const transitions = (view: View, id: string): Sql => sql`
  SELECT ${band(sql`before`)} AS was, ${band(sql`after`)} AS is, toFloat64(count()) AS conversations FROM (${both(view, id)}) GROUP BY was, is ORDER BY was, is`;

export const mostChanged = (view: View, id: string, limit: number): Sql => sql`
  SELECT id, before, after, summary FROM (${both(view, id)}) WHERE abs(after - before) >= 0.05 ORDER BY abs(after - before) DESC, id LIMIT ${literal(limit)}`;

/** Scores of one version for conversations of some rows, whether it is in use or not. */
export const scoresBy = (id: string, rows: Sql): Sql => sql`
  SELECT conversation, argMax(tuple(cx_scores.score), scored).1 AS score FROM cx_scores
  WHERE model = ${bind.string(id)} AND conversation IN (SELECT conversation FROM (${rows})) GROUP BY conversation HAVING score IS NOT NULL`;

/** How many conversations there are at each tenth of a point. */
export const distribution = (view: View): Sql => sql`
  SELECT round(assumeNotNull(scores.score), 1) AS tenth, toFloat64(count()) AS conversations FROM (${scoredConversations(view, ["score"])}) AS scores WHERE scores.score IS NOT NULL GROUP BY tenth ORDER BY tenth`;
