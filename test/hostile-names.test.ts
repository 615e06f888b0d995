import { describe, expect, it } from "vitest";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
const names = ["a b", "a.b", "a`b", "a\\b", "a'b", 'a"b', "`; DROP TABLE events; --", "{p1:String}", "ключ", "😀", "^a", "a.:Int64", "$x", "a..b", ".", ".a", "a.", "a%2Eb", "a[]", "a\tb"]; // prettier-ignore

describe("a property, whatever its name", () => {
  it.each(names)("%s can be filtered and broken down by", async (name) => {
    const workspace = await world.newWorkspace();
    const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
    await world.system.ingest.accept(source, [
      { name: "buy", userId: "ana", properties: { [name]: "yes", other: "no" } },
      { name: "buy", userId: "bo", properties: { [name]: "no" } },
      { name: "buy", userId: "cy", properties: { other: "yes" } },
    ]);
    await world.settled();
    const series = [{ event: "buy", measure: "total" }];
    const by = await world.ask<TrendsResult>("trends.ask", { series, breakdown: { property: name } }, workspace);
    expect(Object.fromEntries(by.lines.map((line) => [line.group, line.total]))).toEqual({ yes: 1, no: 1, "": 1 });
    const filters = [{ property: name, op: "eq", values: ["yes"] }];
    const only = await world.ask<TrendsResult>("trends.ask", { series, filters }, workspace);
    expect(only.lines[0]?.total).toBe(1);
  });
});
