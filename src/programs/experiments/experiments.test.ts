import { describe, expect, it } from "vitest";
import { z } from "zod";
import { noVeil } from "#kernel/classes.ts";
import { sql, type Sql } from "#kernel/sql.ts";
import type { Scope } from "#records/events/scope.ts";
import { keysOf } from "#records/people/keys.ts";
import { proportionsSize, tSize } from "#stats/power.ts";
import { useWorld } from "#test/world.ts";
import { withIdle } from "./analysis.ts";
import { Counted, dayRowOf, exposuresByDay, Moments, momentsByDay, type AnalysisQuestion } from "./analysis-query.ts";
import { PlanInput, type Plan } from "./contract.ts";
import { planOf } from "./plan.ts";

const plan = (given: object) => planOf(PlanInput.parse({ metric: { kind: "proportion", baseline: 0.1 }, effect: 0.2, design: "fixed", ...given })); // prettier-ignore

describe("a plan", () => {
  it("is that of the textbook for one look, and what a design costs beside it", () => {
    const { a } = proportionsSize(0.1, 0.12, { alpha: 0.05, sides: 2 }, 0.8, 1, "pooled");
    const fixed = plan({});
    expect(fixed.perArm).toBe(Math.ceil(a));
    expect(fixed.powerByEffect.find(({ x }) => Math.abs(x - 0.2) < 1e-9)?.y).toBeCloseTo(0.8, 3);
    // 4 % for fourteen looks of O'Brien and Fleming's kind, which on average end after 79 %; half as much again always valid
    const looks = plan({ design: "group_sequential", looks: 14, perDay: 1_000 });
    expect(looks.perArm / fixed.perArm).toBeCloseTo(1.042, 2);
    expect(looks.expectedDays! / (fixed.total / 1_000)).toBeCloseTo(0.786, 2);
    expect(plan({ design: "always_valid" }).perArm / fixed.perArm).toBeGreaterThan(1.7);
    const mean = plan({ metric: { kind: "mean", baseline: 50, sd: 20 }, effect: 0.1 });
    expect(mean.perArm / tSize(5, 20, { alpha: 0.05, sides: 2 }, 0.8, 1).a).toBeCloseTo(1, 1);
  });

  it("needs less with the time before, more for several arms and guardrails, and says until when it finds what", () => {
    const fixed = plan({}).perArm;
    expect(plan({ correlation: 0.7 }).perArm / fixed).toBeCloseTo(1 - 0.49, 2);
    const [none, bonferroni, dunnett] = (["none", "bonferroni", "dunnett"] as const).map((correction) => plan({ treatments: 3, correction })); // prettier-ignore
    expect(none!.perArm).toBe(fixed);
    expect(none!.total).toBe(4 * fixed);
    expect(dunnett!.perArm).toBeGreaterThan(none!.perArm);
    expect(bonferroni!.perArm).toBeGreaterThan(dunnett!.perArm);
    expect(plan({ guardrails: 2 }).powerEach).toBeCloseTo(1 - 0.2 / 3, 10);
    const { days, weeks, mdeByDay } = plan({ perDay: 500, share: 0.5 });
    expect(days).toBe(Math.ceil((2 * fixed) / 250));
    expect(weeks! % 7).toBe(0);
    for (const [at, one] of mdeByDay.slice(1).entries()) expect(one.y).toBeLessThan(mdeByDay[at]!.y);
    expect(mdeByDay.find(({ x }) => x === days)!.y).toBeCloseTo(0.2, 2);
    // down as well as up
    expect(plan({ effect: -0.2, perDay: 500 }).mdeByDay.at(-1)!.y).toBeGreaterThan(0);
  });

  it("is refused where no experiment could be", () => {
    expect(() => plan({ effect: 9.5 })).toThrow(/beyond what a share can be/);
    expect(() => plan({ effect: -1.2 })).toThrow(/beyond what a share can be/);
    expect(() => plan({ metric: { kind: "mean", baseline: 0, sd: 1 } })).toThrow(/baseline of 0/);
    expect(() => plan({ effect: 1e-9 })).toThrow(/more than/);
    expect(PlanInput.safeParse({ metric: { kind: "proportion", baseline: 0.1 }, effect: 0 }).success).toBe(false);
  });
});

const world = useWorld();
describe("the past of a workspace", () => {
  it("is what its events say, person by person", async () => {
    const source = await world.system.registry.byKey((await world.source("api")).writeKey);
    const day = 86_400_000;
    const now = Date.now();
    const people = Array.from({ length: 60 }, (_, n) => ({ id: `u${n}`, since: now - (8 + (n % 20)) * day - 3_600_000, before: n % 3 === 0 ? n % 7 : 0, after: n % 3 === 0 || n % 5 === 0 ? (n % 7) + 1 : 0 })); // prettier-ignore
    const paid = (id: string, at: number, amount: number, key: string) => ({ name: "Paid", userId: id, messageId: `${id}${key}`, at, properties: { amount } }); // prettier-ignore
    await world.system.ingest.accept(source, people.flatMap(({ id, since, before, after }) => [
      { name: "Seen", userId: id, messageId: `${id}s`, at: since },
      { name: "Seen", userId: id, messageId: `${id}t`, at: since + day },
      ...(before > 0 ? [paid(id, since - 2 * day, before, "b")] : []),
      // far before, and far after, count for nothing
      paid(id, since - 9 * day, 100, "f"),
      ...(after > 0 ? [paid(id, since + day, after, "a")] : []),
    ])); // prettier-ignore
    await world.settled();
    const asked = { exposure: { event: "Seen" }, outcome: { event: "Paid" }, days: 28, windowDays: 7 };
    const share = await world.ask<{ people: number; perDay: number; baseline: number; correlation: number }>("experiments.history", asked); // prettier-ignore
    expect(share.people).toBe(60);
    expect(share.perDay).toBeCloseTo(60 / 28, 10);
    expect(share.baseline).toBeCloseTo(people.filter(({ after }) => after > 0).length / 60, 10);
    const mean = await world.ask<{ baseline: number; sd: number; correlation: number }>("experiments.history", { ...asked, kind: "mean", property: "amount" }); // prettier-ignore
    const [x, y] = [people.map(({ before }) => before), people.map(({ after }) => after)];
    const average = (all: number[]) => all.reduce((a, b) => a + b, 0) / all.length;
    const cov = (a: number[], b: number[]) => a.reduce((sum, one, at) => sum + (one - average(a)) * (b[at]! - average(b)), 0) / (a.length - 1); // prettier-ignore
    expect(mean.baseline).toBeCloseTo(average(y), 10);
    expect(mean.sd).toBeCloseTo(Math.sqrt(cov(y, y)), 8);
    expect(mean.correlation).toBeCloseTo(cov(x, y) / Math.sqrt(cov(x, x) * cov(y, y)), 6);
    await expect(world.ask("experiments.history", { ...asked, exposure: { event: "Never" } })).rejects.toThrow(/fewer than two people/); // prettier-ignore
    const planned = await world.ask<Plan>("experiments.plan", { metric: { kind: "proportion", baseline: share.baseline }, effect: 0.1, perDay: share.perDay }); // prettier-ignore
    expect(planned.sentence).toMatch(/units of each of 2 arms/);
  });

  it("is the same in one reading of everybody and in many of a share each, whoever comes first", async () => {
    const workspace = await world.newWorkspace();
    const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
    const { engine } = (await world.system.directory.find(workspace))!;
    const [day, arms] = [86_400_000, ["a", "b"]];
    const from = Date.UTC(2026, 2, 2);
    const at = (n: number, more = 0) => from + (n % 10) * day + 3_600_000 + n * 1_000 + more;
    const seen = (n: number, arm: string, more: number) => ({ name: "Seen", userId: `u${n}`, messageId: `s${n}${arm}`, at: at(n, more), properties: { arm } }); // prettier-ignore
    await world.system.ingest.accept(source, Array.from({ length: 300 }, (_, n) => [
      seen(n, n % 2 === 0 ? "a" : "b", 0),
      // some come to the other arm too, and some to one that nobody planned, which is the first of some
      ...(n % 11 === 0 ? [seen(n, n % 2 === 0 ? "b" : "a", 5_000)] : []),
      ...(n % 13 === 0 ? [seen(n, "c", n % 26 === 0 ? -5_000 : 5_000)] : []),
      ...(n % 3 === 0 ? [{ name: "Paid", userId: `u${n}`, messageId: `p${n}`, at: at(n, day), properties: { amount: n % 17 } }] : []),
      ...(n % 4 === 0 ? [{ name: "Paid", userId: `u${n}`, messageId: `q${n}`, at: at(n, -day), properties: { amount: n % 19 } }] : []),
    ]).flat()); // prettier-ignore
    await world.settled();
    const scope: Scope = { engine, zone: "UTC", weekStart: "monday", hasMerges: false, keys: keysOf("x"), veil: noVeil, now: from + 40 * day }; // prettier-ignore
    const part = { match: { event: "Paid", filters: [] }, property: "amount", isCounted: false };
    const question: AnalysisQuestion = { unit: "people", exposure: { event: "Seen", filters: [] }, armProperty: "arm", measures: [{ kind: "mean", part, cap: 0.9 }, { kind: "proportion", part }], range: { from, to: from + 20 * day }, windowDays: 7, covariateDays: 7, now: scope.now }; // prettier-ignore
    const row = z.looseObject({ arm: z.string(), day: z.string() });
    // sums of the same numbers in another order differ in their last digits
    const rounded = <T>(rows: T): T => JSON.parse(JSON.stringify(rows), (_, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(10)) : value)) as T; // prettier-ignore
    const asked = async (statement: Sql) => rounded(await engine.rows(statement, row)).toSorted((a, b) => (a.arm + a.day < b.arm + b.day ? -1 : 1)); // prettier-ignore
    const named = await asked(exposuresByDay(scope, question, 0));
    const first = (n: number) => (n % 26 === 0 ? "c" : n % 2 === 0 ? "a" : "b");
    const crossed = (n: number) => n % 11 === 0 || n % 13 === 0;
    const people = Array.from({ length: 300 }, (_, n) => n);
    for (const arm of ["a", "b", "c"]) {
      const own = named.filter((one) => one.arm === arm);
      const whole = (of: string) => own.reduce((sum, one) => sum + Number(one[of]), 0);
      expect(whole("units")).toBe(people.filter((n) => first(n) === arm).length);
      expect(whole("crossed")).toBe(people.filter((n) => first(n) === arm && crossed(n)).length);
    }
    const uncapped: AnalysisQuestion = { ...question, measures: [{ kind: "mean", part }, { kind: "proportion", part }] }; // prettier-ignore
    const counted = await engine.rows(exposuresByDay(scope, question, 0), Counted);
    const days = (rows: readonly z.output<typeof Moments>[]) => rounded(withIdle(counted, rows.map(dayRowOf), 2)); // prettier-ignore
    for (const units of [0, 2_000_000])
      for (const hasMerges of [false, true]) {
        const by = { ...scope, hasMerges };
        const numbered = await asked(exposuresByDay(by, question, units, arms));
        expect(numbered.filter(({ arm }) => arm !== "")).toEqual(named.filter(({ arm }) => arm !== "c"));
        const moments = await asked(momentsByDay(by, question, arms, units));
        expect(moments).toEqual(await asked(momentsByDay(scope, question, arms, 0)));
        const active = people.filter((n) => !crossed(n) && (n % 3 === 0 || n % 4 === 0)).length;
        expect(moments.reduce((sum, one) => sum + Number(one["n"]), 0)).toBe(active);
        // without a cap they come in several rows, each of some of its units, where they are not asked for as a whole
        const parts = await engine.rows(momentsByDay(by, uncapped, arms, units), Moments);
        expect(parts.reduce((sum, { n }) => sum + n, 0)).toBe(active);
        expect(days(parts)).toEqual(days(await engine.rows(sql`${momentsByDay(scope, uncapped, arms, 0)}`, Moments)));
      }
  });
});
