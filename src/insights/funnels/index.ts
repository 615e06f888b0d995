import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { Who, type Interval } from "#insights/common/frame.ts";
import { askWho, bucketOf, refuseOther } from "#insights/common/who.ts";
import { daysOf, provenanceOf } from "#insights/common/provenance.ts";
import { resolveRange } from "#insights/common/time.ts";
import { checkQuestion } from "#insights/sequence/sequence.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { Scope, TimeRange } from "#records/events/scope.ts";
import {
  askConversion,
  askFunnel,
  conversionWho,
  funnelPeople,
  timeToConvert,
  type ConversionInput,
  type ConversionResult,
  type FunnelInput,
  type FunnelResult,
  type Times,
} from "./contract.ts";
import { conversion } from "./conversion.ts";
import { binsOf, groupsOf, sentenceOf } from "./compute.ts";
import {
  conversionPeopleQuery,
  elapsedQuery,
  funnelPeopleQuery,
  funnelQuery,
  histogramQuery,
  peopleBehind,
  questionOf,
  scanned,
  timesQuery,
  unitOfPeople,
} from "./query.ts";

const Numbers = z.array(z.number());
const Row = z.object({ grp: z.string(), counts: Numbers, sums: Numbers, timed: Numbers, medians: Numbers });
const Elapsed = z.object({ people: z.number(), average: z.number(), least: z.number(), most: z.number() });

const checked = (input: FunnelInput, scope: Scope): TimeRange => {
  const range = resolveRange(input.range, scope);
  const span = scanned(input, range);
  checkQuestion(questionOf(input, range), span.to - span.from);
  if (input.unit === "accounts" && input.breakdown?.on === "person")
    throw new Refusal("funnel.accounts_by_trait", "Accounts have no one trait of a person. Break down by a property of the event."); // prettier-ignore
  const wrong = input.exclusions.find(({ from, to }) => from >= to || to >= input.steps.length);
  if (wrong !== undefined)
    throw new Refusal(
      "funnel.exclusion",
      `An exclusion lies between two steps of the funnel; ${wrong.from} to ${wrong.to} does not.`,
    );
  return range;
};

/** The answer to a funnel; the evaluators are installed. */
export const answerFunnel = async (call: WorkspaceCall, scope: Scope, input: FunnelInput): Promise<FunnelResult> => {
  const began = performance.now();
  const range = checked(input, scope);
  const statement = funnelQuery(scope, input, range);
  const groups = groupsOf(input, await ask(call, statement, Row));
  const [from, to] = daysOf(range, scope.zone);
  return {
    kind: "funnel",
    groups,
    incomplete: scanned(input, range).to > scope.now,
    sentence: sentenceOf(input, groups, from, to),
    provenance: provenanceOf(
      scope,
      range,
      statement,
      `Each person's furthest attempt at the steps within ${input.windowSeconds / 3600} hours of the first. Events of one moment may come in any order; one event fills one step.`,
      began,
    ),
  };
};

/** The same over time. */
export const answerConversion = (
  call: WorkspaceCall,
  scope: Scope,
  input: ConversionInput,
): Promise<ConversionResult> => conversion(call, scope, input, checked(input, scope));

const TimesRow = z.object({
  grp: z.string(),
  bucket: z.number(),
  whole: z.number(),
  people: z.number(),
  average: z.number(),
  percentiles: Numbers,
});
const timesOf = ({ people, average, percentiles }: z.output<typeof TimesRow>): Times => {
  const [p25 = 0, median = 0, p75 = 0, p90 = 0, p95 = 0] = percentiles;
  return { people, average, p25, median, p75, p90, p95 };
};

/** How long it takes from one step to another: per group over the whole range, and by the bucket of the first step. */
export const timesBetween = async (
  call: WorkspaceCall,
  scope: Scope,
  input: FunnelInput,
  between: { readonly from: number; readonly to: number; readonly interval: Interval },
) => {
  const range = checked(input, scope);
  const statement = timesQuery(scope, input, range, between);
  const rows = await ask(call, statement, TimesRow);
  const groups = rows
    .filter((row) => row.whole === 1)
    .map((row) => ({
      group: input.breakdown === undefined ? null : row.grp,
      total: timesOf(row),
      buckets: new Map(
        rows.filter((one) => one.whole === 0 && one.grp === row.grp).map((one) => [one.bucket, timesOf(one)]),
      ),
    }));
  return { groups, statement, range };
};

/** Who reached a step, or was lost before it. */
const whoOfFunnel = async (
  call: WorkspaceCall,
  scope: Scope,
  { funnel, ...which }: z.output<typeof funnelPeople.input>,
): Promise<Who> => {
  const query = funnelPeopleQuery(scope, funnel, checked(funnel, scope), which);
  return { unit: unitOfPeople(funnel), people: await ask(call, query, Who.shape.people.element) };
};

/** Who of those who entered in a bucket converted, or did not. */
export const whoOfConversion = (
  call: WorkspaceCall,
  scope: Scope,
  { conversion: input, bucket, who, group, limit }: z.output<typeof conversionWho.input>,
): Promise<Who> => {
  refuseOther(group);
  const { interval, fromStep, toStep = input.steps.length - 1, ...funnel } = input;
  const range = checked(funnel, scope);
  const entered = bucketOf(scope, range, interval, bucket);
  const found = conversionPeopleQuery(scope, funnel, range, { from: fromStep, to: toStep, who, group, entered });
  return askWho(call, scope, peopleBehind(funnel, found), unitOfPeople(funnel), limit);
};

/** Funnels: who gets from step to step. */
export const funnels = ({ ingest }: { readonly ingest: Ingest }): Module => {
  return defineModule({
    name: "funnels",
    operations: [
      handle(askFunnel, async (call, input) => answerFunnel(call, await scopeOf(ingest, call, input), input)),
      handle(askConversion, async (call, input) => {
        const scope = await scopeOf(ingest, call, input);
        return answerConversion(call, scope, input);
      }),
      handle(funnelPeople, async (call, { funnel, ...which }) => {
        const scope = await scopeOf(ingest, call, funnel);
        return whoOfFunnel(call, scope, { funnel, ...which });
      }),
      handle(conversionWho, async (call, input) =>
        whoOfConversion(call, await scopeOf(ingest, call, input.conversion), input),
      ),
      handle(timeToConvert, async (call, { funnel, from, to, bins }) => {
        if (from >= to || to >= funnel.steps.length)
          throw new Refusal("funnel.steps", "Choose two steps of the funnel, the earlier first.");
        const scope = await scopeOf(ingest, call, funnel);
        const range = checked(funnel, scope);
        const [all] = await ask(call, elapsedQuery(scope, funnel, range, from, to), Elapsed);
        if (all === undefined || all.people === 0) return { people: 0, averageSeconds: null, bins: [], groups: [] };
        const { width, count } = binsOf(all.people, all.least, all.most, bins);
        const rows = await ask(
          call,
          histogramQuery(scope, funnel, range, from, to, all.least, width),
          z.object({ bin: z.number(), people: z.number() }),
        );
        const filled = Array.from({ length: count + 1 }, (_, bin): [number, number] => [
          all.least + bin * width,
          rows.find((row) => row.bin === bin)?.people ?? 0,
        ]);
        const { groups } = await timesBetween(call, scope, funnel, { from, to, interval: "month" });
        const byGroup = groups.map(({ group, total }) => ({ group, ...total }));
        return { people: all.people, averageSeconds: all.average, bins: filled, groups: byGroup };
      }),
    ],
  });
};
