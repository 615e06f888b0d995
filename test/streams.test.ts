import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { countsOf as lifecycleCounts } from "#insights/lifecycle/compute.ts";
import { LifecycleInput } from "#insights/lifecycle/contract.ts";
import { lifecycleQuery } from "#insights/lifecycle/query.ts";
import { ConversionInput, FunnelInput } from "#insights/funnels/contract.ts";
import { conversionQuery, funnelQuery } from "#insights/funnels/query.ts";
import { JourneyInput } from "#insights/journeys/contract.ts";
import { linksQuery } from "#insights/journeys/query.ts";
import { RetentionInput } from "#insights/retention/contract.ts";
import { retentionQuery } from "#insights/retention/query.ts";
import { SessionsInput } from "#insights/sessions/contract.ts";
import { sessionList, sessionsQuery } from "#insights/sessions/query.ts";
import { StickinessInput } from "#insights/stickiness/contract.ts";
import { stickinessQuery } from "#insights/stickiness/query.ts";
import { bucketNumber } from "#insights/common/time.ts";
import { noVeil } from "#kernel/classes.ts";
import { literal, sql, type Sql } from "#kernel/sql.ts";
import { keysOf } from "#records/people/keys.ts";
import type { Scope } from "#records/events/scope.ts";
import { useWorld } from "#test/world.ts";

/**
 * Each kind of question on random streams of events, answered twice: by the statement that the program puts to the
 * engine, and by a plain walk over the events. A stream has event names of its own, so that all lie in one workspace
 * and several are asked at once. STREAMS=2000 asks more of them, in some twenty minutes.
 */
const streamCount = Math.ceil(Number(process.env["STREAMS"] ?? 200) / 100) * 100;
/** How many are asked with one statement: the time in which it is planned grows faster than it does. */
const atOnce = 10;
/** How long a kind may take. */
const longest = streamCount * 600;
const zone = "America/New_York";
const from = Date.parse("2026-03-05T05:00:00Z"); // local midnight; clocks go forward on 8 March
const days = ["2026-03-05", "2026-03-06", "2026-03-07", "2026-03-08", "2026-03-09", "2026-03-10"];
const range = { from, to: Date.parse("2026-03-11T04:00:00Z") };
const minute = 60_000;

interface Event {
  readonly who: number;
  readonly device: boolean;
  readonly name: "A" | "B" | "C";
  readonly minute: number;
  readonly document: string;
}

const anEvent: fc.Arbitrary<Event> = fc.record({
  who: fc.integer({ min: 0, max: 3 }),
  device: fc.boolean(),
  name: fc.constantFrom("A", "B", "C"),
  document: fc.constantFrom("", "x", "y"),
  // from two days before the range to a day after it, in steps of 45 minutes, so that windows, pauses and days often end
  // exactly where an event lies, and events at one moment
  minute: fc
    .oneof(fc.integer({ min: -64, max: 224 }), fc.integer({ min: 90, max: 100 }), fc.constantFrom(20, 68, 116))
    .map((step) => step * 45),
});
const streams = fc.sample(fc.array(anEvent, { minLength: 1, maxLength: 24 }), { numRuns: streamCount, seed: 11 });

const timeOf = (event: Event): number => from + event.minute * minute;
const formatter = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" });
const dayOf = (ms: number): string => formatter.format(ms);
const firstDay = bucketNumber(from, "day", zone);
const slotOf = (event: Event): number => bucketNumber(timeOf(event), "day", zone) - firstDay;
const people = [0, 1, 2, 3];
/** Who is counted: persons, or the two accounts that they belong to. */
const units = { people, accounts: [0, 1] } as const;
type Unit = keyof typeof units;
const ownOf = (events: readonly Event[], unit: Unit, one: number): Event[] =>
  inOrder(events).filter(({ who }) => (unit === "people" ? who : who % 2) === one);
const inside = (event: Event): boolean => timeOf(event) >= range.from && timeOf(event) < range.to;
const inOrder = (events: readonly Event[]): Event[] => [...events].sort((a, b) => a.minute - b.minute);

const world = useWorld();
let scope: Scope;
/** The same streams, where half of what a person does is joined to them, and where nobody is joined: then statements are asked in shares. */
let scopes: { readonly joined: Scope; readonly apart: Scope };

const scopeOf = async (isJoined: boolean): Promise<Scope> => {
  const workspace = await world.newWorkspace({ zone });
  const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
  for (let at = 0; at < streamCount; at += 100) {
    const batch = streams.slice(at, at + 100).flatMap((events, place) =>
      events.map((event) => ({
        name: `${event.name}${at + place}`,
        at: timeOf(event),
        properties: event.document === "" ? {} : { document: event.document },
        account: `account ${event.who % 2}`,
        ...(isJoined && event.device ? { anonymousId: `device ${event.who}` } : { userId: `person ${event.who}` }),
      })),
    );
    const { rejected } = await world.system.ingest.accept(source, batch);
    expect(rejected).toEqual([]);
  }
  // half of what a person does comes from a device, which is joined to them by the last call
  const joins = people.map((who) => ({ userId: `person ${who}`, anonymousId: `device ${who}` }));
  if (isJoined) await world.system.ingest.accept(source, joins);
  await world.settled();
  const { engine } = (await world.system.directory.find(workspace))!;
  const { hasMerges } = await world.system.ingest.freshIdentities(workspace);
  expect(hasMerges).toBe(isJoined);
  return { engine, zone, weekStart: "monday", hasMerges, keys: keysOf("x"), veil: noVeil, now: range.to + 86_400_000 };
};

beforeAll(async () => {
  scopes = { joined: await scopeOf(true), apart: await scopeOf(false) };
  scope = scopes.joined;
}, longest);

/** Asks many streams with one statement each time; rows by stream. Both workspaces answer the same, of which one is asked half. */
const askAll = async <T>(row: z.ZodType<T>, statement: (stream: number) => Sql): Promise<T[][]> => {
  const asked = z.intersection(z.object({ stream: z.number() }), row);
  const askIn = async (where: Scope, count: number): Promise<T[][]> => {
    scope = where;
    const found: T[][] = streams.map(() => []);
    for (let at = 0; at < count; at += atOnce) {
      const parts = Array.from({ length: atOnce }, (_, place) => sql`SELECT toInt32(${literal(at + place)}) AS stream, * FROM (${statement(at + place)})`); // prettier-ignore
      const rows = await scope.engine.rows(
        parts.reduce((a, b) => sql`${a} UNION ALL ${b}`),
        asked,
        { purpose: "maintain" },
      );
      for (const one of rows) found[one.stream]?.push(one);
    }
    return found;
  };
  const half = Math.ceil(streamCount / 200) * 100;
  const apart = await askIn(scopes.apart, half);
  const joined = await askIn(scopes.joined, streamCount);
  const sorted = (rows: readonly T[]): string[] => rows.map((one) => JSON.stringify(one)).toSorted();
  for (const [stream, rows] of joined.slice(0, half).entries()) expect(sorted(apart[stream] ?? []), `stream ${stream}, nobody joined`).toEqual(sorted(rows)); // prettier-ignore
  return joined;
};

/** Fails with the first stream on which the two differ. */
const agree = (mine: (stream: number) => unknown, plain: (events: readonly Event[]) => unknown): void => {
  for (const [stream, events] of streams.entries()) {
    expect(mine(stream), `stream ${stream}: ${JSON.stringify(inOrder(events))}`).toEqual(plain(events));
  }
};

interface RetentionOptions {
  readonly onOrAfter?: boolean;
  readonly brackets?: readonly number[];
  readonly minimumOccurrences?: number;
}
/** The columns of a retention table at which somebody counts who came back so many days later. */
const columnsOf = (offsets: readonly number[], { onOrAfter = false, brackets }: RetentionOptions): number[] => {
  if (brackets === undefined)
    return onOrAfter ? Array.from({ length: Math.max(0, ...offsets) }, (_, k) => k + 1) : [...offsets];
  let from = 1;
  return brackets.flatMap((size, column) => {
    const [first, last] = [from, from + size - 1];
    from += size;
    return offsets.some((k) => k >= first && k <= last) ? [column + 1] : [];
  });
};

const slots = { range, interval: "day", first: firstDay, count: days.length } as const;

describe("each kind of question agrees with a plain walk over random streams", () => {
  it.each(["people", "accounts"] as const)(
    "lifecycle of %s",
    async (unit) => {
      const before = { ...slots, range: { ...range, from: from - 86_400_000 }, first: firstDay - 1, count: 7 };
      const rows = await askAll(z.object({ slot: z.number(), state: z.string(), units: z.number() }), (n) =>
        lifecycleQuery(scope, LifecycleInput.parse({ activity: { event: `A${n}` }, interval: "day", unit }), before),
      );
      agree(
        (stream) => lifecycleCounts(rows[stream] ?? [], days.length),
        (events) => {
          const counts = { new: [0], returning: [0], resurrecting: [0], dormant: [0] };
          for (const list of Object.values(counts)) list.push(...days.slice(1).map(() => 0));
          for (const one of units[unit]) {
            const active = new Set(
              ownOf(events, unit, one)
                .filter((event) => event.name === "A")
                .map(slotOf),
            );
            const first = Math.min(...active);
            for (const slot of days.keys()) {
              if (active.has(slot)) {
                const state = slot === first ? "new" : active.has(slot - 1) ? "returning" : "resurrecting";
                counts[state][slot]! += 1;
              } else if (active.has(slot - 1)) counts.dormant[slot]! -= 1;
            }
          }
          return counts;
        },
      );
    },
    longest,
  );

  it(
    "stickiness, plain and where a day needs two events",
    async () => {
      for (const least of [1, 2]) {
        const criterion = least === 1 ? undefined : { op: "gte", value: least };
        const rows = await askAll(z.object({ periods: z.number(), units: z.number() }), (n) =>
          stickinessQuery(scope, StickinessInput.parse({ activity: { event: `B${n}` }, criterion }), slots),
        );
        agree(
          (stream) => new Map((rows[stream] ?? []).map((row) => [row.periods, row.units])),
          (events) => {
            const counts = new Map<number, number>();
            for (const who of people) {
              const own = events.filter((event) => event.who === who && event.name === "B" && inside(event));
              const active = days.filter((day) => own.filter((event) => dayOf(timeOf(event)) === day).length >= least);
              if (active.length > 0) counts.set(active.length, (counts.get(active.length) ?? 0) + 1);
            }
            return new Map([...counts].sort(([a], [b]) => a - b));
          },
        );
      }
    },
    longest,
  );

  it(
    "sessions",
    async () => {
      const rows = await askAll(z.object({ began: z.number(), ended: z.number(), events: z.number() }), (n) => {
        const input = SessionsInput.parse({ activity: { event: `A${n}` }, gapMinutes: 45 });
        return sessionList(scope, input, range, 100);
      });
      const byStart = (a: readonly number[], b: readonly number[]): number => a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!; // prettier-ignore
      agree(
        (stream) => (rows[stream] ?? []).map(({ began, ended, events }) => [began, ended, events]).sort(byStart),
        (events) => {
          const found: number[][] = [];
          for (const who of people) {
            const times = inOrder(events).filter((event) => event.who === who && event.name === "A").map(timeOf); // prettier-ignore
            let current: number[] = [];
            const close = () => current.length > 0 && found.push([current[0]!, current.at(-1)!, current.length]);
            for (const time of times) {
              if (current.length > 0 && time - current.at(-1)! > 45 * minute) {
                close();
                current = [];
              }
              current.push(time);
            }
            close();
          }
          return found.filter(([began = 0]) => began >= range.from && began < range.to).sort(byStart);
        },
      );
    },
    longest,
  );

  it(
    "sessions by day",
    async () => {
      const Row = z.object({ bucket: z.number(), whole: z.number(), sessions: z.number(), people: z.number(), average: z.number(), median: z.number(), each: z.number(), single: z.number() }); // prettier-ignore
      const rows = await askAll(Row, (n) => sessionsQuery(scope, SessionsInput.parse({ activity: { event: `A${n}` }, gapMinutes: 45 }), range)); // prettier-ignore
      const rounded = (values: readonly number[]): number[] => values.map((value) => Math.round(value * 1_000) / 1_000);
      agree(
        (stream) =>
          (rows[stream] ?? [])
            .filter(({ sessions }) => sessions > 0)
            .map(({ bucket, whole, sessions, people: who, average, median, each, single }) => [
              whole === 1 ? -1 : bucket - firstDay,
              sessions,
              who,
              ...rounded([average, median, each, single]),
            ]) // prettier-ignore
            .sort(([a = 0], [b = 0]) => a - b),
        (events) => {
          const all = people.flatMap((who) => {
            const found: number[][] = [];
            for (const time of inOrder(events)
              .filter((event) => event.who === who && event.name === "A")
              .map(timeOf)) {
              const last = found.at(-1);
              if (last === undefined || time - last.at(-1)! > 45 * minute) found.push([time]);
              else last.push(time);
            }
            return found.map((times) => ({ who, times }));
          });
          const counted = all.filter(({ times }) => times[0]! >= range.from && times[0]! < range.to);
          const middle = (values: readonly number[]): number => {
            const sorted = values.toSorted((a, b) => a - b);
            return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
          };
          const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
          const figures = (slot: number, own: typeof counted): number[][] => {
            if (own.length === 0) return [];
            const lengths = own.map(({ times }) => (times.at(-1)! - times[0]!) / 1_000);
            return [[slot, own.length, new Set(own.map(({ who }) => who)).size, ...rounded([mean(lengths), middle(lengths), mean(own.map(({ times }) => times.length)), mean(own.map(({ times }) => Number(times.length === 1)))])]]; // prettier-ignore
          };
          const slot = ({ times }: (typeof counted)[number]): number => bucketNumber(times[0]!, "day", zone) - firstDay;
          const slots = [...new Set(counted.map(slot))].toSorted((a, b) => a - b);
          return [...figures(-1, counted), ...slots.flatMap((one) => figures(one, counted.filter((each) => slot(each) === one)))]; // prettier-ignore
        },
      );
    },
    longest,
  );

  it.each([{}, { start: "A" }, { end: "C" }, { start: "A", end: "C" }] as const)(
    "journeys %o",
    async ({ start, end }: { start?: string; end?: string }) => {
      const nodes = ["A", "B", "C"];
      const rows = await askAll(
        z.object({
          place: z.number(),
          source: z.number(),
          target: z.number(),
          journeys: z.number(),
          seconds: z.number(),
        }),
        (n) => {
          const named = (name: string | undefined) => (name === undefined ? undefined : `${name}${n}`);
          const events = nodes.map((name) => ({ event: `${name}${n}` }));
          const input = JourneyInput.parse({ events, start: named(start), end: named(end), gapMinutes: 585, steps: 4 });
          return linksQuery(scope, input, range, nodes.map((name) => `${name}${n}`)); // prettier-ignore
        },
      );
      const key = (place: number, source: string, target: string) => `${place} ${source} ${target}`;
      const name = (node: number) => nodes[node - 1] ?? "end";
      agree(
        (stream) =>
          Object.fromEntries(
            (rows[stream] ?? []).map((row) => [
              key(row.place, name(row.source), name(row.target)),
              [row.journeys, row.seconds],
            ]),
          ),
        (events) => {
          const links: Record<string, [number, number]> = {};
          const add = (link: string, seconds: number) => {
            links[link] = [(links[link]?.[0] ?? 0) + 1, (links[link]?.[1] ?? 0) + seconds];
          };
          for (const who of people) {
            const own = events
              .filter((event) => event.who === who && inside(event))
              .sort((a, b) => a.minute - b.minute || (a.name < b.name ? -1 : 1));
            const paths: Event[][] = [];
            let last: Event | undefined;
            for (const event of own) {
              if (last === undefined || event.minute - last.minute > 585) paths.push([]);
              const path = paths.at(-1)!;
              if (path.at(-1)?.name !== event.name) path.push(event);
              last = event;
            }
            for (const path of paths) {
              let cut = path;
              if (start !== undefined) {
                const at = cut.findIndex((event) => event.name === start);
                if (at < 0) continue;
                cut = cut.slice(at);
              }
              if (end !== undefined) {
                const at = cut.findIndex((event) => event.name === end);
                if (at < 0) continue;
                cut = cut.slice(0, at + 1);
              }
              const isLong = cut.length > 4;
              const fromEnd = end !== undefined && start === undefined;
              if (isLong) cut = fromEnd ? cut.slice(-4) : cut.slice(0, 4);
              for (const [at, event] of cut.entries()) {
                const next = cut[at + 1];
                if (next !== undefined) add(key(at + 1, event.name, next.name), (next.minute - event.minute) * 60);
                else if (!isLong || fromEnd) add(key(at + 1, event.name, "end"), 0);
              }
            }
          }
          return links;
        },
      );
    },
    longest,
  );

  it.each([
    ["first_time", "people"],
    ["recurring", "people"],
    ["first_in_range", "people"],
    ["first_time", "accounts"],
    ["recurring", "accounts"],
    ["recurring", "people", { onOrAfter: true }],
    ["first_time", "people", { brackets: [1, 2] }],
    ["recurring", "people", { minimumOccurrences: 2 }],
    ["first_in_range", "accounts", { minimumOccurrences: 2, onOrAfter: true }],
  ] as const)(
    "retention, %s, of %s, %o",
    async (cohorting, unit, options: RetentionOptions = {}) => {
      const grid = { range, first: firstDay, buckets: 6, columns: [6, 5, 4, 3, 2, 1] };
      const rows = await askAll(z.object({ cohort: z.number(), k: z.number(), people: z.number() }), (n) => {
        const input = RetentionInput.parse({
          start: { event: `A${n}` },
          returning: { event: `B${n}` },
          cohorting,
          unit,
          ...options,
        });
        return retentionQuery(scope, input, grid, range.to);
      });
      agree(
        (stream) =>
          Object.fromEntries(
            (rows[stream] ?? [])
              .map((row) => [`${row.cohort} ${row.k}`, row.people] as const)
              .sort(([a], [b]) => (a < b ? -1 : 1)),
          ),
        (events) => {
          const cells: Record<string, number> = {};
          for (const one of units[unit]) {
            const own = ownOf(events, unit, one);
            const starts = own.filter((event) => event.name === "A" && (cohorting === "first_time" || inside(event)));
            const came = own.filter((event) => event.name === "B" && inside(event)).map(slotOf);
            const often = (slot: number) =>
              came.filter((one) => one === slot).length >= (options.minimumOccurrences ?? 1);
            const back = new Set(came.filter(often));
            const cohorts =
              cohorting === "recurring" ? [...new Set(starts.map(slotOf))] : starts.slice(0, 1).map(slotOf);
            for (const cohort of cohorts.filter((slot) => slot >= 0 && slot < 6)) {
              const offsets = [...back].map((slot) => slot - cohort).filter((k) => k > 0);
              const hit = [0, ...columnsOf(offsets, options)];
              for (const k of hit) cells[`${cohort} ${k}`] = (cells[`${cohort} ${k}`] ?? 0) + 1;
            }
          }
          return Object.fromEntries(Object.entries(cells).sort(([a], [b]) => (a < b ? -1 : 1)));
        },
      );
    },
    longest,
  );

  it(
    "funnels with a value held constant",
    async () => {
      const windowSeconds = 36 * 3_600;
      const rows = await askAll(z.object({ counts: z.array(z.number()), sums: z.array(z.number()) }), (n) => {
        const steps = ["A", "B"].map((name) => ({ event: `${name}${n}` }));
        return funnelQuery(scope, FunnelInput.parse({ steps, windowSeconds, hold: ["document"] }), range);
      });
      agree(
        (stream) => rows[stream]?.map(({ counts, sums }) => [...counts, sums[1]])[0],
        (events) => {
          let [entered, converted, seconds] = [0, 0, 0];
          for (const who of people) {
            // every pair of steps on one document, best first: the earliest completed, then the latest begun
            const own = events.filter((event) => event.who === who);
            const starts = own.filter((event) => event.name === "A" && inside(event));
            if (starts.length > 0) entered += 1;
            const ways = starts.flatMap((start) =>
              own
                .filter((event) => event.name === "B" && event.document === start.document)
                .filter((event) => event.minute >= start.minute && (event.minute - start.minute) * 60 <= windowSeconds)
                .map((end) => [end.minute, start.minute] as const),
            );
            const [best] = ways.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
            if (best === undefined) continue;
            converted += 1;
            seconds += (best[0] - best[1]) * 60;
          }
          return [entered, converted, seconds];
        },
      );
    },
    longest,
  );

  it(
    "conversion over time",
    async () => {
      const windowSeconds = 36 * 3_600;
      const rows = await askAll(z.object({ bucket: z.number(), entered: z.number(), converted: z.number() }), (n) => {
        const steps = ["A", "B", "C"].map((name) => ({ event: `${name}${n}` }));
        return conversionQuery(scope, ConversionInput.parse({ steps, windowSeconds }), range);
      });
      agree(
        (stream) =>
          Object.fromEntries(
            (rows[stream] ?? [])
              .map((row) => [row.bucket - firstDay, [row.entered, row.converted]] as const)
              .sort(([a], [b]) => a - b),
          ),
        (events) => {
          const found: Record<number, [number, number]> = {};
          for (const who of people) {
            const own = inOrder(events).filter((event) => event.who === who);
            const reached = new Map<number, boolean>();
            for (const start of own.filter((event) => event.name === "A" && inside(event))) {
              const within = (event: Event) => timeOf(event) - timeOf(start) <= windowSeconds * 1000;
              const second = own.find((event) => event.name === "B" && event.minute >= start.minute && within(event));
              const third = second && own.find((event) => event.name === "C" && event.minute >= second.minute && within(event)); // prettier-ignore
              reached.set(slotOf(start), (reached.get(slotOf(start)) ?? false) || third !== undefined);
            }
            for (const [slot, converted] of reached) {
              const [entered, all] = found[slot] ?? [0, 0];
              found[slot] = [entered + 1, all + (converted ? 1 : 0)];
            }
          }
          return found;
        },
      );
    },
    longest,
  );

  it(
    "conversion over time from a step that may be left out",
    async () => {
      const windowSeconds = 36 * 3_600;
      const rows = await askAll(z.object({ bucket: z.number(), entered: z.number(), converted: z.number() }), (n) => {
        const steps = [{ event: `A${n}` }, { event: `B${n}`, optional: true }, { event: `C${n}` }];
        return conversionQuery(scope, ConversionInput.parse({ steps, windowSeconds, fromStep: 1 }), range);
      });
      agree(
        (stream) => Object.fromEntries((rows[stream] ?? []).filter(({ entered }) => entered > 0).map((row) => [row.bucket - firstDay, [row.entered, row.converted]] as const).sort(([a], [b]) => a - b)), // prettier-ignore
        (events) => {
          const found: Record<number, [number, number]> = {};
          for (const who of people) {
            const own = inOrder(events).filter((event) => event.who === who);
            const days = new Map<number, { came: boolean; went: boolean }>();
            for (const start of own.filter((event) => event.name === "A" && inside(event))) {
              const within = (event: Event) =>
                event.minute >= start.minute && timeOf(event) - timeOf(start) <= windowSeconds * 1000;
              const third = own.find((event) => event.name === "C" && within(event));
              const second = own.find((event) => event.name === "B" && within(event) && (third === undefined || event.minute <= third.minute)); // prettier-ignore
              const day = days.get(slotOf(start)) ?? { came: false, went: false };
              days.set(slotOf(start), {
                came: day.came || second !== undefined,
                went: day.went || third !== undefined,
              });
            }
            for (const [slot, { came, went }] of days) {
              const [entered, converted] = found[slot] ?? [0, 0];
              if (came) found[slot] = [entered + 1, converted + Number(went)];
            }
          }
          return found;
        },
      );
    },
    longest,
  );
});
