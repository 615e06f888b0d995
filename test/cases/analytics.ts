import { z } from "zod";
import type { ConversionResult, FunnelResult } from "#insights/funnels/contract.ts";
import type { JourneyResult } from "#insights/journeys/contract.ts";
import type { LifecycleResult } from "#insights/lifecycle/contract.ts";
import type { StickinessResult } from "#insights/stickiness/contract.ts";
import type { RetentionResult } from "#insights/retention/contract.ts";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { sql } from "#kernel/sql.ts";
import type { World } from "#test/world.ts";
import { Unsupported, type Case } from "./cases.ts";

/** Case files are data of many shapes. */
type Any = any;

/** Every person by each of their ids. */
const peopleOf = (test: Case): Map<string, string> =>
  new Map((test.identities ?? []).flatMap((one: Any) => one.distinct_ids.map((id: string) => [id, one.person])));

/** Sends a case's people and events through the same door as real ones. */
const load = async (world: World, test: Case): Promise<string> => {
  const weekStart = test.query.week_start === "monday" ? "monday" : "sunday";
  const workspace = await world.newWorkspace({ zone: test.query.timezone ?? "UTC", weekStart });
  const source = await world.source("api", workspace);
  const from = await world.system.registry.byKey(source.writeKey);
  const merges = (test.identities ?? []).flatMap((one: Any) =>
    one.distinct_ids.slice(1).map((alias: string) => ({ userId: one.distinct_ids[0], alias })),
  );
  const firstId = new Map((test.identities ?? []).map((one: Any) => [one.person, one.distinct_ids[0]]));
  const traits = Object.entries(test.person_properties ?? {}).map(([person, set]) => ({
    anonymousId: (firstId.get(person) as string | undefined) ?? person,
    at: 1e12,
    personTraits: [{ op: "set" as const, traits: set as Record<string, unknown> }],
  }));
  const events = (test.events ?? []).map((event: Any) => ({
    name: event.event,
    anonymousId: event.distinct_id,
    at: Date.parse(event.timestamp),
    session: event.properties?.session_id ?? event.properties?.$session_id,
    // the file names accounts by a property
    account: test.query.aggregate_by === undefined ? undefined : event.properties?.[test.query.aggregate_by],
    properties: event.properties,
  }));
  const answer = await world.system.ingest.accept(from, [...events, ...merges, ...traits]);
  if (answer.rejected.length > 0) throw new Error(`the door refused: ${answer.rejected[0]?.message}`);
  return workspace;
};

const filters = (list: Any[] = []) =>
  list.map((f) => ({ property: f.property, on: f.on ?? "event", op: f.op ?? "eq", values: [f.value].flat() }));
const match = (m: Any = {}) => ({ event: m.event ?? null, filters: filters(m.filters) });

/** No range means all events. */
const range = (test: Case): Any => {
  const q = test.query;
  if (q.date_from !== undefined) return { from: q.date_from.replace("Z", ""), to: q.date_to.replace("Z", "") };
  const times = test.events.map((event: Any) => Date.parse(event.timestamp));
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  return { from: day(Math.min(...times) - 86_400_000), to: day(Math.max(...times) + 86_400_000) };
};

const frame = (test: Case) => ({
  range: range(test),
  zone: test.query.timezone ?? "UTC",
  weekStart: test.query.week_start ?? "sunday",
  filters: filters(test.query.filters),
});
const breakdownOf = (b: Any) =>
  b === undefined ? undefined : { property: b.property, on: b.on ?? "event", limit: b.limit ?? 100 };
const only = (persons: Any): Any[] => (persons === "all" ? [] : [{ on: "id", op: "eq", values: persons }]);

const trends = async (world: World, test: Case, workspace: string) => {
  const q = test.query;
  const input = (extra: Any[] = []) => ({
    ...frame(test),
    filters: [...filters(q.filters), ...extra],
    series: q.series.map((s: Any) => ({
      ...match(s),
      measure: s.math ?? "total",
      property: s.property,
      windowDays: s.window_days,
    })),
    interval: q.interval ?? "day",
    formulas: q.formulas ?? [],
    breakdown:
      q.breakdown?.property === undefined
        ? undefined
        : { ...breakdownOf(q.breakdown), hideOther: q.breakdown.hide_other },
    compare: q.compare === undefined ? undefined : { offsetDays: q.compare.offset_days },
    display: q.display === "total" ? "total" : "buckets",
    cumulative: q.cumulative,
    movingAverage: typeof q.moving_average === "object" ? q.moving_average.n : q.moving_average,
  });
  if (q.floor === true || q.moving_average?.floor === true) throw new Unsupported("moving_average.floor");
  const value = (line: Any) => (q.display === "total" ? line.total : line.values);
  const lines = (result: TrendsResult, period: string) => result.lines.filter((line) => line.period === period);
  if (q.breakdown?.cohorts !== undefined) {
    const groups: Any = {};
    for (const cohort of q.breakdown.cohorts) {
      const result = await world.ask<TrendsResult>("trends.ask", input(only(cohort.persons)), workspace);
      const values = lines(result, "current").map(value);
      groups[cohort.name] = values;
    }
    return { groups };
  }
  const result = await world.ask<TrendsResult>("trends.ask", input(), workspace);
  const collect = (period: string) => {
    const held: Any = {};
    for (const line of lines(result, period)) (held[line.group ?? ""] ??= []).push(value(line));
    return held;
  };
  const single = q.breakdown === undefined;
  const current = collect("current");
  const previous = collect("previous");
  return {
    series: single ? current[""] : undefined,
    groups: single ? undefined : current,
    previous: single ? previous[""] : undefined,
    previous_groups: single ? undefined : previous,
    totals: lines(result, "current").map((line) =>
      q.display === "total" ? line.total : line.values.reduce((a: number, b) => a + (b ?? 0), 0),
    ),
    first_bucket: result.buckets[0],
    bucket_count: result.buckets.length,
    at: Object.fromEntries(
      Object.keys(test.expect.at ?? {}).map((label) => [label, result.lines[0]?.values[result.buckets.indexOf(label)]]),
    ),
  };
};

const funnelInput = (test: Case): Any => {
  const q = test.query;
  return {
    ...frame(test),
    steps: q.steps.map((s: Any) => ({ ...match(s), optional: s.optional })),
    windowSeconds: q.window_seconds,
    order: q.order ?? "ordered",
    attempt: q.attempt ?? "any",
    counting: q.counting === "attempts" ? "attempts" : "people",
    dates: "whole",
    exclusions: (q.exclusions ?? []).map((e: Any) => ({ ...match(e), from: e.from_step, to: e.to_step })),
    exclusionMode: q.exclusion_mode ?? "drop_person",
    breakdown:
      q.breakdown === undefined
        ? undefined
        : {
            ...breakdownOf(q.breakdown),
            attribution: q.breakdown.attribution ?? "first_touch",
            step: q.breakdown.step ?? 0,
          },
  };
};

const funnel = async (world: World, test: Case, workspace: string) => {
  const input = funnelInput(test);
  const names = peopleOf(test);
  const peopleAt = async (step: number, group: string | undefined) => {
    const { people } = await world.ask<{ people: { ids: string[] }[] }>(
      "funnels.people",
      { funnel: input, step, group, limit: 1000 },
      workspace,
    );
    return people.map((one) => names.get(one.ids[0] ?? "") ?? one.ids.map((id) => names.get(id) ?? id)[0] ?? "").sort();
  };
  const result = await world.ask<FunnelResult>("funnels.ask", input, workspace);
  const shape = async (group: FunnelResult["groups"][number], asksPeople: boolean) => ({
    counts: group.steps.map((step) => step.count),
    avg_seconds: group.steps.map((step) => step.averageSeconds),
    median_seconds: group.steps.map((step) => step.medianSeconds),
    persons_at_step: asksPeople
      ? await Promise.all(group.steps.map((_, step) => peopleAt(step, group.group ?? undefined)))
      : undefined,
  });
  if (input.breakdown === undefined) return shape(result.groups[0]!, test.expect.persons_at_step !== undefined);
  const groups: Any = {};
  for (const group of result.groups) {
    const name = group.group ?? "";
    groups[name] = await shape(group, test.expect.groups?.[name]?.persons_at_step !== undefined);
  }
  return { groups };
};

const timeToConvert = async (world: World, test: Case, workspace: string) => {
  const q = test.query;
  const input = {
    funnel: funnelInput(test),
    from: q.from_step ?? 0,
    to: q.to_step ?? q.steps.length - 1,
    bins: q.bin_count,
  };
  const result = await world.ask<{ bins: Any; averageSeconds: number | null }>(
    "funnels.timeToConvert",
    input,
    workspace,
  );
  return { bins: result.bins, average_seconds: result.averageSeconds };
};

const retention = async (world: World, test: Case, workspace: string) => {
  const q = test.query;
  const local = (text: string) => text.replace("Z", "");
  const dates =
    q.intervals === undefined
      ? range(test)
      : bucketsEnding(local(q.date_to), q.intervals, q.period, q.week_start ?? "sunday");
  const input = {
    ...frame(test),
    range: dates,
    filters: [...filters(q.filters), ...(q.persons_in === undefined ? [] : only(q.persons_in))],
    start: match(q.target),
    returning: match(q.returning),
    period: q.period,
    mode: q.mode ?? "calendar",
    cohorting: q.cohorting,
    onOrAfter: q.cumulative,
    minimumOccurrences: q.minimum_occurrences,
    columns: q.columns,
    brackets: q.brackets,
    breakdown: q.breakdown === undefined ? undefined : { ...breakdownOf(q.breakdown), on: "person" },
  };
  const result = await world.ask<RetentionResult>("retention.ask", input, workspace);
  const matrix = (group: RetentionResult["groups"][number]) => group.cohorts.map((cohort) => cohort.counts);
  return {
    matrix: result.groups[0] === undefined ? [] : matrix(result.groups[0]),
    first_bucket: result.groups[0]?.cohorts[0]?.bucket,
    groups: Object.fromEntries(result.groups.map((group) => [group.group ?? "", matrix(group)])),
  };
};

/** `count` buckets ending with the one that holds the date, as a range in UTC. */
const bucketsEnding = (to: string, count: number, period: string, weekStart: string) => {
  const end = new Date(to.includes("T") ? `${to}Z` : `${to}T00:00Z`);
  const start = new Date(end);
  if (period !== "hour") start.setUTCHours(0, 0, 0, 0);
  else start.setUTCMinutes(0, 0, 0);
  if (period === "week")
    start.setUTCDate(start.getUTCDate() - ((start.getUTCDay() + (weekStart === "monday" ? 6 : 0)) % 7));
  if (period === "month") start.setUTCDate(1);
  const first = new Date(start);
  const back = count - 1;
  if (period === "hour") first.setUTCHours(first.getUTCHours() - back);
  if (period === "day") first.setUTCDate(first.getUTCDate() - back);
  if (period === "week") first.setUTCDate(first.getUTCDate() - 7 * back);
  if (period === "month") first.setUTCMonth(first.getUTCMonth() - back);
  const after = new Date(start);
  if (period === "hour") after.setUTCHours(after.getUTCHours() + 1);
  if (period === "day") after.setUTCDate(after.getUTCDate() + 1);
  if (period === "week") after.setUTCDate(after.getUTCDate() + 7);
  if (period === "month") after.setUTCMonth(after.getUTCMonth() + 1);
  const text = (date: Date) => date.toISOString().slice(0, 19);
  return { from: text(first), to: text(new Date(after.getTime() - 1000)) };
};

const identity = async (world: World, test: Case, workspace: string) => {
  const { policy, stream } = test.query;
  const made = await world.source(policy === "device_last_user" ? "amplitude" : "api", workspace);
  const source = await world.system.registry.byKey(made.writeKey);
  const events = stream.map((event: Any, at: number) => ({
    name: "seen",
    userId: event.user_id ?? undefined,
    anonymousId: event.device_id ?? undefined,
    at: 1.7e12 + at * 1000,
  }));
  await world.system.ingest.accept(source, events);
  await world.settled();
  const { engine } = (await world.system.directory.find(workspace))!;
  const { hasMerges } = await world.system.ingest.freshIdentities(workspace);
  const person = hasMerges ? sql`dictGetOrDefault('identity_of', 'person', actor, actor)` : sql`actor`;
  const rows = await engine.rows(
    sql`SELECT toString(${person}) AS person FROM events ORDER BY at`,
    z.object({ person: z.string() }),
  );
  const order = [...new Set(rows.map((row) => row.person))];
  return { person_of_event: rows.map((row) => order.indexOf(row.person) + 1), unique_persons: order.length };
};

const dedup = async (world: World, test: Case, workspace: string) => {
  const { key, rows, keep, window_days } = test.query;
  if (keep !== "first" || (window_days ?? 7) !== 7) throw new Unsupported(`dedup.keep=${keep ?? "last"}`);
  const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
  for (const [index, row] of rows.entries()) {
    world.clock.at = Date.parse(row.received);
    const messageId = key.map((name: string) => row[name]).join(" ");
    await world.system.ingest.accept(source, [{ name: "row", userId: "u", messageId, properties: { index } }]);
    await world.settled();
  }
  world.clock.at = undefined;
  const { engine } = (await world.system.directory.find(workspace))!;
  const kept = await engine.rows(
    sql`SELECT toInt32(properties.index::String) AS n FROM events ORDER BY n`,
    z.object({ n: z.number() }),
  );
  return { kept_rows: kept.map((row) => row.n) };
};

const funnelTrends = async (world: World, test: Case, workspace: string) => {
  const { interval, from_step, to_step } = test.query;
  const input = { ...funnelInput(test), interval: interval ?? "day", fromStep: from_step, toStep: to_step };
  const { buckets, groups } = await world.ask<ConversionResult>("funnels.overTime", input, workspace);
  const points = groups[0]?.points ?? [];
  return {
    rows: buckets.map((bucket, place) => ({
      bucket,
      entered: points[place]?.entered,
      converted: points[place]?.converted,
    })),
  };
};

const activity = (test: Case): Any => ({
  ...frame(test),
  activity: match(test.query.series),
  interval: test.query.interval ?? "day",
  unit: test.query.aggregate_by === undefined ? "people" : "accounts",
});

const lifecycle = async (world: World, test: Case, workspace: string) => {
  if (test.query.created_at !== undefined) throw new Unsupported("lifecycle.created_at");
  const result = await world.ask<LifecycleResult>("lifecycle.ask", activity(test), workspace);
  return { ...result, first_bucket: result.buckets[0] };
};

const stickiness = async (world: World, test: Case, workspace: string) => {
  const { interval_count, criteria, cumulative, compare } = test.query;
  const input = { ...activity(test), intervalCount: interval_count, criterion: criteria, cumulative };
  const { counts } = await world.ask<StickinessResult>("stickiness.ask", input, workspace);
  if (compare === undefined) return { data: counts };
  const { from, to } = input.range;
  const length = Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000) + 1;
  const back = (day: string) =>
    new Date(Date.parse(day) - (compare.offset_days ?? length) * 86_400_000).toISOString().slice(0, 10);
  const before = { ...input, range: { from: back(from), to: back(to) } };
  const previous = await world.ask<StickinessResult>("stickiness.ask", before, workspace);
  return { data: counts, previous: previous.counts };
};

const paths = async (world: World, test: Case, workspace: string) => {
  const q = test.query;
  const input = {
    ...frame(test),
    events: (q.include_events ?? []).map((event: Any) => match(typeof event === "string" ? { event } : event)),
    property: q.node_property,
    start: q.start_point,
    end: q.end_point,
    gapMinutes: q.session_gap_minutes,
    steps: q.step_limit ?? 5,
    nodes: 50,
  };
  const { links } = await world.ask<JourneyResult>("journeys.ask", input, workspace);
  const named = links
    .filter((link) => link.target !== "$end")
    .map((link) => ({
      source: `${link.place}_${link.source}`,
      target: `${link.place + 1}_${link.target}`,
      value: link.journeys,
      avg_seconds: link.averageSeconds,
    }));
  // the file lists links in an order of its own
  const order = (link: Any) => test.expect.links.findIndex((one: Any) => one.source === link.source && one.target === link.target); // prettier-ignore
  return { links: named.sort((a, b) => order(a) - order(b)) };
};

const sessions = async (world: World, test: Case, workspace: string) => {
  const input = { range: range(test), gapMinutes: test.query.gap_minutes, limit: 1000 };
  const answer = await world.ask<{ sessions: Any[] }>("sessions.list", input, workspace);
  const { people } = await world.ask<{ people: Any[] }>("people.list", { limit: 500 }, workspace);
  const names = peopleOf(test);
  const nameOf = (person: string): string => {
    const id = people.find((one) => one.id === person)?.ids[0];
    return names.get(id) ?? id;
  };
  const list = answer.sessions.map((session) => ({
    person: nameOf(session.person),
    start: session.start.replace(".000Z", "Z"),
    duration_seconds: session.durationSeconds,
    events: session.events,
  }));
  return { sessions: list.sort((a, b) => (a.person + a.start < b.person + b.start ? -1 : 1)) };
};

const ruleOf = (c: Any): Any => {
  if (c.and !== undefined) return { type: "all", rules: c.and.map(ruleOf) };
  if (c.or !== undefined) return { type: "any", rules: c.or.map(ruleOf) };
  if (c.not !== undefined) return { type: "not", rule: ruleOf(c.not) };
  const m = match(c);
  const types: Any = {
    performed: () => ({ type: "did", match: m, within: c.within, since: c.since }),
    performed_count: () => ({ type: "did", match: m, times: { op: c.op, value: c.value }, within: c.within }),
    stopped: () => ({ type: "stopped", match: m, within: c.within, notWithin: c.not_within }),
    restarted: () => ({ type: "restarted", match: m, quietWithin: c.quiet_within, againWithin: c.again_within }),
    first_time: () => ({ type: "first_time", match: m, within: c.within }),
    regularly: () => ({ type: "regularly", match: m, times: { op: c.op, value: c.value }, period: c.period, totalPeriods: c.total_periods, minPeriods: c.min_periods }), // prettier-ignore
    person_property: () => ({ type: "trait", filter: { property: c.property, on: "person", op: c.op ?? "eq", values: [c.value].flat() } }), // prettier-ignore
  };
  if (types[c.type] === undefined) throw new Unsupported(`cohort.${c.type}`);
  return types[c.type]();
};

const cohort = async (world: World, test: Case, workspace: string) => {
  const definition = { kind: "rule", rule: ruleOf(test.query.criteria) };
  world.clock.at = Date.parse(test.query.as_of);
  try {
    const { id } = await world.ask<{ id: string }>("cohorts.create", { name: "Case", definition }, workspace);
    const { members } = await world.ask<{ members: Any[] }>("cohorts.get", { id, limit: 1000 }, workspace);
    const names = peopleOf(test);
    return {
      persons: members.map((one) => names.get(one.name) ?? one.name).sort((a: string, b: string) => (a < b ? -1 : 1)),
    };
  } finally {
    world.clock.at = undefined;
  }
};

/** How far one return lies from one start: the column of a retention table in which it stands. */
const retentionOffset = async (world: World, test: Case, workspace: string) => {
  const q = test.query;
  if (q.floor_to !== undefined) throw new Unsupported("retention_offset.floor_to");
  const column = async (mode: string) => {
    const input = {
      ...frame(test),
      start: { event: q.start },
      returning: { event: q.returning },
      period: q.period,
      mode,
    };
    const { groups } = await world.ask<RetentionResult>("retention.ask", input, workspace);
    const counts = groups[0]?.cohorts.find((cohort) => cohort.size > 0)?.counts ?? [];
    return Math.max(
      0,
      counts.findIndex((count, k) => k > 0 && count > 0),
    );
  };
  return { calendar_offset: await column("calendar"), rolling_offset: await column("rolling") };
};

const kinds: Readonly<Record<string, (world: World, test: Case, workspace: string) => Promise<unknown>>> = {
  trends, funnel, funnel_time_to_convert: timeToConvert, funnel_trends: funnelTrends, retention, retention_offset: retentionOffset, lifecycle,
  stickiness, paths, sessions, cohort, identity, dedup,
}; // prettier-ignore

/** What this program answers to a case of `cases/analytics.json`. */
export const answerAnalytics = async (world: World, test: Case): Promise<unknown> => {
  const kind = kinds[test.query.kind];
  if (kind === undefined) throw new Unsupported(`kind=${test.query.kind}`);
  return kind(world, test, await load(world, test));
};
