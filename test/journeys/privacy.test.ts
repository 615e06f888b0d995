import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tables } from "#app/modules.ts";
import { identifier, sql } from "#kernel/sql.ts";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld();
let browser: Browser;

beforeAll(async () => {
  const source = await world.system.registry.byKey((await world.source()).writeKey);
  const about = { userId: "customer-4711", anonymousId: "device-4711", at: Date.now() };
  await world.system.ingest.accept(source, [
    { ...about, name: "Opened", properties: { plan: "pro" } },
    { ...about, personTraits: [{ op: "set", traits: { email: "kim@example.com" } }] },
    { userId: "somebody", name: "Opened", at: Date.now() },
  ]);
  await world.settled();
  const { engine } = (await world.system.directory.find(world.workspace))!;
  for (const { name } of tables)
    await engine.command(sql`ALTER TABLE ${identifier(name)} MODIFY SETTING old_parts_lifetime = 1`);
  world.system.startJobs();
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("a steward who is asked to forget somebody", () => {
  it("finds them, saves what is kept, erases it, and sees that it is confirmed", async () => {
    const { page, faults } = await signedIn(browser, world);
    await page.goto(`${world.url}/privacy`);
    await page.getByText("Nobody was erased yet").waitFor();
    await page.getByLabel("Who").fill("nobody@example.com");
    await page.getByRole("button", { name: "Look" }).click();
    await page.getByText("Nobody is known by this").waitFor();
    await page.getByLabel("Who").fill("kim@example.com");
    await page.keyboard.press("Enter");
    await page.getByText("customer-4711").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "privacy-found");
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save all of it" }).click();
    expect((await saved).suggestedFilename()).toBe("person.ndjson");
    const erase = page.getByRole("button", { name: "Erase", exact: true });
    expect(await erase.isDisabled()).toBe(true);
    await page.getByLabel("To erase it for good").fill("kim@example.com");
    await erase.click();
    await page.getByText("It has begun.").waitFor();
    await page.getByText("Confirmed").waitFor({ timeout: 120_000 });
    expect(await serious(page)).toEqual([]);
    await picture(page, "privacy-confirmed");
    await page.goto(`${world.url}/people`);
    await page.getByText("somebody").first().waitFor();
    expect(await page.getByText("customer-4711").count()).toBe(0);
    expect(faults).toEqual([]);
    await page.context().close();
  }, 180_000);
});
