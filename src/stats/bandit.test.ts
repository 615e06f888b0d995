import { describe, expect, it } from "vitest";
import { batchedEffect, thompsonShares, type Batch, type Seen } from "./bandit.ts";
import { randomFrom } from "./random.ts";

const sampleOf = (random: () => number) => (n: number, mean: number): Seen => {
  const values = Array.from({ length: n }, () => mean + Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())); // prettier-ignore
  const own = values.reduce((a, b) => a + b, 0) / n;
  return { n, mean: own, variance: values.reduce((a, b) => a + (b - own) ** 2, 0) / (n - 1) };
}; // prettier-ignore
const joined = (a: Seen, b: Seen): Seen => {
  if (a.n === 0) return b;
  const n = a.n + b.n;
  const apart = b.mean - a.mean;
  return { n, mean: a.mean + (apart * b.n) / n, variance: ((a.n - 1) * a.variance + (b.n - 1) * b.variance + (apart * apart * a.n * b.n) / n) / (n - 1) }; // prettier-ignore
};

/** A bandit of 20 batches of 100 units. */
const run = (sample: ReturnType<typeof sampleOf>, effect: number) => {
  const none: Seen = { n: 0, mean: 0, variance: 0 };
  let [a, b] = [none, none];
  const batches: Batch[] = [];
  for (let at = 0; at < 20; at += 1) {
    const [, share = 0.5] = thompsonShares([a, b], 0.1);
    const given = Math.round(100 * share);
    const [control, treatment] = [sample(100 - given, 0), sample(given, effect)];
    batches.push({ control, treatment });
    [a, b] = [joined(a, control), joined(b, treatment)];
  }
  const plain = (b.mean - a.mean) / Math.sqrt(a.variance / a.n + b.variance / b.n);
  return { batches, plain, control: a, treatment: b };
};

describe("a bandit", () => {
  it("gives the better arm more, and each its least share", () => {
    const seen = (mean: number, n = 100): Seen => ({ n, mean, variance: 1 });
    expect(thompsonShares([seen(0), seen(0)], 0)).toEqual([expect.closeTo(0.5, 9), expect.closeTo(0.5, 9)]);
    // two normals: the chance is that of their difference
    expect(thompsonShares([seen(0), seen(0.2)], 0)[1]).toBeCloseTo(0.92135, 4);
    expect(thompsonShares([seen(0), seen(9)], 0.1)).toEqual([expect.closeTo(0.1, 9), expect.closeTo(0.9, 9)]);
    expect(thompsonShares([seen(0), seen(9), { n: 1, mean: 4, variance: 0 }], 0.1).map((one) => one.toFixed(3))).toEqual(["0.333", "0.333", "0.333"]); // prettier-ignore
    const three = thompsonShares([seen(0), seen(0.1), seen(0.3)], 0.05);
    expect(three.reduce((x, y) => x + y, 0)).toBeCloseTo(1, 12);
    expect(three.toSorted((x, y) => x - y)).toEqual(three);
    expect(() => thompsonShares([seen(0), seen(1)], 0.6)).toThrow(RangeError);
    expect(batchedEffect([], 0.05)).toBeNull();
  });

  it("can be read afterwards, where all units together mislead", () => {
    const runs = 2_000;
    const sample = sampleOf(randomFrom(17));
    let [honest, plain, low, covered, earned] = [0, 0, 0, 0, 0];
    for (let at = 0; at < runs; at += 1) {
      const none = run(sample, 0);
      if (batchedEffect(none.batches, 0.05)!.pValue < 0.05) honest += 1;
      if (Math.abs(none.plain) > 1.96) plain += 1;
      low += none.control.mean / runs;
      const some = run(sample, 0.2);
      const { lower, upper } = batchedEffect(some.batches, 0.05)!;
      if (lower <= 0.2 && upper >= 0.2) covered += 1;
      earned += some.treatment.n / 2_000 / runs;
    }
    expect(Math.abs(honest / runs - 0.05)).toBeLessThan(0.012);
    expect(Math.abs(covered / runs - 0.95)).toBeLessThan(0.012);
    expect(plain / runs).toBeGreaterThan(0.065);
    expect(low).toBeLessThan(-0.005); // means are too low: an arm that looks bad by chance is hardly tried again
    expect(earned).toBeGreaterThan(0.75);
  }, 120_000);
});
