import { askFunnel } from "#insights/funnels/contract.ts";
import { askRetention } from "#insights/retention/contract.ts";
import { askTrends } from "#insights/trends/contract.ts";
import { Question } from "../contract.ts";
import { call } from "#web/call.ts";
import type { Answer } from "./answer.ts";
import { breakdownOf, rangeOf, type Asked } from "./state.ts";

/** What the builder holds, as a question that can be asked and saved. */
export const questionOf = (asked: Asked): Question => {
  const range = rangeOf(asked);
  const breakdown = breakdownOf(asked.breakdown);
  if (asked.kind === "funnel") {
    const steps = asked.events.map((event) => ({ event }));
    return Question.parse({
      kind: "funnel",
      input: { range, steps, windowSeconds: asked.windowDays * 86_400, breakdown },
    });
  }
  if (asked.kind === "retention") {
    const [start = "", returning = start] = asked.events;
    const by = breakdown?.on === "person" ? { property: breakdown.property } : undefined;
    const period = asked.interval === "hour" ? "day" : asked.interval;
    const input = { range, start: { event: start }, returning: { event: returning }, period, breakdown: by };
    return Question.parse({ kind: "retention", input });
  }
  const property = asked.property === "" ? undefined : asked.property;
  const series = asked.events.slice(0, 10).map((event) => ({ event, measure: asked.measure, property }));
  const compare = asked.compare ? {} : undefined;
  return Question.parse({ kind: "trends", input: { range, series, interval: asked.interval, breakdown, compare } });
};

/** Asks a question by its kind. */
export const askQuestion = (question: Question, signal: AbortSignal): Promise<Answer> => {
  if (question.kind === "funnel") return call(askFunnel, question.input, signal);
  if (question.kind === "retention") return call(askRetention, question.input, signal);
  return call(askTrends, question.input, signal);
};
