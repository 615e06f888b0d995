import { describe, expect, it } from "vitest";
import { noVeil } from "#kernel/classes.ts";
import { useWorld } from "#test/world.ts";
import { analyse, type DayRow } from "./analysis.ts";
import { learnedOf, winRate, type Finding } from "./learning.ts";
import { Agreed, Experiment } from "./document.ts";
import type { ExperimentView, Results, Slices } from "./operations.ts";
import { randomFrom } from "#stats/random.ts";

const world = useWorld();
const day = 86_400_000;
const begin = Date.parse("2026-03-02T00:00:00Z");

const at = (name: string, userId: string, time: number, properties: Record<string, unknown> = {}) => ({ name, userId, at: time, messageId: `${name} ${userId} ${time}`, properties }); // prettier-ignore

const sample = (given: object = {}) => ({
  key: "checklist",
  name: "Checklist",
  hypothesis: "A checklist makes more people finish, since they see what is left.",
  arms: [{ name: "control", weight: 1 }, { name: "checklist", weight: 1 }],
  exposure: { event: "Shown" },
  eligible: { event: "Signed Up" },
  metrics: [{ metric: "finished", role: "primary" }, { metric: "spent", role: "secondary", cap: 0.9 }, { metric: "per_order", role: "secondary" }, { metric: "tickets", role: "guardrail", margin: 0.2 }, { metric: "bought_then_finished", role: "secondary" }, { metric: "third_day", role: "secondary" }, { metric: "finished_then_bought", role: "secondary" }],
  windowDays: 3,
  covariateDays: 7,
  effect: 0.5,
  looks: 5,
  ...given,
}); // prettier-ignore

const define = (workspace: string) => async (key: string, measure: object, direction = "up") =>
  world.ask("metrics.define", { definition: { key, name: key, measure, direction } }, workspace); // prettier-ignore

/** People of each day: an arm, whether they finish, what they spend, and what they spent before. */
const stream = (shares: readonly [number, number], split = 0.5, days = 12, perDay = 100, seed = 7) => {
  const next = randomFrom(seed);
  return Array.from({ length: days * perDay }, (_, n) => {
    const time = begin + (n / perDay) * day;
    const arm = next() < split ? "control" : "checklist";
    const taste = next();
    return {
      id: `${seed}-u${n}`,
      arm,
      time,
      finishes: next() < (arm === "control" ? shares[0] : shares[1]),
      before: Math.round(taste * 100),
      after: Math.round(taste * 100 + next() * 40 + (arm === "control" ? 0 : 10)),
      ticket: next() < 0.5,
    };
  });
};
type Someone = ReturnType<typeof stream>[number];

const eventsOf = (people: readonly Someone[]) =>
  people.flatMap(({ id, arm, time, finishes, before, after, ticket }) => [
    at("Bought", id, time - 2 * day, { total: before }),
    at("Shown", id, time, { variant: arm, side: Number(id.at(-1)) % 2 === 0 ? "left" : "right" }),
    at("Shown", id, time + day, { variant: arm, side: "later" }),
    at("Bought", id, time + day, { total: after }),
    at("Bought", id, time + 5 * day, { total: 9_999 }), // after the window
    ...(finishes ? [at("Finished", id, time + 2 * day)] : []),
    ...(ticket ? [at("Ticket", id, time + day)] : []),
  ]);

const setUp = async (people: readonly Someone[]) => {
  const workspace = await world.newWorkspace();
  const ask = <T>(operation: string, input: object) => world.ask<T>(operation, input, workspace);
  const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
  const metric = define(workspace);
  await metric("finished", { kind: "unique", event: "Finished" });
  await metric("spent", { kind: "sum", event: "Bought", property: "total" });
  await metric("per_order", { kind: "average", event: "Bought", property: "total" });
  const step = (event: string) => ({ event });
  await metric("bought_then_finished", {
    kind: "conversion",
    steps: [step("Bought"), step("Finished")],
    windowSeconds: 2 * 86_400,
  });
  await metric("finished_then_bought", {
    kind: "conversion",
    steps: [step("Finished"), step("Bought")],
    windowSeconds: 86_400,
  });
  await metric("third_day", {
    kind: "retention",
    start: step("Shown"),
    returning: step("Finished"),
    period: "day",
    after: 2,
  });
  await metric("second_week", { kind: "retention", start: step("Shown"), returning: step("Finished"), after: 1 });
  await metric("tickets", { kind: "count", event: "Ticket" }, "down");
  const next = randomFrom(3);
  const past = Array.from({ length: 2_800 }, (_, n) => {
    const time = begin - 32 * day + (n / 2_800) * 28 * day;
    return [at("Signed Up", `p${n}`, time), ...(next() < 0.2 ? [at("Finished", `p${n}`, time + day)] : [])];
  }).flat(); // prettier-ignore
  for (const events of [past, eventsOf(people)])
    for (let from = 0; from < events.length; from += 5_000)
      await world.system.ingest.accept(source, events.slice(from, from + 5_000));
  await world.settled();
  return { ask, workspace };
};

describe("an experiment", () => {
  it("does not start without a hypothesis, a primary metric, a least effect, margins, and time that is worth it", async () => {
    const { ask } = await setUp([]);
    world.clock.at = begin;
    await ask("experiments.save", { experiment: sample({ hypothesis: "", effect: null, metrics: [{ metric: "tickets", role: "guardrail" }] }), version: 0 }); // prettier-ignore
    await expect(ask("experiments.start", { key: "checklist" })).rejects.toThrow(/Hypothesis.*Primary metric.*Least effect.*how much worse tickets may become.*Duration/); // prettier-ignore
    await ask("experiments.save", { experiment: sample({ effect: 0.01 }), version: 1 });
    const { checks } = await ask<{ checks: { name: string; says: string; passed: boolean }[] }>("experiments.gate", { key: "checklist" }); // prettier-ignore
    expect(checks.filter(({ passed }) => !passed)).toEqual([{ name: "Duration", passed: false, says: expect.stringMatching(/where 60 are worth it\. In 60 days an effect of \d/) }]); // prettier-ignore
    await ask("experiments.save", { experiment: sample({ metrics: [{ metric: "finished", role: "primary" }, { metric: "nowhere", role: "secondary" }, { metric: "second_week", role: "secondary" }], flag: "none" }), version: 2 }); // prettier-ignore
    await expect(ask("experiments.start", { key: "checklist" })).rejects.toThrow(/no metric nowhere.*second_week needs 14 days after the exposure, and 3 count.*There is no flag none/); // prettier-ignore
    await ask("experiments.save", { experiment: sample(), version: 3 });
    const running = await ask<ExperimentView>("experiments.start", { key: "checklist" });
    expect(running).toMatchObject({ state: "running", agreed: { perDay: expect.closeTo(100, -1), baseline: expect.closeTo(0.2, 1), metrics: [{ metric: "finished" }, {}, {}, {}, {}, {}, {}] } }); // prettier-ignore
    // what was agreed stays
    await expect(ask("experiments.save", { experiment: sample({ effect: 0.1 }), version: 5 })).rejects.toThrow(/agreed at the start/); // prettier-ignore
    await ask("experiments.save", { experiment: sample({ name: "Checklist for all" }), version: 5 });
    await expect(ask("experiments.remove", { key: "checklist" })).rejects.toThrow(/has run stays/);
    expect(await ask("experiments.results", { key: "checklist" })).toMatchObject({ verdict: "keep_running", look: null }); // prettier-ignore
    world.clock.at = undefined;
  }, 60_000);

  it("finds a planted lift, says so by its plan, and agrees with the people one by one", async () => {
    const people = stream([0.2, 0.34]);
    const { ask } = await setUp(people);
    world.clock.at = begin;
    await ask("experiments.save", { experiment: sample(), version: 0 });
    const { agreed } = await ask<ExperimentView>("experiments.start", { key: "checklist" });
    world.clock.at = begin + 13 * day;
    const found = await ask<Results>("experiments.results", { key: "checklist" });
    expect(found.verdict).toBe("ship");
    expect(found.best).toBe("checklist");
    expect(found.sentence).toMatch(/checklist moves finished by .* every guardrail holds\. The plan was to find an effect of 50 %/); // prettier-ignore
    expect(found.mismatch.isMismatch).toBe(false);

    // everybody whose window is over, counted by hand, up to the day of the look
    const ripe = people.filter(({ time }) => time + 3 * day <= begin + 13 * day && new Date(time).toISOString().slice(0, 10) <= found.look!.day); // prettier-ignore
    expect(found.look!.units).toBe(ripe.length);
    expect(found.look!.information).toBeCloseTo(Math.min(1, ripe.length / agreed!.total), 12);
    const of = (arm: string) => ripe.filter((one) => one.arm === arm);
    const mean = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0) / all.length;
    const cov = (a: readonly number[], b: readonly number[]) => a.reduce((sum, one, n) => sum + (one - mean(a)) * (b[n]! - mean(b)), 0) / (a.length - 1); // prettier-ignore
    const [finished, spent, perOrder, tickets, funnel, third, reversed] = found.metrics.map(
      ({ comparisons }) => comparisons[0]!,
    );
    // sums are capped at a quantile of everybody who spent something (type 7)
    const sorted = people
      .filter(({ time }) => time + 3 * day <= begin + 13 * day)
      .map(({ after }) => after)
      .filter((one) => one > 0)
      .toSorted((a, b) => a - b);
    const place = 0.9 * (sorted.length - 1);
    const cap = sorted[Math.floor(place)]! + (place % 1) * (sorted[Math.ceil(place)]! - sorted[Math.floor(place)]!);
    const spend = ({ after }: Someone) => Math.min(after, cap);
    const spentBefore = ({ before }: Someone) => Math.min(before, cap);
    for (const [result, value] of [[finished, (one: Someone) => Number(one.finishes)], [spent, spend], [tickets, (one: Someone) => Number(one.ticket)], [perOrder, (one: Someone) => one.after], [funnel, (one: Someone) => Number(one.finishes)], [third, (one: Someone) => Number(one.finishes)], [reversed, () => 0]] as const) {
      expect(result!.control).toBeCloseTo(mean(of("control").map(value)), 9);
      expect(result!.treatment).toBeCloseTo(mean(of("checklist").map(value)), 9);
    } // prettier-ignore
    // the time before takes away what it explains, and no more
    const [all, pre] = [ripe.map(spend), ripe.map(spentBefore)];
    const theta = cov(all, pre) / cov(pre, pre);
    const [a, b] = [of("control"), of("checklist")].map((arm) =>
      arm.map((one) => spend(one) - theta * spentBefore(one)),
    );
    const base = mean(of("control").map(spend));
    expect(spent!.effect!.estimate).toBeCloseTo((mean(b!) - mean(a!)) / base, 9);
    expect(spent!.reduction).toBeGreaterThan(0.7);
    expect((spent!.effect!.upper - spent!.effect!.lower) / 2 / found.look!.critical).toBeGreaterThan(Math.sqrt(cov(a!, a!) / a!.length + cov(b!, b!) / b!.length) / base * 0.95); // prettier-ignore
    expect(finished!.effect!.lower).toBeLessThan(0.7);
    expect(finished!.effect!.upper).toBeGreaterThan(0.7);

    expect(found.health.map(({ name, passed }) => [name, passed])).toEqual([
      ["Sample ratio", true],
      ["Exposures", true],
      ["Identity", true],
      ["Novelty", true],
      ["Data", true],
    ]);
    // in parts, together they are everybody
    const { slices } = await ask<Slices>("experiments.slices", { key: "checklist", property: "side" });
    expect(slices.map(({ slice }) => slice).toSorted()).toEqual(["left", "right"]);
    expect(slices.reduce((sum, { units }) => sum + units, 0)).toBe(
      people.filter(({ time }) => time + 3 * day <= begin + 13 * day).length,
    );
    for (const { effect } of slices)
      expect(effect!.upper - effect!.lower).toBeGreaterThan(finished!.effect!.upper - finished!.effect!.lower);
    const ended = await ask<ExperimentView>("experiments.end", { key: "checklist", decision: "ship", arm: "checklist", reason: "It does what we hoped." }); // prettier-ignore
    expect(ended).toMatchObject({ state: "ended", decision: { decision: "ship", arm: "checklist", by: "Ana" } });
    expect(await ask("experiments.learned", {})).toMatchObject({ winRate: { share: 1, ended: 1 }, metrics: [{ metric: "finished", experiments: 1, findings: [{ isShipped: true }] }] }); // prettier-ignore
    const { markdown } = await ask<{ markdown: string }>("experiments.report", { key: "checklist" });
    expect(markdown).toMatch(/^# Checklist\n[\s\S]*> A checklist makes[\s\S]*\| finished \| primary \| checklist \|[\s\S]*have as many as they should: p = [\s\S]*Ship checklist, by Ana[\s\S]*> It does what we hoped\.\n$/); // prettier-ignore
    expect(await ask("experiments.list", { search: "hoped" })).toMatchObject({ experiments: [{ state: "ended" }] });
    world.clock.at = undefined;
  }, 90_000);

  it("trusts nothing where the arms are not as large as they should be, and counts nobody who was in two", async () => {
    const people = stream([0.2, 0.2], 0.4, 10);
    const { ask, workspace } = await setUp(people);
    const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
    const both = people.slice(0, 20);
    await world.system.ingest.accept(source, [
      ...both.map(({ id, arm, time }) => at("Shown", id, time + 2 * day, { variant: arm === "control" ? "checklist" : "control" })), // prettier-ignore
      at("Shown", "stranger", begin + day, { variant: "third" }),
    ]);
    await world.settled();
    world.clock.at = begin;
    await ask("experiments.save", { experiment: sample({ design: "always_valid" }), version: 0 });
    await ask("experiments.start", { key: "checklist" });
    world.clock.at = begin + 14 * day;
    const found = await ask<Results>("experiments.results", { key: "checklist" });
    expect(found.mismatch).toMatchObject({ isMismatch: true });
    expect(found.mismatch.pValue).toBeLessThan(0.001);
    expect(found.verdict).toBe("invalid");
    expect(found.health.filter(({ passed }) => !passed).map(({ name }) => name)).toEqual([
      "Sample ratio",
      "Exposures",
      "Identity",
    ]);
    expect(found.arms.reduce((sum, { crossed }) => sum + crossed, 0)).toBe(20);
    expect(found.strange).toEqual([{ arm: "third", units: 1 }]);
    expect(found.look!.units).toBe(people.length - 20);
    world.clock.at = undefined;
  }, 90_000);

  it("switches its flag off once a guardrail is broken, where that was agreed", async () => {
    const people = stream([0.2, 0.2]).map((one) => ({ ...one, ticket: one.arm === "checklist" || one.ticket }));
    const { ask, workspace } = await setUp(people);
    world.clock.at = begin;
    const parts = ["control", "checklist"].map((variation) => ({ variation, weight: 1 }));
    const flag = {
      key: "checklist",
      type: "string",
      variations: parts.map(({ variation }) => ({ name: variation, value: variation })),
      environments: { production: { isOn: true, rules: [{ serve: { split: { parts } } }] } },
    };
    await ask("flags.save", { flag, version: 0 });
    await ask("experiments.save", { experiment: sample({ flag: "checklist", stopsFlag: true }), version: 0 });
    await ask("experiments.start", { key: "checklist" });
    const found = (await world.system.directory.find(workspace))!;
    const guard = world.system.modules
      .flatMap(({ jobs = [] }) => jobs)
      .find(({ name }) => name === "experiments.guard")!;
    const run = () =>
      guard.run({
        principal: { kind: "nobody" },
        role: "owner",
        veil: noVeil,
        signal: new AbortController().signal,
        log: world.system.log,
        now: world.clock.now(),
        ...found,
      });
    const isOn = async () =>
      (await ask<{ flag: { environments: Record<string, { isOn: boolean }> } }>("flags.get", { key: "checklist" })).flag
        .environments["production"]!.isOn;
    await run();
    expect(await isOn()).toBe(true);
    world.clock.at = begin + 13 * day;
    expect(await ask("experiments.results", { key: "checklist" })).toMatchObject({
      verdict: "stop",
      sentence: expect.stringMatching(/checklist breaks tickets/),
    });
    await run();
    expect(await isOn()).toBe(false);
    const { history } = await ask<{ history: { note: string }[] }>("flags.get", { key: "checklist" });
    expect(history[0]!.note).toBe("Checklist breaks tickets.");
    await run(); // once is enough
    expect((await ask<{ history: object[] }>("flags.get", { key: "checklist" })).history.length).toBe(2);
    world.clock.at = undefined;
  }, 90_000);

  it("is not fooled by being looked at every day where there is no effect", () => {
    const next = randomFrom(11);
    const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    const [days, perDay] = [14, 200];
    const rows = (effect: number): DayRow[] =>
      Array.from({ length: days }, (_, n) => ["control", "checklist"].map((arm) => {
        const [mean, n0] = [10 + (arm === "control" ? 0 : effect), perDay / 2];
        // the mean of a day's units, and about their variance
        return { arm, day: new Date(begin + n * day).toISOString().slice(0, 10), pairs: [{ n: n0, y: mean + (normal() * 4) / Math.sqrt(n0), x: 0, varY: 16, varX: 0, covXY: 0 }] };
      })).flat(); // prettier-ignore
    const metrics = [{ metric: "m", name: "m", role: "primary", margin: null, direction: "up", measure: { kind: "mean", part: { match: { event: "E" } } } }]; // prettier-ignore
    const agreed = Agreed.parse({ metrics, perArm: (days * perDay) / 2, total: days * perDay, days, alphaEach: 0.05, powerEach: 0.8, baseline: 10, sd: 4, correlation: 0, perDay, sentence: "" }); // prettier-ignore
    const counts = ["control", "checklist"].map((arm) => ({ arm, units: 1_400, crossed: 0, ripe: 1_400 }));
    const runs = 600;
    for (const design of ["group_sequential", "always_valid", "fixed"] as const) {
      const experiment = Experiment.parse(sample({ design, looks: days }));
      let [false_, naive] = [0, 0];
      for (let run = 0; run < runs; run += 1) {
        const found = analyse(experiment, agreed, counts, rows(0));
        const [comparison] = found.metrics[0]!.comparisons;
        if (comparison!.course.some(({ lower, upper }) => lower > 0 || upper < 0)) false_ += 1;
        if (comparison!.course.some(({ estimate, lower }, at) => Math.abs(estimate) / ((estimate - lower) / found.looks[at]!.critical) > 1.96)) naive += 1; // prettier-ignore
      }
      expect([design, false_ / runs < 0.072], `${design}: ${false_ / runs}`).toEqual([design, true]);
      // the same looks by a fixed bound would have fooled somebody far oftener
      if (design !== "fixed") expect(naive / runs).toBeGreaterThan(0.15);
    }
  }, 60_000);

  it("is believed by as much as such experiments usually find, so that winners among many are not", () => {
    const next = randomFrom(5);
    const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    const [spread, standardError] = [0.03, 0.03];
    const truth = new Map<string, number>();
    const findings = Array.from({ length: 200 }, (_, n): Finding => {
      const effect = normal() * spread;
      truth.set(`e${n}`, effect);
      const estimate = effect + normal() * standardError;
      return { key: `e${n}`, name: `e${n}`, metric: "m", arm: "b", estimate, standardError, isShipped: estimate / standardError > 1.96, endedAt: "2026-01-01" }; // prettier-ignore
    });
    const found = learnedOf("m", findings);
    expect(found.spread).toBeCloseTo(spread, 2);
    expect(found.typical).toBeCloseTo(0.674 * spread, 2);
    const real = findings.filter(({ isShipped }) => isShipped).reduce((all, { key }) => all * (1 + truth.get(key)!), 1) - 1; // prettier-ignore
    expect(found.summed).toBeGreaterThan(real * 1.4);
    expect(Math.abs(found.believed / real - 1)).toBeLessThan(0.25);
    const covered = found.findings.filter(({ key, shrunkLower, shrunkUpper }) => truth.get(key)! >= shrunkLower && truth.get(key)! <= shrunkUpper); // prettier-ignore
    expect(covered.length / findings.length).toBeGreaterThan(0.9);
    expect(winRate(0, 0)).toBeNull();
    expect(winRate(1, 4)).toMatchObject({ share: 0.25, ended: 4 });
  });
});
