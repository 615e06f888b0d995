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

/** Whether each of the steps can have an event of its own, by trying every way. */
const canFill = (steps: readonly number[], events: readonly Event[]): boolean => {
  const [first, ...others] = steps;
  if (first === undefined) return true;
  return events.some((event, at) => (event.mask & (1 << first)) !== 0 && canFill(others, events.toSpliced(at, 1)));
};
/** Whether each of the events can fill a step of its own, by trying every way. */
const allFill = (events: readonly Event[], steps: readonly number[]): boolean => {
  const [first, ...others] = events;
  if (first === undefined) return true;
  return steps.some((step, at) => (first.mask & (1 << step)) !== 0 && allFill(others, steps.toSpliced(at, 1)));
};

interface Attempt {
  readonly times: readonly number[];
  readonly reached: number;
  readonly completed: number;
  readonly began: number;
  readonly spoiled: boolean;
  /** The last event that it looked at. */
  readonly ended: number;
}

/** One attempt, moment by moment, as docs/semantics.md says it; written anew, with lists in place of bits. */
const attemptFrom = (events: readonly Event[], start: number, question: SequenceQuestion): Attempt => {
  const first = events[start]!;
  const all = Array.from({ length: question.steps }, (_, step) => step);
  const isUnordered = question.order === "unordered";
  const times = all.map((step) => (step === 0 ? first.at : -1));
  let taken = [first];
  let [reached, completed, spoiled, ended] = [0, first.at, false, start];
  const moments = [...new Set(events.map(({ at }) => at))].filter(
    (at) => at >= first.at && at - first.at <= question.windowMs,
  );
  for (const at of moments) {
    const here = events.filter((event, index) => event.at === at && index !== start);
    const before = reached;
    if (isUnordered) {
      for (const event of here)
        if (taken.length < question.steps && allFill([...taken, event], all)) {
          times[taken.length] = at;
          taken = [...taken, event];
        }
      reached = taken.length - 1;
    } else {
      const filled: number[] = [];
      for (const step of all.slice(reached + 1)) {
        if (canFill([...filled, step], here)) {
          filled.push(step);
          times[step] = at;
        } else if (!question.optional.includes(step)) break;
      }
      reached = filled.at(-1) ?? reached;
    }
    if (reached > before) completed = at;
    ended = events.findLastIndex((event) => event.at === at);
    if (reached === question.steps - 1) break;
    const spoils = question.exclusions.some(
      ({ from, to }, rule) =>
        events.some((event) => event.at === at && (event.mask & (1 << (20 + rule))) !== 0) &&
        reached >= from &&
        reached < to &&
        (times.slice(0, from + 1).findLast((time) => time >= 0) ?? at) < at,
    );
    spoiled ||= spoils;
    if (spoils && question.exclusionMode === "stop_chain") break;
    if (question.order === "strict" && reached === before && at > first.at) break;
  }
  return { times, reached, completed, began: first.at, spoiled, ended };
};

const attemptsOf = (events: readonly Event[], question: SequenceQuestion): (readonly number[])[] => {
  const entry = question.order === "unordered" ? (1 << question.steps) - 1 : 1;
  const opens = (event: Event) => event.at < question.entryMs && (event.mask & entry) !== 0;
  const drops = ({ spoiled }: Attempt) => spoiled && question.exclusionMode === "drop_person";
  const starts = events.flatMap((event, index) => (opens(event) ? [index] : []));
  const asked = question.attempt === "first" && question.mode !== "one_after_another" ? starts.slice(0, 1) : starts;
  if (question.mode === "one_after_another") {
    const found: Attempt[] = [];
    for (const start of starts)
      if (start > (found.at(-1)?.ended ?? -1)) found.push(attemptFrom(events, start, question));
    return found.filter((one) => !drops(one)).map(({ times }) => times);
  }
  const tried = asked.map((start) => attemptFrom(events, start, question));
  if (question.mode === "every") return tried.filter((one) => !drops(one)).map(({ times }) => times);
  const firstDifference = (a: readonly number[], b: readonly number[]) =>
    a.map((time, step) => time - (b[step] ?? 0)).find((difference) => difference !== 0) ?? 0;
  const [best] = tried.toSorted(
    (a, b) =>
      b.reached - a.reached ||
      Number(drops(a)) - Number(drops(b)) ||
      a.completed - b.completed ||
      b.began - a.began ||
      firstDifference(a.times, b.times),
  );
  return best === undefined || drops(best) ? [] : [best.times];
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

  it.each(["ordered", "strict", "unordered"] as const)(
    "agrees with a plain walk on 6,000 random streams with every option: %s",
    (order) => {
      const event = fc.record({
        at: fc.integer({ min: 0, max: 14 }),
        mask: fc.oneof(fc.integer({ min: 0, max: 15 }), fc.constantFrom(1 << 20, 1 << 21)),
      });
      const ranges = fc.constantFrom({ from: 0, to: 1 }, { from: 0, to: 2 }, { from: 1, to: 2 }, { from: 1, to: 3 });
      const options = fc.record({
        steps: fc.integer({ min: 2, max: 4 }),
        attempt: fc.constantFrom("any" as const, "first" as const),
        mode: fc.constantFrom("best" as const, "one_after_another" as const, "every" as const),
        windowMs: fc.integer({ min: 1, max: 12 }),
        entryMs: fc.integer({ min: 3, max: 15 }),
        optional: order === "unordered" ? fc.constant<number[]>([]) : fc.subarray([1, 2, 3]),
        exclusionMode: fc.constantFrom("drop_person" as const, "stop_chain" as const),
        exclusions: fc.array(ranges, { maxLength: 2 }),
      });
      fc.assert(
        fc.property(fc.array(event, { maxLength: 9 }), options, (events, chosen) => {
          const { steps } = chosen;
          const question = {
            ...chosen,
            order,
            optional: chosen.optional.filter((step) => step < steps),
            exclusions: chosen.exclusions.filter(({ to }) => to < steps),
          };
          const sorted = events
            .map(({ at, mask }) => ({ at, mask: mask >= 1 << 20 ? mask : mask & ((1 << steps) - 1) }))
            .sort((a, b) => a.at - b.at || a.mask - b.mask);
          expect(ask(sorted, question)).toEqual(attemptsOf(sorted, question));
        }),
        { numRuns: 6_000 },
      );
    },
    60_000,
  );

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
