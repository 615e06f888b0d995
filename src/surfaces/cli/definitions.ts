import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { isMap, LineCounter, parseAllDocuments, stringify, type Document } from "yaml";
import type { z } from "zod";
import { Definition, definitionOf, type Change, type Planned } from "#insights/metrics/contract.ts";
import * as metrics from "#insights/metrics/contract.ts";
import { Refusal } from "#kernel/refusal.ts";
import { filesUnder, largestFile } from "./files.ts";
import { askRemote, type Remote } from "./remote.ts";

/** Definitions as files of a repository: YAML or JSON, `kind: Metric`, one or more documents a file. */

/** What is wrong with a file, where, and what was wanted. */
const wrong = (file: string, line: number, what: string): Refusal =>
  new Refusal("files.wrong", `${relative(process.cwd(), file) || file}:${line}: ${what}`);

const issueSays = ({ path, message }: z.core.$ZodIssue): string => `${path.join(".") || "metric"}: ${message}`;

const readOne = (document: Document, file: string, lines: LineCounter): Definition | undefined => {
  const lineOf = (offset: number | undefined): number => lines.linePos(offset ?? 0).line;
  const start = lineOf(document.contents?.range?.[0] ?? document.range?.[0]);
  const [error] = document.errors;
  if (error !== undefined) throw wrong(file, lineOf(error.pos[0]), error.message.split("\n")[0] ?? "no YAML");
  if (document.contents === null) return undefined;
  if (!isMap(document.contents)) throw wrong(file, start, "a definition has keys and values.");
  const { kind, ...rest } = document.toJS({ maxAliasCount: 100 }) as Record<string, unknown>;
  if (kind !== "Metric") throw wrong(file, start, `kind is ${JSON.stringify(kind) ?? "missing"}; it should be Metric.`);
  const parsed = Definition.safeParse(rest);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []) as (string | number)[];
  // the deepest part of the path that stands in the file
  const held = path.map((_, place) => document.getIn(path.slice(0, path.length - place), true)).find((node) => node !== undefined); // prettier-ignore
  const range = (held as { range?: [number, number, number] } | undefined)?.range;
  throw wrong(
    file,
    range === undefined ? start : lineOf(range[0]),
    issue === undefined ? "no metric" : issueSays(issue),
  );
};

/** Every definition in a file, or under a folder. */
export const readDefinitions = (path: string): Definition[] => {
  return filesUnder(path).flatMap((file) => {
    if (statSync(file).size > largestFile) throw wrong(file, 1, `is larger than ${largestFile} bytes.`);
    const lines = new LineCounter();
    const documents = parseAllDocuments(readFileSync(file, "utf8"), { lineCounter: lines });
    const all = "empty" in documents ? [] : documents;
    return all.flatMap((document) => readOne(document, file, lines) ?? []);
  });
};

const shown = (value: unknown): string => (value === null ? "nothing" : JSON.stringify(value));
const changeSays = ({ path, from, to }: Change): string => `      ${path}: ${shown(from)} -> ${shown(to)}`;
const signs: Readonly<Record<Planned["action"], string>> = { add: "+", change: "~", remove: "-", keep: " " };

/** A plan for people to read: a line per metric that changes, what changes, and what shows other numbers then. */
export const planSays = (planned: readonly Planned[]): string => {
  const felt = planned.filter(({ action }) => action !== "keep");
  const lines = felt.flatMap(({ key, name, action, changes, uses }) => [
    `  ${signs[action]} ${key} (${name})`,
    ...changes.map(changeSays),
    ...uses.map((use) => `      used by ${use.kind} ${use.title}`),
  ]);
  const count = (action: Planned["action"]): number => planned.filter((one) => one.action === action).length;
  return [
    ...lines,
    `${count("add")} to add, ${count("change")} to change, ${count("remove")} to remove, ${count("keep")} as they are`,
  ].join("\n");
};

export const planFrom = async (remote: Remote, path: string): Promise<readonly Planned[]> => {
  const answer = await askRemote(remote, metrics.plan.name, JSON.stringify({ metrics: readDefinitions(path) }));
  return metrics.plan.output.parse(answer).planned;
};

export const applyFrom = async (remote: Remote, path: string): Promise<readonly Planned[]> => {
  const answer = await askRemote(remote, metrics.apply.name, JSON.stringify({ metrics: readDefinitions(path) }));
  return metrics.apply.output.parse(answer).planned;
};

/** Parts that say no more than their defaults are left out, so that a file holds what somebody meant. */
const meant = (definition: Definition): Record<string, unknown> => {
  const isSaid = ([, value]: [string, unknown]): boolean => value !== "" && value !== false && !(Array.isArray(value) && value.length === 0); // prettier-ignore
  return Object.fromEntries(Object.entries(definition).filter(isSaid));
};

/** Writes the catalog as it is to a folder, a file per metric. Returns how many. */
export const pullTo = async (remote: Remote, folder: string): Promise<number> => {
  const { metrics: all } = metrics.list.output.parse(await askRemote(remote, metrics.list.name, "{}"));
  mkdirSync(folder, { recursive: true });
  for (const metric of all)
    writeFileSync(join(folder, `${metric.key}.yaml`), stringify({ kind: "Metric", ...meant(definitionOf(metric)) }));
  return all.length;
};
