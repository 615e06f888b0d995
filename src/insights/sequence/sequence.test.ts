import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attemptsBeside, pack, type SequenceQuestion } from "./sequence.ts";

interface Event {
  readonly at: number;
  readonly mask: number;
}
const plain: SequenceQuestion = {
  steps: 3,
  order: "ordered",
  attempt: "any",
  mode: "best",
  windowMs: 10,
  entryMs: 1_000,
  optional: [],
  exclusionMode: "drop_person",
  exclusions: [],
};
const ask = (events: readonly Event[], question: Partial<SequenceQuestion> = {}) =>
  attemptsBeside([[...events].sort((a, b) => a.at - b.at).map(({ at, mask }) => pack(at, mask))], {
    ...plain,
    ...question,
  })[0] ?? [];

/** Every way to fill the steps with distinct rows in order, by brute force: an independent reading of the rules. */
const naive = (events: readonly Event[], steps: number, windowMs: number, entryMs: number): number[] => {
  let best: number[] = [];
  const better = (path: number[]) => {
    if (path.length !== best.length) return path.length > best.length;
    const [end, bestEnd] = [path.at(-1) ?? 0, best.at(-1) ?? 0];
    return end < bestEnd || (end === bestEnd && (path[0] ?? 0) > (best[0] ?? 0));
  };
  const go = (path: number[], used: Set<number>) => {
    if (path.length > 0 && better(path)) best = [...path];
    if (path.length === steps) return;
    events.forEach(({ at, mask }, index) => {
      if (path.length === 0 && at >= entryMs) return;
      if (used.has(index) || (mask & (1 << path.length)) === 0 || at < (path.at(-1) ?? -1)) return;
      if (at - (path[0] ?? at) > windowMs) return;
      go([...path, at], new Set([...used, index]));
    });
  };
  go([], new Set());
  return best;
};

describe("the sequence evaluator", () => {
  it("finds A then B then C", () => {
    expect(
      ask([
        { at: 1, mask: 1 },
        { at: 2, mask: 2 },
        { at: 5, mask: 4 },
      ]),
    ).toEqual([[1, 2, 5]]);
  });

  it("includes the end of the window, and nothing after", () => {
    expect(
      ask([
        { at: 0, mask: 1 },
        { at: 10, mask: 2 },
      ]),
    ).toEqual([[0, 10, -1]]);
    expect(
      ask([
        { at: 0, mask: 1 },
        { at: 11, mask: 2 },
      ]),
    ).toEqual([[0, -1, -1]]);
  });

  it("begins no attempt after the time of entry, in any order of steps", () => {
    const events = [
      { at: 5, mask: 2 },
      { at: 6, mask: 1 },
    ];
    const unordered = { order: "unordered", steps: 2 } as const;
    expect(ask(events, { ...unordered, entryMs: 6 })).toEqual([[5, 6]]);
    expect(ask(events, { ...unordered, entryMs: 5 })).toEqual([]);
    expect(ask(events, { steps: 2, entryMs: 6 })).toEqual([]);
  });

  it("takes events of one moment in any order, each for one step", () => {
    expect(
      ask([
        { at: 3, mask: 4 },
        { at: 3, mask: 1 },
        { at: 3, mask: 2 },
      ]),
    ).toEqual([[3, 3, 3]]);
    expect(
      ask([
        { at: 3, mask: 7 },
        { at: 3, mask: 7 },
      ]),
    ).toEqual([[3, 3, -1]]);
  });

  it("agrees with brute force on random streams: how far, how soon, and how late it began", () => {
    const event = fc.record({ at: fc.integer({ min: 0, max: 14 }), mask: fc.integer({ min: 0, max: 15 }) });
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 8 }),
        fc.integer({ min: 2, max: 4 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 3, max: 15 }),
        (events, steps, windowMs, entryMs) => {
          const [attempt = []] = ask(events, { steps, windowMs, entryMs });
          const reached = attempt.filter((time) => time >= 0);
          const expected = naive(events, steps, windowMs, entryMs);
          expect([reached.length, reached[0], reached.at(-1)]).toEqual([expected.length, expected[0], expected.at(-1)]);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it("gives the same answer in one pass as by following every attempt", () => {
    const event = fc.record({ at: fc.integer({ min: 0, max: 20 }), mask: fc.integer({ min: 0, max: 7 }) });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), fc.integer({ min: 3, max: 25 }), (events, entryMs) => {
        // an exclusion that never happens takes the general way
        const general = ask(events, { entryMs, exclusions: [{ from: 0, to: 2 }] });
        expect(ask(events, { entryMs })).toEqual(general);
      }),
      { numRuns: 3_000 },
    );
  });

  it("drops a person, or stops the chain, where an exclusion lies between", () => {
    const spoiled = [
      { at: 1, mask: 1 },
      { at: 2, mask: 1 << 20 },
      { at: 3, mask: 2 },
      { at: 4, mask: 4 },
    ];
    const exclusions = [{ from: 0, to: 1 }];
    expect(ask(spoiled, { exclusions })).toEqual([]);
    expect(ask(spoiled, { exclusions, exclusionMode: "stop_chain" })).toEqual([[1, -1, -1]]);
  });

  it("counts attempts one after another", () => {
    const twice = [1, 2, 3, 5, 6, 7].map((at, n) => ({ at, mask: 1 << (n % 3) }));
    expect(ask(twice, { mode: "one_after_another" })).toEqual([
      [1, 2, 3],
      [5, 6, 7],
    ]);
  });
});
