import { describe, expect, it } from "vitest";
import { isUsedIn } from "./references.ts";

const property = (id: string, event?: string) => ({ kind: "property", id, event }) as const;
const event = (id: string) => ({ kind: "event", id }) as const;

describe("what a definition uses", () => {
  const funnel = {
    kind: "funnel",
    input: {
      filters: [{ property: "plan", on: "event", op: "eq", values: ["pro"] }],
      steps: [
        { event: "Opened", filters: [{ property: "path", on: "event", values: ["/"] }] },
        { event: "Bought", filters: [{ property: "tier", on: "person", values: ["a"] }, { property: "", on: "cohort", values: ["c1"] }] },
      ],
      hold: ["device"],
      breakdown: { property: "country", attribution: "step" },
    },
  }; // prettier-ignore

  it("is told for a property by the event that it is asked of", () => {
    expect([isUsedIn(funnel, event("Opened")), isUsedIn(funnel, event("Opene")), isUsedIn(funnel, event("plan"))]).toEqual([true, false, false]); // prettier-ignore
    expect([isUsedIn(funnel, property("path", "Opened")), isUsedIn(funnel, property("path", "Bought")), isUsedIn(funnel, property("path"))]).toEqual([true, false, true]); // prettier-ignore
    // of the whole question: of each of its events, and of no other
    for (const name of ["plan", "device", "country"])
      expect([isUsedIn(funnel, property(name, "Bought")), isUsedIn(funnel, property(name, "Left"))]).toEqual([true, false]); // prettier-ignore
    expect(isUsedIn(funnel, property("tier", "Bought"))).toBe(false); // a trait of people
    expect([isUsedIn(funnel, { kind: "cohort", id: "c1" }), isUsedIn(funnel, { kind: "cohort", id: "c2" })]).toEqual([true, false]); // prettier-ignore
  });

  it("is any event where a question names none", () => {
    const trend = { series: [{ event: null, measure: "unique" }], breakdown: { property: "plan" } };
    expect([isUsedIn(trend, property("plan", "Opened")), isUsedIn(trend, event("Opened"))]).toEqual([true, false]);
  });

  it("is what its tiles, metrics and queries name", () => {
    const tiles = [{ question: { kind: "metric", input: { metric: "revenue" } } }];
    expect([isUsedIn(tiles, { kind: "metric", id: "revenue" }), isUsedIn(tiles, { kind: "metric", id: "rev" })]).toEqual([true, false]); // prettier-ignore
    const sql = { query: "SELECT properties.plan FROM events WHERE event = 'Bob\\'s' OR event = 'It''s'" };
    expect([isUsedIn(sql, event("Bob's")), isUsedIn(sql, event("It's")), isUsedIn(sql, event("Bob"))]).toEqual([true, true, false]); // prettier-ignore
    expect([isUsedIn(sql, property("plan", "It's")), isUsedIn(sql, property("pla")), isUsedIn(sql, property("plan", "Other"))]).toEqual([true, false, false]); // prettier-ignore
  });
});
