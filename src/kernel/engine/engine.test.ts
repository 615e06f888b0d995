import { Readable } from "node:stream";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { describe, expect, it } from "vitest";
import { createClient } from "@clickhouse/client";
import { z } from "zod";
import { useEngine } from "#test/engine.ts";
import { addedUp, bind, compile, identifier, inShares, sql, turnsOf, type Sql } from "../sql.ts";

const held = useEngine();
const engine = () => held.server.in("default");
const one = async <T>(statement: Parameters<ReturnType<typeof engine>["rows"]>[0], row: z.ZodType<T>) =>
  (await engine().rows(statement, row))[0];

describe("the engine contract", () => {
  it("carries every kind of value there and back unchanged", async () => {
    const odd = "a\tb\n'c' \\ \\N \"d\" {x:String} 😀 \0";
    const row = await one(
      sql`SELECT ${bind.string(odd)} AS s, ${bind.strings([odd, ""])} AS list, toString(${bind.id("18446744073709551615")}) AS id,
          ${bind.int(-9007199254740991)} AS n, ${bind.float(0.1)} AS f, toUnixTimestamp64Milli(${bind.time(1_700_000_000_123)}) AS t,
          toString(${bind.ids(["18446744073709551615", "1"])}[1]) AS ids`,
      z.object({
        s: z.string(),
        list: z.array(z.string()),
        id: z.string(),
        n: z.number(),
        f: z.number(),
        t: z.number(),
        ids: z.string(),
      }),
    );
    const big = "18446744073709551615";
    expect(row).toEqual({
      s: odd,
      list: [odd, ""],
      id: big,
      n: -9007199254740991,
      f: 0.1,
      t: 1_700_000_000_123,
      ids: big,
    });
  });

  it("takes lists of values far longer than an address may be", async () => {
    const ids = Array.from({ length: 50_000 }, (_, n) => String(2n ** 63n + BigInt(n)));
    const row = await one(
      sql`SELECT length(${bind.ids(ids)}) AS n, toString(arraySum(x -> x = ${bind.id(ids[7] ?? "")}, ${bind.ids(ids)})) AS hits, ${bind.string("it's\t\\N")} AS s`,
      z.object({ n: z.number(), hits: z.string(), s: z.string() }),
    );
    expect(row).toEqual({ n: 50_000, hits: "1", s: "it's\t\\N" });
  });

  it("inserts a stream of rows and refuses a whole batch that has one bad row", async () => {
    await engine().command(sql`CREATE TABLE ${identifier("t1")} (n UInt32) ENGINE = MergeTree ORDER BY n`);
    await engine().insert("t1", Array.from({ length: 50_000 }, (_, n) => `{"n":${n}}`).join("\n"));
    await expect(engine().insert("t1", '{"n":1}\n{"n":"no"}\n')).rejects.toMatchObject({ code: "engine.bad_rows" });
    expect(await one(sql`SELECT count() AS n FROM t1`, z.object({ n: z.number() }))).toEqual({ n: 50_000 });
  });

  it("counts a block with the same token once, in the table and in its view", async () => {
    await engine().command(
      sql`CREATE TABLE src (n UInt32) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100`,
    );
    await engine().command(
      sql`CREATE TABLE dst (k UInt32, c UInt64) ENGINE = SummingMergeTree ORDER BY k SETTINGS non_replicated_deduplication_window = 100`,
    );
    await engine().command(
      sql`CREATE MATERIALIZED VIEW mv TO dst AS SELECT n % 2 AS k, toUInt64(count()) AS c FROM src GROUP BY k`,
    );
    for (const token of ["a", "a", "b"]) await engine().insert("src", '{"n":1}\n{"n":2}\n{"n":3}', { token });
    const counts = sql`SELECT (SELECT count() FROM src) AS s, (SELECT sum(c) FROM dst) AS d`;
    expect(await one(counts, z.object({ s: z.number(), d: z.number() }))).toEqual({ s: 6, d: 6 });
  });

  it("knows the blocks of a long insert again, however its bytes came", async () => {
    await engine().command(
      sql`CREATE TABLE long (n UInt32, t String) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100`,
    );
    const text = "x".repeat(500);
    const body = Buffer.from(Array.from({ length: 40_000 }, (_, n) => `{"n":${n},"t":"${text}"}`).join("\n"));
    for (const size of [1_000_003, 77_777]) {
      const pieces = Array.from({ length: Math.ceil(body.length / size) }, (_, n) =>
        body.subarray(n * size, (n + 1) * size),
      );
      await engine().insert("long", Readable.from(pieces), { token: "long" });
    }
    const counts = sql`SELECT count() AS rows, uniqExact(n) AS distinct FROM long`;
    expect(await one(counts, z.object({ rows: z.number(), distinct: z.number() }))).toEqual({
      rows: 40_000,
      distinct: 40_000,
    });
  });

  it("keeps the settings of one request out of the next", async () => {
    const setting = sql`SELECT toInt32(getSetting('max_threads')) AS threads`;
    const row = z.object({ threads: z.number() });
    const before = await one(setting, row);
    const set = await engine().rows(setting, row, { settings: { max_threads: 1 } });
    expect(set).toEqual([{ threads: 1 }]);
    for (let n = 0; n < 8; n += 1) expect(await one(setting, row)).toEqual(before);
    const client = createClient({ url: held.process?.url ?? "", password: held.process?.password ?? "" });
    await client.command({ query: "SELECT {leak:String}", query_params: { leak: "x" } });
    await expect(client.query({ query: "SELECT {leak:String}" })).rejects.toMatchObject({ code: "456" });
    await client.close();
  });

  it("is asked for a relation in shares that lose and double no group, also at the ends of the key", async () => {
    const keys = ["0", "1", "9223372036854775807", "9223372036854775808", "18446744073709551615"];
    const rows = sql`SELECT arrayJoin(arrayConcat(${bind.ids(keys)}, arrayMap(n -> sipHash64(n), range(5000)))) AS key`;
    const within = (share: Sql): Sql =>
      sql`SELECT key, count() AS times, getSetting('max_threads') AS threads FROM (${rows} UNION ALL ${rows}) WHERE ${share} GROUP BY key`;
    const whole = (groups?: number): Sql =>
      sql`SELECT count() AS groups, uniqExact(key) AS distinct, toUInt32(min(times)) AS least, toUInt32(max(times)) AS most, toUInt32(max(threads)) AS each FROM (${inShares(sql`key`, within, groups)})`;
    const row = z.object({ groups: z.number(), distinct: z.number(), least: z.number(), most: z.number() });
    const client = createClient({ url: held.process?.url ?? "", password: held.process?.password ?? "" });
    for (const [threads, groups, shares, turns] of [
      [1, 0, 0, 1],
      [1, 5_000_000, 0, 1],
      [2, 0, 2, 2],
      [3, 0, 3, 2],
      [64, 0, 8, 2],
      [2, 2_000_000, 6, 6],
      [3, 2_000_000, 6, 4],
      [8, 2_000_000, 8, 2],
      [2, 1e9, 64, 6],
      [64, 1e9, 64, 6],
    ] as const) {
      const { query, params } = compile(whole(groups), threads);
      expect((query.match(/max_threads = /g) ?? []).length).toBe(shares);
      const asked = await client.query({ query, query_params: { ...params }, format: "JSONEachRow", clickhouse_settings: { output_format_json_quote_64bit_integers: 0 } }); // prettier-ignore
      // what a share is told reaches it
      const each = shares === 0 ? expect.any(Number) : Math.ceil(threads / shares);
      expect(await asked.json()).toEqual([{ groups: 5_005, distinct: 5_005, least: 2, most: 2, each }]);
      // nor do its turns, taken together
      expect(turnsOf(whole(groups), threads, 2).length).toBe(1);
      const all = turnsOf(addedUp(whole(groups)), threads, 2);
      expect(all.length).toBe(turns);
      const parts = all.map((turn) => compile(whole(groups), threads, turn).query);
      const told = parts.map((part) => part.match(/BETWEEN \d+ AND \d+/g) ?? []);
      expect(told.flat().toSorted()).toEqual((query.match(/BETWEEN \d+ AND \d+/g) ?? []).toSorted());
      // in each as many as threads can work on, and about as many in one as in another
      const sizes = told.map((some) => some.length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      if (turns > 2) expect(Math.min(...sizes)).toBeGreaterThanOrEqual(Math.floor(Math.min(8, threads) / 2));
    }
    await client.close();
    for (const groups of [0, 5_000_000])
      expect(await one(whole(groups), row)).toEqual({ groups: 5_005, distinct: 5_005, least: 2, most: 2 });
  });

  it("is asked for shares in turns where their rows are added up, with one limit for all of them", async () => {
    const keys = (share: Sql): Sql =>
      sql`SELECT key FROM (SELECT sipHash64(number) AS key FROM numbers(50000)) WHERE ${share} GROUP BY key`;
    const row = z.object({ groups: z.number(), sum: z.string(), filters: z.number() });
    const counted = (relation: Sql) =>
      sql`SELECT count() AS groups, toString(sum(bitAnd(key, 65535))) AS sum, toInt32(getSetting('enable_join_runtime_filters')) AS filters FROM (${relation})`;
    const before = await one(counted(keys(sql`1`)), row);
    const threads = (await one(sql`SELECT toInt32(getSetting('max_threads')) AS n`, z.object({ n: z.number() })))?.n ?? 1; // prettier-ignore
    for (const groups of [0, 5_000_000]) {
      const statement = addedUp(counted(inShares(sql`key`, keys, groups)));
      const rows = await engine().rows(statement, row);
      const turns = turnsOf(statement, threads, 2).length;
      expect(rows.map(({ filters }) => filters)).toEqual(Array.from({ length: turns }, () => (turns > 2 ? 0 : 1)));
      expect(rows.reduce((sum, { groups: some }) => sum + some, 0)).toBe(before?.groups);
      expect(String(rows.reduce((all, { sum }) => all + BigInt(sum), 0n))).toBe(before?.sum);
    }
    // what is left of the time, and a part of the memory
    const told = z.object({ seconds: z.number(), bytes: z.number() });
    const limits = (relation: Sql) =>
      sql`SELECT toFloat64(getSetting('max_execution_time')) AS seconds, toFloat64(getSetting('max_memory_usage')) AS bytes FROM (SELECT count() FROM (${relation}))`;
    const limited = addedUp(limits(inShares(sql`key`, keys, 5_000_000)));
    const turns = turnsOf(limited, threads, 2).length;
    const left = await engine().rows(limited, told, { settings: { max_execution_time: 20 } });
    expect(left.map(({ bytes }) => bytes)).toEqual(left.map(() => (turns > 1 ? 1_500_000_000 : 3_000_000_000)));
    for (const { seconds } of left) expect(seconds).toBeLessThanOrEqual(20);
    if (turns > 2) expect(left.at(-1)!.seconds).toBeLessThan(left[0]!.seconds);
    const endless = (share: Sql): Sql =>
      sql`SELECT number AS key FROM numbers(1000000000000) WHERE sipHash64(number) = 3 AND ${share} GROUP BY key`;
    const asked = addedUp(counted(inShares(sql`key`, endless, 5_000_000)));
    await expect(engine().rows(asked, row, { settings: { max_execution_time: 2 } })).rejects.toThrow(/took longer/);
    const running = sql`SELECT count() AS n FROM system.processes WHERE query LIKE '%sipHash64(number) = 3%' AND query NOT LIKE '%system.processes%'`;
    await expect.poll(async () => (await one(running, z.object({ n: z.number() })))?.n, { timeout: 5_000 }).toBe(0);
    const large = (share: Sql): Sql => sql`SELECT number AS key FROM numbers(5000000) WHERE ${share} GROUP BY key`;
    const limit = { settings: { max_memory_usage: "20000000" } };
    await expect(engine().rows(addedUp(counted(inShares(sql`key`, large))), row, limit)).rejects.toThrow(/more memory/);
    const controller = new AbortController();
    const givenUp = engine().rows(asked, row, { signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    await expect(givenUp).rejects.toThrow();
    await expect.poll(async () => (await one(running, z.object({ n: z.number() })))?.n, { timeout: 5_000 }).toBe(0);
  });

  it("says which limit was reached", async () => {
    const endless = sql`SELECT count() AS n FROM numbers(1000000000000) WHERE sipHash64(number) = 1`;
    const row = z.object({ n: z.number() });
    await expect(engine().rows(endless, row, { settings: { max_execution_time: 1 } })).rejects.toThrow(/took longer/);
    const large = sql`SELECT groupArray(number) AS n FROM numbers(100000000)`;
    const many = sql`SELECT number AS n FROM numbers(300000)`;
    await expect(engine().rows(many, row)).rejects.toThrow(/more rows than a page/);
    await expect(engine().rows(large, row, { settings: { max_memory_usage: "10000000" } })).rejects.toThrow(
      /more memory/,
    );
  });

  it("really ends a query that its caller abandons", async () => {
    const controller = new AbortController();
    const endless = sql`SELECT count() AS n FROM numbers(1000000000000) WHERE sipHash64(number) = 2`;
    const asked = engine().rows(endless, z.object({ n: z.number() }), { signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    await expect(asked).rejects.toThrow();
    const running = sql`SELECT count() AS n FROM system.processes WHERE query LIKE '%sipHash64(number) = 2%' AND query NOT LIKE '%system.processes%'`;
    await expect.poll(async () => (await one(running, z.object({ n: z.number() })))?.n, { timeout: 5_000 }).toBe(0);
  });

  it("streams a large result as one whole in every format", async () => {
    const query = sql`SELECT number AS n, toString(number) AS t FROM numbers(300000)`;
    const bytes = async (format: "CSVWithNames" | "Parquet" | "JSONEachRow" | "JSON"): Promise<Buffer> => {
      const parts: Buffer[] = [];
      for await (const part of await engine().stream(query, format)) parts.push(part as Buffer);
      return Buffer.concat(parts);
    };
    const csv = (await bytes("CSVWithNames")).toString().trim().split("\n");
    expect([csv.length, csv[0], csv.at(-1)]).toEqual([300_001, '"n","t"', '299999,"299999"']);
    expect((await bytes("JSONEachRow")).toString().trim().split("\n").length).toBe(300_000);
    const document = JSON.parse((await bytes("JSON")).toString()) as { rows: number; data: { n: unknown }[] };
    expect([document.rows, document.data.length, Number(document.data.at(-1)?.n)]).toEqual([300_000, 300_000, 299_999]);
    const parquet = await bytes("Parquet");
    const file = {
      byteLength: parquet.length,
      slice: (a: number, b?: number) => new Uint8Array(parquet.subarray(a, b)).buffer,
    };
    const rows = await parquetReadObjects({ file, compressors });
    expect([rows.length, rows.at(-1)]).toEqual([300_000, { n: 299_999n, t: "299999" }]);
  });

  it("streams more than it holds", async () => {
    let bytes = 0;
    for await (const chunk of await engine().stream(
      sql`SELECT number, toString(number) FROM numbers(1000000)`,
      "CSVWithNames",
    )) {
      bytes += (chunk as Buffer).length;
    }
    expect(bytes).toBeGreaterThan(13_000_000);
  });

  it("gives the codes of ClickHouse to the unmodified client, compressed or not", async () => {
    const options = { url: held.process?.url ?? "", username: "default", password: held.process?.password ?? "" };
    const client = createClient({ ...options, compression: { request: true, response: true } });
    await client.insert({ table: "t1", values: [{ n: 70_000 }], format: "JSONEachRow" });
    const rows = await client.query({ query: "SELECT n FROM t1 WHERE n = 70000", format: "JSONEachRow" });
    expect(await rows.json()).toEqual([{ n: 70_000 }]);
    await expect(client.query({ query: "SELECT * FROM nowhere" })).rejects.toMatchObject({
      code: "60",
      type: "UNKNOWN_TABLE",
    });
    await expect(client.query({ query: "SELEC 1" })).rejects.toMatchObject({ code: "62", type: "SYNTAX_ERROR" });
    await client.close();
    const stranger = createClient({ ...options, password: "wrong" });
    await expect(stranger.query({ query: "SELECT 1" })).rejects.toMatchObject({ code: "516" });
    await stranger.close();
  });

  it.skipIf(process.env["THROUGHLINE_CLICKHOUSE_URL"] !== undefined)(
    "comes back after a crash and tells callers to try again",
    async () => {
      process.kill(held.process?.pid ?? 0, "SIGKILL");
      await expect(engine().rows(sql`SELECT 1 AS n`, z.object({ n: z.number() }))).rejects.toMatchObject({
        code: "engine.unavailable",
        status: 503,
      });
      await expect
        .poll(() => one(sql`SELECT count() AS n FROM t1`, z.object({ n: z.number() })).catch(() => undefined), {
          timeout: 20_000,
        })
        .toEqual({ n: 50_001 });
      expect(held.process?.restarts).toBe(1);
    },
  );
});
