import { beforeAll, describe, expect, it } from "vitest";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { useWorld } from "#test/world.ts";

/** A sample says how far it may be off: the truth lies within that 19 times of 20. */

const world = useWorld();
const day = 86_400_000;
const start = Date.parse("2026-01-01T00:00:00Z");
const range = { from: "2026-01-01", to: "2026-03-01" };
const series = [
  { event: "A", measure: "unique" },
  { event: "A", measure: "total" },
  { event: "A", measure: "sum", property: "amount" },
];

beforeAll(async () => {
  world.clock.at = Date.parse("2026-03-10T00:00:00Z");
  const source = await world.system.registry.byKey((await world.source()).writeKey);
  let seed = 5;
  const random = (n: number): number => (seed = (seed * 48_271) % 2_147_483_647) % n;
  // a few people do much, as everywhere
  const events = Array.from({ length: 12_000 }, (_, n) => ({
    name: "A",
    userId: `u${Math.floor(random(2_000) ** 2 / 1_000)}`,
    at: start + random(60 * day),
    messageId: String(n),
    properties: { amount: random(100) },
  }));
  for (let n = 0; n < events.length; n += 2_000) await world.system.ingest.accept(source, events.slice(n, n + 2_000));
  await world.settled();
});

const ask = (input: object) => world.ask<TrendsResult>("trends.ask", { range, series, ...input });

describe("a sample", () => {
  it.each([0.1, 0.3, 0.6])("of %d of the people is as right as it says", async (sample) => {
    const truth = await ask({});
    const guess = await ask({ sample });
    let within = 0;
    let all = 0;
    for (const [index, line] of guess.lines.entries()) {
      const exact = truth.lines[index]!;
      expect(Math.abs(line.total! - exact.total!)).toBeLessThan(1.6 * line.totalError!);
      for (const [place, value] of line.values.entries()) {
        all += 1;
        if (Math.abs(value! - exact.values[place]!) <= line.errors![place]!) within += 1;
      }
    }
    expect(all).toBe(180);
    expect(within / all).toBeGreaterThan(0.88);
    expect(within / all).toBeLessThan(1);
    expect(guess.sentence).toMatch(/± [\d,]+, from a sample/);
    // the same people again
    expect((await ask({ sample })).lines.map(({ values }) => values)).toEqual(guess.lines.map(({ values }) => values));
  });

  it("is smaller in its error the more people are asked, and refused where it would mean nothing", async () => {
    const errors = [];
    for (const sample of [0.1, 0.5, 0.9]) errors.push((await ask({ sample, display: "total" })).lines[0]!.totalError!);
    expect(errors).toEqual(errors.toSorted((a, b) => b - a));
    await expect(ask({ sample: 0.1, cumulative: true })).rejects.toMatchObject({ code: "trends.sample" });
    await expect(ask({ sample: 0.1, series: [{ event: "A", measure: "median", property: "amount" }] })).rejects.toMatchObject({ code: "trends.sample" }); // prettier-ignore
  });
});
