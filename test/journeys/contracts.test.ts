import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld();
let browser: Browser;

const send = async (from: number, count: number, properties: (n: number) => object): Promise<void> => {
  const source = await world.system.registry.byKey((await world.system.registry.list(world.workspace))[0]?.writeKey);
  await world.system.ingest.accept(
    source,
    Array.from({ length: count }, (_, n) => ({
      name: "Order Completed",
      userId: `u${n % 9}`,
      at: Date.now() - n * 60_000,
      messageId: `${from + n}`,
      properties: properties(n) as Record<string, unknown>,
    })),
  );
  await world.settled();
};

const total = async (): Promise<number> => {
  const series = [{ event: "Order Completed", measure: "sum", property: "total" }];
  return (await world.ask<TrendsResult>("trends.ask", { series })).lines[0]?.total ?? 0;
};

beforeAll(async () => {
  await world.source();
  const { id } = await world.ask<{ id: string }>("dashboards.create", { name: "Revenue" });
  const question = {
    kind: "trends",
    input: { series: [{ event: "Order Completed", measure: "sum", property: "total" }] },
  };
  await world.ask("dashboards.addTile", { id, title: "Total", question, address: "/explore?kind=trends" });
  await send(0, 60, (n) => ({ total: 10, plan: n % 2 === 0 ? "free" : "pro" }));
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("a steward", () => {
  it("agrees on an event, sees it break within seconds, mends what is held, and the number is right again", async () => {
    const { page, faults } = await signedIn(browser, world);
    await page.goto(`${world.url}/contracts`);
    await page.getByRole("heading", { name: "Everything fits" }).waitFor();
    expect(await serious(page)).toEqual([]);

    // a contract, proposed from what arrived
    await page.getByRole("tab", { name: "Contracts" }).click();
    await page.getByLabel("Propose from what arrived").fill("Order Completed");
    await page.getByRole("button", { name: "Propose" }).click();
    const text = page.getByRole("textbox", { name: /^Contract/ });
    await expect.poll(() => text.inputValue()).toContain("name: total");
    await text.fill((await text.inputValue()).replace("status: draft", "status: active"));
    await page.getByRole("button", { name: "What would it change?" }).click();
    await page.getByText("Of the latest 60 Order Completed, 60 fit.").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "contracts-check");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("order-completed 1.0.0 is kept as active.").waitFor();

    // a plan of another product becomes drafts
    const plan = "Event Name,Property Name,Property Type,Required\nSigned Up,plan,string,yes\nOdd,x,colour,no\n";
    await page
      .locator('input[type="file"]')
      .setInputFiles({ name: "plan.csv", mimeType: "text/csv", buffer: Buffer.from(plan) });
    await page.getByText("Row 3: x has the type colour").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "contracts-plan");
    await page.getByRole("button", { name: "Keep 1 as drafts" }).click();
    await page.getByRole("button", { name: "Activate signed-up 1.0.0" }).waitFor();
    const given = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download" }).click();
    expect((await given).suggestedFilename()).toBe("contracts.json");

    await page.getByRole("tab", { name: "What is done" }).click();
    await page.getByRole("combobox", { name: "An event that breaks its contract" }).click();
    await page.getByRole("option", { name: "Is held" }).click();
    await page.waitForLoadState("networkidle");
    expect(await serious(page)).toEqual([]);
    // one source may do otherwise, and again as all do
    const { sources } = await world.ask<{ sources: { id: string; name: string }[] }>("sources.list", {});
    const chosen = async () => (await world.ask<{ bySource: Record<string, object> }>("contracts.settings", {})).bySource[sources[0]?.id ?? ""]; // prettier-ignore
    await page.getByRole("combobox", { name: "For" }).click();
    await page.getByRole("option", { name: sources[0]?.name ?? "" }).click();
    await page.getByRole("combobox", { name: "Keys, tokens and passwords" }).click();
    await page.getByRole("option", { name: "Is kept", exact: true }).click();
    await expect.poll(chosen).toEqual({ secret: "forward" });
    await picture(page, "contracts-choices");
    await page.getByRole("combobox", { name: "Keys, tokens and passwords" }).click();
    await page.getByRole("option", { name: "As for all (is masked by its type)" }).click();
    await expect.poll(chosen).toEqual({});
    expect(await serious(page)).toEqual([]);

    // a release breaks it while the page is open
    await page.getByRole("tab", { name: "What does not fit" }).click();
    await send(1_000, 5, () => ({ amount: "20", plan: "pro" }));
    await page.getByRole("cell", { name: "/properties/total" }).waitFor({ timeout: 10_000 });
    expect(await total()).toBe(600);
    expect(await serious(page)).toEqual([]);
    await picture(page, "contracts-breaches");

    // what it hits, and the way there and back
    await page.getByRole("link", { name: "Revenue" }).click();
    await page.getByRole("heading", { name: "Revenue" }).waitFor();
    await page.getByText("600").first().waitFor();
    await page.goBack();
    await page.getByRole("link", { name: "Order Completed" }).first().click();
    await page.getByRole("button", { name: "Count what would fit" }).click();
    await page.getByText("0 of 5 would fit.").waitFor();
    await page.getByRole("button", { name: "Add a step" }).click();
    await page.getByLabel("Property").fill("amount");
    await page.getByLabel("New name").fill("total");
    await page.getByRole("button", { name: "Add a step" }).click();
    await page.getByRole("combobox", { name: "Do" }).nth(1).click();
    await page.getByRole("option", { name: "Read as" }).click();
    await page.getByLabel("Property").nth(1).fill("total");
    await page.getByRole("combobox", { name: "Type" }).click();
    await page.getByRole("option", { name: "integer" }).click();
    await page.getByRole("button", { name: "Count what would fit" }).click();
    await page.getByText("5 of 5 would fit.").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "contracts-held");
    await page.getByRole("button", { name: "Send on" }).click();
    await page.getByText("Nothing is held").waitFor();
    await world.settled();
    expect(await total()).toBe(700);
    await page.getByRole("link", { name: "Dashboards" }).click();
    await page.getByRole("link", { name: "Revenue" }).click();
    await page.getByText("700").first().waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
