import { bookOf as bookWith, type Book } from "#sdk/evaluate.ts";
import { expressions } from "#sdk/expressions.ts";
import type { Flag } from "./document.ts";

/** Makes flags ready. Throws a `ConditionFault` for a condition that cannot be put. */
export const bookOf = (flags: readonly Flag[], environment: string): Book => bookWith(flags, environment, expressions);
