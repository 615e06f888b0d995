import { beforeAll, describe, expect, it } from "vitest";
import type { ConversionResult, FunnelResult } from "#insights/funnels/contract.ts";
import type { LifecycleResult } from "#insights/lifecycle/contract.ts";
import { states } from "#insights/lifecycle/contract.ts";
import type { MetricResult } from "#insights/metrics/contract.ts";
import type { RetentionResult } from "#insights/retention/contract.ts";
import type { JourneyResult } from "#insights/journeys/contract.ts";
import type { SessionsResult } from "#insights/sessions/contract.ts";
import type { StickinessResult } from "#insights/stickiness/contract.ts";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { useWorld } from "#test/world.ts";

/** Behind every number of people there are as many people, whom the same point names. */

const world = useWorld();
const day = 86_400_000;
const start = Date.parse("2026-02-02T00:00:00Z");
const range = { from: "2026-02-09", to: "2026-03-01" };
const zone = "America/New_York";

beforeAll(async () => {
  world.clock.at = Date.parse("2026-03-10T00:00:00Z");
  const source = await world.system.registry.byKey((await world.source()).writeKey);
  let seed = 7;
  const random = (n: number): number => (seed = (seed * 48_271) % 2_147_483_647) % n;
  const events = Array.from({ length: 500 }, (_, n) => {
    const who = random(25);
    return {
      name: ["A", "B", "C"][random(3)]!,
      ...(who % 5 === 0 && n % 2 === 0 ? { anonymousId: `d${who}` } : { userId: `u${who}`, anonymousId: `d${who}` }),
      at: start + random(28 * day),
      account: `a${who % 4}`,
      messageId: String(n),
      properties: { plan: ["free", "pro", ""][random(3)] },
      personTraits: n < 25 ? [{ op: "set" as const, traits: { tier: ["x", "y"][who % 2]! } }] : [],
    };
  });
  await world.system.ingest.accept(source, events as never);
  await world.settled();
});

const who = async (operation: string, input: object): Promise<number> => {
  const { people } = await world.ask<{ people: { person: string; ids: string[] }[] }>(operation, { ...input, limit: 1_000 }); // prettier-ignore
  for (const { ids } of people) expect(ids.length).toBeGreaterThan(0);
  return people.length;
};
const frame = { range, zone, filters: [{ property: "plan", op: "neq", values: ["nothing"] }] };

describe("the people of a point", () => {
  it.each([["unique"], ["rolling_unique"], ["unique_accounts"]])(
    "are those of a trend: %s",
    async (measure) => {
      const question = { ...frame, series: [{ event: "A", measure }, { event: null, measure }], interval: "day", breakdown: { property: "plan", limit: 5 } }; // prettier-ignore
      const { lines, buckets } = await world.ask<TrendsResult>("trends.ask", question);
      for (const { index, group, values } of lines)
        for (const [place, bucket] of buckets.entries())
          expect(await who("trends.who", { question, series: index, bucket, group })).toBe(values[place]);
      await expect(who("trends.who", { question, bucket: "2020-01-01" })).rejects.toMatchObject({ code: "who.bucket" });
      await expect(who("trends.who", { question, group: "$other" })).rejects.toMatchObject({ code: "who.other" });
    },
    60_000,
  );

  it("are those of a trend by several traits, over the whole range", async () => {
    const question = { ...frame, series: [{ event: "B", measure: "unique" }], display: "total", breakdown: { property: "tier", on: "person", and: [{ property: "plan" }] } }; // prettier-ignore
    const { lines } = await world.ask<TrendsResult>("trends.ask", question);
    expect(lines.length).toBeGreaterThan(3);
    for (const { group, total } of lines) expect(await who("trends.who", { question, group })).toBe(total);
  });

  it("are those of a funnel and of conversion over time", async () => {
    const funnel = { ...frame, steps: [{ event: "A" }, { event: "B" }, { event: "C" }], windowSeconds: 4 * 86_400, breakdown: { property: "plan" } }; // prettier-ignore
    const { groups } = await world.ask<FunnelResult>("funnels.ask", funnel);
    for (const { group, steps } of groups)
      for (const [step, { count }] of steps.entries())
        expect(await who("funnels.people", { funnel, step, who: "reached", group })).toBe(count);
    const conversion = { ...funnel, interval: "week", fromStep: 0, toStep: 1 };
    const answer = await world.ask<ConversionResult>("funnels.overTime", conversion);
    for (const { group, points } of answer.groups)
      for (const [place, bucket] of answer.buckets.entries()) {
        const { entered, converted } = points[place]!;
        const reached = await who("funnels.whoOverTime", { conversion, bucket, group, who: "reached" });
        expect(reached).toBe(converted);
        expect(await who("funnels.whoOverTime", { conversion, bucket, group, who: "dropped" })).toBe(entered - converted); // prettier-ignore
      }
  });

  it.each([
    [{ cohorting: "recurring" }],
    [{ cohorting: "first_time", breakdown: { property: "tier" } }],
    [{ cohorting: "first_ever", mode: "rolling" }],
    [{ cohorting: "first_time", brackets: [1, 3], onOrAfter: true, unit: "accounts" }],
  ])(
    "are those of retention: %j",
    async (options) => {
      const question = { ...frame, start: { event: "A" }, returning: { event: "B" }, period: "day", ...options };
      const { groups } = await world.ask<RetentionResult>("retention.ask", question);
      for (const { group, cohorts } of groups)
        for (const { bucket, counts } of cohorts.slice(0, 8))
          for (const [column, count] of counts.slice(0, 5).entries()) {
            const point = { question, cohort: bucket, column, group: group ?? undefined };
            expect(await who("retention.who", point)).toBe(count);
            expect(await who("retention.who", { ...point, came: false })).toBe((counts[0] ?? 0) - count);
          }
    },
    60_000,
  );

  it("are those of lifecycle and stickiness", async () => {
    for (const unit of ["people", "accounts"]) {
      const question = { ...frame, activity: { event: "A" }, interval: "day", unit };
      const lifecycle = await world.ask<LifecycleResult>("lifecycle.ask", question);
      for (const [place, bucket] of lifecycle.buckets.entries())
        for (const state of states)
          expect(await who("lifecycle.who", { question, bucket, state })).toBe(Math.abs(lifecycle[state][place]!));
      for (const cumulative of [true, false]) {
        const sticky = { ...question, cumulative };
        const { counts } = await world.ask<StickinessResult>("stickiness.ask", sticky);
        for (const [k, count] of counts.slice(0, 6).entries())
          expect(await who("stickiness.who", { question: sticky, periods: k + 1 })).toBe(count);
      }
    }
  }, 60_000);

  it("are those of sessions and journeys", async () => {
    const question = { ...frame, activity: { event: "A" }, interval: "day", gapMinutes: 60 };
    const { buckets, figures, total } = await world.ask<SessionsResult>("sessions.ask", question);
    expect(await who("sessions.who", { question })).toBe(total.people);
    for (const [place, bucket] of buckets.entries())
      expect(await who("sessions.who", { question, bucket })).toBe(figures[place]?.people);

    // with pauses as long as the range everybody has one journey, so that journeys are people
    const ways = { ...frame, gapMinutes: 43_200, steps: 4, collapse: false };
    const { places, links } = await world.ask<JourneyResult>("journeys.ask", { ...ways });
    expect(places.length).toBeGreaterThan(2);
    for (const [index, steps] of places.entries())
      for (const { name, journeys } of steps)
        expect(await who("journeys.who", { question: ways, place: index + 1, step: name })).toBe(journeys);
    for (const { place, source, target, journeys } of links)
      expect(await who("journeys.who", { question: ways, place, step: source, next: target })).toBe(journeys);
    await expect(who("journeys.who", { question: ways, place: 1, step: "$other" })).rejects.toThrow(/Other holds/);
    expect(await who("journeys.who", { question: ways, place: 1, step: "never" })).toBe(0);
  }, 60_000);

  it("are those of a metric", async () => {
    const steps = [{ event: "A" }, { event: "B" }];
    const measures: [unknown, (value: number, of: number) => number][] = [
      [{ kind: "unique", event: "A" }, (value) => value],
      [{ kind: "conversion", steps, windowSeconds: 3 * 86_400 }, (value, of) => value * of],
      [{ kind: "retention", start: { event: "A" }, returning: { event: "B" }, period: "week", after: 1 }, (value, of) => value * of],
      [{ kind: "lifecycle", activity: { event: "A" }, state: "dormant" }, (value) => value],
      [{ kind: "stickiness", activity: { event: "A" }, atLeast: 2 }, (value, of) => value * of],
    ]; // prettier-ignore
    for (const [measure, people] of measures) {
      await world.ask("metrics.define", { definition: { key: "m", name: "m", measure } });
      const question = { metric: "m", range, zone, interval: "week" };
      const { groups, buckets } = await world.ask<MetricResult>("metrics.ask", question);
      for (const [place, bucket] of buckets.entries()) {
        const { value, of } = groups[0]!.points[place]!;
        if (value !== null) expect(await who("metrics.who", { question, bucket })).toBe(Math.round(people(value, of ?? 0))); // prettier-ignore
      }
    }
  });
});

describe("people counted from the buckets in which each was active", () => {
  const ranges = [
    range,
    { from: "2026-02-11T05:00", to: "2026-02-25T17:30" },
    { from: "2026-02-10", to: "2026-02-10" },
  ];
  it.each(["UTC", "America/New_York", "Asia/Kathmandu"])("are those that distinct counts find, in %s", async (where) => {
    for (const within of ranges)
      for (const [measure, interval] of [["unique", "day"], ["unique", "week"], ["unique", "month"], ["rolling_unique", "day"]]) {
        const question = { range: within, zone: where, weekStart: "sunday", interval, series: [{ event: "A", measure, windowDays: 5 }, { event: null, measure, windowDays: 28 }] };
        const fast = await world.ask<TrendsResult>("trends.ask", question);
        // one group that holds everybody is counted the other way
        const plain = await world.ask<TrendsResult>("trends.ask", { ...question, breakdown: { property: "nobody has it" } });
        const values = ({ lines }: TrendsResult) => lines.map(({ index, values: all, total }) => ({ index, all, total })).sort((a, b) => a.index - b.index);
        expect(values(fast)).toEqual(values(plain));
      }
  }); // prettier-ignore
});
