import { describe, expect, it } from "vitest";
import { chiSquared99, median, psi, psiLimit, robustZ } from "./drift.ts";

describe("counts", () => {
  it("have a median, and lie so far from it", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
    expect(robustZ(5, [])).toBeNull();
    expect(robustZ(0, [0, 0])).toBe(0);
    expect(robustZ(1, [0, 0, 0])).toBe(1);
    expect(robustZ(12, [0, 0, 0])).toBe(12);
    // Poisson's own spread where nothing ever varied
    expect(robustZ(80, [100, 100, 100])).toBeCloseTo(-2, 10);
    // one outage among them moves nothing
    expect(robustZ(6_000, [10_000, 10_020, 9_980, 0])).toBeLessThan(-3.5);
  });
});

describe("distributions", () => {
  it("are as stable as the textbook says", () => {
    expect(psi([50, 50], [50, 50])).toBe(0);
    // (0.6 − 0.5) ln(0.6 / 0.5) + (0.4 − 0.5) ln(0.4 / 0.5)
    expect(psi([60, 40], [50, 50])).toBeCloseTo(0.1 * Math.log(1.2) - 0.1 * Math.log(0.8), 12);
    expect(psi([1, 0], [0, 1])).toBeGreaterThan(10);
  });

  it("are compared by their size", () => {
    for (const [degrees, table] of [
      [2, 9.21],
      [9, 21.666],
      [30, 50.892],
    ] as const)
      // prettier-ignore
      expect(Math.abs(chiSquared99(degrees) / table - 1)).toBeLessThan(0.02);
    expect(psiLimit(100, 100, 10)).toBeCloseTo(0.02 * 21.666, 1);
    expect(psiLimit(100_000, 100_000, 10)).toBe(0.1);
  });

  it("that are the same are seldom told apart, whatever their size", () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
    const sample = (size: number): number[] => {
      const bins = Array.from({ length: 10 }, () => 0);
      for (let n = 0; n < size; n += 1) {
        const bin = Math.floor(random() * 10);
        bins[bin] = (bins[bin] ?? 0) + 1;
      }
      return bins;
    };
    for (const size of [100, 250, 1_000]) {
      const flagged = Array.from({ length: 400 }, () => psi(sample(size), sample(size)) > psiLimit(size, size, 10));
      expect(flagged.filter(Boolean).length / 400, String(size)).toBeLessThanOrEqual(0.03);
    }
  });
});
