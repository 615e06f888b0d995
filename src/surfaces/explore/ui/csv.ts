import { groupName, hasSeveral, lineName } from "./charts.ts";
import type { Answer } from "./answer.ts";

type Cell = string | number | null;

/** Text that a spreadsheet would run as a formula is made plain text. */
const quoted = (cell: Cell): string => {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const plain = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
};

const rowsOf = (result: Answer): Cell[][] => {
  if (result.kind === "trends") {
    const several = hasSeveral(result);
    return [
      [result.interval, ...result.lines.map((line) => lineName(line, several))],
      ...result.buckets.map((bucket, place): Cell[] => [
        bucket,
        ...result.lines.map((line) => line.values[place] ?? null),
      ]),
    ];
  }
  if (result.kind === "funnel") {
    const head = ["group", "step", "count", "from_start", "interval_low", "interval_high", "from_previous", "median_seconds", "average_seconds"]; // prettier-ignore
    const rows = result.groups.flatMap(({ group, steps }) =>
      steps.map((step): Cell[] => [
        group === null ? "" : groupName(group),
        step.label,
        step.count,
        step.fromStart,
        step.interval?.[0] ?? null,
        step.interval?.[1] ?? null,
        step.fromPrevious,
        step.medianSeconds,
        step.averageSeconds,
      ]),
    );
    return [head, ...rows];
  }
  return [
    ["group", "cohort", "people", ...result.columns.slice(1)],
    ...result.groups.flatMap(({ group, cohorts }) =>
      cohorts.map((cohort): Cell[] => [group === null ? "" : groupName(group), cohort.bucket, ...cohort.counts]),
    ),
  ];
};

/** Every number of an answer, unrounded, as CSV (RFC 4180). */
export const csvOf = (result: Answer): string =>
  rowsOf(result)
    .map((row) => row.map(quoted).join(","))
    .join("\r\n");
