import { beforeAll, describe, expect, it } from "vitest";
import type { MetricResult } from "#insights/metrics/contract.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
const now = Date.parse("2026-03-20T12:00:00Z"); // a Friday
const hour = 3_600_000;
const at = (text: string): number => Date.parse(`2026-03-${text}Z`);

beforeAll(async () => {
  world.clock.at = now;
  const source = await world.system.registry.byKey((await world.source()).writeKey);
  let message = 0;
  const did = (userId: string, name: string, time: string, properties = {}, account = "") => ({ userId, name, at: at(time), properties, account, messageId: String((message += 1)) }); // prettier-ignore
  await world.system.ingest.accept(source, [
    did("ana", "Signed up", "02T10:00", {}, "acme"),
    did("ana", "Bought", "02T12:00", { amount: 10 }, "acme"),
    did("ana", "Bought", "04T12:00", { amount: 30 }, "acme"),
    did("ana", "Bought", "10T12:00", { amount: 20 }, "acme"),
    did("bo", "Signed up", "03T10:00", {}, "acme"),
    did("bo", "Bought", "03T18:00", {}, "acme"),
    did("cy", "Signed up", "11T10:00", {}, "beta"),
    did("dee", "Signed up", "18T10:00", {}, "beta"),
    did("dee", "Bought", "18T11:00", { amount: 5 }, "beta"),
  ]);
  await world.settled();
});

const range = { from: "2026-03-02", to: "2026-03-20" };
const bought = { event: "Bought" };
const metric = (key: string, measure: unknown, rest = {}) => ({ key, name: key, measure, ...rest });
const define = (definition: unknown, over?: number) => world.ask<{ version: number }>("metrics.define", { definition, over }); // prettier-ignore

/** The values over the three weeks, and over all of them. */
const values = async (measure: unknown, rest = {}, input = {}): Promise<[(number | null)[], number | null]> => {
  await define(metric("m", measure, rest));
  const { groups } = await world.ask<MetricResult>("metrics.ask", { metric: "m", range, interval: "week", ...input });
  return [groups[0]!.points.map(({ value }) => value), groups[0]!.total.value];
};
const steps = [{ event: "Signed up" }, { event: "Bought" }];

describe("a metric", () => {
  it("is what its kind says, bucket by bucket and over the whole range", async () => {
    expect(await values({ kind: "count", ...bought })).toEqual([[3, 1, 1], 5]);
    expect(await values({ kind: "unique", ...bought })).toEqual([[2, 1, 1], 3]);
    expect(await values({ kind: "unique", of: "accounts", ...bought })).toEqual([[1, 1, 1], 2]);
    expect(await values({ kind: "sum", property: "amount", ...bought })).toEqual([[40, 20, 5], 65]);
    expect(await values({ kind: "average", property: "amount", ...bought })).toEqual([[20, 20, 5], 16.25]);
    expect(await values({ kind: "average", property: "amount", event: "Signed up" })).toEqual([
      [null, null, null],
      null,
    ]);
    const ratio = { kind: "ratio", numerator: { kind: "sum", property: "amount", ...bought }, denominator: { kind: "unique", event: "Signed up" } }; // prettier-ignore
    expect(await values(ratio)).toEqual([[20, 20, 5], 65 / 4]);
    expect(await values({ ...ratio, denominator: { kind: "count", event: "Never" } })).toEqual([
      [null, null, null],
      null,
    ]);
  });

  it("adds up since a day, before the range, inside it and after it", async () => {
    const late = { range: { from: "2026-03-09", to: "2026-03-20" } };
    const cumulative = (since?: string) => ({ kind: "cumulative", of: { kind: "sum", property: "amount", ...bought }, since }); // prettier-ignore
    expect(await values(cumulative(), {}, late)).toEqual([[20, 25], 25]);
    expect(await values(cumulative("2026-03-03"), {}, late)).toEqual([[50, 55], 55]);
    expect(await values(cumulative("2026-03-17"), {}, late)).toEqual([[null, 5], 5]);
    expect(await values(cumulative("2026-04-01"), {}, late)).toEqual([[null, null], null]);
  });

  it("is a share of people, with its interval and what may still change", async () => {
    const conversion = { kind: "conversion", steps, windowSeconds: 86_400 };
    expect(await values(conversion)).toEqual([[1, 0, 1], 3 / 4]);
    const { groups, openFrom, buckets } = await world.ask<MetricResult>("metrics.ask", { metric: "m", range, interval: "week" }); // prettier-ignore
    expect(buckets).toEqual(["2026-03-02", "2026-03-09", "2026-03-16"]);
    expect(openFrom).toBe(2);
    expect(groups[0]!.points[0]).toMatchObject({ of: 2, interval: [expect.closeTo(0.342, 3), 1] });
  });

  it("is how long it takes", async () => {
    const time = { kind: "time_to_value", steps, windowSeconds: 7 * 86_400 };
    expect(await values({ ...time, statistic: "median" })).toEqual([[5 * 3_600, null, 3_600], 2 * 3_600]);
    expect((await values({ ...time, statistic: "average" }))[1]).toBe((11 / 3) * 3_600);
    const groups = await world.ask<{ groups: { people: number; median: number }[] }>("funnels.timeToConvert", { funnel: { range, steps }, to: 1 }); // prettier-ignore
    expect(groups.groups).toMatchObject([{ group: null, people: 3, median: 7_200, p25: 5_400, p75: 18_000 }]);
  });

  it("is retention, which has no value before its time is over, over ranges of any length", async () => {
    const retention = { kind: "retention", start: { event: "Signed up" }, returning: bought, period: "week", after: 1 };
    expect(await values(retention)).toEqual([[1 / 2, null, null], 1 / 2]);
    const daily = { ...retention, period: "day", after: 2 };
    const [points, total] = await values(daily, {}, { range: { from: "2025-12-01", to: "2026-03-20" } });
    expect(points).toHaveLength(110);
    expect(total).toBe(1 / 3);
    expect(points.filter((value) => value !== null)).toEqual([1, 0, 0]);
  });

  it("is who is new, how often people come, and their sessions", async () => {
    const any = { event: null };
    expect(await values({ kind: "lifecycle", activity: any, state: "new" })).toEqual([[2, 1, 1], 4]);
    expect(await values({ kind: "lifecycle", activity: any, state: "dormant" })).toEqual([[0, 1, 2], null]);
    expect(await values({ kind: "stickiness", activity: any, atLeast: 2 })).toEqual([[1 / 2, 0, 0], 1 / 4]);
    expect(await values({ kind: "sessions", activity: any })).toEqual([[5, 2, 2], 9]);
    expect((await values({ kind: "sessions", activity: any, figure: "averageSeconds", gapMinutes: 60 }))[0][2]).toBe(3_600); // prettier-ignore
  });

  it("is what a query says, by bucket of its times", async () => {
    const sql = (query: string, combine: string) => ({ kind: "sql", query, combine });
    const paid = "SELECT at, properties.amount.:Int64 AS value FROM events WHERE event = 'Bought'";
    expect(await values(sql(paid, "sum"))).toEqual([[40, 20, 5], 65]);
    expect(await values(sql(paid, "average"))).toEqual([[20, 20, 5], 16.25]);
    expect(await values(sql(paid, "last"))).toEqual([[30, 20, 5], 5]);
    expect(await values(sql("SELECT toDate('2026-03-11') AS at, 7 AS value", "sum"))).toEqual([[null, 7, null], 7]);
    await expect(values(sql("SELECT at, 1 AS value FROM identities", "sum"))).rejects.toMatchObject({
      code: "sql.wrong",
    });
    await expect(values(sql("SELECT 1", "sum"))).rejects.toMatchObject({ code: "sql.wrong" });
    await expect(values(sql(paid, "sum"), { product: "Core" })).rejects.toMatchObject({ code: "metrics.no_filters" });
  });

  it("takes conditions, a breakdown and the period before", async () => {
    expect(await values({ kind: "count", ...bought }, { filters: [{ property: "amount", op: "gt", values: [15] }] })).toEqual([[1, 1, 0], 2]); // prettier-ignore
    await define(metric("m", { kind: "conversion", steps, windowSeconds: 86_400 }));
    const input = { metric: "m", range: { from: "2026-03-09", to: "2026-03-22" }, interval: "week", compare: true };
    const { groups, sentence } = await world.ask<MetricResult>("metrics.ask", input);
    expect(groups.map(({ period, total }) => [period, total.value])).toEqual([
      ["current", 1 / 2],
      ["previous", 1],
    ]);
    expect(sentence).toBe("m was 0 % in the week of 2026-03-09. From 2026-03-09 to 2026-03-22 it was 50 %, 50 points less than in the period before."); // prettier-ignore
    const broken = await world.ask<MetricResult>("metrics.ask", { metric: "m", range, interval: "month", breakdown: { property: "none" } }); // prettier-ignore
    expect(broken.groups.map(({ group }) => group)).toEqual([""]);
  });

  it("keeps every definition, and refuses to write over what it has not seen", async () => {
    expect(await define(metric("paid", { kind: "count", ...bought }))).toEqual({ key: "paid", version: 1 });
    expect(await define(metric("paid", { kind: "count", ...bought }))).toEqual({ key: "paid", version: 1 });
    const next = metric("paid", { kind: "unique", ...bought }, { inputs: ["m"] });
    const preview = await world.ask<{ before: MetricResult; after: MetricResult; changes: { path: string }[] }>("metrics.preview", { definition: next, range, interval: "week" }); // prettier-ignore
    expect([preview.before.groups[0]!.total.value, preview.after.groups[0]!.total.value]).toEqual([5, 3]);
    expect(preview.changes.map(({ path }) => path).sort()).toEqual(["inputs", "measure.kind", "measure.of"]);
    expect(await define(next, 1)).toEqual({ key: "paid", version: 2 });
    await expect(define(metric("paid", { kind: "count", event: "Signed up" }), 1)).rejects.toMatchObject({ code: "metrics.changed" }); // prettier-ignore
    const { history, uses } = await world.ask<{ history: { version: number; by: string }[]; uses: unknown[] }>("metrics.get", { metric: "paid" }); // prettier-ignore
    expect(history.map(({ version, by }) => [version, by])).toEqual([
      [2, "Ana"],
      [1, "Ana"],
    ]);
    expect(uses).toEqual([]);
    await expect(world.ask("metrics.remove", { metric: "m" })).rejects.toMatchObject({ code: "metrics.in_use" });
    await expect(define(metric("m", { kind: "count", ...bought }, { inputs: ["paid"] }))).rejects.toMatchObject({ code: "metrics.circle" }); // prettier-ignore
    // however many ways lead from one to another, each is followed once
    const layer = (n: number) => Array.from({ length: 12 }, (_, place) => `l${n}_${place}`);
    const layers = Array.from({ length: 14 }, (_, n) => layer(n).map((key) => metric(key, { kind: "count" }, { inputs: n === 0 ? [] : layer(n - 1) }))).flat(); // prettier-ignore
    const many = await world.ask<{ planned: unknown[] }>("metrics.plan", { metrics: layers });
    expect(many.planned).toHaveLength(168);
    await expect(define(metric("x", { kind: "count", ...bought }, { inputs: ["nothing"] }))).rejects.toMatchObject({ code: "metrics.unknown_input" }); // prettier-ignore
    await define(metric("paid", { kind: "count", ...bought }));
    await world.ask("metrics.remove", { metric: "paid" });
    await expect(world.ask("metrics.get", { metric: "paid" })).rejects.toMatchObject({ code: "metrics.unknown" });
    expect(await define(metric("paid", { kind: "count", ...bought }))).toEqual({ key: "paid", version: 4 });
  });

  it("belongs to one workspace, and follows one North Star", async () => {
    await define(metric("star", { kind: "count", ...bought }, { northStar: true }));
    await define(metric("other", { kind: "count", ...bought }, { northStar: true }));
    const all = await world.ask<{ metrics: { key: string; northStar: boolean }[] }>("metrics.list", {});
    expect(all.metrics.filter(({ northStar }) => northStar).map(({ key }) => key)).toEqual(["other"]);
    const elsewhere = await world.newWorkspace();
    expect(await world.ask("metrics.list", {}, elsewhere)).toEqual({ metrics: [] });
    await expect(world.ask("metrics.ask", { metric: "star" }, elsewhere)).rejects.toMatchObject({ code: "metrics.unknown" }); // prettier-ignore
  });

  it("counts one product alone", async () => {
    const workspace = await world.newWorkspace();
    const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
    const event = (n: number) => ({ userId: `u${n}`, name: "Used", at: now - hour, messageId: `p${n}` });
    await world.system.ingest.accept({ ...source!, product: "Core" }, [event(1), event(2)]);
    await world.system.ingest.accept({ ...source!, product: "Mobile" }, [event(3)]);
    await world.settled();
    const definition = metric("used", { kind: "count", event: "Used" }, { product: "Core" });
    await world.ask("metrics.define", { definition }, workspace);
    const { groups } = await world.ask<MetricResult>("metrics.ask", { metric: "used", range, interval: "month" }, workspace); // prettier-ignore
    expect(groups[0]!.total.value).toBe(2);
  });

  it("comes from files: the plan says what applying them does, and leaves what was made on the page", async () => {
    const workspace = await world.newWorkspace();
    const ask = (operation: string, input: unknown) => world.ask<any>(`metrics.${operation}`, input, workspace);
    await ask("define", { definition: metric("by_hand", { kind: "count", ...bought }, { northStar: true }) });
    const [a, b] = [
      metric("a", { kind: "count", ...bought }),
      metric("b", { kind: "count", ...bought }, { inputs: ["a"] }),
    ];
    const actions = ({ planned }: any) => planned.map((one: any) => `${one.action} ${one.key}`);
    expect(actions(await ask("plan", { metrics: [a, b] }))).toEqual(["add a", "add b"]);
    expect(actions(await ask("apply", { metrics: [b, a] }))).toEqual(["add b", "add a"]);
    expect(actions(await ask("plan", { metrics: [a, b] }))).toEqual(["keep a", "keep b"]);
    await ask("define", { definition: { ...a, name: "Changed on the page" } });
    const drift = await ask("plan", { metrics: [a, b] });
    expect(drift.planned[0]).toMatchObject({ action: "change", changes: [{ path: "name", from: "Changed on the page", to: "a" }], uses: [{ kind: "metric", title: "b" }] }); // prettier-ignore
    expect(actions(await ask("apply", { metrics: [{ ...a, northStar: true }] }))).toEqual(["change a", "change by_hand", "remove b"]); // prettier-ignore
    const { metrics } = await ask("list", {});
    expect(metrics.map((one: any) => [one.key, one.origin, one.northStar])).toEqual([["a", "files", true], ["by_hand", "page", false]]); // prettier-ignore
    await expect(ask("apply", { metrics: [a, { ...b, inputs: ["gone"] }] })).rejects.toMatchObject({ code: "metrics.unknown_input" }); // prettier-ignore
    await expect(ask("apply", { metrics: [a, a] })).rejects.toMatchObject({ code: "metrics.twice" });
  });
});
