import type { AnswerColumn, Cell } from "#insights/common/insight.ts";

/** Cells of an answer's table as people read them. Browser-safe. */

const units = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]] as const; // prettier-ignore

const formats = (locale: string | undefined) => ({
  number: (value: number): string => value.toLocaleString(locale, { maximumFractionDigits: 2 }),
  share: (share: number): string => `${(share * 100).toLocaleString(locale, { maximumFractionDigits: 1 })} %`,
  seconds: (seconds: number): string => {
    const [name, size] = units.find(([, length]) => seconds >= length) ?? ["s", 1];
    return `${(seconds / size).toLocaleString(locale, { maximumFractionDigits: 1 })} ${name}`;
  },
});

export const plain = (cell: Cell | undefined): { value: string | number | null; mark: string } => {
  if (typeof cell === "object" && cell !== null) return cell;
  return { value: cell ?? null, mark: "" };
};

/** In the reader's own locale where none is named. */
export const shownCell = (cell: Cell | undefined, { format }: AnswerColumn, locale?: string): string => {
  const { value, mark } = plain(cell);
  if (value === null) return cell === undefined ? "" : "–";
  if (typeof value === "string") return value + mark;
  return `${format === undefined ? value : formats(locale)[format](value)}${mark}`;
};
