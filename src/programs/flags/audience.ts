import { z } from "zod";
import type { Directory } from "#kernel/directory.ts";
import { U64Map } from "#kernel/u64-map.ts";
import { membersOf } from "#records/cohorts/relation.ts";
import type { Ingest } from "#records/events/ingest.ts";
import { keysOf } from "#records/people/keys.ts";
import { peopleIds, signatureOf } from "./query.ts";

/** Who is in the cohorts that flags speak of, held in memory, so that nobody who asks waits for the engine. */
export interface Audiences {
  /** Whether somebody, by the ids that senders use, is in a cohort: as it was at most half a minute ago. */
  of(workspace: string, cohorts: readonly string[]): Promise<Audience>;
}

export type Audience = (id: string | undefined, account: string | undefined) => (cohort: string) => boolean;

const freshMs = 30_000;
const Signature = z.object({ changes: z.number(), joins: z.number() });
const Row = z.object({ unit: z.string() });

interface Members {
  readonly signature: string;
  readonly people: U64Map;
  readonly accounts: ReadonlySet<string>;
}

export const createAudiences = ({ directory, ingest }: { readonly directory: Directory; readonly ingest: Ingest }): Audiences => {
  /** By workspace and cohort. What is old is given out while it is read anew. */
  const held = new Map<string, { last: Members | undefined; reading: Promise<Members> | undefined; until: number }>();

  const read = async (workspace: string, cohort: string, last: Members | undefined): Promise<Members> => {
    const found = await directory.find(workspace);
    if (found === undefined) return { signature: "", people: new U64Map(), accounts: new Set() };
    const { engine } = found;
    const maintain = { purpose: "maintain" } as const;
    const [counts] = await engine.rows(signatureOf(cohort), Signature, maintain);
    const signature = JSON.stringify(counts);
    if (last?.signature === signature) return last;
    const scope = { engine, ...(await ingest.freshIdentities(workspace)) };
    const people = new U64Map();
    for (const { unit } of await engine.rows(peopleIds(scope, cohort), Row, maintain)) people.set(BigInt(unit), 1n);
    const accounts = new Set((await engine.rows(membersOf(scope, [cohort], "accounts"), Row, maintain)).map(({ unit }) => unit));
    return { signature, people, accounts };
  };

  const members = async (workspace: string, cohort: string): Promise<Members> => {
    const key = `${workspace} ${cohort}`;
    const entry = held.get(key) ?? { last: undefined, reading: undefined, until: 0 };
    held.set(key, entry);
    if (entry.until <= Date.now()) {
      entry.reading ??= read(workspace, cohort, entry.last)
        .then((next) => {
          entry.until = Date.now() + freshMs;
          return (entry.last = next);
        })
        .finally(() => (entry.reading = undefined));
      if (entry.last === undefined) return entry.reading;
      entry.reading.catch(() => undefined); // the last that could be read holds until the engine answers again
    }
    return entry.last ?? read(workspace, cohort, undefined);
  };

  return {
    of: async (workspace, cohorts) => {
      if (cohorts.length === 0) return () => () => false;
      const found = await directory.find(workspace);
      const keys = keysOf(found?.workspace.secret ?? "");
      const all = new Map(await Promise.all(cohorts.map(async (cohort) => [cohort, await members(workspace, cohort)] as const)));
      return (id, account) => {
        const actor = id === undefined ? undefined : BigInt(keys.actor(id));
        return (cohort) => {
          const one = all.get(cohort);
          if (one === undefined) return false;
          return (actor !== undefined && one.people.has(actor)) || (account !== undefined && one.accounts.has(account));
        };
      };
    },
  };
}; // prettier-ignore
