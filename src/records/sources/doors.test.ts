import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { useWorld } from "#test/world.ts";
import { sql } from "#kernel/sql.ts";

const world = useWorld();
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(world.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
  });
const engineOf = async (workspace: string) => (await world.system.directory.find(workspace))!.engine;
const count = async (workspace = world.workspace) => {
  await world.settled();
  const [row] = await (
    await engineOf(workspace)
  ).rows(
    sql`SELECT count() AS n, uniqExact(message) AS m, (SELECT sum(events) FROM activity_daily) AS rollup, (SELECT count() FROM dead_letters) AS dead FROM events`,
    z.object({ n: z.number(), m: z.number(), rollup: z.number(), dead: z.number() }),
  );
  return row;
};

describe("POST /v1/events", () => {
  it("takes events, reports the faulty ones and keeps them as dead letters", async () => {
    const workspace = await world.newWorkspace();
    const { writeKey } = await world.source("api", workspace);
    const events = [
      { event: "open", userId: "ana", id: "1", time: "2026-03-01T10:00:00Z", properties: { plan: "pro" } },
      { event: "open", id: "2" },
      { event: 7, userId: "ana" },
      "nonsense",
      { event: "open", userId: "bo", id: "1" },
    ];
    const response = await post("/v1/events", { events }, { authorization: `Bearer ${writeKey}` });
    expect(response.status).toBe(200);
    const answer = (await response.json()) as { accepted: number; rejected: { index: number; reason: string }[] };
    expect(answer.accepted).toBe(2);
    expect(answer.rejected.map(({ index, reason }) => [index, reason])).toEqual([
      [1, "event.no_id"],
      [2, "event.invalid"],
      [3, "event.not_an_object"],
    ]);
    expect(await count(workspace)).toEqual({ n: 1, m: 1, rollup: 1, dead: 3 });
  });

  it("keeps a row that the store cannot read as a dead letter, and takes the others", async () => {
    const workspace = await world.newWorkspace();
    const { writeKey } = await world.source("api", workspace);
    const { engine } = (await world.system.directory.find(workspace))!;
    await engine.command(sql`ALTER TABLE events ADD CONSTRAINT odd CHECK session != 'poison'`);
    const events = Array.from({ length: 9 }, (_, n) => ({
      event: "open",
      userId: "ana",
      id: String(n),
      session: n === 4 ? "poison" : "fine",
    }));
    expect(await (await post("/v1/events", { writeKey, events })).json()).toEqual({ accepted: 9, rejected: [] });
    expect(await count(workspace)).toEqual({ n: 8, m: 8, rollup: 8, dead: 1 });
    const { letters } = await world.ask<{ letters: { reason: string; source: string; body: string }[] }>(
      "sources.deadLetters",
      {},
      workspace,
    );
    expect(letters).toMatchObject([{ reason: "store.refused", body: expect.stringContaining("poison") as string }]);
    expect(letters[0]?.source).toMatch(/^src_/);
  });

  it("counts a message id once, whenever and however often it comes within seven days", async () => {
    const workspace = await world.newWorkspace();
    const { writeKey } = await world.source("api", workspace);
    const send = () => post("/v1/events", { writeKey, events: [{ event: "buy", userId: "ana", id: "same" }] });
    await Promise.all([send(), send(), send()]);
    await world.settled();
    await send();
    expect(await count(workspace)).toMatchObject({ n: 1 });
    world.clock.at = Date.now() + 8 * 86_400_000;
    await send();
    world.clock.at = undefined;
    expect(await count(workspace)).toMatchObject({ n: 2, rollup: 2 });
  });
});

describe("what a hostile caller sends", () => {
  it("is refused with the right code, and the server goes on", async () => {
    const { writeKey } = await world.source();
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, 32));
    expect((await post("/v1/events", bomb, { "content-encoding": "gzip" })).status).toBe(413);
    expect((await post("/segment/v1/batch", bomb)).status).toBe(413);
    const deep = `{"writeKey":"${writeKey}","events":[{"event":"x","userId":"u","properties":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}]}`;
    const answer = await post("/v1/events", deep);
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { accepted: 0, rejected: [{ reason: "event.too_deep" }] },
    ]);
    const huge = await post("/v1/events", "x".repeat(100 * 1024 * 1024)).catch(() => ({ status: 413 }));
    expect(huge.status).toBe(413);
    expect((await post("/v1/events", "{]")).status).toBe(400);
    expect((await post("/v1/events", { events: [] }, { authorization: "Bearer wrong" })).status).toBe(401);
    expect((await post("/v1/events", { events: [] })).status).toBe(401);
    expect((await fetch(`${world.url}/healthz`)).status).toBe(200);
  });

  it("stores text that looks like SQL, and every odd value, as nothing but text", async () => {
    const workspace = await world.newWorkspace();
    const { writeKey } = await world.source("api", workspace);
    const odd = ["'; DROP TABLE events; --", "\\'; SELECT 1", "{p1:String}", "\u0000\ud800x", "`", "a\tb\nc"];
    const events = odd.map((text, n) => ({
      event: text.slice(0, 150),
      userId: text,
      id: `odd${n}`,
      account: text,
      session: text,
      properties: { [text]: text, "": 1, "a.b": 2, a: { b: 3 } },
    }));
    const answer = await (await post("/v1/events", { writeKey, events })).json();
    expect(answer).toEqual({ accepted: odd.length, rejected: [] });
    expect(await count(workspace)).toMatchObject({ n: odd.length, dead: 0 });
  });

  it.each([
    [
      "/segment/v1/batch",
      (key: string) => ({
        writeKey: key,
        batch: [null, 1, [], { type: 4 }, { type: "track", event: {}, userId: [] }, { type: "__proto__" }],
      }),
    ],
    [
      "/posthog/batch/",
      (key: string) => ({
        api_key: key,
        batch: [
          null,
          { event: [] },
          { event: "x", distinct_id: {} },
          { event: "x", distinct_id: "u", properties: "no" },
        ],
      }),
    ],
    [
      "/amplitude/2/httpapi",
      (key: string) => ({
        api_key: key,
        events: [null, { event_type: 1, user_id: {} }, { event_type: "x", device_id: "abc" }],
      }),
    ],
    [
      "/mixpanel/track",
      (key: string) => [{ event: 5, properties: { token: key, distinct_id: [] } }, { properties: {} }, 3],
    ],
  ])("gets an answer, not a crash, for wrong types everywhere on %s", async (path, body) => {
    const { writeKey } = await world.source();
    const response = await post(path, body(writeKey));
    expect(response.status).toBeLessThan(500);
  });

  it("cannot read another workspace", async () => {
    const other = await world.newWorkspace();
    const made = await world.ask<{ key: string }>("workspaces.createKey", { name: "k", role: "admin" }, other);
    const read = (workspace?: string) =>
      post(
        "/api/sources.list",
        {},
        {
          authorization: `Bearer ${made.key}`,
          ...(workspace === undefined ? {} : { "x-throughline-workspace": workspace }),
        },
      );
    expect((await read()).status).toBe(200);
    expect((await read(world.workspace)).status).toBe(404);
    expect((await read("ws_nowhere")).status).toBe(404);
    expect(
      (
        await post(
          "/api/sources.list",
          {},
          { cookie: world.owner.cookie, origin: "http://evil.example", "x-throughline-workspace": other },
        )
      ).status,
    ).toBe(403);
  });
});
