import { z } from "zod";
import { bySteward, classesIn, decided, type Holder } from "#kernel/classes.ts";
import { defineModule, handle, type Asset, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { FileAnswer } from "#kernel/operation.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { iso } from "#records/common/iso.ts";
import type { Ingest } from "#records/events/ingest.ts";
import * as contract from "./contract.ts";
import { dataKinds, holderOf, type Item, type Kind } from "./contract.ts";
import { graphOf, holder, keyOf, openLineageOf, type Data } from "./graph.ts";
import { eventsSeen, namesSeen, sourcesOf } from "./query.ts";

interface Parts {
  readonly store: Store;
  readonly ingest: Ingest;
  /** What people made, in the whole program. */
  readonly assets: (call: WorkspaceCall) => Promise<readonly Asset[]>;
}

const Seen = z.object({ name: z.string(), last: z.string() });
const Named = z.object({
  name: z.string(),
  event: z.string(),
  kind: z.enum(["property", "person_trait", "account_trait"]),
});
const Sent = z.object({ event: z.string(), source: z.string() });
const options = { purpose: "look-up" } as const;
const monthMs = 30 * 86_400_000;

/** What a steward looks after: what there is, whose it is, who may see it, and what hangs on what. */
export const stewardship = ({ store, ingest, assets }: Parts): Module => {
  /** Names of members by their ids, to say who owns a thing. */
  const people = async (call: WorkspaceCall): Promise<ReadonlyMap<string, string>> => {
    const rows = await store
      .selectFrom("memberships")
      .innerJoin("members", "members.id", "memberships.member")
      .select(["members.id", "members.name"])
      .where("memberships.workspace", "=", call.workspace.id)
      .execute();
    return new Map(rows.map(({ id, name }) => [id, name]));
  };

  const notesIn = (call: WorkspaceCall) =>
    store.selectFrom("catalog_notes").selectAll().where("workspace", "=", call.workspace.id).execute();

  /** Every item of the catalog: data first, then what was made. */
  const itemsOf = async (call: WorkspaceCall): Promise<Item[]> => {
    await ingest.caughtUp(1_000);
    const [events, names, made, notes, classed, names_] = await Promise.all([
      call.engine.rows(eventsSeen, Seen, options),
      call.engine.rows(namesSeen, Named, options),
      assets(call),
      notesIn(call),
      classesIn(store, call.workspace.id),
      people(call),
    ]);
    const noted = new Map(notes.map((note) => [keyOf({ kind: note.kind as Kind, id: note.name }), note]));
    const classes = decided(classed);
    const dataItem = (kind: Kind, id: string, at: string | null): Item => {
      const note = noted.get(keyOf({ kind, id }));
      const of = holder(kind);
      const own = of === undefined ? null : (classes.get(`${of} ${id}`) ?? "internal");
      return { kind, id, title: id, address: "", owner: note?.owner ?? "", description: note?.description ?? "", class: own, at }; // prettier-ignore
    };
    const byKind = new Map(names.map(({ kind, name }) => [`${kind} ${name}`, { kind, name }]));
    // what was classed or described before it ever came
    for (const { holder: of, name } of classed) {
      const kind = dataKinds.find((one) => holder(one) === of);
      if (kind !== undefined && kind !== "event") byKind.set(`${kind} ${name}`, { kind, name });
    }
    return [
      ...events.map(({ name, last }) => dataItem("event", name, iso(last))),
      ...[...byKind.values()].map(({ kind, name }) => dataItem(kind, name, null)),
      ...made.map(({ kind, id, title, address, owner, description, updatedAt }): Item => ({
        kind,
        id,
        title,
        address,
        owner: names_.get(owner) ?? owner,
        description,
        class: null,
        at: updatedAt,
      })),
    ];
  };

  const dataOf = async (call: WorkspaceCall): Promise<Data> => {
    const [events, names] = await Promise.all([
      call.engine.rows(eventsSeen, Seen, options),
      call.engine.rows(namesSeen, Named, options),
    ]);
    const sent = await call.engine.rows(sourcesOf(events.map(({ name }) => name), call.now - monthMs), Sent, options); // prettier-ignore
    const together = (pairs: readonly (readonly [string, string])[]): ReadonlyMap<string, readonly string[]> => {
      const found = new Map<string, string[]>();
      for (const [key, value] of pairs) found.set(key, [...(found.get(key) ?? []), value]);
      return found;
    };
    return {
      events: events.map(({ name }) => name),
      properties: together(names.filter(({ kind }) => kind === "property").map(({ name, event }) => [name, event])),
      sources: together(sent.map(({ event, source }) => [event, source])),
    };
  };

  const by = ({ principal }: WorkspaceCall): string => (principal.kind === "nobody" ? "" : principal.id);

  return defineModule({
    name: "stewardship",
    operations: [
      handle(contract.list, async (call, { search, kind, limit }) => {
        const wanted = search.toLowerCase();
        const found = (await itemsOf(call)).filter(
          (one) =>
            (kind === undefined || one.kind === kind) &&
            [one.title, one.description, one.owner].some((text) => text.toLowerCase().includes(wanted)),
        );
        return { items: found.slice(0, limit), total: found.length };
      }),
      handle(contract.item, async (call, { kind, id }) => {
        const found = (await itemsOf(call)).find((one) => one.kind === kind && one.id === id);
        if (found === undefined) throw new Refusal("stewardship.unknown", "There is no such thing in the catalog.", {}, 404); // prettier-ignore
        const of = holder(kind);
        const said =
          of === undefined
            ? []
            : await store
                .selectFrom("classifications")
                .selectAll()
                .where("workspace", "=", call.workspace.id)
                .where("holder", "=", of)
                .where("name", "=", id)
                .orderBy("origin", "desc")
                .execute();
        const known = await people(call);
        const graph = graphOf(await assets(call), await dataOf(call), found);
        return {
          ...found,
          said: said.map((row) => ({
            class: contract.DataClass.parse(row.class),
            by: row.origin === bySteward ? (known.get(row.decided_by) ?? row.decided_by) : `the ${row.origin}`,
            note: row.note,
            at: row.decided_at,
            isSteward: row.origin === bySteward,
          })),
          nodes: [...graph.nodes],
          edges: [...graph.edges],
        };
      }),
      handle(contract.describe, async (call, { kind, id, owner, description }) => {
        const changed = { owner, description, updated_by: by(call), updated_at: new Date(call.now).toISOString() };
        await store
          .insertInto("catalog_notes")
          .values({ workspace: call.workspace.id, kind, name: id, ...changed })
          .onConflict((conflict) => conflict.columns(["workspace", "kind", "name"]).doUpdateSet(changed))
          .execute();
        return { ok: true as const };
      }),
      handle(contract.classify, async (call, { kind, id, class: dataClass, note }) => {
        const of: Holder = holderOf[kind];
        const key = { workspace: call.workspace.id, holder: of, name: id, origin: bySteward };
        if (dataClass === null) {
          await store
            .deleteFrom("classifications")
            .where("workspace", "=", key.workspace)
            .where("holder", "=", of)
            .where("name", "=", id)
            .where("origin", "=", bySteward)
            .execute();
          return { ok: true as const };
        }
        const changed = { class: dataClass, note, decided_by: by(call), decided_at: new Date(call.now).toISOString() };
        await store
          .insertInto("classifications")
          .values({ ...key, ...changed })
          .onConflict((conflict) => conflict.columns(["workspace", "holder", "name", "origin"]).doUpdateSet(changed))
          .execute();
        return { ok: true as const };
      }),
      handle(contract.openLineage, async (call) => {
        const classes = decided(await classesIn(store, call.workspace.id));
        const at = new Date(call.now).toISOString();
        const classOf = (kind: Kind, name: string) => classes.get(`${holder(kind)} ${name}`);
        const events = openLineageOf(await assets(call), await dataOf(call), call.workspace.id, at, classOf);
        const lines = events.map((event) => `${JSON.stringify(event)}\n`);
        return new FileAnswer("openlineage.ndjson", "application/x-ndjson", (async function* () { yield* lines; })()); // prettier-ignore
      }),
    ],
  });
};
