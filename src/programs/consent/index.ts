import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import type { ContractGate } from "#programs/contracts/gate.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { iso } from "#records/common/iso.ts";
import type { Ingest } from "#records/events/ingest.ts";
import { keysOf } from "#records/people/keys.ts";
import * as contract from "./contract.ts";
import { bases, type Basis } from "./contract.ts";
import { agreement, isKnown, said } from "./query.ts";

interface Parts {
  readonly store: Store;
  readonly ingest: Ingest;
  readonly gate: ContractGate;
}

/** What is written down by hand comes from here. */
export const byHand = "by hand";

const [dayMs, shownDays] = [86_400_000, 30];
const Agreement = z.object({ purpose: z.string(), agreed: z.number(), refused: z.number() });
const Said = z.object({ id: z.string(), person: z.string(), purpose: z.string(), given: z.union([z.boolean(), z.number()]), at: z.string(), source: z.string() }); // prettier-ignore

/** What data of people is used for, and who agreed to it when, on which text. */
export const consent = ({ store, ingest, gate }: Parts): Module => {
  /** Every version of every purpose, the newest first. */
  const versions = (call: WorkspaceCall) =>
    store.selectFrom("purposes").selectAll().where("workspace", "=", call.workspace.id).orderBy("number", "desc").execute(); // prettier-ignore

  const basisOf = (text: string): Basis | null => bases.find((one) => one === text) ?? null;

  /** Counts of this process, put where all can read them. */
  const noteDropped = async (call: WorkspaceCall): Promise<void> => {
    const day = new Date(call.now).toISOString().slice(0, 10);
    for (const [source, events] of gate.takeDropped(call.workspace.id))
      await store
        .insertInto("consent_drops")
        .values({ workspace: call.workspace.id, day, source, events })
        .onConflict((conflict) =>
          conflict
            .columns(["workspace", "day", "source"])
            .doUpdateSet((eb) => ({ events: eb("consent_drops.events", "+", events) })),
        ) // prettier-ignore
        .execute();
  };

  return defineModule({
    name: "consent",
    jobs: [{ name: "consent.drops", everyMs: 60_000, run: noteDropped }],
    operations: [
      handle(contract.purposes, async (call) => {
        await noteDropped(call);
        const scope = await scopeOf(ingest, call);
        const since = new Date(call.now - shownDays * dayMs).toISOString().slice(0, 10);
        const [written, counts, dropped] = await Promise.all([
          versions(call),
          ask(call, agreement(scope), Agreement),
          store.selectFrom("consent_drops").select(["day", "source", "events"]).where("workspace", "=", call.workspace.id).where("day", ">=", since).orderBy("day").orderBy("source").execute(), // prettier-ignore
        ]);
        const latest = new Map(written.toReversed().map((row) => [row.purpose, row]));
        const names = [...new Set([...latest.keys(), ...counts.map(({ purpose }) => purpose)])].toSorted();
        const purposes = names.map((purpose) => {
          const row = latest.get(purpose);
          const count = counts.find((one) => one.purpose === purpose);
          return { purpose, basis: row === undefined ? null : basisOf(row.basis), version: row?.version ?? "", text: row?.text ?? "", setAt: row?.set_at ?? null, agreed: count?.agreed ?? 0, refused: count?.refused ?? 0 }; // prettier-ignore
        });
        return { purposes, dropped: dropped.map((row) => ({ ...row, events: Number(row.events) })) };
      }),
      handle(contract.setPurpose, async (call, { purpose, basis, version, text }) => {
        const all = await versions(call);
        if (all.length >= 5_000) throw new Refusal("consent.too_many", "A workspace keeps 5,000 versions of purposes.");
        const by = call.principal.kind === "nobody" ? "" : call.principal.id;
        const number = (all[0]?.number ?? 0) + 1;
        await store.insertInto("purposes").values({ workspace: call.workspace.id, number, purpose, basis, version, text, set_by: by, set_at: new Date(call.now).toISOString() }).execute(); // prettier-ignore
        return { ok: true as const };
      }),
      handle(contract.ledger, async (call, { id, purpose, limit }) => {
        const scope = await scopeOf(ingest, call);
        const actor = id === undefined ? undefined : keysOf(call.workspace.secret).actor(id);
        const [rows, written] = await Promise.all([
          ask(call, said(scope, actor, purpose, limit), Said),
          versions(call),
        ]);
        const entries = rows.map((row) => {
          const at = iso(row.at);
          // the text that was shown then: the newest that was written down before
          const then = written.find((one) => one.purpose === row.purpose && one.set_at <= at);
          return { ...row, at, given: Boolean(row.given), basis: then === undefined ? null : basisOf(then.basis), version: then?.version ?? "" }; // prettier-ignore
        });
        return { entries };
      }),
      handle(contract.record, async (call, { id, purpose, given }) => {
        const actor = keysOf(call.workspace.secret).actor(id);
        const [known] = await ask(call, isKnown(actor), z.object({ count: z.number() }));
        if ((known?.count ?? 0) === 0) throw new Refusal("consent.unknown", `Nobody is known by ${id.slice(0, 100)}.`, {}, 404); // prettier-ignore
        const source = { id: byHand, workspace: call.workspace.id, product: "", identity: "first_link" } as const;
        await ingest.accept(source, [{ userId: id, at: call.now, personTraits: [{ op: "set", traits: { [`consent.${purpose}`]: given } }] }]); // prettier-ignore
        await ingest.caughtUp(5_000);
        return { ok: true as const };
      }),
    ],
  });
};
