import type { Cell } from "#insights/common/insight.ts";
import { insightOf, type Answer } from "./insights.ts";

/** Text that a spreadsheet would run as a formula is made plain text. */
const quoted = (cell: Cell): string => {
  const value = typeof cell === "object" && cell !== null ? cell.value : cell;
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const plain = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
};

const rowsOf = (answer: Answer): readonly (readonly Cell[])[] => {
  const insight = insightOf(answer.kind);
  if (insight.file !== undefined) return insight.file(answer);
  return insight.tables(answer).flatMap(({ columns, rows }) => [columns.map(({ title }) => title), ...rows]);
};

/** Every number of an answer, unrounded, as CSV (RFC 4180). */
export const csvOf = (answer: Answer): string =>
  rowsOf(answer)
    .map((row) => row.map(quoted).join(","))
    .join("\r\n");
