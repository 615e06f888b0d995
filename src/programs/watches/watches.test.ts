import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noVeil } from "#kernel/classes.ts";
import { randomFrom } from "#stats/random.ts";
import { startWorld, stopWorld, type World } from "#test/world.ts";
import { scoreBreaks } from "../cx-score/versions/breaks.ts";
import { titleOf, type Condition, type Judged, type Watch, type WatchView } from "./contract.ts";
import { beginsIn, judged, type Series } from "./judge.ts";

const [hour, day] = [3_600_000, 86_400_000];
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const watch = (when: Condition, more: Partial<Watch> = {}): Watch => ({ metric: "orders", by: "day", when, least: 0, tell: [], ...more }); // prettier-ignore
/** Days from Monday the second of March on. */
const monday = Date.parse("2026-03-02");
const days = (values: readonly (number | null)[], more: Partial<Series> = {}, of: number | null = null): Series => ({ format: "number", unit: "", interval: "day", points: values.map((value, at) => ({ bucket: dayOf(monday + at * day), value, of })), ...more }); // prettier-ignore
const last = (when: Condition, series: Series, more: Partial<Watch> = {}): Judged | undefined => judged(watch(when, more), series, series.points.length - 1); // prettier-ignore

describe("a value", () => {
  it("is below or above what it may be, and says so", () => {
    expect(last({ kind: "below", value: 10 }, days([9]))).toMatchObject({ fires: true, lower: 10, upper: null, says: "9 on Monday 2026-03-02; it is to be 10 or more." }); // prettier-ignore
    expect(last({ kind: "below", value: 10 }, days([10]))?.fires).toBe(false);
    expect(last({ kind: "above", value: 0.5 }, days([0.6], { format: "share" }))).toMatchObject({ fires: true, says: "60 % on Monday 2026-03-02; it is to be 50 % or less." }); // prettier-ignore
    expect(last({ kind: "below", value: 10 }, days([null]))).toBeUndefined();
    // a share of few people says little
    expect(last({ kind: "below", value: 0.5 }, days([0], { format: "share" }, 3), { least: 20 })).toBeUndefined();
    expect(last({ kind: "below", value: 0.5 }, days([0], { format: "share" }, 20), { least: 20 })?.fires).toBe(true);
  });

  it("falls or rises against the same weekday, or the week or month before", () => {
    const week = [100, 100, 100, 100, 100, 20, 20];
    expect(last({ kind: "falls", share: 0.2 }, days([...week, 80]))).toMatchObject({ fires: true, lower: 80, says: "80 on Monday 2026-03-09, 20 % less than 100 the week before." }); // prettier-ignore
    expect(last({ kind: "falls", share: 0.2 }, days([...week, 80.1]))?.fires).toBe(false);
    expect(last({ kind: "falls", share: 0.2 }, days([...week, ...week]))?.fires).toBe(false);
    expect(last({ kind: "rises", share: 0.5 }, days([...week, 150]))?.fires).toBe(true);
    expect(last({ kind: "rises", share: 0.5 }, days([0, 150], { interval: "week" }))).toBeUndefined();
    expect(last({ kind: "falls", share: 0.5 }, days([100, 40], { interval: "month" }))?.fires).toBe(true);
    // a value below zero that goes further down falls
    expect(last({ kind: "falls", share: 0.5 }, days([-100, -160], { interval: "week" }))?.fires).toBe(true);
    expect(last({ kind: "falls", share: 0.2 }, days([100, 100]))).toBeUndefined();
  });

  it("is unusual far from the same weekdays, and not by what chance does", () => {
    const weeks = (count: number, noise: (mean: number) => number, of?: (place: number) => number): number[] =>
      Array.from({ length: count * 7 }, (_, at) => noise(of?.(at) ?? (at % 7 > 4 ? 20 : 100)));
    const any = { kind: "unusual", way: "any" } as const;
    const flat = weeks(8, (mean) => mean);
    // weekends are low each week
    expect(last(any, days([...flat, 100, 100, 100, 100, 100, 20]))?.fires).toBe(false);
    expect(last(any, days([...flat, 100, 100, 100, 100, 100, 100]))).toMatchObject({ fires: true, says: "100 on Saturday 2026-05-02; it is usually about 20." }); // prettier-ignore
    expect(last({ kind: "unusual", way: "down" }, days([...flat, 100, 100, 100, 100, 100, 100]))).toMatchObject({ fires: false, upper: null }); // prettier-ignore
    expect(last(any, days([...flat, 60]))?.fires).toBe(true);
    expect(last(any, days([...flat, 95]))?.fires).toBe(false);
    expect(last(any, days([...weeks(4, (mean) => mean), 1]))).toBeUndefined();

    const random = randomFrom(7);
    const poisson = (mean: number): number => {
      let [count, left] = [0, Math.exp(-mean)];
      for (let product = random(); product > left; product *= random()) count += 1;
      return count;
    };
    const counts = days(weeks(300, poisson));
    const told = counts.points.map((_, at) => judged(watch(any), counts, at)).filter((one) => one !== undefined);
    expect(told.length).toBeGreaterThan(2_000);
    expect(told.filter(({ fires }) => fires).length / told.length).toBeLessThan(0.015);
    const halved = days(counts.points.map(({ value }, at) => (at === 2_080 ? Math.round((value ?? 0) / 2) : value)));
    expect(judged(watch(any), halved, 2_080)).toMatchObject({ fires: true });

    // what never happened and happens once is not unusual; often is
    expect([1, 3, 5].map((value) => last(any, days([...weeks(8, () => 0), value]))?.fires)).toEqual([false, false, true]); // prettier-ignore
    expect([0.05, 0.5].map((value) => last(any, days([...weeks(8, () => 0), value], { format: "share" }, 20))?.fires)).toEqual([false, true]); // prettier-ignore

    // of averages and of weeks nothing is known but how far they spread
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const spread = (interval: "day" | "week", by: number): Series => days(weeks(300, (mean) => mean * (1 + by * normal()), interval === "day" ? undefined : () => 100), { interval }, 50); // prettier-ignore
    for (const [interval, by] of [
      ["day", 0.2],
      ["day", 0.05],
      ["week", 0.2],
      ["week", 0.05],
    ] as const) {
      const series = spread(interval, by);
      const all = series.points.map((_, at) => judged(watch(any), series, at)).filter((one) => one !== undefined);
      expect(all.length).toBeGreaterThan(2_000);
      expect(all.filter(({ fires }) => fires).length / all.length, `${interval} ${by}`).toBeLessThan(0.015);
      const fallen = series.points.map((point, at) => ({ ...point, value: at === 2_080 ? (by === 0.05 ? 0.6 : 0.05) * (point.value ?? 0) : point.value })); // prettier-ignore
      expect(judged(watch(any), { ...series, points: fallen }, 2_080)?.fires).toBe(true);
    }

    // of a share, few people swing wide by chance
    const share = (of: number): Series => days(weeks(100, () => Array.from({ length: of }, () => Number(random() < 0.3)).reduce((a, b) => a + b, 0) / of), { format: "share" }, of); // prettier-ignore
    for (const of of [20, 500]) {
      const all = share(of).points.map((_, at, points) => judged(watch(any), { ...share(of), points }, at)).filter((one) => one !== undefined); // prettier-ignore
      expect(all.filter(({ fires }) => fires).length / all.length, `of ${of}`).toBeLessThan(0.015);
    }
  });

  it("is told where it begins: what goes on was told already", () => {
    const of = (text: string) => text.split("").map((one) => (one === "?" ? undefined : { fires: one === "x" }));
    expect([beginsIn(of("..x..")), beginsIn(of("xx.x")), beginsIn(of("x?x")), beginsIn(of(""))]).toEqual([1, 2, 1, 0]);
    expect(titleOf(watch({ kind: "falls", share: 0.2 }, { by: "week" }))).toBe("A week 20 % or more below the week before"); // prettier-ignore
  });
});

let world: World;
let hook: Server;
const hooks: { title: string; says: string; data?: Record<string, unknown> }[] = [];
let channel = "";
beforeAll(async () => {
  hook = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      hooks.push((JSON.parse(body) as { data: (typeof hooks)[number] }).data);
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((ready) => hook.listen(0, "127.0.0.1", ready));
  const { port } = hook.address() as AddressInfo;
  world = await startWorld({ private_hosts: `127.0.0.1:${port}`, public_url: "http://acme.example" });
  ({ id: channel } = await world.ask<{ id: string }>("alerts.addWebhook", { name: "Hook", address: `http://127.0.0.1:${port}/` })); // prettier-ignore
});
afterAll(async () => {
  await stopWorld(world);
  hook.close();
});

const run = async (name: string, now: number): Promise<void> => {
  world.clock.at = now;
  const found = (await world.system.directory.find(world.workspace))!;
  const job = world.system.modules.flatMap((module) => module.jobs ?? []).find((one) => one.name === name)!;
  await job.run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now, ...found }); // prettier-ignore
};
const views = async (): Promise<WatchView[]> => (await world.ask<{ watches: WatchView[] }>("watches.list", { metric: "orders" })).watches; // prettier-ignore

describe("a watch", () => {
  it("tells once when a metric is not as it should be, and once when it is again, whatever ends in between", async () => {
    const source = await world.system.registry.byKey((await world.source()).writeKey);
    const order = (at: number, count: number) => Array.from({ length: count }, (_, n) => ({ name: "Order", userId: `u${n}`, messageId: `${at} ${n}`, at: at + n * 60_000 })); // prettier-ignore
    const begin = monday + 63 * day; // a Monday, nine weeks on
    world.clock.at = begin + 10 * hour;
    await world.system.ingest.accept(source, Array.from({ length: 63 }, (_, n) => order(monday + n * day, n % 7 > 4 ? 3 : 20)).flat()); // prettier-ignore
    await world.settled();
    await world.ask("metrics.define", { definition: { key: "orders", name: "Orders", owner: "ana@example.com", measure: { kind: "count", event: "Order" } } }); // prettier-ignore
    const unusual = watch({ kind: "unusual", way: "any" }, { tell: [channel] });
    const { id } = await world.ask<{ id: string }>("watches.save", { watch: unusual });

    const past = await world.ask<{ judged: Judged[]; told: number }>("watches.try", { watch: unusual });
    expect(past).toMatchObject({ told: 0 });
    expect(past.judged).toHaveLength(120);
    expect(past.judged.at(-1)).toMatchObject({ bucket: "2026-05-03", value: 3, fires: false, says: "3 on Sunday 2026-05-03; it is usually about 3." }); // prettier-ignore

    const arrive = async (...orders: readonly (readonly [at: number, count: number])[]): Promise<void> => {
      world.clock.at = Math.max(...orders.map(([at]) => at)) + 20 * hour;
      await world.system.ingest.accept(
        source,
        orders.flatMap(([at, count]) => order(at, count)),
      );
    };
    const heard = async (now: number): Promise<string[]> => {
      await world.settled();
      await run("watches.look", now);
      await run("alerts.deliver", now);
      return hooks.map(({ title }) => title);
    };
    await arrive([begin, 2]);
    expect(await heard(begin + 20 * hour)).toEqual([]);
    expect(await views()).toMatchObject([{ state: "waits", seen: "2026-05-03", firings: [] }]);
    // what comes late is waited for
    expect(await heard(begin + day + hour / 2)).toEqual([]);
    const first = "Orders: 2 on Monday 2026-05-04; it is usually about 20.";
    expect(await heard(begin + day + 1.5 * hour)).toEqual([first]);
    expect(hooks[0]!.data).toMatchObject({ metric: "orders", bucket: "2026-05-04", value: 2 });
    expect(await heard(begin + day + 2 * hour)).toEqual([first]);
    // the next day is no better: that was told. Looked at from the start again, as by a process that ended, nothing is told twice
    await arrive([begin + day, 1]);
    expect(await heard(begin + 2 * day + 2 * hour)).toEqual([first]);
    await world.system.store.updateTable("watches").set({ seen: "2026-05-03", state: "waits" }).where("id", "=", id).execute(); // prettier-ignore
    expect(await heard(begin + 2 * day + 3 * hour)).toEqual([first]);
    expect(await views()).toMatchObject([{ state: "fires", firings: [{ bucket: "2026-05-05", value: 1 }, { bucket: "2026-05-04" }] }]); // prettier-ignore
    // two days at once, after the server was away
    await arrive([begin + 2 * day, 19], [begin + 3 * day, 21]);
    expect(await heard(begin + 4 * day + 2 * hour)).toEqual([first, "Over: Orders"]);
    expect(hooks[1]!.says).toBe("It is as it should be again: 19 on Wednesday 2026-05-06; it is usually about 20.");
    expect(await views()).toMatchObject([{ state: "calm", seen: "2026-05-07", problem: "" }]);

    const made = await world.ask<{ uses: { kind: string; title: string }[] }>("metrics.get", { metric: "orders" });
    expect(made.uses).toMatchObject([{ kind: "watch", title: "orders: A day unusually low or high" }]);
    const other = await world.newWorkspace();
    expect(await world.ask("watches.list", {}, other)).toEqual({ watches: [] });
    await world.ask("metrics.define", { definition: { key: "orders", name: "Orders", measure: { kind: "count", event: "Order" } } }, other); // prettier-ignore
    await expect(world.ask("watches.save", { id, watch: watch({ kind: "below", value: 1 }) }, other)).rejects.toThrow(/no such watch/); // prettier-ignore
    await expect(world.ask("watches.save", { watch: unusual }, other)).rejects.toThrow(/no such channel/);
    await world.ask("watches.remove", { id }, other);
    expect(await views()).toHaveLength(1);

    // who comes back after a week is looked at by the week, and named so; the week before is not told yet
    await world.ask("metrics.define", { definition: { key: "back", name: "Back", measure: { kind: "retention", start: { event: "Order" }, returning: { event: "Order" }, cohorting: "recurring", period: "week", after: 1 } } }); // prettier-ignore
    const back = { ...watch({ kind: "above", value: 0.5 }), metric: "back" };
    await world.ask("watches.save", { watch: back });
    expect((await world.ask<{ watches: WatchView[] }>("watches.list", { metric: "back" })).watches).toMatchObject([{ watch: { by: "week" }, seen: "2026-04-20" }]); // prettier-ignore
    const weeks = (await world.ask<{ judged: Judged[] }>("watches.try", { watch: back })).judged.map(({ bucket }) => Date.parse(bucket)); // prettier-ignore
    expect(weeks.length).toBeGreaterThan(20);
    expect(weeks.slice(1).every((start, at) => start - weeks[at]! === 7 * day)).toBe(true);

    // one that cannot be asked says why, and keeps no other from being looked at
    await world.ask("metrics.define", { definition: { key: "gone", name: "Gone", measure: { kind: "count", event: "Order" } } }); // prettier-ignore
    await world.ask("watches.save", { watch: { ...watch({ kind: "below", value: 1 }), metric: "gone" } });
    await expect(world.ask("metrics.remove", { metric: "gone" })).rejects.toThrow(
      /gone: A day below 1 uses this metric/,
    );
    await world.system.store
      .updateTable("metrics")
      .set({ removed_at: dayOf(begin) })
      .where("key", "=", "gone")
      .execute();
    await arrive([begin + 4 * day, 1]);
    expect((await heard(begin + 5 * day + 2 * hour)).at(-1)).toBe("Orders: 1 on Friday 2026-05-08; it is usually about 20."); // prettier-ignore
    expect((await world.ask<{ watches: WatchView[] }>("watches.list", { metric: "gone" })).watches).toMatchObject([{ problem: "There is no metric gone here." }]); // prettier-ignore
    await world.ask("watches.remove", { id });
    expect(await views()).toEqual([]);
    // who began in the week of 27 April is known to be back a week after that is over, and not before
    const found = async () => (await world.ask<{ watches: WatchView[] }>("watches.list", { metric: "back" })).watches[0]!.firings.map(({ bucket }) => bucket); // prettier-ignore
    await run("watches.look", begin + 6 * day + 2 * hour);
    expect(await found()).toEqual([]);
    await run("watches.look", begin + 7 * day + 2 * hour);
    expect(await found()).toEqual(["2026-04-27"]);
  });

  it("stands still after an upgrade that took the scorer away, for what is made of scores", async () => {
    const workspace = await world.newWorkspace();
    const call = { ...(await world.system.directory.find(workspace))!, principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now: monday } as const; // prettier-ignore
    const breaks = scoreBreaks(world.system.store);
    const made = { kind: "average", event: "Conversation scored", property: "score" };
    expect([await breaks(call, made), await breaks(call, { kind: "count", event: "Order" })]).toEqual([undefined, undefined]); // prettier-ignore
    // as if its first scorer had been another one, and this one came a week later
    const rows = world.system.store.updateTable("cx_versions").where("workspace", "=", workspace);
    await rows.set({ id: "0.old", model: "0.old" }).execute();
    expect(await breaks({ ...call, now: monday + 7 * day }, made)).toBe(monday + 7 * day);
    expect(await breaks({ ...call, now: monday + 8 * day }, made)).toBe(monday + 7 * day);
  });

  it("stands still once another version of the score is switched on, until somebody says that it goes on", async () => {
    const source = await world.system.registry.byKey((await world.source()).writeKey);
    const begin = monday + 200 * day;
    world.clock.at = begin + 10 * hour;
    const scored = (at: number, score: number) => ({ name: "Conversation scored", userId: "u", messageId: `s${at}`, at: at + hour, properties: { score } }); // prettier-ignore
    await world.ask("metrics.define", { definition: { key: "score", name: "Score", measure: { kind: "average", event: "Conversation scored", property: "score" } } }); // prettier-ignore
    const falls = { ...watch({ kind: "falls", share: 0.2 }), metric: "score", tell: [channel] };
    const { id } = await world.ask<{ id: string }>("watches.save", { watch: falls });
    hooks.length = 0;
    const arrive = async (...all: readonly (readonly [at: number, score: number])[]): Promise<void> => {
      world.clock.at = Math.max(...all.map(([at]) => at)) + 2 * hour;
      await world.system.ingest.accept(
        source,
        all.map(([at, score]) => scored(at, score)),
      );
    };
    const stands = async (now: number) => {
      await world.settled();
      await run("watches.look", now);
      await run("alerts.deliver", now);
      const [found] = (await world.ask<{ watches: WatchView[] }>("watches.list", { metric: "score" })).watches;
      return [found!.state, ...hooks.map(({ title }) => title)];
    };
    await arrive([begin - 6 * day, 4], [begin, 4]);
    expect(await stands(begin + day + 2 * hour)).toEqual(["waits"]); // there was no Sunday a week before
    await arrive([begin + day, 3]);
    const store = world.system.store;
    await store.insertInto("cx_versions").values({ workspace: world.workspace, id: "next", model: "next", calibration: "", state: "used", activations: JSON.stringify([{ since: begin + day + 3 * hour, rebased: false }]), made_by: "", made_at: dayOf(begin) }).execute(); // prettier-ignore
    expect(await stands(begin + 2 * day + 2 * hour)).toEqual(["frozen", "Score is not watched for now"]);
    expect(await stands(begin + 2 * day + 3 * hour)).toEqual(["frozen", "Score is not watched for now"]);

    // it goes on, and compares nothing with what was before the switch: a week later it may
    world.clock.at = begin + 2 * day + 4 * hour;
    await world.ask("watches.save", { id, watch: falls });
    await world.system.ingest.accept(
      source,
      Array.from({ length: 7 }, (_, n) => scored(begin + (2 + n) * day, 2)),
    );
    expect(await stands(begin + 9 * day + 2 * hour)).toEqual(["waits", "Score is not watched for now"]);
    await arrive([begin + 9 * day, 1]);
    expect(await stands(begin + 10 * day + 2 * hour)).toEqual(["fires", "Score is not watched for now", expect.stringMatching(/^Score: 1 on .*50 % less than 2 the week before/)]); // prettier-ignore
  });
});
