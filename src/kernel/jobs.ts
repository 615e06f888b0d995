import type { Logger } from "pino";
import { noVeil } from "./classes.ts";
import type { Clock } from "./clock.ts";
import type { Directory } from "./directory.ts";
import type { Job, Module } from "./module.ts";
import type { Store } from "./state/store.ts";

interface Parts {
  readonly modules: readonly Module[];
  readonly store: Store;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly log: Logger;
  /** How often it is looked what is due. */
  readonly tickMs?: number;
}

/** A run that takes longer has died with its process, and another may begin. */
const longestMs = 3_600_000;

/** Takes a job's turn in a workspace; false where it is not due, or another process has taken it. */
const takeTurn = async (store: Store, job: Job, workspace: string, now: number): Promise<boolean> => {
  const iso = (ms: number): string => new Date(ms).toISOString();
  const turn = { due_at: iso(now + job.everyMs), busy_until: iso(now + longestMs) };
  const taken = await store
    .updateTable("job_turns")
    .set(turn)
    .where("job", "=", job.name)
    .where("workspace", "=", workspace)
    .where("due_at", "<=", iso(now))
    .where("busy_until", "<=", iso(now))
    .executeTakeFirst();
  if (taken.numUpdatedRows > 0n) return true;
  const made = await store
    .insertInto("job_turns")
    .values({ job: job.name, workspace, ...turn })
    .onConflict((conflict) => conflict.columns(["job", "workspace"]).doNothing())
    .executeTakeFirst();
  return (made.numInsertedOrUpdatedRows ?? 0n) > 0n;
};

/** Runs the modules' jobs when they are due, one after another. A job that fails is logged, and tried at its next turn. */
export const startJobs = ({
  modules,
  store,
  directory,
  clock,
  log,
  tickMs = 15_000,
}: Parts): { stop(): Promise<void> } => {
  const jobs = modules.flatMap((module) => module.jobs ?? []);
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();

  const runOne = async (job: Job, workspace: string): Promise<void> => {
    const found = await directory.find(workspace);
    if (found === undefined || !(await takeTurn(store, job, workspace, clock.now()))) return;
    const call = { principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: stopping.signal, log, now: clock.now(), ...found } as const; // prettier-ignore
    await job.run(call).catch((error: unknown) => {
      if (!stopping.signal.aborted) log.error({ err: error, job: job.name, workspace }, "a job failed");
    });
    const busy_until = new Date(clock.now()).toISOString();
    await store
      .updateTable("job_turns")
      .set({ busy_until })
      .where("job", "=", job.name)
      .where("workspace", "=", workspace)
      .execute();
  };

  const tick = async (): Promise<void> => {
    for (const { id } of await directory.all())
      for (const job of jobs) {
        if (stopping.signal.aborted) return;
        // a workspace that cannot be opened does not hold the others up
        await runOne(job, id).catch((error: unknown) => log.error({ err: error, job: job.name, workspace: id }, "a job could not be run")); // prettier-ignore
      }
  };

  const timer = setInterval(() => {
    running = running.then(tick).catch((error: unknown) => log.error({ err: error }, "jobs could not be run"));
  }, tickMs);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      stopping.abort();
      await running;
    },
  };
};
