import { momentIn } from "./moment.ts";
import type { Condition } from "./rules.ts";

/**
 * Conditions of flags on a text, decided here as the engine decides the same operators in questions: a segment that a
 * flag targets and a question filters by is the same people. A test holds the two against each other.
 */

/** A condition that cannot be put; the message says which and what it needs. */
export class ConditionFault extends Error {
  override readonly name = "ConditionFault";
}

const fault = (property: string, what: string): ConditionFault => new ConditionFault(`${property || "The condition"}: this comparison needs one ${what}.`); // prettier-ignore

const numberIn = (text: string): number => (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN); // prettier-ignore

type Version = readonly number[];
const isVersion = /^[vV]?\d/;
/** Up to four numbers, then whether it is a release rather than what comes before one. */
const versionOf = (text: string): Version => {
  const numbers = (/^[vV]?(\d+(?:\.\d+)*)/.exec(text)?.[1] ?? "").split(".").map(Number);
  return [0, 1, 2, 3].map((at) => numbers[at] ?? 0).concat(/^[vV]?[0-9.]+-/.test(text) ? 0 : 1);
};
const compareVersions = (one: Version, other: Version): number => {
  const at = one.findIndex((part, place) => part !== other[place]);
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
};

type Test = (text: string) => boolean;
/** Makes a regular expression ready, or throws. It comes from outside, since it is large and few need it. */
export type Expressions = (expression: string) => Test;
const not = (test: Test): Test => (text) => !test(text); // prettier-ignore

const one = ({ property, values }: Condition, what: string): string => {
  const [value = ""] = values;
  if (values.length !== 1 || value === "") throw fault(property, what);
  return value;
};
const known = (value: number, condition: Condition, what: string): number => {
  if (Number.isNaN(value)) throw fault(condition.property, what);
  return value;
};
const byNumber = (compare: (a: number, b: number) => boolean) => (condition: Condition): Test => {
  const limit = known(numberIn(one(condition, "number")), condition, "number");
  return (text) => compare(numberIn(text), limit); // no number is neither above nor below
}; // prettier-ignore
const byMoment = (compare: (a: number, b: number) => boolean) => (condition: Condition): Test => {
  const limit = known(momentIn(one(condition, "date")), condition, "date like 2026-03-01");
  return (text) => compare(momentIn(text), limit);
}; // prettier-ignore
const byVersion = (compare: (order: number) => boolean) => (condition: Condition): Test => {
  const given = one(condition, "version");
  if (!/^[vV]?\d+(\.\d+){0,3}([-+].*)?$/.test(given)) throw fault(condition.property, "version like 4.12.0");
  const limit = versionOf(given);
  return (text) => isVersion.test(text) && compare(compareVersions(versionOf(text), limit));
}; // prettier-ignore
const amongOf = ({ values }: Condition): Test => {
  const all = new Set(values);
  return (text) => all.has(text);
};
const containing = ({ values }: Condition): Test => {
  const parts = values.map((value) => value.toLowerCase());
  return (text) => parts.some((part) => text.toLowerCase().includes(part));
};
const matching = (condition: Condition, read: Expressions | undefined): Test => {
  const expression = one(condition, "regular expression");
  if (expression.length > 500) throw fault(condition.property, "regular expression of at most 500 characters");
  if (read === undefined) throw new Error("Regular expressions were not loaded.");
  try {
    return read(expression);
  } catch {
    throw fault(condition.property, "regular expression that can be read");
  }
};

const tests: Readonly<Record<Condition["op"], (condition: Condition, read: Expressions | undefined) => Test>> = {
  eq: amongOf,
  neq: (condition) => not(amongOf(condition)),
  contains: containing,
  not_contains: (condition) => not(containing(condition)),
  gt: byNumber((a, b) => a > b),
  gte: byNumber((a, b) => a >= b),
  lt: byNumber((a, b) => a < b),
  lte: byNumber((a, b) => a <= b),
  matches: matching,
  not_matches: (condition, read) => not(matching(condition, read)),
  before: byMoment((a, b) => a < b),
  after: byMoment((a, b) => a >= b),
  version_lt: byVersion((order) => order < 0),
  version_lte: byVersion((order) => order <= 0),
  version_gt: byVersion((order) => order > 0),
  version_gte: byVersion((order) => order >= 0),
  is_set: () => (text) => text !== "",
  is_not_set: () => (text) => text === "",
};

/** Whether a text meets a condition; empty stands for nothing. Throws a `ConditionFault` for one that cannot be put. */
export const textTest = (condition: Condition, read?: Expressions): Test => tests[condition.op](condition, read);
