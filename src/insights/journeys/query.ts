import { bind, literal, sql, type Sql } from "#kernel/sql.ts";
import { conditionsOf, matchesAny, propertyText } from "#insights/common/conditions.ts";
import { linkParts, linksOf, mostNodes, packedNode, pathEnd } from "#insights/sequence/sequence.ts";
import { byPerson, inRange, personOf, type Scope, type TimeRange } from "#records/events/scope.ts";
import { journeyEnd, type JourneyInput } from "./contract.ts";

/** The most events of one person that a journey looks at. */
const mostEvents = 200_000;

/** The name of the step that an event is. */
const nodeOf = (scope: Scope, { property }: JourneyInput): Sql => {
  if (property === undefined) return sql`event::String`;
  const value = propertyText(scope, property);
  const trimmed = sql`if(length(${value}) > 1 AND endsWith(${value}, '/'), substring(${value}, 1, length(${value}) - 1), ${value})`;
  return sql`if(${value} = '', event::String, ${trimmed})`;
};

const steps = (scope: Scope, input: JourneyInput, range: TimeRange, share: Sql = sql`1`): Sql => {
  const included = input.events.length === 0 ? sql`1` : matchesAny(scope, input.events);
  const excluded = input.exclude.length === 0 ? sql`1` : sql`event NOT IN ${bind.strings(input.exclude)}`;
  return sql`FROM events WHERE ${share} AND ${inRange(range)} AND ${included} AND ${excluded} AND ${conditionsOf(scope, input.filters)}`;
};

/** Names of steps, the most frequent first. */
export const nodesQuery = (scope: Scope, input: JourneyInput, range: TimeRange): Sql => sql`
  SELECT ${nodeOf(scope, input)} AS node, toFloat64(count()) AS times ${steps(scope, input, range)}
  GROUP BY node ORDER BY times DESC, node LIMIT ${literal(mostNodes)}`;

/** The links of each person's journeys: `person` and `found`. */
const linksOfEach = (scope: Scope, input: JourneyInput, range: TimeRange, nodes: readonly string[]): Sql => {
  const ids = nodes.map((_, place) => String(place + 1));
  const node = sql`transform(${nodeOf(scope, input)}, ${bind.strings(nodes)}, ${bind.ids(ids)}, 0)`;
  const question = {
    start: numberOf(nodes, input.start),
    end: numberOf(nodes, input.end),
    gapMs: input.gapMinutes * 60_000,
    steps: input.steps,
    collapse: input.collapse,
  };
  const sorted = sql`arraySort(groupArray(${literal(mostEvents)})(${packedNode(range.from, node)}))`;
  const words = (share: Sql): Sql =>
    sql`SELECT ${personOf(scope)} AS person, ${sorted} AS words ${steps(scope, input, range, share)} GROUP BY person`;
  return linksOf(question, [sql`person`], byPerson(scope, words));
};

/** The number that stands for a step; undefined for one that is not told apart. */
const numberOf = (nodes: readonly string[], name: string | undefined): number | undefined => {
  const place = name === undefined ? -1 : nodes.indexOf(name);
  return place < 0 ? undefined : place + 1;
};

/** One row per link between two steps at a place: how many journeys took it, and the seconds that took in all. */
export const linksQuery = (scope: Scope, input: JourneyInput, range: TimeRange, nodes: readonly string[]): Sql => {
  const { place, source, target, elapsedMs } = linkParts(sql`link`);
  return sql`SELECT ${place} AS place, ${source} AS source, ${target} AS target, toFloat64(count()) AS journeys, toFloat64(sum(${elapsedMs})) / 1000 AS seconds
    FROM (SELECT arrayJoin(found) AS link FROM (${linksOfEach(scope, input, range, nodes)}))
    GROUP BY place, source, target ORDER BY place, journeys DESC LIMIT 50000`;
};

/** Whose journeys had a step at a place, and a certain one next: `person`. */
export const journeyPeople = (
  scope: Scope,
  input: JourneyInput,
  range: TimeRange,
  nodes: readonly string[],
  at: { readonly place: number; readonly step: string; readonly next?: string | undefined },
): Sql => {
  const { place, source, target } = linkParts(sql`link`);
  const numbered = (name: string): Sql => literal(name === journeyEnd ? pathEnd : (numberOf(nodes, name) ?? -1));
  const left = sql`(${place} = ${literal(at.place)} AND ${source} = ${numbered(at.step)})`;
  const arrived = sql`(${place} = ${literal(at.place - 1)} AND ${target} = ${numbered(at.step)})`;
  const holds =
    at.next === undefined ? sql`(${left} OR ${arrived})` : sql`(${left} AND ${target} = ${numbered(at.next)})`;
  return sql`SELECT person FROM (${linksOfEach(scope, input, range, nodes)}) WHERE arrayExists(link -> ${holds}, found)`;
};

export const isEnd = (target: number): boolean => target === pathEnd;
