import { describe, expect, it } from "vitest";
import { startJobs } from "#kernel/jobs.ts";
import type { Module } from "#kernel/module.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();

describe("jobs", () => {
  it("run when due, once however many processes look, and again after a failure", async () => {
    const runs: string[] = [];
    const module: Module = {
      name: "test",
      jobs: [
        { name: "counts", everyMs: 60_000, run: async (call) => void runs.push(`counts ${call.now}`) },
        {
          name: "fails",
          everyMs: 60_000,
          run: async (call) => {
            runs.push(`fails ${call.now}`);
            throw new Error("it does not work");
          },
        },
      ],
    };
    const { store, directory, log, clock } = world.system;
    log.level = "silent";
    const parts = { modules: [module], store, directory, log, clock, tickMs: 10 };
    world.clock.at = 1_000_000;
    const both = [startJobs(parts), startJobs(parts)];
    await expect.poll(() => runs.length).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(runs.toSorted()).toEqual(["counts 1000000", "fails 1000000"]);
    world.clock.at = 1_060_000;
    await expect.poll(() => runs.length).toBe(4);
    expect(runs.slice(2).toSorted()).toEqual(["counts 1060000", "fails 1060000"]);
    for (const one of both) await one.stop();
    world.clock.at = 9_000_000;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(runs).toHaveLength(4);
    world.clock.at = undefined;
  });

  it("keep their turn for as long as they run, and lose it soon after their process has died", async () => {
    const { store, directory, log, clock } = world.system;
    log.level = "silent";
    const runs: string[] = [];
    let end = (): void => undefined;
    const long = (by: string): Module => ({
      name: by,
      jobs: [{ name: "long", everyMs: 0, run: (call) => new Promise((settle) => {
        runs.push(by);
        call.signal.addEventListener("abort", () => { runs.push(`${by} lost it`); settle(); });
        end = settle;
      }) }],
    }); // prettier-ignore
    const parts = { store, directory, log, clock, tickMs: 10, leaseMs: 1_500 }; // so long that a busy machine renews it in time
    const one = startJobs({ modules: [long("one")], ...parts });
    await expect.poll(() => runs).toEqual(["one"]);
    const other = startJobs({ modules: [long("other")], ...parts });
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    expect(runs, "it is renewed, so nobody else takes it").toEqual(["one"]);
    // as a process that slept: its turn ran out, and another one has taken it
    await store.updateTable("job_turns").set({ busy_until: new Date(0).toISOString() }).where("job", "=", "long").execute(); // prettier-ignore
    await expect.poll(() => runs.toSorted()).toEqual(["one", "one lost it", "other"]);
    end();
    await other.stop();
    await one.stop();
    // as a process that died: nobody gave it back
    await store.updateTable("job_turns").set({ due_at: new Date(0).toISOString(), busy_until: new Date(Date.now() + 300).toISOString() }).where("job", "=", "long").execute(); // prettier-ignore
    const next = startJobs({ modules: [long("next")], ...parts });
    await expect.poll(() => runs.at(-1)).toBe("next");
    end();
    await next.stop();
  });

  it("go on beside one that takes long", async () => {
    const { store, directory, log, clock } = world.system;
    let [shorts, end] = [0, (): void => undefined];
    const module: Module = {
      name: "both",
      jobs: [
        { name: "very long", everyMs: 0, run: () => new Promise((settle) => (end = settle)) },
        { name: "short", everyMs: 0, run: async () => void (shorts += 1) },
      ],
    };
    const jobs = startJobs({ modules: [module], store, directory, log, clock, tickMs: 10 });
    await expect.poll(() => shorts).toBeGreaterThan(3);
    let isStopped = false;
    const stopped = jobs.stop().then(() => (isStopped = true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    // whoever stops waits for what still runs
    expect(isStopped).toBe(false);
    end();
    await stopped;
  });

  it("find the members of cohorts anew", async () => {
    const { store, directory, log, clock, modules } = world.system;
    const source = await world.system.registry.byKey((await world.source("api")).writeKey);
    const definition = { kind: "rule", rule: { type: "did", match: { event: "Opened" } } };
    const { id } = await world.ask<{ id: string }>("cohorts.create", { name: "Openers", definition });
    await world.system.ingest.accept(source, [{ userId: "ana", name: "Opened" }]);
    const jobs = startJobs({ modules, store, directory, log, clock, tickMs: 10 });
    await expect
      .poll(async () => (await world.ask<{ size: number }>("cohorts.get", { id })).size, { timeout: 10_000 })
      .toBe(1);
    await jobs.stop();
  });
});
