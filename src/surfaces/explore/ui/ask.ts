import { call } from "#web/call.ts";
import type { Question } from "../contract.ts";
import { insightOf, type Answer } from "../insights.ts";

/** Asks a question by its kind. */
export const askQuestion = (question: Question, signal: AbortSignal): Promise<Answer> =>
  call(insightOf(question.kind).operation, question.input, signal);
