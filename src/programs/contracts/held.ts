import type { WorkspaceCall } from "#kernel/module.ts";
import { z } from "zod";
import { ask } from "#records/common/ask.ts";
import { iso } from "#records/common/iso.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { IncomingEvent } from "#records/events/incoming.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import type { Patch } from "./contract.ts";
import type { ContractGate } from "./gate.ts";
import { heldCount, heldEvents } from "./query.ts";

/** Events that are held until somebody decides: what they are, and how they are mended and sent on. */

interface Parts {
  readonly ingest: Ingest;
  readonly registry: SourceRegistry;
  readonly gate: ContractGate;
}

/** Held events that one replay looks at, and that go on together. */
const mostReplayed = 20_000;
const together = 500;
const mostStays = 50;

const Row = z.object({ id: z.string(), received: z.string(), source: z.string(), event: z.string(), body: z.string(), breaches: z.string() }); // prettier-ignore
type Row = z.output<typeof Row>;
const Breaches = z.array(z.object({ message: z.string() }));
const Body = z.record(z.string(), z.unknown());

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

/** A held event as whoever asks may see it. */
const shownBody = ({ veil }: WorkspaceCall, text: string): string => {
  if (!veil.isDrawn) return text;
  const { properties, personTraits, accountTraits, ...event } = JSON.parse(text) as IncomingEvent; // written by the door itself
  const changes = (holder: "person" | "account", all: IncomingEvent["personTraits"]) =>
    all?.map(({ op, traits }) => ({ op, traits: Array.isArray(traits) ? [] : veil.shown(holder, traits as Record<string, unknown>) })); // prettier-ignore
  return JSON.stringify({
    ...event,
    properties: veil.shown("event", properties ?? {}),
    personTraits: changes("person", personTraits),
    accountTraits: changes("account", accountTraits),
  });
};

/** A held event as it would go on. */
interface Mended {
  readonly row: Row;
  readonly event: IncomingEvent;
}

const portions = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / together) }, (_, n) => all.slice(n * together, (n + 1) * together));

/** The row that says that an event has gone on: later than the one that holds it, whatever the clock says. */
const replayed = ({ id, received, source, event }: Row, now: number): string => {
  const arrived = iso(received);
  const changed = new Date(Math.max(now, Date.parse(arrived)) + 1).toISOString();
  return JSON.stringify({ id, received: arrived, source, event, body: "", breaches: "[]", state: "replayed", changed });
};

export const heldStore = ({ ingest, registry, gate }: Parts) => ({
  /** The latest that are held, and how many there are in all. */
  list: async (call: WorkspaceCall, event: string | undefined, limit: number) => {
    const [found, [counted]] = await Promise.all([
      ask(call, heldEvents(event, limit), Row),
      ask(call, heldCount(event), z.object({ count: z.number() })),
    ]);
    const held = found.map(({ breaches, received, ...one }) => ({
      ...one,
      body: shownBody(call, one.body),
      received: iso(received),
      messages: Breaches.parse(JSON.parse(breaches)).map(({ message }) => message),
    }));
    return { held, count: counted?.count ?? 0 };
  },

  /** Mends the held events of a name and, unless it is only a try, sends on those that fit now. */
  replay: async (call: WorkspaceCall, event: string, patches: readonly Patch[], dryRun: boolean) => {
    gate.forget(call.workspace.id);
    const rows = await ask(call, heldEvents(event, mostReplayed), Row);
    const stays = new Map<string, number>();
    const stay = (messages: ReadonlySet<string>): void => {
      for (const message of messages) stays.set(message, (stays.get(message) ?? 0) + 1);
    };
    let fits = 0;
    for (const id of new Set(rows.map((row) => row.source))) {
      const own = rows.filter((row) => row.source === id);
      const source = await registry.byId(call.workspace.id, id);
      const { judge } = await gate.judgeOf(source);
      const ready = own.flatMap((row): Mended[] => {
        const body = JSON.parse(row.body) as IncomingEvent; // written by the door itself
        const mended = { ...body, properties: patched(Body.parse(body.properties ?? {}), patches) };
        const { action, breaches } = judge(mended);
        const wrong = breaches.filter(({ rule }) => rule !== "masked");
        if (action === "forward" && wrong.length === 0) return [{ row, event: mended }];
        stay(new Set(wrong.map(({ message }) => message)));
        return [];
      });
      fits += ready.length;
      for (const portion of dryRun ? [] : portions(ready)) {
        const { rejected } = await ingest.accept(source, portion.map((one) => one.event)); // prettier-ignore
        for (const { message } of rejected) stay(new Set([message]));
        fits -= rejected.length;
        const refused = new Set(rejected.map(({ index }) => index));
        // marked after they are safe: one that is sent twice counts once, by its message id
        const lines = portion.flatMap(({ row }, at) => (refused.has(at) ? [] : [replayed(row, call.now)]));
        if (lines.length > 0) await call.engine.insert("quarantine", lines.join("\n"));
      }
    }
    const shown = [...stays].slice(0, mostStays).map(([message, count]) => ({ message, count }));
    return { held: rows.length, fits, stays: shown };
  },
});
