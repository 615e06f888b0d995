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

/** Of so many workspaces, each with a secret of its own: whom a sample asks follows from it. */
const secrets = ["a", "b", "c"];
let workspaces: string[] = [];

const fill = async (secret: string): Promise<string> => {
  const workspace = await world.newWorkspace();
  await world.system.store.updateTable("workspaces").set({ secret }).where("id", "=", workspace).execute();
  const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
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
  return workspace;
};

beforeAll(async () => {
  world.clock.at = Date.parse("2026-03-10T00:00:00Z");
  workspaces = await Promise.all(secrets.map(fill));
  await world.settled();
});

const ask = (input: object, workspace = workspaces[0]) =>
  world.ask<TrendsResult>("trends.ask", { range, series, ...input }, workspace);

describe("a sample", () => {
  it.each([0.1, 0.3, 0.6])("of %d of the people is as right as it says", async (sample) => {
    const [within, all] = [
      { points: 0, totals: 0 },
      { points: 0, totals: 0 },
    ];
    for (const workspace of workspaces) {
      const truth = await ask({}, workspace);
      const guess = await ask({ sample }, workspace);
      for (const [index, line] of guess.lines.entries()) {
        const exact = truth.lines[index]!;
        all.totals += 1;
        if (Math.abs(line.total! - exact.total!) <= line.totalError!) within.totals += 1;
        for (const [place, value] of line.values.entries()) {
          all.points += 1;
          if (Math.abs(value! - exact.values[place]!) <= line.errors![place]!) within.points += 1;
        }
      }
      expect(guess.sentence).toMatch(/± [\d,]+, from a sample/);
      // the same people again
      expect((await ask({ sample }, workspace)).lines.map(({ values }) => values)).toEqual(guess.lines.map(({ values }) => values)); // prettier-ignore
    }
    expect(all).toEqual({ points: 540, totals: 9 });
    expect(within.totals).toBeGreaterThan(7);
    expect(within.points / all.points).toBeGreaterThan(0.92);
    expect(within.points / all.points).toBeLessThan(0.99);
  });

  it("is smaller in its error the more people are asked, and refused where it would mean nothing", async () => {
    const errors = [];
    for (const sample of [0.1, 0.5, 0.9]) errors.push((await ask({ sample, display: "total" })).lines[0]!.totalError!);
    expect(errors).toEqual(errors.toSorted((a, b) => b - a));
    await expect(ask({ sample: 0.1, cumulative: true })).rejects.toMatchObject({ code: "trends.sample" });
    await expect(ask({ sample: 0.1, series: [{ event: "A", measure: "median", property: "amount" }] })).rejects.toMatchObject({ code: "trends.sample" }); // prettier-ignore
  });
});
