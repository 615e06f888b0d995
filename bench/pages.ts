import { existsSync, readFileSync } from "node:fs";
import { openSystem, type System } from "#app/system.ts";
import { readConfig } from "#kernel/config.ts";
import type { Engine } from "#kernel/engine/engine.ts";
import { bind, identifier, literal, sql } from "#kernel/sql.ts";
import { createWorkspace } from "#programs/workspaces/create.ts";

/** What a page waits for, through the operations that it asks: a year of made-up events, 40 a person a year. */

const year = 365;
const end = Date.parse("2026-07-01");
const start = end - year * 86_400_000;

const fill = async (engine: Engine, count: number): Promise<void> => {
  for (let done = 0; done < count; done += 5_000_000) {
    await engine.command(sql`INSERT INTO ${identifier("events")} (event, actor, at, message, source, product, session, account, properties, received)
      SELECT concat('event ', toString(toUInt8(floor(pow(20.99, (sipHash64(number, 1) % 1000000) / 1000000))))), cityHash64(sipHash64(number, 2) % ${literal(Math.max(1, count / 40))}) AS actor,
        toDateTime64(${bind.int(start / 1000)} + sipHash64(number, 3) % ${literal(year * 86_400)}, 3, 'UTC') AS at, number, 's', '', '', concat('a', toString(actor % 1000)), concat('{"plan":"p', toString(number % 5), '","amount":', toString(number % 100), '}'), at
      FROM numbers(${literal(done)}, ${literal(Math.min(5_000_000, count - done))}) SETTINGS max_partitions_per_insert_block = 0`);
  }
  // 20 events with 50 properties of 1,000 values each
  await engine.command(sql`INSERT INTO property_values SELECT concat('event ', toString(number % 20 + 1)), concat('property ', toString(intDiv(number, 20) % 50)), 'text', concat('value ', toString(intDiv(number, 1000))), toDateTime(${bind.int(end / 1000)}) FROM numbers(1000000)`);
  await engine.command(sql`OPTIMIZE TABLE events FINAL`);
}; // prettier-ignore

const e = (n: number) => ({ event: `event ${n}` });
const quarter = { range: { last: 90, unit: "day" } };
const steps = [e(2), e(3), e(4)];

/** Twelve tiles as a team has them. */
const tiles: readonly (readonly [operation: string, input: unknown])[] = [
  ["trends.ask", { ...quarter, interval: "week", series: [{ ...e(1), measure: "unique" }] }],
  ["trends.ask", { ...quarter, interval: "day", series: [{ ...e(2), measure: "total" }, { ...e(3), measure: "total" }] }],
  ["trends.ask", { ...quarter, interval: "week", series: [{ ...e(5), measure: "sum", property: "amount" }], breakdown: { property: "plan" } }],
  ["trends.ask", { ...quarter, interval: "day", series: [{ ...e(1), measure: "rolling_unique", windowDays: 28 }] }],
  ["funnels.ask", { ...quarter, steps, windowSeconds: 7 * 86_400 }],
  ["funnels.ask", { ...quarter, steps, windowSeconds: 7 * 86_400, breakdown: { property: "plan" } }],
  ["funnels.overTime", { ...quarter, interval: "week", steps, windowSeconds: 7 * 86_400 }],
  ["retention.ask", { ...quarter, period: "week", start: e(2), returning: e(1) }],
  ["lifecycle.ask", { ...quarter, interval: "week", activity: e(1) }],
  ["stickiness.ask", { ...quarter, interval: "week", activity: e(1) }],
  ["sessions.ask", { ...quarter, interval: "week", activity: e(4) }],
  ["metrics.ask", { ...quarter, interval: "week", metric: "accounts" }],
]; // prettier-ignore

const completions: readonly (readonly [operation: string, input: unknown])[] = [
  ["catalog.events", { search: "event" }],
  ["catalog.properties", { search: "prop" }],
  ["catalog.properties", { event: "event 3", search: "" }],
  ["catalog.values", { property: "property 7", search: "value 1" }],
  ["catalog.values", { property: "property 7", event: "event 3", search: "" }],
];

/** A server knows of a question what a browser asks: six at once. */
const together = async (ask: (one: readonly [string, unknown]) => Promise<void>, all: readonly (readonly [string, unknown])[]) => {
  const left = [...all];
  const lane = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await ask(one);
  };
  await Promise.all(Array.from({ length: 6 }, lane));
}; // prettier-ignore

const peak = (pid: number | undefined): string => {
  const path = `/proc/${pid}/status`;
  const kilobytes = existsSync(path) ? /VmHWM:\s+(\d+)/.exec(readFileSync(path, "utf8"))?.[1] : undefined;
  return kilobytes === undefined ? "not known here" : `${Math.round(Number(kilobytes) / 1024)} MB`;
};

export const benchPages = async (folder: string, args: readonly string[]): Promise<void> => {
  const millions = Number(args[0] ?? 10);
  const clock = { now: () => end };
  const open = (): Promise<System> => openSystem(readConfig({}, { data: folder, log_level: "error", engine_memory: "4gb" }), clock); // prettier-ignore
  let system = await open();
  const member = await system.access.createMember("bench@example.com", "Bench", "a long password");
  const workspace = await createWorkspace(
    system.store,
    { name: "Bench", zone: "UTC", weekStart: "monday" },
    member,
    end,
  );
  const found = await system.directory.find(workspace);
  if (found === undefined) throw new Error("no workspace");
  await fill(found.engine, millions * 1_000_000);
  const principal = await system.access.fromSession(await system.access.signIn("bench@example.com", "a long password"));
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };
  const ask = async ([operation, input]: readonly [string, unknown]): Promise<void> => {
    await system.dispatch({ operation, input, principal, workspace });
  };
  await ask(["metrics.define", { definition: { key: "accounts", name: "Accounts", measure: { kind: "unique", of: "accounts", ...e(1) } } }]); // prettier-ignore
  console.log(`${millions} million events of a year, the engine within 4 GB`);

  await system.close();
  system = await open();
  await ask(["workspaces.members", {}]);
  console.log(`a dashboard of 12 tiles over 90 days, in a process that was just started: ${Math.round(await timed(() => together(ask, tiles)))} ms; again: ${Math.round(await timed(() => together(ask, tiles)))} ms`); // prettier-ignore
  for (const tile of tiles) console.log(`  ${tile[0].padEnd(20)} ${Math.round(await timed(() => ask(tile)))} ms`);

  for (const one of completions) {
    const times = [];
    for (let n = 0; n < 20; n += 1) times.push(await timed(() => ask(one)));
    times.sort((a, b) => a - b);
    console.log(
      `${one[0]} ${JSON.stringify(one[1])}: median ${times[10]?.toFixed(0)} ms, most ${times.at(-1)?.toFixed(0)} ms`,
    );
  }

  const whole = { range: { last: 365, unit: "day" } };
  const long = { ...whole, steps: Array.from({ length: 15 }, (_, n) => e(n + 1)), windowSeconds: 30 * 86_400 };
  const heavy: readonly (readonly [string, unknown])[] = [
    ["funnels.ask", long],
    ["funnels.ask", { ...long, breakdown: { property: "plan" } }],
    ["funnels.overTime", { ...long, steps: steps, interval: "month" }],
    ["retention.ask", { ...whole, period: "week", start: e(1), returning: { event: null } }],
    ["lifecycle.ask", { ...whole, interval: "month", activity: { event: null } }],
    ["trends.ask", { ...whole, interval: "day", series: [{ event: null, measure: "unique" }] }],
  ];
  for (const one of heavy) console.log(`a year: ${one[0].padEnd(20)} ${Math.round(await timed(() => ask(one)))} ms`);
  console.log(`most memory of the engine's process: ${peak(system.host?.pid)}`);
  await system.close();
};
