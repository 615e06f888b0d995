import { z } from "zod";
import type { WorkspaceCall } from "#kernel/module.ts";
import type { Outbound } from "#kernel/outbound.ts";
import { engineTime } from "#kernel/sql.ts";
import type { Store } from "#kernel/state/store.ts";
import { storable } from "#records/events/incoming.ts";
import { maskText } from "../../privacy/redact.ts";
import { partsToScore } from "../query.ts";
import type { Book } from "../versions/book.ts";
import { judge } from "./client.ts";
import { JudgeSettings } from "./contract.ts";
import { promptVersion, type JudgedTurn } from "./prompt.ts";
import { spent, unjudged } from "./query.ts";

/** Judges a sample of conversations, within what a day may cost. Nothing leaves where it is not switched on. */

const [eachTurn, sinceDays, dayMs, longestTurnMs] = [20, 90, 86_400_000, 60_000];
/** Every so many are judged twice, to see how far the judge agrees with itself. */
const twiceEvery = 20;

const Waiting = z.object({ conversation: z.string(), content: z.string(), actor: z.string() });
const Part = z.object({ conversation: z.string(), id: z.string(), role: z.string(), text: z.string(), at: z.number() });
export const Spent = z.object({ judged: z.number(), failed: z.number(), today: z.number(), tokens: z.number(), tokensIn: z.number(), tokensOut: z.number(), quoted: z.number(), found: z.number() }); // prettier-ignore

const off = JudgeSettings.parse({ isOn: false });

/** Whoever judges: another model or another question is another judge. */
export const judgeOf = ({ model }: JudgeSettings): string => `${model} (${promptVersion})`;
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
    turns: readonly JudgedTurn[],
  ): Promise<number> => {
    const { address, model, secret: key } = settings;
    const endpoint = { address, model, key, region: call.workspace.region };
    const runs = Number.parseInt(one.content.slice(0, 6), 16) % twiceEvery === 0 ? [1, 2] : [1];
    let tokens = 0;
    for (const run of runs) {
      const { judgement, problem, tokensIn, tokensOut } = await judge(outbound, endpoint, turns, call.signal);
      tokens += tokensIn + tokensOut;
      // written down one by one: what was paid for is not asked again
      await call.engine.insert("cx_judgements", storable({ conversation: one.conversation, content: one.content, actor: one.actor, judge: judgeOf(settings), run, score: judgement?.score ?? null, reason: judgement?.reason ?? "", problem, detail: JSON.stringify(judgement?.drivers ?? []), quoted: judgement?.quoted ?? 0, found: judgement?.found ?? 0, tokens_in: tokensIn, tokens_out: tokensOut, at: engineTime(Date.now()) })); // prettier-ignore
    }
    return tokens;
  };

  const run = async (call: WorkspaceCall): Promise<void> => {
    const settings = await settingsOf(call);
    if (!settings.isOn) return;
    const maintain = { purpose: "maintain", signal: call.signal } as const;
    const [held] = await call.engine.rows(spent(startOfDay(call.now)), Spent, maintain);
    const left = Math.min(eachTurn, settings.perDay - (held?.today ?? 0));
    let tokens = held?.tokens ?? 0;
    if (left <= 0 || tokens >= settings.tokensPerDay) return;
    const view = {
      standing: await book.standing(call),
      range: { from: call.now - sinceDays * dayMs, to: call.now + 1 },
    };
    const waiting = await call.engine.rows(unjudged(view, judgeOf(settings), left), Waiting, maintain);
    const parts = await call.engine.rows(partsToScore(waiting.map(({ conversation }) => conversation)), Part, maintain);
    const began = Date.now();
    try {
      for (const one of waiting) {
        // asked each time: who switches it off means now
        if (
          call.signal.aborted ||
          Date.now() - began > longestTurnMs ||
          tokens >= settings.tokensPerDay ||
          !(await settingsOf(call)).isOn
        )
          return;
        const turns = parts.filter(({ conversation }) => conversation === one.conversation).map(({ id, role, text }) => ({ id, role, text: maskText(text) })); // prettier-ignore
        tokens += await judgeOne(call, settings, one, turns);
      }
      await tell(call, "");
    } catch (error) {
      if (call.signal.aborted) return;
      await tell(call, (error instanceof Error ? error.message : "It failed.").slice(0, 500));
    }
  };

  return {
    run,
    rowOf,
    settingsOf,
    set: async (call: WorkspaceCall, given: JudgeSettings): Promise<void> => {
      const before = await settingsOf(call);
      if (given.isOn) outbound.check(given.address, call.workspace.region);
      // a key goes to the address that it was given for, and to no other
      const secret = given.secret === "" && given.address === before.address ? before.secret : given.secret;
      const row = { settings: JSON.stringify({ ...given, secret }), problem: "", updated_at: new Date(call.now).toISOString() }; // prettier-ignore
      await store.insertInto("cx_judges").values({ workspace: call.workspace.id, ...row }).onConflict((conflict) => conflict.column("workspace").doUpdateSet(row)).execute(); // prettier-ignore
    },
  };
};
export type Judge = ReturnType<typeof createJudge>;
