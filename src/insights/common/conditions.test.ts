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

  it("compare numbers, and take lists", async () => {
    expect(await holding("gte", 2)).toEqual(["2", "7.5"]);
    expect(await holding("eq", "abc", "2")).toEqual(["2", "abc"]);
    expect(await holding("is_not_set")).toEqual([""]);
  });
});
