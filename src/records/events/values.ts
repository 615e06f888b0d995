import { kindOf, textOf } from "./envelope.ts";
import type { IncomingEvent } from "./incoming.ts";

/** Notes which properties and values occur, so that they can be offered while typing. */
export interface ValueNotes {
  note(workspace: string, event: IncomingEvent, received: number): void;
  /** Rows for `property_values` since the last call, by workspace. */
  take(): Map<string, string[]>;
  /** Forgets what it has written, so that each value is noted again when it comes. */
  forget(): void;
}

const deepest = 3;

/** Values by their path; objects are walked into, so that what is offered is what can be asked for. */
const leaves = (fields: Readonly<Record<string, unknown>>, before = "", depth = 1): [path: string, value: unknown][] =>
  Object.entries(fields).flatMap(([name, value]): [string, unknown][] =>
    kindOf(value) === "object" && value !== null && depth < deepest
      ? leaves(value as Readonly<Record<string, unknown>>, `${before}${name}.`, depth + 1)
      : [[`${before}${name}`, value]],
  );

const valuesPerProperty = 300;
const remembered = 200_000;

/** Remembers in memory what it has written, so that a value costs one row a day, not one an event. */
export const valueNotes = (): ValueNotes => {
  let pending = new Map<string, string[]>();
  let known = new Set<string>();
  let counts = new Map<string, number>();
  let day = 0;

  const write = (workspace: string, event: string, property: string, value: unknown, received: number): void => {
    if (value === null || value === undefined) return;
    const kind = kindOf(value);
    const text = kind === "list" || kind === "object" ? "" : textOf(value).slice(0, 100);
    const place = `${workspace}\t${event}\t${property}`;
    const mark = `${place}\t${kind}\t${text}`;
    const count = counts.get(place) ?? 0;
    if (known.has(mark) || count >= valuesPerProperty) return;
    known.add(mark);
    counts.set(place, count + 1);
    const rows = pending.get(workspace) ?? [];
    rows.push(JSON.stringify({ event, property, kind, value: text.toWellFormed(), last: Math.floor(received / 1000) }));
    pending.set(workspace, rows);
  };

  return {
    note: (workspace, event, received) => {
      const today = Math.floor(received / 86_400_000);
      if (today !== day || known.size > remembered) {
        day = today;
        known = new Set();
        counts = new Map();
      }
      for (const [property, value] of leaves(event.properties ?? {})) {
        write(workspace, event.name ?? "", property, value, received);
      }
      for (const change of event.personTraits ?? []) {
        for (const [trait, value] of Object.entries(change.traits)) write(workspace, "", trait, value, received);
      }
    },
    take: () => {
      const taken = pending;
      pending = new Map();
      return taken;
    },
    forget: () => {
      known = new Set();
      counts = new Map();
    },
  };
};
