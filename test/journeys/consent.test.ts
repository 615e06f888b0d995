import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld();
let browser: Browser;
beforeAll(async () => {
  const source = await world.system.registry.byKey((await world.source()).writeKey);
  await world.system.ingest.accept(source, [{ userId: "somebody", name: "Opened", at: Date.now() }]);
  await world.settled();
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("a steward who looks after privacy", () => {
  it("writes down what data is used for, who agreed by letter, and how long things are kept", async () => {
    const { page, faults } = await signedIn(browser, world);
    await page.goto(`${world.url}/privacy`);
    // what people agreed to, and how long things are kept
    await page.getByRole("tab", { name: "Consent" }).click();
    await page.getByRole("button", { name: "Write a purpose down" }).click();
    await page.getByRole("textbox", { name: "Purpose", exact: true }).fill("marketing");
    await page.getByLabel("Version of the text").fill("2026-11");
    await page.getByRole("button", { name: "Write it down" }).click();
    await page.getByRole("cell", { name: "marketing", exact: true }).waitFor();
    await page.getByLabel("Whose id").fill("somebody");
    await page.getByLabel("Of which purpose").fill("marketing");
    await page.getByRole("button", { name: "They agree" }).click();
    await page.getByRole("cell", { name: "Yes" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "privacy-consent");
    await page.getByRole("tab", { name: "How long things are kept" }).click();
    await page.getByLabel("Events", { exact: true }).fill("365");
    await page.getByRole("button", { name: "What would go?" }).click();
    await page.getByText("Nothing would go now").waitFor();
    await page.getByRole("button", { name: "Keep it so" }).click();
    await expect.poll(async () => (await world.ask<{ settings: { events: number } }>("keeping.get", {})).settings.events).toBe(365); // prettier-ignore
    expect(await serious(page)).toEqual([]);
    await picture(page, "privacy-keeping");
    expect(faults).toEqual([]);
  }, 60_000);
});
