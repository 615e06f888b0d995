import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";
import type { Clock } from "#kernel/clock.ts";
import type { WorkspaceDirectory } from "#kernel/dispatch.ts";
import type { Engine } from "#kernel/engine/engine.ts";
import { Refusal } from "#kernel/refusal.ts";
import { bind, sql } from "#kernel/sql.ts";
import { loadForest } from "#records/people/identity.ts";
import { keysOf } from "#records/people/keys.ts";
import { place, repeatWindowMs, withoutRepeats, type Entry, type Placement, type Rows } from "./batch.ts";
import { recentKeys } from "./bloom.ts";
import { lineOf, readLine, type Meta } from "./envelope.ts";
import {
  faultOf,
  maxEventBytes,
  shownText,
  storable,
  type EventSource,
  type IncomingEvent,
  type Rejection,
} from "./incoming.ts";
import { openJournal, openPosition, type Frame } from "./journal.ts";
import { valueNotes, type ValueNotes } from "./values.ts";

/** What a caller is told: how many were taken, and what was wrong with the others. */
export interface Acceptance {
  readonly accepted: number;
  readonly rejected: readonly Rejection[];
}

/** An event that could not even be decoded, with the reason and what came. */
export interface Undecodable extends Rejection {
  readonly body: unknown;
}

/** One arrival, as the live view shows it. */
export interface Arrival {
  readonly received: string;
  readonly source: string;
  readonly name: string;
  readonly who: string;
  readonly fault: string | null;
  readonly preview: string;
}

/** The way in for everything that is said about customers. */
export interface Ingest {
  /** Resolves when the events are on disk. Faulty events go to the dead letters, the others in. */
  accept(
    source: EventSource,
    events: readonly IncomingEvent[],
    undecodable?: readonly Undecodable[],
    sentAt?: number,
  ): Promise<Acceptance>;
  /** An admin's decision about identity, in order with the events. */
  decide(workspace: string, decision: NonNullable<Meta["g"]>): Promise<void>;
  /** Waits until what was acknowledged before this call can be read; false when it takes longer than allowed. */
  caughtUp(timeoutMs: number): Promise<boolean>;
  /** The latest arrivals of a workspace, newest first, and each new one as it comes. */
  recent(workspace: string): readonly Arrival[];
  watch(workspace: string, listener: (arrival: Arrival) => void): () => void;
  /** Whether any id belongs to another id's person. Brings the dictionary that reads use up to date first. */
  freshIdentities(workspace: string): Promise<boolean>;
  /** Forgets what is held in memory of a workspace (it was removed, or rebuilt). */
  forget(workspace: string): void;
  readonly stats: {
    accepted: number;
    rejected: number;
    repeats: number;
    backlogBytes: number;
    failing: string | undefined;
  };
  close(): Promise<void>;
}

interface IngestParts {
  readonly folder: string;
  readonly fsync: boolean;
  readonly backlogLimit: number;
  readonly directory: WorkspaceDirectory;
  readonly clock: Clock;
  readonly log: Logger;
}

const batchBytes = 16 * 1024 * 1024;
const recentKept = 200;

/** Tables in the order in which they are written; the ones of a stage go together. What a replay decides by comes last. */
const stages = [
  ["identities", "identity_log", "identity_overrides", "trait_changes", "events", "dead_letters"],
  ["device_users", "seen_messages"],
] as const;

const openPlacement = async (engine: Engine, secret: string, clock: Clock): Promise<Placement> => {
  const recent = recentKeys(() => clock.now(), repeatWindowMs);
  // by our clock rather than by a TTL, so that a batch that is replayed late still finds what it must compare with
  await engine.command(
    sql`ALTER TABLE seen_messages DELETE WHERE received < ${bind.time(clock.now() - repeatWindowMs - 2 * 86_400_000)}`,
  );
  const since = sql`SELECT DISTINCT toString(message) AS message FROM seen_messages
    WHERE received >= ${bind.time(clock.now() - repeatWindowMs)}`;
  const rows = await engine.rows(since, z.object({ message: z.string() }), { purpose: "maintain" });
  for (const { message } of rows) recent.add(BigInt(message));
  return { engine, keys: keysOf(secret), forest: await loadForest(engine), recent, written: new Set() };
};

/** Errors that pass by themselves: the store is away or full. Everything else is about the rows. */
const passes = (error: unknown): boolean => error instanceof Refusal && error.status === 503;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const openIngest = (parts: IngestParts): Ingest => {
  const { directory, clock, log } = parts;
  mkdirSync(parts.folder, { recursive: true });
  const position = openPosition(join(parts.folder, "position"), parts.fsync);
  // Numbers of frames are tokens in the store: a journal that begins anew must not begin where an earlier one did.
  if (position.current.done === 0) position.save({ done: Date.now(), batch: undefined });
  const journal = openJournal(join(parts.folder, "frames"), parts.fsync, position.current.done);
  journal.release(position.current.done);

  const merged = new Map<string, { any: boolean; stale: boolean }>();
  const placements = new Map<string, Promise<Placement | undefined>>();
  const keysByWorkspace = new Map<string, ReturnType<typeof keysOf>>();
  const notes: ValueNotes = valueNotes();
  const arrivals = new Map<string, Arrival[]>();
  const listeners = new Map<string, Set<(arrival: Arrival) => void>>();
  const stats = { accepted: 0, rejected: 0, repeats: 0, failing: undefined as string | undefined };
  let waiters: { sequence: number; resolve: () => void }[] = [];
  let wake: (() => void) | undefined;
  let closing = false;

  const placementOf = (workspace: string): Promise<Placement | undefined> => {
    const held = placements.get(workspace);
    if (held !== undefined) return held;
    const opened = directory
      .find(workspace)
      .then((found) => (found === undefined ? undefined : openPlacement(found.engine, found.workspace.secret, clock)));
    placements.set(workspace, opened);
    opened.catch(() => placements.delete(workspace));
    return opened;
  };

  const keysFor = async (workspace: string) => {
    const held = keysByWorkspace.get(workspace);
    if (held !== undefined) return held;
    const found = await directory.find(workspace);
    if (found === undefined) throw new Refusal("access.no_workspace", "This workspace is gone.", {}, 404);
    const keys = keysOf(found.workspace.secret);
    keysByWorkspace.set(workspace, keys);
    return keys;
  };

  /** Rows that the store will not take are halved until the faulty one is found; that one becomes a dead letter. */
  const insertOrDivide = async (
    engine: Engine,
    table: string,
    rows: readonly string[],
    token: string,
  ): Promise<void> => {
    try {
      await engine.insert(table, rows.join("\n"), { token });
    } catch (error) {
      if (passes(error)) throw error;
      if (rows.length > 1) {
        const middle = rows.length >> 1;
        await insertOrDivide(engine, table, rows.slice(0, middle), `${token}/0`);
        await insertOrDivide(engine, table, rows.slice(middle), `${token}/1`);
        return;
      }
      log.error({ err: error, table }, "the store refused a row; it is kept as a dead letter");
      if (table === "dead_letters") return;
      const message = error instanceof Error ? error.message.slice(0, 1_000) : "";
      const letter = {
        received: new Date(clock.now()).toISOString(),
        source: "",
        reason: "store.refused",
        message,
        body: rows[0],
      };
      await engine.insert("dead_letters", JSON.stringify(letter), { token: `${token}/dead` });
    }
  };

  const write = async (engine: Engine, rows: Rows, token: string): Promise<void> => {
    for (const stage of stages) {
      const filled = stage.filter((table) => rows.has(table));
      await Promise.all(
        filled.map((table) => insertOrDivide(engine, table, rows.get(table) ?? [], `${token}-${table}`)),
      );
    }
    if (rows.has("identity_overrides")) merged.set(engine.database, { any: true, stale: true });
  };

  const identitiesOf = async (engine: Engine): Promise<{ any: boolean; stale: boolean }> => {
    const held = merged.get(engine.database);
    if (held !== undefined) return held;
    const [row] = await engine.rows(
      sql`SELECT toInt32(count() > 0) AS any FROM identity_overrides`,
      z.object({ any: z.number() }),
    );
    const state = { any: row?.any === 1, stale: row?.any === 1 };
    merged.set(engine.database, state);
    return state;
  };

  const untilDone = async (work: () => Promise<void>): Promise<void> => {
    for (let wait = 50; ; wait = Math.min(wait * 2, 2_000)) {
      try {
        await work();
        stats.failing = undefined;
        return;
      } catch (error) {
        if (closing) throw error;
        stats.failing = error instanceof Error ? error.message : String(error);
        log.warn({ err: error }, "a batch could not be stored yet; trying again");
        await pause(wait);
      }
    }
  };

  const process = async (frames: readonly Frame[]): Promise<void> => {
    const [from, to] = [frames[0]?.sequence ?? 0, frames.at(-1)?.sequence ?? 0];
    position.save({ done: position.current.done, batch: [from, to] });
    const groups = new Map<string, Entry[]>();
    for (const line of frames.flatMap((frame) => frame.lines)) {
      const entry = readLine(line);
      const group = groups.get(entry.meta.w);
      if (group === undefined) groups.set(entry.meta.w, [entry]);
      else group.push(entry);
    }
    for (const [workspace, entries] of groups) {
      let rows: Rows | undefined;
      await untilDone(async () => {
        const placement = await placementOf(workspace);
        if (placement === undefined) return log.warn({ workspace }, "events of a removed workspace were dropped");
        if (rows === undefined) {
          const fresh = await withoutRepeats(entries, placement, from);
          stats.repeats += entries.length - fresh.length;
          rows = place(fresh, placement, from);
        }
        await write(placement.engine, rows, `${from}-${to}`);
      });
    }
    position.save({ done: to, batch: undefined });
    journal.release(to);
  };

  /** The frames to work on next: after a crash first the batch that was under way, exactly as it was. */
  const nextFrames = (): readonly Frame[] => {
    const { done, batch } = position.current;
    const frames = journal.read(done, batch === undefined ? batchBytes : Number.MAX_SAFE_INTEGER);
    return batch === undefined ? frames : frames.filter((frame) => frame.sequence <= batch[1]);
  };

  const loop = async (): Promise<void> => {
    while (!closing) {
      const frames = nextFrames();
      if (frames.length === 0) {
        if (position.current.batch !== undefined) position.save({ done: position.current.done, batch: undefined });
        await flushNotes();
        const { done } = position.current;
        if (journal.last > done) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      await process(frames);
      const { done } = position.current;
      for (const waiter of waiters) if (waiter.sequence <= done) waiter.resolve();
      waiters = waiters.filter((waiter) => waiter.sequence > done);
    }
  };

  /** Hints for typing; best effort, since they can be had again from the events. */
  const flushNotes = async (): Promise<void> => {
    for (const [workspace, lines] of notes.take()) {
      const placement = await placementOf(workspace).catch(() => undefined);
      await placement?.engine.insert("property_values", lines.join("\n")).catch((error: unknown) => {
        log.warn({ err: error }, "hints for typing were not stored");
      });
    }
  };

  const running = loop().catch((error: unknown) => {
    if (!closing) log.fatal({ err: error }, "the ingest loop ended");
  });

  const announce = (workspace: string, arrival: Arrival): void => {
    const held = arrivals.get(workspace) ?? [];
    held.unshift(arrival);
    held.length = Math.min(held.length, recentKept);
    arrivals.set(workspace, held);
    for (const listener of listeners.get(workspace) ?? []) listener(arrival);
  };

  const append = async (lines: readonly string[]): Promise<void> => {
    if (closing) throw new Refusal("ingest.stopping", "The server is stopping. Send this again.", {}, 503);
    if (journal.backlogBytes > parts.backlogLimit) {
      throw new Refusal("ingest.overloaded", "More is arriving than can be stored. Send this again later.", {}, 503);
    }
    try {
      await journal.append(lines);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      log.error({ err: error }, "the journal could not be written");
      if (code !== "ENOSPC" && code !== "EDQUOT" && code !== "EFBIG") throw error;
      throw new Refusal(
        "ingest.disk_full",
        "The disk is full: nothing of this was stored. Send it again later.",
        {},
        503,
      );
    }
    wake?.();
  };

  const deadLetter = (
    source: EventSource,
    received: number,
    fault: Omit<Rejection, "index">,
    body: unknown,
  ): string => {
    const letter = [fault.reason, fault.message, shownText(body, 32_768)] as const;
    return storable({ w: source.workspace, r: received, s: source.id, x: letter } satisfies Meta);
  };

  return {
    accept: async (source, events, undecodable = [], sentAt) => {
      const received = clock.now();
      const keys = await keysFor(source.workspace);
      const rejected: Rejection[] = undecodable.map(({ index, reason, message }) => ({ index, reason, message }));
      const lines = undecodable.map((item) => deadLetter(source, received, item, item.body));
      const shown: Arrival[] = [];
      const arrival = (event: IncomingEvent | undefined, fault: string | null): void => {
        if (shown.length >= 50) return; // a big batch need not fill the live view
        const who = event?.userId ?? event?.anonymousId ?? event?.account ?? "";
        const preview = shownText(event?.properties ?? {}, 500);
        shown.push({
          received: new Date(received).toISOString(),
          source: source.id,
          name: event?.name ?? "(person or account)",
          who,
          fault,
          preview,
        });
      };
      for (const item of undecodable) arrival(undefined, item.message);
      events.forEach((event, index) => {
        const fault = faultOf(event);
        const line = fault === undefined ? lineOf(event, source, keys, received, sentAt) : "";
        const tooLong = line.length > maxEventBytes;
        const problem = tooLong
          ? { reason: "event.too_large", message: `An event may have ${maxEventBytes} bytes.` }
          : fault;
        if (problem !== undefined) {
          rejected.push({ index, ...problem });
          lines.push(deadLetter(source, received, problem, event));
        } else {
          lines.push(line);
          notes.note(source.workspace, event, received);
        }
        arrival(event, problem?.message ?? null);
      });
      if (lines.length > 0) await append(lines);
      for (const item of shown) announce(source.workspace, item);
      const accepted = lines.length - rejected.length;
      stats.accepted += accepted;
      stats.rejected += rejected.length;
      return { accepted, rejected };
    },
    decide: (workspace, decision) =>
      append([storable({ w: workspace, r: clock.now(), s: "", g: decision } satisfies Meta)]),
    caughtUp: async (timeoutMs) => {
      const sequence = journal.last;
      if (position.current.done >= sequence) return true;
      const arrived = new Promise<boolean>((resolve) => waiters.push({ sequence, resolve: () => resolve(true) }));
      return Promise.race([arrived, pause(timeoutMs).then(() => false)]);
    },
    freshIdentities: async (workspace) => {
      const found = await directory.find(workspace);
      if (found === undefined) return false;
      const state = await identitiesOf(found.engine);
      if (!state.stale) return state.any;
      state.stale = false; // before the reload: what is merged meanwhile makes it stale again
      try {
        await found.engine.command(sql`SYSTEM RELOAD DICTIONARY identity_of`);
      } catch (error) {
        state.stale = true;
        throw error;
      }
      return state.any;
    },
    recent: (workspace) => arrivals.get(workspace) ?? [],
    watch: (workspace, listener) => {
      const held = listeners.get(workspace) ?? new Set();
      held.add(listener);
      listeners.set(workspace, held);
      return () => held.delete(listener);
    },
    forget: (workspace) => {
      placements.delete(workspace);
      keysByWorkspace.delete(workspace);
      arrivals.delete(workspace);
      merged.clear();
    },
    get stats() {
      return { ...stats, backlogBytes: journal.backlogBytes };
    },
    close: async () => {
      closing = true;
      wake?.();
      await Promise.race([running, pause(10_000)]);
      await journal.close();
      position.close();
    },
  };
};
