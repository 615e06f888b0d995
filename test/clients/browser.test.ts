import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { launchBrowser, userAgent } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";
import { readBack } from "./read-back.ts";

const world = useWorld();
let browser: Browser;
let site: Server;
let siteUrl = "";
let workspace = "";

beforeAll(async () => {
  browser = await launchBrowser();
  // a site of its own, so that every request crosses origins as it does for customers
  site = createServer((_request, response) =>
    response.setHeader("content-type", "text/html").end("<!doctype html><title>Shop</title><h1>Shop</h1>"),
  );
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  siteUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}/shop`;
});
afterAll(async () => {
  await browser.close();
  site.close();
});
beforeEach(async () => {
  workspace = await world.newWorkspace();
});

/** Bundles a script with its SDK as a customer's build would, runs it in a page, and returns what the page faced. */
const visit = async (script: string) => {
  const { outputFiles } = await build({
    stdin: { contents: script, resolveDir: process.cwd(), loader: "ts" },
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "silent",
  });
  const page = await (await browser.newContext({ userAgent })).newPage();
  const failed: string[] = [];
  page.on("response", (response) => {
    if (response.url().startsWith(world.url) && response.status() >= 400)
      failed.push(`${response.status()} ${response.url()}`);
  });
  page.on("requestfailed", (request) => {
    if (request.url().startsWith(world.url)) failed.push(`${request.failure()?.errorText} ${request.url()}`);
  });
  await page.goto(siteUrl);
  await page.addScriptTag({ content: outputFiles[0]?.text ?? "" });
  return { page, failed };
};

const expectOnePerson = async (failed: readonly string[]) => {
  await expect
    .poll(() => readBack(world, workspace, "Bought"), { timeout: 20_000, interval: 500 })
    .toEqual({ events: 3, people: 1, sum: 60, dead: 0 });
  // the visit before signing in belongs to the same person
  expect(await readBack(world, workspace, "Looked")).toMatchObject({ events: 1, people: 1 });
  expect(await readBack(world, workspace, null)).toMatchObject({ people: 1 });
  expect(failed).toEqual([]);
};

describe("an unmodified browser client, on another site", () => {
  it("@segment/analytics-next", async () => {
    const { writeKey } = await world.source("segment", workspace);
    const host = new URL(world.url).host;
    const { failed } = await visit(`
      import { AnalyticsBrowser } from "@segment/analytics-next";
      const analytics = AnalyticsBrowser.load({ writeKey: "${writeKey}", cdnURL: "${world.url}/segment" }, { integrations: { "Segment.io": { apiHost: "${host}/segment/v1", protocol: "http" } } });
      (async () => {
        await analytics.page();
        await analytics.track("Looked");
        await analytics.identify("ana", { plan: "pro" });
        for (const amount of [10, 20, 30]) await analytics.track("Bought", { amount });
      })();`);
    await expectOnePerson(failed);
  });

  it("posthog-js", async () => {
    const { writeKey } = await world.source("posthog", workspace);
    const { failed } = await visit(`
      import posthog from "posthog-js";
      posthog.init("${writeKey}", { api_host: "${world.url}/posthog", opt_out_useragent_filter: true, loaded: () => {
        posthog.capture("Looked");
        posthog.identify("ana", { plan: "pro" });
        for (const amount of [10, 20, 30]) posthog.capture("Bought", { amount });
      } });`);
    await expectOnePerson(failed);
  });

  it("@amplitude/analytics-browser", async () => {
    const { writeKey } = await world.source("amplitude", workspace);
    const { failed } = await visit(`
      import * as amplitude from "@amplitude/analytics-browser";
      (async () => {
        await amplitude.init("${writeKey}", { serverUrl: "${world.url}/amplitude/2/httpapi", fetchRemoteConfig: false, flushIntervalMillis: 200 }).promise;
        await amplitude.track("Looked").promise;
        amplitude.setUserId("ana@example.com");
        for (const amount of [10, 20, 30]) amplitude.track("Bought", { amount });
      })();`);
    await expectOnePerson(failed);
  });
});
