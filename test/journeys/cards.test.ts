import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld();
let browser: Browser;
beforeAll(async () => {
  await world.source("api");
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("a steward", () => {
  it("registers a use of AI, writes its card, and sees what its release still lacks", async () => {
    const { page, faults } = await signedIn(browser, world);
    await page.goto(`${world.url}/govern/ai`);
    await page.getByRole("cell", { name: "Detectors of personal data and secrets", exact: true }).waitFor();
    await page.getByRole("button", { name: "Register a use of AI" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("Answer bot");
    await page.getByRole("textbox", { name: "Owner" }).fill("Ana");
    await page.getByRole("textbox", { name: "Human oversight" }).fill("Ana can stop it.");
    await page.getByRole("textbox", { name: "Prompt" }).fill("Write to ana@example.com");
    expect(await serious(page)).toEqual([]);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Card of Answer bot" }).click();
    await page.getByText(/To be written: Description, Intended use/).waitFor();
    await page.getByRole("textbox", { name: "Description" }).fill("Answers customers.");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText(/To be written: Intended use/).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "card");
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download as Markdown" }).click();
    expect((await saved).suggestedFilename()).toBe("model-card.md");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Release of Answer bot" }).click();
    await page.getByText("Version 1 cannot be released yet.").waitFor();
    await page.getByText("The prompt holds EMAIL_ADDRESS").waitFor();
    expect(await page.getByRole("button", { name: "Release version 1" }).isDisabled()).toBe(true);
    expect(await serious(page)).toEqual([]);
    await picture(page, "gate");
    await page.keyboard.press("Escape");
    await picture(page, "ai");
    expect(faults).toEqual([]);
  }, 90_000);
});
