import { isDeepStrictEqual } from "node:util";
import { yamlOf } from "./yaml.ts";
import { z } from "zod";
import { downstreamOf } from "#kernel/lineage.ts";
import { defineModule, handle, type Asset, type Module, type Used, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { ask } from "#records/common/ask.ts";
import { iso } from "#records/common/iso.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import * as contract from "./contract.ts";
import { StoredSettings, type Verdict } from "./contract.ts";
import { defaults } from "./disposition.ts";
import type { ContractGate } from "./gate.ts";
import { readPlan, writePlan } from "./formats/index.ts";
import type { Plan } from "./formats/plan.ts";
import { heldStore } from "./held.ts";
import { readContract } from "./document.ts";
import { proposed } from "./learn.ts";
import { byVersion, eventsOf, Odcs, schemaOf, titleOf, type OdcsSchema } from "./odcs.ts";
import { noteClasses } from "./classes.ts";
import { latestOf, pathsOf, valuesOf, violationGroups } from "./query.ts";
import { compileSchema } from "./schema.ts";
import { verdictsOf } from "./verdicts.ts";

interface Parts {
  readonly store: Store;
  readonly ingest: Ingest;
  readonly registry: SourceRegistry;
  readonly gate: ContractGate;
  /** What people made, in the whole program. */
  readonly assets: (call: WorkspaceCall) => Promise<readonly Asset[]>;
}

const mostVersions = 5_000;
/** Versions in these states may still be changed. */
const open: ReadonlySet<string> = new Set(["draft", "proposed"]);
const day = 86_400_000;
const mostLearnt = 200;
/** Latest events that a new version is tried on, of so many of its events. */
const sampleSize = 1_000;
const mostSampled = 50;
/** Changes of which it is looked what hangs on them. */
const mostLooked = 100;

/** The property that a place in a schema is of; undefined for the event as a whole. */
const propertyIn = (path: string): string | undefined =>
  /^\/(?:properties|required)\/([^/]+)/.exec(path)?.[1]?.replaceAll("~1", "/").replaceAll("~0", "~");

/** The store writes times with a space; senders, and the format of a contract, with a T and a zone. */
const asSent = (_: string, value: unknown): unknown =>
  typeof value === "string" && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/.test(value)
    ? `${value.replace(" ", "T")}Z`
    : value;

/** The latest events of a name, held against a schema. */
const sampled = async (call: WorkspaceCall, [event, schema]: readonly [string, OdcsSchema]) => {
  const validate = compileSchema(schemaOf(schema));
  const rows = await ask(call, latestOf(event, call.now - 30 * day, sampleSize), z.object({ properties: z.string() }));
  const broken = rows
    .map(({ properties }) => validate(JSON.parse(properties, asSent)))
    .filter((found) => found.length > 0);
  const messages = [...new Set(broken.flat().map(({ message }) => message))].slice(0, 20);
  return { event, looked: rows.length, fits: rows.length - broken.length, messages };
};

/** Contracts: what events are agreed to be, what is done with those that are not, and what is held. */
export const contracts = ({ store, ingest, registry, gate, assets }: Parts): Module => {
  const rows = (call: WorkspaceCall) =>
    store.selectFrom("contracts").selectAll().where("workspace", "=", call.workspace.id);

  const activeOf = async (call: WorkspaceCall, id: string): Promise<Odcs | undefined> => {
    const found = await rows(call).where("id", "=", id).where("status", "=", "active").execute();
    return found.map(({ document }) => Odcs.parse(JSON.parse(document))).toSorted(byVersion)[0];
  };

  const nameOf = ({ principal }: WorkspaceCall): string => (principal.kind === "nobody" ? "" : principal.id);

  const rowOf = (call: WorkspaceCall, id: string, version: string) =>
    rows(call).where("id", "=", id).where("version", "=", version).executeTakeFirst();

  /** Keeps a version, unless it is one that stays as it is; without telling the door. */
  const keep = async (call: WorkspaceCall, document: Odcs, text: string): Promise<void> => {
    const { id, version, status } = document;
    const held = await rowOf(call, id, version);
    const json = JSON.stringify(document);
    if (held !== undefined && !open.has(held.status) && (held.document !== json || open.has(status)))
      throw new Refusal("contract.immutable", `Version ${version} of ${id} is ${held.status} and stays as it is. Raise its version.`, {}, 409); // prettier-ignore
    const { count } = await store.selectFrom("contracts").select(({ fn }) => fn.countAll().as("count")).where("workspace", "=", call.workspace.id).executeTakeFirstOrThrow(); // prettier-ignore
    if (held === undefined && Number(count) >= mostVersions)
      throw new Refusal("contract.too_many", `A workspace keeps ${mostVersions} versions of contracts.`);
    const changed = {
      status,
      document: json,
      text,
      updated_by: nameOf(call),
      updated_at: new Date(call.now).toISOString(),
    };
    await store
      .insertInto("contracts")
      .values({ workspace: call.workspace.id, id, version, ...changed })
      .onConflict((conflict) => conflict.columns(["workspace", "id", "version"]).doUpdateSet(changed))
      .execute();
  };

  const saveVersion = async (call: WorkspaceCall, text: string): Promise<Odcs> => {
    const document = readContract(text);
    await keep(call, document, text);
    gate.forget(call.workspace.id);
    await noteClasses(store, call);
    return document;
  };

  /** Takes a plan over, as drafts; or says what that would be. */
  const takeOver = async (call: WorkspaceCall, plan: Plan, dryRun: boolean) => {
    const faults = [...plan.faults];
    const found: { id: string; version: string; name: string; properties: number; becomes: "new" | "changed" | "same" }[] = []; // prettier-ignore
    for (const document of plan.contracts) {
      const { id, version, name = id, schema } = document;
      const held = await rowOf(call, id, version);
      const isSame = held !== undefined && isDeepStrictEqual({ ...Odcs.parse(JSON.parse(held.document)), status: "" }, { ...document, status: "" }); // prettier-ignore
      if (held !== undefined && !isSame && !open.has(held.status)) {
        faults.push({ rule: name, message: `Version ${version} of ${id} is ${held.status} and differs. Raise the version of the event in the plan.` }); // prettier-ignore
        continue;
      }
      if (!dryRun && !isSame) await keep(call, document, yamlOf(document));
      const properties = schema.reduce((sum, one) => sum + one.properties.length, 0);
      found.push({ id, version, name, properties, becomes: held === undefined ? "new" : isSame ? "same" : "changed" });
    }
    return { contracts: found, notes: [...plan.notes].slice(0, 200), faults: faults.slice(0, 500) };
  };

  /** Of each contract the active version, else the newest. */
  const current = async (call: WorkspaceCall, ids: readonly string[]): Promise<readonly Odcs[]> => {
    const all = (await rows(call).orderBy("id").execute()).map(({ status, document }) => ({ status, contract: Odcs.parse(JSON.parse(document)) })); // prettier-ignore
    const order = all.toSorted((a, b) => Number(a.status === "active") - Number(b.status === "active") || byVersion(b.contract, a.contract)); // prettier-ignore
    const newest = new Map(order.map(({ contract: one }) => [one.id, one]));
    return [...newest.values()].filter(({ id }) => ids.length === 0 || ids.includes(id)).toSorted((a, b) => (a.id < b.id ? -1 : 1)); // prettier-ignore
  };

  const learnt = async (call: WorkspaceCall, event: string, since: number) => {
    const Paths = z.object({ events: z.number(), paths: z.string() });
    const [found] = await ask(call, pathsOf(event, since), Paths);
    const events = found?.events ?? 0;
    if (events === 0) throw new Refusal("contract.nothing", `No event ${event.slice(0, 100)} came in that time, so nothing can be learnt of it.`, {}, 404); // prettier-ignore
    const paths = z.record(z.string(), z.array(z.string())).parse(JSON.parse(found?.paths ?? "{}"));
    // what lies in an object is left open: its parts cannot be told from names that hold a dot
    const all = Object.keys(paths).toSorted();
    const inside = new Set(all.flatMap((name) => (name.includes(".") ? [name.slice(0, name.indexOf("."))] : [])));
    const names = all
      .filter((name) => !name.includes(".") && !inside.has(name) && !call.veil.isHidden("event", name))
      .slice(0, mostLearnt);
    const Bounds = z.array(z.number().nullable());
    const Values = z.object({ present: z.array(z.number()), least: Bounds, greatest: Bounds, distinct: z.array(z.array(z.string())) }); // prettier-ignore
    const [values] = names.length === 0 ? [] : await ask(call, valuesOf(call, event, since, names), Values);
    const plain = names.map((name, at) => ({ name, types: paths[name] ?? [], present: values?.present[at] ?? 0, values: values?.distinct[at] ?? [], least: values?.least[at] ?? null, greatest: values?.greatest[at] ?? null })); // prettier-ignore
    const seen = [
      ...plain,
      ...[...inside].map((name) => ({ name, types: [], present: undefined, values: [], least: null, greatest: null })),
    ];
    return { document: proposed(event, events, seen), events };
  };

  const held = heldStore({ ingest, registry, gate });

  /** What hangs on what a version changes for readers or senders, or no longer has. */
  const hitsOf = async (call: WorkspaceCall, verdicts: readonly Verdict[], removed: readonly string[]) => {
    const changed = verdicts.flatMap(({ event, changes }) =>
      changes.filter(({ backward, forward }) => !backward || !forward).map(({ path }): Used => {
        const property = propertyIn(path);
        return property === undefined ? { kind: "event", id: event } : { kind: "property", id: property, event };
      }),
    ); // prettier-ignore
    const all = [...changed, ...removed.map((id): Used => ({ kind: "event", id }))];
    const different = [...new Map(all.map((used) => [JSON.stringify(used), used])).values()].slice(0, mostLooked);
    const made = different.length === 0 ? [] : await assets(call);
    const found = different.map((used) => ({ used, uses: [...downstreamOf(made, used)] }));
    return found.filter(({ uses }) => uses.length > 0);
  };

  return defineModule({
    name: "contracts",
    assets: async (call) => {
      const found = (await rows(call).execute()).map((row) => ({
        ...row,
        contract: Odcs.parse(JSON.parse(row.document)),
      }));
      // of each the active version, else the newest
      const order = found.toSorted((a, b) => Number(a.status === "active") - Number(b.status === "active") || byVersion(b.contract, a.contract)); // prettier-ignore
      const shown = new Map(order.map((row) => [row.id, row]));
      return [...shown.values()].map(({ id, status, version, updated_by, updated_at, contract: { name, schema } }) => ({
        kind: "contract",
        id,
        title: name ?? id,
        address: "/contracts?tab=contracts",
        owner: updated_by,
        description: `Version ${version}, ${status}.`,
        updatedAt: updated_at,
        state: status,
        about: eventsOf({ schema }).map(([event]) => event),
      }));
    },
    aiUses: [
      {
        id: "detectors",
        name: "Detectors of personal data and secrets",
        kind: "rules",
        version: "1",
        purpose: "Finds personal data and secrets in properties of events before they are kept, and in what is stored.",
        risk: "minimal",
        oversight:
          "What was masked is listed under Contracts; what is found in the store waits for a steward, who can say that it is none. Each kind can be switched off under What is done.",
        needsRelease: false,
      },
    ],
    jobs: [{ name: "contracts.classes", everyMs: 3_600_000, run: (call) => noteClasses(store, call) }],
    operations: [
      handle(contract.list, async (call) => {
        const found = (await rows(call).execute()).toSorted((a, b) =>
          a.id < b.id ? -1 : a.id > b.id ? 1 : byVersion(a, b),
        );
        return {
          contracts: found.map(({ id, version, status, document, updated_at, updated_by }) => {
            const { name = "", schema } = Odcs.parse(JSON.parse(document));
            return contract.ContractView.parse({ id, version, status, name, events: schema.map(titleOf), updatedAt: updated_at, updatedBy: updated_by }); // prettier-ignore
          }),
        };
      }),
      handle(contract.get, async (call, { id, version }) => {
        const row = await rows(call).where("id", "=", id).where("version", "=", version).executeTakeFirst();
        if (row === undefined) throw new Refusal("contract.unknown", "There is no such version.", {}, 404);
        return { document: row.text };
      }),
      handle(contract.check, async (call, { document }) => {
        const now = readContract(document);
        const active = await activeOf(call, now.id);
        const { verdicts, removed } = active === undefined ? { verdicts: [], removed: [] } : verdictsOf(active, now);
        const recent = await Promise.all(
          eventsOf(now)
            .slice(0, mostSampled)
            .map((one) => sampled(call, one)),
        );
        const hits = await hitsOf(call, verdicts, removed);
        return { id: now.id, version: now.version, against: active?.version ?? null, verdicts, removed, recent, hits };
      }),
      handle(contract.save, async (call, { document }) => {
        const { id, version, status } = await saveVersion(call, document);
        return { id, version, status };
      }),
      handle(contract.importPlan, async (call, { text, format, dryRun }) => {
        const read = readPlan(text, format);
        return { format: read.format, ...(await takeOver(call, read.plan, dryRun)) };
      }),
      handle(contract.exportPlan, async (call, { format, ids }) => {
        const found = await current(call, ids);
        const type = format === "csv" ? "text/csv" : "application/json";
        return { name: `contracts.${format === "csv" ? "csv" : "json"}`, type, text: writePlan(format, found) };
      }),
      handle(contract.setStatus, async (call, { id, version, status }) => {
        const row = await rows(call).where("id", "=", id).where("version", "=", version).executeTakeFirst();
        if (row === undefined) throw new Refusal("contract.unknown", "There is no such version.", {}, 404);
        if (!open.has(row.status) && open.has(status))
          throw new Refusal("contract.immutable", `Version ${version} of ${id} was ${row.status}, so events were held against it: it cannot be a draft again. Raise its version.`, {}, 409); // prettier-ignore
        await store
          .updateTable("contracts")
          .set({ status, updated_by: nameOf(call), updated_at: new Date(call.now).toISOString() })
          .where("workspace", "=", call.workspace.id)
          .where("id", "=", id)
          .where("version", "=", version)
          .execute();
        gate.forget(call.workspace.id);
        await noteClasses(store, call);
        return { ok: true as const };
      }),
      handle(contract.downstream, async (call, used) => ({
        uses: [...downstreamOf(await assets(call), used)],
      })),
      handle(contract.learn, (call, { event, days }) => learnt(call, event, call.now - days * day)),
      handle(contract.getSettings, async (call) => {
        const found = await store
          .selectFrom("gate_settings")
          .selectAll()
          .where("workspace", "=", call.workspace.id)
          .execute();
        const read = new Map(found.map(({ source, settings }) => [source, StoredSettings.parse(JSON.parse(settings))]));
        const { "": all, ...bySource } = Object.fromEntries(read);
        return { all: { ...defaults, ...all }, bySource };
      }),
      handle(contract.setSettings, async (call, { source, settings }) => {
        if (source !== "") await registry.byId(call.workspace.id, source);
        const text = JSON.stringify(settings);
        await store
          .insertInto("gate_settings")
          .values({ workspace: call.workspace.id, source, settings: text })
          .onConflict((conflict) => conflict.columns(["workspace", "source"]).doUpdateSet({ settings: text }))
          .execute();
        gate.forget(call.workspace.id);
        return { ok: true as const };
      }),
      handle(contract.violations, async (call, { days, event }) => {
        await ingest.caughtUp(2_000);
        const found = await ask(
          call,
          violationGroups(call.now - days * day, event),
          contract.violations.output.shape.groups.element,
        );
        return { groups: found.map((group) => ({ ...group, first: iso(group.first), last: iso(group.last) })) };
      }),
      handle(contract.quarantine, async (call, { event, limit }) => {
        await ingest.caughtUp(2_000);
        return held.list(call, event, limit);
      }),
      handle(contract.replay, async (call, { event, patches, dryRun }) => {
        await ingest.caughtUp(2_000);
        return held.replay(call, event, patches, dryRun);
      }),
    ],
  });
};
