import { newId } from "#kernel/ids.ts";
import type { WorkspaceCall } from "#kernel/module.ts";
import type { State } from "#kernel/state/schema.ts";
import type { Store } from "#kernel/state/store.ts";
import { faultKinds, type Fault, type FaultKind, type Sla } from "./contract.ts";
import type { z } from "zod";

/** What was wrong from when to when, and what that leaves of a promise. */

export type IncidentRow = State["quality_incidents"];
const minuteMs = 60_000;

const keyOf = ({ kind, subject, rule = "" }: Fault): string => JSON.stringify([kind, subject.event, subject.property, rule]); // prettier-ignore

/** Writes down which faults are new and which are gone. */
export const noteFaults = async (store: Store, call: WorkspaceCall, faults: readonly Fault[]) => {
  const workspace = call.workspace.id;
  const at = new Date(call.now).toISOString();
  const open = await store.selectFrom("quality_incidents").selectAll().where("workspace", "=", workspace).where("ended_at", "is", null).execute(); // prettier-ignore
  const now = new Map(faults.map((fault) => [keyOf(fault), fault]));
  const known = new Set(open.map(({ key }) => key));
  const ended = open.filter(({ key }) => !now.has(key));
  const began = [...now].filter(([key]) => !known.has(key)).map(([key, fault]) => ({ id: newId("inc"), key, fault }));
  for (const { id } of ended) await store.updateTable("quality_incidents").set({ ended_at: at }).where("id", "=", id).execute(); // prettier-ignore
  for (const { id, key, fault } of began)
    await store.insertInto("quality_incidents").values({ id, workspace, key, kind: fault.kind, event: fault.subject.event, property: fault.subject.property, says: fault.says, began_at: at, ended_at: null, notified_at: null }).execute(); // prettier-ignore
  return { began, ended };
};

export const noteNotified = async (store: Store, call: WorkspaceCall, ids: readonly string[]): Promise<void> => {
  if (ids.length === 0) return;
  await store.updateTable("quality_incidents").set({ notified_at: new Date(call.now).toISOString() }).where("id", "in", ids).execute(); // prettier-ignore
};

export interface Promised {
  readonly id: string;
  readonly name: string;
  /** Empty for all events. */
  readonly event: string;
  readonly kinds: readonly z.output<typeof FaultKind>[];
  /** Share of the time. */
  readonly target: number;
  readonly days: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly isOfContract: boolean;
}

/** Minutes that are in any of the stretches. */
const covered = (stretches: readonly (readonly [from: number, to: number])[]): number => {
  let [sum, end] = [0, Number.NEGATIVE_INFINITY];
  for (const [from, to] of stretches.toSorted((a, b) => a[0] - b[0])) {
    sum += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return sum / minuteMs;
};

/** How a promise stands: minutes in which something that it is about was wrong, against those that may be. */
export const standing = (promise: Promised, incidents: readonly IncidentRow[], now: number): Sla => {
  const { since, days, target, event, kinds, ...rest } = promise;
  const from = Math.max(now - days * 1_440 * minuteMs, since);
  const own = incidents.filter((one) => kinds.some((kind) => kind === one.kind) && (event === "" || one.event === event)); // prettier-ignore
  const badMinutes = covered(own.map((one): [number, number] => [Math.max(from, Date.parse(one.began_at)), Math.min(now, one.ended_at === null ? now : Date.parse(one.ended_at))]).filter(([a, b]) => b > a)); // prettier-ignore
  const measuredMinutes = Math.max(0, (now - from) / minuteMs);
  const budgetMinutes = (1 - target) * days * 1_440;
  return { ...rest, event, kinds: [...kinds], target, days, attained: measuredMinutes === 0 ? null : 1 - badMinutes / measuredMinutes, measuredMinutes, badMinutes, budgetMinutes, left: 1 - badMinutes / budgetMinutes }; // prettier-ignore
};

export const kindOf = (text: string): (typeof faultKinds)[number] => faultKinds.find((one) => one === text) ?? "rule";
