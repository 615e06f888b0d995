import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld();
let browser: Browser;

beforeAll(async () => {
  const source = await world.system.registry.byKey((await world.source()).writeKey);
  const event = (n: number) => ({ name: n % 3 === 0 ? "Bought" : "Opened", userId: `u${n % 7}`, at: Date.now() - n * 7_200_000, messageId: String(n) }); // prettier-ignore
  await world.system.ingest.accept(
    source,
    Array.from({ length: 60 }, (_, n) => event(n)),
  );
  await world.settled();
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("an analyst", () => {
  it("asks in SQL, draws the rows, keeps the query, and makes a metric and a tile of it", async () => {
    const { page, faults } = await signedIn(browser, world);
    await page.goto(`${world.url}/sql`);
    await page.getByRole("button", { name: "Run: People a day" }).click();
    await page.getByRole("table").getByRole("columnheader", { name: "people" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "sql-table");

    // written by hand, with a fault first
    const box = page.getByRole("textbox", { name: "Query" });
    await box.fill("SELECT toDate(at) AS at, count() AS value FROM evnts GROUP BY at ORDER BY at");
    await box.press("Control+Enter");
    await page.getByRole("alert").getByText(/evnts/).waitFor();
    await box.fill("SELECT toDate(at) AS at, count() AS value FROM events GROUP BY at ORDER BY at");
    await box.press("Control+Enter");
    await page.getByRole("table").getByRole("columnheader", { name: "value" }).waitFor();
    await page.getByRole("combobox", { name: "Show as" }).click();
    await page.getByRole("option", { name: "Bars" }).click();
    await page.locator("svg path").first().waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "sql-bars");
    await page.getByRole("button", { name: "Save query" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("Events a day");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByRole("region", { name: "Saved queries" }).getByText("Events a day").waitFor();

    await page.getByRole("button", { name: "Save as metric" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("Events");
    await page
      .getByRole("dialog")
      .getByText(/Events was|Events has/)
      .waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Save metric" }).click();
    await expect.poll(() => page.getByTestId("sentence").textContent()).toMatch(/From .* it was 60/);

    await page.goBack();
    await page.getByRole("button", { name: "Save to dashboard" }).click();
    await page.getByRole("dialog").getByLabel("Name of the new dashboard").fill("Numbers");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Numbers" }).waitFor();
    await page.locator("svg path").first().waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
