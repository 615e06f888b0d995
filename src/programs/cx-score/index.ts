import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { engineTime } from "#kernel/sql.ts";
import { Refusal } from "#kernel/refusal.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { iso } from "#records/common/iso.ts";
import type { Store } from "#kernel/state/store.ts";
import { storable } from "#records/events/incoming.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import { resolveRange } from "#insights/common/time.ts";
import { wilson } from "#stats/intervals.ts";
import type { Notify } from "../alerts/index.ts";
import * as contract from "./contract.ts";
import {
  column,
  conversationList,
  driverCounts,
  fitCounts,
  fitExamples,
  headOf,
  labelledRows,
  labelOf,
  labelRows,
  nextFor,
  partsOf,
  periods,
  ratingRows,
  reasonCounts,
  scoresFor,
  scoresOf,
  together,
  waitingCount,
  weekOf,
} from "./query.ts";
import { drivers, reasons } from "./scorer/conversation.ts";
import { modelVersion } from "./scorer/heads.ts";
import { createRules } from "./rules.ts";
import { biasOf, trustOf } from "./trust.ts";
import { scoreAll } from "./work.ts";

const Text = z.string();
const Maybe = z.number().nullable();
const Counted = z.object({
  name: Text,
  conversations: z.number(),
  scored: z.number(),
  mean: Maybe,
  good: z.number(),
  byAi: Maybe,
  byTeammate: Maybe,
});
const Reasons = z.object({ reason: z.enum(reasons), conversations: z.number() });
const Drivers = z.object({
  driver: z.enum(drivers),
  conversations: z.number(),
  negative: z.number(),
  positive: z.number(),
  total: z.number(),
});
const Listed = z.object({
  id: Text,
  moment: Text,
  score: Maybe,
  reason: Text,
  channel: Text,
  team: Text,
  account: Text,
  person: Text,
  summary: Text,
  drivers: z.array(Text),
  contributions: z.array(z.number()),
});
const Head = z.object({
  id: Text,
  actor: Text,
  subject: Text,
  channel: Text,
  team: Text,
  account: Text,
  person: Text,
  state: Text,
  rating: Maybe,
});
const Part = z.object({ id: Text, role: Text, author: Text, private: z.number(), text: Text, moment: Text });
const Score = z.object({
  model: Text,
  score: Maybe,
  reason: Text,
  confidence: z.number(),
  limited: z.number(),
  other: z.number(),
  ai: Maybe,
  teammate: Maybe,
  summary: Text,
  detail: Text,
  moment: Text,
});

const shareOf = (good: number, scored: number) => {
  const interval = wilson(good, scored);
  return interval === null ? null : { share: good / scored, lower: interval[0], upper: interval[1] };
};
const periodOf = ({ name, conversations, scored, mean, good }: z.output<typeof Counted>) => ({
  from: name,
  conversations,
  scored,
  mean,
  good: shareOf(good, scored),
});

const Labelled = z.object({ conversation: Text, by: Text, label: z.number() });
const ScoreOf = z.object({ conversation: Text, score: z.number() });
const Own = z.object({ label: z.number() });
const LabelledRow = z.object({
  score: z.number(),
  label: z.number(),
  language: Text,
  channel: Text,
  length: z.number(),
});
const memberOf = ({ principal }: WorkspaceCall): string => (principal.kind === "nobody" ? "" : principal.id);

interface Parts {
  readonly ingest: Ingest;
  readonly registry: SourceRegistry;
  readonly store: Store;
  readonly notify: Notify;
}

/** CX Score: how each conversation went, from 1 to 5, and why. */
export const cxScore = ({ ingest, registry, store, notify }: Parts): Module => {
  const rules = createRules({ store, notify });
  return defineModule({
    name: "cx-score",
    jobs: [{ name: "cx.score", everyMs: 5_000, run: async (call) => { await scoreAll(call, { ingest, registry }); } }, { name: "cx.rules", everyMs: 10_000, run: rules.run }],
    aiUses: [
      {
        id: "cx-score",
        name: "CX Score",
        kind: "model",
        version: modelVersion,
        purpose: "Scores each support conversation from 1 to 5, with what moved it and the words that show it.",
        risk: "limited",
        oversight: "Each score names its drivers and quotes. It judges conversations, not people: it is no measure of a teammate's work. How it was trained and how well it does is in docs/cx-score.md.",
        needsRelease: false,
      },
    ],
    operations: [
      handle(contract.overview, async (call, { from, to }) => {
        const scope = await scopeOf(ingest, call);
        const range = resolveRange({ from, to }, scope);
        const counted = (by: Parameters<typeof periods>[1]) => ask(call, periods(range, by), Counted);
        const [[total], weeks, why, moved, channels, teams, [left]] = await Promise.all([counted(together), counted(weekOf(scope)), ask(call, reasonCounts(range), Reasons), ask(call, driverCounts(range), Drivers), counted(column("channel")), counted(column("team")), ask(call, waitingCount, z.object({ waiting: z.number() }))]);
        const whole = total ?? { name: "", conversations: 0, scored: 0, mean: null, good: 0, byAi: null, byTeammate: null };
        const part = (kind: "channel" | "team") => (one: z.output<typeof Counted>) => ({ kind, name: one.name, conversations: one.conversations, mean: one.mean, good: shareOf(one.good, one.scored) });
        return {
          model: modelVersion,
          total: { ...periodOf(whole), from },
          weeks: weeks.map(periodOf),
          reasons: why,
          drivers: moved.map(({ total: sum, ...one }) => ({ ...one, points: whole.scored === 0 ? 0 : sum / whole.scored })),
          handlers: { ai_agent: whole.byAi, human_agent: whole.byTeammate },
          parts: [...channels.map(part("channel")), ...teams.map(part("team"))].filter(({ name }) => name !== ""),
          waiting: left?.waiting ?? 0,
        };
      }),
      handle(contract.list, async (call, { from, to, rule, ...given }) => {
        const wanted = { ...given, ...(rule === undefined ? {} : { among: await rules.flagged(call, rule) }) };
        const scope = await scopeOf(ingest, call);
        const rows = await ask(call, conversationList(scope, resolveRange({ from, to }, scope), wanted), Listed);
        return { conversations: rows.map(({ moment, contributions, ...row }) => ({ ...row, at: iso(moment), drivers: row.drivers.map((driver, at) => ({ driver, contribution: contributions[at] ?? 0 })) })) };
      }),
      handle(contract.get, async (call, { id }) => {
        const scope = await scopeOf(ingest, call);
        const [head] = await ask(call, headOf(scope, id), Head);
        if (head === undefined) throw new Refusal("cx.unknown", "There is no such conversation in this workspace.", {}, 404);
        const [parts, scores, [own]] = await Promise.all([ask(call, partsOf(id), Part), ask(call, scoresOf(id), Score), ask(call, labelOf(id, memberOf(call)), Own)]);
        return {
          ...head,
          label: own?.label ?? null,
          parts: parts.map(({ private: isPrivate, moment, ...part }) => ({ ...part, isPrivate: isPrivate === 1, at: iso(moment) })),
          scores: scores.map(({ detail, limited, moment, ...score }) => ({ ...score, limited: limited === 1, drivers: contract.Detail.parse(JSON.parse(detail)), scoredAt: iso(moment) })),
        };
      }),
      handle(contract.trust, async (call) => {
        const against = async (rows: typeof labelRows) => {
          const [labels, scores] = await Promise.all([ask(call, rows, Labelled), ask(call, scoresFor(rows), ScoreOf)]);
          return trustOf(labels, new Map(scores.map(({ conversation, score }) => [conversation, score])));
        };
        const [people, customers] = await Promise.all([against(labelRows), against(ratingRows)]);
        const bias = biasOf(await ask(call, labelledRows(people.labelled > 0 ? labelRows : ratingRows), LabelledRow));
        return {
          bias,
          people: { ...people, rows: [...people.rows] },
          // each answers once, so they cannot be held against each other
          customers: { ...customers, rows: [...customers.rows], says: "Who answers is not everybody: read it beside what your people say." },
        };
      }),
      handle(contract.label, async (call, { id, label }) => {
        const scope = await scopeOf(ingest, call);
        const [head] = await ask(call, headOf(scope, id), Head);
        if (head === undefined) throw new Refusal("cx.unknown", "There is no such conversation in this workspace.", {}, 404);
        await call.engine.insert("cx_labels", storable({ conversation: id, by: memberOf(call), actor: head.actor, label, at: engineTime(call.now) }));
        return { ok: true as const };
      }),
      handle(contract.next, async (call) => {
        const [found] = await ask(call, nextFor(memberOf(call)), z.object({ id: Text }));
        return { id: found?.id ?? null };
      }),
      handle(contract.rules, async (call) => ({ rules: await rules.list(call) })),
      handle(contract.saveRule, async (call, given) => ({ id: await rules.save(call, given) })),
      handle(contract.removeRule, async (call, { id }) => {
        await rules.remove(call, id);
        return { ok: true as const };
      }),
      handle(contract.tryRule, async (call, { from, to, rule }) => {
        const scope = await scopeOf(ingest, call);
        const range = resolveRange({ from, to }, scope);
        const [[counts], examples] = await Promise.all([ask(call, fitCounts(range, rule), z.object({ fits: z.number(), conversations: z.number() })), ask(call, fitExamples(range, rule), z.object({ id: Text, score: Maybe, summary: Text }))]);
        return { fits: counts?.fits ?? 0, conversations: counts?.conversations ?? 0, examples };
      }),
    ],
  });
}; // prettier-ignore
