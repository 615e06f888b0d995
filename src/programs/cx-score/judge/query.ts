import { bind, literal, sql, type Sql } from "#kernel/sql.ts";
import { counting, type View } from "../relation.ts";
import type { JudgeSettings } from "./contract.ts";

const judgedBy = (judge: string): Sql =>
  sql`SELECT conversation, content FROM cx_judgements WHERE judge = ${bind.string(judge)}`;

/** Conversations that can be scored and that a judge has not judged as they stand. */
const unjudgedOf = (view: View, judge: string): Sql => sql`
  SELECT conversation, content, toString(actor) AS actor, at FROM (${counting(view, ["score", "content", "actor"])})
  WHERE score IS NOT NULL AND (conversation, content) NOT IN (${judgedBy(judge)})`;

/** Of all the newest first; of a sample those that people labelled, then by chance. */
export const unjudged = (view: View, judge: string, use: JudgeSettings["use"], most: number): Sql => {
  const order = use === "all" ? sql`at DESC, conversation` : sql`conversation IN (SELECT conversation FROM cx_labels) DESC, sipHash64(conversation)`; // prettier-ignore
  return sql`SELECT conversation, content, actor FROM (${unjudgedOf(view, judge)}) ORDER BY ${order} LIMIT ${literal(most)}`;
};

export const unjudgedCount = (view: View, judge: string): Sql =>
  sql`SELECT toFloat64(count()) AS left FROM (${unjudgedOf(view, judge)})`;

/** What a judge said of conversations as they stand, and is not among the scores of its version yet. */
export const untold = (view: View, judge: string, version: string, most: number): Sql => sql`
  SELECT said.conversation AS conversation, said.content AS content, toString(said.actor) AS actor, said.score AS score, said.reason AS why, said.detail AS detail, said.quoted AS quoted, said.found AS found, toUnixTimestamp64Milli(now.at) AS at, now.language AS language, now.summary AS summary
  FROM (SELECT conversation, content, actor, assumeNotNull(score) AS score, reason, detail, quoted, found FROM cx_judgements FINAL WHERE judge = ${bind.string(judge)} AND run = 1 AND cx_judgements.score IS NOT NULL
    AND (conversation, content) NOT IN (SELECT conversation, content FROM cx_scores WHERE model = ${bind.string(version)})) AS said
  INNER JOIN (${counting(view, ["content", "language", "summary"])}) AS now ON now.conversation = said.conversation AND now.content = said.content
  ORDER BY conversation LIMIT ${literal(most)}`;

/** How much was asked, by day and in all. */
export const spent = (since: number): Sql => sql`
  SELECT toFloat64(uniqExactIf(conversation, run = 1)) AS judged, toFloat64(uniqExactIf(conversation, run = 1 AND score IS NULL)) AS failed, toFloat64(uniqExactIf(conversation, run = 1 AND cx_judgements.at >= ${bind.time(since)})) AS today,
    toFloat64(sumIf(tokens_in + tokens_out, cx_judgements.at >= ${bind.time(since)})) AS tokens, toFloat64(sum(tokens_in)) AS tokensIn, toFloat64(sum(tokens_out)) AS tokensOut, toFloat64(sum(quoted)) AS quoted, toFloat64(sum(found)) AS found
  FROM cx_judgements FINAL`;

export const twice: Sql = sql`
  SELECT assumeNotNull(anyIf(score, run = 1)) AS first, assumeNotNull(anyIf(score, run = 2)) AS second FROM cx_judgements FINAL
  GROUP BY conversation, content, judge HAVING countIf(run = 1 AND score IS NOT NULL) > 0 AND countIf(run = 2 AND score IS NOT NULL) > 0 LIMIT 20000`;

export const judgementsOf = (id: string): Sql => sql`
  SELECT judge, score, reason, problem, detail, toString(cx_judgements.at) AS moment FROM cx_judgements FINAL WHERE conversation = ${bind.string(id)} AND run = 1 ORDER BY cx_judgements.at DESC LIMIT 20`;

/** As labels: what the judge said last of each. */
export const judgeRows: Sql = sql`
  SELECT conversation, 'judge' AS by, assumeNotNull(argMax(cx_judgements.score, cx_judgements.at)) AS label FROM cx_judgements FINAL WHERE run = 1 AND cx_judgements.score IS NOT NULL GROUP BY conversation LIMIT 20000`;
