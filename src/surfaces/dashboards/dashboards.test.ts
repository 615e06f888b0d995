import { noVeil } from "#kernel/classes.ts";
import type { AddressInfo } from "node:net";
import { simpleParser, type ParsedMail } from "mailparser";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Tile } from "#surfaces/dashboards/contract.ts";
import { startWorld, stopWorld, type World } from "#test/world.ts";
import { nextBeat } from "./rhythm.ts";

let world: World;
let refusing = false;
const received: ParsedMail[] = [];
const post = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  onRcptTo: (_address, _session, done) => done(refusing ? new Error("mailbox is full") : null),
  onData: (stream, _session, done) => {
    simpleParser(stream).then((mail) => (received.push(mail), done()), done);
  },
});

beforeAll(async () => {
  await new Promise<void>((ready) => post.listen(0, "127.0.0.1", ready));
  const { port } = post.server.address() as AddressInfo;
  world = await startWorld({ smtp_url: `smtp://127.0.0.1:${port}`, mail_from: "Acme <numbers@acme.example>", public_url: "http://acme.example" }); // prettier-ignore
  const source = await world.system.registry.byKey((await world.source()).writeKey);
  const event = (n: number) => ({ name: "Bought", userId: `u${n}`, at: Date.now() - n * 86_400_000, messageId: String(n), properties: { plan: n < 2 ? "<b>pro" : "free" } }); // prettier-ignore
  await world.system.ingest.accept(source, [0, 1, 2, 3].map(event));
  await world.settled();
});
afterAll(async () => {
  await stopWorld(world);
  await new Promise<void>((ended) => post.close(() => ended()));
});

const question = { kind: "trends", input: { range: { last: 30, unit: "day" }, interval: "month", series: [{ event: "Bought", measure: "total" }], breakdown: { property: "plan" } } }; // prettier-ignore

const made = async (): Promise<string> => {
  const { id } = await world.ask<{ id: string }>("dashboards.create", { name: "Numbers\r\nBcc: eve@example.com" });
  await world.ask("dashboards.addTile", { id, title: "Orders & more", question, address: "/explore?kind=trends" });
  await world.ask("dashboards.writeText", { id, text: "# What we sell\n<script>alert(1)</script>" });
  await world.ask("dashboards.addTile", { id, title: "SQL", question: { kind: "sql", input: { query: "SELECT nothing" } }, address: "/sql?query=x" }); // prettier-ignore
  return id;
};
const runJobs = async (at: number): Promise<void> => {
  world.clock.at = at;
  const found = (await world.system.directory.find(world.workspace))!;
  const job = world.system.modules.flatMap((module) => module.jobs ?? []).find(({ name }) => name === "dashboards.send")!; // prettier-ignore
  await job.run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now: at, ...found }); // prettier-ignore
  world.clock.at = undefined;
};
interface Scheduled {
  schedules: { id: string; nextAt: string; sentAt: string | null; problem: string; members: { email: string }[] }[];
}

describe("a dashboard", () => {
  it("holds questions and texts in an order and at widths, and opens as it was kept", async () => {
    const id = await made();
    const get = () => world.ask<{ tiles: Tile[]; view: unknown }>("dashboards.get", { id });
    const { tiles } = await get();
    expect(tiles.map(({ width }) => width)).toEqual(["half", "full", "half"]);
    const order = tiles.toReversed().map((tile) => ({ id: tile.id, width: "third" }));
    await world.ask("dashboards.arrange", { id, tiles: order });
    expect((await get()).tiles.map((tile) => tile.id)).toEqual(order.map((tile) => tile.id));
    const view = { days: 7, filters: [{ property: "plan", on: "event", op: "eq", values: ["free"] }] };
    await world.ask("dashboards.keepView", { id, view });
    expect((await get()).view).toEqual(view);
    await expect(world.ask("dashboards.writeText", { id, tile: tiles[0]!.id, text: "x" })).rejects.toMatchObject({ code: "dashboards.unknown_tile" }); // prettier-ignore
    await world.ask("dashboards.remove", { id });
  });

  it("still reads tiles that were kept before there were widths", async () => {
    const id = await made();
    const old = [{ id: "t", title: "Old", question, address: "/explore", wide: true }];
    await world.system.store
      .updateTable("dashboards")
      .set({ tiles: JSON.stringify(old) })
      .where("id", "=", id)
      .execute();
    const { tiles } = await world.ask<{ tiles: Tile[] }>("dashboards.get", { id });
    expect(tiles).toMatchObject([{ id: "t", width: "full" }]);
    await world.ask("dashboards.remove", { id });
  });

  it("comes by mail as it stands, under its conditions, and stops with one request", async () => {
    const id = await made();
    await world.ask("dashboards.keepView", {
      id,
      view: { filters: [{ property: "plan", op: "neq", values: ["free"] }] },
    });
    const { members } = await world.ask<{ members: { id: string }[] }>("workspaces.members", {});
    const rhythm = { every: "day", hour: 8, zone: "Europe/Berlin" };
    const { nextAt } = await world.ask<{ nextAt: string }>("dashboards.addSchedule", { id, members: members.map((one) => one.id), rhythm }); // prettier-ignore
    await runJobs(Date.parse(nextAt) - 1);
    expect(received).toHaveLength(0);
    await runJobs(Date.parse(nextAt));
    await runJobs(Date.parse(nextAt) + 60_000);
    expect(received).toHaveLength(1);
    const [mail] = received.splice(0);
    expect(mail!.subject).toBe("Numbers Bcc: eve@example.com (Acme)");
    expect(mail!.to).toMatchObject({ value: [{ address: world.owner.email }] });
    expect(mail!.from!.text).toContain("numbers@acme.example");
    expect(mail!.html).toContain("Orders &amp; more</a></h2>");
    expect(mail!.html).toContain("&lt;b&gt;pro");
    expect(mail!.html).toContain("&lt;script&gt;");
    expect(mail!.html).toContain(`http://acme.example/explore?kind=trends&amp;w=${world.workspace}`);
    expect(mail!.html).not.toMatch(/<script|<b>pro|>free</);
    expect(mail!.text).toContain("Unknown expression identifier"); // what failed says why, and the rest comes
    const { schedules } = await world.ask<Scheduled>("dashboards.schedules", { id });
    expect(schedules).toMatchObject([{ problem: "", sentAt: nextAt, nextAt: new Date(Date.parse(nextAt) + 86_400_000).toISOString() }]); // prettier-ignore

    const header = (name: string) => mail!.headerLines.find(({ key }) => key === name)?.line.replaceAll(/\r?\n\s+/g, "") ?? ""; // prettier-ignore
    expect(header("list-unsubscribe-post")).toContain("List-Unsubscribe=One-Click");
    const stop = /<(http[^>]+)>/.exec(header("list-unsubscribe"))?.[1];
    const path = stop!.replace("http://acme.example", `http://127.0.0.1:${world.server.port}`);
    const still = async () => (await world.ask<Scheduled>("dashboards.schedules", { id })).schedules.length;
    expect(await (await fetch(path)).text()).toContain("<button>");
    await fetch(path.replace(/token=./, "token=_"), { method: "POST", body: "List-Unsubscribe=One-Click" });
    expect(await still()).toBe(1);
    const ended = await fetch(path, { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "List-Unsubscribe=One-Click" }); // prettier-ignore
    expect(ended.status).toBe(200);
    expect(await still()).toBe(0);
  });

  it("shows by mail what a viewer may see, whoever made it", async () => {
    const id = await made();
    await world.ask("stewardship.classify", { kind: "property", id: "plan", class: "restricted" });
    const { members } = await world.ask<{ members: { id: string }[] }>("workspaces.members", {});
    const { nextAt } = await world.ask<{ nextAt: string }>("dashboards.addSchedule", { id, members: [members[0]!.id], rhythm: { every: "day", hour: 8, zone: "UTC" } }); // prettier-ignore
    await runJobs(Date.parse(nextAt));
    const [mail] = received.splice(0);
    expect(mail!.text).toContain("classed so that you may not ask by it");
    expect(`${String(mail!.html)}${mail!.text}`).not.toMatch(/b&gt;pro|>free<|free/);
    await world.ask("stewardship.classify", { kind: "property", id: "plan", class: null });
    await world.ask("dashboards.remove", { id });
  });

  it("is tried again when the mail server refuses, and says why", async () => {
    const id = await made();
    const { members } = await world.ask<{ members: { id: string }[] }>("workspaces.members", {});
    const rhythm = { every: "week", weekday: 1, hour: 8, zone: "UTC" };
    const { nextAt } = await world.ask<{ nextAt: string }>("dashboards.addSchedule", { id, members: [members[0]!.id], rhythm }); // prettier-ignore
    refusing = true;
    await runJobs(Date.parse(nextAt));
    const state = async () => (await world.ask<Scheduled>("dashboards.schedules", { id })).schedules[0]!;
    expect((await state()).problem).toMatch(/mailbox is full/);
    expect((await state()).nextAt).toBe(new Date(Date.parse(nextAt) + 600_000).toISOString());
    refusing = false;
    await runJobs(Date.parse(nextAt) + 600_000);
    expect(received.splice(0)).toHaveLength(1);
    expect(await state()).toMatchObject({ problem: "", nextAt: new Date(Date.parse(nextAt) + 7 * 86_400_000).toISOString() }); // prettier-ignore
    await expect(world.ask("dashboards.addSchedule", { id, members: ["mem_stranger"], rhythm })).rejects.toMatchObject({ code: "dashboards.not_a_member" }); // prettier-ignore
    await expect(world.ask("dashboards.addSchedule", { id, members: [members[0]!.id], rhythm: { ...rhythm, zone: "Mars/Base" } })).rejects.toBeDefined(); // prettier-ignore
    expect(await world.ask("dashboards.sendNow", { id })).toEqual({ to: world.owner.email });
    await expect(world.ask("dashboards.sendNow", { id })).rejects.toMatchObject({ code: "dashboards.slow_down" });
    expect(received.splice(0)[0]!.headers.has("list")).toBe(false);
    await world.ask("dashboards.remove", { id });
    expect(await world.system.store.selectFrom("schedules").selectAll().execute()).toEqual([]);
  });
});

describe("a rhythm", () => {
  const beats = (rhythm: Parameters<typeof nextBeat>[0], from: string) => new Date(nextBeat(rhythm, Date.parse(from))).toISOString(); // prettier-ignore
  it.each([
    [{ every: "day", hour: 8, zone: "UTC" }, "2026-03-01T08:00:00Z", "2026-03-02T08:00:00.000Z"],
    [{ every: "day", hour: 2, zone: "Europe/Berlin" }, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00.000Z"], // 02:00 is skipped
    [{ every: "week", weekday: 1, hour: 9, zone: "Asia/Tokyo" }, "2026-03-01T12:00:00Z", "2026-03-02T00:00:00.000Z"],
    [{ every: "month", day: 1, hour: 0, zone: "America/New_York" }, "2026-11-01T12:00:00Z", "2026-12-01T05:00:00.000Z"],
  ] as const)("%j beats after %s", (rhythm, from, wanted) => {
    expect(beats(rhythm, from)).toBe(wanted);
  });
});
