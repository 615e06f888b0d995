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
  /** How long a turn is held without being renewed: what died with its process begins again so soon. */
  readonly leaseMs?: number;
}

interface Turn {
  readonly job: string;
  readonly workspace: string;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Takes a job's turn in a workspace until `busy_until`; false where it is not due, or another process has taken it. */
const takeTurn = async (store: Store, { job, workspace }: Turn, everyMs: number, now: number, busy_until: string): Promise<boolean> => {
  const turn = { due_at: iso(now + everyMs), busy_until };
  const taken = await store
    .updateTable("job_turns")
    .set(turn)
    .where("job", "=", job)
    .where("workspace", "=", workspace)
    .where("due_at", "<=", iso(now))
    .where("busy_until", "<=", iso(now))
    .executeTakeFirst();
  if (taken.numUpdatedRows > 0n) return true;
  const made = await store
    .insertInto("job_turns")
    .values({ job, workspace, ...turn })
    .onConflict((conflict) => conflict.columns(["job", "workspace"]).doNothing())
    .executeTakeFirst();
  return (made.numInsertedOrUpdatedRows ?? 0n) > 0n;
}; // prettier-ignore

/** A turn that was taken, for as long as it is renewed. */
const holdTurn = (store: Store, { job, workspace }: Turn, clock: Clock, leaseMs: number, until: string) => {
  const lost = new AbortController();
  let held = until;
  let renewing: Promise<void> = Promise.resolve();
  /** Writes down until when it is held; whoever finds another time there has lost it. */
  const move = async (to: string): Promise<void> => {
    const { numUpdatedRows } = await store.updateTable("job_turns").set({ busy_until: to }).where("job", "=", job).where("workspace", "=", workspace).where("busy_until", "=", held).executeTakeFirst(); // prettier-ignore
    if (numUpdatedRows === 0n) lost.abort(new Error("another process has taken this turn"));
    else held = to;
  };
  const timer = setInterval(() => {
    // one that cannot be renewed now is tried again, and runs out where it never can
    renewing = renewing.then(() => move(iso(clock.now() + leaseMs))).catch(() => undefined);
  }, leaseMs / 3);
  timer.unref();
  return {
    lost: lost.signal,
    giveBack: async (): Promise<void> => {
      clearInterval(timer);
      await renewing;
      if (!lost.signal.aborted) await move(iso(clock.now()));
    },
  };
};

/** So many jobs run at the same time. */
const atOnce = 4;

/** Runs the modules' jobs when they are due, a few at a time. A job that fails is logged, and tried at its next turn. */
export const startJobs = ({
  modules,
  store,
  directory,
  clock,
  log,
  tickMs = 15_000,
  leaseMs = 60_000,
}: Parts): { stop(): Promise<void> } => {
  const jobs = modules.flatMap((module) => module.jobs ?? []);
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();

  const runOne = async (job: Job, workspace: string): Promise<void> => {
    const found = await directory.find(workspace);
    const turn = { job: job.name, workspace };
    const until = iso(clock.now() + leaseMs);
    if (found === undefined || !(await takeTurn(store, turn, job.everyMs, clock.now(), until))) return;
    const held = holdTurn(store, turn, clock, leaseMs, until);
    const signal = AbortSignal.any([stopping.signal, held.lost]);
    const call = { principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal, log, now: clock.now(), ...found } as const; // prettier-ignore
    await job.run(call).catch((error: unknown) => {
      if (!stopping.signal.aborted) log.error({ err: error, job: job.name, workspace }, "a job failed");
    });
    await held.giveBack();
  };

  /** What runs now, by job and workspace: what takes long holds nothing else up. */
  const active = new Map<string, Promise<void>>();
  const tick = async (): Promise<void> => {
    for (const { id } of await directory.all())
      for (const job of jobs) {
        const key = `${job.name} ${id}`;
        if (active.has(key)) continue;
        while (active.size >= atOnce && !stopping.signal.aborted) await Promise.race(active.values());
        if (stopping.signal.aborted) return;
        // a workspace that cannot be opened does not hold the others up
        const run = runOne(job, id)
          .catch((error: unknown) => log.error({ err: error, job: job.name, workspace: id }, "a job could not be run"))
          .finally(() => active.delete(key));
        active.set(key, run);
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
      await Promise.all(active.values());
    },
  };
};
