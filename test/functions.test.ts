import { z } from "zod";
import { beforeAll, describe, expect, it } from "vitest";
import { noVeil } from "#kernel/classes.ts";
import { connectEngine, type Engine, type EngineServer } from "#kernel/engine/engine.ts";
import { bind, identifier, sql, through, type Sql, type WordFunction } from "#kernel/sql.ts";
import { FunnelInput } from "#insights/funnels/contract.ts";
import { countedAttempts, funnelPeopleQuery, funnelQuery, questionOf } from "#insights/funnels/query.ts";
import { attemptsOf } from "#insights/sequence/sequence.ts";
import { JourneyInput } from "#insights/journeys/contract.ts";
import { linksQuery } from "#insights/journeys/query.ts";
import { keysOf } from "#records/people/keys.ts";
import type { Scope } from "#records/events/scope.ts";
import { useWorld } from "#test/world.ts";

/** Functions inside the engine and beside it: the same answers to the same statements. */
const world = useWorld();
const start = Date.parse("2026-01-01");
const range = { from: start, to: start + 30 * 86_400_000 };
const dates = { from: "2026-01-01", to: "2026-01-30" };
const names = ["event 1", "event 2", "event 3"];

let inside: Engine;
let beside: Engine;
let servers: EngineServer[] = [];
const connected = (functions?: "beside"): EngineServer => {
  const url = world.system.host?.url ?? world.system.config.clickhouse_url ?? "";
  const [username, password] =
    world.system.host === undefined
      ? [world.system.config.clickhouse_user, world.system.config.clickhouse_password]
      : ["default", world.system.host.password];
  const server = connectEngine({ url, username, password, functions });
  servers = [...servers, server];
  return server;
};

beforeAll(async () => {
  inside = (await world.system.directory.find(world.workspace))!.engine;
  beside = connected("beside").in(inside.database);
  await inside.command(sql`INSERT INTO ${identifier("events")} (event, actor, at, message, source, product, session, account, properties, received)
    SELECT concat('event ', toString(1 + sipHash64(number, 1) % 4)), cityHash64(sipHash64(number, 2) % 4000),
      toDateTime64(${bind.int(start / 1000)} + sipHash64(number, 3) % ${bind.int(30 * 86_400)}, 3, 'UTC') AS at, number, 's', '', '',
      concat('a\\tb\\n', toString(number % 7)), concat('{"plan":"p', toString(number % 5), '\\\\t"}'), at FROM numbers(200000)`);
  return async () => {
    await Promise.all(servers.map((server) => server.close()));
  };
});

const scopeOf = (engine: Engine): Scope => ({
  engine,
  zone: "UTC",
  weekStart: "monday",
  hasMerges: false,
  keys: keysOf("x"),
  veil: noVeil,
  now: range.to,
});
const funnel = (more: Record<string, unknown> = {}) =>
  FunnelInput.parse({ range: dates, steps: names.map((event) => ({ event })), windowSeconds: 86_400, ...more });
const statements: Readonly<Record<string, (scope: Scope) => Sql>> = {
  funnel: (scope) => funnelQuery(scope, funnel(), range),
  "attempts of accounts, whose ids hold tabs and new lines": (scope) =>
    sql`SELECT * FROM (${countedAttempts(scope, funnel({ unit: "accounts", counting: "attempts" }), range)}) ORDER BY person, t`,
  "a group of each event, held constant": (scope) =>
    funnelQuery(
      scope,
      funnel({ hold: ["plan"], breakdown: { property: "plan", attribution: "step", step: 1 } }),
      range,
    ),
  "people of a step": (scope) => funnelPeopleQuery(scope, funnel(), range, { step: 1, who: "dropped", limit: 200 }),
  journeys: (scope) => linksQuery(scope, JourneyInput.parse({ range: dates }), range, names),
};
const anyRow = z.record(z.string(), z.unknown());
const left = async (): Promise<number> => {
  const count = sql`SELECT count() AS n FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'staged_')`;
  return (await inside.rows(count, z.object({ n: z.number() })))[0]?.n ?? -1;
};

it("hold 64,000 people of 400 events each inside the engine", async () => {
  const people = sql`SELECT number AS person, arrayMap(n -> toUInt64(bitOr(bitShiftLeft(toUInt64(n) * 1000, 25), bitShiftLeft(1, n % 3))), range(400)) AS words FROM numbers(64000)`;
  const found = attemptsOf(questionOf(funnel(), range, "best"), [sql`person`], people);
  const counted = sql`SELECT count() AS people, countIf(found = [0, 1000, 2000]) AS alike FROM (${found})`;
  expect(await inside.rows(counted, anyRow)).toEqual([{ people: 64_000, alike: 64_000 }]);
});

describe("functions beside the engine", () => {
  it.each(Object.entries(statements))("answer as inside: %s", async (_, statement) => {
    const expected = await inside.rows(statement(scopeOf(inside)), anyRow);
    expect(expected.length).toBeGreaterThan(0);
    expect(await beside.rows(statement(scopeOf(beside)), anyRow)).toEqual(expected);
    await expect.poll(left).toBe(0);
  });

  it("write and stream as inside, and leave nothing", async () => {
    const statement = statements["funnel"]!(scopeOf(beside));
    const texts = await Promise.all(
      [inside, beside].map(async (engine) => {
        const parts: Buffer[] = [];
        for await (const part of await engine.stream(statement, "CSVWithNames")) parts.push(part as Buffer);
        return Buffer.concat(parts).toString("utf8");
      }),
    );
    expect(texts[0]).toMatch(/^"grp","counts"/);
    expect(texts[1]).toBe(texts[0]);
    await beside.command(
      sql`CREATE TABLE kept_attempts ENGINE = Memory AS ${countedAttempts(scopeOf(beside), funnel(), range)}`,
    );
    const [kept] = await inside.rows(sql`SELECT count() AS n FROM kept_attempts`, z.object({ n: z.number() }));
    await inside.command(sql`DROP TABLE kept_attempts`);
    expect(kept?.n).toBeGreaterThan(1_000);
    await expect.poll(left).toBe(0);
  });

  it("read and put in many blocks, with long and short texts", async () => {
    const people = sql`SELECT number AS person, repeat('ü', number % 200) AS name, arrayMap(n -> toUInt64(bitOr(bitShiftLeft(toUInt64(n) * (1000 + number), 25), bitShiftLeft(1, n % 3))), range(number % 23)) AS words FROM numbers(60000)`;
    const found = attemptsOf(questionOf(funnel(), range, "best"), [sql`person`, sql`name`], people);
    const all = sql`SELECT count() AS people, sum(found[3]) AS times, toString(groupBitXor(cityHash64(person, name, found))) AS whole FROM (${found}) WHERE found[1] >= 0`;
    const expected = await inside.rows(all, anyRow);
    expect(expected).toMatchObject([{ people: 57_391 }]);
    expect(await beside.rows(all, anyRow)).toEqual(expected);
    await expect.poll(left).toBe(0);
  });

  it("look at as much as they need, however little the question may answer", async () => {
    const few = { settings: { max_result_rows: "100" } };
    const statement = (engine: Engine) => statements["funnel"]!(scopeOf(engine));
    expect(await beside.rows(statement(beside), anyRow, few)).toEqual(
      await inside.rows(statement(inside), anyRow, few),
    );
  });

  it("leave nothing where the statement fails, or is given up", async () => {
    const inner = countedAttempts(scopeOf(beside), funnel(), range);
    await expect(beside.rows(sql`SELECT throwIf(1) FROM (${inner})`, anyRow)).rejects.toThrow(/engine error/);
    const gone = AbortSignal.abort();
    await expect(beside.rows(sql`SELECT * FROM (${inner})`, anyRow, { signal: gone })).rejects.toThrow();
    await expect.poll(left).toBe(0);
  });

  it("let the engine rest where they fail in the middle of what they read", async () => {
    const failing: WordFunction = { name: "tl_test_failing", result: "Array(UInt64)", install: [], beside: () => { throw new Error("no such word"); } }; // prettier-ignore
    const endless = sql`SELECT CAST(range(number % 50), 'Array(UInt64)') AS words, number AS n FROM numbers(1000000000)`;
    const found = through(failing, Buffer.alloc(32), [sql`n`], endless);
    await expect(beside.rows(sql`SELECT count() AS n FROM (${found})`, anyRow)).rejects.toThrow("no such word");
    const running = sql`SELECT count() AS n FROM system.processes WHERE query LIKE '%numbers(1000000000)%' AND query NOT LIKE '%system.processes%'`;
    await expect
      .poll(async () => (await inside.rows(running, z.object({ n: z.number() })))[0]?.n, { timeout: 5_000 })
      .toBe(0);
    await expect.poll(left).toBe(0);
  });

  it("take over where the engine cannot make them", async () => {
    const doubled: WordFunction = {
      name: "tl_test_doubled",
      result: "Array(UInt64)",
      install: [sql`CREATE FUNCTION tl_test_doubled LANGUAGE NONE`],
      beside: (ends, words) => {
        const all = Buffer.from(words);
        for (let at = 0; at < all.length; at += 8) all.writeBigUInt64LE(BigInt.asUintN(64, words.readBigUInt64LE(at) * 2n), at); // prettier-ignore
        return { ends, words: all };
      },
    };
    const numbers = ["0", "1", "4503599627370496", "9007199254740993", "9223372036854775807", "4294967295"];
    const from = sql`SELECT arrayJoin([[], ${bind.ids(numbers)}]) AS words, 'x' AS name`;
    const engine = connected().in(inside.database);
    const rows = await engine.rows(
      sql`SELECT name, arrayMap(one -> toString(one), found) AS doubled FROM (${through(doubled, Buffer.alloc(32), [sql`name`], from)})`,
      z.object({ name: z.string(), doubled: z.array(z.string()) }),
    );
    expect(rows).toEqual([{ name: "x", doubled: numbers.map((one) => String(BigInt(one) * 2n)) }]);
  });
});
