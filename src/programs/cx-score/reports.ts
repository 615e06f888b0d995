import { z } from "zod";
import { handle, type Handler, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { iso } from "#records/common/iso.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import { resolveRange } from "#insights/common/time.ts";
import { wilson } from "#stats/intervals.ts";
import * as contract from "./contract.ts";
import { conversationList, driverWeeks, labelOf, labelsOf, parts as partsBy, partsOf, periods, reasonCounts, scoresOf, waitingCount, weekOf } from "./query.ts"; // prettier-ignore
import type { Rules } from "./rules.ts";
import { drivers, reasons } from "./scorer/conversation.ts";
import { modelVersion } from "./scorer/heads.ts";
import { headFor, Labelled, memberOf } from "./lookup.ts";
import type { Themes } from "../themes/book.ts";
import { disagreementsIn } from "./trust.ts";
import type { Book } from "./versions/book.ts";

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
const Whole = Counted.extend({ whole: z.number() });
const Parted = Counted.extend({ driver: Text, points: z.number() });
const Reasons = z.object({ reason: z.enum(reasons), conversations: z.number() });
const Drivers = z.object({
  week: Text,
  driver: z.enum(drivers),
  conversations: z.number(),
  negative: z.number(),
  positive: z.number(),
  total: z.number(),
});
const Own = z.object({ label: z.number() });
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

type Moved = z.output<typeof Drivers>;
/** What each driver did in all weeks together, the worst first. */
const together = (all: readonly Moved[]): Omit<Moved, "week">[] => {
  const found = new Map<Moved["driver"], Omit<Moved, "week">>();
  for (const { driver, conversations, negative, positive, total } of all) {
    const own = found.get(driver) ?? { driver, conversations: 0, negative: 0, positive: 0, total: 0 };
    found.set(driver, { driver, conversations: own.conversations + conversations, negative: own.negative + negative, positive: own.positive + positive, total: own.total + total }); // prettier-ignore
  }
  return [...found.values()].toSorted((a, b) => a.total - b.total);
};

interface Parts {
  readonly ingest: Ingest;
  readonly registry: SourceRegistry;
  readonly rules: Rules;
  readonly book: Book;
  readonly themes: Themes;
}

/** How conversations went: the whole, its parts, each of them. */
export const reportHandlers = ({ ingest, registry, rules, book, themes }: Parts): Handler[] => {
  const productsOf = async (call: WorkspaceCall) => new Map((await registry.list(call.workspace.id)).flatMap(({ id, product }) => (product === "" ? [] : [[id, product] as const])));
  const namesOf = async (call: WorkspaceCall) => {
    const roots = await themes.roots(call);
    return { products: await productsOf(call), roots: new Map([...roots].map(([id, { root }]) => [id, root])), titles: new Map([...roots.values()].map(({ root, title }) => [root, title])) };
  };
  return [
    handle(contract.overview, async (call, { from, to }) => {
      const scope = await scopeOf(ingest, call);
      const standing = await book.standing(call);
      const view = { standing, range: resolveRange({ from, to }, scope) };
      const week = weekOf(scope);
      const [counted, why, moved, [left]] = await Promise.all([ask(call, periods(view, week), Whole), ask(call, reasonCounts(view), Reasons), ask(call, driverWeeks(view, week), Drivers), ask(call, waitingCount, z.object({ waiting: z.number() }))]);
      const whole = counted.find((one) => one.whole === 1 && one.conversations > 0) ?? { name: "", conversations: 0, scored: 0, mean: null, good: 0, byAi: null, byTeammate: null };
      const weeks = counted.filter((one) => one.whole === 0);
      const scoredIn = new Map(weeks.map(({ name, scored }) => [name, scored]));
      return {
        model: standing.at(-1)?.id ?? modelVersion,
        total: { ...periodOf(whole), from },
        weeks: weeks.map(periodOf),
        reasons: why,
        drivers: together(moved).map(({ total, ...one }) => ({ ...one, points: whole.scored === 0 ? 0 : total / whole.scored })),
        trend: moved.map(({ week: from, driver, total }) => ({ from, driver, points: total / Math.max(1, scoredIn.get(from) ?? 1) })),
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
      const head = await headFor(ingest, call, id);
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
  ];
}; // prettier-ignore
