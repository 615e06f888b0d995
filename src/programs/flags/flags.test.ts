import { describe, expect, it } from "vitest";
import { operators } from "#insights/common/frame.ts";
import { textCondition } from "#insights/common/conditions.ts";
import { bind, sql } from "#kernel/sql.ts";
import { useWorld } from "#test/world.ts";
import { z } from "zod";
import { bucketer } from "#sdk/bucketing.ts";
import { textTest } from "#sdk/conditions.ts";
import { Condition, Flag, hashings, type Split } from "./document.ts";
import { staleness } from "./stale.ts";
import type { Context } from "#sdk/evaluate.ts";
import { expressions } from "#sdk/expressions.ts";
import { bookOf } from "./book.ts";

const world = useWorld();

const who = (key: string | undefined, attributes: Record<string, unknown> = {}): Context => ({ key, attributes, isIn: (cohort) => cohort === "c1" }); // prettier-ignore
const onOff = (setting: object, key = "new-checkout"): Flag =>
  Flag.parse({ key, type: "boolean", variations: [{ name: "on", value: true }, { name: "off", value: false }], environments: { production: { isOn: true, off: "off", otherwise: "off", ...setting } } }); // prettier-ignore
const decided = (flag: Flag | readonly Flag[], context: Context, now = 0) => {
  const all = [flag].flat() as Flag[];
  return bookOf(all, "production").evaluate(all[0]!.key, context, now);
};
const split = (given: Partial<Split>) => ({ split: { parts: [{ variation: "on", weight: 1 }, { variation: "off", weight: 1 }], ...given } }); // prettier-ignore

describe("a flag", () => {
  it("is decided by the first rule that fits, and says why", () => {
    const flag = onOff({
      rules: [
        { when: [{ on: "id", values: ["ana"] }], serve: { variation: "on" } },
        { when: [{ property: "plan", values: ["pro"] }, { property: "company.size", op: "gte", values: [10] }], serve: { variation: "on" } }, // prettier-ignore
        {
          when: [
            { on: "cohort", values: ["c1"] },
            { property: "beta", values: [true] },
          ],
          serve: { variation: "on" },
        },
      ],
    });
    expect(decided(flag, who("ana"))).toMatchObject({ value: true, variant: "on", reason: "TARGETING_MATCH", rule: 0 });
    expect(decided(flag, who("bo", { plan: "pro", company: { size: 12 } }))).toMatchObject({ value: true, rule: 1 });
    expect(decided(flag, who("bo", { plan: "pro", company: { size: 9 } }))).toMatchObject({ value: false, reason: "DEFAULT" }); // prettier-ignore
    expect(decided(flag, who(undefined, { beta: true }))).toMatchObject({ value: true, rule: 2 });
    expect(decided(onOff({ isOn: false }), who("ana"))).toMatchObject({ value: false, variant: "off", reason: "DISABLED" }); // prettier-ignore
    expect(decided(onOff({ isOn: false, off: null }), who("ana"))).toMatchObject({ value: undefined, variant: undefined, reason: "DISABLED" }); // prettier-ignore
    expect(decided(onOff({}), who(undefined))).toMatchObject({ value: false, reason: "STATIC" });
    expect(bookOf([flag], "staging").evaluate("new-checkout", who("ana"), 0)).toMatchObject({ reason: "DISABLED", value: undefined }); // prettier-ignore
    // what objects inherit is no attribute of theirs
    expect(decided(onOff({ rules: [{ when: [{ property: "constructor.name", op: "is_set" }], serve: { variation: "on" } }] }), who("ana"))).toMatchObject({ value: false }); // prettier-ignore
  });

  it("holds for a time, after its prerequisites, and in its part of a layer", () => {
    const timed = onOff({ rules: [{ from: "2026-01-01T00:00:00Z", until: "2026-01-02T00:00:00Z", serve: { variation: "on" } }] }); // prettier-ignore
    const at = (text: string) => decided(timed, who("ana"), Date.parse(text));
    expect([at("2025-12-31T23:59:59Z"), at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z")]).toMatchObject([{ value: false }, { value: true, reason: "TARGETING_MATCH" }, { value: false }]); // prettier-ignore

    const needing = onOff({ prerequisites: [{ flag: "payments", variations: ["on"] }], otherwise: "on" });
    const payments = (setting: object) => onOff(setting, "payments");
    expect(decided([needing, payments({ otherwise: "on" })], who("ana"))).toMatchObject({ value: true });
    expect(decided([needing, payments({ otherwise: "off" })], who("ana"))).toMatchObject({ value: false, reason: "DISABLED" }); // prettier-ignore
    // one that is off is not met, whatever it serves while off
    expect(decided([needing, payments({ isOn: false, off: "on" })], who("ana"))).toMatchObject({ value: false });
    expect(decided(needing, who("ana"))).toMatchObject({ value: false });

    const half = (key: string, from: number, to: number) => onOff({ rules: [{ layer: { name: "checkout", from, to }, serve: { variation: "on" } }] }, key); // prettier-ignore
    const [first, second] = [half("first", 0, 0.5), half("second", 0.5, 1)];
    const ins = Array.from({ length: 2_000 }, (_, n) => [first, second].map((flag) => (decided(flag, who(`u${n}`)) as { value: boolean }).value)); // prettier-ignore
    expect(ins.every(([a, b]) => a !== b)).toBe(true);
    expect(ins.filter(([a]) => a).length).toBeGreaterThan(900);
  });

  it("splits by its weights, moves nobody as it grows, and says when it cannot be said of nobody", async () => {
    const shares = (hashing: (typeof hashings)[number], coverage: number) => {
      const bucket = bucketer({ hashing, seed: "seed", salt: "traffic", coverage, weights: [1, 0, 3] });
      return Array.from({ length: 20_000 }, (_, n) => bucket(`user-${n * 7919}`));
    };
    for (const hashing of hashings) {
      const [whole, half, quarter] = [shares(hashing, 1), shares(hashing, 0.5), shares(hashing, 0.25)];
      const count = (all: readonly number[], part: number) => all.filter((one) => one === part).length / all.length;
      expect([hashing, count(whole, -1), count(whole, 1)]).toEqual([hashing, 0, 0]);
      expect(Math.abs(count(whole, 0) - 0.25), hashing).toBeLessThan(0.02);
      expect(Math.abs(count(half, -1) - 0.5), hashing).toBeLessThan(0.02);
      expect(Math.abs(count(half, 0) - 0.125), hashing).toBeLessThan(0.02);
      expect(half.every((part, at) => part === -1 || part === whole[at]), hashing).toBe(true); // prettier-ignore
      expect(quarter.every((part, at) => part === -1 || part === half[at]), hashing).toBe(true); // prettier-ignore
      expect(shares(hashing, 0).every((part) => part === -1), hashing).toBe(true); // prettier-ignore
    }
    // a ramp grows by time, and keeps who is in
    const ramped = onOff({
      rules: [
        {
          serve: split({
            coverage: 0.1,
            parts: [{ variation: "on", weight: 1 }],
            ramp: [
              { at: "2026-01-02T00:00:00Z", coverage: 0.5 },
              { at: "2026-01-03T00:00:00Z", coverage: 1 },
            ],
          }),
        },
      ],
    });
    const inside = (moment: string) =>
      Array.from(
        { length: 2_000 },
        (_, n) => (decided(ramped, who(`u${n}`), Date.parse(moment)) as { value: boolean }).value,
      );
    const grown = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"].map(inside);
    expect(grown.map((all) => Math.round(all.filter(Boolean).length / 200))).toEqual([1, 5, 10]);
    expect(grown[0]!.every((isIn, n) => !isIn || grown[1]![n])).toBe(true);
    await expect(
      world.ask("flags.save", {
        flag: onOff(
          {
            rules: [
              {
                serve: split({
                  ramp: [
                    { at: "2026-01-02T00:00:00Z", coverage: 1 },
                    { at: "2026-01-01T00:00:00Z", coverage: 0.5 },
                  ],
                }),
              },
            ],
          },
          "ramp",
        ),
        version: 0,
      }),
    ).rejects.toThrow(/not in order/);
    const flag = onOff({ rules: [{ serve: split({}) }] });
    expect(decided(flag, who(undefined))).toMatchObject({ error: "TARGETING_KEY_MISSING" });
    expect(decided(flag, who("ana"))).toMatchObject({ reason: "SPLIT" });
    // by another attribute: all of an account get the same, who has none goes on
    const accounts = onOff({ rules: [{ serve: split({ by: "account" }) }] });
    expect(decided(accounts, who("ana", {}))).toMatchObject({ reason: "DEFAULT" });
    const values = ["ana", "bo", "cy"].map((key) => (decided(accounts, who(key, { account: "acme" })) as { value: boolean }).value); // prettier-ignore
    expect(new Set(values).size).toBe(1);
  });

  it("could leave the code once everybody gets the same, or nobody anything", () => {
    const day = 86_400_000;
    const after = (setting: object, days: number) => staleness(onOff(setting), 0, days * day);
    expect(after({ otherwise: "on" }, 29)).toBe("");
    expect(after({ otherwise: "on" }, 30)).toBe("For 30 days everybody gets the same: on.");
    expect(after({ isOn: false }, 89)).toBe("");
    expect(after({ isOn: false }, 90)).toBe("Off everywhere for 90 days.");
    const rule = (given: object) => ({ rules: [{ serve: { variation: "on" }, ...given }] });
    expect(after(rule({}), 40)).toMatch(/same: on/);
    expect(after(rule({ when: [{ property: "plan", values: ["pro"] }] }), 40)).toBe("");
    expect(after({ ...rule({ when: [{ property: "plan", values: ["pro"] }] }), otherwise: "on" }, 40)).toMatch(/same: on/); // prettier-ignore
    expect(after(rule({ until: "2030-01-01T00:00:00Z" }), 40)).toBe("");
    expect(after(rule({ serve: split({}) }), 40)).toBe("");
    expect(after(rule({ serve: { split: { parts: [{ variation: "on", weight: 1 }, { variation: "off", weight: 0 }] } } }), 40)).toMatch(/same: on/); // prettier-ignore
    expect(after(rule({ serve: { split: { parts: [{ variation: "on", weight: 1 }], coverage: 0.9 } } }), 40)).toBe("");
  });

  it("decides conditions as the engine does in questions", async () => {
    const texts = ["", "pro", "Pro plan", "free", "10", "9.5", "-3", "1e3", "0", "1.2.0", "1.2.0-rc.1", "v1.10", "2.0", "2026-03-01", "2026-03-01T12:00:00Z", "2026-03-01 12:00:00", "2026-03-02T00:30:00+01:00", "ünï", "line\nbreak", "true"]; // prettier-ignore
    const values: Partial<Record<(typeof operators)[number], string[][]>> = {
      matches: [["^pro"], ["(?i)PLAN$"], ["line.break"], ["\\d+"], ["ï"]],
      contains: [["PRO"], ["1", "ï"], ["Ü"]],
      eq: [["pro", "10"], [""], ["true"]],
      gt: [["9"], ["-5"], ["1e2"]],
      before: [["2026-03-02"], ["2026-03-01T12:00:00Z"], ["2026-03-01 12:00"], ["2026-03-01T13:00+01:00"]],
      version_lt: [["1.2.0"], ["v2"], ["1.10.0"]],
      is_set: [[]],
    };
    const of: Partial<Record<(typeof operators)[number], keyof typeof values>> = { not_matches: "matches", not_contains: "contains", neq: "eq", gte: "gt", lt: "gt", lte: "gt", after: "before", version_lte: "version_lt", version_gt: "version_lt", version_gte: "version_lt", is_not_set: "is_set" }; // prettier-ignore
    const { engine } = (await world.system.directory.find(world.workspace))!;
    let compared = 0;
    for (const op of operators)
      for (const given of values[of[op] ?? op] ?? []) {
        const condition = Condition.parse({ property: "x", op, values: given });
        const rows = await engine.rows(sql`SELECT text, toBool(${textCondition(sql`text`, condition)}) AS holds FROM (SELECT arrayJoin(${bind.strings(texts)}) AS text)`, z.object({ text: z.string(), holds: z.boolean() })); // prettier-ignore
        const own = rows.map(({ text }) => ({ text, holds: textTest(condition, expressions)(text) }));
        expect({ op, given, rows: own }).toEqual({ op, given, rows });
        compared += rows.length;
      }
    expect(compared).toBeGreaterThan(900);
  });

  it("is for people of a cohort by any of their ids, and for accounts", async () => {
    const source = await world.system.registry.byKey((await world.source()).writeKey);
    await world.system.ingest.accept(source, [
      { name: "Paid", anonymousId: "visitor", userId: "ana", messageId: "1", at: Date.now() },
      { name: "Paid", userId: "bo", messageId: "2", at: Date.now(), account: "acme" },
      { name: "Seen", userId: "cy", messageId: "3", at: Date.now() },
    ]);
    await world.settled();
    const definition = { kind: "rule", rule: { type: "did", match: { event: "Paid" } } };
    const make = async (unit: string) => (await world.ask<{ id: string }>("cohorts.create", { name: `Payers, ${unit}`, unit, definition })).id; // prettier-ignore
    const [people, accounts] = [await make("people"), await make("accounts")];
    const flagOf = (cohort: string, key: string) => onOff({ rules: [{ when: [{ on: "cohort", values: [cohort] }], serve: { variation: "on" } }] }, key); // prettier-ignore
    await world.ask("flags.save", { flag: flagOf(people, "payers"), version: 0 });
    await world.ask("flags.save", { flag: flagOf(accounts, "paying-accounts"), version: 0 });
    await expect(world.ask("flags.save", { flag: flagOf("c9", "unknown"), version: 0 })).rejects.toThrow(/no cohort c9/); // prettier-ignore
    const values = async (key: string, given: object) => (await world.ask<{ flags: { value: boolean }[] }>("flags.tryOut", { environment: "production", keys: [key], ...given })).flags[0]!.value; // prettier-ignore
    const ids = ["ana", "visitor", "bo", "cy", "nobody"];
    expect(await Promise.all(ids.map((targetingKey) => values("payers", { targetingKey })))).toEqual([true, true, true, false, false]); // prettier-ignore
    expect(await Promise.all(["acme", "other"].map((account) => values("paying-accounts", { attributes: { account } })))).toEqual([true, false]); // prettier-ignore
    // what hangs on a cohort is told before it goes
    const { edges } = await world.ask<{ edges: object[] }>("stewardship.item", { kind: "cohort", id: people });
    expect(edges).toContainEqual({ from: `cohort ${people}`, to: "flag payers" });
  }, 60_000);

  it("is written by one at a time, keeps what was changed, and cannot lead back to itself", async () => {
    const workspace = await world.newWorkspace();
    const ask = <T>(operation: string, input: object) => world.ask<T>(operation, input, workspace);
    const flag = onOff({}, "a");
    await ask("flags.save", { flag, version: 0, note: "new" });
    await expect(ask("flags.save", { flag, version: 0 })).rejects.toThrow(/in the meantime/);
    const both = await Promise.allSettled([1, 2].map((n) => ask("flags.save", { flag: { ...flag, description: `by ${n}` }, version: 1 }))); // prettier-ignore
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    await ask("flags.turn", { key: "a", environment: "production", isOn: false, note: "stop" });
    const { history, version } = await ask<{ history: { changes: string[]; note: string; by: string }[]; version: number }>("flags.get", { key: "a" }); // prettier-ignore
    expect(version).toBe(3);
    expect(history).toMatchObject([{ changes: ["production: switched off"], note: "stop", by: "Ana" }, { changes: [expect.stringMatching(/^description/)] }, { changes: ["created"], note: "new" }]); // prettier-ignore

    const needs = (key: string, other: string) => onOff({ prerequisites: [{ flag: other, variations: ["on"] }] }, key);
    await expect(ask("flags.save", { flag: needs("b", "nowhere"), version: 0 })).rejects.toThrow(/no flag nowhere/);
    await ask("flags.save", { flag: needs("b", "a"), version: 0 });
    await expect(ask("flags.save", { flag: needs("a", "b"), version: 3 })).rejects.toThrow(/lead back/);
    await expect(ask("flags.archive", { key: "a", isArchived: true })).rejects.toThrow(/prerequisite of b/);
    await ask("flags.archive", { key: "b", isArchived: true });
    expect(await ask("flags.list", {})).toMatchObject({ flags: [{ key: "a" }] });
    const layered = (key: string, from: number, to: number) => onOff({ rules: [{ layer: { name: "l", from, to }, serve: { variation: "on" } }] }, key); // prettier-ignore
    await ask("flags.save", { flag: layered("c", 0, 0.5), version: 0 });
    await expect(ask("flags.save", { flag: layered("d", 0.4, 1), version: 0 })).rejects.toThrow(/c has that part/);
    await ask("flags.save", { flag: layered("d", 0.5, 1), version: 0 });
    for (const [setting, fault] of [
      [{ otherwise: "maybe" }, /no variation maybe/],
      [{ rules: [{ when: [{ property: "age", op: "gt", values: ["old"] }], serve: { variation: "on" } }] }, /age: this comparison needs one number/],
      [{ rules: [{ when: [{ property: "x", op: "matches", values: ["("] }], serve: { variation: "on" } }] }, /regular expression/],
      [{ rules: [{ serve: { split: { parts: [{ variation: "on", weight: 0 }] } } }] }, /add up to nothing/],
    ] as const)
      await expect(ask("flags.save", { flag: onOff(setting, "e"), version: 0 })).rejects.toThrow(fault); // prettier-ignore
    await expect(ask("flags.save", { flag: { ...flag, key: "f", environments: { moon: {} } }, version: 0 })).rejects.toThrow(/no environment moon/); // prettier-ignore
  }, 60_000);

  it("changes where two have to look only when another than who proposed it takes it; off is never waited for", async () => {
    const workspace = await world.newWorkspace();
    const ask = <T>(operation: string, input: object) => world.ask<T>(operation, input, workspace);
    const flag = onOff({ isOn: false }, "a");
    await ask("flags.save", { flag, version: 0 });
    await ask("flags.setReview", { name: "production", needsReview: true });
    const email = `bo-${workspace}@example.com`;
    await ask("workspaces.addMember", { email, name: "Bo", role: "analyst", password: "another horse" });
    const principal = await world.system.access.fromSession(await world.system.access.signIn(email, "another horse"));
    const asBo = (operation: string, input: object) =>
      world.system.dispatch({ operation, input, principal, workspace });

    // what is off may be worked on alone, but not switched on
    const ready = onOff({ isOn: false, rules: [{ serve: { variation: "on" } }] }, "a");
    expect(await ask("flags.save", { flag: ready, version: 1 })).toEqual({ version: 2 });
    await expect(ask("flags.turn", { key: "a", environment: "production", isOn: true })).rejects.toThrow(/production has to be looked at/); // prettier-ignore
    const on = onOff({ rules: [{ serve: { variation: "on" } }] }, "a");
    await expect(ask("flags.save", { flag: on, version: 2 })).rejects.toMatchObject({ code: "flags.review" });
    const { id } = await ask<{ id: string }>("flags.propose", { flag: on, version: 2, note: "go" });
    expect(await asBo("flags.get", { key: "a" })).toMatchObject({ proposals: [{ id, by: "Ana", isOwn: false, changes: ["production: switched on"], isOutdated: false }] }); // prettier-ignore
    await expect(ask("flags.review", { id, isTaken: true })).rejects.toMatchObject({ code: "flags.four_eyes" });
    const { key } = await ask<{ key: string }>("workspaces.createKey", { name: "ci", role: "admin" });
    const byKey = await fetch(`${world.url}/api/flags.review`, { method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${key}` }, body: JSON.stringify({ id, isTaken: true }) }); // prettier-ignore
    expect(byKey.status).toBe(403);
    await asBo("flags.review", { id, isTaken: true });
    const stands = async () => (await ask<{ flag: Flag }>("flags.get", { key: "a" })).flag.environments["production"]?.isOn; // prettier-ignore
    expect(await stands()).toBe(true);
    await expect(asBo("flags.review", { id, isTaken: true })).rejects.toMatchObject({ code: "flags.no_proposal" });

    // values that are served are part of it, other environments are not
    await expect(ask("flags.save", { flag: { ...on, variations: [{ name: "on", value: false }, { name: "off", value: false }] }, version: 3 })).rejects.toMatchObject({ code: "flags.review" }); // prettier-ignore
    await ask("flags.save", { flag: { ...on, environments: { ...on.environments, development: { isOn: true } } }, version: 3 }); // prettier-ignore
    await ask("flags.turn", { key: "a", environment: "production", isOn: false });
    expect(await stands()).toBe(false);
    await ask("flags.archive", { key: "a", isArchived: true });
  }, 60_000);
});
