import { bind, identifier, join, literal, none, sql, type Sql } from "#kernel/sql.ts";
import type { Rule } from "./contract.ts";
import { inRange, personOf, type Scope, type TimeRange } from "#records/events/scope.ts";
import type { DriverName } from "./scorer/conversation.ts";

/** One row a conversation: its newest score. Older ones stay where they are. */
const newest = (range: TimeRange | undefined): Sql => sql`
  SELECT conversation, argMax(cx_scores.score, scored) AS score, argMax(cx_scores.reason, scored) AS reason, argMax(cx_scores.drivers, scored) AS drivers, argMax(cx_scores.contributions, scored) AS contributions,
    argMax(cx_scores.ai, scored) AS ai, argMax(cx_scores.teammate, scored) AS teammate, argMax(cx_scores.summary, scored) AS summary, argMax(cx_scores.actor, scored) AS actor, argMax(cx_scores.at, scored) AS at, max(scored) AS latest
  FROM cx_scores GROUP BY conversation${range === undefined ? none : sql` HAVING ${inRange(range)}`}`;

const joined = (range?: TimeRange): Sql => sql`
  SELECT s.conversation AS id, s.score AS score, s.reason AS reason, s.drivers AS drivers, s.contributions AS contributions, s.ai AS ai, s.teammate AS teammate, s.summary AS summary, s.actor AS actor, s.at AS at, c.channel AS channel, c.team AS team, c.account AS account, s.latest AS latest
  FROM (${newest(range)}) AS s LEFT ANY JOIN (SELECT id, channel, team, account FROM conversations FINAL) AS c ON c.id = s.conversation`;

/** How many there are, how many were scored, their mean, and how many are good, by something (or all together). */
export const periods = (range: TimeRange, by: Sql): Sql => sql`
  SELECT ${by} AS name, toFloat64(count()) AS conversations, toFloat64(countIf(score IS NOT NULL)) AS scored, avg(score) AS mean, toFloat64(countIf(score >= 3.5)) AS good,
    avg(ai) AS byAi, avg(teammate) AS byTeammate
  FROM (${joined(range)}) GROUP BY name ORDER BY name LIMIT 1000`;

export const weekOf = (scope: Scope): Sql => sql`toString(toMonday(at, ${bind.string(scope.zone)}))`;
export const column = (name: "channel" | "team"): Sql => identifier(name);
export const together: Sql = sql`''`;

export const reasonCounts = (range: TimeRange): Sql =>
  sql`SELECT reason, toFloat64(count()) AS conversations FROM (${newest(range)}) GROUP BY reason ORDER BY conversations DESC`;

export const driverCounts = (range: TimeRange): Sql => sql`
  SELECT driver, toFloat64(count()) AS conversations, toFloat64(countIf(points < 0)) AS negative, toFloat64(countIf(points > 0)) AS positive, sum(points) AS total
  FROM (SELECT driver, points FROM (${newest(range)}) ARRAY JOIN drivers AS driver, contributions AS points WHERE score IS NOT NULL) GROUP BY driver ORDER BY total`;

export const waitingCount: Sql = sql`SELECT toFloat64(count()) AS waiting FROM (SELECT DISTINCT conversation FROM conversation_parts WHERE conversation IN (SELECT id FROM conversations) AND conversation NOT IN (SELECT conversation FROM cx_scores))`;

interface Wanted {
  readonly band: "all" | "low" | "middle" | "high" | "unscored";
  readonly driver?: DriverName | undefined;
  readonly polarity?: -1 | 1 | undefined;
  readonly search: string;
  readonly among?: readonly string[] | undefined;
  readonly limit: number;
}

const bands: Readonly<Record<Wanted["band"], Sql>> = {
  all: sql`1`,
  low: sql`score < 2.5`,
  middle: sql`score >= 2.5 AND score < 3.5`,
  high: sql`score >= 3.5`,
  unscored: sql`score IS NULL`,
};

export const conversationList = (scope: Scope, range: TimeRange, { band, driver, polarity, search, among, limit }: Wanted): Sql => {
  const sided = polarity === undefined ? sql`1` : polarity < 0 ? sql`points < 0` : sql`points > 0`;
  const moved = driver === undefined ? none : sql`AND arrayExists((name, points) -> name = ${bind.string(driver)} AND ${sided}, drivers, contributions)`;
  const said = search === "" ? none : sql`AND (positionCaseInsensitiveUTF8(summary, ${bind.string(search)}) > 0 OR id = ${bind.string(search)} OR account = ${bind.string(search)} OR id IN (SELECT conversation FROM conversation_parts FINAL WHERE private = 0 AND positionCaseInsensitiveUTF8(text, ${bind.string(search)}) > 0))`;
  return sql`SELECT id, toString(at) AS moment, score, reason, channel, team, account, toString(${personOf(scope)}) AS person, summary, drivers, contributions
    FROM (${joined(range)}) WHERE ${bands[band]} ${moved} ${said} ${among === undefined ? none : sql`AND id IN ${bind.strings(among)}`} ORDER BY score IS NULL, score, at DESC LIMIT ${literal(limit)}`;
}; // prettier-ignore

export const headOf = (scope: Scope, id: string): Sql => sql`
  SELECT id, toString(actor) AS actor, subject, channel, team, account, toString(${personOf(scope, sql`conversations.actor`)}) AS person, state, rating FROM conversations FINAL WHERE id = ${bind.string(id)}`;
/** Of a conversation that is shown or scored. */
const mostParts = 5_000;
export const partsOf = (id: string): Sql => sql`
  SELECT id, role, author, toFloat64(private) AS private, text, toString(conversation_parts.at) AS moment FROM conversation_parts FINAL WHERE conversation = ${bind.string(id)} ORDER BY conversation_parts.at, id LIMIT ${literal(mostParts)}`;
export const scoresOf = (id: string): Sql => sql`
  SELECT model, score, reason, confidence, toFloat64(limited) AS limited, other, ai, teammate, summary, detail, toString(scored) AS moment FROM cx_scores FINAL WHERE conversation = ${bind.string(id)} ORDER BY scored DESC LIMIT 50`;

export const labelOf = (id: string, by: string): Sql =>
  sql`SELECT label FROM cx_labels FINAL WHERE conversation = ${bind.string(id)} AND by = ${bind.string(by)}`;
const mostLabels = 20_000;
export const labelRows: Sql = sql`SELECT conversation, by, label FROM cx_labels FINAL ORDER BY cx_labels.at DESC LIMIT ${literal(mostLabels)}`;
/** What customers answered when asked. */
export const ratingRows: Sql = sql`SELECT id AS conversation, 'customer' AS by, assumeNotNull(rating) AS label FROM conversations FINAL WHERE rating IS NOT NULL ORDER BY created DESC LIMIT ${literal(mostLabels)}`;
export const scoresFor = (rows: Sql): Sql => sql`
  SELECT conversation, argMax(cx_scores.score, scored) AS score FROM cx_scores WHERE conversation IN (SELECT conversation FROM (${rows})) GROUP BY conversation HAVING score IS NOT NULL`;

/** The same person is asked in the same order; what they said already is left out. */
export const nextFor = (by: string): Sql => sql`
  SELECT conversation AS id FROM (SELECT conversation, argMax(cx_scores.score, scored) AS score FROM cx_scores GROUP BY conversation HAVING score IS NOT NULL) AS scores
  LEFT ANY JOIN (SELECT conversation, toFloat64(count()) AS labels, toFloat64(countIf(by = ${bind.string(by)})) AS own FROM cx_labels FINAL GROUP BY conversation) AS said ON said.conversation = scores.conversation
  WHERE own = 0
  ORDER BY labels = 1 AND sipHash64(conversation, 3) % 3 = 0 DESC, labels,
    if(sipHash64(conversation, 2) % 2 = 0, sipHash64(conversation, ${bind.string(by)}) / 18446744073709551616., least(abs(score - 2.5), abs(score - 3.5)))
  LIMIT 1`;

const fits = ({ below, above, driver, polarity, points, channel, team, words }: Rule): Sql => {
  const moved = polarity < 0 ? sql`moved <= ${bind.float(-points)} AND moved < 0` : sql`moved >= ${bind.float(points)} AND moved > 0`;
  const all = [
    sql`score IS NOT NULL`,
    ...(below === null ? [] : [sql`score < ${bind.float(below)}`]),
    ...(above === null ? [] : [sql`score >= ${bind.float(above)}`]),
    ...(driver === null ? [] : [sql`arrayExists((name, moved) -> name = ${bind.string(driver)} AND ${moved}, drivers, contributions)`]),
    ...(channel === "" ? [] : [sql`channel = ${bind.string(channel)}`]),
    ...(team === "" ? [] : [sql`team = ${bind.string(team)}`]),
    ...(words === "" ? [] : [sql`id IN (SELECT conversation FROM conversation_parts FINAL WHERE private = 0 AND role = 'customer' AND positionCaseInsensitiveUTF8(text, ${bind.string(words)}) > 0)`]),
  ];
  return join(all, " AND ");
}; // prettier-ignore

/** Of a time, how many a rule fits, out of how many. */
export const fitCounts = (range: TimeRange, rule: Rule): Sql =>
  sql`SELECT toFloat64(countIf(${fits(rule)})) AS fits, toFloat64(count()) AS conversations FROM (${joined(range)})`;
export const fitExamples = (range: TimeRange, rule: Rule): Sql =>
  sql`SELECT id, score, summary FROM (${joined(range)}) WHERE ${fits(rule)} ORDER BY at DESC LIMIT 20`;

/** What was scored from a moment on, in the order in which it was, with all of the last moment; a rule is asked of the newest score alone. */
export const scoredSince = (seen: number, rule: Rule, limit: number): Sql => sql`
  SELECT id, score, drivers, contributions, channel, team, toFloat64(toUnixTimestamp64Milli(latest)) AS stamp, toFloat64(${fits(rule)}) AS fits
  FROM (${joined()}) WHERE latest >= ${bind.time(seen)} ORDER BY latest LIMIT ${literal(limit)} WITH TIES`;

/** Scores beside labels, with what they may be unfair by. */
export const labelledRows = (rows: Sql): Sql => sql`
  SELECT scores.score AS score, labels.label AS label, scores.language AS language, heads.channel AS channel, toFloat64(sizes.size) AS length
  FROM (SELECT conversation, avg(label) AS label FROM (${rows}) GROUP BY conversation) AS labels
  INNER JOIN (SELECT conversation, argMax(cx_scores.score, scored) AS score, argMax(cx_scores.language, scored) AS language FROM cx_scores GROUP BY conversation HAVING score IS NOT NULL) AS scores ON scores.conversation = labels.conversation
  LEFT ANY JOIN (SELECT id, channel FROM conversations FINAL) AS heads ON heads.id = labels.conversation
  LEFT ANY JOIN (SELECT conversation, uniqExact(id) AS size FROM conversation_parts WHERE private = 0 GROUP BY conversation) AS sizes ON sizes.conversation = labels.conversation`;

/** Of all parts together, whatever their order and however often they were sent: another text is another content. */
const standing = sql`SELECT conversation, hex(groupBitXor(sipHash64(id, role, private, text))) AS content FROM conversation_parts FINAL WHERE conversation IN (SELECT id FROM conversations) GROUP BY conversation`;

/** What was not scored as it stands now, of those that are all there: parts whose head is still to come wait for it. */
export const unscored = (model: string, most: number): Sql => sql`
  SELECT conversation, content FROM (${standing})
  WHERE (conversation, content) NOT IN (SELECT conversation, content FROM cx_scores WHERE model = ${bind.string(model)})
  ORDER BY conversation LIMIT ${literal(most)}`;

export const headsToScore = (ids: readonly string[]): Sql => sql`
  SELECT conversations.id AS id, toString(actor) AS actor, ifNull(known.id, '') AS user, toFloat64(ifNull(known.identified, 0)) AS identified, account, source, channel, language, team, state
  FROM (SELECT * FROM conversations FINAL WHERE id IN ${bind.strings(ids)}) AS conversations
  LEFT ANY JOIN (SELECT actor, any(identities.id) AS id, max(kind = 'identified') AS identified FROM identities WHERE actor IN (SELECT actor FROM conversations WHERE id IN ${bind.strings(ids)}) GROUP BY actor) AS known ON known.actor = conversations.actor`;

/** Notes that customers do not see, and what was taken back, never reach the score. */
export const partsToScore = (ids: readonly string[]): Sql => sql`
  SELECT conversation, id, role, text, toFloat64(toUnixTimestamp64Milli(at)) AS at FROM conversation_parts FINAL
  WHERE conversation IN ${bind.strings(ids)} AND private = 0 AND text != '' AND role IN ('customer', 'ai_agent', 'teammate', 'bot')
  ORDER BY conversation, at, id LIMIT ${literal(mostParts)} BY conversation`;

/** How much has arrived, and when the last did; of each conversation its head comes last. */
export const arrivals: Sql = sql`SELECT toFloat64(count()) AS rows, toString(max(received)) AS latest FROM conversations`;
