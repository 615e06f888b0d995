import type { Veil } from "#kernel/classes.ts";
import type { Engine } from "#kernel/engine/engine.ts";
import { bind, identifier, inShares, sql, type Sql } from "#kernel/sql.ts";
import type { Keys } from "#records/people/keys.ts";

/** What every relation needs to know of the question: where, in which zone, and as of when. */
export interface Scope {
  readonly engine: Engine;
  /** IANA zone in which days, weeks and months are cut. */
  readonly zone: string;
  readonly weekStart: "monday" | "sunday";
  /** Whether any id of the workspace belongs to another id's person. */
  readonly hasMerges: boolean;
  /** About how many ids have acted in it, where that is known. */
  readonly people?: number;
  readonly keys: Keys;
  /** What is hidden from whoever asks; relations of properties and traits heed it. */
  readonly veil: Veil;
  readonly now: number;
}

/** A table by its database and its name: what a query that somebody wrote stands in is asked where there are no tables. */
export const tableIn = ({ engine }: Pick<Scope, "engine">, name: string): Sql =>
  sql`${identifier(engine.database)}.${identifier(name)} AS ${identifier(name)}`;

/** An event's properties without those that are hidden from whoever asks. */
export const shownProperties = ({ veil }: Pick<Scope, "veil">): Sql => {
  const hidden = veil.hidden("event");
  if (hidden.length === 0) return sql`properties`;
  const skipped = hidden.map((name) => `SKIP \`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``);
  return sql`CAST(properties, ${bind.string(`JSON(max_dynamic_paths=256, ${skipped.join(", ")})`)})`;
};

/** Half-open, in milliseconds since the epoch: `from` is inside, `to` is not. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** The person behind a known id, as of now: merges and their undoing count for past events too. */
export const personOf = (scope: Pick<Scope, "engine" | "hasMerges">, actor: Sql = sql`actor`): Sql =>
  scope.hasMerges
    ? sql`dictGetOrDefault(${bind.string(`${scope.engine.database}.identity_of`)}, 'person', ${actor}, ${actor})`
    : actor;

/** Events of the range; both bounds are in the sort key's partition, so that months outside are never read. */
export const inRange = (range: TimeRange): Sql => sql`at >= ${bind.time(range.from)} AND at < ${bind.time(range.to)}`;

/** No more people than that are taken to be found where it is not known. */
const mostUnknown = 5_000_000;

/**
 * A relation grouped by `personOf`, from rows of events or of their rollup: `relation` takes what must hold of a row.
 * Both lie by actor, so that where nobody is merged a share of the people is read without the others. `people`: about
 * how many will be found, where it is known; else there may be few, however many there are.
 */
export const byPerson = (
  { hasMerges, people: most = 0 }: Pick<Scope, "hasMerges" | "people">,
  relation: (share: Sql) => Sql,
  people = Math.min(most, mostUnknown),
): Sql => (hasMerges ? relation(sql`1`) : inShares(sql`actor`, relation, people));
