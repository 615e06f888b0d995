import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import type { Outbound } from "#kernel/outbound.ts";
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
  conversationList,
  driverCounts,
  driverTrend,
  fitCounts,
  fitExamples,
  headOf,
  labelledRows,
  labelOf,
  labelRows,
  labelsOf,
  nextFor,
  parts as partsBy,
  partsOf,
  periods,
  plansOf,
  ratingRows,
  reasonCounts,
  scoresAmong,
  scoresFor,
  scoresOf,
  together,
  waitingCount,
  weekOf,
} from "./query.ts";
import { drivers, reasons } from "./scorer/conversation.ts";
import { modelVersion } from "./scorer/heads.ts";
import { createRules } from "./rules.ts";
import { agreementWith, biasOf, disagreementsIn, settled, trustOf } from "./trust.ts";
import { judgeHandlers } from "./judge/handlers.ts";
import { judgeRows } from "./judge/query.ts";
import { createJudge } from "./judge/work.ts";
import { promptVersion } from "./judge/prompt.ts";
import type { Themes } from "./themes/book.ts";
import { themeHandlers } from "./themes/handlers.ts";
import { createBook } from "./versions/book.ts";
import { versionHandlers } from "./versions/handlers.ts";
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
const Parted = Counted.extend({ driver: Text, points: z.number() });
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
  since: z.coerce.number(),
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
const Trend = z.object({ week: Text, driver: z.enum(drivers), total: z.number() });
const Brief = z.object({ conversation: Text, score: Maybe, summary: Text });
const Own = z.object({ label: z.number() });
const LabelledRow = z.object({
  score: z.number(),
  label: z.number(),
  language: Text,
  channel: Text,
  length: z.number(),
  plan: Text,
});
const memberOf = ({ principal }: WorkspaceCall): string => (principal.kind === "nobody" ? "" : principal.id);

interface Parts {
  readonly ingest: Ingest;
  readonly registry: SourceRegistry;
  readonly store: Store;
  readonly notify: Notify;
  readonly outbound: Outbound;
  readonly themes: Themes;
}

/** CX Score: how each conversation went, from 1 to 5, and why. */
export const cxScore = ({ ingest, registry, store, notify, outbound, themes }: Parts): Module => {
  const book = createBook(store);
  const judge = createJudge(store, outbound, book);
  const rules = createRules({ store, notify, book, themes });
  const productsOf = async (call: WorkspaceCall) => new Map((await registry.list(call.workspace.id)).flatMap(({ id, product }) => (product === "" ? [] : [[id, product] as const])));
  const namesOf = async (call: WorkspaceCall) => {
    const roots = await themes.roots(call);
    return { products: await productsOf(call), roots: new Map([...roots].map(([id, { root }]) => [id, root])), titles: new Map([...roots.values()].map(({ root, title }) => [root, title])) };
  };
  return defineModule({
    name: "cx-score",
    jobs: [{ name: "cx.score", everyMs: 5_000, run: async (call) => { await scoreAll(call, { ingest, registry, book, themes }); } }, { name: "cx.rules", everyMs: 10_000, run: rules.run }, { name: "cx.themes", everyMs: 60_000, run: themes.run }, { name: "cx.judge", everyMs: 30_000, run: judge.run }],
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
      {
        id: "cx-judge",
        name: "Judge of conversations",
        kind: "llm",
        version: String(promptVersion),
        purpose: "A language model of your choice scores a sample of conversations, to hold the CX Score against it and to calibrate it.",
        risk: "limited",
        oversight: "It is off until somebody who governs names its address; then masked text leaves for it, within a budget a day, and switching it off ends that at once. Its scores count for nothing by themselves: they stand beside what your people say, and a calibration that learnt from them runs in shadow until it is switched on.",
        needsRelease: false,
      },
    ],
    operations: [
      handle(contract.overview, async (call, { from, to }) => {
        const scope = await scopeOf(ingest, call);
        const standing = await book.standing(call);
        const view = { standing, range: resolveRange({ from, to }, scope) };
        const counted = (by: Parameters<typeof periods>[1]) => ask(call, periods(view, by), Counted);
        const [[total], weeks, why, moved, trend, [left]] = await Promise.all([counted(together), counted(weekOf(scope)), ask(call, reasonCounts(view), Reasons), ask(call, driverCounts(view), Drivers), ask(call, driverTrend(view, weekOf(scope)), Trend), ask(call, waitingCount, z.object({ waiting: z.number() }))]);
        const whole = total ?? { name: "", conversations: 0, scored: 0, mean: null, good: 0, byAi: null, byTeammate: null };
        return {
          model: standing.at(-1)?.id ?? modelVersion,
          total: { ...periodOf(whole), from },
          weeks: weeks.map(periodOf),
          reasons: why,
          drivers: moved.map(({ total: sum, ...one }) => ({ ...one, points: whole.scored === 0 ? 0 : sum / whole.scored })),
          trend: trend.map(({ week, driver, total: sum }) => ({ from: week, driver, points: sum / Math.max(1, weeks.find(({ name }) => name === week)?.scored ?? 1) })),
          handlers: { ai_agent: whole.byAi, human_agent: whole.byTeammate },
          switches: standing.filter(({ since }) => since >= view.range.from && since < view.range.to).map(({ id, since, rebased }) => ({ at: new Date(since).toISOString(), version: id, rebased })),
          waiting: left?.waiting ?? 0,
        };
      }),
      handle(contract.breakdown, async (call, { from, to, part }) => {
        if (part.by === "account_trait" && part.trait === "") throw new Refusal("cx.no_trait", "Name the trait of accounts, such as their plan.");
        const scope = await scopeOf(ingest, call);
        const [standing, names, range] = [await book.standing(call), await namesOf(call), resolveRange({ from, to }, scope)];
        const before = { from: range.from - (range.to - range.from), to: range.from };
        const [found, earlier] = await Promise.all([ask(call, partsBy(scope, { standing, range }, part, names), Parted), ask(call, partsBy(scope, { standing, range: before }, part, names), Parted)]);
        const earlierOf = new Map(earlier.map((one) => [one.name, one]));
        // a person is not judged by a handful
        const shown = part.by === "assignee" ? found.filter(({ scored, name }) => scored >= contract.leastOfTeammate || name === "") : found;
        return {
          parts: shown.map(({ name, conversations, scored, mean, good, driver, points }) => ({ name, title: part.by === "topic" ? (names.titles.get(name) ?? name) : name, before: { conversations: earlierOf.get(name)?.conversations ?? 0, mean: earlierOf.get(name)?.mean ?? null }, conversations, scored, mean, good: shareOf(good, scored), driver: drivers.find((one) => one === driver) ?? null, points })),
          withheld: found.length - shown.length,
        };
      }),
      handle(contract.list, async (call, { from, to, rule, ...given }) => {
        const wanted = { ...given, ...(rule === undefined ? {} : { among: await rules.flagged(call, rule) }) };
        const scope = await scopeOf(ingest, call);
        const view = { standing: await book.standing(call), range: resolveRange({ from, to }, scope) };
        const rows = await ask(call, conversationList(scope, view, await namesOf(call), wanted), Listed);
        return { conversations: rows.map(({ moment, contributions, ...row }) => ({ ...row, at: iso(moment), drivers: row.drivers.map((driver, at) => ({ driver, contribution: contributions[at] ?? 0 })) })) };
      }),
      handle(contract.get, async (call, { id }) => {
        const scope = await scopeOf(ingest, call);
        const [head] = await ask(call, headOf(scope, id), Head);
        if (head === undefined) throw new Refusal("cx.unknown", "There is no such conversation in this workspace.", {}, 404);
        const standing = await book.standing(call);
        const [parts, scores, labels, [own]] = await Promise.all([ask(call, partsOf(id), Part), ask(call, scoresOf(standing, id), Score), ask(call, labelsOf(id), Labelled), ask(call, labelOf(id, memberOf(call)), Own)]);
        return {
          ...head,
          label: own?.label ?? null,
          isDisputed: disagreementsIn(labels).length > 0,
          parts: parts.map(({ private: isPrivate, moment, ...part }) => ({ ...part, isPrivate: isPrivate === 1, at: iso(moment) })),
          scores: scores.map(({ detail, limited, moment, since, ...score }) => ({ ...score, isUsed: since >= 0, limited: limited === 1, drivers: contract.Detail.parse(JSON.parse(detail)), scoredAt: iso(moment) })),
        };
      }),
      handle(contract.trust, async (call) => {
        const view = { standing: await book.standing(call) };
        const against = async (rows: typeof labelRows) => {
          const [labels, scores] = await Promise.all([ask(call, rows, Labelled), ask(call, scoresFor(view, rows), ScoreOf)]);
          return trustOf(labels, new Map(scores.map(({ conversation, score }) => [conversation, score])));
        };
        const [people, customers, said, judged] = await Promise.all([against(labelRows), against(ratingRows), ask(call, labelRows, Labelled), ask(call, judgeRows, Labelled)]);
        const judge = agreementWith(said, new Map(judged.map(({ conversation, label }) => [conversation, label])));
        const bias = biasOf(await ask(call, labelledRows(view, people.labelled > 0 ? labelRows : ratingRows, plansOf(call)), LabelledRow));
        return {
          bias,
          disputed: disagreementsIn(said).length,
          people: { ...people, rows: [...people.rows, ...(judge.pairs === 0 ? [] : [judge])] },
          // each answers once, so they cannot be held against each other
          customers: { ...customers, rows: [...customers.rows], says: "Who answers is not everybody: read it beside what your people say." },
        };
      }),
      handle(contract.label, async (call, { id, label, settles }) => {
        const scope = await scopeOf(ingest, call);
        const [head] = await ask(call, headOf(scope, id), Head);
        if (head === undefined) throw new Refusal("cx.unknown", "There is no such conversation in this workspace.", {}, 404);
        await call.engine.insert("cx_labels", storable({ conversation: id, by: settles ? settled : memberOf(call), actor: head.actor, label, at: engineTime(call.now) }));
        return { ok: true as const };
      }),
      handle(contract.next, async (call) => {
        const [found] = await ask(call, nextFor({ standing: await book.standing(call) }, memberOf(call)), z.object({ id: Text, how: Text }));
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
        const view = { standing: await book.standing(call), range: resolveRange({ from, to }, scope) };
        const asked = await rules.asked(call, rule);
        const [[counts], examples] = await Promise.all([ask(call, fitCounts(view, asked), z.object({ fits: z.number(), conversations: z.number() })), ask(call, fitExamples(view, asked), z.object({ id: Text, score: Maybe, summary: Text }))]);
        return { fits: counts?.fits ?? 0, conversations: counts?.conversations ?? 0, examples };
      }),
      handle(contract.reviews, async (call, { mine }) => {
        const me = memberOf(call);
        const waiting = await rules.waiting(call, mine ? me : undefined);
        const [members, named, scores] = await Promise.all([rules.members(call), rules.list(call), ask(call, scoresAmong(await book.standing(call), waiting.map(([id]) => id)), Brief)]);
        const [nameOf, ruleOf, scoreOf] = [new Map(members.map(({ id, name }) => [id, name])), new Map(named.map(({ id, rule }) => [id, rule.name])), new Map(scores.map((one) => [one.conversation, one]))];
        return {
          members,
          reviews: waiting.map(([conversation, { rules: own, at, assignee }]) => ({ conversation, rules: own.map((id) => ruleOf.get(id) ?? id), at, assignee: nameOf.get(assignee) ?? null, isMine: assignee === me, score: scoreOf.get(conversation)?.score ?? null, summary: scoreOf.get(conversation)?.summary ?? "" })),
        };
      }),
      handle(contract.review, async (call, { id, ...to }) => {
        await rules.review(call, id, memberOf(call), to);
        return { ok: true as const };
      }),
      ...versionHandlers(book, store),
      ...themeHandlers(themes),
      ...judgeHandlers(judge),
    ],
  });
}; // prettier-ignore
