import { z } from "zod";
import { handle, type Handler } from "#kernel/module.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import type { Ingest } from "#records/events/ingest.ts";
import { resolveRange } from "#insights/common/time.ts";
import * as contract from "./contract.ts";
import { fitCounts, fitExamples, scoresAmong } from "./query.ts";
import type { Rules } from "./rules.ts";
import { memberOf } from "./lookup.ts";
import type { Book } from "./versions/book.ts";

const Text = z.string();
const Maybe = z.number().nullable();
const Brief = z.object({ conversation: Text, score: Maybe, summary: Text });

/** Rules, and what they flag. */
export const ruleHandlers = (ingest: Ingest, rules: Rules, book: Book): Handler[] => [
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
]; // prettier-ignore
