import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld();
let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("whoever releases something", () => {
  it("makes a flag, gives it to some, sees who gets what, and switches it on", async () => {
    const { page, faults } = await signedIn(browser, world);
    await page.goto(`${world.url}/flags`);
    await page.getByText("No flags yet").waitFor();
    await page.getByRole("button", { name: "New flag" }).first().click();
    await page.getByRole("textbox", { name: "Key" }).fill("checkout/new");
    await page.getByRole("textbox", { name: "What it is for" }).fill("The new checkout");
    await page.getByRole("button", { name: "Make it" }).click();
    await page.getByRole("heading", { name: "checkout/new" }).waitFor();

    await page.getByRole("button", { name: "Add a rule" }).click();
    const rule = page.getByRole("region", { name: "Rule 1" });
    await rule.getByRole("textbox", { name: "Rule 1" }).fill("Half of all who pay");
    await rule.getByRole("button", { name: "Add a condition" }).click();
    await rule.getByRole("textbox", { name: "Attribute" }).fill("plan");
    await rule.getByRole("combobox", { name: "Values" }).fill("pro");
    await page.keyboard.press("Enter");
    await rule.getByText("A split", { exact: true }).click();
    await rule.getByRole("textbox", { name: "Weight of off" }).fill("0");
    await rule.getByRole("textbox", { name: "Share that is inside" }).fill("50");
    await page.getByRole("textbox", { name: "Why" }).fill("Begin small");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("production: set up, off").waitFor();
    await page.getByText("Begin small").waitFor();
    await page.getByRole("switch", { name: "Off in production" }).click();
    await page.getByRole("switch", { name: "On in production" }).waitFor();

    const { environments } = await world.ask<{ environments: { key: string }[] }>("flags.environments", {});
    const asked = async (targetingKey: string, plan: string) => {
      const response = await fetch(`${world.url}/ofrep/v1/evaluate/flags/checkout%2Fnew`, { method: "POST", headers: { "x-api-key": environments[0]!.key }, body: JSON.stringify({ context: { targetingKey, plan } }) }); // prettier-ignore
      return ((await response.json()) as { value?: boolean }).value;
    };
    const all = await Promise.all(Array.from({ length: 200 }, (_, n) => asked(`u${n}`, "pro")));
    const inside = all.filter((value) => value === true).length;
    expect(inside).toBeGreaterThan(70);
    expect(inside).toBeLessThan(130);
    expect(await asked("u1", "free")).toBeUndefined();

    const someone = all.indexOf(true);
    await page.getByRole("textbox", { name: "Targeting key" }).fill(`u${someone}`);
    await page.getByRole("textbox", { name: "Attributes" }).fill('{"plan":"pro"}');
    await page.getByRole("button", { name: "Try it in production" }).click();
    await page.getByText("By rule 1, by its split.").waitFor();
    await page.getByRole("textbox", { name: "Attributes" }).fill('{"plan":"free"}');
    await page.getByRole("button", { name: "Try it in production" }).click();
    await page.getByText("No rule fits.").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "flag");
    await page.goto(`${world.url}/flags`);
    await page.getByRole("link", { name: "checkout/new" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "flags");

    // a server decides by itself, with a key that is shown this once
    await page.getByRole("button", { name: "Secret key" }).first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Secret key" }).click();
    const key = await page.getByText(/^tls_/).textContent();
    const rules = await fetch(`${world.url}/flags/v1/rules`, { headers: { authorization: `Bearer ${key}` } });
    expect(await rules.json()).toMatchObject({ environment: "production", flags: [{ key: "checkout/new" }] });
    await picture(page, "flags-key");
    expect(await serious(page)).toEqual([]);
    await page.reload();
    await page.getByRole("button", { name: "New secret key" }).waitFor();
    expect(await page.getByText(/^tls_/).count()).toBe(0);

    // a holdout, and a split that remembers
    await page.goto(`${world.url}/flags/${encodeURIComponent("checkout/new")}`);
    await page.getByRole("region", { name: "Rule 1" }).getByRole("switch", { name: "Remember who got what" }).click();
    await page.getByRole("switch", { name: "It is a holdout" }).click();
    await page.getByRole("combobox", { name: "Of what is tested by" }).fill("growth");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText(/holdout: null → /).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "flag-holdout");
    expect(faults).toEqual([]);
  }, 90_000);
});
