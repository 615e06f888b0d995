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
import { advised, findingsIn, type Values } from "./findings.ts";
import { graphOf, holder, keyOf, openLineageOf, type Data } from "./graph.ts";
import { planOf } from "./plan.ts";
import { eventsSeen, namesSeen, sourcesOf, valuesSeen, volumes, waiting } from "./query.ts";

interface Parts {
  readonly store: Store;
  readonly ingest: Ingest;
  /** What people made, in the whole program. */
  readonly assets: (call: WorkspaceCall) => Promise<readonly Asset[]>;
  /** What of the server's own settings counts for governing. */
  readonly server: { readonly checkpointsElsewhere: boolean; readonly singleSignOn: boolean };
}

const Seen = z.object({ name: z.string(), last: z.string() });
const Named = z.object({
  name: z.string(),
  event: z.string(),
  kind: z.enum(["property", "person_trait", "account_trait"]),
});
const Sent = z.object({ event: z.string(), source: z.string() });
const Valued = z.object({ kind: z.enum(["property", "person_trait", "account_trait"]), name: z.string(), values: z.array(z.string()) }); // prettier-ignore
const options = { purpose: "look-up" } as const;
const monthMs = 30 * 86_400_000;
/** The type of the row that says when a workspace was searched last. */
const scanned = "SCANNED";

/** What a steward looks after: what there is, whose it is, who may see it, and what hangs on what. */
export const stewardship = ({ store, ingest, assets, server }: Parts): Module => {
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
    const [events, names, made, notes, classed, members] = await Promise.all([
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
        owner: members.get(owner) ?? owner,
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

  const findingRows = (call: WorkspaceCall) =>
    store.selectFrom("findings").selectAll().where("workspace", "=", call.workspace.id);

  /** Findings that nobody has judged, of names that nobody has classed. */
  const openFindings = async (call: WorkspaceCall) => {
    const classes = decided(await classesIn(store, call.workspace.id));
    const rows = await findingRows(call).where("state", "=", "open").orderBy("name").execute();
    return rows.filter(({ kind, name, type }) => type !== scanned && !classes.has(`${holder(kind as Kind)} ${name}`));
  };

  /** Looks through what is stored. A finding that was judged stays so, until another detector makes it. */
  const scan = async (call: WorkspaceCall): Promise<{ looked: number; found: number }> => {
    await ingest.caughtUp(2_000);
    const values: Values[] = await call.engine.rows(valuesSeen, Valued, { purpose: "export", signal: call.signal });
    const found = findingsIn(values);
    const judged = new Map((await findingRows(call).where("state", "=", "dismissed").execute()).map((row) => [`${row.kind} ${row.name} ${row.type}`, row.detector])); // prettier-ignore
    const now = new Date(call.now).toISOString();
    const workspace = call.workspace.id;
    await store.transaction().execute(async (tx) => {
      await tx.deleteFrom("findings").where("workspace", "=", workspace).where("state", "=", "open").execute();
      // a row of its own says when it was looked last
      await tx.insertInto("findings").values({ workspace, kind: "property", name: "", type: scanned, detector: "", hits: 0, looked: values.length, state: "open", found_at: now, judged_by: "" }).execute(); // prettier-ignore
      for (const { kind, name, type, detector, hits, looked } of found) {
        const before = judged.get(`${kind} ${name} ${type}`);
        if (before === detector) continue;
        if (before !== undefined) await tx.deleteFrom("findings").where("workspace", "=", workspace).where("kind", "=", kind).where("name", "=", name).where("type", "=", type).execute(); // prettier-ignore
        await tx.insertInto("findings").values({ workspace, kind, name, type, detector, hits, looked, state: "open", found_at: now, judged_by: "" }).execute(); // prettier-ignore
      }
    });
    return { looked: values.length, found: (await openFindings(call)).length };
  };

  const standingOf = async (call: WorkspaceCall) => {
    const workspace = call.workspace.id;
    const weekAgo = call.now - 7 * 86_400_000;
    const [made, counts, [wait], notes, classed, roles, settings, findings, last] = await Promise.all([
      assets(call),
      call.engine.rows(volumes, z.object({ name: z.string(), count: z.number() }), options),
      call.engine.rows(waiting(weekAgo), z.object({ held: z.number(), broken: z.number() }), options),
      notesIn(call),
      classesIn(store, workspace),
      store.selectFrom("memberships").select("role").where("workspace", "=", workspace).execute(),
      store.selectFrom("gate_settings").select("settings").where("workspace", "=", workspace).where("source", "=", "").executeTakeFirst(), // prettier-ignore
      openFindings(call),
      findingRows(call).where("type", "=", scanned).executeTakeFirst(),
    ]);
    const active = made.filter(({ kind, state }) => kind === "contract" && state === "active");
    const agreed = new Set(active.flatMap(({ about = [] }) => about));
    const owned = new Set(notes.flatMap(({ kind, name, owner }) => (kind === "event" && owner !== "" ? [name] : [])));
    const all = counts.reduce((sum, { count }) => sum + count, 0);
    const shareOf = (names: ReadonlySet<string>): number =>
      all === 0 ? 0 : counts.reduce((sum, { name, count }) => sum + (names.has(name) ? count : 0), 0) / all;
    return {
      sources: made.filter(({ kind }) => kind === "source").length,
      underContract: shareOf(agreed),
      owned: shareOf(owned),
      activeContracts: active.length,
      members: roles.length,
      stewards: roles.filter(({ role }) => role === "steward").length,
      classed: decided(classed).size,
      findings: findings.length,
      scanned: last !== undefined,
      held: wait?.held ?? 0,
      broken: wait?.broken ?? 0,
      northStar: made.some(({ kind, definition }) => kind === "metric" && z.object({ northStar: z.literal(true) }).safeParse(definition).success), // prettier-ignore
      masks: z.object({ pii: z.literal("forward") }).safeParse(JSON.parse(settings?.settings ?? "{}")).success === false, // prettier-ignore
      ...server,
    };
  };

  return defineModule({
    name: "stewardship",
    jobs: [{ name: "stewardship.scan", everyMs: 86_400_000, run: async (call) => void (await scan(call)) }],
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
      handle(contract.findings, async (call) => {
        const last = await findingRows(call).where("type", "=", scanned).executeTakeFirst();
        const open = (await openFindings(call)).map(({ kind, name, type, detector, hits, looked, found_at }) => ({
          kind: contract.DataKind.parse(kind),
          name,
          type,
          detector,
          hits,
          looked,
          advised: advised(type),
          foundAt: found_at,
        }));
        return { findings: open, scannedAt: last?.found_at ?? null };
      }),
      handle(contract.scan, scan),
      handle(contract.dismiss, async (call, { kind, name, type }) => {
        await store
          .updateTable("findings")
          .set({ state: "dismissed", judged_by: by(call) })
          .where("workspace", "=", call.workspace.id)
          .where("kind", "=", kind)
          .where("name", "=", name)
          .where("type", "=", type)
          .execute();
        return { ok: true as const };
      }),
      handle(contract.home, async (call) => {
        const now = await standingOf(call);
        const waits = (n: number, one: string, address: string) =>
          n === 0 ? [] : [{ says: `${one}: ${n.toLocaleString("en")}`, address }];
        return {
          waits: [
            ...waits(now.held, "Events held", "/contracts?tab=held"),
            ...waits(now.broken, "Kinds of violations this week", "/contracts"),
          ],
          tasks: [...planOf(now)],
        };
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
