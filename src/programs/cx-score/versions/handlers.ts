import { z } from "zod";
import { newId } from "#kernel/ids.ts";
import { handle, type Handler, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Sql } from "#kernel/sql.ts";
import type { Store } from "#kernel/state/store.ts";
import { ask } from "#records/common/ask.ts";
import { labelRows, ratingRows, scoresFor, unscoredCount } from "../query.ts";
import { judgeRows } from "../judge/query.ts";
import type { Judge } from "../judge/work.ts";
import { modelVersion } from "../scorer/heads.ts";
import { disagreementsIn, measuresOf, truthsOf, weighed, type Label } from "../trust.ts";
import { Tenth } from "../lookup.ts";
import { passesOf, scoredPlainly, shadowDays } from "../work.ts";
import { activeOf, judgeModel, madeHere, standingOf, type Book, type Version } from "./book.ts";
import { calibrate, leastLabels, reliability, type Point } from "./calibration.ts";
import * as contract from "./contract.ts";
import { changes, distribution, mostChanged, scoresBy, transitions } from "./query.ts";

const Labelled = z.object({ conversation: z.string(), by: z.string(), label: z.number() });
const ScoreOf = z.object({ conversation: z.string(), score: z.number() });
const Left = z.object({ left: z.number() });
const Changed = z.object({ kind: z.enum(["all", "channel", "team", "language"]), name: z.string(), conversations: z.number(), meanBefore: z.number(), meanAfter: z.number(), goodBefore: z.number(), goodAfter: z.number() }); // prettier-ignore
const Band = z.enum(["low", "middle", "high"]);
const Moved = z.object({ was: Band, is: Band, conversations: z.number() });
const Example = z.object({ id: z.string(), before: z.number(), after: z.number(), summary: z.string() });

/** Of labels, the latest: more of them take long and teach little. */
const mostLearnt = 5_000;
const mean = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0) / all.length;

/** Each labelled conversation with its score; the same weight for all. */
const pointsOf = (labels: readonly Label[], scores: readonly z.output<typeof ScoreOf>[]): Point[] => {
  const truths = truthsOf(labels);
  return scores.flatMap(({ conversation, score }) => {
    const label = truths.get(conversation);
    return label === undefined ? [] : [{ score, label, weight: 1 }];
  });
};

const heldAgainst = (points: readonly Point[]) => ({
  ...measuresOf(points),
  error: points.length === 0 ? null : mean(points.map(({ score, label }) => (label - score) ** 2)),
});

/** Operations on versions of the score. */
export const versionHandlers = (book: Book, store: Store, judge: Judge): Handler[] => {
  const waitingOf = async (call: WorkspaceCall, versions: readonly Version[], id: string): Promise<number> => {
    if (versions.some((one) => one.id === id && one.model === judgeModel)) return judge.waiting(call, id);
    const pass = passesOf(versions, call.now).findLast((one) => one.id === id);
    if (pass === undefined) return 0;
    const [found] = await ask(call, unscoredCount(pass), Left);
    return found?.left ?? 0;
  };
  const recent = (call: WorkspaceCall) => ({ from: call.now - shadowDays * 86_400_000, to: call.now + 1 });

  return [
    handle(contract.list, async (call) => {
      const versions = await book.known(call);
      const active = activeOf(versions);
      const shown = versions.filter(({ state }) => state !== "dropped");
      return {
        needsSwitch: activeOf(madeHere(versions))?.model !== modelVersion,
        versions: await Promise.all(shown.map(async ({ id, model, state, madeAt, calibration, activations }) => ({
          id,
          model,
          state,
          madeAt,
          isActive: id === active?.id,
          isJudge: model === judgeModel,
          calibration: calibration === undefined ? null : { method: calibration.method, labels: calibration.labels, before: calibration.before, after: calibration.after },
          activations: activations.map(({ since, rebased }) => ({ at: since === 0 ? null : new Date(since).toISOString(), rebased })),
          waiting: await waitingOf(call, versions, id),
        }))),
      };
    }),
    handle(contract.calibrate, async (call, { from }) => {
      const rows: Sql = { people: labelRows, customers: ratingRows, judge: judgeRows }[from];
      const view = { standing: await book.standing(call), range: recent(call) };
      const [labels, all] = await Promise.all([ask(call, rows, Labelled), ask(call, distribution(view), Tenth)]);
      // scored anew as the scorer does it by itself: what is there may have been moved by another calibration
      const truths = [...truthsOf(labels)].slice(0, mostLearnt);
      const plain = await scoredPlainly(call, truths.map(([conversation]) => conversation));
      const known = truths.flatMap(([conversation, label]) => { const one = plain.get(conversation); return one === undefined ? [] : [{ ...one, label }]; });
      const points = weighed(known.map(({ score, label }) => ({ score, label })), all);
      if (points.length < leastLabels) throw new Refusal("cx.few_labels", `${points.length} conversations have a label and can be scored; ${leastLabels} are needed. Label more of them, or bring what customers answered.`, { labels: points.length });
      const found = await calibrate(points, known.map(({ features }) => features));
      if (found === undefined) throw new Refusal("cx.no_better", "Nothing that can be learnt does better on labels that it has not seen: the score stays as it is.", { labels: points.length });
      const id = `${modelVersion}+${newId("cal")}`;
      await book.addShadow(call, id, found);
      return { id };
    }),
    handle(contract.compare, async (call, { id }) => {
      await book.find(call, id);
      const versions = await book.known(call);
      const view = { standing: standingOf(versions), range: recent(call) };
      const [parts, moves, examples, waiting, labels, used, other] = await Promise.all([ask(call, changes(view, id), Changed), ask(call, transitions(view, id), Moved), ask(call, mostChanged(view, id, 20), Example), waitingOf(call, versions, id), ask(call, labelRows, Labelled), ask(call, scoresFor({ standing: view.standing }, labelRows), ScoreOf), ask(call, scoresBy(id, labelRows), ScoreOf)]);
      const whole = parts.find(({ kind }) => kind === "all");
      const side = (conversations: number, average: number, good: number) => ({ mean: conversations === 0 ? null : average, good: conversations === 0 ? null : good / conversations });
      const both = ({ conversations, meanBefore, meanAfter, goodBefore, goodAfter }: z.output<typeof Changed>) => ({ before: side(conversations, meanBefore, goodBefore), after: side(conversations, meanAfter, goodAfter) });
      const shared = new Set(other.map(({ conversation }) => conversation));
      const [before, after] = [pointsOf(labels, used.filter(({ conversation }) => shared.has(conversation))), pointsOf(labels, other)];
      return {
        waiting,
        conversations: whole?.conversations ?? 0,
        ...(whole === undefined ? { before: side(0, 0, 0), after: side(0, 0, 0) } : both(whole)),
        segments: parts.flatMap((one) => (one.kind === "all" ? [] : [{ kind: one.kind, name: one.name, conversations: one.conversations, ...both(one) }])),
        transitions: moves,
        examples,
        agreement: { before: heldAgainst(before), after: heldAgainst(after) },
        reliability: { before: reliability(before), after: reliability(after) },
      };
    }),
    handle(contract.activate, async (call, { id, rebase }) => {
      if ((await book.find(call, id)).model === judgeModel) await judge.check(call, id);
      await book.activate(call, id, rebase);
      // whoever reads a chart of it sees why it moved
      const made_by = call.principal.kind === "nobody" ? "" : call.principal.id;
      await store.insertInto("annotations").values({ id: newId("note"), workspace: call.workspace.id, day: new Date(call.now).toISOString().slice(0, 10), text: `CX Score: version ${id} was switched on${rebase ? ", for what was scored before as well" : ""}`, made_by, made_at: new Date(call.now).toISOString() }).execute();
      return { ok: true as const };
    }),
    handle(contract.drop, async (call, { id }) => {
      await book.drop(call, id);
      return { ok: true as const };
    }),
    handle(contract.disagreements, async (call) => {
      const found = disagreementsIn(await ask(call, labelRows, Labelled));
      const ids = [...new Set(found.flatMap(({ labels }) => labels.map(({ by }) => by)))];
      const members = ids.length === 0 ? [] : await store.selectFrom("members").select(["id", "name"]).where("id", "in", ids.slice(0, 500)).execute();
      const names = new Map(members.map(({ id, name }) => [id, name]));
      return { conversations: found.slice(0, 100).map(({ id, labels }) => ({ id, labels: labels.map(({ by, label }) => ({ by: names.get(by) ?? by, label })) })) };
    }),
  ];
}; // prettier-ignore
