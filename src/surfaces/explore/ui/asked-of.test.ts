import { describe, expect, it } from "vitest";
import { BuiltQuestion } from "../contract.ts";
import { askedOf, isShownWhole } from "./asked-of.ts";
import { readAsked, written } from "./asked.ts";
import { questionOf } from "./question.ts";

const filters = [{ property: "plan", on: "account", op: "neq", values: ["free"] }];
const frame = { range: { from: "2026-01-01", to: "2026-02-01" }, zone: "Europe/Berlin", weekStart: "sunday", filters };
const [a, b] = [{ event: "A", filters }, { event: null }];
const whole: [string, unknown][] = [
  ["trends", { series: [{ ...a, measure: "unique" }, { ...b, measure: "p95", property: "x" }], formulas: ["A / B"], interval: "week", compare: { offsetDays: 28 }, breakdown: { property: "plan", on: "person", and: [{ property: "os" }] } }],
  ["trends", { series: [{ ...a, measure: "rolling_unique", windowDays: 28 }], cumulative: false, movingAverage: 7 }],
  ["funnel", { steps: [a, { ...b, optional: true }, a], windowSeconds: 90, order: "unordered", hold: ["doc"], exclusionMode: "stop_chain", exclusions: [{ ...b, from: 0, to: 2 }], dates: "whole", breakdown: { property: "x", attribution: "step", step: 2 } }],
  ["conversion", { steps: [a, b], windowSeconds: 3 * 86_400, interval: "month", unit: "accounts", counting: "attempts", attempt: "first" }],
  ["retention", { start: a, returning: b, period: "week", brackets: [1, 2], minimumOccurrences: 3, onOrAfter: true, breakdown: { property: "plan" } }],
  ["retention", { start: a, returning: b, value: { property: "amount", statistic: "average" } }],
  ["journey", { events: [a], start: "A", steps: 7, gapMinutes: 60 }],
  ["lifecycle", { activity: a, interval: "month", unit: "accounts" }],
  ["stickiness", { activity: a, interval: "week", cumulative: true }],
  ["sessions", { activity: a, interval: "week", gapMinutes: 5 }],
  ["metric", { metric: "m", interval: "month", compare: true, breakdown: { property: "x" } }],
]; // prettier-ignore

describe("a saved question in the builder", () => {
  it.each(whole)("is the same question again: %s", (kind, input) => {
    const question = BuiltQuestion.parse({ kind, input: { ...frame, ...(input as object) } });
    expect(isShownWhole(question)).toBe(true);
    // and survives the address
    const again = questionOf(readAsked(JSON.parse(JSON.stringify(written(askedOf(question))))));
    const bare = ({ input }: any) => ({ ...input, breakdown: undefined });
    expect(bare(again)).toEqual(bare(question));
  });

  it("is not said to be whole where the builder leaves something out", () => {
    const question = (kind: string, input: object) => BuiltQuestion.parse({ kind, input: { ...frame, ...input } });
    expect(isShownWhole(question("stickiness", { activity: a, intervalCount: 2 }))).toBe(false);
    expect(isShownWhole(question("trends", { series: [a], formulas: ["A", "A * 2"] }))).toBe(false);
    expect(isShownWhole(question("conversion", { steps: [a, b, a], fromStep: 1 }))).toBe(false);
  });
});
