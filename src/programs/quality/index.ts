import { z } from "zod";
import type { Alert, Notify } from "#programs/alerts/index.ts";
import { grouped } from "#kernel/grouped.ts";
import { newId } from "#kernel/ids.ts";
import { Refusal } from "#kernel/refusal.ts";
import { usesOf } from "#kernel/lineage.ts";
import { defineModule, handle, type Asset, type Module, type TableDoc, type WorkspaceCall } from "#kernel/module.ts";
import { isUsedIn } from "#kernel/references.ts";
import type { Store } from "#kernel/state/store.ts";
import { eventsOf, Odcs } from "#programs/contracts/odcs.ts";
import { iso } from "#records/common/iso.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import { conformityFault, daysBetween, lateFault, propertyFaults, scoreOf, silenceFault, volumeFault, type Day, type Gap } from "./compute.ts"; // prettier-ignore
import * as contract from "./contract.ts";
import { Report, type Fault, type Score, type Told } from "./contract.ts";
import * as incident from "./incidents.ts";
import { brokenRule, missingColumns, rulesOf } from "./rules.ts";
import { breaches, gaps, perDay, sample } from "./query.ts";

interface Parts {
  readonly store: Store;
  readonly ingest: Ingest;
  readonly registry: SourceRegistry;
  /** What people made, in the whole program. */
  readonly assets: (call: WorkspaceCall) => Promise<readonly Asset[]>;
  readonly tables: readonly TableDoc[];
  readonly notify: Notify;
}

const dayMs = 86_400_000;
/** Weeks of days that a day is compared with; days in which silence is judged. */
const [weeks, silentDays, lately] = [8, 28, 7];
/** Events whose properties are looked at, and how many of each. */
const [mostLooked, sampled] = [20, 5_000];
const options = { purpose: "export" } as const; // an hourly look may take longer than a page waits

const DayRow = z.object({
  event: z.string(),
  source: z.string(),
  day: z.string(),
  count: z.number(),
  late: z.number(),
});
const GapRow = z.object({ event: z.string(), source: z.string(), last: z.string(), active: z.number(), gap: z.number() }); // prettier-ignore
const BreachRow = z.object({ event: z.string(), source: z.string(), action: z.string(), count: z.number() });
const RuleRow = z.object({ rows: z.number(), bad: z.number() });
const Available = z.object({ property: z.enum(["availability", "generalAvailability"]), value: z.coerce.number().min(50).max(99.99) }); // prettier-ignore
/** Days over which what a contract promises is measured; rules that one look asks; faults that are told one by one. */
const [slaDays, mostRules, toldSingly] = [28, 200, 10];
const SampleRow = z.object({ properties: z.string() });
const Promised = z.object({ property: z.enum(["frequency", "latency"]), value: z.coerce.number().positive(), unit: z.string().default("h") }); // prettier-ignore
const hoursOf: Readonly<Record<string, number>> = { m: 1 / 60, min: 1 / 60, minute: 1 / 60, h: 1, hour: 1, d: 24, day: 24, w: 168, week: 168 }; // prettier-ignore

/** The active contracts of a workspace, with when each became so. */
const activeIn = async (store: Store, workspace: string) => {
  const rows = await store.selectFrom("contracts").select(["document", "updated_at"]).where("workspace", "=", workspace).where("status", "=", "active").execute(); // prettier-ignore
  return rows.map(({ document, updated_at }) => {
    const read = Odcs.parse(JSON.parse(document));
    return { contract: read, promised: z.array(z.unknown()).catch([]).parse(read["slaProperties"]), since: Date.parse(updated_at) }; // prettier-ignore
  });
};
type Active = Awaited<ReturnType<typeof activeIn>>;

/** The latest that an event may come after the one before, in hours, as its active contract promises. */
const promisesIn = (active: Active): ReadonlyMap<string, number> =>
  new Map(
    active.flatMap(({ contract: read, promised }) => {
      const hours = promised.flatMap((one) => {
        const { data } = Promised.safeParse(one);
        const factor = data === undefined ? undefined : hoursOf[data.unit.toLowerCase().replace(/s$/, "")];
        return data === undefined || factor === undefined ? [] : [data.value * factor];
      });
      return hours.length === 0 ? [] : eventsOf(read).map(([event]): [string, number] => [event, Math.max(...hours)]);
    }),
  );

/** Shares of the time that active contracts promise their events to be as they should. */
const contractSlas = (active: Active): readonly incident.Promised[] =>
  active.flatMap(({ contract: read, promised, since }) =>
    promised.flatMap((one) => {
      const { data } = Available.safeParse(one);
      if (data === undefined) return [];
      return eventsOf(read).map(([event]) => ({ id: `${read.id} ${event}`, name: `${event}: contract ${read.id}`, event, kinds: ["silent", "volume", "conformity", "rule"] as const, target: data.value / 100, days: slaDays, since, isOfContract: true })); // prettier-ignore
    }),
  );

const Kinds = z.array(contract.FaultKind);
const words: Readonly<Record<Fault["kind"], string>> = { silent: "Silent", volume: "Too few or too many", conformity: "Breaks its contract", rule: "Breaks a rule", missing: "Goes missing", types: "Changed its type", drift: "Spread otherwise", late: "Arrives late" }; // prettier-ignore

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

interface Seen {
  readonly days: readonly Day[];
  readonly gaps: readonly Gap[];
  readonly breaches: readonly z.output<typeof BreachRow>[];
  /** Whole local days up to yesterday. */
  readonly whole: readonly string[];
  readonly promises: ReadonlyMap<string, number>;
  readonly active: Active;
}

/** How often a violation hit an event, at least: its most frequent way; and how many of those were not stored. */
const brokenOf = (rows: readonly z.output<typeof BreachRow>[]): { broken: number; away: number } => {
  const most = (own: readonly z.output<typeof BreachRow>[]): number => Math.max(0, ...own.map(({ count }) => count));
  const away = most(rows.filter(({ action }) => action !== "forward"));
  return { broken: most(rows.filter(({ action }) => action === "forward")) + away, away };
};

/** What is wrong with one event, and its parts of the score. */
const judged = (event: string, seen: Seen, now: number) => {
  const days = seen.days.filter((one) => one.event === event);
  const recent = days.filter(({ day }) => day >= (seen.whole.at(-lately) ?? ""));
  const [total, late] = [sum(recent.map(({ count }) => count)), sum(recent.map((one) => one.late))];
  const { broken, away } = brokenOf(seen.breaches.filter((one) => one.event === event));
  const counts = new Map([...grouped(days, ({ day }) => day)].map(([day, own]) => [day, sum(own.map(({ count }) => count))])); // prettier-ignore
  const newest = seen.gaps.filter((one) => one.event === event).toSorted((a, b) => b.last - a.last)[0];
  const silent = newest === undefined ? undefined : silenceFault(newest, now, seen.promises.get(event));
  const volume = silent === undefined ? volumeFault(event, counts, seen.whole) : undefined;
  const faults = [silent, volume, conformityFault(event, total + away, broken), lateFault(event, total, late)];
  return { event, total, late, broken, arrived: total + away, isSilent: silent !== undefined, isOdd: volume !== undefined, faults: faults.filter((one) => one !== undefined) }; // prettier-ignore
};
type Judged = ReturnType<typeof judged>;

const scoreOfSource = (id: string, name: string, own: readonly Judged[]): Score => {
  const [events, arrived] = [sum(own.map(({ total }) => total)), sum(own.map((one) => one.arrived))];
  const shareOf = (bad: (one: Judged) => boolean): number => (own.length === 0 ? 1 : own.filter((one) => !bad(one)).length / own.length); // prettier-ignore
  const fresh = shareOf(({ isSilent }) => isSilent);
  const volume = shareOf(({ isOdd }) => isOdd);
  const conform = arrived === 0 ? 1 : Math.max(0, 1 - sum(own.map(({ broken }) => broken)) / arrived);
  const onTime = events === 0 ? 1 : 1 - sum(own.map(({ late }) => late)) / events;
  return { source: id, name, score: own.length === 0 ? null : scoreOf([fresh, volume, conform, onTime]), fresh, volume, conform, onTime, events }; // prettier-ignore
};

/** Whether what arrives can be relied on: looked at every hour, told on a page and beside each metric. */
export const quality = ({ store, ingest, registry, assets, tables, notify }: Parts): Module => {
  const seenIn = async (call: WorkspaceCall): Promise<Seen> => {
    const { zone } = call.workspace;
    const today = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" }).format(call.now);
    const from = call.now - (weeks * 7 + 2) * dayMs;
    const whole = daysBetween(new Date(from + dayMs).toISOString().slice(0, 10), today).filter((day) => day < today);
    const sources = await registry.list(call.workspace.id);
    const live = new Set(sources.flatMap(({ id, kind }) => (kind === "file" || kind === "demo" ? [] : [id])));
    const active = await activeIn(store, call.workspace.id);
    const [days, spaces, broken] = await Promise.all([
      call.engine.rows(perDay(from, call.now, zone), DayRow, { ...options, signal: call.signal }),
      call.engine.rows(gaps(call.now - silentDays * dayMs), GapRow, { ...options, signal: call.signal }),
      call.engine.rows(breaches(call.now - lately * dayMs), BreachRow, { ...options, signal: call.signal }),
    ]);
    return {
      // what comes from files happened long before it arrives
      days: days.filter(({ day }) => day < today).map((one) => (live.has(one.source) ? one : { ...one, late: 0 })),
      gaps: spaces.map((one) => ({ ...one, last: Date.parse(iso(one.last)) })),
      breaches: broken,
      whole,
      promises: promisesIn(active),
      active,
    };
  };

  /** Samples of the events that come most. */
  const properties = async (call: WorkspaceCall, all: readonly Judged[], seen: Seen) => {
    const most = all.toSorted((a, b) => b.total - a.total).slice(0, mostLooked).filter(({ total }) => total > 0); // prettier-ignore
    const taken = async (event: string, from: number, to: number, count: number) => {
      const rows = await call.engine.rows(sample(event, from, to, count === 0 ? 1 : sampled / count, sampled), SampleRow, { ...options, signal: call.signal }); // prettier-ignore
      return rows.map(({ properties: text }) => JSON.parse(text) as Record<string, unknown>);
    };
    const faults: Fault[] = [];
    const names = new Set<string>();
    for (const { event, total } of most) {
      const middle = call.now - lately * dayMs;
      const earlier = sum(seen.days.filter((one) => one.event === event).map(({ count }) => count)) - total;
      const now = await taken(event, middle, call.now, total);
      const before = await taken(event, call.now - silentDays * dayMs, middle, Math.max(earlier, 0));
      for (const one of now) for (const name of Object.keys(one)) names.add(name);
      faults.push(...propertyFaults(event, now, before));
    }
    return { faults, names: names.size };
  };

  /** Rules that contracts lay down, and what could not be looked at of them. */
  const rulesBroken = async (call: WorkspaceCall, active: Active) => {
    const contracts = active.map((one) => one.contract);
    const { asked, unasked } = rulesOf(contracts, call.now - lately * dayMs, tables);
    const notLooked = [...unasked, ...missingColumns(contracts, tables)].map(({ contract: id, message }) => `${id}: ${message}`); // prettier-ignore
    if (asked.length > mostRules) notLooked.push(`${asked.length - mostRules} rules are more than the ${mostRules} that are looked at.`); // prettier-ignore
    const faults: Fault[] = [];
    for (const one of asked.slice(0, mostRules)) {
      try {
        const [found] = await call.engine.rows(one.statement, RuleRow, { ...options, signal: call.signal });
        const broken = brokenRule(one, found?.rows ?? 0, found?.bad ?? 0);
        if (broken !== undefined) faults.push({ kind: "rule", subject: { event: one.event, property: one.property }, rule: `${one.contract} ${one.rule.metric}`, ...broken }); // prettier-ignore
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        notLooked.push(`${one.contract}: ${error.message}`);
      }
    }
    return { faults, notLooked: [...new Set(notLooked)].slice(0, 100) };
  };

  const whereOf = ({ subject: { event, property } }: Fault): string => (property === null ? event : event === "" ? property : `${property} of ${event}`); // prettier-ignore

  /** Says to those who want to hear of it what is new, and what is over. */
  const tell = async (call: WorkspaceCall, noted: Awaited<ReturnType<typeof incident.noteFaults>>): Promise<void> => {
    const day = new Date(call.now).toISOString().slice(0, 10);
    const { began, ended } = noted;
    if (began.length === 0 && ended.length === 0) return;
    const [made, owners] = await Promise.all([assets(call), ownersOf(call)]);
    const alertOf = ({ key, fault }: (typeof began)[number]): Alert => {
      const { event, property } = fault.subject;
      const used = property === null ? ({ kind: "event", id: event } as const) : ({ kind: "property", id: property, event } as const); // prettier-ignore
      const hits = event === "" ? [] : usesOf(made, used).slice(0, 20);
      const named = [owners.get(`event ${event}`) ?? "", property === null ? "" : (owners.get(`property ${property}`) ?? ""), ...hits.map((hit) => made.find(({ kind, id }) => kind === hit.kind && id === hit.id)?.owner ?? "")]; // prettier-ignore
      return { key: `quality ${key} ${day}`, title: `${words[fault.kind]}: ${whereOf(fault)}`, says: fault.says, hits: hits.map(({ title, address }) => ({ title, address })), owners: [...new Set(named)].filter((one) => one !== ""), address: "/govern/home" }; // prettier-ignore
    };
    const singly = began.slice(0, toldSingly).map(alertOf);
    const rest = began.length - singly.length;
    const more: Alert[] = rest <= 0 ? [] : [{ key: `quality more ${call.now}`, title: `${rest} more things are wrong`, says: began.slice(toldSingly, toldSingly + 20).map(({ fault }) => fault.says).join(" "), hits: [], owners: [], address: "/govern/home" }]; // prettier-ignore
    const over = ended.slice(0, toldSingly).map(({ key, kind, event, property, says }): Alert => ({ key: `quality over ${key} ${call.now}`, title: `Over: ${words[incident.kindOf(kind)]}: ${whereOf({ kind: incident.kindOf(kind), subject: { event, property }, says, share: 0 })}`, says: `It is as it should be again. It was: ${says}`, hits: [], owners: [], address: "/govern/home" })); // prettier-ignore
    await notify(call, [...singly, ...more, ...over]);
    await incident.noteNotified(store, call, began.map(({ id }) => id)); // prettier-ignore
  };

  const slasOf = async (call: WorkspaceCall) => {
    const since = new Date(call.now - 91 * dayMs).toISOString();
    const [active, own, incidents] = await Promise.all([
      activeIn(store, call.workspace.id),
      store.selectFrom("quality_slas").selectAll().where("workspace", "=", call.workspace.id).orderBy("made_at").execute(), // prettier-ignore
      store.selectFrom("quality_incidents").selectAll().where("workspace", "=", call.workspace.id).where((eb) => eb.or([eb("ended_at", "is", null), eb("ended_at", ">=", since)])).orderBy("began_at", "desc").limit(20_000).execute(), // prettier-ignore
    ]);
    const written = own.map(({ id, name, event, kinds, target, days, made_at }): incident.Promised => ({ id, name, event, kinds: Kinds.parse(JSON.parse(kinds)), target: Number(target), days: Number(days), since: Date.parse(made_at), isOfContract: false })); // prettier-ignore
    const slas = [...written, ...contractSlas(active)].map((one) => incident.standing(one, incidents, call.now));
    return { slas, incidents };
  };

  /** Says it once a month when an error budget is spent. */
  const tellSpent = async (call: WorkspaceCall): Promise<void> => {
    const { slas } = await slasOf(call);
    const month = new Date(call.now).toISOString().slice(0, 7);
    await notify(call, slas.filter(({ left }) => left <= 0).map((one): Alert => ({ key: `sla ${one.id} ${month}`, title: `The error budget of ${one.name} is spent`, says: `In ${one.days} days ${Math.round(one.badMinutes).toLocaleString("en")} minutes were bad, where ${Math.round(one.budgetMinutes).toLocaleString("en")} may be.`, hits: [], owners: [], address: "/govern/home" }))); // prettier-ignore
  };

  const lookIn = async (call: WorkspaceCall): Promise<void> => {
    await ingest.caughtUp(2_000);
    const seen = await seenIn(call);
    const events = [...new Set([...seen.days, ...seen.gaps, ...seen.breaches].map(({ event }) => event))];
    const all = events.map((event) => judged(event, seen, call.now));
    const sources = await registry.list(call.workspace.id);
    const bySource = grouped([...seen.days, ...seen.gaps, ...seen.breaches], ({ source }) => source);
    const scores = sources.map(({ id, name }) => {
      const own = <T extends { readonly source: string }>(rows: readonly T[]): T[] => rows.filter(({ source }) => source === id); // prettier-ignore
      const part = { ...seen, days: own(seen.days), gaps: own(seen.gaps), breaches: own(seen.breaches) };
      const named = [...new Set((bySource.get(id) ?? []).map(({ event }) => event))];
      return scoreOfSource(id, name, named.map((event) => judged(event, part, call.now)));
    }); // prettier-ignore
    const found = await properties(call, all, seen);
    const rules = await rulesBroken(call, seen.active);
    const order = contract.faultKinds;
    const faults = [...all.flatMap((one) => one.faults), ...rules.faults, ...found.faults]
      .toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || b.share - a.share)
      .slice(0, 200);
    const report: Report = { at: new Date(call.now).toISOString(), faults, scores, looked: { events: events.length, properties: found.names }, notLooked: rules.notLooked }; // prettier-ignore
    const row = { workspace: call.workspace.id, at: report.at, report: JSON.stringify(report) };
    await store.insertInto("quality_reports").values(row).onConflict((conflict) => conflict.column("workspace").doUpdateSet(row)).execute(); // prettier-ignore
    await tell(call, await incident.noteFaults(store, call, faults));
    await tellSpent(call);
  };

  const latest = async (call: WorkspaceCall): Promise<Report | undefined> => {
    const row = await store.selectFrom("quality_reports").select("report").where("workspace", "=", call.workspace.id).executeTakeFirst(); // prettier-ignore
    return row === undefined ? undefined : Report.parse(JSON.parse(row.report));
  };

  const ownersOf = async (call: WorkspaceCall): Promise<ReadonlyMap<string, string>> => {
    const rows = await store.selectFrom("catalog_notes").selectAll().where("workspace", "=", call.workspace.id).execute(); // prettier-ignore
    return new Map(rows.map(({ kind, name, owner }) => [`${kind} ${name}`, owner]));
  };

  /** Which sources each event came from lately. */
  const sourcesOf = async (call: WorkspaceCall): Promise<ReadonlyMap<string, readonly string[]>> => {
    const rows = await call.engine.rows(gaps(call.now - silentDays * dayMs), GapRow, { purpose: "look-up", signal: call.signal }); // prettier-ignore
    const byEvent = grouped(rows, ({ event }) => event);
    return new Map([...byEvent].map(([event, own]) => [event, own.map(({ source }) => source)]));
  };

  return defineModule({
    name: "quality",
    jobs: [{ name: "quality.look", everyMs: 3_600_000, run: lookIn }],
    operations: [
      handle(contract.report, async (call) => {
        const found = await latest(call);
        if (found === undefined)
          return { at: null, faults: [], scores: [], looked: { events: 0, properties: 0 }, notLooked: [] };
        const [made, owners] = await Promise.all([assets(call), ownersOf(call)]);
        const told = found.faults.map(({ subject, ...fault }): Told => {
          const { event, property } = subject;
          const used = property === null ? ({ kind: "event", id: event } as const) : ({ kind: "property", id: property, event } as const); // prettier-ignore
          const owner = (property === null ? undefined : owners.get(`property ${property}`)) || owners.get(`event ${event}`) || ""; // prettier-ignore
          return { ...fault, subject, owner, hits: event === "" ? [] : usesOf(made, used).slice(0, 20) };
        });
        return { ...found, faults: told };
      }),
      handle(contract.look, async (call) => {
        await lookIn(call);
        return { ok: true as const };
      }),
      handle(contract.slas, async (call) => {
        const { slas, incidents } = await slasOf(call);
        const since = new Date(call.now - slaDays * dayMs).toISOString();
        const recent = incidents.filter(
          ({ began_at: at, ended_at: end }) => at >= since || end === null || end >= since,
        );
        const repaired = recent.flatMap(({ began_at: at, ended_at: end }) => (end === null ? [] : [(Date.parse(end) - Date.parse(at)) / 60_000])); // prettier-ignore
        return {
          slas,
          incidents: recent.slice(0, 200).map(({ id, kind, event, property, says, began_at: beganAt, ended_at: endedAt, notified_at: notifiedAt }) => ({ id, kind: incident.kindOf(kind), subject: { event, property }, says, beganAt, endedAt, notifiedAt })), // prettier-ignore
          repairMinutes: repaired.length === 0 ? null : sum(repaired) / repaired.length,
        };
      }),
      handle(contract.setSla, async (call, { kinds, ...given }) => {
        const { count } = await store.selectFrom("quality_slas").select(({ fn }) => fn.countAll().as("count")).where("workspace", "=", call.workspace.id).executeTakeFirstOrThrow(); // prettier-ignore
        if (Number(count) >= 200) throw new Refusal("quality.too_many", "A workspace promises at most 200 things.");
        const id = newId("sla");
        await store.insertInto("quality_slas").values({ id, workspace: call.workspace.id, ...given, kinds: JSON.stringify(kinds), made_at: new Date(call.now).toISOString() }).execute(); // prettier-ignore
        return { id };
      }),
      handle(contract.removeSla, async (call, { id }) => {
        const { numDeletedRows } = await store.deleteFrom("quality_slas").where("workspace", "=", call.workspace.id).where("id", "=", id).executeTakeFirst(); // prettier-ignore
        if (numDeletedRows === 0n) throw new Refusal("quality.unknown", "There is no such promise.", {}, 404);
        return { ok: true as const };
      }),
      handle(contract.ofMetric, async (call, { metric }) => {
        const found = await latest(call);
        const definition = (await assets(call)).find(({ kind, id }) => kind === "metric" && id === metric)?.definition;
        if (found === undefined || definition === undefined) return { score: null, faults: [], at: null };
        const faults = found.faults.filter(
          ({ subject: { event, property } }) =>
          isUsedIn(definition, property === null ? { kind: "event", id: event } : { kind: "property", id: property, event }), // prettier-ignore
        );
        const sources = await sourcesOf(call);
        const from = new Set(
          [...sources].flatMap(([id, own]) => (isUsedIn(definition, { kind: "event", id }) ? own : [])),
        );
        const scores = found.scores.filter(({ source, score }) => from.has(source) && score !== null);
        const score = scores.length === 0 ? null : Math.min(...scores.map((one) => one.score ?? 100));
        return { score, faults, at: found.at };
      }),
    ],
  });
};
