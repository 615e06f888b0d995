import { z } from "zod";
import type { Engine } from "#kernel/engine/engine.ts";
import type { IdentityChange, IdentityForest, Override } from "#records/people/identity.ts";
import type { Keys } from "#records/people/keys.ts";
import { storable } from "./incoming.ts";
import { placed, type Meta } from "./envelope.ts";
import { receivedBefore } from "./query.ts";
import type { RecentKeys } from "./bloom.ts";

/** How long a message id is remembered. */
export const repeatWindowMs = 7 * 86_400_000;

export interface Entry {
  readonly meta: Meta;
  readonly row: string | undefined;
}

/** What is known of a workspace while its events are being placed. */
export interface Placement {
  readonly engine: Engine;
  readonly keys: Keys;
  readonly forest: IdentityForest;
  readonly recent: RecentKeys;
  /** Raw ids that have been written lately, so that each is not written with every event. */
  readonly written: Set<string>;
}

/** Rows per table, as newline-delimited JSON objects. */
export type Rows = Map<string, string[]>;

/** Servers limit the size of a parameter. */
const lookedUpAtOnce = 5_000;

const seenBefore = async (
  entries: readonly Entry[],
  { engine, recent }: Placement,
  batch: number,
): Promise<Set<string>> => {
  const suspects = entries.flatMap(({ meta }) =>
    meta.m !== undefined && recent.mayHave(BigInt(meta.m)) ? [meta] : [],
  );
  if (suspects.length === 0) return new Set();
  const oldest = Math.min(...suspects.map((meta) => meta.r)) - repeatWindowMs;
  const found: { message: string; last: number }[] = [];
  for (let from = 0; from < suspects.length; from += lookedUpAtOnce) {
    const messages = suspects.slice(from, from + lookedUpAtOnce).map((meta) => meta.m ?? "0");
    const statement = receivedBefore(messages, batch, oldest);
    found.push(
      ...(await engine.rows(statement, z.object({ message: z.string(), last: z.number() }), { purpose: "look-up" })),
    );
  }
  const times = new Map(found.map((row) => [row.message, row.last]));
  const isRepeat = (meta: Meta): boolean => {
    const at = times.get(meta.m ?? "");
    return at !== undefined && at * 1000 >= meta.r - repeatWindowMs;
  };
  return new Set(suspects.filter(isRepeat).map((meta) => meta.m ?? ""));
};

/** Leaves out what was said before: in an earlier batch, or earlier in this one. */
export const withoutRepeats = async (
  entries: readonly Entry[],
  placement: Placement,
  batch: number,
): Promise<Entry[]> => {
  const before = await seenBefore(entries, placement, batch);
  const kept = entries.filter(({ meta }) => {
    if (meta.m === undefined) return true;
    if (before.has(meta.m)) return false;
    before.add(meta.m);
    return true;
  });
  for (const { meta } of kept) if (meta.m !== undefined) placement.recent.add(BigInt(meta.m));
  return kept;
};

const timeText = (ms: number): string => new Date(ms).toISOString();

/**
 * Places entries in order: decides whose they are and writes the rows of every table. Mutates the forest, so it runs
 * once for a batch, however often its rows have to be sent.
 */
export const place = (entries: readonly Entry[], { keys, forest, written }: Placement, batch: number): Rows => {
  const rows: Rows = new Map();
  let step = 0;
  const add = (table: string, row: string): void => {
    const held = rows.get(table);
    if (held === undefined) rows.set(table, [row]);
    else held.push(row);
  };
  // Sequence numbers grow with the batch, so that later decisions win however parts are merged.
  const nextVersion = (): string => String(BigInt(batch) * 1_000_000n + BigInt((step += 1)));

  const note = (actor: string, id: string, kind: "identified" | "anonymous", at: number): void => {
    const mark = `${actor}${kind}`;
    if (written.has(mark)) return;
    if (written.size > 500_000) written.clear();
    written.add(mark);
    add("identities", JSON.stringify({ actor, id: id.toWellFormed(), kind, seen: timeText(at) }));
  };
  const decide = (change: IdentityChange | undefined, overrides: readonly Override[], meta: Meta, by: string): void => {
    if (change === undefined) return;
    const sequence = nextVersion();
    add("identity_log", JSON.stringify({ sequence, ...change, at: timeText(meta.r), by }));
    for (const override of overrides) add("identity_overrides", JSON.stringify({ ...override, version: sequence }));
  };
  const join = (anonymous: string, user: string, meta: Meta): void => {
    const { change, overrides } = forest.link(anonymous, user);
    decide(change, overrides, meta, meta.s);
  };

  /** The key that the event belongs to, after what it says about identity has been taken in. */
  const actorOf = (meta: Meta): string | undefined => {
    const device = meta.d === undefined ? undefined : keys.actor(meta.d);
    if (device !== undefined && meta.d !== undefined) {
      note(device, meta.d, forest.isIdentified(device) ? "identified" : "anonymous", meta.r);
    }
    if (meta.u === undefined) {
      return device === undefined ? undefined : meta.l === 1 ? (forest.lastUser(device) ?? device) : device;
    }
    const user = keys.actor(meta.u);
    forest.identify(user);
    note(user, meta.u, "identified", meta.r);
    if (device !== undefined) join(device, user, meta);
    if (meta.o !== undefined) {
      const earlier = keys.actor(meta.o);
      note(earlier, meta.o, forest.isIdentified(earlier) ? "identified" : "anonymous", meta.r);
      join(earlier, user, meta);
    }
    if (device !== undefined && meta.l === 1 && forest.sawUser(device, user)) {
      add("device_users", JSON.stringify({ device, user, version: nextVersion() }));
    }
    return user;
  };

  const govern = (meta: Meta, [kind, actor, into, by]: NonNullable<Meta["g"]>): void => {
    const { change, overrides } = kind === "merge" ? forest.merge(actor, into) : forest.unlink(actor);
    decide(change, overrides, meta, by);
  };

  for (const { meta, row } of entries) {
    if (meta.g !== undefined) govern(meta, meta.g);
    if (meta.x !== undefined) {
      const [reason, message, body] = meta.x;
      add("dead_letters", JSON.stringify({ received: timeText(meta.r), source: meta.s, reason, message, body }));
    }
    for (const [event, rule, path, keyword, expected, actual, contract, version, action, library, release] of meta.v ??
      []) {
      const about = { received: timeText(meta.r), source: meta.s, event, rule, path, keyword };
      add("violations", storable({ ...about, expected, actual, contract, version, action, library, release }));
    }
    if (meta.q !== undefined) {
      const [id, event, body, breaches] = meta.q;
      const since = timeText(meta.r);
      add("quarantine", storable({ id, received: since, source: meta.s, event, body, breaches, state: "held", changed: since })); // prettier-ignore
    }
    const actor = actorOf(meta);
    for (const [subject, account, op, trait, kind, value, at] of meta.t ?? []) {
      const owner = subject === "person" ? actor : "0";
      if (owner !== undefined)
        add(
          "trait_changes",
          JSON.stringify({
            subject,
            trait,
            actor: owner,
            account,
            at,
            op,
            kind,
            value,
            received: timeText(meta.r),
            source: meta.s,
          }),
        );
    }
    if (row !== undefined && actor !== undefined) add("events", placed(row, actor));
    if (meta.m !== undefined) {
      add("seen_messages", `{"message":"${meta.m}","batch":"${batch}","received":${Math.floor(meta.r / 1000)}}`);
    }
  }
  return rows;
};
