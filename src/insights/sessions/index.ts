import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import type { Who } from "#insights/common/frame.ts";
import { askWho, bucketOf } from "#insights/common/who.ts";
import { daysOf, provenanceOf } from "#insights/common/provenance.ts";
import { addBuckets, bucketNumber, bucketsOf, labelOf, resolveRange } from "#insights/common/time.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { Scope } from "#records/events/scope.ts";
import { askSessions, listSessions, sessionsWho, type SessionsInput, type SessionsResult } from "./contract.ts";
import { figuresOf, sentenceOf } from "./compute.ts";
import { sessionList, sessionPeople, sessionsQuery } from "./query.ts";

const Row = z.object({
  bucket: z.number(),
  whole: z.number(),
  sessions: z.number(),
  people: z.number(),
  average: z.number(),
  median: z.number(),
  each: z.number(),
  single: z.number(),
});
const Session = z.object({ id: z.string(), began: z.number(), ended: z.number(), events: z.number() });

/** The answer to a question of this kind. */
export const answerSessions = async (
  call: WorkspaceCall,
  scope: Scope,
  input: SessionsInput,
): Promise<SessionsResult> => {
  const began = performance.now();
  const range = resolveRange(input.range, scope);
  const starts = bucketsOf(range, input.interval, scope);
  const statement = sessionsQuery(scope, input, range);
  const rows = await ask(call, statement, Row);
  const numbers = starts.map((start) => bucketNumber(start, input.interval, scope.zone));
  const total = figuresOf(rows.find((row) => row.whole === 1));
  const [from, to] = daysOf(range, scope.zone);
  return {
    kind: "sessions",
    interval: input.interval,
    buckets: starts.map((start) => labelOf(start, input.interval, scope.zone)),
    figures: numbers.map((number) => figuresOf(rows.find((row) => row.whole === 0 && row.bucket === number))),
    total,
    incomplete: addBuckets(starts.at(-1) ?? 0, input.interval, 1, scope.zone) > scope.now,
    sentence: sentenceOf(total, from, to),
    provenance: provenanceOf(
      scope,
      range,
      statement,
      `Events of a person with pauses of at most ${input.gapMinutes} minutes between them are one session. It counts where it began; its length is from its first event to its last.`,
      began,
    ),
  };
};

/** Who began a session. */
const whoOfSessions = (
  call: WorkspaceCall,
  scope: Scope,
  { question, bucket, limit }: z.output<typeof sessionsWho.input>,
): Promise<Who> => {
  const range = resolveRange(question.range, scope);
  const began = bucket === undefined ? range : bucketOf(scope, range, question.interval, bucket);
  return askWho(call, scope, sessionPeople(scope, question, range, began), "people", limit);
};

/** Sessions: visits, cut where a person pauses. */
export const sessions = ({ ingest }: { readonly ingest: Ingest }): Module =>
  defineModule({
    name: "sessions",
    operations: [
      handle(askSessions, async (call, input) => answerSessions(call, await scopeOf(ingest, call, input), input)),
      handle(sessionsWho, async (call, input) =>
        whoOfSessions(call, await scopeOf(ingest, call, input.question), input),
      ),
      handle(listSessions, async (call, input) => {
        const scope = await scopeOf(ingest, call, input);
        const rows = await ask(call, sessionList(scope, input, resolveRange(input.range, scope), input.limit), Session);
        return {
          sessions: rows.map(({ id, began, ended, events }) => ({
            person: id,
            start: new Date(began).toISOString(),
            durationSeconds: (ended - began) / 1000,
            events,
          })),
        };
      }),
    ],
  });
