import type { Change, Definition } from "./contract.ts";

/** What is different between two definitions. Browser-safe. */

const flattened = (value: unknown, path: string, into: Map<string, unknown>): Map<string, unknown> => {
  const isList = Array.isArray(value);
  if (isList && value.every((item) => typeof item !== "object" || item === null)) return into.set(path, value);
  if (typeof value !== "object" || value === null) return into.set(path, value);
  for (const [name, held] of Object.entries(value))
    flattened(held, isList ? `${path}[${name}]` : `${path}${path === "" ? "" : "."}${name}`, into);
  return into;
};

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** One entry per place at which they differ, by path such as `measure.steps[1].event`; absent is null. */
export const differences = (from: Definition | undefined, to: Definition | undefined): Change[] => {
  const [before, after] = [flattened(from ?? {}, "", new Map()), flattened(to ?? {}, "", new Map())];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => !same(before.get(path), after.get(path)))
    .map((path) => ({ path, from: before.get(path) ?? null, to: after.get(path) ?? null }));
};
