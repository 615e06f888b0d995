import { parse } from "yaml";
import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { ask } from "#records/common/ask.ts";
import { iso } from "#records/common/iso.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { IncomingEvent } from "#records/events/incoming.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import * as contract from "./contract.ts";
import { Settings, type Patch, type Verdict } from "./contract.ts";
import { defaults } from "./disposition.ts";
import { compareSchemas } from "./evolution.ts";
import { byVersion, eventOf, type ContractGate } from "./gate.ts";
import { proposed } from "./learn.ts";
import { Odcs, schemaOf, type OdcsSchema } from "./odcs.ts";
import { heldCount, heldEvents, latestOf, pathsOf, valuesOf, violationGroups } from "./query.ts";
import { compileSchema } from "./schema.ts";

interface Parts {
  readonly store: Store;
  readonly ingest: Ingest;
  readonly registry: SourceRegistry;
  readonly gate: ContractGate;
}

const mostVersions = 5_000;
const day = 86_400_000;
/** Held events that one replay looks at. */
const mostReplayed = 20_000;
const mostLearnt = 200;
/** Latest events that a new version is tried on, of so many of its events. */
const sampleSize = 1_000;
const mostSampled = 50;

const Held = z.object({ id: z.string(), received: z.string(), source: z.string(), event: z.string(), body: z.string(), breaches: z.string() }); // prettier-ignore
const Breaches = z.array(z.object({ message: z.string() }));
const Body = z.record(z.string(), z.unknown());

/** Reads a contract, or says where it is wrong. Each of its schemas is compiled, so that none can fail at the door. */
const readContract = (text: string): Odcs => {
  let content: unknown;
  try {
    content = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw new Refusal("contract.text", `This is no YAML: ${error instanceof Error ? error.message.slice(0, 300) : "it cannot be read"}`); // prettier-ignore
  }
  const read = Odcs.safeParse(content);
  if (!read.success) {
    const faults = read.error.issues
      .slice(0, 10)
      .map((issue) => `${issue.path.join(".") || "the document"}: ${issue.message}`);
    throw new Refusal("contract.odcs", `This is no contract of ODCS 3.1: ${faults.join("; ")}`, { faults });
  }
  for (const schema of read.data.schema) compileSchema(schemaOf(schema));
  const names = read.data.schema.map(eventOf);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Refusal("contract.twice", `The contract has the event ${twice} twice.`);
  return read.data;
};

/** The store writes times with a space; senders, and the format of a contract, with a T and a zone. */
const asSent = (_: string, value: unknown): unknown =>
  typeof value === "string" && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/.test(value)
    ? `${value.replace(" ", "T")}Z`
    : value;

/** The latest events of a name, held against a schema. */
const sampled = async (call: WorkspaceCall, schema: OdcsSchema) => {
  const event = eventOf(schema);
  const validate = compileSchema(schemaOf(schema));
  const rows = await ask(call, latestOf(event, call.now - 30 * day, sampleSize), z.object({ properties: z.string() }));
  const broken = rows
    .map(({ properties }) => validate(JSON.parse(properties, asSent)))
    .filter((found) => found.length > 0);
  const messages = [...new Set(broken.flat().map(({ message }) => message))].slice(0, 20);
  return { event, looked: rows.length, fits: rows.length - broken.length, messages };
};

const verdictOf = (event: string, old: OdcsSchema, now: OdcsSchema): Verdict => {
  const { refusedNow, acceptedNow, ...found } = compareSchemas(schemaOf(old), schemaOf(now));
  const shown = (witness: { event: unknown } | undefined): string | null =>
    witness === undefined ? null : JSON.stringify(witness.event);
  return {
    event,
    ...found,
    changes: [...found.changes],
    refusedNow: shown(refusedNow),
    acceptedNow: shown(acceptedNow),
  };
};

const cast = (value: unknown, to: (Patch & { op: "cast" })["to"]): unknown => {
  if (to === "string") return typeof value === "string" ? value : JSON.stringify(value);
  if (to === "boolean") return value === "true" || value === 1 || value === "1" ? true : value === "false" || value === 0 || value === "0" ? false : value; // prettier-ignore
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) return value;
  return to === "integer" && !Number.isInteger(number) ? value : number;
};

const patched = (
  properties: Readonly<Record<string, unknown>>,
  patches: readonly Patch[],
): Readonly<Record<string, unknown>> => {
  const held = new Map(Object.entries(properties));
  for (const patch of patches) {
    const { property } = patch;
    if (patch.op === "default" && !held.has(property)) held.set(property, patch.value);
    if (!held.has(property)) continue;
    if (patch.op === "remove") held.delete(property);
    if (patch.op === "cast") held.set(property, cast(held.get(property), patch.to));
    if (patch.op === "rename" && !held.has(patch.to)) {
      held.set(patch.to, held.get(property));
      held.delete(property);
    }
  }
  return Object.fromEntries(held);
};

/** Contracts: what events are agreed to be, what is done with those that are not, and what is held. */
export const contracts = ({ store, ingest, registry, gate }: Parts): Module => {
  const rows = (call: WorkspaceCall) =>
    store.selectFrom("contracts").selectAll().where("workspace", "=", call.workspace.id);

  const activeOf = async (call: WorkspaceCall, id: string): Promise<Odcs | undefined> => {
    const found = await rows(call).where("id", "=", id).where("status", "=", "active").execute();
    return found.map(({ document }) => Odcs.parse(JSON.parse(document))).toSorted(byVersion)[0];
  };

  const nameOf = ({ principal }: WorkspaceCall): string => (principal.kind === "nobody" ? "" : principal.id);

  const saveVersion = async (call: WorkspaceCall, text: string): Promise<Odcs> => {
    const document = readContract(text);
    const { id, version, status } = document;
    const held = await rows(call).where("id", "=", id).where("version", "=", version).executeTakeFirst();
    const json = JSON.stringify(document);
    if (held !== undefined && held.status !== "draft" && held.status !== "proposed" && held.document !== json)
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
    gate.forget(call.workspace.id);
    return document;
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
    const names = all.filter((name) => !name.includes(".") && !inside.has(name)).slice(0, mostLearnt);
    const Values = z.object({ present: z.array(z.number()), distinct: z.array(z.array(z.string())) });
    const [values] = names.length === 0 ? [] : await ask(call, valuesOf(event, since, names), Values);
    const plain = names.map((name, at) => ({ name, types: paths[name] ?? [], present: values?.present[at] ?? 0, values: values?.distinct[at] ?? [] })); // prettier-ignore
    const seen = [...plain, ...[...inside].map((name) => ({ name, types: [], present: undefined, values: [] }))];
    return { document: proposed(event, events, seen), events };
  };

  /** Held events, mended, and what the gate says of each of them now. */
  const tried = async (call: WorkspaceCall, event: string, patches: readonly Patch[]) => {
    const held = await ask(call, heldEvents(event, mostReplayed), Held);
    const judges = new Map<string, Awaited<ReturnType<ContractGate["judgeOf"]>>>();
    const found = [];
    for (const one of held) {
      const source = await registry.byId(call.workspace.id, one.source);
      const judge = judges.get(one.source) ?? (await gate.judgeOf(source));
      judges.set(one.source, judge);
      const body = JSON.parse(one.body) as IncomingEvent; // written by the door itself
      const mended = { ...body, properties: patched(Body.parse(body.properties ?? {}), patches) };
      const judged = judge(mended);
      found.push({ one, source, mended, fits: judged.action === "forward" && judged.breaches.every(({ rule }) => rule === "masked"), breaches: judged.breaches }); // prettier-ignore
    }
    return found;
  };

  const replay = async (call: WorkspaceCall, event: string, patches: readonly Patch[], dryRun: boolean) => {
    gate.forget(call.workspace.id);
    const all = await tried(call, event, patches);
    const fits = all.filter((one) => one.fits);
    const stays = new Map<string, number>();
    for (const { breaches } of all.filter((one) => !one.fits))
      for (const message of new Set(breaches.filter(({ rule }) => rule !== "masked").map((breach) => breach.message)))
        stays.set(message, (stays.get(message) ?? 0) + 1);
    if (!dryRun) {
      for (const { source, mended } of fits) await ingest.accept(source, [mended]);
      const changed = new Date(call.now).toISOString();
      // what went on is marked after it is safe: sent twice it counts once, by its message id
      const lines = fits.map(({ one }) => JSON.stringify({ id: one.id, received: iso(one.received), source: one.source, event: one.event, body: "", breaches: "[]", state: "replayed", changed })); // prettier-ignore
      if (lines.length > 0) await call.engine.insert("quarantine", lines.join("\n"));
    }
    return {
      held: all.length,
      fits: fits.length,
      stays: [...stays].slice(0, 50).map(([message, count]) => ({ message, count })),
    };
  };

  return defineModule({
    name: "contracts",
    operations: [
      handle(contract.list, async (call) => {
        const found = (await rows(call).execute()).toSorted((a, b) =>
          a.id < b.id ? -1 : a.id > b.id ? 1 : byVersion(a, b),
        );
        return {
          contracts: found.map(({ id, version, status, document, updated_at, updated_by }) => {
            const { name = "", schema } = Odcs.parse(JSON.parse(document));
            return contract.ContractView.parse({ id, version, status, name, events: schema.map(eventOf), updatedAt: updated_at, updatedBy: updated_by }); // prettier-ignore
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
        const before = new Map(active?.schema.map((schema) => [eventOf(schema), schema]));
        const verdicts = now.schema.flatMap((schema) => {
          const old = before.get(eventOf(schema));
          return old === undefined ? [] : [verdictOf(eventOf(schema), old, schema)];
        });
        const recent = await Promise.all(now.schema.slice(0, mostSampled).map((schema) => sampled(call, schema)));
        return { id: now.id, version: now.version, against: active?.version ?? null, verdicts, recent };
      }),
      handle(contract.save, async (call, { document }) => {
        const { id, version, status } = await saveVersion(call, document);
        return { id, version, status };
      }),
      handle(contract.setStatus, async (call, { id, version, status }) => {
        const row = await rows(call).where("id", "=", id).where("version", "=", version).executeTakeFirst();
        if (row === undefined) throw new Refusal("contract.unknown", "There is no such version.", {}, 404);
        await store
          .updateTable("contracts")
          .set({ status, updated_by: nameOf(call), updated_at: new Date(call.now).toISOString() })
          .where("workspace", "=", call.workspace.id)
          .where("id", "=", id)
          .where("version", "=", version)
          .execute();
        gate.forget(call.workspace.id);
        return { ok: true as const };
      }),
      handle(contract.learn, (call, { event, days }) => learnt(call, event, call.now - days * day)),
      handle(contract.getSettings, async (call) => {
        const found = await store
          .selectFrom("gate_settings")
          .selectAll()
          .where("workspace", "=", call.workspace.id)
          .execute();
        const read = new Map(
          found.map(({ source, settings }) => [source, Settings.partial().parse(JSON.parse(settings))]),
        );
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
        const [found, [counted]] = await Promise.all([
          ask(call, heldEvents(event, limit), Held),
          ask(call, heldCount(event), z.object({ count: z.number() })),
        ]);
        const held = found.map(({ breaches, received, ...one }) => ({
          ...one,
          received: iso(received),
          messages: Breaches.parse(JSON.parse(breaches)).map(({ message }) => message),
        }));
        return { held, count: counted?.count ?? 0 };
      }),
      handle(contract.replay, async (call, { event, patches, dryRun }) => {
        await ingest.caughtUp(2_000);
        return replay(call, event, patches, dryRun);
      }),
    ],
  });
};
