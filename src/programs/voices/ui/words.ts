import type { conversationKinds } from "#records/conversations/contract.ts";
import type { StatementType } from "../types.ts";

export const typeWords: Readonly<Record<StatementType, string>> = { problem: "Problem", request: "Request", praise: "Praise", job: "Job to be done" }; // prettier-ignore
export const kindWords: Readonly<Record<(typeof conversationKinds)[number], string>> = { support: "Support", feedback: "Feedback", survey: "Survey", review: "Review", interview: "Interview", sales_call: "Sales call", note: "Note" }; // prettier-ignore
