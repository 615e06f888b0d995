import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startJobs } from "#kernel/jobs.ts";
import { launchBrowser } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { picture, serious, signedIn } from "./pages.ts";

const world = useWorld();
let browser: Browser;
let jobs: ReturnType<typeof startJobs> | undefined;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => {
  await jobs?.stop();
  await browser.close();
});

const begin = Date.now() - 40 * 86_400_000;
const part = (id: string, role: string, text: string, at: number) => ({ id, role, text, at });

describe("whoever answers for support", () => {
  it("sends conversations, sees how they went, finds what pulled the score down, and reads why", async () => {
    const { page, faults } = await signedIn(browser, world);
    await page.goto(`${world.url}/conversations`);
    await page.getByText("No conversations in this time").waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "conversations-empty");

    const { writeKey } = await world.source("api");
    const conversations = Array.from({ length: 60 }, (_, n) => {
      const at = begin + n * 14 * 3_600_000;
      const isBad = n % 3 === 0;
      return {
        id: `c${n}`, userId: `u${n % 25}`, channel: n % 2 === 0 ? "chat" : "email", team: "billing", state: "closed", createdAt: at,
        parts: isBad
          ? [part("1", "customer", "Why was I charged a cancellation fee? This is a scam!", at), part("2", "ai_agent", "I'm sorry, I did not understand. Could you rephrase?", at + 60_000), part("3", "customer", "Useless. I already told you. I want a human.", at + 90_000), part("4", "teammate", "Our policy does not allow refunds.", at + 200_000)]
          : [part("1", "customer", "How do I reset my password?", at), part("2", "ai_agent", "Open settings, press security, then press reset.", at + 10_000), part("3", "customer", "That worked, thank you!", at + 60_000)],
      };
    }); // prettier-ignore
    const sent = await fetch(`${world.url}/v1/conversations`, { method: "POST", headers: { authorization: `Bearer ${writeKey}` }, body: JSON.stringify({ conversations }) }); // prettier-ignore
    expect(await sent.json()).toEqual({ accepted: 60, withheld: 0, rejected: [] });
    const { modules, store, directory, log } = world.system;
    jobs = startJobs({ modules: modules.filter(({ name }) => name === "cx-score" || name === "voices"), store, directory, clock: world.clock, log, tickMs: 50 }); // prettier-ignore

    await page.reload();
    await page.getByText("of 60 conversations").waitFor();
    await page.getByText("66.7 %").first().waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "conversations");
    await page.getByRole("button", { name: "Policy" }).click();
    await page
      .getByRole("link", { name: /charged a cancellation fee/ })
      .first()
      .click();
    await page.getByRole("heading", { name: "Why this score" }).waitFor();
    await page.getByRole("complementary", { name: "Why this score" }).getByText("Policy", { exact: true }).waitFor();
    await page.locator("mark", { hasText: "This is a scam!" }).waitFor();
    expect(await serious(page)).toEqual([]);
    await picture(page, "conversation");
    await page.getByRole("radiogroup", { name: "What do you think?" }).getByText("1", { exact: true }).click();
    await page.getByRole("button", { name: "Label another" }).click();
    await page.getByRole("heading", { name: "What do you think?" }).waitFor();
    await page.goto(`${world.url}/conversations`);
    await page.getByText("Against your people: 1 labelled, 0 of them by two").waitFor();
    expect(await serious(page)).toEqual([]);

    // by parts, down to the conversations of one
    await page.getByRole("combobox", { name: "By", exact: true }).click();
    await page.getByRole("option", { name: "Channel" }).click();
    await page.getByRole("region", { name: "By parts" }).getByRole("button", { name: "email" }).click();
    await page.getByRole("button", { name: "Channel: email. Show all" }).waitFor();
    await expect.poll(() => new URL(page.url()).searchParams.get("name")).toBe("email");
    // a rule gives what it flags to somebody, who looks at it
    await page.getByRole("button", { name: "New rule" }).click();
    await page.getByLabel("Score below").fill("2.6");
    await page.getByRole("button", { name: "Try it on this time" }).click();
    await page.getByText("It fits 20 of 60 conversations").waitFor();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("below 2.6").waitFor();
    const more = await fetch(`${world.url}/v1/conversations`, { method: "POST", headers: { authorization: `Bearer ${writeKey}` }, body: JSON.stringify({ conversations: [{ ...conversations[0], id: "flagged" }] }) }); // prettier-ignore
    expect(more.status).toBe(200);
    const isFlagged = async (): Promise<boolean> => {
      await page.reload();
      return page.getByRole("button", { name: "flagged is done" }).waitFor({ timeout: 10_000 }).then(() => true, () => false); // prettier-ignore
    };
    await expect.poll(isFlagged, { timeout: 90_000, interval: 1_000 }).toBe(true);
    expect(await serious(page)).toEqual([]);
    await picture(page, "conversations-flagged");
    await page.getByRole("button", { name: "flagged is done" }).click();
    await page.getByRole("button", { name: "flagged is done" }).waitFor({ state: "detached" });

    // a calibration from what customers answered is tried before it counts
    await page.getByRole("button", { name: "Learn from customers’ answers" }).click();
    await page.getByText("conversations have a label and can be scored").waitFor();
    // another system sends its conversations
    await page.getByRole("button", { name: "Connect a system" }).click();
    await page.getByLabel("Client secret of your Intercom app").fill("a secret of theirs");
    await page.getByRole("button", { name: "Connect", exact: true }).click();
    await page
      .getByRole("region", { name: "Let it send to this address" })
      .getByText("/v1/conversations/hooks/lnk_")
      .waitFor();
    expect(await serious(page)).toEqual([]);
    await page.getByRole("button", { name: "Done", exact: true }).click();
    await page.getByText("Intercom sends (webhook)").waitFor();

    // what they say, word for word, and an interview beside it
    await page.getByRole("link", { name: "Voices" }).click();
    await page.getByText("This is a scam!").first().waitFor({ timeout: 40_000 });
    await page.getByRole("button", { name: "Add an interview or note" }).click();
    await page.getByLabel("Title").fill("How Ana plans");
    await page
      .getByLabel("What was said")
      .fill("When I plan the week, I want to see who is away so that I can move tasks.");
    expect(await serious(page)).toEqual([]);
    await page.getByRole("button", { name: "Add it" }).click();
    await page.getByText("so that I can move tasks").last().waitFor({ timeout: 40_000 });
    expect(await serious(page)).toEqual([]);
    await picture(page, "voices");

    await page.goto(`${world.url}/conversations/c0`);
    await page.getByRole("link", { name: "The customer" }).click();
    await page.getByText("Conversation scored").first().waitFor();
    expect(faults).toEqual([]);
  }, 240_000);
});
