import { beforeAll, describe, expect, it } from "vitest";
import type { SqlResult } from "#insights/sql/contract.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
const ask = (query: string, workspace = world.workspace) => world.ask<SqlResult>("sql.ask", { query }, workspace);
let other = "";

beforeAll(async () => {
  const at = Date.parse("2026-03-01T12:00:00Z");
  const source = await world.system.registry.byKey((await world.source()).writeKey);
  await world.system.ingest.accept(source, [
    { name: "Bought", userId: "ana", anonymousId: "device", at, messageId: "1", account: "acme", session: "s", properties: { amount: 10, plan: "pro" } },
    { name: "Bought", userId: "ana", at: at + 1_000, messageId: "2", account: "acme", properties: { amount: 32.5 } },
    { name: "Opened", anonymousId: "device", at: at - 1_000, messageId: "3", properties: {} },
    { userId: "ana", at, messageId: "4", account: "acme", personTraits: [{ op: "set", traits: { plan: "pro" } }], accountTraits: [{ op: "set", traits: { tier: "gold" } }] },
  ] as never); // prettier-ignore
  other = await world.newWorkspace();
  const theirs = await world.system.registry.byKey((await world.source("api", other)).writeKey);
  await world.system.ingest.accept(theirs, [{ name: "Secret", userId: "eve", at, messageId: "5" }]);
  await world.settled();
});

describe("a written query", () => {
  it.each([
    [
      "SELECT event, count() AS n, sum(toFloat64OrZero(toString(properties.amount))) AS paid FROM events GROUP BY event ORDER BY event;",
      [
        ["Bought", "2", 42.5],
        ["Opened", "1", 0],
      ],
    ],
    ["SELECT uniqExact(person) FROM events", [["1"]]], // the device is ana's
    [
      "select p.traits['plan'], arraySort(p.ids), countIf(e.event = 'Bought') from events as e inner join people as p on p.person = e.person group by all",
      [["pro", '["ana","device"]', "2"]],
    ],
    ["SELECT account, traits['tier'] FROM accounts", [["acme", "gold"]]],
    ["SELECT count() FROM cohort_members", [["0"]]],
    [
      "WITH t AS (SELECT number AS n FROM numbers(3)) SELECT n, sum(n) OVER (ORDER BY n) FROM t WHERE n IN (SELECT n FROM t) -- and no more; really",
      [
        ["0", "0"],
        ["1", "1"],
        ["2", "3"],
      ],
    ],
    [
      "SELECT 'a;b -- \\' /* {x} $1' AS `a b`, NULL, /* ; */ true, [1, 2], toDate('2026-03-01') + INTERVAL 1 MONTH",
      [["a;b -- ' /* {x} $1", null, "true", "[1,2]", "2026-04-01"]],
    ],
    ["SELECT m FROM (SELECT * EXCEPT (n) FROM (SELECT 1 AS n, 2 AS m) UNION ALL SELECT 3) ORDER BY m", [[2], [3]]],
    [
      "SELECT quantileExact(0.5)(x), uniqCombined(x), argMaxIf(x, x, x < 3) FROM (SELECT arrayJoin([1, 2, 3]) AS x)",
      [[2, "3", 2]],
    ],
  ])("answers %s", async (query, rows) => {
    expect((await ask(query)).rows).toEqual(rows);
  });

  it("says its columns, and that there is more than it shows", async () => {
    const { columns, rows, cut, sentence } = await ask("SELECT number, toString(number) AS t FROM numbers(20000)");
    expect(columns).toEqual([
      { name: "number", type: "UInt64" },
      { name: "t", type: "String" },
    ]);
    expect([rows.length, cut, sentence]).toEqual([10_000, true, "The first 10,000 rows; there are more."]);
    expect((await ask("SELECT repeat('x', 1000000) FROM numbers(100)")).cut).toBe(true);
  });

  it.each([
    "SELECT * FROM system.tables",
    "SELECT * FROM `system`.`tables`",
    'SELECT * FROM "system"."users"',
    "SELECT * FROM identities",
    "SELECT * FROM trait_changes",
    "SELECT actor FROM events",
    "SELECT source FROM events",
    "SELECT 1 WHERE 'x' IN system.tables",
    "SELECT 1 WHERE 'x' IN identities",
    "SELECT 1 WHERE 'x' NOT IN `system.tables`",
    "SELECT 1 WHERE in(1, system.one)",
    "WITH identities AS (SELECT 1 AS x) SELECT (SELECT 1), * FROM (SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM trait_changes))",
    "SELECT * FROM url('http://127.0.0.1:1', CSV, 'a String')",
    "SELECT (SELECT count() FROM url('http://127.0.0.1:1', CSV, 'a String'))",
    "SELECT * FROM file('/etc/passwd', LineAsString)",
    "SELECT * FROM file('/etc/passwd')",
    "SELECT file('/etc/passwd')",
    "SELECT * FROM merge(currentDatabase(), '.*')",
    "SELECT * FROM merge('.*', 'events')",
    "SELECT * FROM remote('127.0.0.1', system.one)",
    "SELECT * FROM cluster('default', system.tables)",
    "SELECT * FROM executable('id', CSV, 'a String')",
    "SELECT * FROM s3('http://x/y')",
    "SELECT * FROM dictionary('identity_of')",
    "SELECT * FROM view(SELECT * FROM system.tables)",
    "SELECT * FROM input('a String')",
    "SELECT * FROM loop(system.tables)",
    "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))",
    "SELECT * FROM (EXPLAIN SELECT 1)",
    "SELECT dictGet('identity_of', 'person', 1)",
    "SELECT joinGet('x', 'y', 1)",
    "SELECT getSetting('max_threads')",
    "SELECT currentDatabase()",
    "SELECT hostName(), version(), currentUser(), serverUUID()",
    "SELECT getMacro('x')",
    "SELECT sleep(3)",
    "SELECT sleepEachRow(1) FROM numbers(10)",
    "SELECT hasColumnInTable('system', 'tables', 'name')",
    "SELECT catboostEvaluate('/etc/passwd', 1)",
    "SELECT throughline_sequence(1)",
    "SELECT initializeAggregation('sum', 1)",
    "SELECT arrayMap(x -> sleep(1), [1])",
    "SELECT * FROM events SETTINGS max_execution_time = 0",
    "SELECT 1 SETTINGS readonly = 0, allow_ddl = 1",
    "SELECT * FROM events FORMAT Native",
    "SELECT 1 INTO OUTFILE '/tmp/x'",
    "SELECT 1; DROP TABLE events",
    "SELECT 1) ; DROP TABLE events --",
    "SELECT 1) SETTINGS readonly = 0 --",
    "SELECT 1) UNION ALL (SELECT name FROM system.tables",
    "INSERT INTO events SELECT * FROM events",
    "DROP TABLE events",
    "SHOW TABLES",
    "SYSTEM SHUTDOWN",
    "CREATE TABLE x (a Int8) ENGINE = Memory",
    "SELECT {p1:String}",
    "SELECT $$ ' $$ , sleep(1) -- '",
    "SELECT 1 # ' \n , sleep(1) -- '",
    "SELECT 1 AS `a\nTableIdentifier b`",
    "SELECT 1 AS `a\\`, sleep(1) AS b`",
    "SELECT 'open",
    "SELECT /* open",
    "   -- nothing\n",
    "SELECT * FROM events AS e FINAL SAMPLE 0.1",
    "SELECT @@version",
    "SELECT * FROM generateRandom('a String')",
    "SELECT * FROM mysql('h', 'd', 't', 'u', 'p')",
    "SELECT * FROM events e, LATERAL (SELECT 1) x, system.parts",
    "SELECT * APPLY(sleep) FROM numbers(1)",
    "SELECT * APPLY(hostName) FROM (SELECT 1)",
    "SELECT COLUMNS('.*') APPLY(x -> sleep(x)) FROM numbers(1)",
  ])("is refused: %s", async (query) => {
    await expect(ask(query)).rejects.toMatchObject({ code: expect.stringMatching(/^sql\.(not_allowed|wrong)$/) });
  });

  it("sees its own workspace alone", async () => {
    expect((await ask("SELECT DISTINCT event FROM events ORDER BY event")).rows).toEqual([["Bought"], ["Opened"]]);
    expect((await ask("SELECT DISTINCT event FROM events", other)).rows).toEqual([["Secret"]]);
    const { database } = (await world.system.directory.find(other))!.engine;
    await expect(ask(`SELECT * FROM ${database}.events`)).rejects.toMatchObject({ code: "sql.not_allowed" });
    await expect(ask(`SELECT 1 WHERE 1 IN ${database}.events`)).rejects.toMatchObject({ code: "sql.not_allowed" });
  });

  it("ends when it takes too much", async () => {
    await expect(ask("SELECT groupArray(number) FROM numbers(3000000000)")).rejects.toMatchObject({ code: "engine.too_large" }); // prettier-ignore
    await expect(ask(`SELECT ${"(".repeat(500)}1${")".repeat(500)}`)).rejects.toMatchObject({ code: expect.stringMatching(/^sql\.wrong|engine/) }); // prettier-ignore
    await expect(ask(`SELECT ${"1,".repeat(8_000)}1`)).rejects.toMatchObject({ code: "sql.wrong" });
    await expect(ask("x".repeat(20_001))).rejects.toMatchObject({ code: "input.invalid" });
  });

  it("says what is wrong with it, in its own words", async () => {
    await expect(ask("SELECT nothing FROM events")).rejects.toThrow(/nothing/);
    await expect(ask("\n\nSELECT 1,\n  /* two\n lines */ 2 FRM x y")).rejects.toThrow(
      /Syntax error: line 5, column \d+, near/,
    );
    for (const query of [
      "SELECT evnt FROM events",
      "SELECT * FROM identities",
      "SELECT * FROM event",
      "SELECT count() OVER w FROM events",
    ]) {
      const error = await ask(query).catch((caught: Error) => caught);
      expect((error as Error).message).not.toMatch(/trait_changes|ws_/);
    }
  });

  it("can be kept, changed and removed", async () => {
    const input = { query: "SELECT 1", display: { type: "bar", y: ["1"] } };
    const { id } = await world.ask<{ id: string }>("sql.save", { name: "One", input });
    await world.ask("sql.save", { id, name: "Uno", input });
    expect(await world.ask("sql.saved", {})).toMatchObject({ queries: [{ id, name: "Uno", by: "Ana", input }] });
    expect(await world.ask("sql.saved", {}, other)).toEqual({ queries: [] });
    await expect(world.ask("sql.save", { id, name: "x", input }, other)).rejects.toMatchObject({ code: "sql.unknown" });
    await world.ask("sql.remove", { id });
    expect(await world.ask("sql.saved", {})).toEqual({ queries: [] });
  });
});
