import { bind, literal, sql, writtenSql, type Sql } from "#kernel/sql.ts";
import { bucketNumberSql } from "#insights/common/time.ts";
import type { Interval } from "#insights/common/frame.ts";
import type { Scope, TimeRange } from "#records/events/scope.ts";
import { withRelations } from "./relations.ts";

/** Kinds of functions that only compute: they read no table, file, address, setting or clock but the wall's. */
const pureKinds = [
  "Null", "String", "Tuple", "Distance", "Geo", "Arrays", "Logical", "URL", "Hash", "Bit", "Map", "UUID", "Bitmap", "Encoding",
  "JSON", "Rounding", "Dates and Times", "Financial", "Conditional", "Comparison", "String Splitting", "Type Conversion",
  "Time Window", "Random Number", "Arithmetic", "Time Series", "Mathematical", "IP Address", "Geo Polygon", "String Search",
  "String Replacement", "Aggregate Functions", "Window Functions",
] as const; // prettier-ignore

/** Of the rest, those that are of use and no harm. */
const others = ["transform", "identity", "materialize", "bar", "toTypeName", "formatReadableSize", "formatReadableQuantity", "formatReadableTimeDelta", "runningDifference", "neighbor", "finalizeAggregation", "countDigits", "visibleWidth", "rowNumberInAllBlocks", "untuple"]; // prettier-ignore

/** Whatever an engine may count among them. */
const never = ["file", "hasColumnInTable", "generateRandomStructure", "timeZone", "serverTimezone"];

/** Names of functions, in lower case, that a written query may use. */
export const pureFunctions: Sql = sql`
  SELECT DISTINCT lower(name) AS name FROM system.functions
  WHERE origin = 'System' AND name NOT IN ${bind.strings(never)} AND NOT match(name, '(?i)dict|joinGet|url\\(|sleep|secret|llm')
    AND (categories IN ${bind.strings(pureKinds)} OR name IN ${bind.strings(others)}
      OR alias_to IN (SELECT name FROM system.functions WHERE categories IN ${bind.strings(pureKinds)}))`;

/** The tree of a statement, as the engine's parser has it. Nothing of it is run. */
export const treeOf = (statement: string): Sql =>
  sql`SELECT explain FROM (EXPLAIN AST SELECT * FROM (\n${writtenSql(statement)}\n))`;

/** The rows of a checked statement over the relations, and nothing but these. */
export const rowsOf = (scope: Scope, statement: string): Sql =>
  sql`WITH ${withRelations(scope)} SELECT * FROM (\n${writtenSql(statement)}\n)`;

/** The same, to be shown. One row more than may be shown says that there are more. */
export const writtenQuery = (scope: Scope, statement: string, rows: number): Sql =>
  sql`${rowsOf(scope, statement)} LIMIT ${literal(rows)} SETTINGS readonly = 2`;

const combined = { sum: sql`sum`, average: sql`avg`, last: sql`argMax` } as const;
export type Combined = keyof typeof combined;

/** A checked statement with columns `at` and `value`, by bucket of time; `whole` marks the row over all of the range. */
export const overTime = (
  scope: Scope,
  statement: string,
  range: TimeRange,
  interval: Interval,
  combine: Combined,
): Sql => {
  const zone = bind.string(scope.zone);
  const moment = sql`toDateTime64(at, 3, ${zone})`;
  const value = combine === "last" ? sql`argMax(value, at)` : sql`${combined[combine]}(value)`;
  return sql`WITH ${withRelations(scope)}
    SELECT toInt32(bucket) AS bucket, toFloat64(grouping(bucket) = 1) AS whole, ifNull(toFloat64(${value}), 0) AS value FROM (
      SELECT ${bucketNumberSql(interval, scope, moment)} AS bucket, ${moment} AS at, toFloat64(value) AS value
      FROM (\n${writtenSql(statement)}\n)
      WHERE ${moment} >= ${bind.time(range.from)} AND ${moment} < ${bind.time(range.to)} AND value IS NOT NULL
    ) GROUP BY GROUPING SETS ((bucket), ()) HAVING count() > 0 LIMIT 10000 SETTINGS readonly = 2`;
};
