import { createPublicKey, type KeyObject } from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { linesIn } from "#kernel/lines.ts";
import { chainIn, isAside } from "#kernel/audit/audit.ts";
import { Checkpoint, Entry, Head, keyName, verifyChain, type Verdict } from "#kernel/audit/chain.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";

/** Checks audit logs where they lie, or as they were exported: without a server, and without trusting one. */

export interface Checked {
  readonly log: string;
  readonly verdict: Verdict;
}

const Line = z.union([
  z.object({ entry: Entry }),
  z.object({ checkpoint: Checkpoint }),
  z.object({ head: Head }),
  z.object({ key: z.object({ name: z.string(), public: z.string() }) }),
]);

type Keys = ReadonlyMap<string, KeyObject>;

/** The public half of a key; a private one will do too. */
export const keysIn = (file: string): Keys => {
  if (!existsSync(file)) throw new Refusal("audit.no_key", `There is no key at ${file}. Name one with --public-key.`);
  try {
    const key = createPublicKey(readFileSync(file));
    return new Map([[keyName(key), key]]);
  } catch {
    throw new Refusal("audit.key", `${file} holds no key in PEM.`);
  }
};

async function* linesOf<T extends z.ZodType>(file: string, shape: T): AsyncGenerator<z.output<T>> {
  if (!existsSync(file)) throw new Refusal("audit.no_file", `There is no file at ${file}.`);
  let number = 0;
  for await (const line of linesIn(createReadStream(file))) {
    number += 1;
    if (line === "") continue;
    const read = z
      .string()
      .transform((text, context) => {
        try {
          return JSON.parse(text) as unknown;
        } catch {
          context.addIssue("This is no JSON.");
          return z.NEVER;
        }
      })
      .pipe(shape)
      .safeParse(line);
    if (!read.success) throw new Refusal("audit.file", `Line ${number} of ${file} is not of an audit log.`);
    yield read.data;
  }
}

/** Checkpoints that were written elsewhere, of a workspace. */
const elsewhere = async (folder: string, workspace: string): Promise<readonly Checkpoint[]> => {
  const points: Checkpoint[] = [];
  for await (const point of linesOf(join(folder, `${workspace}.jsonl`), Checkpoint)) points.push(point);
  return points;
};

/** Of several looks at one log, the one that says the worst. */
const worst = (verdicts: readonly Verdict[]): Verdict | undefined =>
  verdicts.find(({ state }) => state === "broken") ?? verdicts.find(({ state }) => state === "unknown") ?? verdicts[0];

/** Checks the log of every workspace of a store, but for those that were set aside. */
export const verifyStore = async (store: Store, keys: Keys, checkpoints: string | undefined): Promise<Checked[]> => {
  const heads = await store.selectFrom("audit_heads").select("workspace").execute();
  const points = await store.selectFrom("audit_checkpoints").select("workspace").distinct().execute();
  const logs = await store.selectFrom("audit").select("workspace").distinct().execute();
  const kept = checkpoints === undefined ? [] : readdirSync(checkpoints).filter((name) => name.endsWith(".jsonl")).map((name) => ({ workspace: name.slice(0, -".jsonl".length) })); // prettier-ignore
  const names = [...new Set([...heads, ...points, ...logs, ...kept].map(({ workspace }) => workspace))]
    .filter((name) => !isAside(name))
    .sort();
  const checked: Checked[] = [];
  for (const log of names) {
    const chain = async () => chainIn(store, log, keys);
    const others = checkpoints === undefined ? [] : [await elsewhere(checkpoints, log)];
    const verdicts = [await verifyChain(await chain())];
    for (const other of others) verdicts.push(await verifyChain({ ...(await chain()), checkpoints: other }));
    const verdict = worst(verdicts);
    if (verdict !== undefined) checked.push({ log, verdict });
  }
  return checked;
};

/** Checks an exported log. Without a key of one's own, the one in the file is taken, and named. */
export const verifyFile = async (file: string, given: Keys | undefined): Promise<Checked[]> => {
  const keys = new Map(given);
  const checkpoints: Checkpoint[] = [];
  let head: Head | undefined;
  const lines = linesOf(file, Line);
  async function* rest(): AsyncGenerator<Entry> {
    for await (const line of lines) if ("entry" in line) yield line.entry;
  }
  async function* entries(first: Entry | undefined): AsyncGenerator<Entry> {
    if (first === undefined) return;
    yield first;
    yield* rest();
  }
  // what comes before the entries says how they are to be read
  for (let next = await lines.next(); ; next = await lines.next()) {
    const line = next.done === true ? undefined : next.value;
    if (line === undefined || "entry" in line) {
      const verdict = await verifyChain({ entries: entries(line?.entry), checkpoints, head, keys });
      return [{ log: head?.workspace ?? file, verdict }];
    }
    if ("checkpoint" in line) checkpoints.push(line.checkpoint);
    if ("head" in line) head = line.head;
    if ("key" in line && given === undefined) keys.set(line.key.name, createPublicKey(line.key.public));
  }
};

/** What is said of it, and the exit code: 0 intact, 1 broken, 2 could not be told, or there was nothing. */
export const auditSays = (checked: readonly Checked[]): { text: string; code: 0 | 1 | 2 } => {
  if (checked.length === 0) return { text: "There is no log to check.", code: 2 };
  const lines = checked.map(({ log, verdict: { state, message, firstBad, checkpoints, lastCheckpoint } }) => {
    const points = lastCheckpoint === null ? "no checkpoint yet" : `${checkpoints} checkpoints, the last of ${lastCheckpoint}`; // prettier-ignore
    return `${log}  ${state}${firstBad === null ? "" : ` from entry ${firstBad}`}: ${message} (${points})`;
  });
  const states = new Set(checked.map(({ verdict }) => verdict.state));
  return { text: lines.join("\n"), code: states.has("broken") ? 1 : states.has("unknown") ? 2 : 0 };
};
