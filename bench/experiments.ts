import { performance } from "node:perf_hooks";
import { z } from "zod";
import { openSystem } from "#app/system.ts";
import { noVeil } from "#kernel/classes.ts";
import { readConfig } from "#kernel/config.ts";
import type { Engine } from "#kernel/engine/engine.ts";
import { bind, identifier, literal, sql, type Sql } from "#kernel/sql.ts";
import {
  countExposures,
  exposuresByDay,
  momentsByDay,
  type AnalysisQuestion,
} from "#programs/experiments/analysis-query.ts";
import type { Part, UnitMeasure } from "#programs/experiments/document.ts";
import { createWorkspace } from "#programs/workspaces/create.ts";
import { reloadIdentities } from "#records/events/query.ts";
import { personOf } from "#records/events/scope.ts";
import { keysOf } from "#records/people/keys.ts";

/**
 * The analysis of millions of exposures with five metrics and what each did before: two orders of each unit after its
 * exposure and one before, over four weeks. Beside it the same events read once and added up by person, which no analysis
 * can do without.
 */

const day = 86_400_000;
/** The three in turns, so many times: a machine that others use too is fast and slow by minutes. */
const rounds = 11;
const start = Date.parse("2026-03-02");
const end = start + 28 * day;

const fill = async (engine: Engine, exposures: number): Promise<void> => {
  const at = (shift: Sql): Sql => sql`toDateTime64(${bind.int(start / 1000)} + sipHash64(n, 1) % ${literal(20 * 86_400)} + ${shift}, 3, 'UTC')`;
  for (let done = 0; done < exposures; done += 2_000_000) {
    const count = Math.min(2_000_000, exposures - done);
    await engine.command(sql`INSERT INTO ${identifier("events")} (event, actor, at, message, source, product, session, account, properties, received)
      SELECT event, sipHash64(n, 9) AS actor, at, sipHash64(n, event, at) AS message, 's', '', '', '', properties, at FROM (
        SELECT number + ${literal(done)} AS n, arrayJoin([
          ('Shown', ${at(sql`0`)}, concat('{"variant":"', if(n % 2 = 0, 'control', 'new'), '"}')),
          ('Order', ${at(sql`-86400 * 3`)}, concat('{"total":', toString(sipHash64(n, 2) % 100), ',"items":', toString(sipHash64(n, 3) % 7), '}')),
          ('Order', ${at(sql`3600`)}, concat('{"total":', toString(sipHash64(n, 2) % 100 + sipHash64(n, 4) % 40), ',"items":', toString(sipHash64(n, 5) % 7), '}')),
          ('Order', ${at(sql`90000`)}, concat('{"total":', toString(sipHash64(n, 6) % 100), ',"items":', toString(sipHash64(n, 7) % 7), '}'))
        ]) AS one, one.1 AS event, one.2 AS at, one.3 AS properties FROM numbers(${literal(count)})
      ) SETTINGS max_partitions_per_insert_block = 0`);
  }
  await engine.command(sql`OPTIMIZE TABLE events FINAL`);
}; // prettier-ignore

const part = (property?: string): Part => ({ match: { event: "Order", filters: [] }, ...(property === undefined ? {} : { property }), isCounted: false }); // prettier-ignore
const measures: readonly UnitMeasure[] = [
  { kind: "proportion", part: part() },
  { kind: "mean", part: part() },
  { kind: "mean", part: part("total") },
  { kind: "mean", part: part("items") },
  { kind: "ratio", part: part("total"), per: { ...part("total"), isCounted: true } },
];

export const benchExperiments = async (folder: string, args: readonly string[]): Promise<void> => {
  const millions = Number(args[0] ?? 1);
  const system = await openSystem(readConfig({}, { data: folder, log_level: "error", engine_memory: "8gb" }));
  const member = await system.access.createMember("bench@example.com", "Bench", "a long password");
  const workspace = await createWorkspace(system.store, { name: "Bench", zone: "UTC", weekStart: "monday" }, member, Date.now()); // prettier-ignore
  const found = await system.directory.find(workspace);
  if (found === undefined) throw new Error("no workspace");
  const { engine } = found;
  await fill(engine, millions * 1_000_000);
  const hasMerges = args.includes("merged");
  if (hasMerges) {
    await engine.command(
      sql`INSERT INTO identity_overrides (actor, person, version) SELECT sipHash64(number * 2, 9), sipHash64(number * 2 + 1, 9), 1 FROM numbers(${literal(millions * 250_000)})`,
    );
    await engine.command(reloadIdentities);
  }
  const scope = { engine, zone: "UTC", weekStart: "monday", hasMerges, keys: keysOf("x"), veil: noVeil, now: end } as const; // prettier-ignore
  const question: AnalysisQuestion = { unit: "people", exposure: { event: "Shown", filters: [] }, armProperty: "variant", measures, range: { from: start, to: end }, windowDays: 7, covariateDays: 7, now: end }; // prettier-ignore
  const timed = async (statement: Sql): Promise<number> => {
    const began = performance.now();
    await engine.rows(statement, z.unknown(), { purpose: "maintain", settings: { max_result_rows: "0" } });
    return performance.now() - began;
  };
  const scan = sql`SELECT count(), sum(t), sum(i) FROM (SELECT ${personOf({ engine, hasMerges })} AS person, sum(toFloat64(properties.total.:Int64)) AS t, sum(toFloat64(properties.items.:Int64)) AS i, min(at) AS since, any(properties.variant.:String) AS arm
    FROM events WHERE at >= ${bind.time(start - 7 * day)} AND at < ${bind.time(end)} GROUP BY person)`;
  const [arms, units] = [["control", "new"], millions * 1_000_000];
  const all = {
    scan: [scan],
    // who was exposed, and what they did
    exposed: [countExposures(scope, question), exposuresByDay(scope, question, units, arms)],
    analysis: [momentsByDay(scope, question, arms, units)],
  };
  const times: Record<keyof typeof all, number[]> = { scan: [], exposed: [], analysis: [] };
  for (let round = 0; round < rounds; round += 1)
    for (const name of ["scan", "exposed", "analysis"] as const) {
      let sum = 0;
      for (const statement of all[name]) sum += await timed(statement);
      times[name].push(sum);
    }
  const quantile = (list: readonly number[], share: number): number => list.toSorted((a, b) => a - b)[Math.floor((list.length - 1) * share)] ?? 0; // prettier-ignore
  const [mine, exposed, other] = [times.analysis, times.exposed, times.scan].map((list) => quantile(list, 0.5)) as [number, number, number]; // prettier-ignore
  // each beside the scan of its own round, since what slows the machine down lasts for longer than a round
  const ratios = times.analysis.map((ms, round) => ms / (times.scan[round] ?? 0));
  const said = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(2));
  console.log(`${millions} million exposures, 5 metrics: ${Math.round(mine)} ms, ${(mine / other).toFixed(2)} times reading the same events by person (${Math.round(other)} ms), by rounds ${said[1]} (half of them ${said[0]} to ${said[2]}); who was exposed ${Math.round(exposed)} ms`); // prettier-ignore
  await system.close();
};
