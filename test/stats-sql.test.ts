import { describe, expect, it } from "vitest";
import { z } from "zod";
import { sql } from "#kernel/sql.ts";
import { cuped } from "#stats/cuped.ts";
import { effectOf, momentsOf, ratioMoments, tTest, type Arm } from "#stats/effects.ts";
import { twoProportions } from "#stats/proportions.ts";
import { clusteredMean } from "#stats/quantiles.ts";
import { useWorld } from "./world.ts";

const world = useWorld();
const Sums = z.object({ arm: z.number(), n: z.number(), y: z.number(), yy: z.number(), d: z.number(), dd: z.number(), yd: z.number(), x: z.number(), xx: z.number(), xy: z.number(), c: z.number() }); // prettier-ignore
const Row = z.object({ arm: z.number(), y: z.number(), d: z.number(), x: z.number(), c: z.number() });
const Test = z.object({ t: z.number(), p: z.number(), low: z.number(), high: z.number() });

describe("statistics from sums that the engine makes", () => {
  it("agree with the engine's own tests and with the rows themselves: lift, ratio and covariates", async () => {
    const { engine } = (await world.system.directory.find(world.workspace))!;
    await engine.command(sql`CREATE TABLE units ENGINE = Memory AS
      SELECT toUInt8(number % 2) AS arm, (cityHash64(number, 1) % 1000) / 100. AS x, x * 0.7 + (cityHash64(number, 2) % 1000) / 200. + arm * 0.2 AS y,
        toFloat64(1 + cityHash64(number, 3) % 5) AS d, toUInt8(cityHash64(number, 4) % 100 < 20 + arm * 5) AS c FROM numbers(4001)`);
    const sums = await engine.rows(
      sql`SELECT toInt32(arm) AS arm, toFloat64(count()) AS n, sum(units.y) AS y, sum(units.y * units.y) AS yy, sum(units.d) AS d, sum(units.d * units.d) AS dd, sum(units.y * units.d) AS yd,
        sum(units.x) AS x, sum(units.x * units.x) AS xx, sum(units.x * units.y) AS xy, toFloat64(sum(units.c)) AS c FROM units GROUP BY arm ORDER BY arm`,
      Sums,
    );
    const [a, b] = sums as [z.output<typeof Sums>, z.output<typeof Sums>];
    const rows = await engine.rows(sql`SELECT toInt32(arm) AS arm, y, d, x, toInt32(c) AS c FROM units`, Row);
    const mean = (one: typeof a): Arm => ({ kind: "mean", n: one.n, sum: one.y, sumSquares: one.yy });

    // Welch, as the engine has it (control first: its difference has the other sign)
    const ours = tTest(effectOf(momentsOf(mean(a)), momentsOf(mean(b)), "absolute"), "two-sided", 0.05);
    const [welch] = await engine.rows(sql`SELECT w.1 AS t, w.2 AS p, w.3 AS low, w.4 AS high FROM (SELECT welchTTest(0.95)(y, arm) AS w FROM units)`, Test); // prettier-ignore
    expect(ours.t).toBeCloseTo(-welch!.t, 8);
    expect(ours.pValue).toBeCloseTo(welch!.p, 8);
    expect([ours.lower, ours.upper]).toEqual([expect.closeTo(-welch!.high, 6), expect.closeTo(-welch!.low, 6)]);

    const share = twoProportions({ x: a.c, n: a.n }, { x: b.c, n: b.n }, "two-sided", 0.05, false);
    const [proportions] = await engine.rows(sql`SELECT w.1 AS t, w.2 AS p, w.3 AS low, w.4 AS high FROM (SELECT proportionsZTest(toUInt64(sumIf(c, arm = 0)), toUInt64(sumIf(c, arm = 1)), toUInt64(countIf(arm = 0)), toUInt64(countIf(arm = 1)), 0.95, 'pooled') AS w FROM units)`, Test); // prettier-ignore
    expect(Math.abs(share.z)).toBeCloseTo(Math.abs(proportions!.t), 8);
    expect(share.pValue).toBeCloseTo(proportions!.p, 8);

    // a ratio of sums from sums, against residuals of the rows
    const ratio = ratioMoments(a.n, { sum: a.y, sumSquares: a.yy }, { sum: a.d, sumSquares: a.dd }, a.yd);
    const byRow = clusteredMean(rows.filter((row) => row.arm === 0).map((row) => ({ sum: row.y, count: row.d })));
    expect(ratio.mean).toBeCloseTo(byRow.mean, 10);
    expect(ratio.variance / a.n / byRow.varianceOfMean).toBeCloseTo(1, 8);

    // covariates: θ and the spread from the engine's covariances, against the rows
    const found = cuped(rows.filter((row) => row.arm === 0).map(({ y, x }) => ({ y, x: [x] })), rows.filter((row) => row.arm === 1).map(({ y, x }) => ({ y, x: [x] })), "absolute", 0.05); // prettier-ignore
    const [theta] = await engine.rows(sql`SELECT covarSampStable(x, y) / varSampStable(x) AS theta, 1 AS n FROM units`, z.object({ theta: z.number() })); // prettier-ignore
    expect(found.theta[0]).toBeCloseTo(theta!.theta, 8);
    const [spread] = await engine.rows(sql`SELECT varSampStableIf(y - (SELECT covarSampStable(x, y) / varSampStable(x) FROM units) * x, arm = 0) AS v FROM units`, z.object({ v: z.number() })); // prettier-ignore
    expect(found.a.variance).toBeCloseTo(spread!.v, 6);
  });
});
