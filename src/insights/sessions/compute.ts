import type { Figures } from "./contract.ts";

export interface SessionsRow {
  readonly sessions: number;
  readonly people: number;
  readonly average: number;
  readonly median: number;
  readonly each: number;
  readonly single: number;
}

export const figuresOf = (row: SessionsRow | undefined): Figures => {
  if (row === undefined || row.sessions === 0)
    return { sessions: 0, people: 0, averageSeconds: null, medianSeconds: null, eventsPerSession: null, single: null };
  const { sessions, people, average, median, each, single } = row;
  return { sessions, people, averageSeconds: average, medianSeconds: median, eventsPerSession: each, single };
};

const minutes = (seconds: number | null): string =>
  `${((seconds ?? 0) / 60).toLocaleString("en", { maximumFractionDigits: 1 })} minutes`;

export const sentenceOf = (total: Figures, from: string, to: string): string => {
  if (total.sessions === 0) return `There were no sessions from ${from} to ${to}.`;
  const said = (value: number | null): string => (value ?? 0).toLocaleString("en", { maximumFractionDigits: 1 });
  return `${said(total.sessions)} sessions of ${said(total.people)} people from ${from} to ${to}; half of them last at most ${minutes(total.medianSeconds)}, with ${said(total.eventsPerSession)} events on average.`;
};
