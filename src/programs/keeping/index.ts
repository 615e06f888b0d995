import { z } from "zod";
import { classesIn, decided, type DataClass, type Holder } from "#kernel/classes.ts";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import type { Store } from "#kernel/state/store.ts";
import { eventsOf, Odcs } from "#programs/contracts/odcs.ts";
import type { Ingest } from "#records/events/ingest.ts";
import * as contract from "./contract.ts";
import { Settings, type Step } from "./contract.ts";
import { oldConversations, oldEvents, oldHeld, oldLetters, oldProperties, oldTraits, type Going } from "./query.ts";

const dayMs = 86_400_000;
const daysIn: Readonly<Record<string, number>> = { d: 1, day: 1, w: 7, week: 7, m: 30, month: 30, y: 365, year: 365 };
const Kept = z.object({ property: z.literal("retention"), value: z.coerce.number().positive(), unit: z.string().default("d") }); // prettier-ignore
const Went = z.array(z.object({ what: z.string(), rows: z.number() }));
const Count = z.object({ rows: z.number() });

/** Days that active contracts want their events kept. */
const contractDays = async (store: Store, workspace: string): Promise<ReadonlyMap<string, number>> => {
  const rows = await store.selectFrom("contracts").select("document").where("workspace", "=", workspace).where("status", "=", "active").execute(); // prettier-ignore
  const found = new Map<string, number>();
  for (const { document } of rows) {
    const read = Odcs.parse(JSON.parse(document));
    const listed = z.array(z.unknown()).catch([]).parse(read["slaProperties"]);
    for (const one of listed) {
      const { data } = Kept.safeParse(one);
      const factor = data === undefined ? undefined : daysIn[data.unit.toLowerCase().replace(/s$/, "")];
      if (data === undefined || factor === undefined) continue;
      const days = Math.max(1, Math.round(data.value * factor));
      // where two contracts speak of one event the shorter counts
      for (const [event] of eventsOf(read)) found.set(event, Math.min(days, found.get(event) ?? days));
    }
  }
  return found;
};

interface Named extends Going {
  readonly what: string;
}

/** How long things are kept: by class, by contract, and for what is held or was refused. */
export const keeping = ({ store, ingest }: { readonly store: Store; readonly ingest: Ingest }): Module => {
  const rowOf = (call: WorkspaceCall) =>
    store.selectFrom("keeping").selectAll().where("workspace", "=", call.workspace.id).executeTakeFirst();
  const settingsOf = async (call: WorkspaceCall): Promise<Settings> =>
    Settings.parse(JSON.parse((await rowOf(call))?.settings ?? "{}"));

  const stepsOf = async (call: WorkspaceCall, settings: Settings): Promise<readonly Named[]> => {
    const before = (days: number): number => call.now - days * dayMs;
    const [contracts, rows] = await Promise.all([contractDays(store, call.workspace.id), classesIn(store, call.workspace.id)]); // prettier-ignore
    const classes = [...decided(rows)].map(([key, one]) => ({
      holder: key.slice(0, key.indexOf(" ")) as Holder,
      name: key.slice(key.indexOf(" ") + 1),
      class: one,
    })); // made by `decided`
    const namesOf = (holder: Holder, ...wanted: readonly DataClass[]) =>
      classes.filter((one) => one.holder === holder && wanted.includes(one.class)).map(({ name }) => name);
    const steps: Named[] = [];
    for (const [event, days] of contracts) steps.push({ what: `Events ${event}, older than ${days} days`, ...oldEvents(before(days), [event], false) }); // prettier-ignore
    if (settings.events !== null)
      steps.push({ what: `${contracts.size === 0 ? "Events" : "Other events"}, older than ${settings.events} days`, ...oldEvents(before(settings.events), [...contracts.keys()], true) }); // prettier-ignore
    for (const one of ["personal", "restricted"] as const) {
      const days = settings[one];
      if (days === null) continue;
      const [own, people, accounts] = [namesOf("event", one), namesOf("person", one), namesOf("account", one)];
      const older = `older than ${days} days`;
      if (own.length > 0) steps.push({ what: `Values of ${one} properties, ${older}`, ...oldProperties(before(days), own) }); // prettier-ignore
      if (people.length > 0) steps.push({ what: `Values of ${one} traits of people, ${older}`, ...oldTraits(before(days), "person", people) }); // prettier-ignore
      if (accounts.length > 0) steps.push({ what: `Values of ${one} traits of accounts, ${older}`, ...oldTraits(before(days), "account", accounts) }); // prettier-ignore
    }
    if (settings.conversations !== null) steps.push({ what: `What was written in conversations, older than ${settings.conversations} days`, ...oldConversations(before(settings.conversations)) }); // prettier-ignore
    // what goes by itself after the longest time needs no step
    if (settings.held < 30) steps.push({ what: `Held events, older than ${settings.held} days`, ...oldHeld(before(settings.held), undefined) }); // prettier-ignore
    if (settings.heldSensitive < settings.held) steps.push({ what: `Held events with personal or restricted values, older than ${settings.heldSensitive} days`, ...oldHeld(before(settings.heldSensitive), namesOf("event", "personal", "restricted")) }); // prettier-ignore
    if (settings.deadLetters < 90) steps.push({ what: `Refused events, older than ${settings.deadLetters} days`, ...oldLetters(before(settings.deadLetters)) }); // prettier-ignore
    return steps;
  };

  const counted = async (call: WorkspaceCall, steps: readonly Named[]): Promise<readonly (Named & Step)[]> => {
    const found: (Named & Step)[] = [];
    for (const step of steps) {
      const [count] = await call.engine.rows(step.count, Count, { purpose: "export", signal: call.signal });
      found.push({ ...step, rows: count?.rows ?? 0 });
    }
    return found;
  };

  const apply = async (call: WorkspaceCall): Promise<void> => {
    const row = await rowOf(call);
    const settings = Settings.parse(JSON.parse(row?.settings ?? "{}"));
    const steps = (await counted(call, await stepsOf(call, settings))).filter(({ rows }) => rows > 0);
    for (const step of steps) for (const statement of step.apply) await call.engine.command(statement);
    const went = steps.map(({ what, rows }) => ({ what, rows }));
    const change = { last_at: new Date(call.now).toISOString(), went: JSON.stringify(went) };
    await store
      .insertInto("keeping")
      .values({ workspace: call.workspace.id, settings: row?.settings ?? "{}", ...change })
      .onConflict((conflict) => conflict.column("workspace").doUpdateSet(change))
      .execute();
  };

  return defineModule({
    name: "keeping",
    jobs: [{ name: "keeping.apply", everyMs: dayMs, run: apply }],
    operations: [
      handle(contract.get, async (call) => {
        const [row, contracts] = await Promise.all([rowOf(call), contractDays(store, call.workspace.id)]);
        return {
          settings: Settings.parse(JSON.parse(row?.settings ?? "{}")),
          contracts: [...contracts].map(([event, days]) => ({ event, days })),
          lastAt: row?.last_at ?? null,
          went: Went.parse(JSON.parse(row?.went ?? "[]")),
        };
      }),
      handle(contract.preview, async (call, { settings }) => {
        await ingest.caughtUp(2_000);
        const steps = await counted(call, await stepsOf(call, settings));
        return { steps: steps.map(({ what, rows }) => ({ what, rows })) };
      }),
      handle(contract.set, async (call, { settings }) => {
        const before = await settingsOf(call);
        const text = JSON.stringify({ ...before, ...settings });
        await store
          .insertInto("keeping")
          .values({ workspace: call.workspace.id, settings: text, last_at: null, went: "[]" })
          .onConflict((conflict) => conflict.column("workspace").doUpdateSet({ settings: text }))
          .execute();
        return { ok: true as const };
      }),
    ],
  });
};
