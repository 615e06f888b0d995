import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Judged, WatchView } from "#programs/watches/contract.ts";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld();
let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("a head of growth", () => {
  it("makes a question a metric, changes what it means knowing what that changes, and finds it again", async () => {
    const { workspace } = await world.ask<{ workspace: string }>("demo.create", {});
    const status = () => world.ask<{ complete: boolean }>("demo.status", {}, workspace);
    await expect.poll(async () => (await status()).complete, { timeout: 120_000, interval: 500 }).toBe(true);
    const { page, faults } = await signedIn(browser, world);

    // the catalog
    await page.goto(`${world.url}/catalog/metrics?w=${workspace}`);
    await page.getByRole("region", { name: "North Star" }).getByText(/teams/).first().waitFor();
    await page
      .getByRole("table", { name: /Where people first get value/ })
      .getByText(/days|hours|minutes/)
      .first()
      .waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "metrics");

    // its North Star is watched, and is as it should be; then as if yesterday had not been
    const [star] = (await world.ask<{ watches: WatchView[] }>("watches.list", { metric: "weekly_active_teams" }, workspace)).watches; // prettier-ignore
    const { judged } = await world.ask<{ judged: Judged[] }>("watches.try", { watch: star!.watch }, workspace);
    expect(judged.filter(({ fires }) => fires).length).toBeLessThan(4);
    const { bucket, value, says } = judged.at(-1)!;
    expect(says).toMatch(/^\d+ teams on \w+day .*; it is usually about \d+ teams\.$/);
    const of = { workspace, watch: star!.id };
    await world.system.store.insertInto("watch_firings").values({ ...of, bucket, value: value ?? 0, says, at: bucket }).execute(); // prettier-ignore
    await world.system.store.updateTable("watches").set({ state: "fires" }).where("id", "=", of.watch).execute();
    await page.reload();
    await page.getByText("One metric is not as it should be").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "metrics-firing");
    await page.getByRole("alert").getByRole("link", { name: "Active teams" }).click();
    await page.getByRole("region", { name: "Watches" }).getByText(says).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "metric-firing");

    // a question becomes a metric
    await page.goto(
      `${world.url}/explore?kind=trends&events=${encodeURIComponent('["Automation created"]')}&w=${workspace}`,
    );
    await page.getByTestId("sentence").waitFor();
    await page.getByRole("button", { name: "Save as metric" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Automators");
    await dialog.getByLabel("Unit").fill("people");
    await dialog.getByText(/Automators was/).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "metric-new");
    await dialog.getByRole("button", { name: "Save metric" }).click();
    await page.getByRole("heading", { name: "Automators" }).waitFor();
    await expect
      .poll(() => page.getByTestId("sentence").textContent())
      .toMatch(/Automators was [\d,]+ people in the week of/);
    expect(await serious(page)).toEqual([]);
    await picture(page, "metric");

    // from a point of it to its people, and to a cohort of them
    await page.locator("svg path[fill='#fff']").nth(2).click({ force: true });
    await page.getByRole("dialog").getByRole("link").first().waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "metric-people");
    expect(
      await page
        .getByRole("dialog")
        .getByPlaceholder(/Automators, week of/)
        .count(),
    ).toBe(1);
    await page.keyboard.press("Escape");

    // it is watched, once the past has shown how often that would have told
    await page.getByRole("button", { name: "Watch it" }).click();
    await dialog.getByRole("combobox", { name: "Is" }).click();
    await page.getByRole("option", { name: "Falls by" }).click();
    await dialog.getByLabel("Value").fill("40");
    await dialog.getByRole("button", { name: "Try it on the past" }).click();
    await dialog.getByText(/It would have begun \d+ times? in 120 days/).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "metric-watch");
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    const watch = page.getByRole("region", { name: "Watches" });
    await watch.getByText("A day 40 % or more below the same weekday of the week before").waitFor();
    await watch.getByText("Nothing has ended yet").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "metric-watched");

    // it stands on a dashboard, and is changed: the change is shown before it is kept
    await page.getByRole("link", { name: "Filter or break down" }).click();
    await page.getByTestId("sentence").waitFor();
    await page.getByRole("button", { name: "Save to dashboard" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByRole("region", { name: "Metric" }).getByTestId("sentence").waitFor();
    await page.goto(`${world.url}/catalog/metrics/automators?w=${workspace}`);
    await page.getByRole("link", { name: "Change definition" }).click();
    await page.getByRole("combobox", { name: "Count", exact: true }).click();
    await page.getByRole("option", { name: "Events", exact: true }).click();
    await expect.poll(() => page.getByTestId("sentence").textContent()).toMatch(/ events from/);
    await page.getByRole("button", { name: "Save definition" }).click();
    await dialog.getByText("measure.kind: unique → count").waitFor();
    await dialog.getByRole("link", { name: "Fernly at a glance" }).waitFor();
    expect(await dialog.getByText(/Over the last 13 weeks/).textContent()).toMatch(
      /people as it is, [\d,]+ people as it will be/,
    );
    await picture(page, "metric-change");
    await dialog.getByRole("button", { name: "Save as version 2" }).click();
    await page
      .getByRole("table", { name: /Every definition/ })
      .getByText("measure.kind: unique → count")
      .waitFor();

    // a metric of steps shows how long they take; it is found by typing
    await page.keyboard.press("Control+k");
    await page.getByRole("textbox", { name: "Find" }).fill("activati");
    await page.getByRole("dialog").getByText("Activation", { exact: true }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "palette");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Activation" }).waitFor();
    await page.getByRole("region", { name: "Time to value" }).getByRole("cell").first().waitFor();
    await picture(page, "metric-activation");
    expect(faults).toEqual([]);
    await page.context().close();
  }, 300_000);
});
