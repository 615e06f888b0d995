import type { Logger } from "pino";
import type { Clock } from "#kernel/clock.ts";
import { defineModule, handle, type Module } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { createWorkspace } from "#programs/workspaces/create.ts";
import type { ConversationDesk } from "#records/conversations/desk.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { IncomingEvent } from "#records/events/incoming.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import { conversationsIn, interviewsIn } from "./support.ts";
import { companyDays, simulate } from "./company.ts";
import * as contract from "./contract.ts";

interface Parts {
  readonly store: Store;
  readonly registry: SourceRegistry;
  readonly ingest: Ingest;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where the company's conversations go. */
  readonly conversations: ConversationDesk;
  /** Puts questions worth asking into a new demo workspace. */
  readonly furnish: (workspace: string, member: string) => Promise<void>;
}

const seed = 20_260_301;
const dayMs = 86_400_000;
const batchEvents = 5_000;

/** What `workspaces.is_demo` says. */
const filling = 1;
const full = 2;

/**
 * The demo: a made-up company whose history arrives through the same door as real events. Message ids are fixed, so
 * that a filling which a restart cut short begins again and counts nothing twice.
 */
export const demo = ({ store, registry, ingest, conversations, clock, log, furnish }: Parts): Module => {
  const running = new Map<string, { share: number }>();

  const rowOf = (workspace: string) =>
    store
      .selectFrom("workspaces")
      .select(["is_demo", "created_at"])
      .where("id", "=", workspace)
      .where("removed_at", "is", null)
      .executeTakeFirst();

  const hasDemo = async (member: string): Promise<boolean> => {
    const row = await store
      .selectFrom("memberships")
      .innerJoin("workspaces", "workspaces.id", "memberships.workspace")
      .select("workspaces.id")
      .where("memberships.member", "=", member)
      .where("is_demo", ">", 0)
      .where("removed_at", "is", null)
      .executeTakeFirst();
    return row !== undefined;
  };

  const sourceOf = async (workspace: string) => {
    const known = (await registry.list(workspace)).find((source) => source.kind === "demo");
    const { writeKey } = known ?? (await registry.create(workspace, "Simulated company", "demo", "Fernly"));
    return registry.byKey(writeKey);
  };

  const fill = async (workspace: string, createdAt: string): Promise<void> => {
    const progress = { share: 0 };
    running.set(workspace, progress);
    const source = await sourceOf(workspace);
    const end = Math.floor(Date.parse(createdAt) / dayMs) * dayMs;
    let held: IncomingEvent[] = [];
    let day = 0;
    for (const events of simulate({ seed, end, scale: 1 })) {
      day += 1;
      held.push(...events);
      if (held.length < batchEvents && day < companyDays) continue;
      for (let from = 0; from < held.length; from += batchEvents)
        await ingest.accept(source, held.slice(from, from + batchEvents));
      const written = conversationsIn(held);
      for (let from = 0; from < written.length; from += 1_000)
        await conversations.take(source, { conversations: written.slice(from, from + 1_000) }, true);
      await conversations.take(source, { conversations: interviewsIn(held) }, true);
      held = [];
      progress.share = day / companyDays;
      if ((await rowOf(workspace)) === undefined) return; // removed meanwhile
    }
    await store.updateTable("workspaces").set({ is_demo: full }).where("id", "=", workspace).execute();
  };

  /** Fills in the background; what fails is logged, and begins again when somebody looks at the workspace. */
  const startFilling = (workspace: string, createdAt: string): void => {
    if (running.has(workspace)) return;
    fill(workspace, createdAt)
      .catch((error: unknown) => log.warn({ err: error, workspace }, "the demo workspace was not filled to its end"))
      .finally(() => running.delete(workspace));
  };

  return defineModule({
    name: "demo",
    operations: [
      handle(contract.create, async (call) => {
        if (call.principal.kind !== "member")
          throw new Refusal("access.members_only", "Only a signed-in member can add a workspace.", {}, 403);
        const { id } = call.principal;
        if (await hasDemo(id))
          throw new Refusal("demo.exists", "You have a demo workspace already. Remove it to begin anew.", {}, 409);
        const named = { name: "Fernly (demo)", zone: "UTC", weekStart: "monday", isDemo: true } as const;
        const workspace = await createWorkspace(store, named, id, clock.now());
        await furnish(workspace, id);
        startFilling(workspace, new Date(clock.now()).toISOString());
        return { workspace };
      }),
      handle(contract.status, async ({ workspace }) => {
        const row = await rowOf(workspace.id);
        if (row?.is_demo === full) return { share: 1, complete: true };
        if (row?.is_demo !== filling)
          throw new Refusal("demo.none", "This workspace holds no simulated company.", {}, 404);
        startFilling(workspace.id, row.created_at);
        return { share: running.get(workspace.id)?.share ?? 0, complete: false };
      }),
    ],
  });
};
