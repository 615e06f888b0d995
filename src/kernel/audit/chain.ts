import { createHash, sign, verify, type KeyObject } from "node:crypto";
import { z } from "zod";

/**
 * The chain of a workspace's log. Each entry holds the hash of the one before it, so that none can be changed, dropped
 * or moved unseen; the end of the chain, and a checkpoint of it every hour, are signed with Ed25519. Who holds the
 * signing key can write another history: checkpoints that are kept elsewhere show that too.
 */

export const Entry = z.object({
  workspace: z.string(),
  /** From 1, without gaps. */
  seq: z.number(),
  /** ISO 8601, UTC. */
  at: z.string(),
  actor_kind: z.string(),
  actor: z.string(),
  action: z.string(),
  /** `allow` before it is done, `deny`, or `failed` after. */
  decision: z.string(),
  reason: z.string(),
  /** What was asked for, as JSON. It may be erased: the chain holds its salted hash, not the text. */
  detail: z.string().nullable(),
  salt: z.string().nullable(),
  detail_hash: z.string(),
  prev: z.string(),
  hash: z.string(),
});
export type Entry = z.output<typeof Entry>;

/** The signed end of a chain. `signature` is empty in one that was made before there were signatures. */
export const Head = z.object({ workspace: z.string(), seq: z.number(), hash: z.string(), key: z.string(), signature: z.string() }); // prettier-ignore
export type Head = z.output<typeof Head>;

/** What the chain was at a time, signed; written every hour, also where nothing happened. */
export const Checkpoint = z.object({
  workspace: z.string(),
  n: z.number(),
  at: z.string(),
  /** Entries so far, and the hash of the last. */
  seq: z.number(),
  head: z.string(),
  prev: z.string(),
  key: z.string(),
  hash: z.string(),
  signature: z.string(),
});
export type Checkpoint = z.output<typeof Checkpoint>;

/** What stands before the first. */
export const origin = "0".repeat(64);

const sha256 = (text: string): string => createHash("sha256").update("\0").update(text).digest("hex");

export const detailHash = (salt: string, detail: string): string => sha256(`${salt}\n${detail}`);

/** SHA-256 over 0x00 and the fields as a JSON list, in this order. */
export const entryHash = (entry: Omit<Entry, "hash" | "detail" | "salt">): string =>
  sha256(JSON.stringify([1, entry.workspace, entry.seq, entry.at, entry.actor_kind, entry.actor, entry.action, entry.decision, entry.reason, entry.detail_hash, entry.prev])); // prettier-ignore

export const checkpointHash = (point: Omit<Checkpoint, "hash" | "signature">): string =>
  sha256(JSON.stringify(["checkpoint", 1, point.workspace, point.n, point.at, point.seq, point.head, point.prev, point.key])); // prettier-ignore

/** What is signed of the end of a chain. */
export const headText = ({ workspace, seq, hash }: Pick<Head, "workspace" | "seq" | "hash">): string =>
  JSON.stringify(["head", 1, workspace, seq, hash]);

export const signed = (text: string, key: KeyObject): string => sign(null, Buffer.from(text), key).toString("base64");

/** The name of a key: the first 16 digits of the SHA-256 of its public half (SPKI, DER). */
export const keyName = (key: KeyObject): string =>
  createHash("sha256").update(key.export({ type: "spki", format: "der" })).digest("hex").slice(0, 16); // prettier-ignore

export interface Verdict {
  /** `unknown` where it cannot be told: signed with a key that is not given. */
  readonly state: "intact" | "broken" | "unknown";
  /** Entries that were looked at, and checkpoints. */
  readonly entries: number;
  readonly checkpoints: number;
  readonly lastCheckpoint: string | null;
  /** Number of the first entry that is not as it was written, or that is gone. */
  readonly firstBad: number | null;
  /** What was found, in a sentence. */
  readonly message: string;
}

export interface Chain {
  readonly entries: AsyncIterable<Entry> | Iterable<Entry>;
  readonly checkpoints: readonly Checkpoint[];
  readonly head: Head | undefined;
  /** Public halves of the keys that are trusted, by name. */
  readonly keys: ReadonlyMap<string, KeyObject>;
}

export const isSigned = (text: string, signature: string, key: KeyObject): boolean => {
  try {
    return verify(null, Buffer.from(text), key, Buffer.from(signature, "base64"));
  } catch {
    return false;
  }
};

interface Found {
  readonly firstBad: number;
  readonly message: string;
}

/** What is wrong with the checkpoints themselves, and up to which entry they are good. */
const checkpointFault = (points: readonly Checkpoint[], keys: Chain["keys"]): Found | undefined => {
  let [n, before, prev, good] = [0, origin, origin, 0];
  for (const point of points) {
    const key = keys.get(point.key);
    // what is written elsewhere may be written once more, where the server ended before it had kept it itself
    const isRepeat = n > 0 && point.n === n && point.prev === before;
    const isRight =
      (isRepeat || (point.n === n + 1 && point.prev === prev)) &&
      point.hash === checkpointHash(point) &&
      point.seq >= good &&
      (key === undefined || isSigned(point.hash, point.signature, key));
    if (!isRight)
      return {
        firstBad: good + 1,
        message: `Checkpoint ${isRepeat ? n : n + 1} is not as it was signed, or one is missing.`,
      };
    [n, before, prev, good] = [point.n, isRepeat ? before : prev, point.hash, point.seq];
  }
  return undefined;
};

/** Walks a chain from its beginning and says whether it is as it was written, and if not from which entry on. */
export const verifyChain = async ({ entries, checkpoints, head, keys }: Chain): Promise<Verdict> => {
  const marks = new Map<number, Checkpoint[]>();
  for (const point of checkpoints) marks.set(point.seq, [...(marks.get(point.seq) ?? []), point]);
  let [count, prev, good] = [0, origin, 0];
  let fault: Found | undefined;
  for await (const entry of entries) {
    const seq = count + 1;
    const { hash, detail, salt } = entry;
    if (entry.seq !== seq) fault = { firstBad: seq, message: `Entry ${seq} is missing.` };
    else if (entry.prev !== prev || entryHash(entry) !== hash) fault = { firstBad: seq, message: `Entry ${seq} is not what was written.` }; // prettier-ignore
    else if (detail !== null && detailHash(salt ?? "", detail) !== entry.detail_hash) fault = { firstBad: seq, message: `The detail of entry ${seq} is not what was written.` }; // prettier-ignore
    const here = marks.get(seq) ?? [];
    const mark = here.find(({ head: seen }) => seen !== hash);
    if (fault === undefined && mark !== undefined)
      fault = { firstBad: good + 1, message: `The entries after ${good} are not those of the checkpoint of ${mark.at}.` }; // prettier-ignore
    if (fault !== undefined) break;
    if (here.length > 0) good = seq;
    [count, prev] = [seq, hash];
  }
  const lastPoint = checkpoints.at(-1);
  const end = (): Found | undefined => {
    const gone = checkpoints.reduce((most, point) => Math.max(most, point.seq), head?.seq ?? 0);
    if (gone > count) return { firstBad: count + 1, message: `The entries from ${count + 1} to ${gone} are gone.` };
    if (count === 0) return undefined;
    if (head === undefined) return { firstBad: good + 1, message: "The signed end of the log is gone." };
    const unsigned = head.signature === "" && checkpoints.length === 0;
    const key = keys.get(head.key);
    if (!unsigned && key !== undefined && !isSigned(headText(head), head.signature, key))
      return { firstBad: good + 1, message: "The end of the log is not signed by this server." };
    if (head.seq < count) return { firstBad: head.seq + 1, message: `Entry ${head.seq + 1} was not written by this server.` }; // prettier-ignore
    return head.hash === prev ? undefined : { firstBad: good + 1, message: "The end of the log is not the one that was signed." }; // prettier-ignore
  };
  const found = fault ?? checkpointFault(checkpoints, keys) ?? end();
  const told = { entries: count, checkpoints: checkpoints.length, lastCheckpoint: lastPoint?.at ?? null };
  if (found !== undefined) return { state: "broken", ...told, ...found };
  const foreign = [...checkpoints, ...(head === undefined || head.signature === "" ? [] : [head])].find(({ key }) => !keys.has(key)); // prettier-ignore
  if (foreign !== undefined) return { state: "unknown", ...told, firstBad: null, message: `The entries fit together, but they are signed with the key ${foreign.key}, which is not known here.` }; // prettier-ignore
  return { state: "intact", ...told, firstBad: null, message: count === 0 ? "The log is empty." : `All ${count} entries are as they were written.` }; // prettier-ignore
};
