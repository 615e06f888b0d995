import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OpenFeature } from "@openfeature/server-sdk";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { PostHog } from "posthog-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, userAgent } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
let browser: Browser;
let site: Server;
let siteUrl = "";
let page: Page;
let clientKey = "";

const pro = [{ property: "plan", values: ["pro"] }];
const setting = (given: object) => ({ production: { isOn: true, ...given } });
const all = [
  { key: "checkout", type: "boolean", variations: [{ name: "on", value: true }, { name: "off", value: false }], environments: setting({ rules: [{ when: pro, serve: { variation: "on" } }], otherwise: "off" }) },
  { key: "team/colour", type: "string", variations: [{ name: "red", value: "#f00" }, { name: "blue", value: "#00f" }], environments: setting({ rules: [{ serve: { split: { parts: [{ variation: "red", weight: 1 }, { variation: "blue", weight: 1 }] } } }], otherwise: "red" }) },
  { key: "limit", type: "number", variations: [{ name: "low", value: 5 }], environments: setting({ otherwise: "low" }) },
  { key: "texts", type: "json", variations: [{ name: "a", value: { title: "Hello" } }], environments: setting({ otherwise: "a" }) },
  { key: "gone", type: "boolean", variations: [{ name: "on", value: true }], environments: setting({ isOn: false }) },
]; // prettier-ignore

beforeAll(async () => {
  for (const flag of all) await world.ask("flags.save", { flag, version: 0 });
  const { environments } = await world.ask<{ environments: { key: string }[] }>("flags.environments", {});
  clientKey = environments[0]!.key;
  browser = await launchBrowser();
  site = createServer((_request, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>Shop</title>")); // prettier-ignore
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  siteUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}/shop`;
  page = await (await browser.newContext({ userAgent })).newPage();
});
afterAll(async () => {
  await OpenFeature.close();
  await browser.close();
  site.close();
});

const run = async (script: string) => {
  const { outputFiles } = await build({ stdin: { contents: script, resolveDir: process.cwd(), loader: "ts" }, bundle: true, write: false, format: "iife", target: "es2022", define: { "process.env.NODE_ENV": '"production"' }, logLevel: "silent" }); // prettier-ignore
  await page.goto(siteUrl);
  await page.addScriptTag({ content: outputFiles[0]?.text ?? "" });
};
const ask = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${world.url}/ofrep/v1/evaluate/flags${path}`, { method: "POST", headers: { "content-type": "application/json", "x-api-key": clientKey, ...headers }, body: typeof body === "string" ? body : JSON.stringify(body) }); // prettier-ignore

describe("an unmodified client asks for flags", () => {
  it("@openfeature/ofrep-provider, in Node", async () => {
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: world.url, headers: [["Authorization", `Bearer ${clientKey}`]] })); // prettier-ignore
    const client = OpenFeature.getClient();
    const [ana, bo] = [
      { targetingKey: "ana", plan: "pro" },
      { targetingKey: "bo", plan: "free" },
    ];
    expect(await client.getBooleanDetails("checkout", false, ana)).toMatchObject({ value: true, variant: "on", reason: "TARGETING_MATCH" }); // prettier-ignore
    expect(await client.getBooleanValue("checkout", true, bo)).toBe(false);
    expect(await client.getStringDetails("team/colour", "none", ana)).toMatchObject({ value: expect.stringMatching(/^#/), reason: "SPLIT" }); // prettier-ignore
    expect(await client.getNumberValue("limit", 1, ana)).toBe(5);
    expect(await client.getObjectValue("texts", {}, ana)).toEqual({ title: "Hello" });
    // the code's default where it is off, not there, of another type, or asked of nobody
    expect(await client.getBooleanValue("gone", true, ana)).toBe(true);
    expect(await client.getBooleanDetails("nowhere", true, ana)).toMatchObject({ value: true, errorCode: "FLAG_NOT_FOUND" }); // prettier-ignore
    expect(await client.getStringDetails("limit", "x", ana)).toMatchObject({ value: "x", errorCode: "TYPE_MISMATCH" });
    expect(await client.getStringDetails("team/colour", "none", {})).toMatchObject({ value: "none", errorCode: "TARGETING_KEY_MISSING" }); // prettier-ignore
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: world.url, headers: [["X-API-Key", "wrong"]] }));
    expect(await client.getBooleanValue("checkout", true, ana)).toBe(true);
  }, 30_000);

  it("@openfeature/ofrep-web-provider, in Chromium, and hears of changes by itself", async () => {
    const answers: number[] = [];
    page.on("response", (response) => {
      if (response.request().method() === "POST" && response.url().includes("/ofrep/")) answers.push(response.status());
    });
    await run(`
      import { OpenFeature } from "@openfeature/web-sdk";
      import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
      (async () => {
        await OpenFeature.setContext({ targetingKey: "ana", plan: "free" });
        await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl: ${JSON.stringify(world.url)}, headers: [["X-API-Key", ${JSON.stringify(clientKey)}]], cacheMode: "disabled" }));
        const client = OpenFeature.getClient();
        window.flags = () => ({ checkout: client.getBooleanValue("checkout", false), colour: client.getStringValue("team/colour", "none"), limit: client.getNumberValue("limit", 1), texts: client.getObjectValue("texts", {}), gone: client.getBooleanValue("gone", true), reason: client.getBooleanDetails("gone", true).reason });
        window.context = (next) => OpenFeature.setContext(next);
        window.ready = true;
      })();
    `);
    await page.waitForFunction("window.ready === true", undefined, { timeout: 15_000 });
    const seen = () => page.evaluate("window.flags()");
    const first = { checkout: false, colour: expect.stringMatching(/^#/), limit: 5, texts: { title: "Hello" }, gone: true, reason: "DISABLED" }; // prettier-ignore
    expect(await seen()).toEqual(first);
    // the same person in another plan: what was kept for the old context is not taken for the new one
    await page.evaluate('window.context({ targetingKey: "ana", plan: "pro" })');
    expect(await seen()).toEqual({ ...first, checkout: true });
    const before = answers.length;
    await page.evaluate('window.context({ targetingKey: "ana", plan: "pro", irrelevant: 1 })');
    expect(answers.slice(before)).toEqual([304]);
    await world.ask("flags.turn", { key: "checkout", environment: "production", isOn: false });
    await expect.poll(async () => ((await seen()) as { checkout: boolean }).checkout, { timeout: 15_000 }).toBe(false);
    await world.ask("flags.turn", { key: "checkout", environment: "production", isOn: true });
    await expect.poll(async () => ((await seen()) as { checkout: boolean }).checkout, { timeout: 15_000 }).toBe(true);
  }, 60_000);

  it("posthog-node and posthog-js, by the write key of a source", async () => {
    const { writeKey } = await world.source("posthog");
    const client = new PostHog(writeKey, { host: `${world.url}/posthog`, flushAt: 20, fetchRetryCount: 0 });
    const person = { personProperties: { plan: "pro" } };
    expect(await client.isFeatureEnabled("checkout", "ana", person)).toBe(true);
    expect(await client.isFeatureEnabled("checkout", "bo")).toBe(false);
    const colour = await client.getFeatureFlag("team/colour", "ana");
    expect(colour).toMatch(/^#(f00|00f)$/);
    expect(await client.getFeatureFlagPayload("texts", "ana")).toEqual({ title: "Hello" });
    expect(await client.getAllFlags("ana", person)).toEqual({ checkout: true, gone: false, limit: "low", texts: "a", "team/colour": colour }); // prettier-ignore
    await client.shutdown();
    // what its clients send on with each flag that they asked for
    const response = await fetch(`${world.url}/posthog/flags/?v=2`, { method: "POST", body: JSON.stringify({ token: writeKey, distinct_id: "ana" }) }); // prettier-ignore
    const { flags } = (await response.json()) as {
      flags: Record<string, { metadata: { id: number; version: number } }>;
    };
    for (const [key, { metadata }] of Object.entries(flags))
      expect(metadata.version).toBe((await world.ask<{ version: number }>("flags.get", { key })).version);
    const ids = Object.values(flags).map(({ metadata }) => metadata.id);
    expect(new Set(ids).size).toBe(5);
    expect(ids.every((id) => Number.isInteger(id) && id > 100)).toBe(true); // no place in a list, which others move

    await run(`
      import posthog from "posthog-js";
      posthog.init(${JSON.stringify(writeKey)}, { api_host: ${JSON.stringify(`${world.url}/posthog`)}, persistence: "memory", bootstrap: { distinctID: "ana", isIdentifiedID: true }, loaded: (it) => { it.setPersonPropertiesForFlags({ plan: "pro" }); it.onFeatureFlags(() => { window.found = { checkout: it.isFeatureEnabled("checkout"), colour: it.getFeatureFlag("team/colour"), texts: it.getFeatureFlagPayload("texts"), gone: it.isFeatureEnabled("gone") }; }); } });
    `);
    await expect.poll(() => page.evaluate("window.found"), { timeout: 15_000 }).toEqual({ checkout: true, colour, texts: { title: "Hello" }, gone: false }); // prettier-ignore
  }, 60_000);

  it("is told what is wrong in the shape that clients read, and gets nothing of another workspace", async () => {
    const told = async (response: Response) => [response.status, await response.json()];
    expect(await told(await ask("/team%2Fcolour", { context: { targetingKey: "ana" } }))).toMatchObject([200, { key: "team/colour", reason: "SPLIT" }]); // prettier-ignore
    expect(await told(await ask("/checkout", "{"))).toEqual([400, { key: "checkout", errorCode: "PARSE_ERROR", errorDetails: expect.any(String) }]); // prettier-ignore
    expect(await told(await ask("/checkout", { context: [] }))).toMatchObject([400, { errorCode: "INVALID_CONTEXT" }]);
    expect(await told(await ask("/checkout", { context: { targetingKey: 5 } }))).toMatchObject([400, { key: "checkout", errorCode: "INVALID_CONTEXT" }]); // prettier-ignore
    expect(await told(await ask("/nowhere", {}))).toMatchObject([404, { key: "nowhere", errorCode: "FLAG_NOT_FOUND" }]);
    expect(await told(await ask("/team%2Fcolour", {}))).toMatchObject([400, { errorCode: "TARGETING_KEY_MISSING" }]);
    expect(await told(await ask("/checkout", {}, { "x-api-key": "tlf_other" }))).toMatchObject([401, { key: "checkout", errorCode: "GENERAL" }]); // prettier-ignore
    expect((await ask("", `{"context":{"a":"${"x".repeat(300_000)}"}}`)).status).toBe(413);
    const bulk = await ask("", {});
    expect(bulk.headers.get("access-control-expose-headers")).toBe("ETag, Retry-After");
    const body = (await bulk.json()) as { flags: object[]; eventStreams: { endpoint: { requestUri: string } }[] };
    expect(body.flags).toContainEqual({ key: "gone", reason: "DISABLED" });
    expect(body.flags).toContainEqual({ key: "team/colour", errorCode: "TARGETING_KEY_MISSING", errorDetails: expect.any(String) }); // prettier-ignore
    const stream = `${world.url}${body.eventStreams[0]!.endpoint.requestUri}`;
    const other = await world.newWorkspace();
    const forged = stream.replace(world.workspace, other);
    expect([(await fetch(forged)).status, (await fetch(`${stream}x`)).status]).toEqual([401, 401]);
    const { environments } = await world.ask<{ environments: object[] }>("flags.environments", {}, other);
    expect(environments).toEqual([]);
    await expect(world.ask("flags.get", { key: "checkout" }, other)).rejects.toThrow(/no such flag/);
  }, 30_000);
});
