import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listen, type RunningServer } from "#app/server.ts";
import { openSystem, type System } from "#app/system.ts";
import { readConfig } from "#kernel/config.ts";
import { launchBrowser } from "#test/browser.ts";
import { picture, serious } from "./pages.ts";

const folder = mkdtempSync(join(tmpdir(), "throughline-first-run-"));
let browser: Browser;
let page: Page;
let system: System;
let server: RunningServer;

beforeAll(async () => {
  const config = readConfig({}, { data: folder, port: 0, log_level: "error", engine_memory: 3e9 });
  system = await openSystem(config);
  server = await listen(system);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.http.close();
  await system.close();
  rmSync(folder, { recursive: true, force: true });
});

const saved = async (button: string): Promise<Buffer> => {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button }).first().click(),
  ]);
  return readFileSync(await download.path());
};

describe("a new owner", () => {
  it("sets the server up with the demo, looks around, saves answers, and removes the demo", async () => {
    const faults: string[] = [];
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, acceptDownloads: true });
    page = await context.newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    await page.goto(server.url);
    await page.getByRole("heading", { name: "Set up Throughline" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "set-up");
    await page.getByLabel("Your name").fill("Ana");
    await page.getByLabel("Email").fill("ana@example.com");
    await page.getByRole("textbox", { name: "Password" }).fill("correct horse battery");
    await page.getByRole("textbox", { name: "Workspace" }).fill("Acme");
    await page.getByRole("button", { name: "Create workspace" }).click();

    await page.getByText("Fernly is a made-up company").waitFor();
    await page.getByRole("link", { name: "Dashboards" }).click();
    await page.getByRole("link", { name: "Fernly at a glance" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await page.getByRole("link", { name: "Fernly at a glance" }).click();
    await page.getByRole("heading", { name: "From sign-up to the first task" }).waitFor();
    await page.getByText("still arriving").waitFor({ state: "detached", timeout: 180_000 });
    await expect.poll(() => page.getByTestId("sentence").count(), { timeout: 20_000 }).toBe(6);
    await expect.poll(() => page.locator("svg path").count(), { timeout: 20_000 }).toBeGreaterThan(10);
    expect(await serious(page)).toEqual([]);
    await picture(page, "demo-dashboard");

    await page.getByRole("button", { name: "Arrange Teams at work each week" }).click();
    await page.getByRole("menuitem", { name: "Move later" }).click();
    await expect
      .poll(() => page.getByRole("heading", { level: 2 }).first().textContent())
      .toBe("From sign-up to the first task");
    await page.getByRole("combobox", { name: "Range of every question" }).click();
    await page.getByRole("option", { name: "Last 90 days" }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get("view")).toContain('"days":90');
    await expect.poll(() => page.getByTestId("sentence").count(), { timeout: 20_000 }).toBe(6);
    expect(await serious(page)).toEqual([]);

    // a condition on all of them, a text between, and the same on a screen on the wall
    await page.getByRole("button", { name: "Add a condition" }).click();
    await page.getByRole("combobox", { name: "Property" }).fill("plan");
    await page.getByRole("option", { name: "plan", exact: true }).first().click();
    await page.getByRole("combobox", { name: "Values" }).fill("business");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByTestId("sentence").count(), { timeout: 20_000 }).toBe(6);
    await page.getByRole("button", { name: "Open it like this for everybody" }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get("view")).toBe(null);
    await page.getByRole("button", { name: "Add a text" }).click();
    await page.getByRole("dialog").getByLabel("Text").fill("# Of the business plan alone");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Of the business plan alone" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "demo-dashboard-view");
    await page.getByRole("button", { name: "Share" }).click();
    await page.getByRole("menuitem", { name: "Send by email" }).click();
    await page.getByText("No mail server is set").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Share" }).click();
    await page.getByRole("menuitem", { name: "Show on a screen" }).click();
    await page.getByRole("button", { name: "Leave the screen" }).click();

    await page.getByRole("link", { name: "Open", exact: true }).nth(2).click();
    await page.getByRole("heading", { name: "Explore" }).waitFor();
    await page.getByRole("button", { name: "Save as CSV" }).waitFor();
    await page.getByRole("img", { name: /^Chart/ }).waitFor();
    expect((await saved("Save as CSV")).toString()).toMatch(/^Start of month,.*business.*\r\n\d{4}-\d\d-01,/);
    expect((await saved("Save as PNG")).subarray(1, 4).toString()).toBe("PNG");
    await picture(page, "demo-breakdown");

    await page.getByRole("link", { name: "Accounts" }).click();
    await page.getByLabel("Search").fill("account-12");
    await page
      .getByRole("link", { name: /\w+ \w+/ })
      .last()
      .waitFor();
    expect(await serious(page)).toEqual([]);
    await page.getByRole("row").nth(1).getByRole("link").click();
    await page.getByRole("heading", { name: "Timeline" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "demo-account");

    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByRole("cell", { name: "ana@example.com" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "settings-members");
    await page.getByRole("tab", { name: "API keys" }).click();
    await page.getByRole("button", { name: "New key" }).click();
    await page.getByLabel("Name").fill("Notebook");
    await page.getByRole("button", { name: "Create key" }).click();
    await page.getByText("It is shown this once").waitFor();
    expect(await page.locator("pre").textContent()).toMatch(/^tlk_/);
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("cell", { name: "Notebook", exact: true }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "settings-keys");
    await page.getByRole("tab", { name: "Workspace" }).click();
    await page.getByRole("heading", { name: "Remove this workspace" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "settings-workspace");

    await page.getByRole("link", { name: "Audit" }).click();
    await page.getByRole("cell", { name: "workspaces.createKey" }).waitFor();
    await page.getByLabel("Search").fill("createkey");
    await page.getByText("Newest first; 1 shown").waitFor();
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("The log is as it was written.").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "audit");

    await page.getByRole("button", { name: "Remove demo" }).click();
    await page.getByRole("button", { name: "Workspace Acme" }).waitFor();
    await page.getByText("Nothing to ask about yet").waitFor();
    await page.getByRole("button", { name: "Workspace Acme" }).click();
    await page.getByRole("menuitem", { name: "New workspace" }).click();
    await page.getByLabel("Name").fill("Beta");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByRole("button", { name: "Workspace Beta" }).waitFor();
    expect(new URL(page.url()).searchParams.get("w")).toMatch(/^ws_/);
    expect(faults).toEqual([]);
  }, 400_000);
});
