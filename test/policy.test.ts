import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { failedTests, noAttributes, noPolicy, Policy, sightOf, type Asker } from "#kernel/policy.ts";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { useWorld } from "#test/world.ts";

const asker = (role: Asker["role"], more: Partial<Asker> = {}): Asker => ({ role, ...noAttributes, ...more });
const policyOf = (rules: unknown[], more: object = {}) => Policy.parse({ kind: "AccessPolicy", version: "1.0.0", rules, ...more }); // prettier-ignore

describe("a policy", () => {
  it("is decided by the first rule that fits, and by the role where none does", () => {
    const policy = policyOf([
      { names: ["event:pay"], who: { roles: ["steward"], regions: ["EU"] }, see: "nothing" },
      { classes: ["restricted"], who: { roles: ["analyst"], teams: ["finance"], purposes: ["billing", "audit"] }, see: "clear" },
      { classes: ["restricted"], who: { roles: ["analyst"] }, see: "aggregate" },
      { names: ["person:address"], see: "token" },
    ]); // prettier-ignore
    expect(sightOf(policy, asker("steward"), "restricted", "event:pay")).toBe("clear");
    expect(sightOf(policy, asker("steward", { region: "EU" }), "restricted", "event:pay")).toBe("nothing");
    expect(sightOf(policy, asker("steward", { region: "EU" }), "restricted", "event:pay.base")).toBe("nothing");
    expect(sightOf(policy, asker("steward", { region: "EU" }), "restricted", "person:pay")).toBe("clear");
    expect(sightOf(policy, asker("analyst", { teams: ["finance"], purposes: ["audit"] }), "restricted")).toBe("clear");
    // all that a rule says must hold
    expect(sightOf(policy, asker("analyst", { teams: ["finance"] }), "restricted")).toBe("aggregate");
    expect(sightOf(policy, asker("viewer", { teams: ["finance"], purposes: ["audit"] }), "restricted")).toBe("nothing");
    expect(sightOf(policy, asker("owner"), "internal", "person:address.street")).toBe("token");
    expect(sightOf(noPolicy, asker("viewer"), "personal")).toBe("token");
    expect(sightOf(noPolicy, asker("auditor"), "restricted")).toBe("nothing");
  });

  it("is refused where a rule could not be kept, and tells which of its tests fail", () => {
    const refused = (rules: unknown[]) => Policy.safeParse({ kind: "AccessPolicy", version: "1.0.0", rules }).success;
    expect(refused([{ classes: ["internal"], see: "token" }])).toBe(false);
    expect(refused([{ see: "nothing" }])).toBe(false);
    expect(refused([{ names: ["plan"], see: "nothing" }])).toBe(false);
    expect(refused([{ names: ["event:plan"], see: "nothing" }])).toBe(true);
    const tests = [
      { who: { role: "analyst" }, class: "restricted", see: "nothing" },
      { who: { role: "viewer", teams: ["support"] }, class: "personal", see: "clear" },
    ];
    const rules = [{ classes: ["restricted"], who: { roles: ["analyst"] }, see: "aggregate" }];
    expect(failedTests(policyOf(rules, { tests }))).toEqual([
      "Test 1: analyst sees restricted aggregate, where nothing is wanted.",
      "Test 2: viewer sees personal token, where clear is wanted.",
    ]);
  });
});

const world = useWorld();
const range = { last: 7, unit: "day" } as const;
const keys: Record<string, string> = {};

const asked = async (who: string, operation: string, input: unknown) => {
  const response = await fetch(`${world.url}/api/${operation}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${keys[who]}` },
    body: JSON.stringify(input),
  });
  return {
    status: response.status,
    body: (await response.json()) as { error?: { code: string } } & Record<string, unknown>,
  };
};

const written = (version: string, more = "") => `kind: AccessPolicy
version: ${version}
k: 10
rules:
  - { classes: [personal], who: { roles: [viewer], teams: [support] }, see: clear }
  - { names: ["event:pay"], who: { roles: [analyst] }, see: aggregate }
  - { names: ["event:city"], who: { roles: [analyst], purposes: [study] }, see: aggregate }
tests:
  - { who: { role: viewer, teams: [support] }, class: personal, see: clear }
  - { who: { role: analyst }, class: restricted, name: "event:pay", see: aggregate }
${more}`;

/** Day 1 has 12 people, day 2 has 9; 12 live in Oslo, 9 in Bonn. */
beforeAll(async () => {
  const source = await world.system.registry.byKey((await world.source("api")).writeKey);
  const day = 86_400_000;
  const event = (n: number, ago: number, city: string) => ({ name: "Paid", userId: `u${ago}-${n}`, messageId: `${ago}-${n}`, at: Date.now() - ago * day, properties: { pay: 100 + n, city, plan: n % 2 === 0 ? "a" : "b", hobby: `h${n}` } }); // prettier-ignore
  await world.system.ingest.accept(source, [
    ...Array.from({ length: 12 }, (_, n) => event(n, 1, "Oslo")),
    ...Array.from({ length: 9 }, (_, n) => event(n, 2, "Bonn")),
    // whose pay is no number counts for nothing
    { name: "Paid", userId: "odd", messageId: "odd", at: Date.now() - 2 * day, properties: { pay: "much", city: "Bonn", plan: "a" } }, // prettier-ignore
  ]);
  await world.settled();
  for (const [name, dataClass] of [
    ["pay", "restricted"],
    ["city", "restricted"],
    ["hobby", "personal"],
  ])
    // prettier-ignore
    await world.ask("stewardship.classify", { kind: "property", id: name, class: dataClass });
  const roles = { viewer: "viewer", support: "viewer", analyst: "analyst", study: "analyst" };
  for (const [name, role] of Object.entries(roles)) {
    const { id, key } = await world.ask<{ id: string; key: string }>("workspaces.createKey", { name, role });
    keys[name] = key;
    if (name === "support") await world.ask("workspaces.setAttributes", { id, attributes: { teams: ["support"] } });
    if (name === "study") await world.ask("workspaces.setAttributes", { id, attributes: { purposes: ["study"] } });
  }
});

const series = [{ event: "Paid", measure: "sum", property: "pay" }];
const total = { range, series, display: "total" };

describe("who sees what in a workspace", () => {
  it("is the role's until a policy is written; one whose tests fail, or whose version is not raised, is refused", async () => {
    expect((await asked("analyst", "trends.ask", { range, series })).body.error?.code).toBe("access.hidden");
    expect((await asked("support", "catalog.values", { property: "hobby" })).status).toBe(403);
    const wrong = written("1.0.0", `  - { who: { role: viewer }, class: personal, see: clear }`);
    await expect(world.ask("policy.set", { text: wrong })).rejects.toThrow(/1 of 3 tests fail/);
    expect(await world.ask("policy.check", { text: wrong })).toMatchObject({ tests: 3, failed: [expect.stringContaining("Test 3")], changes: [] }); // prettier-ignore
    expect((await asked("analyst", "policy.set", { text: written("1.0.0") })).status).toBe(403);
    expect(await world.ask("policy.set", { text: written("1.0.0") })).toEqual({ version: "1.0.0" });
    await expect(world.ask("policy.set", { text: written("1.0.0") })).rejects.toThrow(/Raise the version/);
    expect(await world.ask("policy.sees", { role: "analyst" })).toMatchObject({
      names: [{ name: "event:city", see: "nothing" }, { name: "event:hobby", see: "clear" }, { name: "event:pay", see: "aggregate" }],
    }); // prettier-ignore
  });

  it("follows from what members and keys are of", async () => {
    expect((await asked("support", "catalog.values", { property: "hobby" })).status).toBe(200);
    expect((await asked("viewer", "catalog.values", { property: "hobby" })).status).toBe(403);
    expect((await asked("support", "catalog.values", { property: "pay" })).status).toBe(403);
  });

  it("may be numbers over enough people alone, and nothing else of the same values", async () => {
    const one = await asked("analyst", "trends.ask", { range, series });
    const { lines, provenance } = one.body as unknown as TrendsResult;
    // 12 people on one day, 9 on the other: that day is not told; both together are enough
    expect(lines[0]?.values.filter((value) => value !== 0)).toEqual([null, 1266]);
    expect(lines[0]?.total).toBe(1266 + 936);
    expect(provenance.definition).toContain("at least 10 people");
    const byPlan = (await asked("analyst", "trends.ask", { ...total, breakdown: { property: "plan" } })).body as unknown as TrendsResult; // prettier-ignore
    expect(byPlan.lines.map(({ group, total: sum }) => [group, sum])).toEqual([["a", expect.any(Number)], ["b", expect.any(Number)]]); // prettier-ignore
    // one plan of one city is too few people
    const few = { ...total, range: { last: 2, unit: "day" }, series: [{ ...series[0], filters: [{ property: "plan", values: ["b"] }] }] }; // prettier-ignore
    expect(((await asked("analyst", "trends.ask", few)).body as unknown as TrendsResult).lines[0]).toMatchObject({ total: null, values: [null] }); // prettier-ignore
    const city = { range, series: [{ event: "Paid" }], display: "total", breakdown: { property: "city" } };
    expect((await asked("analyst", "trends.ask", city)).status).toBe(403);
    const studied = (await asked("study", "trends.ask", city)).body as unknown as TrendsResult;
    // with the one whose pay is no number Bonn has ten
    expect(studied.lines.map(({ group, total: count }) => [group, count])).toEqual([["Oslo", 12], ["Bonn", 10]]); // prettier-ignore
    const paid = (await asked("study", "trends.ask", { ...city, series })).body as unknown as TrendsResult;
    expect(paid.lines.map(({ group }) => group)).toEqual(["Oslo"]);
    expect(JSON.stringify(paid)).not.toContain("Bonn");

    const refused: readonly [string, unknown][] = [
      ["trends.ask", { range, series: [{ ...series[0], measure: "max" }] }],
      ["trends.ask", { range, series: [{ ...series[0], measure: "median" }] }],
      ["trends.ask", { range, series, filters: [{ property: "pay", op: "gt", values: [105] }] }],
      ["trends.ask", { range, series: [{ ...series[0], filters: [{ property: "city", values: ["Oslo"] }] }] }],
      ["trends.ask", { range, series, filters: [{ on: "id", values: ["u1-1"] }] }],
      ["trends.ask", { range, series, formulas: ["A*1"] }],
      ["trends.ask", { range, series, cumulative: true }],
      ["trends.ask", { range, series: [{ event: "Paid" }], filters: [{ property: "pay", op: "gt", values: [105] }] }],
      ["trends.who", { question: { range, series } }],
      ["catalog.values", { property: "pay" }],
      ["funnels.ask", { range, steps: [{ event: "Paid" }, { event: "Paid" }], breakdown: { property: "pay" } }],
    ];
    for (const [operation, input] of refused)
      expect((await asked("analyst", operation, input)).status, `${operation} ${JSON.stringify(input)}`).toBe(403);
    const rows = await asked("analyst", "sql.ask", { query: "SELECT properties FROM events" });
    expect(JSON.stringify(rows.body)).not.toMatch(/"pay|Oslo/);
    // the times beside them may hold any digits
    const { rows: shown } = z.object({ rows: z.array(z.unknown()).min(1) }).parse(rows.body);
    expect(JSON.stringify(shown)).not.toMatch(/pay|111/);
  });

  it("can be asked to prove themselves by a second factor, and lock nobody out who asks for it", async () => {
    const workspace = await world.newWorkspace();
    await expect(world.ask("workspaces.change", { demandsSecondFactor: true }, workspace)).rejects.toThrow(/Set up your own second factor/); // prettier-ignore
    await world.system.store.updateTable("workspaces").set({ demands_second_factor: 1 }).where("id", "=", workspace).execute(); // prettier-ignore
    world.system.directory.changed(workspace);
    await expect(world.ask("catalog.events", {}, workspace)).rejects.toThrow(/asks for a second factor/);
    const member = await world.system.store.selectFrom("members").select("id").executeTakeFirstOrThrow();
    // who comes by single sign-on has been vouched for
    const principal = await world.system.access.fromSession(await world.system.access.sessionFor(member.id));
    expect(await world.system.dispatch({ operation: "catalog.events", input: {}, principal, workspace })).toBeTruthy();
  });
});
