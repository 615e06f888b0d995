import { z } from "zod";
import { handle, type Handler } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { ask } from "#records/common/ask.ts";
import { iso } from "#records/common/iso.ts";
import { quadraticKappa } from "#stats/agreement.ts";
import * as contract from "./contract.ts";
import { judgementsOf, spent, twice } from "./query.ts";
import { Detail } from "./as-score.ts";
import { Spent, startOfDay, type Judge } from "./work.ts";

const Twice = z.object({ first: z.number(), second: z.number() });
const Row = z.object({ judge: z.string(), score: z.number().nullable(), reason: z.string(), problem: z.string(), detail: z.string(), moment: z.string() }); // prettier-ignore

/** Operations on the judge. */
export const judgeHandlers = (judge: Judge): Handler[] => [
  handle(contract.get, async (call) => {
    const [row, settings, [held], pairs] = await Promise.all([judge.rowOf(call), judge.settingsOf(call), ask(call, spent(startOfDay(call.now)), Spent), ask(call, twice, Twice)]);
    const { secret, ...shown } = settings;
    const kappa = quadraticKappa(pairs.map(({ first, second }) => ({ score: first, label: second })));
    return {
      settings: shown,
      hasSecret: secret !== "",
      problem: row?.problem ?? "",
      judged: held?.judged ?? 0,
      failed: held?.failed ?? 0,
      today: { judged: held?.today ?? 0, tokens: held?.tokens ?? 0 },
      tokensIn: held?.tokensIn ?? 0,
      tokensOut: held?.tokensOut ?? 0,
      quotes: { given: held?.quoted ?? 0, found: held?.found ?? 0 },
      twice: { pairs: pairs.length, kappa: Number.isFinite(kappa) ? kappa : null, same: pairs.length === 0 ? null : pairs.filter(({ first, second }) => Math.abs(first - second) <= 0.5).length / pairs.length },
    };
  }),
  handle(contract.set, async (call, { settings }) => {
    if (settings.isOn && (settings.address === "" || settings.model === "")) throw new Refusal("cx.judge_settings", "Name the address and the model.");
    await judge.set(call, settings);
    return { ok: true as const };
  }),
  handle(contract.verdicts, async (call, { id }) => ({
    judgements: (await ask(call, judgementsOf(id), Row)).map(({ detail, moment, ...row }) => ({ ...row, at: iso(moment), drivers: Detail.parse(JSON.parse(detail)).map((one) => ({ ...one, isSupported: one.quotes.length > 0 })) })),
  })),
]; // prettier-ignore
