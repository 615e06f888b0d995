import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { FunnelInput } from "#insights/funnels/contract.ts";
import {
  Breakdown,
  EventMatch,
  Filter,
  frameShape,
  type Interval,
  intervals,
  Limit,
  Provenance,
  Unit,
  Who,
} from "#insights/common/frame.ts";
import { states } from "#insights/lifecycle/contract.ts";
import { Query } from "#insights/sql/contract.ts";
import { RetentionInput } from "#insights/retention/contract.ts";

/** Measures that are one number of the events that match, over any stretch of time. */
const simple = {
  count: EventMatch.extend({ kind: z.literal("count") }),
  unique: EventMatch.extend({
    kind: z.literal("unique"),
    of: z.enum(["people", "accounts", "sessions"]).default("people"),
    rollingDays: z
      .int()
      .min(2)
      .max(366)
      .optional()
      .describe("People of so many days up to each day, rather than of the bucket."),
  }),
  sum: EventMatch.extend({ kind: z.literal("sum"), property: z.string().min(1).max(500) }),
  average: EventMatch.extend({
    kind: z.literal("average"),
    property: z.string().min(1).max(500),
    statistic: z.enum(["avg", "median", "p90", "p95", "p99", "min", "max"]).default("avg"),
  }),
};
export const Simple = z.discriminatedUnion("kind", [simple.count, simple.unique, simple.sum, simple.average]);
export type Simple = z.output<typeof Simple>;

const steps = FunnelInput.pick({
  steps: true,
  windowSeconds: true,
  order: true,
  attempt: true,
  counting: true,
  unit: true,
  hold: true,
  exclusions: true,
  exclusionMode: true,
}).shape;

const Day = z.iso.date();

/** How the number comes about. A bucket is the day, week or month that is asked by. */
export const Measure = z.discriminatedUnion("kind", [
  simple.count,
  simple.unique,
  simple.sum,
  simple.average,
  z
    .strictObject({ kind: z.literal("ratio"), numerator: Simple, denominator: Simple })
    .describe("One over the other, each over the same bucket; no value where the lower one is 0."),
  z
    .strictObject({
      kind: z.literal("cumulative"),
      of: z.discriminatedUnion("kind", [simple.count, simple.sum]),
      since: Day.optional(),
    })
    .describe("What has come together since a day; since the first day asked for where none is given."),
  z
    .strictObject({ kind: z.literal("conversion"), ...steps })
    .describe("The share of those who take the first step that takes the last, by when they took the first."),
  z
    .strictObject({
      kind: z.literal("time_to_value"),
      ...steps,
      statistic: z.enum(["average", "median", "p75", "p90", "p95"]).default("median"),
    })
    .describe("Seconds from the first step to the last, of those who took it, by when they took the first."),
  z
    .strictObject({
      kind: z.literal("retention"),
      ...RetentionInput.pick({
        start: true,
        returning: true,
        cohorting: true,
        mode: true,
        unit: true,
        onOrAfter: true,
        minimumOccurrences: true,
      }).shape,
      period: z.enum(["day", "week", "month"]).default("week"),
      after: z.int().min(1).max(30).describe("The share that came back in this period after the start."),
    })
    .describe("By when they started; no value until every day of the period is over."),
  z
    .strictObject({
      kind: z.literal("lifecycle"),
      activity: EventMatch,
      unit: Unit.default("people"),
      state: z.enum(states),
    })
    .describe("How many are new, stay, come back or go quiet in each bucket."),
  z
    .strictObject({
      kind: z.literal("stickiness"),
      activity: EventMatch,
      unit: Unit.default("people"),
      per: z.enum(["day", "week", "month"]).default("day"),
      atLeast: z.int().min(1).max(100),
    })
    .describe("Of those active in the whole range, the share active in at least so many of its days (weeks, months)."),
  z
    .strictObject({
      kind: z.literal("sessions"),
      activity: EventMatch,
      gapMinutes: z.int().min(1).max(1_440).default(30),
      figure: z.enum(["sessions", "averageSeconds", "medianSeconds", "eventsPerSession", "single"]).default("sessions"),
    })
    .describe("How many sessions there are, how long, how much happens in them, or the share of one event only."),
  z
    .strictObject({ kind: z.literal("sql"), query: Query, combine: z.enum(["sum", "average", "last"]).default("sum") })
    .describe(
      "A query that gives a row with the columns at (a date or a time) and value for each of any stretches of time, and how the rows of a bucket make one number.",
    ),
]);
export type Measure = z.output<typeof Measure>;

export const Key = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/, "Lower-case letters, digits and _, beginning with a letter, such as weekly_teams.");

/** Behaviour by which people find value: they first get it, make it a habit, use more of it, or outgrow what they have. */
export const moments = ["activation", "habit", "depth", "expansion"] as const;

/** One catalogued number, as it is kept, and as it stands in a file. */
export const Definition = z.strictObject({
  key: Key,
  name: z.string().trim().min(1, "Give it a name.").max(100),
  description: z.string().max(2_000).default(""),
  owner: z.string().max(200).default("").describe("Who answers for it: a person's email or a team."),
  product: z.string().max(200).default("").describe("Only what belongs to this product; everything where empty."),
  unit: z.string().max(40).default("").describe("What is counted, such as teams or EUR."),
  direction: z.enum(["up", "down", "none"]).default("up").describe("Which way is better."),
  moment: z.enum(moments).optional(),
  northStar: z.boolean().default(false).describe("The one number that the company follows; one metric at most."),
  inputs: z.array(Key).max(20).default([]).describe("Metrics that move this one."),
  measure: Measure,
  filters: z.array(Filter).max(20).default([]),
});
export type Definition = z.output<typeof Definition>;

const Change = z.object({ path: z.string(), from: z.unknown(), to: z.unknown() });
export type Change = z.output<typeof Change>;

/** Something that uses a metric, and where it is found. */
const Use = z.object({ kind: z.string(), title: z.string(), address: z.string() });

const MetricView = Definition.extend({
  version: z.number(),
  origin: z.enum(["page", "files"]),
  updatedAt: z.string(),
});
export type MetricView = z.output<typeof MetricView>;

const Bare = z.object(Definition.shape);
/** The definition alone. */
export const definitionOf = (metric: MetricView): Definition => Bare.parse(metric);

const steps3 = ["day", "week", "month"] as const satisfies readonly Interval[];
const askShape = {
  ...frameShape,
  range: frameShape.range.default({ last: 90, unit: "day" }),
  interval: z.enum(steps3).default("week").describe("Metrics of retention have their own."),
  breakdown: Breakdown.optional(),
  compare: z.boolean().default(false).describe("With the period just before, of the same length."),
};

export const MetricInput = z.strictObject({ ...askShape, metric: Key });
export type MetricInput = z.output<typeof MetricInput>;

const Point = z.object({
  /** Null where there is none: nothing to divide by, or time that has not come. */
  value: z.number().nullable(),
  /** 95 % (Wilson), for shares of people. */
  interval: z.tuple([z.number(), z.number()]).nullable(),
  /** How many the value is of, where it is of so many. */
  of: z.number().nullable(),
});
export type Point = z.output<typeof Point>;

export const MetricResult = z.object({
  kind: z.literal("metric"),
  metric: Definition.pick({ key: true, name: true, unit: true, direction: true }).extend({ version: z.number() }),
  format: z.enum(["number", "share", "seconds"]),
  interval: z.enum(intervals),
  buckets: z.array(z.string()),
  previousBuckets: z.array(z.string()),
  /** From the first bucket that may still change. */
  openFrom: z.number(),
  groups: z.array(
    z.object({
      group: z.string().nullable(),
      period: z.enum(["current", "previous"]),
      points: z.array(Point),
      /** Over the whole range, never the sum of what is not additive. */
      total: Point,
    }),
  ),
  sentence: z.string(),
  provenance: Provenance,
});
export type MetricResult = z.output<typeof MetricResult>;

export const list = defineOperation({
  name: "metrics.list",
  summary: "The metrics of the workspace.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({ metrics: z.array(MetricView.extend({ says: z.string() })) }),
});

export const get = defineOperation({
  name: "metrics.get",
  summary: "One metric: its definition, its earlier ones, and what uses it.",
  permission: "read",
  input: z.strictObject({ metric: Key }),
  output: MetricView.extend({
    says: z.string(),
    history: z.array(z.object({ version: z.number(), at: z.string(), by: z.string(), changes: z.array(Change) })),
    uses: z.array(Use),
  }),
});

export const askMetric = defineOperation({
  name: "metrics.ask",
  summary: "A metric over time.",
  permission: "read",
  input: MetricInput,
  output: MetricResult,
});

export const metricWho = defineOperation({
  name: "metrics.who",
  summary: "Who a point of a metric is about: of a share, those who got there; of a ratio, those of the upper number.",
  permission: "read",
  discloses: true,
  input: z.strictObject({
    question: MetricInput,
    bucket: z.string().max(40),
    group: z.string().optional(),
    limit: Limit,
  }),
  output: Who,
});

export const preview = defineOperation({
  name: "metrics.preview",
  summary: "What a definition gives, and what it changes where the metric is there already. Nothing is kept.",
  permission: "edit",
  onlyLooks: true,
  input: z.strictObject({ definition: Definition, ...askShape }),
  output: z.object({
    before: MetricResult.nullable(),
    after: MetricResult,
    changes: z.array(Change),
    uses: z.array(Use),
    /** The version that the changes are against; 0 for a new metric. */
    version: z.number(),
  }),
});

export const define = defineOperation({
  name: "metrics.define",
  summary: "Keeps a metric, or another version of it. The same definition again changes nothing.",
  permission: "edit",
  input: z.strictObject({
    definition: Definition,
    over: z.int().min(0).optional().describe("The version that is known; refused where it has changed since."),
  }),
  output: z.object({ key: z.string(), version: z.number() }),
});

export const remove = defineOperation({
  name: "metrics.remove",
  summary: "Takes a metric out of the catalog. Its versions are kept, and the same key can be defined anew.",
  permission: "edit",
  input: z.strictObject({ metric: Key }),
  output: z.object({ ok: z.literal(true) }),
});

const Planned = z.object({
  key: z.string(),
  name: z.string(),
  action: z.enum(["add", "change", "remove", "keep"]),
  changes: z.array(Change),
  uses: z.array(Use),
});
export type Planned = z.output<typeof Planned>;

const files = z.strictObject({ metrics: z.array(Definition).max(500) });

export const plan = defineOperation({
  name: "metrics.plan",
  summary:
    "What applying these definitions would change. Metrics that came from files and are not among them would go.",
  permission: "read",
  input: files,
  output: z.object({ planned: z.array(Planned) }),
});

export const apply = defineOperation({
  name: "metrics.apply",
  summary: "Makes the catalog as these definitions say: all of it, or nothing.",
  permission: "edit",
  input: files,
  output: z.object({ planned: z.array(Planned) }),
});
