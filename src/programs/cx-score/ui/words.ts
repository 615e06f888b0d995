import type { Overview, Part } from "../contract.ts";
import type { DriverName, Reason } from "../scorer/conversation.ts";

export const driverWords: Readonly<Record<DriverName, string>> = {
  ai_answer_quality: "Answers of the AI agent",
  teammate_answer_quality: "Answers of teammates",
  customer_effort: "Customer effort",
  strong_emotion: "Strong emotion",
  product_feedback: "Product and service",
  policy_feedback: "Policy",
};
export const reasonWords: Readonly<Record<Reason, string>> = {
  scored: "Scored",
  no_turns: "Nothing was written",
  no_customer_text: "The customer wrote nothing",
  automatic_reply: "An automatic reply",
  too_little_text: "Too little text, and no answer",
  too_short_for_language: "Too short for its language",
};
export const roleWords: Readonly<Record<string, string>> = { customer: "Customer", ai_agent: "AI agent", teammate: "Teammate", bot: "Bot", system: "System" }; // prettier-ignore
export const partWords: Readonly<Record<Part["by"], string>> = { topic: "What they speak of", channel: "Channel", team: "Team", assignee: "Teammate", language: "Language", product: "Product", tag: "Tag", account: "Account", account_trait: "Plan or another trait of accounts" }; // prettier-ignore
export const oneDigit = (value: number | null): string => (value === null ? "–" : value.toFixed(1));
export const points = (value: number): string => `${value > 0 ? "+" : ""}${value.toFixed(2)}`;
export const percent = (value: number): string => `${(value * 100).toLocaleString("en", { maximumFractionDigits: 1 })} %`; // prettier-ignore
export const interval = (one: Overview["total"]["good"]): string => (one === null ? "" : `95 %: ${percent(one.lower)} to ${percent(one.upper)}`); // prettier-ignore
