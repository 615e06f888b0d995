import type { EventMatch, Filter } from "./frame.ts";

/** Conditions in words, for the page and for whoever asks why. Browser-safe. */

const operators: Readonly<Record<Filter["op"], string>> = {
  eq: "is",
  neq: "is not",
  contains: "contains",
  not_contains: "does not contain",
  gt: "is more than",
  gte: "is at least",
  lt: "is less than",
  lte: "is at most",
  matches: "matches",
  not_matches: "does not match",
  before: "is before",
  after: "is from",
  version_lt: "is a version below",
  version_lte: "is at most version",
  version_gt: "is a version above",
  version_gte: "is at least version",
  is_set: "is known",
  is_not_set: "is missing",
};

export const filterSays = ({ property, on, op, values }: Filter): string =>
  `${property === "" ? on : property} ${operators[op]}${values.length === 0 ? "" : ` ${values.join(" or ")}`}`;

/** "Opened where plan is pro". */
export const matchSays = ({ event, filters }: EventMatch): string =>
  `${event ?? "any event"}${filters.length === 0 ? "" : ` where ${filters.map(filterSays).join(" and ")}`}`;
