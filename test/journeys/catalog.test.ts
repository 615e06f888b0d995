import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld();
let browser: Browser;

beforeAll(async () => {
  const source = await world.system.registry.byKey((await world.source()).writeKey);
  await world.system.ingest.accept(source, [
    { name: "Paid", userId: "ana", at: Date.now() - 60_000, properties: { salary: "s-4711", plan: "pro" } },
    { userId: "ana", personTraits: [{ op: "set", traits: { email: "ana@example.com" } }] },
    ...Array.from({ length: 150 }, (_, n) => ({
      name: "Paid",
      userId: "bo",
      messageId: `p${n}`,
      at: Date.now() - (n + 1) * 7_200_000,
    })),
  ]);
  await world.settled();
  const filters = [{ property: "salary", op: "is_set", values: [] }];
  const definition = { key: "paid", name: "Paying people", measure: { kind: "unique", event: "Paid", filters } };
  await world.ask("metrics.define", { definition });
  const { id } = await world.ask<{ id: string }>("dashboards.create", { name: "Weekly review" });
  const question = { kind: "metric", input: { metric: "paid", range: { last: 7, unit: "day" } } };
  await world.ask("dashboards.addTile", { id, title: "Paying", question, address: "/explore?kind=metric" });
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("a steward who looks after a property", () => {
  it("finds it, sees what hangs on it, classes it, and from then on a viewer does not see it", async () => {
    const { page, faults } = await signedIn(browser, world);
    await page.goto(`${world.url}/govern/catalog`);
    await page.getByRole("link", { name: "salary" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "catalog");
    await page.getByLabel("Search").fill("sal");
    await expect.poll(() => page.getByRole("link", { name: "Paid", exact: true }).count()).toBe(0);
    await page.getByRole("link", { name: "salary" }).click();
    await page.getByRole("heading", { name: "salary" }).waitFor();
    for (const name of ["Paying people", "Weekly review", "Paid", "api"])
      await page.getByRole("link", { name, exact: true }).waitFor();
    await page.getByLabel("What it is").fill("What a person earns in a month.");
    await page.getByLabel("Owner").fill("people team");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByLabel("Why").fill("Pay is nobody else's business.");
    await page.getByRole("combobox", { name: "Class" }).click();
    await page.getByRole("option", { name: "Restricted" }).click();
    await page.getByText("Restricted by Ana").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "catalog-item");

    await page.goto(`${world.url}/govern/home`);
    await page.getByRole("button", { name: "Look now" }).click();
    await page.getByText("Looked at 1 events").waitFor();
    await page.getByRole("button", { name: "Search now" }).click();
    await page.getByRole("button", { name: "Class email as personal" }).waitFor();
    await page.getByRole("button", { name: "Promise something" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("Paid is good");
    await page.getByRole("textbox", { name: "Event" }).fill("Paid");
    expect(await serious(page)).toEqual([]);
    await page.getByRole("button", { name: "Promise it" }).click();
    await page.getByRole("button", { name: "Take back Paid is good" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "govern");
    await page.getByRole("button", { name: "Class email as personal" }).click();
    await page.getByText("Nothing that looks personal is left").waitFor();
    // whom it is said to
    await page.goto(`${world.url}/settings?tab=alerts`);
    await page.getByText("Nobody is told yet").waitFor();
    await page.getByRole("button", { name: "Webhook" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("Desk");
    await page.getByRole("textbox", { name: "Address" }).fill("https://127.0.0.1/in");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText(/127\.0\.0\.1 is no public address/).waitFor();
    await page.getByRole("textbox", { name: "Address" }).fill("https://hooks.example.com/in");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText(/whsec_/).waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Mail to members" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("Owners");
    expect(await serious(page)).toEqual([]);
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("cell", { name: "owners of what is hit" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "alerts");
    await page.goto(`${world.url}/catalog/metrics/paid`);
    await page.getByText(/Data quality: \d+ of 100/).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "metric-trust");
    expect(faults).toEqual([]);
    await page.context().close();

    const { key } = await world.ask<{ key: string }>("workspaces.createKey", { name: "v", role: "viewer" });
    const asViewer = async (operation: string, input: object): Promise<string> => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
      return (
        await fetch(`${world.url}/api/${operation}`, { method: "POST", headers, body: JSON.stringify(input) })
      ).text();
    };
    const { people } = await world.ask<{ people: { id: string }[] }>("people.list", {});
    const profile = await asViewer("people.profile", { id: people[0]!.id });
    expect(profile).toContain("pro");
    expect(profile).not.toContain("s-4711");
    expect(await asViewer("metrics.ask", { metric: "paid", range: { last: 7, unit: "day" } })).toContain(
      "access.hidden",
    );
    const item = await asViewer("stewardship.item", { kind: "property", id: "salary" });
    expect(item).toContain("people team");
  }, 120_000);
});
