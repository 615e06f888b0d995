import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld();
let browser: Browser;
beforeAll(async () => {
  await world.ask("stewardship.classify", { kind: "property", id: "salary", class: "restricted" });
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("a steward", () => {
  it("sees who sees what, writes a policy, tries it, puts it in force, and says who is of which team", async () => {
    const { page, faults } = await signedIn(browser, world);
    await page.goto(`${world.url}/govern/policy`);
    await page.getByText("Roles alone decide how values are shown.").waitFor();
    await page
      .getByRole("row", { name: /event:salary/ })
      .getByText("Not at all")
      .waitFor();
    const text = page.getByLabel("Policy", { exact: true });
    const written = await text.inputValue();
    await text.fill(written.replace('role: viewer }, class: personal, see: token', "role: viewer }, class: personal, see: clear")); // prettier-ignore
    await page.getByRole("button", { name: "What would it change?" }).click();
    await page.getByText("1 of 3 tests fail").waitFor();
    await text.fill(written);
    await page.getByRole("button", { name: "What would it change?" }).click();
    await page.getByText("All 3 tests pass").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "policy");
    await page.getByRole("button", { name: "Put it in force" }).click();
    await page.getByText(/Version 1\.0\.0, put in force by Ana/).waitFor();
    await page.getByRole("combobox", { name: "Role" }).click();
    await page.getByRole("option", { name: "analyst" }).click();
    await page
      .getByRole("row", { name: /event:salary/ })
      .getByText("Only numbers over many people")
      .waitFor();

    await page.goto(`${world.url}/settings`);
    await page.getByRole("button", { name: /Teams, products and purposes of Ana/ }).click();
    await page.getByRole("combobox", { name: "Teams" }).fill("support");
    await page.getByRole("combobox", { name: "Teams" }).press("Enter");
    expect(await serious(page)).toEqual([]);
    await picture(page, "settings-attributes");
    await page.getByRole("button", { name: "Save" }).click();
    await page
      .getByRole("button", { name: /Teams, products and purposes of Ana/ })
      .getByText("support")
      .waitFor();
    expect(faults).toEqual([]);
  }, 90_000);
});
