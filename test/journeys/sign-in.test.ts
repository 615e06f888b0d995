import { Secret, TOTP } from "otpauth";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld({
  oidc_issuer: "http://127.0.0.1:9",
  oidc_client_id: "throughline",
  oidc_label: "Sign in with Acme",
});
let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("a member with a second factor", () => {
  it("sets it up, is asked for a code, and comes in; a provider that does not answer is said", async () => {
    const { page, faults } = await signedIn(browser, world);
    await page.goto(`${world.url}/settings?tab=password`);
    await page.getByLabel("Confirm with your password").fill(world.owner.password);
    await page.getByRole("button", { name: "Set up a second factor" }).click();
    await page.getByAltText("QR code").waitFor();
    expect(
      await page.getByAltText("QR code").evaluate((image) => (image as HTMLImageElement).naturalWidth),
    ).toBeGreaterThan(0);
    const secret = await page.locator("code").first().innerText();
    const code = (ms: number): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: ms });
    await page.getByLabel("The code that it shows").fill(code(Date.now()));
    expect(await serious(page)).toEqual([]);
    await picture(page, "second-factor");
    await page.getByRole("button", { name: "Take it into use" }).click();
    await page.getByText("Keep these recovery codes").waitFor();
    await page.getByText("10 recovery codes are left").waitFor();
    expect(await serious(page)).toEqual([]);
    await page.getByRole("button", { name: "Sign out" }).first().click();

    await page.getByLabel("Email").fill(world.owner.email);
    await page.getByRole("textbox", { name: "Password" }).fill(world.owner.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    world.clock.at = Date.now() + 60_000; // the code that confirmed it has counted
    await page.getByLabel("Code").fill(code(world.clock.at));
    expect(await serious(page)).toEqual([]);
    await picture(page, "sign-in-code");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { name: "Settings" }).waitFor();

    await page.getByRole("button", { name: "Sign out" }).first().click();
    await page.getByRole("link", { name: "Sign in with Acme" }).click();
    await page.getByText("The sign-on provider does not answer").waitFor();
    expect(await serious(page)).toEqual([]);
    // whoever sends a link puts no words of theirs on the page
    await page.goto(`${world.url}/explore?refused=Call%20this%20number`);
    await page.getByText("answer was not valid").waitFor();
    expect(await page.getByText("Call this number").count()).toBe(0);
    expect(faults).toEqual([]);
    await page.context().close();
  }, 120_000);
});
