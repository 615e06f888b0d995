import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "#kernel/refusal.ts";

/** Files of a repository that hold definitions: metrics, contracts. */

export const mostFiles = 1_000;
export const largestFile = 1_000_000;

/** Whether a file may hold any: YAML or JSON, and neither hidden nor somebody else's. */
export const isDefinition = (name: string): boolean =>
  /\.(ya?ml|json)$/.test(name) && !/(^|[\\/])(\.|node_modules)/.test(name);

/** The files of a folder, or the one that is named. */
export const filesUnder = (path: string): string[] => {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new Refusal("files.missing", `There is nothing at ${path}.`);
  if (found.isFile()) return [path];
  const files = readdirSync(path, { recursive: true, encoding: "utf8" }).filter(isDefinition);
  if (files.length > mostFiles) throw new Refusal("files.too_many", `${path} holds more than ${mostFiles} files.`);
  return files.map((name) => join(path, name)).sort();
};
