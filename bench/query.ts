import { createWriteStream, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { z } from "zod";
import { openSystem } from "#app/system.ts";
import { noVeil } from "#kernel/classes.ts";
import { readConfig } from "#kernel/config.ts";
import { connectEngine, type Engine } from "#kernel/engine/engine.ts";
import { bind, identifier, literal, sql, type Sql } from "#kernel/sql.ts";
import { createWorkspace } from "#programs/workspaces/create.ts";
import { unitsOf } from "#insights/cohorts/rule.ts";
import { touchedSince } from "#insights/cohorts/touched.ts";
import { ConversionInput, FunnelInput } from "#insights/funnels/contract.ts";
import { conversionQuery, funnelQuery } from "#insights/funnels/query.ts";
import { JourneyInput } from "#insights/journeys/contract.ts";
import { linksQuery } from "#insights/journeys/query.ts";
import { LifecycleInput } from "#insights/lifecycle/contract.ts";
import { lifecycleQuery } from "#insights/lifecycle/query.ts";
import { SessionsInput } from "#insights/sessions/contract.ts";
import { sessionsQuery } from "#insights/sessions/query.ts";
import { StickinessInput } from "#insights/stickiness/contract.ts";
import { stickinessQuery } from "#insights/stickiness/query.ts";
import { RetentionInput } from "#insights/retention/contract.ts";
import { retentionQuery } from "#insights/retention/query.ts";
import { TrendsInput } from "#insights/trends/contract.ts";
import { activityQuery, trendsQuery } from "#insights/trends/query.ts";
import { bucketNumber } from "#insights/common/time.ts";
import { keysOf } from "#records/people/keys.ts";
import { reloadIdentities } from "#records/events/query.ts";
import type { Scope } from "#records/events/scope.ts";

const start = Date.parse("2026-01-01");
const days = 60;
export const range = { from: start, to: start + days * 86_400_000 };
export const dates = { from: "2026-01-01", to: "2026-03-01" };

/**
 * Fills the table with made-up events of twenty kinds, spread over people and days: 40 a person. Kinds are as unequal as
 * they are in products: the first is a quarter of all, the twentieth one in sixty.
 */
export const fill = async (engine: Engine, count: number): Promise<void> => {
  for (let done = 0; done < count; done += 5_000_000) {
    const rows = Math.min(5_000_000, count - done);
    await engine.command(sql`INSERT INTO ${identifier("events")} (event, actor, at, message, source, product, session, account, properties, received)
      SELECT concat('event ', toString(toUInt8(floor(pow(20.99, (sipHash64(number, 1) % 1000000) / 1000000))))), cityHash64(sipHash64(number, 2) % ${literal(Math.max(1, count / 40))}) AS actor,
        toDateTime64(${bind.int(start / 1000)} + sipHash64(number, 3) % ${literal(days * 86_400)}, 3, 'UTC') AS at, number, 's', '', '', '', concat('{"plan":"p', toString(number % 5), '"}'), at
      FROM numbers(${literal(done)}, ${literal(rows)}) SETTINGS max_partitions_per_insert_block = 0`);
  }
  await engine.command(
    sql`INSERT INTO ${identifier("identities")} (actor, id, kind, seen) SELECT DISTINCT actor, toString(actor), 'identified', toDateTime64(${bind.int(start / 1000)}, 3, 'UTC') FROM events`,
  );
  await engine.command(sql`OPTIMIZE TABLE events FINAL`);
};

/** The same rows in DuckDB, by way of a Parquet file. */
const openDuck = async (engine: Engine, folder: string): Promise<(query: string) => Promise<number>> => {
  const file = join(folder, "events.parquet");
  const rows = sql`SELECT event::String AS event, actor, events.at AS moment, properties.plan::String AS plan FROM events`;
  await pipeline(await engine.stream(rows, "Parquet"), createWriteStream(file));
  const connection = await (await DuckDBInstance.create(join(folder, "events.duckdb"))).connect();
  await connection.run(`CREATE TABLE events AS SELECT * FROM read_parquet('${file}') ORDER BY event, actor, moment`);
  rmSync(file);
  return async (query) => {
    const began = performance.now();
    await connection.runAndReadAll(query);
    return performance.now() - began;
  };
};

/** The most memory that the engine's process has held, in megabytes; undefined where the system does not say. */
const peakMemory = (pid: number | undefined): string => {
  const path = `/proc/${pid}/status`;
  const kilobytes = existsSync(path) ? /VmHWM:\s+(\d+)/.exec(readFileSync(path, "utf8"))?.[1] : undefined;
  return kilobytes === undefined ? "not known here" : `${Math.round(Number(kilobytes) / 1024)} MB`;
};

type Timed = () => Promise<number>;

/** The least time of each over several rounds, in turns that begin with another each time, so that all see the same machine. */
const compared = async (rounds: number, all: readonly Timed[]): Promise<number[]> => {
  const times = all.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round += 1)
    for (let turn = 0; turn < all.length; turn += 1) {
      const index = (round + turn) % all.length;
      times[index] = Math.min(times[index] ?? 0, (await all[index]?.()) ?? 0);
    }
  return times;
};

const inRange = sql`at >= ${bind.time(range.from)} AND at < ${bind.time(range.to)}`;

/** The furthest step within a window by nested window functions: the shape that funnels had before there was better. */
const nestedWindows = (millis: string): Sql => sql`SELECT level, count() FROM (
  SELECT actor, max(multiIf(s3 IS NOT NULL, 3, s2 IS NOT NULL, 2, s1 IS NOT NULL, 1, 0)) AS level FROM (
    SELECT actor, s1, s2, if(event = 'event 4' AND dateDiff('millisecond', l2, at) <= ${literal(Number(millis))}, l2, NULL) AS s3 FROM (
      SELECT *, max(s2) OVER (PARTITION BY actor ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS l2 FROM (
        SELECT *, if(event = 'event 3' AND dateDiff('millisecond', l1, at) <= ${literal(Number(millis))}, l1, NULL) AS s2 FROM (
          SELECT actor, event, at, if(event = 'event 2', at, NULL) AS s1, max(s1) OVER (PARTITION BY actor ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS l1
          FROM events WHERE event IN ('event 2', 'event 3', 'event 4') AND ${inRange}
        )
      )
    )
  ) GROUP BY actor
) GROUP BY level`;

const inDuck = "moment >= TIMESTAMPTZ '2026-01-01 00:00:00+00' AND moment < TIMESTAMPTZ '2026-03-02 00:00:00+00'";
/** The same questions for DuckDB, in the order of the others. */
const duckQuestions = [
  `SELECT moment::DATE AS day, count(DISTINCT actor) FROM events WHERE event = 'event 1' AND ${inDuck} GROUP BY day`,
  `SELECT moment::DATE AS day, plan, count(*) FROM events WHERE event = 'event 1' AND ${inDuck} GROUP BY day, plan`,
  `SELECT level, count(*) FROM (SELECT actor, max(CASE WHEN s3 IS NOT NULL THEN 3 WHEN s2 IS NOT NULL THEN 2 WHEN s1 IS NOT NULL THEN 1 ELSE 0 END) AS level FROM (
    SELECT actor, s1, s2, CASE WHEN event = 'event 4' AND moment - l2 <= INTERVAL 7 DAY THEN l2 END AS s3 FROM (
      SELECT *, max(s2) OVER (PARTITION BY actor ORDER BY moment ROWS UNBOUNDED PRECEDING) AS l2 FROM (
        SELECT *, CASE WHEN event = 'event 3' AND moment - l1 <= INTERVAL 7 DAY THEN l1 END AS s2 FROM (
          SELECT *, max(s1) OVER (PARTITION BY actor ORDER BY moment ROWS UNBOUNDED PRECEDING) AS l1 FROM (
            SELECT actor, event, moment, CASE WHEN event = 'event 2' THEN moment END AS s1 FROM events WHERE event IN ('event 2', 'event 3', 'event 4') AND ${inDuck}))))) GROUP BY actor) GROUP BY level`,
  `SELECT s.day, r.day - s.day AS k, count(*) FROM (SELECT DISTINCT actor, moment::DATE AS day FROM events WHERE event = 'event 2' AND ${inDuck}) AS s JOIN (SELECT DISTINCT actor, moment::DATE AS day FROM events WHERE event = 'event 3' AND ${inDuck}) AS r ON s.actor = r.actor WHERE r.day >= s.day GROUP BY ALL`,
] as const;

/**
 * Our SQL against SQL written by hand for the same question on the same rows, a bare scan of what it reads, against the nested-window shape of
 * funnels, and against DuckDB; for each number of millions given. Also how times grow from one to the next.
 */
export const benchQuery = async (folder: string, sizes: readonly string[]): Promise<void> => {
  const before = new Map<string, number>();
  for (const millions of sizes.length === 0 ? ["1", "10"] : sizes) {
    const own = join(folder, millions);
    for (const [name, mine] of await benchSize(own, Number(millions))) {
      const earlier = before.get(name);
      if (earlier !== undefined) console.log(`${name.padEnd(28)} grew ${(mine / earlier).toFixed(1)}×`);
      before.set(name, mine);
    }
    rmSync(own, { recursive: true, force: true });
  }
};

interface Compared {
  readonly name: string;
  readonly ours: Sql;
  /** What ours is compared with, written by hand, and what it is called. */
  readonly by: string;
  readonly other: Sql;
  readonly inDuckDb?: string;
  /** A scan of the columns that the question reads, and nothing else. */
  readonly reads: Sql;
  readonly isFunnel?: true;
  /** Functions run in this process, as with a server that runs none. */
  readonly isBeside?: true;
}

const scanOf = (names: readonly string[]): Sql =>
  sql`SELECT sum(actor), max(at) FROM events WHERE event IN ${bind.strings(names)} AND ${inRange}`;
const daysOf = (name: string): Sql =>
  sql`SELECT actor, arraySort(groupUniqArray(toDate(at))) AS days FROM events WHERE event = ${bind.string(name)} AND ${inRange} GROUP BY actor`;

const questionsOf = (scope: Scope, window: number, steps: readonly string[]): readonly Compared[] => {
  const [duckUniques, duckByPlan, duckFunnel, duckRetention] = duckQuestions;
  const slots = { range, interval: "day", first: bucketNumber(start, "day", "UTC"), count: days } as const;
  const columns = Array.from({ length: days }, (_, n) => days - n);
  const grid = { range, first: slots.first, buckets: days, columns };
  const trend = (series: Record<string, unknown>, more: Record<string, unknown> = {}): Sql =>
    trendsQuery(scope, TrendsInput.parse({ range: dates, series: [{ event: "event 1", ...series }], ...more }), range, false); // prettier-ignore
  const people = TrendsInput.parse({ range: dates, series: [{ event: "event 1", measure: "unique" }] });
  const common = { range: dates, steps: steps.map((event) => ({ event })), windowSeconds: window, dates: "whole" };
  const byWindowFunnel = {
    by: "windowFunnel",
    other: sql`SELECT level, count() FROM (SELECT actor, windowFunnel(${literal(window * 1000)}, 'strict_once')(toUInt64(toUnixTimestamp64Milli(at)), event = 'event 2', event = 'event 3', event = 'event 4') AS level FROM events WHERE event IN ${bind.strings(steps)} AND ${inRange} GROUP BY actor) GROUP BY level`,
    reads: scanOf(steps),
  };
  const distinct = sql`SELECT actor, arraySort(groupUniqArrayIf(toDate(at), event = 'event 2')) AS starts, arraySort(groupUniqArrayIf(toDate(at), event = 'event 3')) AS returns FROM events WHERE event IN ('event 2', 'event 3') AND ${inRange} GROUP BY actor`;
  const everyone = { scope, unit: "people" } as const;
  const month = { value: 30, unit: "day" } as const;
  const match = { event: "event 2", filters: [] };
  const rule = { type: "did", match, within: month, times: { op: "gte", value: 2 } } as const;
  // the last ten minutes
  const basis = { at: range.to - 600_000, received: range.to - 600_000, zone: scope.zone };
  const lately = touchedSince(everyone, rule, basis) ?? sql`SELECT 0 AS unit`;
  return [
    {
      name: "trend, people a day",
      ours: activityQuery(scope, people, 0, { event: "event 1", filters: [], measure: "unique", windowDays: 7 }, range),
      by: "by hand",
      other: sql`SELECT toDate(at) AS day, uniqExact(actor) AS people FROM events WHERE event = 'event 1' AND ${inRange} GROUP BY day`,
      inDuckDb: duckUniques,
      reads: scanOf(["event 1"]),
    },
    {
      name: "trend, by plan",
      ours: trend({ measure: "total" }, { breakdown: { property: "plan" } }),
      by: "by hand",
      other: sql`SELECT day, if(place <= 10, plan, 'Other') AS shown, sum(n) FROM (SELECT *, dense_rank() OVER (ORDER BY total DESC, plan) AS place FROM (SELECT *, sum(n) OVER (PARTITION BY plan) AS total FROM (SELECT toDate(at) AS day, properties.plan::String AS plan, count() AS n FROM events WHERE event = 'event 1' AND ${inRange} GROUP BY day, plan))) GROUP BY day, shown`,
      inDuckDb: duckByPlan,
      reads: sql`SELECT max(at), max(properties.plan.:String) FROM events WHERE event = 'event 1' AND ${inRange}`,
    },
    {
      name: "funnel of three steps",
      ours: funnelQuery(scope, FunnelInput.parse(common), range),
      inDuckDb: duckFunnel,
      isFunnel: true,
      ...byWindowFunnel,
    },
    {
      name: "funnel, functions beside",
      ours: funnelQuery(scope, FunnelInput.parse(common), range),
      isBeside: true,
      ...byWindowFunnel,
    },
    {
      name: "funnel, full options",
      ours: funnelQuery(
        scope,
        FunnelInput.parse({
          ...common,
          attempt: "first",
          exclusions: [{ event: "event 9", from: 0, to: 1 }],
          exclusionMode: "stop_chain",
          steps: common.steps.map((step, place) => ({ ...step, optional: place === 1 })),
        }),
        range,
      ),
      ...byWindowFunnel,
    },
    {
      name: "conversion over time",
      ours: conversionQuery(scope, ConversionInput.parse(common), range),
      ...byWindowFunnel,
    },
    {
      name: "retention by day",
      ours: retentionQuery(
        scope,
        RetentionInput.parse({
          range: dates,
          start: { event: "event 2" },
          returning: { event: "event 3" },
          cohorting: "recurring",
        }),
        grid,
        range.to,
      ),
      by: "distinct arrays",
      other: sql`SELECT cohort, k, count() FROM (SELECT cohort, arrayJoin(arrayMap(day -> day - cohort, arrayFilter(day -> day >= cohort, returns))) AS k FROM (${distinct}) ARRAY JOIN starts AS cohort) GROUP BY cohort, k`,
      inDuckDb: duckRetention,
      reads: scanOf(["event 2", "event 3"]),
    },
    {
      name: "lifecycle by day",
      ours: lifecycleQuery(scope, LifecycleInput.parse({ activity: { event: "event 2" }, interval: "day" }), slots),
      by: "distinct arrays",
      other: sql`SELECT slot, state, count() FROM (SELECT arrayJoin(arrayConcat(arrayMap(day -> (day, multiIf(day = days[1], 'new', has(days, day - 1), 'returning', 'resurrecting')), days), arrayMap(day -> (day + 1, 'dormant'), arrayFilter(day -> NOT has(days, day + 1), days)))) AS stage, stage.1 AS slot, stage.2 AS state FROM (${daysOf("event 2")})) GROUP BY slot, state`,
      reads: scanOf(["event 2"]),
    },
    {
      name: "stickiness by day",
      ours: stickinessQuery(scope, StickinessInput.parse({ activity: { event: "event 2" } }), slots),
      by: "distinct arrays",
      other: sql`SELECT length(days) AS k, count() FROM (${daysOf("event 2")}) GROUP BY k`,
      reads: scanOf(["event 2"]),
    },
    {
      name: "sessions by day",
      ours: sessionsQuery(scope, SessionsInput.parse({ activity: { event: "event 2" }, gapMinutes: 1_440 }), range),
      by: "window functions",
      other: sql`SELECT toDate(began) AS day, count() FROM (SELECT min(at) AS began FROM (SELECT actor, at, sum(fresh) OVER (PARTITION BY actor ORDER BY at) AS session FROM (SELECT actor, at, dateDiff('second', lagInFrame(at) OVER (PARTITION BY actor ORDER BY at), at) > 86400 AS fresh FROM events WHERE event = 'event 2' AND ${inRange})) GROUP BY actor, session) GROUP BY day`,
      reads: scanOf(["event 2"]),
    },
    {
      name: "cohort kept up to date",
      ours: unitsOf({ ...everyone, among: lately }, rule),
      by: "everybody anew",
      other: unitsOf(everyone, rule),
      reads: scanOf(["event 2"]),
    },
    {
      name: "journeys of three events",
      ours: linksQuery(scope, JourneyInput.parse({ events: common.steps, gapMinutes: 10_080 }), range, steps),
      by: "window functions",
      other: sql`SELECT event, next, count() FROM (SELECT event, leadInFrame(event) OVER (PARTITION BY actor ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS next FROM events WHERE event IN ${bind.strings(steps)} AND ${inRange}) GROUP BY event, next`,
      reads: scanOf(steps),
    },
  ];
};

const openFilled = async (folder: string, count: number) => {
  const system = await openSystem(readConfig({}, { data: folder, log_level: "error" }));
  const member = await system.access.createMember("bench@example.com", "Bench", "a long password");
  const named = { name: "Bench", zone: "UTC", weekStart: "monday" } as const;
  const workspace = await createWorkspace(system.store, named, member, Date.now());
  const found = await system.directory.find(workspace);
  if (found === undefined) throw new Error("no workspace");
  const { engine } = found;
  await fill(engine, count);
  const scope: Scope = { engine, zone: "UTC", weekStart: "monday", hasMerges: false, people: count / 40, keys: keysOf("x"), veil: noVeil, now: range.to }; // prettier-ignore
  const timed =
    (statement: Sql, on: Engine = engine): Timed =>
    async () => {
      const began = performance.now();
      await on.rows(statement, z.unknown(), { purpose: "maintain", settings: { max_result_rows: "0" } });
      return performance.now() - began;
    };
  return { system, engine, scope, timed };
};

const [window, steps] = [7 * 86_400, ["event 2", "event 3", "event 4"]];

/** What it costs that people have several ids: our SQL where every second id belongs to the person of another, against where none does. */
export const benchMerged = async (folder: string, [millions = "10"]: readonly string[]): Promise<void> => {
  const { system, engine, scope, timed } = await openFilled(folder, Number(millions) * 1_000_000);
  await engine.command(sql`INSERT INTO identity_overrides (actor, person, version) SELECT actor, other, 1 FROM (
    SELECT actor, lagInFrame(actor) OVER (ORDER BY actor) AS other, row_number() OVER (ORDER BY actor) AS place FROM (SELECT DISTINCT actor FROM events)) WHERE place % 2 = 0`);
  await engine.command(reloadIdentities);
  console.log(`${millions} million events`);
  const merged = questionsOf({ ...scope, hasMerges: true }, window, steps);
  for (const [place, { name, ours, isBeside = false }] of questionsOf(scope, window, steps).entries()) {
    const other = merged[place]?.ours;
    if (other === undefined || isBeside) continue;
    const [alone = 1, together = 0] = await compared(5, [timed(ours), timed(other)]);
    console.log(`${name.padEnd(28)} ${Math.round(together)} ms, ${(together / alone).toFixed(2)} times as where nobody is merged (${Math.round(alone)} ms)`); // prettier-ignore
  }
  console.log(`most memory of the engine's process: ${peakMemory(system.host?.pid)}`);
  await system.close();
};

const benchSize = async (folder: string, millions: number): Promise<ReadonlyMap<string, number>> => {
  const { system, engine, scope, timed } = await openFilled(folder, millions * 1_000_000);
  const duck = await openDuck(engine, folder);
  const { url = "", password = "" } = system.host ?? {};
  const beside = connectEngine({ url, username: "default", password, functions: "beside" });
  const questions = questionsOf(scope, window, steps);
  console.log(`${millions} million events`);
  const rounds = millions > 20 ? 3 : 10;
  const mineByName = new Map<string, number>();
  for (const { name, ours, by, other, inDuckDb, reads, isFunnel = false, isBeside = false } of questions) {
    const all = [
      timed(ours, isBeside ? beside.in(engine.database) : engine),
      timed(other),
      timed(reads),
      ...(inDuckDb === undefined ? [] : [() => duck(inDuckDb)]),
      ...(isFunnel ? [timed(nestedWindows(String(window * 1000)))] : []),
    ];
    const [mine = 0, theirs = 1, scan = 1, ...rest] = await compared(rounds, all);
    mineByName.set(name, mine);
    const ratio = (to: number): string => `${Math.round(to)} ms (${(mine / to).toFixed(2)})`;
    const others = [
      `${by} ${ratio(theirs)}`,
      `bare scan ${ratio(scan)}`,
      ...(inDuckDb === undefined ? [] : [`DuckDB ${ratio(rest[0] ?? 1)}`]),
      ...(isFunnel ? [`nested windows ${ratio(rest.at(-1) ?? 1)}`] : []),
    ];
    console.log(`${name.padEnd(28)} ${Math.round(mine)} ms; ${others.join(", ")}`);
  }
  console.log(`most memory of the engine's process: ${peakMemory(system.host?.pid)}`);
  await beside.close();
  await system.close();
  return mineByName;
};
