import { z } from "zod";
import { openSystem } from "#app/system.ts";
import { readConfig } from "#kernel/config.ts";
import { bind, identifier, literal, sql, type Sql } from "#kernel/sql.ts";
import { createWorkspace } from "#programs/workspaces/create.ts";
import { FunnelInput } from "#insights/funnels/contract.ts";
import { funnelQuery } from "#insights/funnels/query.ts";
import { RetentionInput } from "#insights/retention/contract.ts";
import { retentionQuery } from "#insights/retention/query.ts";
import { installStatements } from "#insights/sequence/sequence.ts";
import { TrendsInput } from "#insights/trends/contract.ts";
import { trendsQuery } from "#insights/trends/query.ts";
import { bucketNumber } from "#insights/common/time.ts";
import { keysOf } from "#records/people/keys.ts";
import type { Scope } from "#records/events/scope.ts";

const start = Date.parse("2026-01-01");
const days = 60;
const range = { from: start, to: start + days * 86_400_000 };
const dates = { from: "2026-01-01", to: "2026-03-01" };

/** Our SQL against SQL written by hand for the same question on the same rows. */
export const benchQuery = async (folder: string, [millions = "10"]: readonly string[]): Promise<void> => {
  const count = Number(millions) * 1_000_000;
  const system = await openSystem(readConfig({}, { data: folder, log_level: "error" }));
  const member = await system.access.createMember("bench@example.com", "Bench", "a long password");
  const workspace = await createWorkspace(
    system.store,
    { name: "Bench", zone: "UTC", weekStart: "monday" },
    member,
    Date.now(),
  );
  const found = await system.directory.find(workspace);
  if (found === undefined) throw new Error("no workspace");
  const { engine } = found;
  for (const statement of installStatements) await engine.command(statement);
  for (let done = 0; done < count; done += 5_000_000) {
    const rows = Math.min(5_000_000, count - done);
    await engine.command(sql`INSERT INTO ${identifier("events")} (event, actor, at, message, source, product, session, account, properties, received)
      SELECT concat('event ', toString(intDiv(sipHash64(number, 1) % 100, 5))), cityHash64(sipHash64(number, 2) % ${literal(Math.max(1, count / 40))}) AS actor,
        toDateTime64(${bind.int(start / 1000)} + sipHash64(number, 3) % ${literal(days * 86_400)}, 3, 'UTC') AS at, number, 's', '', '', '', concat('{"plan":"p', toString(number % 5), '"}'), at
      FROM numbers(${literal(done)}, ${literal(rows)}) SETTINGS max_partitions_per_insert_block = 0`);
  }
  await engine.command(sql`OPTIMIZE TABLE events FINAL`);

  const scope: Scope = { engine, zone: "UTC", weekStart: "monday", hasMerges: false, keys: keysOf("x"), now: range.to };
  const timed = async (statement: Sql): Promise<number> => {
    const began = performance.now();
    await engine.rows(statement, z.unknown(), { purpose: "maintain", settings: { max_result_rows: "0" } });
    return performance.now() - began;
  };
  /** The least time of each over several rounds, in turns, so that both see the same machine. */
  const compared = async (ours: Sql, theirs: Sql): Promise<readonly [number, number]> => {
    const times: [number, number][] = [];
    for (let n = 0; n < (count > 20_000_000 ? 4 : 10); n += 1) times.push([await timed(ours), await timed(theirs)]);
    return [Math.min(...times.map(([mine]) => mine)), Math.min(...times.map(([, other]) => other))];
  };
  const window = 7 * 86_400;
  const steps = ["event 1", "event 2", "event 3"];
  const questions: readonly (readonly [string, Sql, string, Sql])[] = [
    [
      "trend, people a day",
      trendsQuery(
        scope,
        TrendsInput.parse({ range: dates, series: [{ event: "event 1", measure: "unique" }] }),
        range,
        false,
      ),
      "by hand",
      sql`SELECT toDate(at) AS day, uniqExact(actor) AS people FROM events WHERE event = 'event 1' AND at >= ${bind.time(range.from)} AND at < ${bind.time(range.to)} GROUP BY day`,
    ],
    [
      "trend, by plan",
      trendsQuery(
        scope,
        TrendsInput.parse({
          range: dates,
          series: [{ event: "event 1", measure: "total" }],
          breakdown: { property: "plan" },
        }),
        range,
        false,
      ),
      "by hand",
      sql`SELECT toDate(at) AS day, properties.plan.:String AS plan, count() AS n FROM events WHERE event = 'event 1' AND at >= ${bind.time(range.from)} AND at < ${bind.time(range.to)} GROUP BY day, plan`,
    ],
    [
      "funnel of three steps",
      funnelQuery(
        scope,
        FunnelInput.parse({
          range: dates,
          steps: steps.map((event) => ({ event })),
          windowSeconds: window,
          dates: "whole",
        }),
        range,
      ),
      "windowFunnel",
      sql`SELECT level, count() FROM (SELECT actor, windowFunnel(${literal(window * 1000)}, 'strict_once')(toUInt64(toUnixTimestamp64Milli(at)), event = 'event 1', event = 'event 2', event = 'event 3') AS level FROM events WHERE event IN ${bind.strings(steps)} AND at >= ${bind.time(range.from)} AND at < ${bind.time(range.to)} GROUP BY actor) GROUP BY level`,
    ],
    [
      "retention by day",
      retentionQuery(
        scope,
        RetentionInput.parse({
          range: dates,
          start: { event: "event 1" },
          returning: { event: "event 2" },
          cohorting: "recurring",
        }),
        {
          range,
          first: bucketNumber(start, "day", "UTC"),
          buckets: days,
          columns: Array.from({ length: days }, (_, n) => days - n),
        },
        range.to,
      ),
      "self-join of days",
      sql`SELECT s.day AS cohort, dateDiff('day', s.day, r.day) AS k, count() FROM (SELECT DISTINCT actor, toDate(at) AS day FROM events WHERE event = 'event 1' AND at >= ${bind.time(range.from)} AND at < ${bind.time(range.to)}) AS s INNER JOIN (SELECT DISTINCT actor, toDate(at) AS day FROM events WHERE event = 'event 2' AND at >= ${bind.time(range.from)} AND at < ${bind.time(range.to)}) AS r ON s.actor = r.actor WHERE r.day >= s.day GROUP BY cohort, k`,
    ],
  ];
  console.log(`${millions} million events`);
  for (const [name, ours, otherName, other] of questions) {
    const [mine, theirs] = await compared(ours, other);
    console.log(
      `${name.padEnd(24)} ${Math.round(mine)} ms; ${otherName} ${Math.round(theirs)} ms; ratio ${(mine / theirs).toFixed(2)}`,
    );
  }
  await system.close();
};
