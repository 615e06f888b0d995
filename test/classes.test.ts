import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { allows, type Role } from "#kernel/roles.ts";
import { askRemote, exportTo } from "#surfaces/cli/remote.ts";
import { useWorld } from "#test/world.ts";

/**
 * Every operation by every role over values of every class. A marker stands for a value: whoever may not know its class
 * must not find it in any answer, nor be told anything of it by a condition, a breakdown, a sort or an error.
 */
const world = useWorld();

/** Properties and traits with the class that they are given, and the value by which each is told. */
const held = {
  event: {
    pay: ["restricted", "mrkpaysecret"],
    hobby: ["personal", "mrkhobbyown"],
    tier: ["internal", "mrktieropen"],
    "deep.code": ["restricted", "mrkdeepsecret"],
  },
  person: { iban: ["restricted", "mrkibansecret"], motto: ["personal", "mrkmottoown"], team: ["internal", "mrkteamopen"] },
  account: { debt: ["restricted", "mrkdebtsecret"], boss: ["personal", "mrkbossown"], trade: ["internal", "mrktradeopen"] },
} as const; // prettier-ignore
const kindOf = { event: "property", person: "person_trait", account: "account_trait" } as const;
type Class = "restricted" | "personal" | "internal";
const all = Object.entries(held).flatMap(
  ([on, names]) =>
  Object.entries(names).map(([name, [dataClass, marker]]) => ({ on: on as keyof typeof held, name, dataClass: dataClass as Class, marker })), // prettier-ignore
);
const roles = ["viewer", "auditor", "analyst", "marketer", "steward", "admin"] as const;
/** Written down by hand: who may know what. */
const knows: Readonly<Record<Class, readonly Role[]>> = {
  internal: roles,
  personal: ["analyst", "marketer", "steward", "admin"],
  restricted: ["steward", "admin"],
};

const range = { last: 7, unit: "day" } as const;
const keys = new Map<Role, string>();
let person = "";
let cohort = "";

const asked = async (role: Role, operation: string, input: unknown): Promise<{ status: number; text: string }> => {
  const stop = new AbortController();
  const response = await fetch(`${world.url}/api/${operation}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${keys.get(role)}` },
    body: JSON.stringify(input),
    signal: stop.signal,
  });
  if (operation !== "sources.watch") return { status: response.status, text: await response.text() };
  stop.abort(); // has no end
  return { status: response.status, text: "" };
};

beforeAll(async () => {
  const document = `apiVersion: v3.1.0
kind: DataContract
id: worked
version: 1.0.0
status: active
schema:
  - name: Worked
    properties:
      - { name: pay, logicalType: string, classification: restricted }
      - { name: hobby, logicalType: string, classification: personal }
      - name: deep
        logicalType: object
        properties: [{ name: code, logicalType: string, classification: restricted }]
`;
  await world.ask("contracts.save", { document });
  for (const { on, name, dataClass } of all)
    if (on !== "event") await world.ask("stewardship.classify", { kind: kindOf[on], id: name, class: dataClass });
  const valuesOf = (on: keyof typeof held) => Object.fromEntries(Object.entries(held[on]).map(([name, [, marker]]) => [name, marker])); // prettier-ignore
  const { "deep.code": code, ...properties } = valuesOf("event");
  const source = await world.system.registry.byKey((await world.source("api")).writeKey);
  const event = { name: "Worked", userId: "ana", account: "acme", at: Date.now() - 3_600_000, properties: { ...properties, deep: { code } } }; // prettier-ignore
  await world.system.ingest.accept(source, [
    { ...event, messageId: "1", personTraits: [{ op: "set", traits: valuesOf("person") }], accountTraits: [{ op: "set", traits: valuesOf("account") }] }, // prettier-ignore
    { ...event, messageId: "2" },
  ]);
  await world.settled();
  const { people } = await world.ask<{ people: { id: string }[] }>("people.list", {});
  person = people[0]!.id;
  const definition = { kind: "rule", rule: { type: "did", match: { event: "Worked" }, within: { value: 30, unit: "day" } } }; // prettier-ignore
  cohort = (await world.ask<{ id: string }>("cohorts.create", { name: "C", unit: "people", definition })).id;
  for (const role of roles)
    keys.set(role, (await world.ask<{ key: string }>("workspaces.createKey", { name: role, role })).key);
});

type Asked = (typeof all)[number];
const filterOf = ({ on, name, marker }: Asked) => ({
  property: name,
  on,
  op: "contains",
  values: [marker.slice(0, 5)],
});
const step = { event: "Worked" };

/** Questions that would tell something of one property or trait, by its operation. */
const about: Readonly<Record<string, (one: Asked) => readonly unknown[]>> = {
  "trends.ask": (one) => [
    { range, series: [step], filters: [filterOf(one)] },
    { range, series: [{ ...step, filters: [filterOf(one)] }] },
    ...(one.on === "event" ? [{ range, series: [{ ...step, measure: "max", property: one.name }] }] : []),
    ...(one.on === "account" ? [] : [{ range, series: [step], breakdown: { property: one.name, on: one.on } }]),
    ...(one.on === "person" ? [{ range, series: [step], filters: [{ ...filterOf(one), on: "person_then" }] }] : []),
  ],
  "trends.who": (one) => [{ question: { range, series: [step], filters: [filterOf(one)] }, series: 0 }],
  "funnels.ask": (one) => [
    { range, steps: [step, step], filters: [filterOf(one)] },
    ...(one.on === "account" ? [] : [{ range, steps: [step, step], breakdown: { property: one.name, on: one.on } }]),
    ...(one.on === "event" ? [{ range, steps: [step, step], hold: [one.name] }] : []),
  ],
  "retention.ask": (one) => [{ range, start: { ...step, filters: [filterOf(one)] }, returning: step }],
  "lifecycle.ask": (one) => [{ range, activity: { ...step, filters: [filterOf(one)] } }],
  "stickiness.ask": (one) => [{ range, activity: { ...step, filters: [filterOf(one)] } }],
  "sessions.ask": (one) => [{ range, activity: { ...step, filters: [filterOf(one)] } }],
  "journeys.ask": (one) => (one.on === "event" ? [{ range, property: one.name }] : [{ range, filters: [filterOf(one)] }]),
  "cohorts.preview": (one) => [
    { unit: "people", definition: { kind: "rule", rule: { type: "did", match: { ...step, filters: [filterOf(one)] }, within: { value: 30, unit: "day" } } } }, // prettier-ignore
  ],
  "catalog.values": ({ on, name }) => [{ property: name, on }],
}; // prettier-ignore

/** What shows values as they are, with inputs that reach them. */
const shows: Readonly<Record<string, () => readonly unknown[]>> = {
  "people.profile": () => [{ id: person }],
  "accounts.profile": () => [{ id: "acme" }],
  "accounts.list": () => [{ search: "acme" }],
  "exports.events": () => (["ndjson", "csv", "parquet"] as const).map((format) => ({ format })),
  "exports.people": () => [{}, { format: "csv" }],
  "sql.ask": () => [
    { query: "SELECT * FROM events" },
    { query: "SELECT properties.pay, properties.deep.code::String, properties.hobby FROM events" },
    { query: "SELECT * FROM people" },
    { query: "SELECT * FROM accounts" },
  ],
  "contracts.learn": () => [{ event: "Worked", days: 7 }],
  "erasure.access": () => [{ identifier: "ana" }],
  "cohorts.get": () => [{ id: cohort }],
  "cohorts.why": () => [{ id: cohort, unit: person }],
};

describe.each(roles)("what a %s finds", (role) => {
  const hidden = all.filter(({ dataClass }) => !knows[dataClass].includes(role));

  it("in the answers of all operations is nothing of a class that is hidden from them", async () => {
    for (const { operation } of world.system.modules.flatMap((module) => module.operations ?? [])) {
      const { name, permission } = operation;
      if (["public", "member"].includes(permission) || !allows(role, permission)) continue;
      if (/^workspaces\.(remove|revoke|change|set|add|create)|\.remove$|erasure\.erase/.test(name)) continue;
      for (const input of shows[name]?.() ?? [{}]) {
        const { text } = await asked(role, name, input);
        for (const { marker } of hidden) expect(text.includes(marker), `${name} ${JSON.stringify(input)}`).toBe(false);
      }
    }
  });

  it("from the command line is the same", async () => {
    const remote = { url: world.url, key: keys.get(role)! };
    const said: string[] = [];
    for (const name of ["people.profile", "accounts.profile", "sql.ask"])
      for (const input of shows[name]?.() ?? []) {
        const answer = await askRemote(remote, name, JSON.stringify(input)).catch((error: unknown) => String(error));
        said.push(JSON.stringify(answer));
      }
    const folder = mkdtempSync(join(tmpdir(), "throughline-cli-"));
    for (const what of ["events", "people"]) {
      const file = join(folder, what);
      const wrote = await exportTo(remote, what, { format: "ndjson" }, file).then(() => true, () => false); // prettier-ignore
      expect(wrote).toBe(allows(role, "edit"));
      if (wrote) said.push(readFileSync(file, "utf8"));
    }
    rmSync(folder, { recursive: true });
    for (const { marker } of hidden) expect(said.join("\n").includes(marker), marker).toBe(false);
    const shown = all.filter((one) => one.on === "person" && !hidden.includes(one));
    for (const { marker } of shown) expect(said.join("\n").includes(marker), marker).toBe(true);
  });

  it("by asking is refused where it would tell, and answered where it does not", async () => {
    for (const [operation, inputs] of Object.entries(about)) {
      for (const one of all) {
        for (const input of inputs(one)) {
          const { status, text } = await asked(role, operation, input);
          const where = `${operation} ${JSON.stringify(input)}: ${status} ${text.slice(0, 200)}`;
          if (!hidden.includes(one)) expect(status, where).toBe(200);
          else expect([status, text.includes("access.hidden"), text.includes(one.marker)], where).toEqual([403, true, false]); // prettier-ignore
        }
      }
    }
  });

  it("of what they may know is there", async () => {
    const profile = await asked(role, "people.profile", { id: person });
    const account = await asked(role, "accounts.profile", { id: "acme" });
    const { text: rows } = await asked(role, "sql.ask", { query: "SELECT e.properties, p.traits, a.traits FROM events AS e, people AS p, accounts AS a" }); // prettier-ignore
    for (const { on, dataClass, marker } of all.filter((one) => !hidden.includes(one))) {
      const shown = on === "account" ? account.text : profile.text;
      expect(shown.includes(marker), `${marker} (${dataClass}) to a ${role}`).toBe(true);
      expect(rows.includes(marker), `${marker} in SQL to a ${role}`).toBe(true);
    }
  });
});

describe("a class", () => {
  it("of personal values shows a token instead, the same for the same value", async () => {
    const { text } = await asked("viewer", "people.profile", { id: person });
    const { traits, events } = JSON.parse(text) as { traits: { trait: string; value: string }[]; events: { properties: string }[] }; // prettier-ignore
    expect(traits.find(({ trait }) => trait === "motto")?.value).toMatch(/^tok_[0-9a-f]{20}$/);
    expect(traits.some(({ trait }) => trait === "iban")).toBe(false);
    const tokens = events.map(({ properties }) => (JSON.parse(properties) as { hobby: string }).hobby);
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(/^tok_/);
    expect(JSON.parse(events[0]!.properties)).not.toHaveProperty("pay");
  });

  it("is a steward's to change, at once and for everybody; the contract counts again when it is taken back", async () => {
    const question = { range, series: [step], breakdown: { property: "hobby" } };
    const status = async () => (await asked("viewer", "trends.ask", question)).status;
    expect(await status()).toBe(403);
    await world.ask("stewardship.classify", { kind: "property", id: "hobby", class: "internal", note: "Asked in public." }); // prettier-ignore
    expect(await status()).toBe(200);
    const item = await world.ask<{ class: string; said: { by: string; note: string; isSteward: boolean }[] }>("stewardship.item", { kind: "property", id: "hobby" }); // prettier-ignore
    expect(item.class).toBe("internal");
    expect(item.said).toEqual([
      expect.objectContaining({ by: "Ana", note: "Asked in public.", isSteward: true }),
      expect.objectContaining({ by: "the contract worked", class: "personal", isSteward: false }),
    ]);
    await world.ask("stewardship.classify", { kind: "property", id: "hobby", class: null });
    expect(await status()).toBe(403);
    await world.ask("contracts.setStatus", { id: "worked", version: "1.0.0", status: "retired" });
    expect(await status()).toBe(200);
    await world.ask("contracts.setStatus", { id: "worked", version: "1.0.0", status: "active" });
    expect(await status()).toBe(403);
  });
});
