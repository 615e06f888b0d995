import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aucOfLow, averageRecall, bootstrapped, quadraticKappa, spearman, type Pair } from "./agreement.ts";

const of = (...pairs: readonly (readonly [number, number])[]): Pair[] => pairs.map(([score, label]) => ({ score, label })); // prettier-ignore

describe("agreement", () => {
  it("is Cohen's with squared weights, by the table of observed and expected", () => {
    const pairs = of([1, 1], [2, 1], [3, 3], [4, 5], [5, 5], [2, 4], [3, 2], [5, 4], [1, 2], [4, 4]);
    // by hand: weights (i − j)² / 16, observed against the product of both sides' shares
    const share = (side: "score" | "label", value: number) => pairs.filter((one) => one[side] === value).length / pairs.length; // prettier-ignore
    let [observed, expected] = [0, 0];
    for (let i = 1; i <= 5; i += 1)
      for (let j = 1; j <= 5; j += 1) {
        const weight = (i - j) ** 2 / 16;
        observed += (weight * pairs.filter(({ score, label }) => score === i && label === j).length) / pairs.length;
        expected += weight * share("score", i) * share("label", j);
      }
    expect(quadraticKappa(pairs)).toBeCloseTo(1 - observed / expected, 12);
    expect(quadraticKappa(of([1, 1], [5, 5], [3, 3]))).toBe(1);
    expect(quadraticKappa(of([1, 5], [5, 1]))).toBe(-1);
    expect(quadraticKappa(of([3, 1], [3, 5]))).toBe(0); // a constant agrees no more than chance
  });

  it("ranks with ties, and counts who of two is the lower", () => {
    // scipy.stats.spearmanr([1, 2, 2, 4], [1, 3, 2, 2]): 0.5
    expect(spearman(of([1, 1], [2, 3], [2, 2], [4, 2]))).toBeCloseTo(0.5, 12);
    expect(spearman(of([1, 2], [2, 4], [3, 9]))).toBeCloseTo(1, 12);
    expect(aucOfLow(of([1, 1], [2, 5], [2, 1], [4, 5]), (label) => label < 3)).toBeCloseTo(0.875, 12);
    expect(aucOfLow(of([1, 4]), (label) => label < 3)).toBeNaN();
    expect(averageRecall(of([1, 1], [4, 1], [3, 3], [5, 5]))).toBeCloseTo((0.5 + 1 + 1) / 3, 12);
  });

  it("takes a weight as so many of the same", () => {
    const one = fc.record({ score: fc.integer({ min: 10, max: 50 }).map((tenths) => tenths / 10), label: fc.integer({ min: 1, max: 5 }), weight: fc.integer({ min: 1, max: 4 }) }); // prettier-ignore
    fc.assert(
      fc.property(fc.array(one, { minLength: 3, maxLength: 20 }), (pairs) => {
        const each = pairs.flatMap(({ score, label, weight }) => Array.from({ length: weight }, () => ({ score, label })));
        for (const measure of [quadraticKappa, spearman, averageRecall, (some: readonly Pair[]) => aucOfLow(some, (label) => label < 3)]) {
          const [weighted, plain] = [measure(pairs), measure(each)];
          if (Number.isFinite(plain)) expect(weighted).toBeCloseTo(plain, 9);
          else expect(Number.isFinite(weighted)).toBe(false);
        }
      }),
    );
  }); // prettier-ignore

  it("has an interval that is the same each time, and narrower for more", () => {
    const some = Array.from({ length: 400 }, (_, n) => ({ score: 1 + (n % 5), label: 1 + ((n * (n % 3 === 0 ? 7 : 1)) % 5) })); // prettier-ignore
    const [few, many] = [bootstrapped(some.slice(0, 40), spearman)!, bootstrapped(some, spearman)!];
    expect(bootstrapped(some, spearman)).toEqual(many);
    expect(many.upper - many.lower).toBeLessThan(few.upper - few.lower);
    expect(many.lower < spearman(some) && many.upper > spearman(some)).toBe(true);
    expect(bootstrapped(some.slice(0, 9), spearman)).toBeNull();
  });
});
