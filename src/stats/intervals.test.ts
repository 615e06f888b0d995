import { describe, expect, it } from "vitest";
import { wilson } from "./intervals.ts";

describe("the Wilson interval", () => {
  // Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3 (score without continuity correction)
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("of %i in %i is as published", (hits, n, low, high) => {
    const [from, to] = wilson(hits, n) ?? [Number.NaN, Number.NaN];
    expect(from).toBeCloseTo(low, 4);
    expect(to).toBeCloseTo(high, 4);
  });

  it("is none of nothing", () => expect(wilson(0, 0)).toBeNull());
});
