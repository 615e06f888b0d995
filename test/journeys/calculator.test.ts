import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld();
let browser: Browser;
beforeAll(async () => {
  const source = await world.system.registry.byKey((await world.source()).writeKey);
  const day = 86_400_000;
  // ever fewer come, so that the average is not how it goes on
  const before = (n: number): number => (8 + Math.floor(Math.sqrt(n))) * day;
  await world.system.ingest.accept(source, Array.from({ length: 540 }, (_, n) => [
    { name: "Pricing Viewed", userId: `u${n}`, messageId: `s${n}`, at: Date.now() - before(n) },
    ...(n % 4 === 0 ? [{ name: "Order Completed", userId: `u${n}`, messageId: `o${n}`, at: Date.now() - before(n) + day }] : []),
  ]).flat()); // prettier-ignore
  await world.settled();
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("whoever plans an experiment", () => {
  it("asks how large it has to be, takes the past of the workspace, and sends the question on by its address", async () => {
    const { page, faults } = await signedIn(browser, world);
    await page.goto(`${world.url}/experiments/calculator`);
    await page.getByText(/units of each of 2 arms/).waitFor();
    await page.getByRole("combobox", { name: "People take part when they do" }).click();
    await page.getByRole("option", { name: "Pricing Viewed" }).click();
    await page.getByRole("combobox", { name: "What is measured" }).click();
    await page.getByRole("option", { name: "Order Completed" }).click();
    await page.getByRole("button", { name: "Take it from the last 28 days" }).click();
    await page.getByText(/^540 people/).waitFor();
    await expect.poll(() => page.getByRole("textbox", { name: "Share now" }).inputValue()).toBe("25 %");
    await expect.poll(() => page.getByRole("textbox", { name: "People a day" }).inputValue()).toBe("19");
    await page.getByRole("textbox", { name: "Least effect worth finding" }).fill("20");
    await page.getByText(/find an effect of 20 % more/).waitFor();
    expect(page.url()).toMatch(/baseline=25.*effect=20|effect=20.*baseline=25/);
    expect(await serious(page)).toEqual([]);
    expect(await page.locator("nav [aria-current=page]").allInnerTexts()).toEqual(["Calculator"]);
    await picture(page, "calculator");
    await page.reload();
    const plan = page.getByText(/find an effect of 20 % more/);
    const days = async (): Promise<number> =>
      Number(/: ([\d,]+) days,/.exec(await plan.innerText())?.[1]?.replace(",", ""));
    await plan.waitFor();
    const asTheyCame = await days();
    expect(page.url()).toMatch(/arrivals=[\d-]+/);
    await page.getByText("days are as they were here").waitFor();
    await page.getByRole("textbox", { name: "People a day" }).fill("20");
    await expect.poll(days).toBeLessThan(asTheyCame / 2);
    expect(page.url()).not.toContain("arrivals");
    await page.getByRole("textbox", { name: "Least effect worth finding" }).fill("900");
    await page.getByText(/beyond what a share can be/).waitFor();
    expect(faults).toEqual([]);
  }, 90_000);
});
