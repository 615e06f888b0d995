import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";

const lockfile = z.object({ packages: z.record(z.string(), z.object({ optionalDependencies: z.record(z.string(), z.string()).optional() })) }); // prettier-ignore

/** Folders where Node looks for what a package asks for, its own first. */
const foldersOf = (place: string): string[] =>
  place === ""
    ? [""]
    : [`${place}/`, ...foldersOf(place.slice(0, Math.max(0, place.lastIndexOf("node_modules/") - 1)))];

test("the lockfile names what every platform needs, also where it was made on one that cannot see the others", () => {
  const { packages } = lockfile.parse(JSON.parse(readFileSync("package-lock.json", "utf8")));
  const asked = Object.entries(packages).flatMap(([place, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {}).map((name) => ({ place, name })),
  );
  expect(asked.length).toBeGreaterThan(0);
  // npm installs what it finds here and says nothing of the rest: an engine that is not named is an engine that is missing
  const missing = asked.filter(({ place, name }) => !foldersOf(place).some((folder) => `${folder}node_modules/${name}` in packages)); // prettier-ignore
  expect(missing).toEqual([]);
});
