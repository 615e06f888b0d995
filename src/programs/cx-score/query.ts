import { bind, identifier, join, literal, none, sql, type Sql } from "#kernel/sql.ts";
import { traitOfAccounts } from "#records/people/relation.ts";
import { contents } from "#records/conversations/query.ts";
import { personOf, type Scope } from "#records/events/scope.ts";
import type { Part, Rule } from "./contract.ts";
import { counting, effective, scoredConversations, type View } from "./relation.ts";
import { topics } from "../themes/query.ts";
import { settled } from "./trust.ts";
import type { DriverName } from "./scorer/conversation.ts";
import type { Standing } from "./versions/book.ts";

/** How many there are, how many were scored, their mean, and how many are good. */
const figures = sql`toFloat64(count()) AS conversations, toFloat64(countIf(score IS NOT NULL)) AS scored, avg(score) AS mean, toFloat64(countIf(score >= 3.5)) AS good, avg(ai) AS byAi, avg(teammate) AS byTeammate`; // prettier-ignore
const measured = ["score", "ai", "teammate"] as const;

/** The whole, and each week of it. */
export const periods = (view: View, week: Sql): Sql => sql`
  SELECT name, toFloat64(grouping(name) = 1) AS whole, ${figures} FROM (SELECT *, ${week} AS name FROM (${counting(view, measured)}))
  GROUP BY GROUPING SETS ((name), ()) ORDER BY whole DESC, name LIMIT 1000`;

export const weekOf = (scope: Scope): Sql => sql`toString(toMonday(at, ${bind.string(scope.zone)}))`;

/** What ids stand for: products of sources, themes that were put to others. */
export interface Names {
  readonly products: ReadonlyMap<string, string>;
  readonly roots: ReadonlyMap<string, string>;
}
const named = (column: Sql, names: ReadonlyMap<string, string>): Sql =>
  sql`transform(${column}, ${bind.strings([...names.keys()])}, ${bind.strings([...names.values()])}, '')`;

/** Scored conversations with the part that each belongs to; one with several tags belongs to several. */
const partedBy = (scope: Scope, { by, trait }: Part, { products, roots }: Names, relation: Sql): Sql => {
  if (by === "tag") return sql`SELECT *, arrayJoin(if(empty(tags), [''], arrayDistinct(tags))) AS part FROM (${relation})`;
  if (by === "product") return sql`SELECT *, ${named(sql`source`, products)} AS part FROM (${relation})`;
  if (by === "topic") return sql`SELECT scores.*, ${named(sql`told.theme`, roots)} AS part FROM (${relation}) AS scores LEFT ANY JOIN (${topics}) AS told ON told.conversation = scores.id`;
  if (by === "account_trait") return sql`SELECT scores.*, traits.value AS part FROM (${relation}) AS scores LEFT ANY JOIN (${traitOfAccounts(scope, trait)}) AS traits ON traits.account = scores.account`;
  return sql`SELECT *, ${identifier(by)} AS part FROM (${relation})`;
}; // prettier-ignore

const mostParts = 200;
/** The same by parts, the largest first, with the driver that pulls each down the most. */
export const parts = (scope: Scope, view: View, part: Part, names: Names): Sql => {
  const parted = partedBy(
    scope,
    part,
    names,
    scoredConversations(view, ["score", "ai", "teammate", "drivers", "contributions", "language", "actor"]),
  );
  return sql`
  SELECT name, conversations, scored, mean, good, byAi, byTeammate, ifNull(worst.driver, '') AS driver, if(scored = 0, 0, ifNull(worst.least, 0) / scored) AS points
  FROM (SELECT part AS name, ${figures} FROM (${parted}) GROUP BY name) AS all
  LEFT ANY JOIN (SELECT part, argMin(driver, total) AS driver, min(total) AS least FROM (
    SELECT part, driver, sum(points) AS total FROM (${parted}) ARRAY JOIN drivers AS driver, contributions AS points WHERE score IS NOT NULL GROUP BY part, driver HAVING total < 0
  ) GROUP BY part) AS worst ON worst.part = all.name
  ORDER BY conversations DESC, name LIMIT ${literal(mostParts)}`;
};

export const reasonCounts = (view: View): Sql =>
  sql`SELECT reason, toFloat64(count()) AS conversations FROM (${counting(view, ["reason"])}) GROUP BY reason ORDER BY conversations DESC`;

/** What each driver did in each week, in all: of that week's scored conversations its points are a mean. */
export const driverWeeks = (view: View, week: Sql): Sql => sql`
  SELECT week, driver, toFloat64(count()) AS conversations, toFloat64(countIf(points < 0)) AS negative, toFloat64(countIf(points > 0)) AS positive, sum(points) AS total
  FROM (SELECT ${week} AS week, driver, points FROM (${counting(view, ["score", "drivers", "contributions"])}) ARRAY JOIN drivers AS driver, contributions AS points WHERE score IS NOT NULL)
  GROUP BY week, driver ORDER BY week, driver LIMIT 5000`;

export const waitingCount: Sql = sql`SELECT toFloat64(count()) AS waiting FROM (SELECT DISTINCT conversation FROM conversation_parts WHERE conversation IN (SELECT id FROM conversations WHERE kind = 'support') AND conversation NOT IN (SELECT conversation FROM cx_scores))`;

/** Which source conversations came by. */
export const sourcesOf = (ids: readonly string[]): Sql =>
  sql`SELECT id, toString(source) AS source FROM conversations FINAL WHERE id IN ${bind.strings(ids)}`;

interface Wanted {
  readonly band: "all" | "low" | "middle" | "high" | "unscored";
  readonly driver?: DriverName | undefined;
  readonly polarity?: -1 | 1 | undefined;
  readonly search: string;
  readonly among?: readonly string[] | undefined;
  readonly part?: (Part & { readonly name: string }) | undefined;
  readonly limit: number;
}

const bands: Readonly<Record<Wanted["band"], Sql>> = {
  all: sql`1`,
  low: sql`score < 2.5`,
  middle: sql`score >= 2.5 AND score < 3.5`,
  high: sql`score >= 3.5`,
  unscored: sql`score IS NULL`,
};

export const conversationList = (scope: Scope, view: View, names: Names, { band, driver, polarity, search, among, part, limit }: Wanted): Sql => {
  const relation = scoredConversations(view);
  const [from, own] = part === undefined ? [relation, none] : [partedBy(scope, part, names, relation), sql`AND part = ${bind.string(part.name)}`];
  const sided = polarity === undefined ? sql`1` : polarity < 0 ? sql`points < 0` : sql`points > 0`;
  const moved = driver === undefined ? none : sql`AND arrayExists((name, points) -> name = ${bind.string(driver)} AND ${sided}, drivers, contributions)`;
  const said = search === "" ? none : sql`AND (positionCaseInsensitiveUTF8(summary, ${bind.string(search)}) > 0 OR id = ${bind.string(search)} OR account = ${bind.string(search)} OR id IN (SELECT conversation FROM conversation_parts FINAL WHERE private = 0 AND positionCaseInsensitiveUTF8(text, ${bind.string(search)}) > 0))`;
  return sql`SELECT id, toString(at) AS moment, score, reason, channel, team, account, toString(${personOf(scope)}) AS person, summary, drivers, contributions
    FROM (${from}) WHERE ${bands[band]} ${own} ${moved} ${said} ${among === undefined ? none : sql`AND id IN ${bind.strings(among)}`} ORDER BY score IS NULL, score, at DESC LIMIT ${literal(limit)}`;
}; // prettier-ignore

export const headOf = (scope: Scope, id: string): Sql => sql`
  SELECT id, toString(actor) AS actor, subject, channel, team, account, toString(${personOf(scope, sql`conversations.actor`)}) AS person, state, rating FROM conversations FINAL WHERE id = ${bind.string(id)}`;
/** Of a conversation that is shown or scored. */
const mostWritten = 5_000;
export const partsOf = (id: string): Sql => sql`
  SELECT id, role, author, toFloat64(private) AS private, text, toString(conversation_parts.at) AS moment FROM conversation_parts FINAL WHERE conversation = ${bind.string(id)} ORDER BY conversation_parts.at, id LIMIT ${literal(mostWritten)}`;
/** All scores of a conversation, first the one that counts. */
export const scoresOf = (standing: Standing, id: string): Sql => sql`
  SELECT model, ${effective(standing)} AS since, score, reason, confidence, toFloat64(limited) AS limited, other, ai, teammate, summary, detail, toString(scored) AS moment FROM cx_scores FINAL WHERE conversation = ${bind.string(id)} ORDER BY since DESC, scored DESC LIMIT 50`;

/** Scores and summaries of some conversations. */
export const scoresAmong = (standing: Standing, ids: readonly string[]): Sql =>
  sql`SELECT conversation, score, summary FROM (${counting({ standing, among: sql`SELECT arrayJoin(${bind.strings(ids)})` }, ["score", "summary"])})`;

export const labelOf = (id: string, by: string): Sql =>
  sql`SELECT label FROM cx_labels FINAL WHERE conversation = ${bind.string(id)} AND by = ${bind.string(by)}`;
/** All that was said of one. */
export const labelsOf = (id: string): Sql =>
  sql`SELECT conversation, by, label FROM cx_labels FINAL WHERE conversation = ${bind.string(id)}`;
const mostLabels = 20_000;
export const labelRows: Sql = sql`SELECT conversation, by, label FROM cx_labels FINAL ORDER BY cx_labels.at DESC LIMIT ${literal(mostLabels)}`;
/** What customers answered when asked. */
export const ratingRows: Sql = sql`SELECT id AS conversation, 'customer' AS by, assumeNotNull(rating) AS label FROM conversations FINAL WHERE rating IS NOT NULL ORDER BY created DESC LIMIT ${literal(mostLabels)}`;
export const scoresFor = (view: View, rows: Sql): Sql => sql`
  SELECT conversation, score FROM (${counting({ ...view, among: sql`SELECT conversation FROM (${rows})` }, ["score"])}) WHERE score IS NOT NULL`;

/** The same person is asked in the same order; what they said already is left out. */
export const nextFor = (view: View, by: string): Sql => sql`
  SELECT conversation AS id FROM (
    SELECT conversation, score, labels, labels = 1 AND sipHash64(conversation, 3) % 3 = 0 AS second, sipHash64(conversation, 2) % 2 = 0 AS chance
    FROM (${counting(view, ["score"])}) AS scores
    LEFT ANY JOIN (SELECT conversation, toFloat64(count()) AS labels, toFloat64(countIf(by = ${bind.string(by)})) AS own FROM cx_labels FINAL GROUP BY conversation) AS said ON said.conversation = scores.conversation
    WHERE own = 0 AND score IS NOT NULL)
  ORDER BY second DESC, labels, if(chance, sipHash64(conversation, ${bind.string(by)}) / 18446744073709551616., least(abs(score - 2.5), abs(score - 3.5)))
  LIMIT 1`;

/** A rule, with what had to be looked up for it. */
export interface Asked extends Rule {
  /** Ids of themes that count as the one that it names. */
  readonly themes: readonly string[];
  /** Who may ask for the trait that it names. */
  readonly call: Pick<Scope, "engine" | "veil">;
}

/** Conversations whose first answer came later than so, after the customer's first words, or has not come by now. */
const answeredLate = (minutes: number): Sql => sql`
  SELECT conversation FROM conversation_parts FINAL WHERE private = 0 GROUP BY conversation
  HAVING countIf(role = 'customer') > 0 AND dateDiff('second', minIf(at, role = 'customer'), ifNull(minOrNullIf(at, role IN ('ai_agent', 'bot', 'teammate')), now64(3))) > ${literal(Math.round(minutes * 60))}`;

const fits = ({ below, above, driver, polarity, points, topic, themes, trait, traitIs, traitFrom, answerOver, call, channel, team, words }: Asked): Sql => {
  const moved = polarity < 0 ? sql`moved <= ${bind.float(-points)} AND moved < 0` : sql`moved >= ${bind.float(points)} AND moved > 0`;
  const all = [
    // what nobody answers may be too short for a score
    ...(answerOver === null ? [sql`score IS NOT NULL`] : []),
    ...(below === null ? [] : [sql`score < ${bind.float(below)}`]),
    ...(above === null ? [] : [sql`score >= ${bind.float(above)}`]),
    ...(driver === null ? [] : [sql`arrayExists((name, moved) -> name = ${bind.string(driver)} AND ${moved}, drivers, contributions)`]),
    ...(topic === "" ? [] : [sql`id IN (SELECT conversation FROM (${topics}) WHERE theme IN ${bind.strings(themes)})`]),
    ...(trait === "" ? [] : [sql`account IN (SELECT account FROM (${traitOfAccounts(call, trait)}) WHERE ${traitFrom === null ? sql`value = ${bind.string(traitIs)}` : sql`toFloat64OrNull(value) >= ${bind.float(traitFrom)}`})`]),
    ...(answerOver === null ? [] : [sql`id IN (${answeredLate(answerOver)})`]),
    ...(channel === "" ? [] : [sql`channel = ${bind.string(channel)}`]),
    ...(team === "" ? [] : [sql`team = ${bind.string(team)}`]),
    ...(words === "" ? [] : [sql`id IN (SELECT conversation FROM conversation_parts FINAL WHERE private = 0 AND role = 'customer' AND positionCaseInsensitiveUTF8(text, ${bind.string(words)}) > 0)`]),
  ];
  return sql`ifNull(${join(all, " AND ")}, 0)`;
}; // prettier-ignore

/** Of a time, how many a rule fits, out of how many. */
export const fitCounts = (view: View, rule: Asked): Sql =>
  sql`SELECT toFloat64(countIf(${fits(rule)})) AS fits, toFloat64(count()) AS conversations FROM (${scoredConversations(view)})`;
export const fitExamples = (view: View, rule: Asked): Sql =>
  sql`SELECT id, score, summary FROM (${scoredConversations(view)}) WHERE ${fits(rule)} ORDER BY at DESC LIMIT 20`;

/**
 * What was scored from a moment on, in the order in which it was, with all of the last moment; a rule is asked of the score
 * that counts alone, and not of what was only scored anew because another version was switched on.
 */
export const scoredSince = (standing: Standing, seen: number, rule: Asked, limit: number): Sql => {
  const among = sql`SELECT conversation FROM cx_scores WHERE scored >= ${bind.time(seen)}`;
  return sql`
  SELECT id, score, drivers, contributions, channel, team, toFloat64(toUnixTimestamp64Milli(latest)) AS stamp, toFloat64(${fits(rule)} AND (since < 0 OR latest = first)) AS fits
  FROM (${scoredConversations({ standing, among })}) AS scores
  LEFT ANY JOIN (SELECT conversation, content, minIf(scored, ${effective(standing)} >= 0) AS first FROM cx_scores WHERE conversation IN (${among}) GROUP BY conversation, content) AS told ON told.conversation = scores.id AND told.content = scores.content
  WHERE latest >= ${bind.time(seen)} ORDER BY latest LIMIT ${literal(limit)} WITH TIES`;
};

/** Scores beside labels, with what they may be unfair by. */
export const labelledRows = (view: View, rows: Sql, plans: Sql | undefined): Sql => sql`
  SELECT scores.score AS score, labels.label AS label, scores.language AS language, heads.channel AS channel, toFloat64(sizes.size) AS length, ${plans === undefined ? sql`''` : sql`plans.value`} AS plan
  FROM (SELECT conversation, if(countIf(by = ${bind.string(settled)}) > 0, anyIf(label, by = ${bind.string(settled)}), avg(label)) AS label FROM (${rows}) GROUP BY conversation) AS labels
  INNER JOIN (SELECT conversation, score, language FROM (${counting(view, ["score", "language"])}) WHERE score IS NOT NULL) AS scores ON scores.conversation = labels.conversation
  LEFT ANY JOIN (SELECT id, channel, account FROM conversations FINAL) AS heads ON heads.id = labels.conversation
  LEFT ANY JOIN (SELECT conversation, uniqExact(id) AS size FROM conversation_parts WHERE private = 0 GROUP BY conversation) AS sizes ON sizes.conversation = labels.conversation
  ${plans === undefined ? none : sql`LEFT ANY JOIN (${plans}) AS plans ON plans.account = heads.account`}`;

/** What accounts pay for, by the trait that is usual for it; undefined where whoever asks may not know. */
export const plansOf = (call: Pick<Scope, "engine" | "veil">): Sql | undefined =>
  call.veil.hidden("account").includes("plan") ? undefined : traitOfAccounts(call, "plan");

export interface ToScore {
  /** Under which version rows are written. */
  readonly id: string;
  readonly standing: Standing;
  /** `missing`: what no version in use has scored as it stands; `all`: what this one has not. */
  readonly which: "missing" | "all";
  /** Of conversations of which something was written since. */
  readonly since?: number | undefined;
}

/**
 * What is to be scored as it stands now, of those that are all there: parts whose head is still to come wait for it. It is
 * fresh where no other version in use has scored it. What stands again as it stood before is scored again: the newest counts.
 */
export const unscored = ({ id, standing, which, since }: ToScore, most: number): Sql => {
  const own = sql`model = ${bind.string(id)}`;
  const used = sql`${effective(standing)} >= 0`;
  // of a version that is not in use its own scores count for it: after an upgrade it scores what is new
  const isInUse = standing.some((one) => one.id === id);
  const done = which === "all" ? own : isInUse ? used : sql`(${used} OR ${own})`;
  return sql`
  SELECT conversation, content, toFloat64((conversation, content) NOT IN (SELECT conversation, content FROM cx_scores WHERE ${used} AND NOT (${own}))) AS fresh FROM (${contents(sql`kind = 'support'`)})
  WHERE ${since === undefined ? none : sql`latest >= ${bind.time(since)} AND`} (conversation, content) NOT IN (SELECT conversation, argMax(content, scored) FROM cx_scores WHERE ${done} GROUP BY conversation)
  ORDER BY conversation LIMIT ${literal(most)}`;
};

/** How many are left. */
export const unscoredCount = (wanted: ToScore): Sql =>
  sql`SELECT toFloat64(count()) AS left FROM (${unscored(wanted, 10_000_000)})`;

export const headsToScore = (ids: readonly string[]): Sql => sql`
  SELECT conversations.id AS id, toString(actor) AS actor, ifNull(known.id, '') AS user, toFloat64(ifNull(known.identified, 0)) AS identified, account, source, channel, language, team, state
  FROM (SELECT * FROM conversations FINAL WHERE id IN ${bind.strings(ids)}) AS conversations
  LEFT ANY JOIN (SELECT actor, any(identities.id) AS id, max(kind = 'identified') AS identified FROM identities WHERE actor IN (SELECT actor FROM conversations WHERE id IN ${bind.strings(ids)}) GROUP BY actor) AS known ON known.actor = conversations.actor`;

/** Notes that customers do not see, and what was taken back, never reach the score. */
export const partsToScore = (ids: readonly string[]): Sql => sql`
  SELECT conversation, id, role, text, toFloat64(toUnixTimestamp64Milli(at)) AS at FROM conversation_parts FINAL
  WHERE conversation IN ${bind.strings(ids)} AND private = 0 AND text != '' AND role IN ('customer', 'ai_agent', 'teammate', 'bot')
  ORDER BY conversation, at, id LIMIT ${literal(mostWritten)} BY conversation`;

/** Conversations of which something was taken back, among some. */
export const takenBack = (ids: readonly string[]): Sql =>
  sql`SELECT DISTINCT conversation FROM conversation_parts FINAL WHERE conversation IN ${bind.strings(ids)} AND text = ''`;
/** What was said in words of conversations as they stood before may hold what is gone; scores stay. `contents`: as they stand now. */
export const forgetSummaries = (ids: readonly string[], contents: readonly string[]): readonly Sql[] => {
  const before = sql`conversation IN ${bind.strings(ids)} AND content NOT IN ${bind.strings(contents)}`;
  return [
    sql`ALTER TABLE cx_scores UPDATE summary = '' WHERE summary != '' AND ${before}`,
    sql`ALTER TABLE cx_judgements UPDATE reason = '' WHERE reason != '' AND ${before}`,
  ];
};
