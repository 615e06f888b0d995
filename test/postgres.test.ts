import { afterAll, describe, expect, it } from "vitest";
import { readBack } from "./clients/read-back.ts";
import { startPostgres } from "./postgres.ts";
import { startWorld, stopWorld } from "./world.ts";

const server = startPostgres();
afterAll(() => server?.stop());
const url = process.env["THROUGHLINE_TEST_DATABASE_URL"] ?? server?.url;
if (url === undefined) console.log("no PostgreSQL server is found or given; the program is not run on one");

describe.skipIf(url === undefined)("the program on a PostgreSQL server", () => {
  it("signs in, takes events, keeps dashboards and writes down changes", async () => {
    const world = await startWorld({ database_url: url });
    try {
      const { writeKey } = await world.source();
      await fetch(`${world.url}/v1/events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ writeKey, events: [{ event: "Bought", userId: "ana", properties: { amount: 3 } }] }),
      });
      expect(await readBack(world, world.workspace, "Bought")).toMatchObject({ events: 1, people: 1, sum: 3 });
      const { id } = await world.ask<{ id: string }>("dashboards.create", { name: "Growth" });
      await world.ask("dashboards.rename", { id, name: "Sales" });
      expect(await world.ask("dashboards.get", { id })).toEqual({
        id,
        name: "Sales",
        tiles: [],
        view: { filters: [] },
      });
      const { entries } = await world.ask<{ entries: { action: string; who: string }[] }>("audit.list", {
        text: "dash",
      });
      expect(entries.map(({ action, who }) => [action, who])).toEqual([
        ["dashboards.rename", "Ana"],
        ["dashboards.create", "Ana"],
      ]);
      expect(await world.ask("audit.verify", {})).toMatchObject({ state: "intact", entries: 2 });
    } finally {
      await stopWorld(world);
    }
  }, 60_000);
});
