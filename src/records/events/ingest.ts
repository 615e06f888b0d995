import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";
import type { Clock } from "#kernel/clock.ts";
import type { WorkspaceDirectory } from "#kernel/dispatch.ts";
import type { Engine } from "#kernel/engine/engine.ts";
import { Refusal } from "#kernel/refusal.ts";
import { loadForest } from "#records/people/identity.ts";
import { keysOf, type Keys } from "#records/people/keys.ts";
import { place, repeatWindowMs, withoutRepeats, type Entry, type Placement, type Rows } from "./batch.ts";
import { recentKeys } from "./bloom.ts";
import { lineOf, readLine, type BreachRow, type Meta } from "./envelope.ts";
import { openGate, type Breach, type Gate, type Judged } from "./gate.ts";
import {
  correctedTime,
  faultOf,
  maxEventBytes,
  shownText,
  storable,
  type EventSource,
  type Fault,
  type Incoming,
  type IncomingEvent,
  type Rejection,
} from "./incoming.ts";
import { beforeFirstFrame, openJournal, openPosition, type Frame } from "./journal.ts";
import { anyMerges, countIdentities, forgetMessages, rememberedMessages, reloadIdentities } from "./query.ts";
import { valueNotes, type ValueNotes } from "./values.ts";

/** What a caller is told: how many were taken, and what was wrong with the others. */
export interface Acceptance {
  readonly accepted: number;
  readonly rejected: readonly Rejection[];
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
  /** Resolves when the items are on disk. Faulty ones go to the dead letters, the others in. */
  accept(source: EventSource, items: readonly Incoming[], sentAt?: number): Promise<Acceptance>;
  /** An admin's decision about identity, in order with the events. */
  decide(workspace: string, decision: NonNullable<Meta["g"]>): Promise<void>;
  /** Waits until what was acknowledged before this call can be read; false when it takes longer than allowed. */
  caughtUp(timeoutMs: number): Promise<boolean>;
  /** The latest arrivals of a workspace, newest first, and each new one as it comes. */
  recent(workspace: string): readonly Arrival[];
  watch(workspace: string, listener: (arrival: Arrival) => void): () => void;
  /** Who the ids of a workspace belong to. Brings the dictionary that reads use up to date first. */
  freshIdentities(workspace: string): Promise<Identities>;
  /**
   * Lets go of everything that is held besides the store: journal files of what was stored, notes, what is in memory.
   * False where the store is behind, so that some of it is still needed; then it is asked for again.
   */
  letGo(workspace: string): Promise<boolean>;
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
  /** What stands at the door. */
  readonly gate?: Gate;
}

/** How long the store may be behind before it is told to be asked again. */
const letGoMs = 30_000;

const batchBytes = 16 * 1024 * 1024;
const recentKept = 200;

/**
 * Tables in the order in which they are written; the ones of a stage go together. What a replay decides by comes after
 * what it decides: a batch that is replayed from half-way finds its earlier decisions undone, or else already written.
 */
const stages = [
  ["identity_overrides", "trait_changes", "events", "dead_letters", "violations", "quarantine"],
  ["identity_log"],
  ["identities", "device_users", "seen_messages"],
] as const;

/** The tables in the order in which a batch reaches them. Who reads them while events arrive, reads from the end. */
export const writeOrder: readonly string[] = stages.flat();

const openPlacement = async (engine: Engine, secret: string, clock: Clock): Promise<Placement> => {
  const recent = recentKeys(() => clock.now(), repeatWindowMs);
  await engine.command(forgetMessages(clock.now() - repeatWindowMs - 2 * 86_400_000));
  const since = rememberedMessages(clock.now() - repeatWindowMs);
  const rows = await engine.rows(since, z.object({ message: z.string() }), { purpose: "maintain" });
  for (const { message } of rows) recent.add(BigInt(message));
  return { engine, keys: keysOf(secret), forest: await loadForest(engine), recent, written: new Set() };
};

/** Each portion is one block of the engine: stored as a whole or not at all, and known by its token. */
const portionBytes = 4 * 1024 * 1024;
const portionsOf = (rows: readonly string[]): string[][] => {
  const portions: string[][] = [];
  let bytes = portionBytes;
  for (const row of rows) {
    if (bytes + row.length > portionBytes) {
      portions.push([]);
      bytes = 0;
    }
    portions.at(-1)?.push(row);
    bytes += row.length;
  }
  return portions;
};

const isAboutRows = (error: unknown): boolean => error instanceof Refusal && error.code === "engine.bad_rows";

/** What questions need to know of the ids of a workspace. */
export interface Identities {
  /** Whether any id belongs to another id's person. */
  readonly hasMerges: boolean;
  /** About how many ids have acted, as of a minute ago at most. */
  readonly people: number;
}

/** Whose id belongs to whom, as the dictionary of a database has it: reads wait until it holds the latest version. */
interface Merges {
  any: boolean;
  version: number;
  loaded: number;
  loading: Promise<void> | undefined;
  people: number;
  /** People are counted anew from then on. */
  until: number;
}

const countedMs = 60_000;
const tooLarge: Fault = { reason: "event.too_large", message: `An event may have ${maxEventBytes} bytes.` };

/** What sent an event, in the words of the SDKs that we know: library with its version, and version of the app. */
const senderOf = ({ properties = {} }: IncomingEvent): readonly [library: string, release: string] => {
  const text = (...names: readonly string[]): string => {
    const found = names.map((name) => properties[name]).find((value) => typeof value === "string" && value !== "");
    return typeof found === "string" ? found.slice(0, 100) : "";
  };
  const [library, version] = [text("$lib", "mp_lib"), text("$lib_version")];
  return [version === "" ? library : `${library} ${version}`.trim(), text("$app_version", "$app_version_string")];
};

const blocked = (breaches: readonly Breach[]): Fault => ({
  reason: "contract.blocked",
  message: `The event breaks its contract: ${breaches.slice(0, 3).map(({ message }) => message).join(" ")}`.slice(0, 1_000), // prettier-ignore
});

/** One item of a batch on its way to the journal; what is held is no event yet. */
interface Taken {
  /** Absent for one of which nothing may be kept. */
  readonly line: string | undefined;
  readonly fault: Fault | undefined;
  readonly event: IncomingEvent | undefined;
  /** Why it is held, where it is. */
  readonly held?: string;
}

const nothing: Taken = { line: undefined, fault: undefined, event: undefined };

const arrivalOf = (
  source: EventSource,
  received: number,
  event: IncomingEvent | undefined,
  fault: string | null,
): Arrival => ({
  received: new Date(received).toISOString(),
  source: source.id,
  name: event?.name ?? "(person or account)",
  who: event?.userId ?? event?.anonymousId ?? event?.account ?? "",
  fault,
  preview: shownText(event?.properties ?? {}, 500),
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const openIngest = (parts: IngestParts): Ingest => {
  const { directory, clock, log, gate = openGate } = parts;
  mkdirSync(parts.folder, { recursive: true });
  const position = openPosition(join(parts.folder, "position"), parts.fsync);
  // Numbers of frames are tokens in the store: a journal that begins anew must not begin where an earlier one did.
  const frames = join(parts.folder, "frames");
  if (position.current.done === 0) position.save({ done: beforeFirstFrame(frames) ?? Date.now(), batch: undefined });
  const journal = openJournal(frames, parts.fsync, position.current.done);
  journal.release(position.current.done);

  const merges = new Map<string, Promise<Merges>>();
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
      if (!isAboutRows(error)) throw error; // tried again until it passes: nothing that was acknowledged is dropped
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
        source: z.object({ source: z.string() }).safeParse(JSON.parse(rows[0] ?? "null")).data?.source ?? "",
        reason: "store.refused",
        message,
        body: (rows[0] ?? "").slice(0, 32_768),
      };
      await engine.insert("dead_letters", JSON.stringify(letter), { token: `${token}/dead` });
    }
  };

  const mergesOf = (engine: Engine): Promise<Merges> => {
    const held = merges.get(engine.database);
    if (held !== undefined) return held;
    const opened = engine.rows(anyMerges, z.object({ any: z.number() })).then(([row]) => ({
      any: row?.any === 1,
      version: 1,
      loaded: row?.any === 1 ? 0 : 1,
      loading: undefined,
      people: 0,
      until: 0,
    }));
    merges.set(engine.database, opened);
    opened.catch(() => merges.delete(engine.database));
    return opened;
  };

  const reload = async (engine: Engine, state: Merges): Promise<void> => {
    const { version } = state;
    await engine.command(reloadIdentities);
    state.loaded = version;
  };

  const write = async (engine: Engine, rows: Rows, token: string): Promise<void> => {
    for (const stage of stages) {
      const filled = stage.filter((table) => rows.has(table));
      await Promise.all(
        filled.flatMap((table) =>
          portionsOf(rows.get(table) ?? []).map((portion, n) =>
            insertOrDivide(engine, table, portion, `${token}-${table}-${n}`),
          ),
        ),
      );
      if (filled.includes("identity_overrides")) {
        const state = await mergesOf(engine);
        Object.assign(state, { any: true, version: state.version + 1 });
      }
    }
  };

  const untilDone = async (work: () => Promise<void>): Promise<void> => {
    for (let wait = 50; ; wait = Math.min(wait * 2, 2_000)) {
      try {
        return await work();
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
    stats.failing = undefined;
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

  /** Hints for typing; best effort, since they can be had again from the events. One writes at a time. */
  let noting: Promise<void> = Promise.resolve();
  const flushNotes = (): Promise<void> => (noting = noting.then(writeNotes));
  const writeNotes = async (): Promise<void> => {
    for (const [workspace, lines] of notes.take()) {
      const placement = await placementOf(workspace).catch(() => undefined);
      await placement?.engine.insert("property_values", lines.join("\n")).catch((error: unknown) => {
        log.warn({ err: error }, "hints for typing were not stored");
      });
    }
  };

  /** The loop never ends by an error (a full disk, say): it says so, forgets what it held in memory and goes on. */
  const keepGoing = async (): Promise<void> => {
    while (!closing) {
      try {
        await loop();
      } catch (error) {
        if (closing) return;
        stats.failing = error instanceof Error ? error.message : String(error);
        log.error({ err: error }, "storing what arrives was interrupted; trying again");
        placements.clear();
        await pause(1_000);
      }
    }
  };
  const running = keepGoing();

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

  const caughtUp = async (timeoutMs: number): Promise<boolean> => {
    const sequence = journal.last;
    if (position.current.done >= sequence) return true;
    const arrived = new Promise<boolean>((resolve) => waiters.push({ sequence, resolve: () => resolve(true) }));
    return Promise.race([arrived, pause(timeoutMs).then(() => false)]);
  };

  const forget = (workspace: string): void => {
    placements.delete(workspace);
    keysByWorkspace.delete(workspace);
    arrivals.delete(workspace);
    merges.clear();
  };

  const deadLetter = (source: EventSource, received: number, fault: Fault, body: unknown, v?: readonly BreachRow[]): string => {
    const letter = [fault.reason, fault.message, gate.mask(shownText(body, 32_768))] as const;
    return storable({ w: source.workspace, r: received, s: source.id, x: letter, v } satisfies Meta);
  }; // prettier-ignore

  const refused = (source: EventSource, received: number, fault: Fault, event: IncomingEvent, rows?: readonly BreachRow[]): Taken => ({
    line: deadLetter(source, received, fault, event, rows),
    fault,
    event,
  }); // prettier-ignore

  /** The journal line of an event that has been judged. */
  const taken = (
    source: EventSource,
    keys: Keys,
    received: number,
    sentAt: number | undefined,
    judged: Judged,
  ): Taken => {
    const { event, action, breaches, contract, version } = judged;
    const sender = breaches.length === 0 ? (["", ""] as const) : senderOf(event);
    const rows = breaches.map(({ rule, path, keyword, expected, actualType }): BreachRow => [event.name ?? "", rule, path, keyword, expected, actualType, contract, version, action, ...sender]); // prettier-ignore
    if (action === "drop") return nothing;
    if (action === "block") return refused(source, received, blocked(breaches), event, rows);
    if (action === "quarantine") {
      // one that has no id is given one, so that it counts once however often it is sent on
      const { messageId = `held-${randomBytes(12).toString("hex")}` } = event;
      const body = storable({ ...event, messageId, at: correctedTime(event.at, sentAt, received) });
      if (body.length > maxEventBytes) return refused(source, received, tooLarge, event);
      const held = [keys.message(messageId), event.name ?? "", body, JSON.stringify(breaches)] as const;
      const meta: Meta = { w: source.workspace, r: received, s: source.id, v: rows, q: held };
      return { line: storable(meta), fault: undefined, event, held: `Held: ${breaches[0]?.message ?? ""}` };
    }
    const line = lineOf(event, source, keys, received, sentAt, rows);
    return line.length > maxEventBytes ? refused(source, received, tooLarge, event) : { line, fault: undefined, event };
  };

  return {
    accept: async (source, items, sentAt) => {
      const received = clock.now();
      const keys = await keysFor(source.workspace);
      const { judge, isSuppressed } = await gate.judgeOf(source);
      const read = items.map((item): Taken => {
        if ("fault" in item) {
          return { line: deadLetter(source, received, item.fault, item.body), fault: item.fault, event: undefined };
        }
        if (isSuppressed(item)) return nothing;
        const shape = faultOf(item);
        if (shape !== undefined) return refused(source, received, shape, item);
        return taken(source, keys, received, sentAt, judge(item));
      });
      const lines = read.flatMap(({ line }) => (line === undefined ? [] : [line]));
      if (lines.length > 0) await append(lines);
      for (const { event, fault, held } of read) {
        if (event !== undefined && fault === undefined && held === undefined)
          notes.note(source.workspace, event, received);
      }
      // a big batch need not fill the live view
      for (const { line, event, fault, held } of read.slice(0, 50)) {
        if (line !== undefined)
          announce(source.workspace, arrivalOf(source, received, event, fault?.message ?? held ?? null));
      }
      const rejected = read.flatMap(({ fault }, index): Rejection[] =>
        fault === undefined ? [] : [{ index, ...fault }],
      );
      const accepted = read.length - rejected.length;
      stats.accepted += accepted;
      stats.rejected += rejected.length;
      return { accepted, rejected };
    },
    decide: (workspace, decision) =>
      append([storable({ w: workspace, r: clock.now(), s: "", g: decision } satisfies Meta)]),
    caughtUp,
    freshIdentities: async (workspace) => {
      const found = await directory.find(workspace);
      if (found === undefined) return { hasMerges: false, people: 0 };
      const state = await mergesOf(found.engine);
      if (clock.now() >= state.until) {
        state.until = clock.now() + countedMs;
        const [row] = await found.engine.rows(countIdentities, z.object({ people: z.number() }));
        state.people = row?.people ?? 0;
      }
      while (state.loaded < state.version) {
        state.loading ??= reload(found.engine, state).finally(() => {
          state.loading = undefined;
        });
        await state.loading;
      }
      return { hasMerges: state.any, people: state.people };
    },
    recent: (workspace) => arrivals.get(workspace) ?? [],
    watch: (workspace, listener) => {
      const held = listeners.get(workspace) ?? new Set();
      held.add(listener);
      listeners.set(workspace, held);
      return () => held.delete(listener);
    },
    letGo: async (workspace) => {
      if (!(await caughtUp(letGoMs))) return false;
      const isGone = journal.renew();
      // what came in meanwhile lies in the file before
      if (!(await caughtUp(letGoMs))) return false;
      journal.release(position.current.done);
      if (!isGone()) return false;
      await flushNotes();
      notes.forget();
      forget(workspace);
      const found = await directory.find(workspace);
      if (found !== undefined) await found.engine.command(reloadIdentities);
      return true;
    },
    forget,
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
