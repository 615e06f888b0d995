import { z } from "zod";
import { grouped } from "#kernel/grouped.ts";
import type { WorkspaceCall } from "#kernel/module.ts";
import type { Outbound } from "#kernel/outbound.ts";
import { Refusal } from "#kernel/refusal.ts";
import { engineTime } from "#kernel/sql.ts";
import type { Store } from "#kernel/state/store.ts";
import { ask } from "#records/common/ask.ts";
import { storable } from "#records/events/incoming.ts";
import { maskText } from "../../privacy/redact.ts";
import { partsToScore } from "../query.ts";
import type { View } from "../relation.ts";
import { madeHere, standingOf, type Book } from "../versions/book.ts";
import { judge } from "./client.ts";
import { JudgeSettings } from "./contract.ts";
import { promptVersion, type JudgedTurn, type Judgement } from "./prompt.ts";
import { spent, unjudged, unjudgedCount, untold } from "./query.ts";
import { scoreRow, Untold } from "./as-score.ts";

/** Judges a sample of conversations or all, within what a day may cost. Nothing leaves where it is not switched on. */

const [eachTurn, atOnce, sinceDays, dayMs, longestTurnMs] = [200, 4, 90, 86_400_000, 60_000];
/** Judgements that become scores at a time. */
const batch = 1_000;
/** Every so many are judged twice, to see how far the judge agrees with itself. */
const twiceEvery = 20;

const Left = z.object({ left: z.number() });
const Waiting = z.object({ conversation: z.string(), content: z.string(), actor: z.string() });
const Part = z.object({ conversation: z.string(), id: z.string(), role: z.string(), text: z.string(), at: z.number() });
export const Spent = z.object({ judged: z.number(), failed: z.number(), today: z.number(), tokens: z.number(), tokensIn: z.number(), tokensOut: z.number(), quoted: z.number(), found: z.number() }); // prettier-ignore

type Quoted = Judgement["drivers"][number]["quotes"][number];
const off = JudgeSettings.parse({ isOn: false });

/** Whoever judges: another model or another question is another judge. */
export const judgeOf = ({ model }: JudgeSettings): string => `${model} (${promptVersion})`;
/** As a version of the score. */
const prefix = "judge ";
const versionOf = (settings: JudgeSettings): string => `${prefix}${judgeOf(settings)}`;
export const startOfDay = (now: number): number => now - (now % dayMs);

export const createJudge = (store: Store, outbound: Outbound, book: Book) => {
  const rowOf = (call: WorkspaceCall) => store.selectFrom("cx_judges").selectAll().where("workspace", "=", call.workspace.id).executeTakeFirst(); // prettier-ignore
  const settingsOf = async (call: WorkspaceCall): Promise<JudgeSettings> => {
    const row = await rowOf(call);
    return row === undefined ? off : JudgeSettings.parse(JSON.parse(row.settings));
  };
  const tell = async (call: WorkspaceCall, problem: string): Promise<void> => {
    await store.updateTable("cx_judges").set({ problem }).where("workspace", "=", call.workspace.id).execute();
  };

  /** One conversation, once or twice; gives back how many tokens it took. */
  const judgeOne = async (
    call: WorkspaceCall,
    settings: JudgeSettings,
    one: z.output<typeof Waiting>,
    parts: readonly z.output<typeof Part>[],
  ): Promise<number> => {
    const turns = parts.map(({ id, role, text }): JudgedTurn => ({ id, role, text: maskText(text) }));
    /** Where the words are in what was written; masking may have moved them. */
    const inText = ({ part, start, end }: Quoted): readonly Quoted[] => {
      const at = parts.findIndex(({ id }) => id === part);
      const [said, words] = [parts[at]?.text ?? "", turns[at]?.text.slice(start, end) ?? ""];
      const from = said.startsWith(words, start) ? start : said.indexOf(words);
      return from === -1 ? [] : [{ part, start: from, end: from + words.length }];
    };
    const { address, model, secret: key } = settings;
    const endpoint = { address, model, key, region: call.workspace.region };
    const runs = Number.parseInt(one.content.slice(0, 6), 16) % twiceEvery === 0 ? [1, 2] : [1];
    let tokens = 0;
    for (const run of runs) {
      const { judgement, problem, tokensIn, tokensOut } = await judge(outbound, endpoint, turns, call.signal);
      tokens += tokensIn + tokensOut;
      // written down one by one: what was paid for is not asked again
      await call.engine.insert("cx_judgements", storable({ conversation: one.conversation, content: one.content, actor: one.actor, judge: judgeOf(settings), run, score: judgement?.score ?? null, reason: judgement?.reason ?? "", problem, detail: JSON.stringify((judgement?.drivers ?? []).map((driver) => ({ ...driver, quotes: driver.quotes.flatMap(inText) }))), quoted: judgement?.quoted ?? 0, found: judgement?.found ?? 0, tokens_in: tokensIn, tokens_out: tokensOut, at: engineTime(Date.now()) })); // prettier-ignore
    }
    return tokens;
  };

  /** As conversations are scored here: what another judge said of them is none of a judge's business. */
  const viewOf = async (call: WorkspaceCall): Promise<View> => ({
    standing: standingOf(madeHere(await book.known(call))),
    range: { from: call.now - sinceDays * dayMs, to: call.now + 1 },
  });

  /** What it said becomes scores of its version, those from when it judged a sample as well. */
  const tellAll = async (call: WorkspaceCall, settings: JudgeSettings, view: View): Promise<void> => {
    const version = versionOf(settings);
    for (let told = batch; told === batch && !call.signal.aborted;) {
      const rows = await call.engine.rows(untold(view, judgeOf(settings), version, batch), Untold, { purpose: "maintain", signal: call.signal }); // prettier-ignore
      const lines = rows.map((one) => storable(scoreRow(version, one, Date.now()))).join("\n");
      if (rows.length > 0) await call.engine.insert("cx_scores", lines);
      told = rows.length;
    }
  };

  /** Asks about what was not judged, as far as the day's budget goes; gives back what went wrong; undefined where it asked nothing. */
  const askAll = async (call: WorkspaceCall, settings: JudgeSettings, view: View): Promise<string | undefined> => {
    const maintain = { purpose: "maintain", signal: call.signal } as const;
    const [held] = await call.engine.rows(spent(startOfDay(call.now)), Spent, maintain);
    const left = Math.min(eachTurn, settings.perDay - (held?.today ?? 0));
    let tokens = held?.tokens ?? 0;
    if (left <= 0 || tokens >= settings.tokensPerDay) return undefined;
    const waiting = await call.engine.rows(unjudged(view, judgeOf(settings), settings.use, left), Waiting, maintain);
    const parts = await call.engine.rows(partsToScore(waiting.map(({ conversation }) => conversation)), Part, maintain);
    const partsBy = grouped(parts, ({ conversation }) => conversation);
    const began = Date.now();
    const queue = waiting.values();
    /** Takes one after another, as long as it may. */
    const work = async (most: number): Promise<void> => {
      for (let taken = 0; taken < most; taken += 1) {
        const { value: one } = queue.next();
        // asked each time: who switches it off means now
        if (one === undefined || call.signal.aborted || Date.now() - began > longestTurnMs || tokens >= settings.tokensPerDay || !(await settingsOf(call)).isOn) return;
        const took = await judgeOne(call, settings, one, partsBy.get(one.conversation) ?? []);
        tokens += took;
      }
    };
    // the first by itself: an endpoint that is away, or takes no such key, is asked once
    const [first] = await Promise.allSettled([work(1)]);
    const ended = first.status === "rejected" ? [first] : await Promise.allSettled(Array.from({ length: atOnce }, () => work(eachTurn)));
    const failure = ended.find((one) => one.status === "rejected");
    return failure === undefined ? "" : (failure.reason instanceof Error ? failure.reason.message : "It failed.").slice(0, 500);
  }; // prettier-ignore

  const run = async (call: WorkspaceCall): Promise<void> => {
    const settings = await settingsOf(call);
    if (!settings.isOn) return;
    if (settings.use === "all") {
      const version = (await book.known(call)).find(({ id }) => id === versionOf(settings));
      if (version === undefined || version.state === "dropped")
        return tell(call, "Its version was put away, so it judges none. Save this again to let it go on, or let it judge a sample."); // prettier-ignore
    }
    const view = await viewOf(call);
    const problem = await askAll(call, settings, view);
    if (settings.use === "all") await tellAll(call, settings, view);
    if (problem !== undefined && !call.signal.aborted) await tell(call, problem);
  };

  return {
    run,
    rowOf,
    settingsOf,
    /** How many conversations a version of a judge is still to score. */
    waiting: async (call: WorkspaceCall, version: string): Promise<number> => {
      const [found] = await ask(call, unjudgedCount(await viewOf(call), version.slice(prefix.length)), Left);
      return found?.left ?? 0;
    },
    /** Refuses to let a version of a judge count that does not score what comes. */
    check: async (call: WorkspaceCall, version: string): Promise<void> => {
      const settings = await settingsOf(call);
      if (settings.isOn && settings.use === "all" && versionOf(settings) === version) return;
      throw new Refusal("cx.judge_away", "This language model does not judge all conversations now. Set it up so, then switch it on."); // prettier-ignore
    },
    set: async (call: WorkspaceCall, given: JudgeSettings): Promise<void> => {
      const before = await settingsOf(call);
      if (given.isOn) outbound.check(given.address, call.workspace.region);
      // a key goes to the address that it was given for, and to no other
      const secret = given.secret === "" && given.address === before.address ? before.secret : given.secret;
      const row = { settings: JSON.stringify({ ...given, secret }), problem: "", updated_at: new Date(call.now).toISOString() }; // prettier-ignore
      await store.insertInto("cx_judges").values({ workspace: call.workspace.id, ...row }).onConflict((conflict) => conflict.column("workspace").doUpdateSet(row)).execute(); // prettier-ignore
      if (given.isOn && given.use === "all") await book.addJudge(call, versionOf(given));
    },
  };
};
export type Judge = ReturnType<typeof createJudge>;
