import { z } from "zod";
import { defineModule, handle, type Module } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import type { Ingest } from "#records/events/ingest.ts";
import * as contract from "./contract.ts";
import { planOf } from "./plan.ts";
import { pastOf } from "./query.ts";

const dayMs = 86_400_000;
const Past = z.object({ people: z.number(), mean: z.number(), sd: z.number(), share: z.number(), shareSd: z.number(), meanCorrelation: z.number(), shareCorrelation: z.number() }); // prettier-ignore

/** Experiments: how large they have to be. */
export const experiments = ({ ingest }: { readonly ingest: Ingest }): Module =>
  defineModule({
    name: "experiments",
    operations: [
      handle(contract.plan, (_, input) => Promise.resolve(planOf(input))),
      handle(contract.history, async (call, { exposure, outcome, property, kind, days, windowDays }) => {
        const scope = await scopeOf(ingest, call);
        // who was exposed last has had the whole window
        const to = call.now - windowDays * dayMs;
        const statement = pastOf(scope, exposure, outcome, property, { from: to - days * dayMs, to }, windowDays);
        const [found] = await ask(call, statement, Past);
        if (found === undefined || found.people < 2)
          throw new Refusal("experiments.nobody", `In ${days} days, up to ${windowDays} days ago, fewer than two people did what would make them take part.`, {}, 404); // prettier-ignore
        const isShare = kind === "proportion";
        return {
          people: found.people,
          perDay: found.people / days,
          baseline: isShare ? found.share : found.mean,
          sd: isShare ? found.shareSd : found.sd,
          correlation: Math.max(0, Math.min(0.99, isShare ? found.shareCorrelation : found.meanCorrelation)),
        };
      }),
    ],
  });
