import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startJobs } from "#kernel/jobs.ts";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld();
let browser: Browser;
let workspace = "";
let jobs: ReturnType<typeof startJobs> | undefined;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => {
  await jobs?.stop();
  await browser.close();
});

describe("a product manager", () => {
  it("finds whom the faulty release hit, makes a cohort of them, and keeps an eye on it", async () => {
    ({ workspace } = await world.ask<{ workspace: string }>("demo.create", {}));
    const status = () => world.ask<{ complete: boolean }>("demo.status", {}, workspace);
    await expect.poll(async () => (await status()).complete, { timeout: 120_000, interval: 500 }).toBe(true);
    const { page, faults } = await signedIn(browser, world);
    const sentence = () => page.getByTestId("sentence").textContent();

    // the activation funnel, from the dashboard
    await page.goto(`${world.url}/dashboards?w=${workspace}`);
    await page.getByRole("link", { name: "Fernly at a glance" }).click();
    const tile = page.getByRole("region", { name: "From sign-up to the first task" });
    await tile.getByRole("link", { name: "Open" }).click();
    await expect.poll(sentence).toMatch(/went from Signed up to Task created/);

    // when it fell: over time
    await page.getByText("Conversion", { exact: true }).click();
    await page.getByRole("combobox", { name: "By", exact: true }).click();
    await page.getByRole("option", { name: "month", exact: true }).click();
    await expect.poll(sentence).toMatch(/who entered in the month of/);
    await page.locator("svg path").first().waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "pm-conversion");

    // where it fell: in the weeks around, by version of the app
    const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
    await page.getByText("Funnel", { exact: true }).click();
    await page.getByRole("combobox", { name: "Range", exact: true }).click();
    await page.getByRole("option", { name: "From one day to another" }).click();
    await page.getByLabel("First day").fill(day(130));
    await page.getByLabel("Last day").fill(day(100));
    await page.getByRole("combobox", { name: "Break down by" }).fill("app_version");
    await page.getByRole("option", { name: "app_version", exact: true }).click();
    await page.getByRole("cell", { name: "4.12.0" }).first().waitFor();
    const share = async (version: string): Promise<number> => {
      const row = page.getByRole("row").filter({ hasText: version }).filter({ hasText: "3. Task created" });
      return Number.parseFloat((await row.getByRole("cell").nth(3).textContent()) ?? "");
    };
    const [faulty, before] = [await share("4.12.0"), await share("4.11")];
    expect(faulty).toBeLessThan(before * 0.7);
    await picture(page, "pm-breakdown");

    // who was hit
    await page.getByRole("button", { name: "See people" }).click();
    await page.getByRole("combobox", { name: "Group" }).click();
    await page.getByRole("option", { name: "4.12.0" }).click();
    await page.getByRole("dialog").getByRole("link").first().waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "pm-people");
    await page.getByLabel("Make a cohort of them").fill("Hit by 4.12.0");
    await page.getByRole("button", { name: "Make cohort" }).click();
    await page.getByRole("heading", { name: "Hit by 4.12.0" }).waitFor();
    const size = /^(\d+) people/.exec((await page.getByTestId("size").textContent()) ?? "")?.[1] ?? "";
    expect(Number(size)).toBeGreaterThan(5);
    expect(await serious(page)).toEqual([]);
    await picture(page, "pm-cohort");
    await page.getByRole("button", { name: /^Why/ }).first().click();
    await page.getByRole("dialog").getByRole("cell", { name: "entered" }).waitFor();
    await page.keyboard.press("Escape");

    // are they still there: a trend of the cohort, on the dashboard
    await page.getByRole("link", { name: "Explore" }).click();
    const events = page.getByRole("combobox", { name: "Events", exact: true });
    await events.fill("Session started");
    await page.getByRole("option", { name: "Session started", exact: true }).click();
    await page.getByRole("button", { name: "Add a condition", exact: true }).click();
    await page.getByRole("combobox", { name: "Property" }).click();
    await page.getByRole("option", { name: "Cohort", exact: true }).click();
    await page.getByRole("combobox", { name: "Cohorts" }).click();
    await page.getByRole("option", { name: "Hit by 4.12.0" }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("combobox", { name: "Range", exact: true }).click();
    await page.getByRole("option", { name: "Last 180 days" }).click();
    await expect.poll(sentence).toMatch(/^Session started: \d+ people/);
    expect(Number(/: (\d+) people/.exec((await sentence()) ?? "")?.[1])).toBeLessThanOrEqual(Number(size));
    await picture(page, "pm-trend");
    await page.getByRole("button", { name: "Save to dashboard" }).click();
    await page.getByLabel("Title").fill("Those hit by 4.12.0");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("heading", { name: "Those hit by 4.12.0" }).waitFor();

    // a cohort by rule
    await page.getByRole("link", { name: "Cohorts" }).click();
    await page.getByRole("link", { name: "New cohort" }).click();
    await page.getByLabel("Name").fill("Quiet since a week");
    await page.getByRole("button", { name: "Add a condition" }).click();
    await page.getByRole("menuitem", { name: "Stopped doing it" }).click();
    await page.getByRole("combobox", { name: "Event", exact: true }).fill("Session started");
    await page.getByRole("option", { name: "Session started", exact: true }).click();
    await page.getByText(/people of [\d,]+ now/).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "cohort-new");
    await page.getByRole("button", { name: "Create cohort" }).click();
    await page.getByRole("heading", { name: "Quiet since a week" }).waitFor();
    await page.getByText("did Session started in the last 30 days, but not in the last week").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "cohort-rule");
    await page.getByRole("link", { name: "All cohorts" }).click();
    await page.getByRole("cell", { name: "By rule" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "cohorts");
    expect(faults).toEqual([]);
  }, 240_000);
});

describe("whoever leads support", () => {
  it("sees what pulls the score down, reads why, has it forwarded, and follows those customers to what they pay", async () => {
    // after the one before: the demo is full
    const { modules, store, directory, log } = world.system;
    jobs = startJobs({ modules: modules.filter(({ name }) => name === "cx-score"), store, directory, clock: world.clock, log, tickMs: 50 }); // prettier-ignore
    const { page, faults } = await signedIn(browser, world);
    const sentence = () => page.getByTestId("sentence").textContent();

    await page.goto(`${world.url}/conversations?days=365&w=${workspace}`);
    await page.getByText(/^of [\d,]+$/).waitFor({ timeout: 60_000 });
    expect(await serious(page)).toEqual([]);
    await picture(page, "cx-demo");
    await page.getByRole("button", { name: "Policy", exact: true }).click();
    await page
      .getByRole("link", { name: /seat|bill|minimum/ })
      .first()
      .click();
    await page.getByRole("heading", { name: "Why this score" }).waitFor();
    await page.getByRole("complementary", { name: "Why this score" }).getByText("Policy", { exact: true }).waitFor();
    await page.locator("mark").first().waitFor();
    await picture(page, "cx-demo-conversation");

    // from now on somebody hears of it
    await page.goBack();
    await page.getByRole("button", { name: "New rule" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Name" }).fill("Price complaints");
    await dialog.getByRole("combobox", { name: "Driver" }).click();
    await page.getByRole("option", { name: "Policy" }).click();
    await dialog.getByRole("button", { name: "Try it on this time" }).click();
    await dialog.getByText(/It fits [\d,]+ of [\d,]+ conversations/).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "cx-rule");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("switch", { name: "Price complaints is on" }).waitFor();

    // the customers behind it
    await page.getByRole("link", { name: "Explore" }).click();
    const choose = async (event: string) => {
      await page.getByRole("combobox", { name: "Events", exact: true }).fill(event);
      await page.getByRole("option", { name: event, exact: true }).click();
    };
    const year = async () => {
      await page.getByRole("combobox", { name: "Range", exact: true }).click();
      await page.getByRole("option", { name: "Last 365 days" }).click();
    };
    await choose("Conversation scored");
    await year();
    await page.getByRole("button", { name: "Add a condition", exact: true }).click();
    await page.getByRole("combobox", { name: "Property" }).fill("policy_feedback");
    await page.getByRole("option", { name: "policy_feedback", exact: true }).click();
    await page.getByRole("combobox", { name: "Condition" }).click();
    await page.getByRole("option", { name: "less than", exact: true }).click();
    await page.getByRole("combobox", { name: "Values" }).fill("0");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await expect.poll(sentence).toMatch(/^Conversation scored: [1-9]\d* people/);
    await page.getByRole("button", { name: "See people" }).click();
    await page.getByRole("dialog").getByRole("link").first().waitFor();
    await page.getByLabel("Make a cohort of them").fill("Hurt by policy");
    await page.getByRole("button", { name: "Make cohort" }).click();
    await page.getByRole("heading", { name: "Hurt by policy" }).waitFor();

    // and what they went on to pay
    await page.getByRole("link", { name: "Explore" }).click();
    await choose("Invoice paid");
    await year();
    await page.getByRole("button", { name: "Add a condition", exact: true }).click();
    await page.getByRole("combobox", { name: "Property" }).click();
    await page.getByRole("option", { name: "Cohort", exact: true }).click();
    await page.getByRole("combobox", { name: "Cohorts" }).click();
    await page.getByRole("option", { name: "Hurt by policy" }).click();
    await page.keyboard.press("Escape");
    await expect.poll(sentence).toMatch(/^Invoice paid: \d+ people/);
    await picture(page, "cx-paid");
    expect(faults).toEqual([]);
  }, 240_000);
});
