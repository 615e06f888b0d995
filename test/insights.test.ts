import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RetentionResult } from "#insights/retention/contract.ts";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { useWorld } from "#test/world.ts";

/** The same questions answered twice: by the program, and by a plain walk over the events. */

const world = useWorld();
const zone = "America/New_York";
const from = Date.parse("2026-03-05T05:00:00Z"); // local midnight; clocks go forward on 8 March
const days = ["2026-03-05", "2026-03-06", "2026-03-07", "2026-03-08", "2026-03-09", "2026-03-10"];
const range = { from: "2026-03-05", to: "2026-03-10" };

interface Event {
  readonly who: number;
  readonly device: boolean;
  readonly name: "A" | "B";
  readonly minute: number;
  readonly plan: string;
}

const anEvent: fc.Arbitrary<Event> = fc.record({
  who: fc.integer({ min: 0, max: 5 }),
  device: fc.boolean(),
  name: fc.constantFrom("A", "B"),
  // from a day before the range to a day after it
  minute: fc.integer({ min: -1_440, max: 7 * 1_440 }),
  plan: fc.constantFrom("", "x", "y", "z"),
});

const timeOf = (event: Event): number => from + event.minute * 60_000;
const formatter = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" });
const dayOf = (event: Event): string => formatter.format(timeOf(event));
const count = <T>(items: readonly T[]): number => new Set(items).size;

const load = async (events: readonly Event[]): Promise<string> => {
  const workspace = await world.newWorkspace({ zone });
  const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
  // half of what a person does comes from a device, which is joined to them by the last call
  const sent = events.map((event) => ({
    name: event.name,
    at: timeOf(event),
    properties: event.plan === "" ? {} : { plan: event.plan },
    ...(event.device ? { anonymousId: `device ${event.who}` } : { userId: `person ${event.who}` }),
  }));
  const joins = [0, 1, 2, 3, 4, 5].map((who) => ({ userId: `person ${who}`, anonymousId: `device ${who}` }));
  await world.system.ingest.accept(source, [...sent, ...joins]);
  return workspace;
};

const streams = fc.sample(fc.array(anEvent, { minLength: 1, maxLength: 60 }), { numRuns: 12, seed: 7 });

it("refuses a condition that cannot be put, whatever is asked beside it, and leaves no promise that nobody hears of", async () => {
  const heard: unknown[] = [];
  const hear = (reason: unknown): void => void heard.push(reason);
  process.on("unhandledRejection", hear);
  for (const measure of ["total", "unique", "avg", "p90"]) {
    const series = [
      { event: "A", measure, property: "n", filters: [{ property: "x", op: "gt", values: ["no number"] }] },
    ];
    const question = { range, series, compare: { offsetDays: 7 } };
    await expect(world.ask("trends.ask", question)).rejects.toMatchObject({ code: "filter.number" });
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.off("unhandledRejection", hear);
  expect(heard).toEqual([]);
});

describe("answers on random streams", () => {
  it.each(streams.map((events, index) => [index, events] as const))(
    "agree with a plain walk over the events (stream %i)",
    async (_, events) => {
      const workspace = await load(events);
      const inside = events.filter((event) => days.includes(dayOf(event)));

      const people = await world.ask<TrendsResult>(
        "trends.ask",
        {
          range,
          series: [
            { event: "A", measure: "unique" },
            { event: null, measure: "total" },
          ],
        },
        workspace,
      );
      expect(people.buckets).toEqual(days);
      const uniques = days.map((day) =>
        count(inside.filter((event) => event.name === "A" && dayOf(event) === day).map(({ who }) => who)),
      );
      const totals = days.map((day) => inside.filter((event) => dayOf(event) === day).length);
      expect(people.lines.map(({ values }) => values)).toEqual([uniques, totals]);
      expect(people.lines[0]?.total).toBe(count(inside.filter(({ name }) => name === "A").map(({ who }) => who)));

      const byPlan = await world.ask<TrendsResult>(
        "trends.ask",
        { range, display: "total", series: [{ event: "A", measure: "unique" }], breakdown: { property: "plan" } },
        workspace,
      );
      const plans = new Map(byPlan.lines.map(({ group, total }) => [group, total]));
      for (const plan of ["", "x", "y", "z"]) {
        const expected = count(
          inside.filter((event) => event.name === "A" && event.plan === plan).map(({ who }) => who),
        );
        expect(plans.get(plan) ?? 0).toBe(expected);
      }

      // the two largest plans by name, the others counted anew as Other; two measures over one read
      const grouped = await world.ask<TrendsResult>(
        "trends.ask",
        {
          range,
          series: [
            { event: "A", measure: "unique" },
            { event: null, measure: "total" },
          ],
          breakdown: { property: "plan", limit: 2 },
        },
        workspace,
      );
      const peopleOf = (some: readonly Event[]): number =>
        count(some.filter((e) => e.name === "A").map(({ who }) => who));
      const sizes = ["", "x", "y", "z"]
        .map((plan) => ({ plan, own: inside.filter((event) => event.plan === plan) }))
        .filter(({ own }) => own.length > 0)
        .map(({ plan, own }) => ({ plan, size: peopleOf(own) + own.length }))
        .sort((a, b) => b.size - a.size || (a.plan < b.plan ? -1 : 1));
      const kept = sizes.slice(0, 2).map(({ plan }) => plan);
      const groupOf = (event: Event): string => (kept.includes(event.plan) ? event.plan : "$other");
      for (const group of [...kept, ...(sizes.length > 2 ? ["$other"] : [])]) {
        const own = inside.filter((event) => groupOf(event) === group);
        const lines = grouped.lines.filter((line) => line.group === group);
        expect(lines.map((line) => line.values)).toEqual([
          days.map((day) => peopleOf(own.filter((event) => dayOf(event) === day))),
          days.map((day) => own.filter((event) => dayOf(event) === day).length),
        ]);
        expect(lines.map((line) => line.total)).toEqual([peopleOf(own), own.length]);
      }
      expect(new Set(grouped.lines.map((line) => line.group)).size).toBe(Math.min(sizes.length, 3));

      // people of the last three days, day by day, beside a plain count
      const rolling = await world.ask<TrendsResult>(
        "trends.ask",
        {
          range,
          series: [
            { event: "A", measure: "rolling_unique", windowDays: 3 },
            { event: "B", measure: "total" },
          ],
        },
        workspace,
      );
      const before = ["2026-03-03", "2026-03-04", ...days];
      expect(rolling.lines.map((line) => line.values)).toEqual([
        days.map((_, n) => peopleOf(events.filter((event) => before.slice(n, n + 3).includes(dayOf(event))))),
        days.map((day) => inside.filter((event) => event.name === "B" && dayOf(event) === day).length),
      ]);
      expect(rolling.lines[0]?.total).toBe(peopleOf(events.filter((event) => before.slice(-3).includes(dayOf(event)))));

      for (const [cohorting, onOrAfter] of [
        ["recurring", false],
        ["first_time", false],
        ["first_time", true],
        ["first_in_range", false],
      ] as const) {
        const result = await world.ask<RetentionResult>(
          "retention.ask",
          { range, start: { event: "A" }, returning: { event: "B" }, cohorting, onOrAfter },
          workspace,
        );
        const matrix = days.map((day, row) =>
          days.slice(row).map((_later, k) => {
            const started = [0, 1, 2, 3, 4, 5].filter((who) => {
              const starts = (cohorting === "first_time" ? events : inside)
                .filter((event) => event.who === who && event.name === "A")
                .sort((a, b) => a.minute - b.minute);
              const [first] = starts;
              return cohorting === "recurring"
                ? starts.some((event) => dayOf(event) === day)
                : first !== undefined && dayOf(first) === day;
            });
            if (k === 0) return started.length;
            return started.filter((who) =>
              inside.some(
                (event) =>
                  event.who === who &&
                  event.name === "B" &&
                  (onOrAfter ? days.indexOf(dayOf(event)) >= row + k : dayOf(event) === days[row + k]),
              ),
            ).length;
          }),
        );
        expect(
          result.groups[0]?.cohorts.map(({ counts }) => counts),
          `${cohorting} ${onOrAfter}`,
        ).toEqual(matrix);
      }
    },
  );
});
