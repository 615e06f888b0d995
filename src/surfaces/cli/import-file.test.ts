import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readBack } from "#test/clients/read-back.ts";
import { useWorld } from "#test/world.ts";
import { importFile, mappingFor } from "./import-file.ts";

const world = useWorld();
const folder = mkdtempSync(join(tmpdir(), "throughline-import-"));
const at = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

describe("importing a file", () => {
  it("takes the rows of a CSV once, however often it is run, and keeps the faulty ones with their reasons", async () => {
    const workspace = await world.newWorkspace();
    const { writeKey } = await world.source("api", workspace);
    const file = join(folder, "orders.csv");
    const rows = Array.from(
      { length: 1_200 },
      (_, n) => `Bought,"person, ${n % 7}",${at(n % 900)},${n},"a ""quoted"" text\nof two lines"`,
    );
    writeFileSync(
      file,
      ["event,customer_id,time,amount,note", ...rows, "Bought,,2026-01-01,5,x", "Bought,person 1,no time,5,x"].join(
        "\n",
      ),
    );
    const run = () => importFile({ file, url: world.url, writeKey, traits: false, progress: () => undefined });
    expect(await run()).toEqual({ rows: 1_202, refused: 2, errors: `${file}.errors.ndjson` });
    await run();
    expect(await readBack(world, workspace, "Bought")).toMatchObject({
      events: 1_200,
      people: 7,
      sum: (1_199 * 1_200) / 2,
    });
    const refused = readFileSync(`${file}.errors.ndjson`, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(refused.map(({ row, reason }) => [row, reason])).toEqual([
      [1_201, "event.no_id"],
      [1_202, "event.time"],
    ]);
  });

  it("reads newline-delimited JSON, and names what it cannot map", async () => {
    const workspace = await world.newWorkspace();
    const { writeKey } = await world.source("api", workspace);
    const file = join(folder, "visits.ndjson");
    writeFileSync(
      file,
      [
        { who: "ana", when: at(5), amount: 2 },
        { who: "bo", when: at(9), amount: 3 },
      ]
        .map((row) => JSON.stringify(row))
        .join("\n"),
    );
    await importFile({
      file,
      url: world.url,
      writeKey,
      map: "userId=who,time=when",
      event: "Visited",
      traits: false,
      progress: () => undefined,
    });
    expect(await readBack(world, workspace, "Visited")).toEqual({ events: 2, people: 2, sum: 5, dead: 0 });
    expect(() => mappingFor(["a"], "userId=b")).toThrow(/no column b/);
    await expect(
      importFile({ file, url: world.url, writeKey: "wrong", traits: false, progress: () => undefined }),
    ).rejects.toThrow(/refused the rows/);
  });
});
