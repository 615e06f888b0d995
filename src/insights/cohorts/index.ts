import { z } from "zod";
import { newId } from "#kernel/ids.ts";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { sql, type Sql } from "#kernel/sql.ts";
import type { State } from "#kernel/state/schema.ts";
import type { Store } from "#kernel/state/store.ts";
import { Id as PersonKey } from "#records/people/contract.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { iso } from "#records/common/iso.ts";
import type { Ingest } from "#records/events/ingest.ts";
import * as contract from "./contract.ts";
import { CohortView, leavesOf, type Definition } from "./contract.ts";
import { changesOf, countOf, historyOf, listed, memberList, noteChanges, sizeOf, whyQuery } from "./query.ts";
import { unitsOf, type Asked } from "./rule.ts";
import { saysOf } from "./says.ts";
import { Basis, given, mostTouched, touchedSince } from "./touched.ts";

const Size = z.object({ size: z.number() });
const Touched = z.object({ unit: z.string() });
/** How many are in it, and as of when: JSON of a Basis. */
interface Found {
  readonly size: number;
  readonly basis: string | null;
}
const Member = z.object({ unit: z.string(), name: z.string(), moment: z.string() });
const Day = z.object({ day: z.string(), entered: z.number(), left: z.number() });
const mostCohorts = 500;

/** Cohorts: sets of persons or accounts, by rule or by list, with when each member entered and left. */
export const cohorts = ({ ingest, store }: { readonly ingest: Ingest; readonly store: Store }): Module => {
  const rows = (call: WorkspaceCall) =>
    store.selectFrom("cohorts").selectAll().where("workspace", "=", call.workspace.id);

  const find = async (call: WorkspaceCall, id: string): Promise<CohortView> => {
    const row = await rows(call).where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw new Refusal("cohorts.unknown", "There is no such cohort here.", {}, 404);
    return viewOf(row);
  };

  /** Notes who entered and who left. What cannot be evaluated throws, and then nothing is noted. */
  const settle = async (call: WorkspaceCall, id: string, asked: Asked, wanted: Sql): Promise<number> => {
    await call.engine.command(noteChanges(asked, id, wanted), { signal: call.signal });
    const [counted] = await ask(call, sizeOf(asked.scope, id, asked.unit), Size);
    return counted?.size ?? 0;
  };

  /** Changes what is kept of a cohort. */
  const keep = async (
    call: WorkspaceCall,
    id: string,
    { size, basis }: Found,
    changed: Partial<State["cohorts"]> = {},
  ): Promise<{ size: number }> => {
    await store
      .updateTable("cohorts")
      .set({ ...changed, size, basis, evaluated_at: new Date(call.now).toISOString() })
      .where("workspace", "=", call.workspace.id)
      .where("id", "=", id)
      .execute();
    return { size };
  };

  /**
   * Finds the members anew: of those alone whom something since `basis` can have moved, where that can be told. A list has
   * those that it has.
   */
  const evaluate = async (
    call: WorkspaceCall,
    { id, unit, definition, size }: Pick<CohortView, "id" | "unit" | "definition" | "size">,
    basis?: Basis,
  ): Promise<Found> => {
    if (definition.kind === "list") return { size, basis: null };
    await checkNested(call, id, definition);
    const isComplete = await ingest.caughtUp(2_000);
    const scope = await scopeOf(ingest, call);
    const received = isComplete ? call.now : basis?.received;
    const next = received === undefined ? null : JSON.stringify({ at: scope.now, received, zone: scope.zone });
    const everyone = { scope, unit };
    const moved = basis === undefined ? undefined : touchedSince(everyone, definition.rule, basis);
    const touched = moved === undefined ? undefined : await ask(call, sql`SELECT toString(unit) AS unit FROM (${moved})`, Touched); // prettier-ignore
    if (touched?.length === 0) return { size, basis: next };
    const isFew = touched !== undefined && touched.length <= mostTouched;
    const asked = isFew ? { ...everyone, among: given(unit, touched.map((one) => one.unit)) } : everyone; // prettier-ignore
    return { size: await settle(call, id, asked, unitsOf(asked, definition.rule)), basis: next };
  };

  /** A cohort may name others, but never itself, however far around. */
  const checkNested = async (call: WorkspaceCall, id: string, definition: Definition): Promise<void> => {
    if (definition.kind === "list") return;
    const all = new Map((await rows(call).execute()).map((row) => [row.id, viewOf(row).definition]));
    const visit = (held: Definition, trail: readonly string[]): void => {
      if (held.kind === "list") return;
      for (const leaf of leavesOf(held.rule)) {
        if (leaf.type !== "cohort") continue;
        const inner = all.get(leaf.cohort);
        if (inner === undefined) throw new Refusal("cohorts.unknown", "A condition names a cohort that is not there.");
        if (trail.includes(leaf.cohort)) throw new Refusal("cohorts.circle", "A cohort cannot be made from itself.");
        visit(inner, [...trail, leaf.cohort]);
      }
    };
    visit(definition, [id]);
  };

  return defineModule({
    name: "cohorts",
    assets: async (call) =>
      (await rows(call).execute()).map(({ id, name, description, definition, created_by, updated_at }) => ({
        kind: "cohort",
        id,
        title: name,
        address: `/cohorts/${id}`,
        owner: created_by,
        description,
        updatedAt: updated_at,
        definition: JSON.parse(definition) as unknown,
      })),
    jobs: [
      {
        name: "cohorts.refresh",
        everyMs: 10 * 60_000,
        run: async (call) => {
          for (const row of await rows(call).orderBy("evaluated_at").execute()) {
            if (call.signal.aborted) return;
            const cohort = viewOf(row);
            if (cohort.definition.kind === "list") continue;
            await evaluate(call, cohort, basisOf(row))
              .then((found) => keep(call, cohort.id, found))
              .catch((error: unknown) =>
                call.log.warn({ err: error, cohort: row.id }, "a cohort could not be evaluated"),
              );
          }
        },
      },
    ],
    operations: [
      handle(contract.list, async (call) => ({
        cohorts: (await rows(call).orderBy("name").execute()).map(viewOf),
      })),
      handle(contract.get, async (call, { id, limit }) => {
        const cohort = await find(call, id);
        const scope = await scopeOf(ingest, call);
        const [members, history] = await Promise.all([
          ask(call, memberList(scope, id, cohort.unit, limit), Member),
          ask(call, historyOf(scope, id), Day),
        ]);
        const dated = members.map(({ unit, name, moment }) => ({
          unit,
          name: name === "" ? unit : name,
          since: iso(moment),
        }));
        return { ...cohort, members: dated, history };
      }),
      handle(contract.create, async (call, { name, description, unit, definition }) => {
        const { count } = await store
          .selectFrom("cohorts")
          .select((e) => e.fn.countAll().as("count"))
          .where("workspace", "=", call.workspace.id)
          .executeTakeFirstOrThrow();
        if (Number(count) >= mostCohorts)
          throw new Refusal("cohorts.too_many", `A workspace holds ${mostCohorts} cohorts. Remove one first.`);
        const id = newId("cohort");
        const { size, basis } = await evaluate(call, { id, unit, definition, size: 0 });
        const now = new Date(call.now).toISOString();
        const created_by = call.principal.kind === "nobody" ? "" : call.principal.id;
        const row = {
          id,
          workspace: call.workspace.id,
          name,
          description,
          unit,
          definition: JSON.stringify(definition),
        };
        await store
          .insertInto("cohorts")
          .values({ ...row, size, basis, evaluated_at: now, created_by, created_at: now, updated_at: now })
          .execute();
        return { id, size };
      }),
      handle(contract.update, async (call, { id, name, description, definition }) => {
        const found = await evaluate(call, { ...(await find(call, id)), definition });
        const updated_at = new Date(call.now).toISOString();
        return keep(call, id, found, { name, description, definition: JSON.stringify(definition), updated_at });
      }),
      handle(contract.setMembers, async (call, { id, ids, persons }) => {
        const cohort = await find(call, id);
        if (cohort.definition.kind !== "list")
          throw new Refusal("cohorts.by_rule", "This cohort is made by rule; only a list can be given members.");
        const scope = await scopeOf(ingest, call);
        const keys = cohort.unit === "accounts" ? ids : [...persons, ...ids.map((one) => scope.keys.actor(one))];
        const size = await settle(call, id, { scope, unit: cohort.unit }, listed(scope, cohort.unit, keys));
        return keep(call, id, { size, basis: null });
      }),
      handle(contract.refresh, async (call, { id }) => keep(call, id, await evaluate(call, await find(call, id)))),
      handle(contract.remove, async (call, { id }) => {
        const { unit } = await find(call, id);
        const user = (await rows(call).execute()).map(viewOf).find((one) => namesCohort(one.definition, id));
        if (user !== undefined)
          throw new Refusal("cohorts.in_use", `The cohort ${user.name} is made from this one. Change that one first.`);
        const scope = await scopeOf(ingest, call);
        await settle(call, id, { scope, unit }, listed(scope, unit, []));
        await store.deleteFrom("cohorts").where("workspace", "=", call.workspace.id).where("id", "=", id).execute();
        return { ok: true as const };
      }),
      handle(contract.preview, async (call, { unit, definition }) => {
        if (definition.kind === "list")
          throw new Refusal("cohorts.by_list", "A list has the members that it is given.");
        await checkNested(call, "", definition);
        const asked = { scope: await scopeOf(ingest, call), unit };
        const row = Size.extend({ all: z.number() });
        const [counted] = await ask(call, countOf(asked, unitsOf(asked, definition.rule)), row);
        return { size: counted?.size ?? 0, of: counted?.all ?? 0 };
      }),
      handle(contract.why, async (call, { id, unit: key }) => {
        const { unit, definition } = await find(call, id);
        if (unit === "people" && !PersonKey.safeParse(key).success)
          throw new Refusal("cohorts.key", "A person is named by the key in the address of their page.");
        const asked = { scope: await scopeOf(ingest, call), unit };
        const leaves = definition.kind === "rule" ? leavesOf(definition.rule) : [];
        const names = new Map((await rows(call).execute()).map((row) => [row.id, row.name]));
        const why = leaves.length === 0 ? undefined : whyQuery(asked, key, leaves);
        const [changes, [held]] = await Promise.all([
          ask(call, changesOf(asked, id, key), z.object({ moment: z.string(), change: z.number() })),
          why === undefined ? [] : ask(call, why, z.object({ held: z.array(z.number()) })),
        ]);
        return {
          isIn: changes[0]?.change === 1,
          conditions: leaves.map((leaf, place) => ({ says: saysOf(leaf, names), holds: held?.held[place] === 1 })),
          changes: changes.map(({ moment, change }) => ({
            at: iso(moment),
            change: change === 1 ? ("entered" as const) : ("left" as const),
          })),
        };
      }),
    ],
  });
};

const namesCohort = (definition: Definition, id: string): boolean =>
  definition.kind === "rule" && leavesOf(definition.rule).some((leaf) => leaf.type === "cohort" && leaf.cohort === id);

const basisOf = ({ basis }: State["cohorts"]): Basis | undefined =>
  basis === null ? undefined : Basis.parse(JSON.parse(basis));

const viewOf = (row: State["cohorts"]): CohortView =>
  CohortView.parse({
    id: row.id,
    name: row.name,
    description: row.description,
    unit: row.unit,
    definition: JSON.parse(row.definition),
    size: row.size,
    evaluatedAt: row.evaluated_at,
    updatedAt: row.updated_at,
  });
