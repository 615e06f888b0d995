import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Principal } from "../access.ts";
import type { Clock } from "../clock.ts";
import { Refusal } from "../refusal.ts";
import type { Store } from "../state/store.ts";
import { checkpointHash, detailHash, entryHash, headText, isSigned, keyName, origin, signed, verifyChain, type Chain, type Checkpoint, type Entry, type Head, type Verdict } from "./chain.ts"; // prettier-ignore

/** What is written down: who did, read or tried what. */
export interface Note {
  readonly principal: Principal;
  readonly action: string;
  readonly decision: "allow" | "deny" | "failed";
  readonly reason?: string | undefined;
  readonly detail?: unknown;
}

export interface Audit {
  append(workspace: string, note: Note): Promise<void>;
  /** Signs what the log of a workspace is now, and writes that elsewhere too where it is told to. */
  checkpoint(workspace: string): Promise<void>;
  verify(workspace: string): Promise<Verdict>;
  checkpoints(workspace: string): Promise<readonly Checkpoint[]>;
  /** The signed end, and the number of the last entry at the same moment. */
  end(workspace: string): Promise<{ readonly head: Head | undefined; readonly last: number }>;
  /** All entries, in order. */
  entries(workspace: string): AsyncGenerator<Entry>;
  /** The public half of the signing key (SPKI, PEM), and its name. */
  readonly publicKey: string;
  readonly key: string;
}

interface Parts {
  readonly store: Store;
  readonly clock: Clock;
  /** Where the signing key lies; it is made where there is none. */
  readonly keyFile: string;
  /** A folder into which checkpoints are written too, best on another machine. */
  readonly checkpointFolder?: string | undefined;
}

const longest = 4_000;
const pageSize = 2_000;
const secrets = /password|secret|token/i;
const hidden = (input: unknown): string =>
  JSON.stringify(input, (key, value: unknown) => (secrets.test(key) ? "(hidden)" : value)) ?? "";

const broken = (why: string): Refusal =>
  new Refusal("audit.broken", `The audit log was changed from outside, so nothing more is done here. ${why} Run: throughline audit verify; then put the state back from a backup, or set the log aside.`, {}, 503); // prettier-ignore

/** Reads the signing key, or makes one that only this user can read. */
const signingKey = (file: string): KeyObject => {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    const { privateKey } = generateKeyPairSync("ed25519");
    try {
      writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" });
    } catch (error) {
      if (!existsSync(file)) throw error; // otherwise a server that shares it was faster
    }
  }
  const key = createPrivateKey(readFileSync(file));
  if (key.asymmetricKeyType !== "ed25519") throw new Refusal("audit.key", `${file} holds no Ed25519 key.`);
  return key;
};

const headIn = (store: Store, workspace: string): Promise<Head | undefined> =>
  store.selectFrom("audit_heads").selectAll().where("workspace", "=", workspace).executeTakeFirst();

const checkpointsIn = (store: Store, workspace: string): Promise<Checkpoint[]> =>
  store.selectFrom("audit_checkpoints").selectAll().where("workspace", "=", workspace).orderBy("n").execute();

async function* entriesIn(store: Store, workspace: string): AsyncGenerator<Entry> {
  const of = store.selectFrom("audit").selectAll().where("workspace", "=", workspace).orderBy("seq").limit(pageSize);
  for (let after = -(2 ** 31); ;) {
    const rows = await of.where("seq", ">", after).execute();
    yield* rows;
    after = rows.at(-1)?.seq ?? after;
    if (rows.length < pageSize) return;
  }
}

const asideMark = " until ";
/** Whether a log was set aside. */
export const isAside = (workspace: string): boolean => workspace.includes(asideMark);

/**
 * Puts a log that is broken aside under a name of its own, as evidence, so that a new one can begin. Returns that name.
 * Checkpoints that were written elsewhere still tell of it.
 */
export const setAside = async (store: Store, workspace: string, now: number): Promise<string> => {
  const aside = `${workspace}${asideMark}${new Date(now).toISOString()}`;
  await store.transaction().execute(async (tx) => {
    for (const table of ["audit", "audit_heads", "audit_checkpoints"] as const)
      await tx.updateTable(table).set({ workspace: aside }).where("workspace", "=", workspace).execute();
  });
  return aside;
};

/** The log of a workspace as it lies in a store, for whoever checks it. */
export const chainIn = async (store: Store, workspace: string, keys: Chain["keys"]): Promise<Chain> => ({
  entries: entriesIn(store, workspace),
  checkpoints: await checkpointsIn(store, workspace),
  head: await headIn(store, workspace),
  keys,
});

export const openAudit = ({ store, clock, keyFile, checkpointFolder }: Parts): Audit => {
  const key = signingKey(keyFile);
  const open = createPublicKey(key);
  const name = keyName(open);
  const now = (): string => new Date(clock.now()).toISOString();
  /** Entries of a workspace are written one after another. */
  const turns = new Map<string, Promise<unknown>>();

  /** The end of a log, once it is sure that it is the one that was signed: nothing is ever signed that follows another. */
  const trustedHead = async (workspace: string, from: Store = store): Promise<Head | undefined> => {
    const head = await headIn(from, workspace);
    const point = await from.selectFrom("audit_checkpoints").select("seq").where("workspace", "=", workspace).orderBy("n", "desc").executeTakeFirst(); // prettier-ignore
    if ((head?.seq ?? 0) < (point?.seq ?? 0)) throw broken("Entries that a checkpoint saw are gone.");
    if (head === undefined || (head.signature === "" && point === undefined)) return head;
    if (head.key !== name)
      throw broken(`It is signed with the key ${head.key}, and this server has ${name}: servers that share a store share the file of THROUGHLINE_AUDIT_KEY.`); // prettier-ignore
    if (!isSigned(headText(head), head.signature, open)) throw broken("Its end is not the one that was signed.");
    return head;
  };

  /** Writes the entry that follows the last. Where another process was faster, the key of the table refuses it. */
  const write = (workspace: string, { principal, action, decision, reason = "", detail }: Note): Promise<void> =>
    store.transaction().execute(async (tx) => {
      const last = await trustedHead(workspace, tx);
      const salt = randomBytes(16).toString("hex");
      const text = detail === undefined ? "" : hidden(detail).slice(0, longest).toWellFormed(); // a store may keep half a character otherwise
      const entry = {
        workspace,
        seq: (last?.seq ?? 0) + 1,
        at: now(),
        actor_kind: principal.kind === "nobody" ? "system" : principal.kind,
        actor: principal.kind === "nobody" ? "" : principal.id,
        action,
        decision,
        reason,
        detail_hash: detailHash(salt, text),
        prev: last?.hash ?? origin,
      };
      const hash = entryHash(entry);
      await tx.insertInto("audit").values({ ...entry, detail: text, salt, hash }).execute(); // prettier-ignore
      const end = { seq: entry.seq, hash, key: name, signature: signed(headText({ workspace, seq: entry.seq, hash }), key) }; // prettier-ignore
      await tx
        .insertInto("audit_heads")
        .values({ workspace, ...end })
        .onConflict((conflict) => conflict.column("workspace").doUpdateSet(end))
        .execute();
    });

  const inTurn = async <T>(workspace: string, work: () => Promise<T>): Promise<T> => {
    const before = turns.get(workspace) ?? Promise.resolve();
    const done = before.then(work, work);
    turns.set(workspace, done);
    try {
      return await done;
    } finally {
      if (turns.get(workspace) === done) turns.delete(workspace);
    }
  };

  /** Another process may have written the same number meanwhile: then the next is taken. */
  const retried = async (work: () => Promise<void>): Promise<void> => {
    for (let tries = 0; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        const isTaken = error instanceof Error && /UNIQUE|duplicate key/i.test(error.message);
        if (!isTaken) throw error;
        if (tries >= 20) throw broken("Something wrote to it besides this server.");
      }
    }
  };

  return {
    key: name,
    publicKey: String(open.export({ type: "spki", format: "pem" })),
    append: (workspace, note) => inTurn(workspace, () => retried(() => write(workspace, note))),
    checkpoint: (workspace) =>
      inTurn(workspace, async () => {
        const last = await store
          .selectFrom("audit_checkpoints")
          .select(["n", "hash"])
          .where("workspace", "=", workspace)
          .orderBy("n", "desc")
          .executeTakeFirst();
        const head = await trustedHead(workspace);
        const point = { workspace, n: (last?.n ?? 0) + 1, at: now(), seq: head?.seq ?? 0, head: head?.hash ?? origin, prev: last?.hash ?? origin, key: name }; // prettier-ignore
        const hash = checkpointHash(point);
        const whole: Checkpoint = { ...point, hash, signature: signed(hash, key) };
        // elsewhere first: what is not there was never promised here
        if (checkpointFolder !== undefined) {
          mkdirSync(checkpointFolder, { recursive: true });
          appendFileSync(join(checkpointFolder, `${workspace}.jsonl`), `${JSON.stringify(whole)}\n`);
        }
        await store.insertInto("audit_checkpoints").values(whole).execute();
        if (head?.signature !== "") return;
        const signature = signed(headText(head), key);
        await store.updateTable("audit_heads").set({ key: name, signature }).where("workspace", "=", workspace).execute(); // prettier-ignore
      }),
    verify: (workspace) =>
      inTurn(workspace, async () => {
        const look = async (): Promise<Verdict> =>
          verifyChain(await chainIn(store, workspace, new Map([[name, open]])));
        const first = await look();
        return first.state === "broken" ? look() : first; // another process may have been writing meanwhile
      }),
    checkpoints: (workspace) => checkpointsIn(store, workspace),
    end: (workspace) =>
      store.transaction().execute(async (tx) => {
        const found = await tx.selectFrom("audit").select(({ fn }) => fn.max<number | null>("seq").as("last")).where("workspace", "=", workspace).executeTakeFirst(); // prettier-ignore
        return { head: await headIn(tx, workspace), last: found?.last ?? 0 };
      }),
    entries: (workspace) => entriesIn(store, workspace),
  };
};
