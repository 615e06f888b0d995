import type { z } from "zod";
import { compile, type Sql } from "#kernel/sql.ts";
import type { Scope, TimeRange } from "#records/events/scope.ts";
import type { Provenance } from "./frame.ts";
import { labelOf } from "./time.ts";

/** First and last day of a range, as its zone has them. */
export const daysOf = (range: TimeRange, zone: string): readonly [from: string, to: string] => [
  labelOf(range.from, "day", zone),
  labelOf(range.to - 1, "day", zone),
];

/** The statement with its values in place, for people to read. Never executed. */
export const readable = (statement: Sql): string => {
  const { query, params } = compile(statement);
  const shown = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
    return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
  };
  return query
    .replace(/\{(p\d+):[^}]+\}/g, (_, name: string) => shown(params[name]))
    .replace(/\n\s*\n/g, "\n")
    .trim();
};

/** How an answer came about; `statement` as it is, or made readable already. `began` is when the work on it began, by performance.now(). */
export const provenanceOf = (
  scope: Scope,
  range: TimeRange,
  statement: Sql | string,
  definition: string,
  began: number,
): z.output<typeof Provenance> => {
  const [from, to] = daysOf(range, scope.zone);
  return {
    definition,
    zone: scope.zone,
    from,
    to,
    askedAt: new Date(scope.now).toISOString(),
    milliseconds: Math.round(performance.now() - began),
    sql: typeof statement === "string" ? statement : readable(statement),
  };
};
