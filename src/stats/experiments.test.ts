import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { confidenceSequence, sequenceCritical } from "./always-valid.ts";
import { betaBinomial, normalEffect, probabilityBest } from "./bayes.ts";
import { cuped } from "./cuped.ts";
import { betaCdf, betaQuantile, chi2Sf, noncentralTSf, normalCdf, normalCritical, normalQuantile, normalSf, tCdf, tQuantile, tSf } from "./distributions.ts"; // prettier-ignore
import { effectOf, fieller, tTest, type Moments } from "./effects.ts";
import { crossings, designOf, equalLooks, haybittlePeto, shapedBounds, spendingBounds, spendings } from "./group-sequential.ts"; // prettier-ignore
import { metaAnalysis, shrunk } from "./meta.ts";
import { adjustPValues, adjustments, dunnettCritical } from "./multiple.ts";
import { controlShare, jointPower, meansSize, proportionsMde, proportionsPower, proportionsSize, tMde, tPower, tSize } from "./power.ts"; // prettier-ignore
import { mantelHaenszel, newcombe, twoProportions } from "./proportions.ts";
import { chiSquared, sequentialMultinomial } from "./srm.ts";
import { randomFrom } from "./random.ts";

const gaussOf = (random: () => number) => (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()); // prettier-ignore

describe("distributions", () => {
  it("undo their quantiles, and their halves add up", () => {
    const p = fc.double({ min: 1e-12, max: 1 - 1e-12, noNaN: true });
    fc.assert(
      fc.property(p, fc.double({ min: 1, max: 1e5, noNaN: true }), (share, df) => {
        expect(normalCdf(normalQuantile(share)) / share).toBeCloseTo(1, 9);
        expect(tCdf(tQuantile(share, df), df) / share).toBeCloseTo(1, 7);
        expect(normalCdf(1.3) + normalSf(1.3)).toBeCloseTo(1, 14);
        expect(tCdf(share, df) + tSf(share, df)).toBeCloseTo(1, 13);
      }),
      { numRuns: 300 },
    );
    expect(betaCdf(betaQuantile(0.3, 2.5, 7), 2.5, 7)).toBeCloseTo(0.3, 12);
    // to the ends of what a number can hold
    expect(normalQuantile(1e-300)).toBeCloseTo(-37.0471, 3);
    expect(normalSf(37) > 0 && chi2Sf(1_400, 1) > 0).toBe(true);
    // without a shift the non-central t is the t
    for (const [t, df] of [[0.5, 3], [2, 30], [2, 4_000]] as const) expect(noncentralTSf(t, df, 0)).toBeCloseTo(tSf(t, df), 10); // prettier-ignore
  });
});

/** Looks of a random walk without an effect (or with one), as z at each. */
const looksOf = (gauss: () => number, looks: number, drift: number): number[] => {
  let sum = 0;
  return Array.from({ length: looks }, (_, at) => {
    sum += gauss() + drift / Math.sqrt(looks);
    return sum / Math.sqrt(at + 1);
  });
};

describe("looking every day", () => {
  const runs = 2_000;
  const gauss = gaussOf(randomFrom(11));
  const walks = Array.from({ length: runs }, () => looksOf(gauss, 14, 0));
  const alarms = (isOver: (z: number, look: number) => boolean): number => walks.filter((walk) => walk.some(isOver)).length / runs; // prettier-ignore

  it("finds effects that are not there five times as often without a correction, and no more than alpha with one", () => {
    expect(alarms((z, at) => at === 13 && Math.abs(z) > 1.96)).toBeCloseTo(0.05, 1);
    expect(Math.abs(alarms((z, at) => at === 13 && Math.abs(z) > 1.96) - 0.05)).toBeLessThan(0.01);
    expect(alarms((z) => Math.abs(z) > 1.96)).toBeGreaterThan(0.18);
    for (const spending of spendings) {
      const { z: bounds, cumulative } = spendingBounds(spending, equalLooks(14), 0.05, 2, 2);
      expect(cumulative.at(-1)).toBeCloseTo(0.05, 10);
      expect(Math.abs(alarms((z, at) => Math.abs(z) > bounds[at]!) - 0.05), spending).toBeLessThan(0.012);
    }
    // 1,000 units a look, tuned to where it ends
    expect(alarms((z, at) => Math.abs(z) > sequenceCritical(1_000 * (at + 1), 0.05, 14_000))).toBeLessThanOrEqual(0.05); // prettier-ignore
  });

  it("stops as often as a design says, with and without an effect", () => {
    const information = equalLooks(5);
    const { z: bounds } = shapedBounds(0, information, 0.05, 2);
    const design = designOf(information, bounds, 0.05, 2, 0.8);
    const effect = gaussOf(randomFrom(5));
    const found = Array.from({ length: 4_000 }, () => looksOf(effect, 5, design.drift).findIndex((z, at) => z > bounds[at]!)); // prettier-ignore
    expect(found.filter((at) => at >= 0).length / 4_000).toBeCloseTo(0.8, 1);
    const used = found.map((at) => (at < 0 ? 1 : (at + 1) / 5)).reduce((a, b) => a + b, 0) / 4_000;
    expect(Math.abs(used * design.inflation - design.expectedAlternative)).toBeLessThan(0.02);
    const { upper, any } = crossings(information, bounds, 2, 0);
    expect(any.reduce((a, b) => a + b, 0)).toBeCloseTo(0.05, 9);
    expect(upper.reduce((a, b) => a + b, 0)).toBeCloseTo(0.025, 9);
    expect(haybittlePeto(3, information, 0.05, 2).at(-1)).toBeCloseTo(1.99, 2);
  });

  it("in one direction is no two-sided question", () => {
    const { z } = spendingBounds("obrien_fleming", equalLooks(3), 0.025, 1);
    expect(crossings(equalLooks(3), z, 1, 0).upper.reduce((a, b) => a + b, 0)).toBeCloseTo(0.025, 9);
    const two = confidenceSequence(0.1, 0.03, 5_000, 0.05, 5_000, 2);
    const one = confidenceSequence(0.1, 0.03, 5_000, 0.05, 5_000, 1);
    expect(one.lower).toBeGreaterThan(two.lower);
    expect(one.pValue).toBeLessThan(two.pValue);
  });
});

describe("plans", () => {
  const level = { alpha: 0.05, sides: 2 } as const;
  it("give the power that they promise", () => {
    const random = randomFrom(3);
    const { a } = proportionsSize(0.2, 0.26, level, 0.8, 1, "pooled");
    const n = Math.ceil(a);
    const count = (p: number): number => Array.from({ length: n }, () => Number(random() < p)).reduce((x, y) => x + y, 0);
    const found = Array.from({ length: 2_000 }, () => twoProportions({ x: count(0.2), n }, { x: count(0.26), n }, "two-sided", 0.05, false)).filter(({ z }) => z > 1.96).length / 2_000; // prettier-ignore
    expect(Math.abs(found - 0.8)).toBeLessThan(0.02);

    const gauss = gaussOf(randomFrom(8));
    const { a: each } = tSize(0.5, 1, level, 0.9, 1);
    const size = Math.ceil(each);
    const sample = (mean: number): Moments => {
      const values = Array.from({ length: size }, () => mean + gauss());
      const own = values.reduce((x, y) => x + y, 0) / size;
      return { n: size, mean: own, variance: values.reduce((x, y) => x + (y - own) ** 2, 0) / (size - 1) };
    };
    const seen = Array.from({ length: 2_000 }, () => tTest(effectOf(sample(0), sample(0.5), "absolute"), "two-sided", 0.05)).filter(({ pValue }) => pValue < 0.05).length / 2_000; // prettier-ignore
    expect(Math.abs(seen - 0.9)).toBeLessThan(0.02);
  }, 60_000); // prettier-ignore

  it("undo each other: size, power and least effect", () => {
    const shares = fc.tuple(fc.double({ min: 0.02, max: 0.6, noNaN: true }), fc.double({ min: 0.05, max: 0.3, noNaN: true }), fc.constantFrom(0.5, 1, 3)); // prettier-ignore
    fc.assert(
      fc.property(shares, ([from, lift, ratio]) => {
        const to = from * (1 + lift);
        const { a, b } = proportionsSize(from, to, level, 0.8, ratio, "pooled");
        expect(proportionsPower({ a, b }, from, to, level)).toBeCloseTo(0.8, 6);
        expect(proportionsMde({ a, b }, from, level, 0.8)).toBeCloseTo(to, 6);
      }),
      { numRuns: 100 },
    );
    const sizes = tSize(0.3, 2, level, 0.85, 2);
    expect(tPower(sizes, 0.3, 2, level)).toBeCloseTo(0.85, 8);
    expect(tMde(sizes, 2, level, 0.85)).toBeCloseTo(0.3, 6);
    expect(meansSize(1, 1, 0.1, level, 0.8, 1).a).toBeCloseTo(((1.959964 + 0.841621) ** 2 * 2) / 0.01, 1);
    expect(controlShare(3)).toBeCloseTo(0.366, 3);
    expect(jointPower(0.8, 3)).toBeCloseTo(0.95);
  });
});

describe("answers", () => {
  it("of several comparisons are in order, and never smaller than alone", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 }), (p) => {
        const by = Object.fromEntries(adjustments.map((method) => [method, adjustPValues(p, method)]));
        for (const [at, one] of p.entries()) {
          for (const method of adjustments) expect(by[method]![at]).toBeGreaterThanOrEqual(one - 1e-12);
          // each is at least as sharp as the one before
          const sharper = ["bonferroni", "holm", "hochberg", "hommel"].map((method) => by[method]![at]!);
          for (let next = 1; next < sharper.length; next += 1) expect(sharper[next]).toBeLessThanOrEqual(sharper[next - 1]! + 1e-12); // prettier-ignore
          expect(by["BH"]![at]).toBeLessThanOrEqual(by["BY"]![at]! + 1e-12);
        }
      }),
      { numRuns: 500 },
    );
    expect(dunnettCritical(2, 0.5, Number.POSITIVE_INFINITY, 0.05, 2)).toBeCloseTo(2.2121, 4);
    expect(dunnettCritical(1, 0.5, Number.POSITIVE_INFINITY, 0.05, 2)).toBeCloseTo(normalCritical(0.05, 2), 6);
    // Dunnett 1955, table for 2 treatments and 10 degrees of freedom
    expect(dunnettCritical(2, 0.5, 10, 0.05, 2)).toBeCloseTo(2.57, 2);
  });

  it("say how likely the better arm is, and hold with more data", () => {
    const found = betaBinomial({ a: 1, b: 1 }, 50, 1_000, 50, 1_000, 0.05);
    expect(found.chanceToWin).toBeCloseTo(0.5, 8);
    expect(found.lossOfControl).toBeCloseTo(found.lossOfTreatment, 10);
    expect(probabilityBest([{ mean: 0, sd: 1 }, { mean: 0, sd: 1 }, { mean: 0, sd: 1 }])[0]).toBeCloseTo(1 / 3, 10); // prettier-ignore
    expect(normalEffect(0.1, 0.05, { mean: 0, sd: 1e-9 }, 0.05).mean).toBeCloseTo(0, 10);
  });

  it("of the ratio of arms are one interval by delta, Fieller and score where there is much data", () => {
    const [a, b] = [
      { n: 50_000, mean: 10, variance: 100 },
      { n: 50_000, mean: 10.2, variance: 110 },
    ];
    const delta = tTest(effectOf(a, b, "relative"), "two-sided", 0.05);
    const exact = fieller(a, b, 0.05);
    expect(exact.lower).toBeCloseTo(delta.lower, 3);
    expect(exact.upper).toBeCloseTo(delta.upper, 3);
    expect(fieller({ n: 4, mean: 1, variance: 100 }, b, 0.05)).toMatchObject({ lower: Number.NEGATIVE_INFINITY });
    // a baseline below 0 does not turn the direction round
    expect(effectOf({ n: 10, mean: -10, variance: 1 }, { n: 10, mean: -5, variance: 1 }, "relative").estimate).toBe(0.5); // prettier-ignore
    const score = newcombe({ x: 200, n: 20_000 }, { x: 250, n: 20_000 }, 0.05);
    const z = twoProportions({ x: 200, n: 20_000 }, { x: 250, n: 20_000 }, "two-sided", 0.05, false);
    expect(score.lower).toBeCloseTo(z.lower, 4);
  });

  it("with covariates are sharper by what these explain, and the same on average", () => {
    const gauss = gaussOf(randomFrom(21));
    const units = (shift: number) => Array.from({ length: 4_000 }, () => {
      const x = gauss();
      return { y: 5 + shift + 0.8 * x + 0.6 * gauss(), x: [x, gauss()] };
    }); // prettier-ignore
    const found = cuped(units(0), units(0.1), "absolute", 0.05);
    expect(found.theta[0]).toBeCloseTo(0.8, 1);
    expect(found.theta[1]).toBeCloseTo(0, 1);
    expect(found.reduction).toBeCloseTo(0.64, 1);
    expect(Math.abs(found.estimate - 0.1)).toBeLessThan(3 * found.standardError);
    expect(() => cuped([{ y: 1, x: [1] }, { y: 2, x: [1] }], [{ y: 1, x: [1] }, { y: 2, x: [1] }], "absolute", 0.05)).toThrow(/says nothing/); // prettier-ignore
  });

  it("see a mismatch of arms, also when looked at every day", () => {
    expect(chiSquared([5_000, 5_000], [1, 1]).pValue).toBe(1);
    expect(chiSquared([10, 0, 10], [1, 0, 1])).toMatchObject({ df: 1, pValue: 1 });
    expect(chiSquared([10, 1, 10], [1, 0, 1]).pValue).toBe(0);
    const random = randomFrom(9);
    const alarms = Array.from({ length: 500 }, () => {
      const seen = [0, 0];
      return Array.from({ length: 20 }, () => {
        for (let n = 0; n < 100; n += 1) seen[Number(random() < 0.5)]! += 1;
        return sequentialMultinomial(seen, [1, 1], 2).pValue;
      }).some((p) => p < 0.05);
    }).filter(Boolean).length; // prettier-ignore
    expect(alarms / 500).toBeLessThanOrEqual(0.05);
    expect(sequentialMultinomial([5_300, 4_700], [1, 1], 2).pValue).toBeLessThan(1e-5);
  });

  it("of many experiments draw the winners towards the rest", () => {
    const same = metaAnalysis(Array.from({ length: 5 }, () => ({ estimate: 0.1, variance: 0.01 })));
    expect(same).toMatchObject({ tau2: 0, i2: 0 });
    expect(same.fixed.standardError).toBeCloseTo(Math.sqrt(0.01 / 5), 12);
    const apart = metaAnalysis([{ estimate: 0, variance: 0.01 }, { estimate: 1, variance: 0.01 }]); // prettier-ignore
    expect(apart.tau2).toBeCloseTo(0.49, 12);
    expect(shrunk({ estimate: 0.4, variance: 0.01 }, 0, 0.01)).toEqual({ mean: 0.2, variance: 0.005, weight: 0.5 });
    // one stratum is the plain odds ratio
    const one = mantelHaenszel([{ a: { x: 10, n: 100 }, b: { x: 20, n: 100 } }]);
    expect(one.oddsRatio).toBeCloseTo((20 / 80) / (10 / 90), 12); // prettier-ignore
  });
});
