import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Definition, leavesOf } from "#insights/cohorts/contract.ts";
import { changesOf, countOf, historyOf, listed, memberList, sizeOf, whyQuery } from "#insights/cohorts/query.ts";
import { unitsOf } from "#insights/cohorts/rule.ts";
import { given, touchedSince } from "#insights/cohorts/touched.ts";
import { ConversionInput, FunnelInput } from "#insights/funnels/contract.ts";
import { JourneyInput } from "#insights/journeys/contract.ts";
import { journeyPeople, linksQuery, nodesQuery } from "#insights/journeys/query.ts";
import { LifecycleInput } from "#insights/lifecycle/contract.ts";
import { lifecyclePeople, lifecycleQuery } from "#insights/lifecycle/query.ts";
import { SessionsInput } from "#insights/sessions/contract.ts";
import { sessionList, sessionPeople, sessionsQuery } from "#insights/sessions/query.ts";
import { StickinessInput } from "#insights/stickiness/contract.ts";
import { stickinessPeople, stickinessQuery } from "#insights/stickiness/query.ts";
import {
  conversionQuery,
  conversionPeopleQuery,
  elapsedQuery,
  funnelPeopleQuery,
  funnelQuery,
  histogramQuery,
  timesQuery,
} from "#insights/funnels/query.ts";
import { RetentionInput } from "#insights/retention/contract.ts";
import { retentionPeople, retentionQuery, retentionValues } from "#insights/retention/query.ts";
import { measures, TrendsInput } from "#insights/trends/contract.ts";
import { activityQuery, trendPeople, trendsQuery } from "#insights/trends/query.ts";
import { noVeil } from "#kernel/classes.ts";
import { sql, type Sql } from "#kernel/sql.ts";
import { accountCount, accountList, eventsOfAccount, traitsOfAccount } from "#records/accounts/query.ts";
import {
  heldCount,
  heldEvents,
  latestOf,
  pathsOf,
  valuesOf as learntValues,
  violationGroups,
} from "#programs/contracts/query.ts";
import { eventNames, propertyNames, valuesOf, valuesOfAccounts } from "#records/catalog/query.ts";
import { anyMerges, receivedBefore, rememberedMessages } from "#records/events/query.ts";
import type { Scope } from "#records/events/scope.ts";
import { exportedEvents, exportedPeople } from "#records/exports/query.ts";
import {
  actorsOf,
  joinsOf,
  peopleCount,
  peopleInAccount,
  peopleList,
  timelineOf,
  traitsOfActors,
} from "#records/people/query.ts";
import { identifiedActors, lastUserOfEach, parentOfEach } from "#records/people/relation.ts";
import { keysOf } from "#records/people/keys.ts";
import { arrivalsBySource, letterCount, lettersOf, refusalsBySource } from "#records/sources/query.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
const now = Date.parse("2026-03-31");
const range = { from: now - 30 * 86_400_000, to: now };
const dates = { from: "2026-03-01", to: "2026-03-30" };
const who = [{ on: "person", property: "plan", op: "neq", values: ["free"] }, { on: "id", op: "eq", values: ["ana"] }, { property: "a.b", op: "gt", values: ["3"] }, { on: "person_then", property: "plan", values: ["pro"] }, { on: "account", property: "plan", op: "is_not_set" }, { on: "session", property: "events", op: "gte", values: [2] }, { on: "product", values: ["Core"] }]; // prettier-ignore
const manyBroken = {
  property: "plan",
  and: [
    { property: "plan", on: "person" },
    { property: "seats", on: "person" },
  ],
};
const byTrait = { property: "plan", on: "person" };
const byProperty = { property: "amount", limit: 2 };

const week = { value: 1, unit: "week" } as const;
const match = { event: "A", filters: [{ property: "plan", op: "neq", values: ["x"] }] };
const ruleIn = (definition: Definition) => (definition.kind === "rule" ? definition.rule : undefined)!;
/** A cohort with every kind of condition. */
const everyRule = ruleIn(Definition.parse({ kind: "rule", rule: { type: "all", rules: [
  { type: "any", rules: [{ type: "did", match }, { type: "did", match, times: { op: "eq", value: 2 }, within: week }] },
  { type: "not", rule: { type: "first_time", match, within: week } },
  { type: "first_time", match: { event: "A" }, within: week },
  { type: "regularly", match, period: week, totalPeriods: 4, minPeriods: 2 },
  { type: "stopped", match, within: week, notWithin: { value: 1, unit: "day" } },
  { type: "restarted", match, quietWithin: week, againWithin: { value: 1, unit: "month" } },
  { type: "sequence", steps: [match, match], windowSeconds: 60, within: week },
  { type: "trait", filter: { property: "plan", on: "person", op: "neq", values: ["x"] } },
  { type: "trait", filter: { property: "seats", on: "person", op: "gte", values: [3] } },
  { type: "cohort", cohort: "c" },
] } })); // prettier-ignore

/** The same, where it can be told who moved since a minute ago. */
const movable = ruleIn({
  kind: "rule",
  rule: {
    type: "all",
    rules: leavesOf(everyRule).filter((leaf) => !("match" in leaf) || leaf.match.filters.length === 0),
  },
});
const basis = (scope: Scope) => ({ at: now - 60_000, received: now - 60_000, zone: scope.zone });

/** Every question that the program can put to the engine, in the variants that make other SQL. */
const statements = (scope: Scope): readonly (readonly [string, Sql])[] => {
  const trend = (name: string, input: Record<string, unknown>): [string, Sql][] =>
    [false, true].map((totals) => [
      `trends ${name}${totals ? ", totals" : ""}`,
      trendsQuery(scope, TrendsInput.parse({ range: dates, ...input }), range, totals),
    ]);
  const funnel = (input: Record<string, unknown>) =>
    FunnelInput.parse({ range: dates, steps: [{ event: "A" }, { event: "B" }, { event: null }], ...input });
  const retained = (name: string, input: Record<string, unknown>): [string, Sql] => {
    const grid = { range, first: 20_513, buckets: 30, columns: Array.from({ length: 30 }, (_, n) => 30 - n) };
    const asked = RetentionInput.parse({ range: dates, start: { event: "A" }, returning: { event: "B" }, ...input });
    return [`retention ${name}`, retentionQuery(scope, asked, grid, range.to)];
  };
  const plain = funnel({});
  return [
    ...measures.flatMap((measure) => trend(measure, { series: [{ event: "A", measure, property: "amount" }] })),
    ...trend("of several", { series: [{ event: "A" }, { event: null, measure: "per_user" }], filters: who }),
    ...trend("by property", { series: [{ event: "A" }, { event: "B", measure: "p90", property: "x" }], breakdown: byProperty }), // prettier-ignore
    ...trend("by trait, no Other", { series: [{ event: "A" }], breakdown: { ...byTrait, hideOther: true } }),
    ...trend("rolling by property", { series: [{ event: "A", measure: "rolling_unique" }], breakdown: byProperty }),
    ...(["hour", "week", "month"] as const).flatMap((interval) =>
      trend(interval, { series: [{ event: "A" }], interval }),
    ),
    ["trend by several", trendsQuery(scope, TrendsInput.parse({ range: dates, series: [{ event: "A", measure: "unique" }], breakdown: manyBroken }), range, false)], // prettier-ignore
    ["funnel", funnelQuery(scope, plain, range)],
    ["funnel, every option", funnelQuery(scope, funnel({ order: "strict", attempt: "first", counting: "attempts", dates: "whole", exclusions: [{ event: "C", from: 0, to: 1 }], filters: who }), range)], // prettier-ignore
    ...(["first_touch", "last_touch", "step", "all_events"] as const).map((attribution): [string, Sql] => [
      `funnel by ${attribution}`,
      funnelQuery(scope, funnel({ breakdown: { property: "plan", attribution } }), range),
    ]),
    ["funnel of accounts", funnelQuery(scope, funnel({ unit: "accounts", hold: ["a.b", "x"], breakdown: byProperty }), range)], // prettier-ignore
    ["funnel held, each value by itself", funnelQuery(scope, funnel({ hold: ["x"], breakdown: { ...byProperty, attribution: "all_events" } }), range)], // prettier-ignore
    ["funnel held, by step", funnelQuery(scope, funnel({ hold: ["x"], breakdown: { ...byProperty, attribution: "step" } }), range)], // prettier-ignore
    ["funnel of accounts, people", funnelPeopleQuery(scope, funnel({ unit: "accounts" }), range, { step: 1, who: "reached", limit: 5 })], // prettier-ignore
    ["funnel by trait", funnelQuery(scope, funnel({ breakdown: byTrait }), range)],
    ["funnel, people", funnelPeopleQuery(scope, plain, range, { step: 1, who: "dropped", group: "x", limit: 5 })],
    ["funnel, elapsed", elapsedQuery(scope, plain, range, 0, 1)],
    ...(["first_touch", "step"] as const).map((attribution): [string, Sql] => [`funnel, times by ${attribution}`, timesQuery(scope, funnel({ breakdown: { property: "plan", attribution } }), range, { from: 0, to: 1, interval: "week" })]), // prettier-ignore
    [
      "trend, people of every day",
      activityQuery(
        scope,
        TrendsInput.parse({ series: [{ event: "A" }], interval: "week" }),
        0,
        { event: "A", filters: [], measure: "unique", windowDays: 7 },
        range,
      ),
    ],
    ["trend, rolling", activityQuery(scope, TrendsInput.parse({ series: [{ event: "A" }], filters: who }), 1, { event: null, filters: [], measure: "rolling_unique", windowDays: 28 }, range)], // prettier-ignore
    ["trend, people", trendPeople(scope, TrendsInput.parse({ range: dates, series: [{ event: "A", measure: "sum", property: "x" }], breakdown: manyBroken, filters: who }), { event: "A", filters: [], measure: "sum", property: "x", windowDays: 7 }, range, "x")], // prettier-ignore
    ["conversion, people", conversionPeopleQuery(scope, plain, range, { from: 0, to: 1, who: "dropped", group: "x", entered: range })], // prettier-ignore
    ["retention, people", retentionPeople(scope, RetentionInput.parse({ start: { event: "A" }, returning: { event: "B" }, breakdown: { property: "plan" }, brackets: [1, 2] }), { range, first: 20_513, buckets: 31, columns: Array.from({ length: 31 }, () => 4) }, now, { row: 2, column: 1, came: false, group: "x" })], // prettier-ignore
    ...(["calendar", "rolling"] as const).map((mode): [string, Sql] => [`retention, values, ${mode}`, retentionValues(scope, RetentionInput.parse({ start: { event: "A" }, returning: { event: "B" }, mode, breakdown: { property: "plan" } }), { range, first: 20_513, buckets: 31, columns: Array.from({ length: 31 }, () => 4) }, now, "a.b")]), // prettier-ignore
    ["funnel of sessions, people", funnelPeopleQuery(scope, funnel({ unit: "sessions" }), range, { step: 1, who: "reached", limit: 5 })], // prettier-ignore
    ["funnel, times", timesQuery(scope, plain, range, { from: 0, to: 1, interval: "day" })],
    ["funnel, histogram", histogramQuery(scope, plain, range, 0, 1, 0, 60)],
    ...(["recurring", "first_time", "first_ever", "first_in_range"] as const).map((cohorting) => retained(cohorting, { cohorting })), // prettier-ignore
    ["funnel, over time", conversionQuery(scope, ConversionInput.parse({ range: dates, steps: plain.steps, breakdown: byTrait }), range)], // prettier-ignore
    ["funnel, attempts over time", conversionQuery(scope, ConversionInput.parse({ range: dates, steps: plain.steps, counting: "attempts" }), range)], // prettier-ignore
    ...(["people", "accounts"] as const).flatMap((unit): [string, Sql][] => {
      const slots = { range, interval: "day", first: 20_513, count: 31 } as const;
      const filters = [
        { property: "plan", op: "eq", values: ["x"] },
        { on: "cohort", op: "neq", values: ["c"] },
      ];
      return [
        [
          `lifecycle of ${unit}`,
          lifecycleQuery(scope, LifecycleInput.parse({ activity: { event: "A" }, unit }), slots),
        ],
        [`lifecycle of ${unit}, filtered`, lifecycleQuery(scope, LifecycleInput.parse({ activity: {}, unit, filters }), { ...slots, count: 130 })], // prettier-ignore
        [`stickiness of ${unit}`, stickinessQuery(scope, StickinessInput.parse({ activity: { event: "A" }, unit, criterion: { op: "gte", value: 2 } }), { ...slots, count: 700 })], // prettier-ignore
        [`lifecycle of ${unit}, people`, lifecyclePeople(scope, LifecycleInput.parse({ activity: { event: "A" }, unit }), slots, 3, "dormant")], // prettier-ignore
        [`stickiness of ${unit}, people`, stickinessPeople(scope, StickinessInput.parse({ activity: { event: "A" }, unit, cumulative: true }), slots, 3)], // prettier-ignore
        [`cohort of ${unit}`, unitsOf({ scope, unit }, everyRule)],
        [`cohort of ${unit}, moved`, touchedSince({ scope, unit }, movable, basis(scope)) ?? sql`not said`],
        [`cohort of ${unit}, of some`, unitsOf({ scope, unit, among: given(unit, ["1"]) }, everyRule)],
        [`cohort of ${unit}, count`, countOf({ scope, unit }, unitsOf({ scope, unit }, everyRule))],
        [`cohort of ${unit}, list`, listed(scope, unit, ["1"])],
        [`cohort of ${unit}, size`, sizeOf(scope, "c", unit)],
        [`cohort of ${unit}, members`, memberList(scope, "c", unit, 10)],
        [`cohort of ${unit}, why`, whyQuery({ scope, unit }, "1", leavesOf(everyRule))],
        [`cohort of ${unit}, changes`, changesOf({ scope, unit }, "c", "1")],
      ];
    }),
    ["cohort, history", historyOf(scope, "c")],
    ["sessions", sessionsQuery(scope, SessionsInput.parse({ filters: who }), range)],
    ["sessions, list", sessionList(scope, SessionsInput.parse({}), range, 10)],
    ["journeys, nodes", nodesQuery(scope, JourneyInput.parse({ exclude: ["B"], property: "url" }), range)],
    ["sessions, people", sessionPeople(scope, SessionsInput.parse({}), range, range)],
    [
      "journeys, people",
      journeyPeople(scope, JourneyInput.parse({}), range, ["A"], { place: 2, step: "A", next: "$end" }),
    ],
    ["journeys, links", linksQuery(scope, JourneyInput.parse({ events: [{ event: "A" }], end: "A" }), range, ["A"])],
    retained("rolling", { mode: "rolling", cohorting: "first_time", minimumOccurrences: 2 }),
    retained("by trait in brackets", { brackets: [1, 3, 7], breakdown: { property: "plan" }, onOrAfter: true }),
    ["accounts", accountList(scope, now, "a", 10)],
    ["accounts, count", accountCount(scope, now, "")],
    ["account, traits", traitsOfAccount("a")],
    ["account, events", eventsOfAccount(scope, "a", now, 10)],
    ["account, people", peopleInAccount(scope, "a", now, 10)],
    ["people", peopleList(scope, "ana", 10)],
    ["people, all", peopleList(scope, "", 10)],
    ["people, count", peopleCount(scope, "ana")],
    ["person, ids", actorsOf(scope, "1")],
    ["person, traits", traitsOfActors(["1"])],
    ["person, timeline", timelineOf(["1"], now, 10)],
    ["person, joins", joinsOf(["1"])],
    ["identity, parents", parentOfEach],
    ["identity, identified", identifiedActors],
    ["identity, devices", lastUserOfEach],
    ["catalog, events", eventNames("a", 10)],
    ["catalog, properties", propertyNames("A", "a", 10)],
    ["catalog, values", valuesOf("plan", "event", null, "p")],
    ["catalog, values of accounts", valuesOfAccounts("plan", "p")],
    ["sources, arrivals", arrivalsBySource(now)],
    ["sources, refusals", refusalsBySource(now)],
    ["sources, letters", lettersOf("s", 10)],
    ["sources, letter count", letterCount(undefined)],
    ["exports, events", exportedEvents(scope, range, "A")],
    ["exports, people", exportedPeople(scope)],
    ["contracts, violations", violationGroups(now, "A")],
    ["contracts, held", heldEvents("A", 10)],
    ["contracts, held count", heldCount(undefined)],
    ["contracts, paths", pathsOf("A", now)],
    ["contracts, values", learntValues({ veil: noVeil }, "A", now, ["plan", "a.b"])],
    ["contracts, latest", latestOf("A", now, 10)],
    ["ingest, repeats", receivedBefore(["1"], 1, now)],
    ["ingest, remembered", rememberedMessages(now)],
    ["ingest, merges", anyMerges],
  ];
};

describe.each([false, true])("every statement (ids joined: %s)", (hasMerges) => {
  it("is understood by the engine, and gives a column for each of its names", async () => {
    const { engine } = (await world.system.directory.find(world.workspace))!;
    await engine.command(sql`SYSTEM RELOAD DICTIONARY identity_of`);
    const scope: Scope = {
      engine,
      zone: "Europe/Paris",
      weekStart: "sunday",
      hasMerges,
      keys: keysOf("x"),
      veil: noVeil,
      now,
    };
    const faults: string[] = [];
    for (const [name, statement] of statements(scope)) {
      try {
        const columns = await engine.rows(sql`DESCRIBE (${statement})`, z.object({ name: z.string() }));
        if (columns.length === 0 || new Set(columns.map((column) => column.name)).size < columns.length)
          faults.push(`${name}: two columns of one name`);
        await engine.rows(statement, z.unknown()); // and it runs, on nothing
      } catch (error) {
        faults.push(`${name}: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`);
      }
    }
    expect(faults).toEqual([]);
  }, 120_000);
});
