import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { listen, type RunningServer } from "#app/server.ts";
import { openSystem, type System } from "#app/system.ts";
import type { Clock } from "#kernel/clock.ts";
import { readConfig } from "#kernel/config.ts";
import { createWorkspace } from "#programs/workspaces/create.ts";
import type { SourceKind, SourceRow } from "#records/sources/registry.ts";

/** The whole program on a port, in a folder of its own, with one workspace and its owner signed in. */
export interface World {
  system: System;
  server: RunningServer;
  url: string;
  folder: string;
  workspace: string;
  owner: { email: string; password: string; cookie: string };
  clock: { now: () => number; at: number | undefined };
  source(kind?: SourceKind, workspace?: string): Promise<SourceRow>;
  newWorkspace(options?: { zone?: string; weekStart?: "monday" | "sunday" }): Promise<string>;
  /** Asks an operation as the owner. */
  ask<T = unknown>(operation: string, input: unknown, workspace?: string): Promise<T>;
  /** Waits until everything acknowledged can be read. */
  settled(): Promise<void>;
}

export const startWorld = async (overrides: Record<string, unknown> = {}): Promise<World> => {
  const folder = mkdtempSync(join(tmpdir(), "throughline-world-"));
  const clock: Clock & { at: number | undefined } = { at: undefined, now: () => clock.at ?? Date.now() };
  const config = readConfig(process.env, {
    data: folder,
    port: 0,
    log_level: "error",
    engine_memory: 3e9,
    ...overrides,
  });
  const system = await openSystem(config, clock);
  const server = await listen(system);
  const owner = { email: "ana@example.com", password: "correct horse battery" };
  const member = await system.access.createMember(owner.email, "Ana", owner.password);
  const newWorkspace: World["newWorkspace"] = (options = {}) =>
    createWorkspace(
      system.store,
      { name: "Acme", zone: options.zone ?? "UTC", weekStart: options.weekStart ?? "monday" },
      member,
      Date.now(),
    );
  const workspace = await newWorkspace();
  const session = await system.access.signIn(owner.email, owner.password);
  const principal = await system.access.fromSession(session);
  return {
    system,
    server,
    url: server.url.replace("localhost", "127.0.0.1"),
    folder,
    workspace,
    owner: { ...owner, cookie: `throughline_session=${session}` },
    clock,
    source: (kind = "api", into = workspace) => system.registry.create(into, kind, kind, ""),
    newWorkspace,
    ask: async <T>(operation: string, input: unknown, into = workspace) =>
      (await system.dispatch({ operation, input, principal, workspace: into })) as T,
    settled: async () => {
      if (!(await system.ingest.caughtUp(30_000))) throw new Error("events did not settle in 30 s");
    },
  };
};

export const stopWorld = async (world: World): Promise<void> => {
  await world.server.http.close();
  await world.system.close();
  rmSync(world.folder, { recursive: true, force: true });
};

/** A world for one test file. */
export const useWorld = (overrides?: Record<string, unknown>): World => {
  const held = {} as World;
  beforeAll(async () => {
    Object.assign(held, await startWorld(overrides));
  });
  afterAll(() => stopWorld(held));
  return held;
};
