import { z } from "zod";
import { handle, type Handler } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { engineTime } from "#kernel/sql.ts";
import { ask } from "#records/common/ask.ts";
import { storable } from "#records/events/incoming.ts";
import type { Ingest } from "#records/events/ingest.ts";
import * as contract from "./contract.ts";
import { judgeRows } from "./judge/query.ts";
import { labelledRows, labelRows, labelsOf, nextFor, plansOf, ratingRows, scoresFor } from "./query.ts";
import { headFor, Labelled, memberOf, Tenth } from "./lookup.ts";
import { agreementWith, biasOf, disagreementsIn, settled, trustOf, weighed } from "./trust.ts";
import { distribution } from "./versions/query.ts";
import type { Book } from "./versions/book.ts";

const Text = z.string();
const ScoreOf = z.object({ conversation: Text, score: z.number() });
const LabelledRow = z.object({
  score: z.number(),
  label: z.number(),
  language: Text,
  channel: Text,
  length: z.number(),
  plan: Text,
});

/** What people say of conversations, and how far the score may be trusted by it. */
export const labelHandlers = (ingest: Ingest, book: Book): Handler[] => [
  handle(contract.trust, async (call) => {
    const view = { standing: await book.standing(call) };
    const all = await ask(call, distribution(view), Tenth);
    const against = async (rows: typeof labelRows) => {
      const [labels, scores] = await Promise.all([ask(call, rows, Labelled), ask(call, scoresFor(view, rows), ScoreOf)]);
      const weights = new Map(weighed(scores, all).map(({ conversation, weight }) => [conversation, weight]));
      return { weights, trust: trustOf(labels, new Map(scores.map(({ conversation, score }) => [conversation, score])), weights) };
    };
    const [{ trust: people, weights }, { trust: customers }, said, judged] = await Promise.all([against(labelRows), against(ratingRows), ask(call, labelRows, Labelled), ask(call, judgeRows, Labelled)]);
    const judge = agreementWith(said, new Map(judged.map(({ conversation, label }) => [conversation, label])), weights);
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
    const head = await headFor(ingest, call, id);
    if (settles && (await ask(call, labelsOf(id), Labelled)).filter(({ by }) => by !== settled).length < 2) throw new Refusal("cx.nothing_to_settle", "Two people are to have labelled it before one label can stand for theirs.", {}, 409);
    await call.engine.insert("cx_labels", storable({ conversation: id, by: settles ? settled : memberOf(call), actor: head.actor, label, at: engineTime(call.now) }));
    return { ok: true as const };
  }),
  handle(contract.next, async (call) => {
    const [found] = await ask(call, nextFor({ standing: await book.standing(call) }, memberOf(call)), z.object({ id: Text }));
    return { id: found?.id ?? null };
  }),
]; // prettier-ignore
