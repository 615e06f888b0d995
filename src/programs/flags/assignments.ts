import type { Store } from "#kernel/state/store.ts";
import { keysOf } from "#records/people/keys.ts";
import { attributeIn, type Assignment, type Book, type Evaluation } from "#sdk/evaluate.ts";
import type { Place } from "./shelf.ts";

/**
 * The parts that units were put into, of splits that remember. A unit is kept as a keyed hash, the same as the person's, so
 * that erasing somebody finds it and nobody reads it here.
 */
export interface Assignments {
  /** What is remembered of who is asked about. */
  of(place: Place, book: Book, who: { readonly key: string | undefined; readonly attributes: Readonly<Record<string, unknown>> }): Promise<Kept>;
  /** Remembers what was said for the first time; of two at once the first counts, and it is given back. */
  keep(place: Place, found: readonly Evaluation[]): Promise<readonly Assignment[]>;
} // prettier-ignore

export type Kept = (assignment: string, unit: string) => string | undefined;

/** Whoever has a client key can ask for people who are none. Beyond this, splits decide without remembering. */
const [mostKept, countedMs] = [5_000_000, 60_000];

export const createAssignments = (store: Store): Assignments => {
  const keys = new Map<string, ReturnType<typeof keysOf>>();
  const counts = new Map<string, { until: number; isFull: boolean }>();

  const keysIn = async (workspace: string) => {
    const known = keys.get(workspace);
    if (known !== undefined) return known;
    const row = await store.selectFrom("workspaces").select("secret").where("id", "=", workspace).executeTakeFirst();
    const made = keysOf(row?.secret ?? "");
    keys.set(workspace, made);
    return made;
  };

  const isFull = async (workspace: string): Promise<boolean> => {
    const known = counts.get(workspace);
    if (known !== undefined && known.until > Date.now()) return known.isFull;
    const { count } = await store.selectFrom("flag_assignments").select(({ fn }) => fn.countAll<number>().as("count")).where("workspace", "=", workspace).executeTakeFirstOrThrow(); // prettier-ignore
    const next = { until: Date.now() + countedMs, isFull: Number(count) >= mostKept };
    counts.set(workspace, next);
    return next.isFull;
  };

  const rowsOf = async ({ workspace, environment }: Place, units: readonly string[]) =>
    store.selectFrom("flag_assignments").select(["unit", "assignment", "variation"]).where("workspace", "=", workspace).where("environment", "=", environment).where("unit", "in", units).execute(); // prettier-ignore

  return {
    of: async (place, { stickyBy }, { key = "", attributes }) => {
      const named = stickyBy.map((by) => (by === "" ? key : attributeIn(attributes, by))).filter((unit) => unit !== "");
      if (named.length === 0) return () => undefined;
      const own = await keysIn(place.workspace);
      const rows = await rowsOf(place, named.map((unit) => own.actor(unit))); // prettier-ignore
      const kept = new Map(rows.map(({ unit, assignment, variation }) => [`${unit} ${assignment}`, variation]));
      return (assignment, unit) => kept.get(`${own.actor(unit)} ${assignment}`);
    },
    keep: async (place, found) => {
      const said = found.flatMap((one) => ("error" in one || one.keeps === undefined ? [] : [one.keeps]));
      if (said.length === 0 || (await isFull(place.workspace))) return [];
      const own = await keysIn(place.workspace);
      const units = [...new Set(said.map(({ unit }) => own.actor(unit)))];
      const erased = new Set((await store.selectFrom("suppressions").select("actor").where("workspace", "=", place.workspace).where("actor", "in", units).execute()).map(({ actor }) => actor)); // prettier-ignore
      const rows = said
        .map(({ assignment, unit, variation }) => ({ ...place, assignment, variation, unit: own.actor(unit) }))
        .filter(({ unit }) => !erased.has(unit));
      if (rows.length === 0) return [];
      const at = new Date().toISOString();
      for (let from = 0; from < rows.length; from += 100)
        await store
          .insertInto("flag_assignments")
          .values(
            rows.slice(from, from + 100).map(({ workspace, environment, unit, assignment, variation }) => ({
              workspace,
              environment,
              unit,
              assignment,
              variation,
              made_at: at,
            })),
          ) // prettier-ignore
          .onConflict((conflict) => conflict.columns(["workspace", "environment", "unit", "assignment"]).doNothing())
          .execute();
      const now = new Map((await rowsOf(place, units)).map(({ unit, assignment, variation }) => [`${unit} ${assignment}`, variation])); // prettier-ignore
      return said.map((one) => ({ ...one, variation: now.get(`${own.actor(one.unit)} ${one.assignment}`) ?? one.variation })); // prettier-ignore
    },
  };
};
