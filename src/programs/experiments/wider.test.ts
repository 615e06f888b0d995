import { describe, expect, it } from "vitest";
import { useWorld } from "#test/world.ts";
import type { Beside, ExperimentView, Results } from "./operations.ts";
import { conditionalPower } from "./outlook.ts";

const world = useWorld();
const day = 86_400_000;
const begin = Date.parse("2026-03-02T00:00:00Z");
const at = (name: string, userId: string, time: number, properties: Record<string, unknown> = {}) => ({ name, userId, at: time, messageId: `${name} ${userId} ${time}`, properties }); // prettier-ignore

/** A number from 0 to 1 that is the same for a text each time (FNV-1a, mixed). */
const chance = (text: string): number => {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
};

interface Someone {
  readonly id: string;
  readonly arm: "control" | "new";
  readonly colour: "red" | "blue";
  readonly time: number;
  /** Whether they come to where it makes a difference. */
  readonly opens: boolean;
}
const people = Array.from({ length: 2_400 }, (_, n): Someone => {
  const id = `w${n}`;
  return { id, arm: chance(`${id} a`) < 0.5 ? "control" : "new", colour: chance(`${id} c`) < 0.5 ? "red" : "blue", time: begin + (n / 200) * day, opens: chance(`${id} o`) < 0.3 }; // prettier-ignore
});
const finishes = ({ id, arm, colour, opens }: Someone, clash: boolean): boolean =>
  chance(`${id} f`) < 0.3 + (arm === "new" && opens ? 0.35 : 0) + (clash && arm === "new" && colour === "blue" ? 0.3 : 0); // prettier-ignore

const setUp = async (clash = false) => {
  const workspace = await world.newWorkspace();
  const ask = <T>(operation: string, input: object) => world.ask<T>(operation, input, workspace);
  const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
  const metric = (key: string, measure: object) => ask("metrics.define", { definition: { key, name: key, measure, direction: "up" } }); // prettier-ignore
  await metric("finished", { kind: "unique", event: "Finished" });
  const past = Array.from({ length: 2_800 }, (_, n) => [at("Signed Up", `p${n}`, begin - 32 * day + (n / 100) * day), ...(n % 3 === 0 ? [at("Finished", `p${n}`, begin - 31 * day + (n / 100) * day)] : [])]).flat(); // prettier-ignore
  const events = people.flatMap((one) => [
    ...(one.opens ? [at("Opened", one.id, one.time - day), at("Opened", one.id, one.time + day / 2)] : []),
    at("Shown", one.id, one.time, { variant: one.arm }),
    at("Painted", one.id, one.time, { colour: one.colour }),
    ...(finishes(one, clash) ? [at("Finished", one.id, one.time + day)] : []),
  ]);
  for (const all of [past, events])
    for (let from = 0; from < all.length; from += 5_000) await world.system.ingest.accept(source, all.slice(from, from + 5_000)); // prettier-ignore
  await world.settled();
  world.clock.at = begin;
  const start = async (given: object) => {
    const experiment = { key: "e", name: "E", hypothesis: "More people finish, since it is easier to.", arms: [{ name: "control", weight: 1 }, { name: "new", weight: 1 }], exposure: { event: "Shown" }, eligible: { event: "Signed Up" }, metrics: [{ metric: "finished", role: "primary" }], windowDays: 2, covariateDays: 0, effect: 0.3, design: "always_valid", ...given }; // prettier-ignore
    await ask("experiments.save", { experiment, version: 0 });
    return ask<ExperimentView>("experiments.start", { key: experiment.key });
  };
  const results = (key = "e") => ask<Results>("experiments.results", { key });
  return { ask, start, results };
};
const share = (all: readonly Someone[], clash = false) => all.filter((one) => finishes(one, clash)).length / all.length;

describe("an experiment", () => {
  it("counts from where it can make a difference, and those alone who came there", async () => {
    const { start, results } = await setUp();
    await start({ trigger: { event: "Opened" } });
    await start({ key: "all", name: "All" });
    world.clock.at = begin + 16 * day;
    const [found, all] = [await results(), await results("all")];
    const opened = people.filter(({ opens }) => opens);
    expect(found.triggered).toEqual({ exposed: people.length, triggered: opened.length });
    expect(all.triggered).toBeNull();
    expect(found.look!.units).toBe(opened.length);
    const [own, wide] = [found.metrics[0]!.comparisons[0]!, all.metrics[0]!.comparisons[0]!];
    for (const [comparison, some] of [[own, opened], [wide, people]] as const) {
      expect(comparison.control).toBeCloseTo(share(some.filter(({ arm }) => arm === "control")), 9);
      expect(comparison.treatment).toBeCloseTo(share(some.filter(({ arm }) => arm === "new")), 9);
    } // prettier-ignore
    // the same difference, seen sooner
    const z = ({ effect }: typeof own) => effect!.estimate / effect!.standardError;
    expect(z(own)).toBeGreaterThan(z(wide) * 1.3);
    world.clock.at = undefined;
  }, 90_000);

  it("takes exposures from a query of one's own, says before the start what is wrong in it, and reads nothing else by it", async () => {
    const { ask, start, results } = await setUp();
    // what metrics ask for beside events can be asked beside a query too
    const openers = { kind: "rule", rule: { type: "did", match: { event: "Opened", filters: [] }, within: { value: 365, unit: "day" }, times: { op: "gte", value: 1 } } }; // prettier-ignore
    const { id } = await ask<{ id: string }>("cohorts.create", { name: "Openers", definition: openers });
    const asked = { cohort: ["", "eq", [id]], person: ["tier", "neq", ["gold"]], person_then: ["tier", "neq", ["gold"]], account: ["plan", "is_not_set", []], session: ["events", "gte", ["0"]] } as const; // prettier-ignore
    for (const [on, [property, op, values]] of Object.entries(asked))
      await ask("metrics.define", { definition: { key: on, name: on, measure: { kind: "unique", event: "Finished", filters: [{ on, property, op, values }] }, direction: "up" } }); // prettier-ignore
    const metrics = [{ metric: "finished", role: "primary" }, ...Object.keys(asked).map((metric) => ({ metric, role: "secondary" }))]; // prettier-ignore
    const written = (query: string) => start({ key: `q${Math.floor(chance(query) * 1e9)}`, written: query });
    await expect(written("SELECT person, at FROM events")).rejects.toThrow(/Exposures: .*`arm`/);
    await expect(written("SELECT person, at, 'new' AS arm FROM identities")).rejects.toThrow(/Exposures: /);
    await expect(written("SELECT 1 AS person, now() AS at, name AS arm FROM system.tables")).rejects.toThrow(/without a database/); // prettier-ignore
    await expect(written("SELECT person, at, 'new' AS arm FROM events) UNION ALL SELECT unit, at, name FROM (SELECT 1")).rejects.toThrow(/Exposures: /); // prettier-ignore
    await start({ metrics, written: "SELECT person, at, properties.variant::String AS arm FROM events WHERE event = 'Shown'" }); // prettier-ignore
    await start({ metrics, key: "plain", name: "Plain" });
    world.clock.at = begin + 16 * day;
    const [byQuery, plain] = [await results(), await results("plain")];
    // but for the last digits: they are added up in another order
    const rounded = ({ metrics }: Results) => JSON.parse(JSON.stringify(metrics.map(({ comparisons }) => comparisons)), (_, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(10)) : value)) as unknown; // prettier-ignore
    expect(rounded(byQuery)).toEqual(rounded(plain));
    expect(byQuery.arms).toEqual(plain.arms);
    // its members are those of the start
    const of = (metric: string) => plain.metrics.find((one) => one.metric === metric)!.comparisons[0]!;
    expect(of("cohort").treatment).toBeCloseTo(people.filter((one) => one.arm === "new" && one.opens && one.time - day < begin && finishes(one, false)).length / people.filter(({ arm }) => arm === "new").length, 9); // prettier-ignore
    for (const metric of ["person", "person_then", "account"]) expect([metric, of(metric).treatment]).toEqual([metric, of("finished").treatment]); // prettier-ignore
    await expect(ask("experiments.slices", { key: "e", property: "variant" })).rejects.toThrow(/no properties/);
    world.clock.at = undefined;
  }, 90_000);

  it("says whether it does the same in every arm of another one", async () => {
    for (const clash of [false, true]) {
      const { ask, start } = await setUp(clash);
      await start({});
      await start({ key: "paint", name: "Paint", arms: [{ name: "red", weight: 1 }, { name: "blue", weight: 1 }], exposure: { event: "Painted" }, armProperty: "colour" }); // prettier-ignore
      world.clock.at = begin + 16 * day;
      const { experiments } = await ask<Beside>("experiments.beside", { key: "e" });
      expect(experiments).toMatchObject([{ key: "paint", isAlarm: clash, arms: [{ other: "blue", arm: "new" }, { other: "red", arm: "new" }] }]); // prettier-ignore
      for (const { other, units, effect } of experiments[0]!.arms) {
        const some = people.filter(({ colour, time }) => colour === other && time + 2 * day <= world.clock.at!);
        expect(units).toBe(some.length);
        const [a, b] = ["control", "new"].map((arm) => share(some.filter((one) => one.arm === arm), clash)); // prettier-ignore
        expect(effect!.estimate).toBeCloseTo(b! / a! - 1, 9);
      }
    }
    world.clock.at = undefined;
  }, 120_000);

  it("heeds the holdouts of its owner, and they say what everything together did", async () => {
    const { ask, start } = await setUp();
    const flag = (key: string, setting: object, more: object = {}) => ({ key, type: "boolean", owner: "growth", variations: [{ name: "control", value: true }, { name: "new", value: false }], environments: { production: { isOn: true, off: "control", otherwise: "control", ...setting } }, ...more }); // prettier-ignore
    const half = {
      serve: {
        split: {
          parts: [
            { variation: "control", weight: 1 },
            { variation: "new", weight: 1 },
          ],
        },
      },
    };
    await ask("flags.save", { flag: flag("thing", { rules: [half] }), version: 0 });
    await ask("flags.save", {
      flag: flag("kept-out", { rules: [half] }, { holdout: { owners: ["growth"] } }),
      version: 0,
    });
    await ask("flags.save", {
      flag: flag("others", { rules: [half] }, { holdout: { owners: ["sales"] } }),
      version: 0,
    });
    await expect(start({ key: "t", flag: "thing", owner: "growth" })).rejects.toThrow(/Holdouts: kept-out keeps some out .*kept-out=new\)\.$/); // prettier-ignore
    await ask("flags.save", { flag: flag("thing", { rules: [half], prerequisites: [{ flag: "kept-out", variations: ["new"] }] }), version: 1 }); // prettier-ignore
    await ask("experiments.start", { key: "t" });
    // the holdout itself is measured as any other: who is kept out is its control
    await start({ key: "together", name: "Together", flag: "kept-out", owner: "growth" });
    world.clock.at = begin + 16 * day;
    await ask("experiments.end", { key: "together", decision: "inconclusive", reason: "The quarter is over." });
    const learned = await ask<{ winRate: { ended: number } | null; holdouts: { key: string; units: number; effects: { estimate: number }[] }[] }>("experiments.learned", {}); // prettier-ignore
    expect(learned.winRate).toBeNull(); // it is no trial of one thing
    expect(learned.holdouts).toMatchObject([{ key: "together", units: people.length }]);
    const [a, b] = ["control", "new"].map((arm) => share(people.filter((one) => one.arm === arm)));
    expect(learned.holdouts[0]!.effects[0]!.estimate).toBeCloseTo(b! / a! - 1, 9);
    world.clock.at = undefined;
  }, 90_000);

  it("puts sessions into arms too, whoever they are of", async () => {
    const workspace = await world.newWorkspace();
    const own = <T>(operation: string, input: object) => world.ask<T>(operation, input, workspace);
    const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
    const visits = Array.from({ length: 1_200 }, (_, n) => {
      const [session, userId, time] = [`s${n}`, `v${n % 90}`, begin + (n / 150) * day];
      const arm = chance(`${session} a`) < 0.5 ? "control" : "new";
      const isDone = chance(`${session} f`) < (arm === "new" ? 0.6 : 0.4);
      return { arm, isDone, time, events: [{ ...at("Shown", userId, time, { variant: arm }), session }, ...(isDone ? [{ ...at("Finished", userId, time + 60_000), session }] : [])] }; // prettier-ignore
    });
    const past = Array.from({ length: 2_800 }, (_, n) => [{ ...at("Signed Up", `p${n}`, begin - 32 * day + (n / 100) * day), session: `p${n}` }, ...(n % 3 === 0 ? [{ ...at("Finished", `p${n}`, begin - 32 * day + (n / 100) * day + 60_000), session: `p${n}` }] : [])]).flat(); // prettier-ignore
    for (const all of [past, visits.flatMap(({ events }) => events)])
      for (let from = 0; from < all.length; from += 5_000) await world.system.ingest.accept(source, all.slice(from, from + 5_000)); // prettier-ignore
    await world.settled();
    await own("metrics.define", { definition: { key: "finished", name: "finished", measure: { kind: "unique", event: "Finished" }, direction: "up" } }); // prettier-ignore
    world.clock.at = begin;
    const experiment = { key: "s", name: "S", hypothesis: "More sessions finish, since it is easier to.", arms: [{ name: "control", weight: 1 }, { name: "new", weight: 1 }], unit: "sessions", exposure: { event: "Shown" }, eligible: { event: "Signed Up" }, metrics: [{ metric: "finished", role: "primary" }], windowDays: 1, covariateDays: 0, effect: 0.3, design: "always_valid" }; // prettier-ignore
    await own("experiments.save", { experiment, version: 0 });
    await own("experiments.start", { key: "s" });
    world.clock.at = begin + 10 * day;
    const { metrics, look, arms } = await own<Results>("experiments.results", { key: "s" });
    expect(look!.units).toBe(visits.length);
    expect(arms.map(({ crossed }) => crossed)).toEqual([0, 0]);
    const mean = (arm: string) => visits.filter((one) => one.arm === arm && one.isDone).length / visits.filter((one) => one.arm === arm).length; // prettier-ignore
    expect(metrics[0]!.comparisons[0]).toMatchObject({ control: expect.closeTo(mean("control"), 9), treatment: expect.closeTo(mean("new"), 9) }); // prettier-ignore
    world.clock.at = undefined;
  }, 60_000);

  it("is planned by how its people came in the past: weekends, and those who come often are new once", async () => {
    const workspace = await world.newWorkspace();
    const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
    const ask = <T>(operation: string, input: object) => world.ask<T>(operation, input, workspace);
    // the same 700 people every weekday, and ten new ones; nobody on weekends
    const visits = Array.from({ length: 60 }, (_, n) => {
      const time = begin - (60 - n) * day;
      const weekday = new Date(time).getUTCDay();
      if (weekday === 0 || weekday === 6) return [];
      return [...Array.from({ length: 700 }, (_, at_) => `old${at_}`), ...Array.from({ length: 10 }, (_, at_) => `new${n}-${at_}`)].flatMap((id) => [at("Visited", id, time + 3_600_000), ...(chance(`${id} x`) < 0.4 ? [at("Finished", id, time + 7_200_000)] : [])]); // prettier-ignore
    }).flat();
    for (let from = 0; from < visits.length; from += 5_000) await world.system.ingest.accept(source, visits.slice(from, from + 5_000)); // prettier-ignore
    await world.settled();
    await ask("metrics.define", { definition: { key: "finished", name: "finished", measure: { kind: "unique", event: "Finished" }, direction: "up" } }); // prettier-ignore
    world.clock.at = begin;
    const experiment = { key: "v", name: "V", hypothesis: "More people finish, since it is easier to.", arms: [{ name: "control", weight: 1 }, { name: "new", weight: 1 }], exposure: { event: "Shown" }, eligible: { event: "Visited" }, metrics: [{ metric: "finished", role: "primary" }], windowDays: 7, covariateDays: 0, design: "fixed" }; // prettier-ignore
    const days = async (effect: number, version: number) => {
      await ask("experiments.save", { experiment: { ...experiment, effect }, version });
      return (await ask<{ plan: { total: number; days: number } }>("experiments.gate", { key: "v" })).plan;
    };
    const small = await days(0.35, 0);
    expect(small.total).toBeLessThan(700);
    expect(small.days).toBe(1); // they all come on the first day
    const large = await days(0.25, 1);
    expect(large.total).toBeGreaterThan(710);
    // beyond the first day ten a weekday, fifty a week
    const left = large.total - 710;
    expect(Math.abs(large.days - (1 + (left / 50) * 7))).toBeLessThan(5);
    world.clock.at = undefined;
  }, 60_000);

  it("says what would change what it says, and how likely that still is", async () => {
    // by hand: B(0.5) = 1.5 √0.5, and half of the drift is to come
    expect(conditionalPower(1.5, 0.5, 2.8, 1.96)).toBeCloseTo(0.7605, 3);
    expect([conditionalPower(2, 1, 0, 1.96), conditionalPower(1.9, 1, 9, 1.96)]).toEqual([1, 0]);
    // and by walks: 40 steps, looked at after 16
    const normal = (text: string) => Math.sqrt(-2 * Math.log(1 - chance(`${text} u`))) * Math.cos(2 * Math.PI * chance(`${text} v`)); // prettier-ignore
    const walks = Array.from({ length: 4_000 }, (_, n) => Array.from({ length: 24 }, (__, step) => (2.8 / Math.sqrt(40) + normal(`${n} ${step}`)) / Math.sqrt(40)).reduce((a, b) => a + b, 0)); // prettier-ignore
    const found = walks.filter((rest) => 1.2 * Math.sqrt(0.4) + rest > 1.96).length / walks.length;
    expect(Math.abs(found - conditionalPower(1.2, 0.4, 2.8, 1.96))).toBeLessThan(0.025);

    const { start, results } = await setUp();
    await start({
      design: "group_sequential",
      looks: 4,
      effect: 0.12,
      metrics: [{ metric: "finished", role: "primary" }],
    });
    world.clock.at = begin + 9 * day;
    const { turns, verdict, look, metrics } = await results();
    expect(look!.information).toBeLessThan(1);
    const { effect } = metrics[0]!.comparisons[0]!;
    expect(turns[0]).toContain(`At this look new is called better from +${(look!.critical * effect!.standardError * 100).toLocaleString("en", { maximumFractionDigits: 1 })} %`); // prettier-ignore
    expect(turns.join(" ")).toMatch(/in \d+ of 100 cases if from here on the effect is the planned \+12 %, and in \d+ of 100 if it stays.*The next look is [\d,]+ people away, about \d+ days\./); // prettier-ignore
    expect(verdict === "ship").toBe(effect!.estimate > look!.critical * effect!.standardError);
    world.clock.at = undefined;
  }, 60_000);
});
