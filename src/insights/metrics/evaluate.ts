import type { z } from "zod";
import type { WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { answerConversion, answerFunnel, timesBetween } from "#insights/funnels/index.ts";
import { ConversionInput, FunnelInput } from "#insights/funnels/contract.ts";
import type { Interval } from "#insights/common/frame.ts";
import { readable } from "#insights/common/provenance.ts";
import { addBuckets, bucketNumber, bucketsOf, labelOf, resolveRange } from "#insights/common/time.ts";
import { LifecycleInput } from "#insights/lifecycle/contract.ts";
import { answerLifecycle } from "#insights/lifecycle/index.ts";
import { RetentionInput, type RetentionResult } from "#insights/retention/contract.ts";
import { answerRetention } from "#insights/retention/index.ts";
import { SessionsInput } from "#insights/sessions/contract.ts";
import { answerSessions } from "#insights/sessions/index.ts";
import { answerOverTime } from "#insights/sql/index.ts";
import { StickinessInput } from "#insights/stickiness/contract.ts";
import { answerStickiness } from "#insights/stickiness/index.ts";
import { TrendsInput, type Line } from "#insights/trends/contract.ts";
import { answerTrends } from "#insights/trends/index.ts";
import type { Scope } from "#records/events/scope.ts";
import { wilson } from "#stats/intervals.ts";
import type { Definition, Measure, Point, Simple } from "./contract.ts";
import { filtersOf, questionOf, seriesOf, type Frame } from "./question.ts";

/** A metric over the buckets of a range, before anything is said about it. */
export interface Evaluated {
  readonly interval: Interval;
  readonly buckets: readonly string[];
  /** From the first bucket that may still change. */
  readonly openFrom: number;
  readonly groups: readonly { readonly group: string | null; readonly points: Point[]; readonly total: Point }[];
  /** Of the first statement that was asked. */
  readonly sql: string;
}

/** Whole local days, which all kinds of questions can be asked over. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

/** One evaluation: who asks, the metric, and the frame over whole days. */
interface Asked {
  readonly call: WorkspaceCall;
  readonly scope: Scope;
  readonly definition: Definition;
  readonly frame: Frame & { readonly range: Days };
}

const nothing: Point = { value: null, interval: null, of: null };
const plain = (value: number | null, of: number | null = null): Point => ({ value, interval: null, of });
const shareOf = (part: number, whole: number): Point =>
  whole === 0
    ? { value: null, interval: null, of: 0 }
    : { value: part / whole, interval: wilson(part, whole), of: whole };

const startsOf = ({ scope, frame }: Asked): number[] =>
  bucketsOf(resolveRange(frame.range, scope), frame.interval, scope);

/** How many of the buckets are over, the later ones so much later. */
const closed = ({ scope, frame }: Asked, starts: readonly number[], laterMs = 0): number =>
  starts.filter((start) => addBuckets(start, frame.interval, 1, scope.zone) + laterMs <= scope.now).length;

const labels = ({ scope, frame }: Asked, starts: readonly number[]): string[] =>
  starts.map((start) => labelOf(start, frame.interval, scope.zone));

/** Lines of a trend by value of the breakdown, those of one group together and in the order of the series. */
const byGroup = (lines: readonly Line[]): { group: string | null; series: Line[] }[] => {
  const groups = new Map<string | null, Line[]>();
  for (const line of lines) groups.set(line.group, [...(groups.get(line.group) ?? []), line]);
  return [...groups].map(([group, series]) => ({ group, series: [...series].sort((a, b) => a.index - b.index) }));
};

const askTrend = async (asked: Asked, input: Partial<z.input<typeof TrendsInput>>) => {
  const { range, interval, zone, weekStart, breakdown, filters } = asked.frame;
  const all = [...filtersOf(asked.definition), ...filters];
  const parsed = TrendsInput.parse({ range, interval, zone, weekStart, breakdown, filters: all, ...input });
  return answerTrends(asked.call, asked.scope, parsed);
};

type Combine = (values: readonly number[]) => Point;

/** One or more series, combined bucket by bucket and over the whole range alike. */
const ofSeries = async (
  asked: Asked,
  series: z.input<typeof TrendsInput>["series"],
  combine: Combine,
): Promise<Evaluated> => {
  const answer = await askTrend(asked, { series });
  const starts = startsOf(asked);
  return {
    interval: asked.frame.interval,
    buckets: answer.buckets,
    openFrom: closed(asked, starts),
    groups: byGroup(answer.lines).map(({ group, series: lines }) => ({
      group,
      points: answer.buckets.map((_, place) => combine(lines.map(({ values }) => values[place] ?? 0))),
      total: combine(lines.map(({ total }) => total ?? 0)),
    })),
    sql: answer.provenance.sql,
  };
};

/** An average of nothing is none: so many events as have the property are counted beside it. */
const ofAverage = (asked: Asked, measure: Simple & { kind: "average" }): Promise<Evaluated> => {
  const having = { property: measure.property, op: "is_set" as const };
  const counted = { event: measure.event, filters: [...measure.filters, having], measure: "total" as const };
  return ofSeries(asked, [seriesOf(measure), counted], ([value = 0, of = 0]) => plain(of === 0 ? null : value, of));
};

const ofRatio = (asked: Asked, { numerator, denominator }: Measure & { kind: "ratio" }): Promise<Evaluated> =>
  ofSeries(asked, [seriesOf(numerator), seriesOf(denominator)], ([a = 0, b = 0]) => plain(b === 0 ? null : a / b, b));

const dayBefore = (day: string): string => new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10);

/** What came since a day before the range is asked for once, and the range's own added to it. */
const ofCumulative = async (asked: Asked, measure: Measure & { kind: "cumulative" }): Promise<Evaluated> => {
  const { from, to } = asked.frame.range;
  const since = measure.since ?? from;
  const buckets = labels(asked, startsOf(asked));
  const openFrom = closed(asked, startsOf(asked));
  if (since > to) return { interval: asked.frame.interval, buckets, openFrom, groups: [{ group: null, points: buckets.map(() => nothing), total: nothing }], sql: "" }; // prettier-ignore
  const series = [seriesOf(measure.of)];
  const own = await askTrend(asked, { series, range: { from: since > from ? since : from, to } });
  const earlier = since < from ? await askTrend(asked, { series, range: { from: since, to: dayBefore(from) }, display: "total" }) : undefined; // prettier-ignore
  const groups = byGroup([...own.lines, ...(earlier?.lines ?? [])]).map(({ group }) => {
    const line = own.lines.find((one) => one.group === group);
    let sum = earlier?.lines.find((one) => one.group === group)?.total ?? 0;
    const points = buckets.map((bucket) => {
      const place = own.buckets.indexOf(bucket);
      if (place < 0) return nothing;
      sum += line?.values[place] ?? 0;
      return plain(sum);
    });
    return { group, points, total: points.at(-1) ?? nothing };
  });
  return { interval: asked.frame.interval, buckets, openFrom, groups, sql: own.provenance.sql };
};

const ofConversion = async (asked: Asked, windowSeconds: number): Promise<Evaluated> => {
  const input = ConversionInput.parse(questionOf(asked.definition, asked.frame).input);
  const { interval, fromStep: _, toStep: __, ...funnel } = input;
  const [overTime, whole] = await Promise.all([
    answerConversion(asked.call, asked.scope, input),
    answerFunnel(asked.call, asked.scope, FunnelInput.parse(funnel)),
  ]);
  return {
    interval,
    buckets: overTime.buckets,
    openFrom: closed(asked, startsOf(asked), windowSeconds * 1000),
    groups: overTime.groups.map(({ group, points }) => {
      const steps = whole.groups.find((one) => one.group === group)?.steps ?? [];
      return {
        group,
        points: points.map(({ converted, entered }) => shareOf(converted, entered)),
        total: shareOf(steps.at(-1)?.count ?? 0, steps[0]?.count ?? 0),
      };
    }),
    sql: overTime.provenance.sql,
  };
};

const ofTime = async (asked: Asked, measure: Measure & { kind: "time_to_value" }): Promise<Evaluated> => {
  const { interval, fromStep: _, toStep: __, ...funnel } = ConversionInput.parse(questionOf(asked.definition, asked.frame).input); // prettier-ignore
  const to = measure.steps.length - 1;
  const { groups, statement } = await timesBetween(asked.call, asked.scope, FunnelInput.parse(funnel), { from: 0, to, interval }); // prettier-ignore
  const starts = startsOf(asked);
  const numbers = starts.map((start) => bucketNumber(start, interval, asked.scope.zone));
  const held = groups.length === 0 ? [{ group: null, total: undefined, buckets: new Map() }] : groups;
  return {
    interval,
    buckets: labels(asked, starts),
    openFrom: closed(asked, starts, measure.windowSeconds * 1000),
    groups: held.map(({ group, total, buckets }) => ({
      group,
      points: numbers.map((number) => {
        const times = buckets.get(number);
        return times === undefined ? plain(null, 0) : plain(times[measure.statistic], times.people);
      }),
      total: total === undefined ? plain(null, 0) : plain(total[measure.statistic], total.people),
    })),
    sql: readable(statement),
  };
};

/** The most periods that one table of retention spans. */
const widest = 64;

/** Long ranges are asked piece by piece: each cohort's numbers depend on nothing but its own start. */
const ofRetention = async (asked: Asked, measure: Measure & { kind: "retention" }): Promise<Evaluated> => {
  const { scope, call, definition } = asked;
  const frame = { ...asked.frame, interval: measure.period };
  const own = { ...asked, frame };
  const starts = startsOf(own);
  const most = measure.cohorting === "first_in_range" ? starts.length : widest - measure.after - 1;
  const pieces = Array.from({ length: Math.ceil(starts.length / most) }, (_, piece): Days => {
    const next = starts[(piece + 1) * most];
    const first = starts[piece * most] ?? 0;
    return {
      from: piece === 0 ? frame.range.from : labelOf(first, "day", scope.zone),
      to: next === undefined ? frame.range.to : labelOf(next - 1, "day", scope.zone),
    };
  });
  const answers: RetentionResult[] = [];
  for (const range of pieces) {
    const question = questionOf(definition, { ...frame, range });
    answers.push(await answerRetention(call, scope, RetentionInput.parse(question.input)));
  }
  const names = [...new Set(answers.flatMap(({ groups }) => groups.map(({ group }) => group)))];
  return {
    interval: measure.period,
    buckets: labels(own, starts),
    openFrom: starts.length,
    groups: names.map((group) => {
      const cohorts = answers.flatMap(({ groups }, piece) => {
        const found = groups.find((one) => one.group === group);
        const missing = Array.from({ length: Math.min(most, starts.length - piece * most) }, () => undefined);
        return found?.cohorts ?? missing;
      });
      const points = cohorts.map(
        (cohort) =>
        cohort === undefined || cohort.mature[measure.after] !== true ? nothing : shareOf(cohort.counts[measure.after] ?? 0, cohort.size), // prettier-ignore
      );
      const ripe = points.filter(({ value }) => value !== null);
      const people = ripe.reduce((sum, { of }) => sum + (of ?? 0), 0);
      const back = ripe.reduce((sum, { value, of }) => sum + Math.round((value ?? 0) * (of ?? 0)), 0);
      return { group, points, total: shareOf(back, people) };
    }),
    sql: answers[0]?.provenance.sql ?? "",
  };
};

const unbroken = ({ frame }: Asked): void => {
  if (frame.breakdown !== undefined)
    throw new Refusal("metrics.no_breakdown", "A metric of this kind cannot be broken down. Add a condition instead.");
};

const ofLifecycle = async (asked: Asked, measure: Measure & { kind: "lifecycle" }): Promise<Evaluated> => {
  unbroken(asked);
  const input = LifecycleInput.parse(questionOf(asked.definition, asked.frame).input);
  const answer = await answerLifecycle(asked.call, asked.scope, input);
  const values = answer[measure.state].map(Math.abs);
  // whoever is new is so once; the other states come again, so that their sum counts nobody
  const total = measure.state === "new" ? plain(values.reduce((sum, value) => sum + value, 0)) : nothing;
  return {
    interval: input.interval,
    buckets: answer.buckets,
    openFrom: closed(asked, startsOf(asked)),
    groups: [{ group: null, points: values.map((value) => plain(value)), total }],
    sql: answer.provenance.sql,
  };
};

const lengths: Readonly<Record<Interval, number>> = { hour: 0, day: 1, week: 7, month: 28 };
const mostStickyBuckets = 60;

/** A question per bucket: of those active in it, who was so often enough. */
const ofStickiness = async (asked: Asked, measure: Measure & { kind: "stickiness" }): Promise<Evaluated> => {
  unbroken(asked);
  const { frame, scope, call, definition } = asked;
  const starts = startsOf(asked);
  if (lengths[frame.interval] <= lengths[measure.per])
    throw new Refusal("metrics.interval", `This metric counts ${measure.per}s; ask it by something longer.`);
  if (starts.length > mostStickyBuckets)
    throw new Refusal("metrics.too_many_buckets", `This metric may span ${mostStickyBuckets} ${frame.interval}s. Shorten the range.`); // prettier-ignore
  const counts: [enough: number, active: number][] = [];
  let text = "";
  for (const start of starts) {
    const end = addBuckets(start, frame.interval, 1, scope.zone);
    const range = { from: labelOf(start, "day", scope.zone), to: labelOf(end - 1, "day", scope.zone) };
    const input = StickinessInput.parse(questionOf(definition, { ...frame, range }).input);
    const answer = await answerStickiness(call, scope, input);
    counts.push([answer.counts[measure.atLeast - 1] ?? 0, answer.active]);
    text ||= answer.provenance.sql;
  }
  const over = closed(asked, starts);
  const [enough, active] = counts.slice(0, over).reduce(([a, b], [x, y]) => [a + x, b + y], [0, 0]);
  return {
    interval: frame.interval,
    buckets: labels(asked, starts),
    openFrom: over,
    groups: [
      { group: null, points: counts.map(([part, whole]) => shareOf(part, whole)), total: shareOf(enough, active) },
    ],
    sql: text,
  };
};

const ofSessions = async (asked: Asked, { figure }: Measure & { kind: "sessions" }): Promise<Evaluated> => {
  unbroken(asked);
  const input = SessionsInput.parse(questionOf(asked.definition, asked.frame).input);
  const answer = await answerSessions(asked.call, asked.scope, input);
  const read = (figures: (typeof answer)["total"]): Point => plain(figures[figure], figures.sessions);
  return {
    interval: input.interval,
    buckets: answer.buckets,
    openFrom: closed(asked, startsOf(asked)),
    groups: [{ group: null, points: answer.figures.map(read), total: read(answer.total) }],
    sql: answer.provenance.sql,
  };
};

const ofSql = async (asked: Asked, { query, combine }: Measure & { kind: "sql" }): Promise<Evaluated> => {
  unbroken(asked);
  const { call, scope, frame, definition } = asked;
  if (frame.filters.length + filtersOf(definition).length > 0)
    throw new Refusal(
      "metrics.no_filters",
      "A metric in SQL takes no conditions from outside. Write them into its query.",
    );
  const range = resolveRange(frame.range, scope);
  const rows = await answerOverTime(call, scope, query, { range, interval: frame.interval, combine });
  const starts = startsOf(asked);
  const point = (row: { readonly value: number } | undefined): Point => plain(row?.value ?? null);
  const points = starts
    .map((start) => bucketNumber(start, frame.interval, scope.zone))
    .map((number) => point(rows.find(({ whole, bucket }) => whole === 0 && bucket === number)));
  return {
    interval: frame.interval,
    buckets: labels(asked, starts),
    openFrom: closed(asked, starts),
    groups: [{ group: null, points, total: point(rows.find(({ whole }) => whole === 1)) }],
    sql: query,
  };
};

/** The values of a metric, by asking the question that it is. */
export const evaluate = (asked: Asked): Promise<Evaluated> => {
  const { measure } = asked.definition;
  switch (measure.kind) {
    case "average":
      return ofAverage(asked, measure);
    case "ratio":
      return ofRatio(asked, measure);
    case "cumulative":
      return ofCumulative(asked, measure);
    case "conversion":
      return ofConversion(asked, measure.windowSeconds);
    case "time_to_value":
      return ofTime(asked, measure);
    case "retention":
      return ofRetention(asked, measure);
    case "lifecycle":
      return ofLifecycle(asked, measure);
    case "stickiness":
      return ofStickiness(asked, measure);
    case "sessions":
      return ofSessions(asked, measure);
    case "sql":
      return ofSql(asked, measure);
    default:
      return ofSeries(asked, [seriesOf(measure)], ([value = 0]) => plain(value));
  }
};
