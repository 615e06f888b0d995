import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious } from "./pages.ts";

const world = useWorld();
let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** Twenty people open, twelve sign up, five buy; each on a day of their own. */
const loadPeople = async (writeKey: string) => {
  const events = Array.from({ length: 20 }, (_, n) => {
    const at = Date.now() - (n % 10) * 86_400_000 - 7_200_000;
    const one = (event: string, minutes: number) => ({
      event,
      anonymousId: `visitor ${n}`,
      id: `${event} ${n}`,
      time: at + minutes * 60_000,
      properties: { plan: n % 3 === 0 ? "pro" : "free" },
    });
    return [one("Opened", 0), ...(n < 12 ? [one("Signed up", 5)] : []), ...(n < 5 ? [one("Bought", 30)] : [])];
  }).flat();
  const response = await fetch(`${world.url}/v1/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ writeKey, events }),
  });
  expect(await response.json()).toEqual({ accepted: 37, rejected: [] });
};

describe("a person who connects a source and asks", () => {
  it("signs in, creates a source, sees events arrive, and reads a trend, a funnel and retention", async () => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    page = await context.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    await page.goto(world.url);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "sign-in");
    await page.getByLabel("Email").fill(world.owner.email);
    await page.getByRole("textbox", { name: "Password" }).fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("do not belong together").waitFor();
    await page.getByRole("textbox", { name: "Password" }).fill(world.owner.password);
    await page.getByRole("button", { name: "Sign in" }).click();

    await page.getByRole("link", { name: "Connect a source" }).click();
    await page.getByText("No source yet").waitFor();
    await page.getByRole("button", { name: "New source" }).first().click();
    await page.getByLabel("Name").fill("Web app");
    await page.getByRole("button", { name: "Create source" }).click();
    await page.getByRole("heading", { name: "Web app" }).waitFor();
    const snippet = await page.locator("pre").first().textContent();
    const writeKey = /writeKey: "([0-9a-f]+)"/.exec(snippet ?? "")?.[1] ?? "";
    await loadPeople(writeKey);
    await page.getByRole("cell", { name: "Bought" }).first().waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "sources");

    await page.getByRole("link", { name: "Import a file" }).click();
    await page.getByRole("heading", { name: "Import a file" }).waitFor();
    const rows = Array.from({ length: 900 }, (_, n) => `Ordered,${n % 9 === 8 ? "" : `customer ${n % 9}`},${n}`);
    const buffer = Buffer.from(["event,customer_id,amount", ...rows].join("\n"));
    await page.locator("input[type=file]").setInputFiles({ name: "orders.csv", mimeType: "text/csv", buffer });
    await page.getByRole("cell", { name: "customer 3", exact: true }).first().waitFor();
    expect(await serious(page)).toEqual([]);
    await page.getByRole("button", { name: "Import orders.csv" }).click();
    await page.getByText("800 rows were taken, 100 were refused").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "import");

    await page.getByRole("link", { name: "Explore" }).click();
    await page.getByRole("combobox", { name: "Events" }).waitFor();
    const choose = async (label: string, names: readonly string[]) => {
      const box = page.getByRole("combobox", { name: label, exact: true });
      for (const name of names) {
        await box.fill(name);
        await page.getByRole("option", { name, exact: true }).click();
      }
      await page.keyboard.press("Escape");
    };
    await choose("Events", ["Opened"]);
    await expect.poll(() => page.getByTestId("sentence").textContent()).toMatch(/^Opened: 20 people from/);
    await page.locator("svg path").first().waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "trend");

    // what happened on a day stands on the chart, and below it in words
    await page.getByRole("button", { name: "Note a day" }).click();
    await page
      .getByRole("dialog")
      .getByLabel("Day")
      .fill(new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10));
    await page.getByLabel("What happened").fill("Released 4.12");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByRole("region", { name: "Notes" }).getByText("Released 4.12").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "trend-note");

    await page.getByText("Funnel", { exact: true }).click();
    await choose("Steps, in order", ["Signed up", "Bought"]);
    await expect
      .poll(() => page.getByTestId("sentence").textContent())
      .toMatch(/^25 % of 20 people went from Opened to Bought/);
    await page.locator("svg path").first().waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "funnel");

    const address = page.url();
    await page.reload();
    await expect.poll(() => page.getByTestId("sentence").textContent()).toMatch(/^25 % of 20 people/);
    expect(page.url()).toBe(address);

    await page.getByRole("button", { name: "Save to dashboard" }).click();
    await page.getByLabel("Title").fill("Opened to bought");
    await page.getByLabel("Name of the new dashboard").fill("Growth");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("heading", { name: "Growth" }).waitFor();
    await expect.poll(() => page.getByTestId("sentence").textContent()).toMatch(/^25 % of 20 people/);
    await page.locator("svg path").first().waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "dashboard");
    await page.getByRole("link", { name: "Open", exact: true }).click();

    await page.getByText("Retention", { exact: true }).click();
    await expect.poll(() => page.getByTestId("sentence").textContent()).toMatch(/^Of 20 people who started/);
    expect(await serious(page)).toEqual([]);
    await picture(page, "retention");
    await page.getByRole("button", { name: /Switch to/ }).click();
    await page.waitForTimeout(300);
    expect(await serious(page)).toEqual([]);
    await picture(page, "retention-other-scheme");

    for (const [kind, sentence] of [
      ["Lifecycle", /20 people did Opened for the first time/],
      ["Stickiness", /^20 people did Opened/],
      ["Sessions", /^20 sessions of 20 people/],
      ["Journey", /^20 journeys/],
    ] as const) {
      await page.getByText(kind, { exact: true }).click();
      await expect.poll(() => page.getByTestId("sentence").textContent()).toMatch(sentence);
      await page.locator("svg path").first().waitFor();
      expect(await serious(page)).toEqual([]);
      await picture(page, kind.toLowerCase());
    }

    // a condition on everything: of the twenty, those on the plan
    await page.getByText("Trend", { exact: true }).click();
    await page.getByRole("button", { name: "Add a condition", exact: true }).click();
    await page.getByRole("combobox", { name: "Property" }).fill("plan");
    await page.getByRole("option", { name: "plan", exact: true }).click();
    await page.getByRole("combobox", { name: "Values" }).fill("pro");
    await page.getByRole("option", { name: "pro", exact: true }).click();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByTestId("sentence").textContent()).toMatch(/^Opened: 7 people from/);
    expect(await serious(page)).toEqual([]);
    await picture(page, "condition");

    await page.getByRole("link", { name: "People" }).click();
    await page.getByRole("cell", { name: "customer 3", exact: true }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "people");
    await page.getByLabel("Search").fill("visitor 3");
    await page.getByRole("link", { name: "visitor 3", exact: true }).click();
    await page.getByRole("heading", { name: "visitor 3" }).waitFor();
    await page.getByRole("cell", { name: "Bought" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "person");
    expect(faults).toEqual([]);
  }, 240_000);
});
