import { z } from "zod";
import type { Clock } from "#kernel/clock.ts";
import { FileAnswer } from "#kernel/operation.ts";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { iso } from "#records/common/iso.ts";
import type { Arrival, Ingest } from "#records/events/ingest.ts";
import * as contract from "./contract.ts";
import { eventStream } from "./event-stream.ts";
import { mountDoors } from "./doors.ts";
import { arrivalsBySource, letterCount, lettersOf, refusalsBySource } from "./query.ts";
import type { SourceRegistry } from "./registry.ts";

interface Parts {
  readonly ingest: Ingest;
  readonly registry: SourceRegistry;
  readonly clock: Clock;
  readonly publicUrl: string | undefined;
}

const month = 30 * 86_400_000;
const Arrived = z.object({ source: z.string(), events: z.number(), last: z.string() });
const Refused = z.object({ source: z.string(), refused: z.number() });
const Letter = z.object({
  received: z.string(),
  source: z.string(),
  reason: z.string(),
  message: z.string(),
  body: z.string(),
});

/** What stands for a text that may hold something which the asker may not know. */
const notShown = "Not shown to your role.";
const seen = ({ veil }: WorkspaceCall, arrival: Arrival): Arrival =>
  veil.isDrawn ? { ...arrival, preview: notShown } : arrival;

/** Where data comes in: write keys, the wire formats of vendors, what arrived and what was refused. */
export const sources = ({ ingest, registry, clock, publicUrl }: Parts): Module =>
  defineModule({
    name: "sources",
    assets: async (call) =>
      (await registry.list(call.workspace.id)).map(({ id, name, kind, createdAt }) => ({
        kind: "source",
        id,
        title: name,
        address: "/sources",
        owner: "",
        description: kind,
        updatedAt: createdAt,
      })),
    routes: (server) => mountDoors(server, { ingest, sources: registry, clock, publicUrl }),
    operations: [
      handle(contract.list, async (call) => {
        const since = call.now - month;
        const [rows, arrived, refused] = await Promise.all([
          registry.list(call.workspace.id),
          call.engine.rows(arrivalsBySource(since), Arrived),
          call.engine.rows(refusalsBySource(since), Refused),
        ]);
        const withCounts = rows.map((row) => {
          const came = arrived.find((item) => item.source === row.id);
          const gone = refused.find((item) => item.source === row.id);
          return {
            ...row,
            events: came?.events ?? 0,
            refused: gone?.refused ?? 0,
            lastAt: came === undefined ? null : iso(came.last),
          };
        });
        return { sources: withCounts };
      }),
      handle(contract.create, async (call, input) => {
        const made = await registry.create(call.workspace.id, input.name, input.kind, input.product);
        return { id: made.id, writeKey: made.writeKey };
      }),
      handle(contract.disable, async (call, input) => {
        await registry.disable(call.workspace.id, input.id);
        return { ok: true as const };
      }),
      handle(contract.live, async (call) => ({
        arrivals: ingest.recent(call.workspace.id).map((one) => seen(call, one)),
      })),
      handle(contract.watch, async (call) => {
        const listen = (listener: (arrival: Arrival) => void) =>
          ingest.watch(call.workspace.id, (arrival) => listener(seen(call, arrival)));
        return new FileAnswer("arrivals.txt", "text/event-stream", eventStream(listen, call.signal));
      }),
      handle(contract.deadLetters, async (call, input) => {
        const [letters, [count]] = await Promise.all([
          call.engine.rows(lettersOf(input.source, input.limit), Letter),
          call.engine.rows(letterCount(input.source), z.object({ total: z.number() })),
        ]);
        const shown = letters.map((letter) => (call.veil.isDrawn ? { ...letter, body: notShown } : letter));
        return { letters: shown, total: count?.total ?? 0 };
      }),
    ],
  });
