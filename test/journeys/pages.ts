import AxeBuilder from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";
import type { World } from "#test/world.ts";

const folder = process.env["PICTURES"];

/** Pictures of a page at both widths, for people to look at; only where PICTURES names a folder. */
export const picture = async (page: Page, name: string): Promise<void> => {
  if (folder === undefined) return;
  for (const [width, height] of [
    [1440, 900],
    [390, 844],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(400);
    await page.screenshot({ path: `${folder}/${name}-${width}.png`, fullPage: true });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
};

/** A page of the owner, signed in, and the errors that its scripts throw. */
export const signedIn = async (browser: Browser, { url, owner }: World): Promise<{ page: Page; faults: string[] }> => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const [name = "", value = ""] = owner.cookie.split("=");
  await context.addCookies([{ name, value, url }]);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  return { page, faults };
};

/** What axe finds serious or critical on the page, once it has stopped loading. */
export const serious = async (page: Page): Promise<string[]> => {
  await expect.poll(() => page.locator("[aria-busy=true]").count(), { timeout: 10_000 }).toBe(0);
  await page.waitForTimeout(250); // colours of what was just clicked fade
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
};
