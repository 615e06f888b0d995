import { describe, expect, it } from "vitest";
import { useWorld } from "#test/world.ts";
import { daysBetween, propertyFaults, silenceFault, silenceLimit, volumeFault } from "./compute.ts";
import type { Report, Told } from "./contract.ts";

const days = daysBetween("2026-01-01", "2026-02-26"); // a Thursday
const countsOf = (count: (day: string, place: number) => number) =>
  new Map(days.map((day, place) => [day, count(day, place)]));
const isWeekend = (day: string): boolean => [0, 6].includes(new Date(`${day}T00:00:00Z`).getUTCDay());

describe("volume", () => {
  const usual = (day: string, place: number): number => (isWeekend(day) ? 5_000 : 10_000) + ((place * 37) % 90);

  it("is compared with the same weekday: a weekday that falls by 40 % is odd, a weekend is not", () => {
    expect(volumeFault("A", countsOf(usual), days)).toBeUndefined();
    expect(volumeFault("A", countsOf(usual), days.slice(0, -4))).toBeUndefined(); // ends on a Sunday
    const fallen = countsOf((day, place) => usual(day, place) * (day === "2026-02-26" ? 0.6 : 1));
    expect(volumeFault("A", fallen, days)?.says).toMatch(/on Thursday 2026-02-26; on such days it is about 10,0/);
    expect(volumeFault("A", fallen, days)?.share).toBeCloseTo(0.4, 1);
  });

  it("does not learn an outage: the next one is told too", () => {
    const outages = countsOf((day, place) => (["2026-02-19", "2026-02-26"].includes(day) ? 0 : usual(day, place)));
    expect(volumeFault("A", outages, days)?.says).toMatch(/^0 came/);
  });

  it("of a few is not odd by chance, and says nothing before it knows three such days", () => {
    expect(
      volumeFault(
        "A",
        countsOf((_, place) => 3 + (place % 3)),
        days,
      ),
    ).toBeUndefined();
    // one of what comes once in a blue moon
    expect(volumeFault("A", new Map([["2026-01-02", 1], ["2026-02-26", 1]]), days)).toBeUndefined(); // prettier-ignore
    expect(volumeFault("A", new Map([["2026-02-12", 100], ["2026-02-19", 100], ["2026-02-26", 1]]), days)).toBeUndefined(); // prettier-ignore
  });
});

describe("silence", () => {
  const now = Date.parse("2026-02-26T12:00:00Z");
  const found = { event: "A", source: "s", active: 400, gap: 1, last: now - 4 * 3_600_000 };
  it("is odd after three times the usual gap, or what the contract promises where that is longer", () => {
    expect(silenceLimit(1, undefined)).toBe(3);
    expect(silenceFault(found, now, undefined)?.says).toMatch(/for 4 hours; the next usually comes within 1/);
    expect(silenceFault({ ...found, gap: 2 }, now, undefined)).toBeUndefined();
    expect(silenceFault(found, now, 24)).toBeUndefined();
    expect(silenceFault({ ...found, active: 3, last: now - 30 * 3_600_000 }, now, 24)?.says).toMatch(/promises 24/);
    expect(silenceFault({ ...found, active: 3, last: now - 30 * 3_600_000 }, now, undefined)).toBeUndefined();
  });
});

describe("properties", () => {
  const sample = (size: number, row: (n: number) => Record<string, unknown>) => Array.from({ length: size }, (_, n) => row(n)); // prettier-ignore
  const before = sample(1_000, (n) => ({ plan: ["free", "pro"][n % 2], amount: n % 100, id: `x${n}`, note: "a" }));

  it("that stay as they were are not told", () => {
    expect(propertyFaults("A", before.slice(0, 500), before)).toEqual([]);
    expect(propertyFaults("A", before.slice(0, 50), before)).toEqual([]);
  });

  it("are told when they go missing, change their type, or are spread otherwise", () => {
    const now = sample(500, (n) => ({ plan: n % 10 === 0 ? "pro" : "free", amount: n % 4 === 0 ? "12" : n % 100, id: `y${n}`, ...(n % 2 === 0 ? { note: "a" } : {}) })); // prettier-ignore
    const faults = propertyFaults("A", now, before);
    expect(faults.map(({ kind, subject }) => `${kind} ${subject.property}`).toSorted()).toEqual([
      "drift plan",
      "missing note",
      "types amount",
    ]);
    expect(faults.find(({ kind }) => kind === "types")?.says).toMatch(/25 % are string; before all were number/);
    // other versions are no drift
    const versions = (from: number) => sample(500, (n) => ({ app_version: `4.${from + (n % 3)}.0` }));
    expect(propertyFaults("A", versions(5), versions(1))).toEqual([]);
    const numbers = sample(500, (n) => ({ amount: 60 + (n % 100) }));
    expect(propertyFaults("A", numbers, before.map(({ amount }) => ({ amount }))).map(({ kind }) => kind)).toEqual(["drift"]); // prettier-ignore
  });
});

describe("a look at what arrived", () => {
  const world = useWorld();

  it("tells what is wrong by event with its owner and what hangs on it, and scores the source", async () => {
    const source = await world.system.registry.byKey((await world.source("api")).writeKey);
    const now = Date.now();
    const hour = 3_600_000;
    const events = Array.from({ length: 40 * 24 }, (_, n) => ({
      name: "Paid",
      userId: `u${n % 20}`,
      messageId: `m${n}`,
      at: now - n * hour,
      properties: n < 7 * 24 ? { plan: "pro" } : { plan: "pro", amount: 1 },
    }));
    await world.system.ingest.accept(source, [...events, ...Array.from({ length: 200 }, (_, n) => ({ name: "Seen", userId: "u", messageId: `s${n}`, at: now - n * 60_000 }))]); // prettier-ignore
    await world.settled();
    const measure = { kind: "sum", event: "Paid", property: "amount" };
    await world.ask("metrics.define", { definition: { key: "revenue", name: "Revenue", measure } });
    await world.ask("stewardship.describe", { kind: "event", id: "Paid", owner: "billing team", description: "" });
    expect(await world.ask("quality.report", {})).toMatchObject({ at: null, faults: [] });
    await world.ask("quality.look", {});
    const report = await world.ask<Report & { faults: Told[] }>("quality.report", {});
    const late = (report.faults as Told[]).find(({ kind, subject }) => kind === "late" && subject.event === "Paid");
    expect(late).toMatchObject({ owner: "billing team" });
    expect(late?.hits.map(({ title }) => title)).toEqual(["Revenue"]);
    const [score] = report.scores;
    expect(score).toMatchObject({ name: "api", fresh: 1, conform: 1, events: expect.any(Number) as number });
    // of "Paid" all but the newest came late, of "Seen" two thirds
    expect(score!.onTime).toBeLessThan(0.3);
    expect(score!.score).toBe(Math.round(25 * (score!.fresh + score!.volume + score!.conform + score!.onTime)));
    const beside = await world.ask<{ score: number; faults: unknown[] }>("quality.ofMetric", { metric: "revenue" });
    expect(beside.score).toBe(score!.score);
    expect(beside.faults.length).toBeGreaterThan(0);
  });
});
