import { beforeAll, describe, expect, it } from "vitest";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
const values = ["", "1.9.0", "1.10.0", "v1.10", "1.10.0-rc.1", "2", "abc", "2026-03-01", "2026-03-02T10:00:00Z", "7.5"];

beforeAll(async () => {
  const source = await world.system.registry.byKey((await world.source()).writeKey);
  const at = Date.parse("2026-03-01T12:00:00Z");
  const events = values.map((value, n) => ({
    name: "Seen",
    userId: `u${n}`,
    at,
    properties: value === "" ? {} : { x: value },
  }));
  await world.system.ingest.accept(source, events);
  await world.settled();
});

/** The values that a condition holds for. */
const holding = async (op: string, ...given: (string | number)[]): Promise<string[]> => {
  const input = {
    range: { from: "2026-03-01", to: "2026-03-01" },
    series: [{ event: "Seen", measure: "total" }],
    breakdown: { property: "x", limit: 100 },
    filters: [{ property: "x", op, values: given }],
    display: "total",
  };
  const { lines } = await world.ask<TrendsResult>("trends.ask", input);
  return lines.filter(({ total }) => (total ?? 0) > 0).map(({ group }) => group ?? "").sort((a, b) => values.indexOf(a) - values.indexOf(b)); // prettier-ignore
};

describe("conditions", () => {
  it("compare versions by their numbers, and what comes before a release below it", async () => {
    expect(await holding("version_gt", "1.9.0")).toEqual(["1.10.0", "v1.10", "1.10.0-rc.1", "2", "2026-03-01", "2026-03-02T10:00:00Z", "7.5"]); // prettier-ignore
    expect(await holding("version_lt", "1.10.0")).toEqual(["1.9.0", "1.10.0-rc.1"]);
    expect(await holding("version_lte", "1.10")).toEqual(["1.9.0", "1.10.0", "v1.10", "1.10.0-rc.1"]);
    await expect(holding("version_gt", "latest")).rejects.toMatchObject({ code: "filter.version" });
  });

  it("compare dates", async () => {
    expect(await holding("after", "2026-03-02")).toEqual(["2026-03-02T10:00:00Z"]);
    expect(await holding("before", "2026-03-02")).toContain("2026-03-01");
    expect(await holding("before", "2026-03-02")).not.toContain("abc");
    await expect(holding("after", "soon")).rejects.toMatchObject({ code: "filter.date" });
  });

  it("match regular expressions, of bounded length and in time in proportion to the text", async () => {
    expect(await holding("matches", "^[a-c]+$")).toEqual(["abc"]);
    expect(await holding("not_matches", "[0-9]")).toEqual(["", "abc"]);
    expect(await holding("matches", "(a+)+$")).toEqual([]);
    await expect(holding("matches", "(")).rejects.toMatchObject({ code: "engine.expression" });
    await expect(holding("matches", "a".repeat(501))).rejects.toMatchObject({ code: "filter.expression" });
  });

  it("read numbers from whatever they came as", async () => {
    const source = await world.system.registry.byKey((await world.source()).writeKey);
    const at = Date.parse("2026-04-01T12:00:00Z");
    const numbers = [3, 0.5, "4", "1e2", "two", "", true, null, [5], { deep: 6 }, -1];
    await world.system.ingest.accept(source, numbers.map((number, n) => ({ name: "Counted", userId: `n${n}`, at, properties: { number } }))); // prettier-ignore
    await world.settled();
    const range = { from: "2026-04-01", to: "2026-04-01" };
    const { lines } = await world.ask<TrendsResult>("trends.ask", {
      range,
      series: (["sum", "min", "max"] as const).map((measure) => ({ event: "Counted", measure, property: "number" })),
      display: "total",
    });
    expect(lines.map(({ total }) => total)).toEqual([106.5, -1, 100]);
  });

  it("compare numbers, and take lists", async () => {
    expect(await holding("gte", 2)).toEqual(["2", "7.5"]);
    expect(await holding("eq", "abc", "2")).toEqual(["2", "abc"]);
    expect(await holding("is_not_set")).toEqual([""]);
  });
});

describe("conditions on more than the event", () => {
  /** How many of the events named X meet conditions. */
  const counted = async (workspace: string, ...filters: unknown[]): Promise<number | null | undefined> => {
    const input = { range: { from: "2026-03-01", to: "2026-03-10" }, series: [{ event: "X" }], filters };
    return (await world.ask<TrendsResult>("trends.ask", input, workspace)).lines[0]?.total;
  };

  it("know a person's traits as they were, an account's as they are, and sessions whole", async () => {
    const workspace = await world.newWorkspace();
    const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
    const day = (n: number): number => Date.parse(`2026-03-0${n}T12:00:00Z`);
    const happened = (n: number, userId: string, account: string, session: string) => ({ name: "X", userId, account, session, at: day(n), messageId: `${n} ${userId}` }); // prettier-ignore
    const told = (n: number, op: "set" | "set_once" | "add" | "unset", value: unknown) => ({ userId: "ana", at: day(n), messageId: `told ${n} ${op}`, personTraits: [{ op, traits: op === "unset" ? { plan: null } : op === "add" ? { seats: value } : { plan: value } }] }); // prettier-ignore
    await world.system.ingest.accept(source, [
      ...[1, 3, 5, 7, 9].map((n) => happened(n, "ana", n < 6 ? "acme" : "beta", n < 4 ? "s1" : "s2")),
      happened(4, "bo", "acme", "s2"), // of the same name as one of ana's
      told(2, "set", "free"),
      told(4, "set_once", "never"),
      told(5, "set", "pro"),
      told(8, "unset", null),
      told(3, "add", 2),
      told(7, "add", 3),
      { userId: "ana", at: day(2), messageId: "acme", account: "acme", accountTraits: [{ op: "set", traits: { tier: "gold" } }] },
    ] as never); // prettier-ignore
    await world.settled();
    const then = (op: string, ...given: unknown[]) => counted(workspace, { on: "person_then", property: "plan", op, values: given }); // prettier-ignore
    expect(await then("eq", "free")).toBe(1);
    expect(await then("eq", "pro")).toBe(2); // that of the very moment counts
    expect(await then("is_not_set")).toBe(3);
    expect(await then("neq", "pro")).toBe(4);
    expect(await counted(workspace, { on: "person_then", property: "seats", op: "gte", values: [5] })).toBe(2);
    expect(await counted(workspace, { on: "person", property: "seats", op: "gte", values: [5] })).toBe(5);
    expect(await counted(workspace, { on: "account", property: "tier", values: ["gold"] })).toBe(4);
    expect(await counted(workspace, { on: "account", property: "tier", op: "neq", values: ["gold"] })).toBe(2);
    expect(await counted(workspace, { on: "session", property: "events", op: "gte", values: [3] })).toBe(3);
    expect(await counted(workspace, { on: "session", property: "seconds", op: "eq", values: [2 * 86_400] })).toBe(2);
    expect(await counted(workspace, { on: "session", property: "id", op: "contains", values: ["s2"] })).toBe(4);
    await expect(counted(workspace, { on: "session", property: "colour", values: ["red"] })).rejects.toMatchObject({ code: "filter.session" }); // prettier-ignore
    const input = { range: { from: "2026-03-01", to: "2026-03-10" }, series: [{ event: "X" }], display: "total" };
    const by = { property: "plan", on: "person", and: [{ property: "none" }] };
    const { lines } = await world.ask<TrendsResult>("trends.ask", { ...input, breakdown: by }, workspace);
    expect(lines.map(({ group, total }) => [group, total])).toEqual([["(missing) · (missing)", 6]]);
  });
});
