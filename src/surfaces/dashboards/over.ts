import { Question } from "#surfaces/explore/contract.ts";
import type { View } from "./contract.ts";

/** A question over the range and under the conditions that the whole dashboard is looked at. Browser-safe. */
export const questionOver = (question: Question, { days, filters }: View): Question => {
  if (question.kind === "sql") return question;
  const range = days === undefined ? {} : { range: { last: days, unit: "day" } };
  const all = [...question.input.filters, ...filters];
  return Question.parse({ ...question, input: { ...question.input, ...range, filters: all } });
};
