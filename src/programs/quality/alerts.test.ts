import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { simpleParser, type ParsedMail } from "mailparser";
import { SMTPServer } from "smtp-server";
import { stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noVeil } from "#kernel/classes.ts";
import { signatureOf } from "#kernel/outbound.ts";
import { startWorld, stopWorld, type World } from "#test/world.ts";
import type { Delivery } from "../alerts/contract.ts";
import type { Report, Sla } from "./contract.ts";
import { standing, type IncidentRow } from "./incidents.ts";
import { rulesOf } from "./rules.ts";

const minute = 60_000;
const at = (minutes: number): string => new Date(minutes * minute).toISOString();

describe("an error budget", () => {
  const incident = (began: number, ended: number | null, more: Partial<IncidentRow> = {}): IncidentRow => ({ id: "", workspace: "", key: "", kind: "silent", event: "A", property: null, says: "", began_at: at(began), ended_at: ended === null ? null : at(ended), notified_at: null, ...more }); // prettier-ignore
  const promise = { id: "s", name: "A", event: "A", kinds: ["silent", "volume"], target: 0.99, days: 1, since: 0, isOfContract: false } as const; // prettier-ignore
  it("is spent by minutes in which something was wrong, each counted once", () => {
    const now = 2_000 * minute; // the day before began at 560
    const found = standing(promise, [incident(100, 570), incident(600, 604), incident(602, 606, { kind: "volume" }), incident(700, 900, { kind: "drift" }), incident(700, 900, { event: "B" }), incident(1_998, null)], now); // prettier-ignore
    expect(found).toMatchObject({ badMinutes: 10 + 6 + 2, measuredMinutes: 1_440 });
    expect(found.budgetMinutes).toBeCloseTo(14.4);
    expect(found.left).toBeCloseTo(1 - 18 / 14.4);
    expect(found.attained).toBeCloseTo(1 - 18 / 1_440);
    // before the promise was made nothing was promised
    const young = standing({ ...promise, since: 1_990 * minute }, [incident(100, 1_995)], now);
    expect(young).toMatchObject({ badMinutes: 5, measuredMinutes: 10, attained: 0.5 });
    expect(standing({ ...promise, since: now }, [], now).attained).toBeNull();
    expect(standing({ ...promise, event: "" }, [incident(1_000, 1_010, { event: "B" })], now).badMinutes).toBe(10);
  });
});

let world: World;
const mails: ParsedMail[] = [];
const hooks: { headers: Record<string, unknown>; body: string }[] = [];
let refusing = false;
const post = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  onData: (stream, _session, done) => {
    simpleParser(stream).then((mail) => (mails.push(mail), done()), done);
  },
});
let hook: Server;
let address = "";

beforeAll(async () => {
  await new Promise<void>((ready) => post.listen(0, "127.0.0.1", ready));
  hook = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      if (!refusing) hooks.push({ headers: request.headers, body });
      response.writeHead(refusing ? 503 : 200).end();
    });
  });
  await new Promise<void>((ready) => hook.listen(0, "127.0.0.1", ready));
  const { port } = hook.address() as AddressInfo;
  address = `http://127.0.0.1:${port}/in?secret=1`;
  world = await startWorld({ smtp_url: `smtp://127.0.0.1:${(post.server.address() as AddressInfo).port}`, private_hosts: `127.0.0.1:${port}`, public_url: "http://acme.example" }); // prettier-ignore
});
afterAll(async () => {
  await stopWorld(world);
  await new Promise<void>((ended) => post.close(() => ended()));
  hook.close();
});

const run = async (name: string, now = Date.now()): Promise<void> => {
  world.clock.at = now;
  const found = (await world.system.directory.find(world.workspace))!;
  const job = world.system.modules.flatMap((module) => module.jobs ?? []).find((one) => one.name === name)!;
  await job.run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now, ...found }); // prettier-ignore
  world.clock.at = undefined;
};

const document = (more: object = {}) =>
  stringify({
    apiVersion: "v3.1.0", kind: "DataContract", id: "orders", version: "1.0.0", status: "active",
    slaProperties: [{ property: "availability", value: 99.9, unit: "percent" }],
    schema: [
      { name: "Paid", quality: [{ metric: "rowCount", mustBeGreaterThan: 3 }, { type: "sql", query: "SELECT 1", mustBe: 1 }],
        properties: [
          { name: "order", logicalType: "string", unique: true },
          { name: "email", logicalType: "string", quality: [{ metric: "nullValues", unit: "percent", mustBeLessOrEqualTo: 20 }] },
          { name: "plan", logicalType: "string", quality: [{ metric: "invalidValues", mustBeBetween: [-1, 2], arguments: { validValues: ["free", "pro"] } }] },
        ] },
      { name: "People", customProperties: [{ property: "of", value: "person" }], properties: [{ name: "code", quality: [{ metric: "invalidValues", mustBe: 0, arguments: { pattern: "^[A-Z]+$" } }] }] },
      { name: "events", customProperties: [{ property: "of", value: "table" }], properties: [{ name: "event", logicalType: "string", quality: [{ metric: "missingValues", mustBe: 0, arguments: { missingValues: ["n/a"] } }] }, { name: "at", logicalType: "date" }, { name: "price", logicalType: "number" }] },
    ],
    ...more,
  }); // prettier-ignore

describe("rules of contracts", () => {
  it("are looked at, what breaks is told by mail and webhook, and again when it is over", async () => {
    const source = await world.system.registry.byKey((await world.source("api")).writeKey);
    const send = async (from: number, count: number, properties: (n: number) => object) => {
      await world.system.ingest.accept(source, Array.from({ length: count }, (_, n) => ({ name: "Paid", userId: `u${n}`, messageId: `${from + n}`, at: Date.now() - n * 1_000, properties: properties(n) as Record<string, unknown> }))); // prettier-ignore
      await world.settled();
    };
    await world.ask("contracts.save", { document: document() });
    await send(0, 10, (n) => ({ order: `o${n % 8}`, plan: n < 3 ? "gold" : "pro", ...(n < 5 ? { email: "e" } : {}) }));
    await world.system.ingest.accept(source, [
      { userId: "u1", personTraits: [{ op: "set", traits: { code: "abc" } }] },
    ]);
    await world.settled();
    const ana = (await world.ask<{ members: { id: string }[] }>("workspaces.members", {})).members[0]!;
    await world.ask("stewardship.describe", { kind: "event", id: "Paid", owner: "ANA@example.com", description: "" });
    await expect(world.ask("alerts.addWebhook", { name: "x", address: "http://169.254.169.254/latest" })).rejects.toThrow(/Only https/); // prettier-ignore
    await expect(world.ask("alerts.addWebhook", { name: "x", address: "https://10.0.0.1/" })).rejects.toThrow(/no public address/); // prettier-ignore
    await expect(world.ask("alerts.addMail", { name: "x", members: ["mem_other"] })).rejects.toThrow(/members of the workspace/); // prettier-ignore
    await world.ask("alerts.addMail", { name: "Owners", members: [], owners: true });
    const { secret, id } = await world.ask<{ secret: string; id: string }>("alerts.addWebhook", {
      name: "Desk",
      address,
    });
    expect(ana.id).toMatch(/^mem_/);
    await world.ask("alerts.test", { id });
    expect(hooks.length).toBe(1);

    await run("quality.look");
    const report = await world.ask<Report>("quality.report", {});
    const broken = report.faults.filter(({ kind }) => kind === "rule").map(({ says }) => says).toSorted(); // prettier-ignore
    expect(broken).toEqual([
      "duplicateValues of order of Paid is 2; it should be 0 (uniqueness).",
      "invalidValues of code of Traits of people is 1; it should be 0 (conformity).",
      "invalidValues of plan of Paid is 3; it should be between -1 and 2 (conformity).",
      "nullValues of email of Paid is 50 %; it should be at most 20 % (completeness).",
    ]);
    expect(report.notLooked.join("\n")).toMatch(/A rule of Paid is none of the library[\s\S]*events.at is timestamp, and the contract says date[\s\S]*has no column price/); // prettier-ignore
    await run("alerts.deliver");
    const titles = hooks.slice(1).map(({ body }) => (JSON.parse(body) as { data: { title: string } }).data.title).toSorted(); // prettier-ignore
    expect(titles).toEqual(["Breaks a rule: code", "Breaks a rule: email of Paid", "Breaks a rule: order of Paid", "Breaks a rule: plan of Paid"]); // prettier-ignore
    const { headers, body } = hooks.at(-1)!;
    const [signed, sentAt] = [String(headers["webhook-id"]), Number(headers["webhook-timestamp"])];
    expect(headers["webhook-signature"]).toBe(signatureOf(secret, signed, sentAt, body));
    // those of the event went to whom it belongs, by the address that the catalog names
    expect(mails.map(({ subject }) => String(subject)).toSorted()).toEqual(["Breaks a rule: email of Paid (Acme)", "Breaks a rule: order of Paid (Acme)", "Breaks a rule: plan of Paid (Acme)"]); // prettier-ignore
    // the same again is told once
    await run("quality.look");
    await run("alerts.deliver");
    expect(hooks.length).toBe(5);

    const { slas } = await world.ask<{ slas: Sla[] }>("quality.slas", {});
    expect(slas).toMatchObject([
      { name: "Paid: contract orders", isOfContract: true, target: expect.closeTo(0.999), days: 28 },
    ]);
    const { id: sla } = await world.ask<{ id: string }>("quality.setSla", { name: "All of it", target: 0.95, days: 7 });
    // an hour later it is mended
    await send(100, 40, (n) => ({ order: `p${n}`, plan: "pro", email: "e" }));
    await world.ask("contracts.setStatus", { id: "orders", version: "1.0.0", status: "retired" });
    const later = Date.now() + 60 * minute;
    await run("quality.look", later);
    refusing = true;
    await run("alerts.deliver", later);
    const deliveries = async () => (await world.ask<{ deliveries: Delivery[] }>("alerts.list", {})).deliveries;
    expect((await deliveries()).filter(({ state }) => state === "waiting")).toMatchObject(Array.from({ length: 4 }, () => ({ tries: 1, problem: expect.stringMatching(/503/) }))); // prettier-ignore
    refusing = false;
    await run("alerts.deliver", later + 2 * minute);
    expect(hooks.slice(5).map(({ body: told }) => (JSON.parse(told) as { data: { title: string } }).data.title)[0]).toMatch(/^Over: Breaks a rule/); // prettier-ignore
    expect(hooks.length).toBe(9);
    expect((await deliveries()).every(({ state }) => state === "sent")).toBe(true);
    world.clock.at = later;
    const stood = await world.ask<{ slas: Sla[]; incidents: object[]; repairMinutes: number }>("quality.slas", {});
    world.clock.at = undefined;
    expect(stood.incidents.length).toBeGreaterThanOrEqual(4);
    expect(stood.repairMinutes).toBeCloseTo(60, 0);
    expect(stood.slas.find((one) => one.id === sla)?.badMinutes).toBeCloseTo(60, 0);
    await world.ask("quality.removeSla", { id: sla });
    await expect(world.ask("quality.removeSla", { id: sla })).rejects.toThrow(/no such promise/);
  }, 90_000);

  it("name no table or column that is not ours, and put nothing into a statement", () => {
    const evil = "events) UNION ALL SELECT 1 -- ";
    const contract = { kind: "DataContract", apiVersion: "v3.1.0", id: "x", version: "1.0.0", status: "active", schema: [{ name: evil, properties: [{ name: "a", unique: true }], customProperties: [{ property: "of", value: "table" }] }] } as const; // prettier-ignore
    const { asked, unasked } = rulesOf([contract as never], 0, []);
    expect(asked).toEqual([]);
    expect(unasked[0]?.message).toMatch(/There is no table/);
  });
});
