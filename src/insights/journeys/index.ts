import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { other, type Who } from "#insights/common/frame.ts";
import { askWho, refuseOther } from "#insights/common/who.ts";
import { daysOf, provenanceOf } from "#insights/common/provenance.ts";
import { resolveRange } from "#insights/common/time.ts";
import { longestPathMs, mostNodes } from "#insights/sequence/sequence.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { Scope, TimeRange } from "#records/events/scope.ts";
import { askJourneys, journeyEnd, journeysWho, type JourneyInput, type JourneyResult } from "./contract.ts";
import { folded, sentenceOf } from "./compute.ts";
import { isEnd, journeyPeople, linksQuery, nodesQuery } from "./query.ts";

const Node = z.object({ node: z.string() });
const Row = z.object({
  place: z.number(),
  source: z.number(),
  target: z.number(),
  journeys: z.number(),
  seconds: z.number(),
});

/** The range of a question, and the steps that are told apart in it. */
const stepsOf = async (
  call: WorkspaceCall,
  scope: Scope,
  input: JourneyInput,
  also: readonly (string | undefined)[] = [],
): Promise<{ range: TimeRange; nodes: string[] }> => {
  const range = resolveRange(input.range, scope);
  if (range.to - range.from >= longestPathMs)
    throw new Refusal("journeys.range_too_long", "The range of a journey may span 397 days. Shorten it.");
  const frequent = (await ask(call, nodesQuery(scope, input, range), Node)).map(({ node }) => node);
  // the start, the end and what is asked for are told apart however rare they are
  const asked = [input.start, input.end, ...also].flatMap((name) => (name === undefined || name === journeyEnd ? [] : [name])); // prettier-ignore
  return { range, nodes: [...new Set([...asked, ...frequent])].slice(0, mostNodes) };
};

const answer = async (call: WorkspaceCall, scope: Scope, input: JourneyInput): Promise<JourneyResult> => {
  const began = performance.now();
  const { range, nodes } = await stepsOf(call, scope, input);
  const statement = linksQuery(scope, input, range, nodes);
  const rows = await ask(call, statement, Row);
  const name = (node: number): string => (isEnd(node) ? journeyEnd : (nodes[node - 1] ?? other));
  const links = rows.map((row) => ({ ...row, source: name(row.source), target: name(row.target) }));
  const shown = folded(input, links);
  const [from, to] = daysOf(range, scope.zone);
  return {
    kind: "journey",
    ...shown,
    sentence: sentenceOf(input, shown, from, to),
    provenance: provenanceOf(
      scope,
      range,
      statement,
      `Each person's events in order of time. A pause of more than ${input.gapMinutes} minutes begins another journey.${input.collapse ? " The same step again and again is one step." : ""} Shown are ${input.end !== undefined && input.start === undefined ? "the last" : "the first"} ${input.steps} steps.`,
      began,
    ),
  };
};

/** Whose journeys had a step at a place. */
const whoOfJourneys = async (
  call: WorkspaceCall,
  scope: Scope,
  { question, limit, ...at }: z.output<typeof journeysWho.input>,
): Promise<Who> => {
  refuseOther(at.step);
  refuseOther(at.next);
  const { range, nodes } = await stepsOf(call, scope, question, [at.step, at.next]);
  return askWho(call, scope, journeyPeople(scope, question, range, nodes, at), "people", limit);
};

/** Journeys: which ways people go. */
export const journeys = ({ ingest }: { readonly ingest: Ingest }): Module =>
  defineModule({
    name: "journeys",
    operations: [
      handle(askJourneys, async (call, input) => answer(call, await scopeOf(ingest, call, input), input)),
      handle(journeysWho, async (call, input) =>
        whoOfJourneys(call, await scopeOf(ingest, call, input.question), input),
      ),
    ],
  });
