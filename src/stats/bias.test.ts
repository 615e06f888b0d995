import { describe, expect, it } from "vitest";
import { biasOf, decisionBias, scoreBias } from "./bias.ts";

/** The worked example of ProPublica's table for COMPAS (Larson et al. 2016), two-year recidivism. */
const compas = [
  { group: "African-American", truePositive: 1369, falsePositive: 805, falseNegative: 532, trueNegative: 990 },
  { group: "Caucasian", truePositive: 505, falsePositive: 349, falseNegative: 461, trueNegative: 1139 },
];

describe("bias between groups", () => {
  it("gives the published rates", () => {
    const { rates, oddsDifference, opportunityDifference, parityRatio, parityDifference } = biasOf(compas);
    // false positive rates 44.85 and 23.45 %, false negative rates 27.99 and 47.72 %
    expect(rates.map((one) => (100 * one.falsePositiveRate!).toFixed(2))).toEqual(["44.85", "23.45"]);
    expect(rates.map((one) => (100 * (1 - one.truePositiveRate!)).toFixed(2))).toEqual(["27.99", "47.72"]);
    expect(opportunityDifference).toBeCloseTo(0.4772 - 0.2799, 3);
    expect(oddsDifference).toBeCloseTo(0.4485 - 0.2345, 3);
    expect(parityDifference).toBeCloseTo(2174 / 3696 - 854 / 2454, 6);
    expect(parityRatio).toBeCloseTo(854 / 2454 / (2174 / 3696), 6);
    expect(decisionBias(compas)).toEqual([expect.stringMatching(/0\.59 times as often/)]);
  });

  it("judges no group that is too small, and nothing where there is nothing to compare", () => {
    const few = { group: "few", truePositive: 0, falsePositive: 0, falseNegative: 5, trueNegative: 24 };
    expect(biasOf([compas[0]!, few])).toMatchObject({ parityRatio: null, oddsDifference: null, rates: [{ isJudged: true }, { n: 29, isJudged: false }] }); // prettier-ignore
    expect(decisionBias([compas[0]!, few])).toEqual([]);
    expect(biasOf([]).rates).toEqual([]);
    const never = { group: "never", truePositive: 0, falsePositive: 0, falseNegative: 0, trueNegative: 50 };
    expect(biasOf([never, { ...never, group: "b" }])).toMatchObject({ parityRatio: null, parityDifference: 0, opportunityDifference: null, oddsDifference: 0 }); // prettier-ignore
  });

  it("of a score is the gap of errors, and agreement against the best", () => {
    expect(scoreBias([{ group: "en", n: 100, error: 0.1, kappa: 0.7 }, { group: "de", n: 40, error: -0.1, kappa: 0.64 }])).toEqual([]); // prettier-ignore
    expect(scoreBias([{ group: "en", n: 100, error: 0.2, kappa: 0.7 }, { group: "de", n: 40, error: -0.1, kappa: 0.6 }, { group: "fr", n: 29, error: 3, kappa: 0 }])).toEqual([
      expect.stringMatching(/differ by 0\.30 points/),
      expect.stringMatching(/for de is 0\.60, under 0\.9 of the best \(0\.70\)/),
    ]); // prettier-ignore
  });
});
