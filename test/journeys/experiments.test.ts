import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld();
const day = 86_400_000;
const begin = Date.now() - 20 * day;
let browser: Browser;
const at = (name: string, userId: string, time: number, properties: Record<string, unknown> = {}) => ({ name, userId, at: time, messageId: `${name} ${userId}`, properties }); // prettier-ignore

beforeAll(async () => {
  const source = await world.system.registry.byKey((await world.source()).writeKey);
  const past = Array.from({ length: 2_100 }, (_, n) => [at("Signed Up", `p${n}`, begin - 32 * day + n * (day / 50)), ...(n % 5 === 0 ? [at("Finished", `p${n}`, begin - 31 * day + n * (day / 50))] : [])]).flat(); // prettier-ignore
  const now = Array.from({ length: 1_600 }, (_, n) => {
    const time = begin + n * (day / 100);
    const arm = n % 2 === 0 ? "control" : "treatment";
    const isDone = n % 10 < (arm === "control" ? 4 : 7);
    return [
      at("Shown", `u${n}`, time, { variant: arm, plan: n % 4 < 2 ? "pro" : "free" }),
      ...(isDone ? [at("Finished", `u${n}`, time + day / 2)] : []),
    ];
  }).flat();
  await world.system.ingest.accept(source, [...past, ...now]);
  await world.system.ingest.accept(source, [{ userId: "u1", personTraits: [{ op: "set", traits: { plan: "pro" } }] }]);
  await world.settled();
  await world.ask("metrics.define", { definition: { key: "finished", name: "Finished", measure: { kind: "unique", event: "Finished" } } }); // prettier-ignore
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe("whoever runs an experiment", () => {
  it("is refused without a least effect, starts with one, reads what may be read, and ends it with a reason", async () => {
    const { page, faults } = await signedIn(browser, world);
    await page.goto(`${world.url}/experiments`);
    await page.getByText("No experiments yet").waitFor();
    await page.getByRole("button", { name: "New experiment" }).first().click();
    await page.getByRole("textbox", { name: "Name" }).fill("Checklist");
    await page.getByRole("button", { name: "Plan it" }).click();
    await page.getByRole("heading", { name: "Checklist" }).waitFor();
    await page.getByRole("textbox", { name: "Hypothesis" }).fill("A checklist makes more people finish, since they see what is left."); // prettier-ignore
    for (const [label, event] of [["Who would take part does", "Signed Up"], ["Exposed by", "Shown"]] as const) {
      await page.getByRole("combobox", { name: label }).click();
      await page.getByRole("option", { name: event }).click();
    } // prettier-ignore
    await page.getByRole("textbox", { name: "Its property with the arm" }).fill("variant");
    await page.getByRole("button", { name: "Add a metric" }).click();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText(/Say the least effect that would be worth it/).waitFor();
    await page.getByRole("button", { name: "Start it" }).click();
    await page.getByText(/Least effect: Say the least effect/).waitFor();
    expect(await world.ask("experiments.get", { key: "checklist" })).toMatchObject({ state: "draft" });

    await page.getByRole("textbox", { name: "Least effect worth finding" }).fill("50");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText(/units of each of 2 arms/).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "experiment-plan");
    world.clock.at = begin;
    await page.getByRole("button", { name: "Start it" }).click();
    await page.getByText("Keep it running").waitFor();
    world.clock.at = undefined;
    await page.reload();
    await page.getByText("Ship it").waitFor();
    await page.getByText(/treatment moves Finished by/).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "experiment");
    // people have a trait of the same name
    await page.getByRole("combobox", { name: "By a property of the exposure" }).fill("pla");
    await page.getByRole("option", { name: "plan" }).click();
    await page.getByRole("button", { name: "Slice" }).click();
    await page.getByRole("cell", { name: "pro" }).waitFor();
    await page.getByRole("textbox", { name: "Why" }).fill("More people finish.");
    await page.getByRole("button", { name: "End the experiment" }).click();
    await page.getByText(/Shipped: treatment, by Ana/).waitFor();
    await page.goto(`${world.url}/experiments`);
    await page.getByText("More people finish.").waitFor();
    expect(await serious(page)).toEqual([]);
    expect(faults).toEqual([]);
  }, 120_000);
});
