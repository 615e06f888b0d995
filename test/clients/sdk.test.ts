import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { OpenFeature } from "@openfeature/server-sdk";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bucketer, createFlags, openFeatureProvider, type Exposure, type Flags } from "#sdk/index.ts";
import type { Hashing } from "#sdk/rules.ts";
import { launchBrowser, userAgent } from "#test/browser.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
const dist = "packages/sdk/dist";
let serverKey = "";
let clientKey = "";
const open: Flags[] = [];
let site: Server | undefined;
let browser: Browser | undefined;

const onOff = [{ name: "on", value: true }, { name: "off", value: false }]; // prettier-ignore
const even = (given: object = {}) => ({ serve: { split: { parts: [{ variation: "on", weight: 1 }, { variation: "off", weight: 1 }], ...given } } }); // prettier-ignore
const flag = (key: string, setting: object, more: object = {}) => ({ key, type: "boolean", variations: onOff, environments: { production: { isOn: true, off: "off", otherwise: "off", ...setting }, development: { isOn: true, otherwise: "on", rules: [{ when: [{ property: "email", values: ["secret@example.com"] }], serve: { variation: "on" } }] } }, ...more }); // prettier-ignore
const save = async (given: object, version = 0) =>
  world.ask<{ version: number }>("flags.save", { flag: given, version });
const remote = async (key: string, targetingKey: string, attributes: object = {}) =>
  (await (await fetch(`${world.url}/ofrep/v1/evaluate/flags/${key}`, { method: "POST", headers: { "content-type": "application/json", "x-api-key": clientKey }, body: JSON.stringify({ context: { targetingKey, ...attributes } }) })).json()) as { value?: unknown; variant?: string; reason?: string }; // prettier-ignore
const made = (options: Partial<Parameters<typeof createFlags>[0]> = {}): Flags => {
  const flags = createFlags({ url: world.url, key: serverKey, ...options });
  open.push(flags);
  return flags;
};
const until = async (holds: () => boolean | Promise<boolean>) => {
  for (let n = 0; n < 200 && !(await holds()); n += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await holds()).toBe(true);
};
const people = Array.from({ length: 300 }, (_, n) => `user-${n}`);

beforeAll(async () => {
  const built = spawnSync("node", ["scripts/build-sdk.js"], { encoding: "utf8" });
  expect(built.status, built.stdout + built.stderr).toBe(0);
  await save(flag("checkout", { rules: [{ when: [{ property: "plan", values: ["pro"] }], serve: { variation: "on" } }, { when: [{ property: "page", op: "matches", values: ["^/(?:a|b)+$"] }], serve: { variation: "on" } }, even({ coverage: 0.6 })] })); // prettier-ignore
  await save({ ...flag("title", {}), type: "string", variations: [{ name: "a", value: "Hello" }], environments: { production: { isOn: true, otherwise: "a" } } }); // prettier-ignore
  const { environments } = await world.ask<{ environments: { key: string }[] }>("flags.environments", {});
  clientKey = environments[0]!.key;
  serverKey = (await world.ask<{ key: string }>("flags.newServerKey", { name: "production" })).key;
});
afterAll(async () => {
  for (const flags of open) flags.close();
  await OpenFeature.close();
  await browser?.close();
  site?.close();
});

describe("the SDK", () => {
  it("decides as the server does, and gives its rules for a secret key alone", async () => {
    const flags = made();
    await flags.ready;
    for (const one of people) {
      const context = {
        targetingKey: one,
        plan: one.endsWith("7") ? "pro" : "free",
        page: one.endsWith("3") ? "/ab" : "/abc",
      };
      const [here, there] = [flags.details("checkout", false, context), await remote("checkout", one, context)];
      expect([one, here.value, here.variant, here.reason]).toEqual([one, there.value, there.variant, there.reason]);
    }
    expect(flags.all({ targetingKey: "ana", plan: "pro" })).toEqual({ checkout: true, title: "Hello" });
    expect(flags.details("title", 1)).toMatchObject({ value: 1, errorCode: "TYPE_MISMATCH" });
    expect(flags.value<string | null>("title", null)).toBe("Hello");
    expect(flags.details("nowhere", "x")).toMatchObject({ value: "x", errorCode: "FLAG_NOT_FOUND" });
    expect(flags.details("checkout", true)).toMatchObject({ value: true, errorCode: "TARGETING_KEY_MISSING" });
    // nothing of another environment is given
    expect(JSON.stringify(flags.rules())).not.toContain("secret@example.com");
    const asked = (key: string) => fetch(`${world.url}/flags/v1/rules`, { headers: { authorization: `Bearer ${key}`, origin: "https://evil.example" } }); // prettier-ignore
    for (const key of [clientKey, "", "tls_wrong"]) expect((await asked(key)).status).toBe(401);
    const answer = await asked(serverKey);
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, null]);
    const known = await fetch(`${world.url}/flags/v1/rules`, { headers: { authorization: `Bearer ${serverKey}`, "if-none-match": answer.headers.get("etag") ?? "" } }); // prettier-ignore
    expect(known.status).toBe(304);
  });

  it("hears of changes, keeps the last rules when it is cut off, and says so", async () => {
    let isCut = false;
    const problems: string[] = [];
    const flags = made({
      pollSeconds: 0,
      onError: ({ message }) => problems.push(message),
      fetch: async (...given) => {
        if (isCut) throw new Error("cut off");
        return fetch(...given);
      },
    });
    await flags.ready;
    let heard = 0;
    const end = flags.onChange(() => (heard += 1));
    const { version } = await world.ask<{ version: number }>("flags.get", { key: "title" });
    await new Promise((resolve) => setTimeout(resolve, 300)); // the stream is opened
    await save({ key: "title", type: "string", variations: [{ name: "a", value: "Good day" }], environments: { production: { isOn: true, otherwise: "a" } } }, version); // prettier-ignore
    await until(() => heard > 0);
    expect(flags.value("title", "")).toBe("Good day");
    end();
    isCut = true;
    await expect(flags.refresh()).rejects.toThrow("cut off");
    expect(flags.value("title", "")).toBe("Good day");
    const other = made({ key: "tls_wrong", onError: ({ message }) => problems.push(message), pollSeconds: 0, stream: false }); // prettier-ignore
    await other.ready;
    expect(other.details("title", "mine")).toMatchObject({ value: "mine", errorCode: "PROVIDER_NOT_READY" });
    expect(problems.join(" ")).toContain("secret key");
  });

  it("keeps whoever was put into a part where they are, here and on the server", async () => {
    const sticky = (rule: object, number = 1) => flag("sticky", { rules: [{ ...even({ sticky: number }), ...rule }] });
    await save(sticky({}));
    const flags = made({ pollSeconds: 0, stream: false });
    await flags.ready;
    const before = people.slice(0, 60).map((one) => flags.value("sticky", false, { targetingKey: one }));
    const there = async () => Promise.all(people.slice(0, 60).map(async (one) => (await remote("sticky", one)).value));
    expect(await there()).toEqual(before);
    // other weights, and a condition that nobody meets
    const moved = sticky({ when: [{ property: "plan", values: ["none"] }], serve: { split: { parts: [{ variation: "on", weight: 0 }, { variation: "off", weight: 1 }], sticky: 1 } } }); // prettier-ignore
    await save(moved, 1);
    await flags.refresh();
    expect(people.slice(0, 60).map((one) => flags.value("sticky", false, { targetingKey: one }))).toEqual(before);
    await until(async () => JSON.stringify(await there()) === JSON.stringify(before));
    const { flags: tried } = await world.ask<{ flags: { variant: string }[] }>("flags.tryOut", { environment: "production", targetingKey: people[before.indexOf(true)], keys: ["sticky"] }); // prettier-ignore
    expect(tried[0]?.variant).toBe("on");
    // who was not there yet is decided by what holds now
    expect((await remote("sticky", "a new one")).value).toBe(false);
    // another number begins anew
    await save(sticky({ serve: { split: { parts: [{ variation: "on", weight: 0 }, { variation: "off", weight: 1 }], sticky: 2 } } }, 2), 2); // prettier-ignore
    await flags.refresh();
    expect(flags.value("sticky", true, { targetingKey: people[before.indexOf(true)] })).toBe(false);
    await until(async () => (await there()).every((value) => value === false));
  });

  it("keeps some out by a holdout, tells both sides of it, and keeps nobody out while it is off", async () => {
    await save(flag("held-out", { rules: [{ serve: { split: { parts: [{ variation: "on", weight: 2 }, { variation: "off", weight: 8 }] } } }] }, { holdout: { owners: [] } })); // prettier-ignore
    await save(flag("new-thing", { prerequisites: [{ flag: "held-out", variations: ["off"] }], otherwise: "on" }));
    const told: Exposure[] = [];
    const flags = made({ onExposure: (exposure) => told.push(exposure), pollSeconds: 0, stream: false });
    await flags.ready;
    const values = people.map((one) => [flags.value("held-out", false, { targetingKey: one }), flags.value("new-thing", true, { targetingKey: one })]); // prettier-ignore
    expect(values.every(([isOut, isNew]) => isOut !== isNew)).toBe(true);
    const out = values.filter(([isOut]) => isOut).length / people.length;
    expect(Math.abs(out - 0.2)).toBeLessThan(0.07);
    expect(told.filter(({ flag: key }) => key === "held-out")).toHaveLength(people.length);
    await world.ask("flags.turn", { key: "held-out", environment: "production", isOn: false });
    await flags.refresh();
    expect(people.every((one) => flags.value("new-thing", false, { targetingKey: one }))).toBe(true);
    expect((await remote("new-thing", people[values.findIndex(([isOut]) => isOut)] ?? "")).value).toBe(true);
  });

  it("says that it cannot know a cohort, unless it is told", () => {
    const rules = { format: 1, environment: "production", flags: [{ key: "club", holdout: null, variations: onOff, environments: { production: { isOn: true, off: "off", prerequisites: [], otherwise: "off", rules: [{ when: [{ on: "cohort", property: "", op: "eq", values: ["c1"] }], from: null, until: null, layer: null, serve: { variation: "on" } }] } } }] } as const; // prettier-ignore
    const flags = createFlags({ rules });
    expect(flags.details("club", false, { targetingKey: "ana" })).toMatchObject({ value: false, reason: "ERROR", errorCode: "GENERAL" }); // prettier-ignore
    expect(flags.value("club", false, { cohorts: ["c1"] })).toBe(true);
    expect(flags.details("club", true, { cohorts: [] })).toMatchObject({ value: false, reason: "DEFAULT" });
    expect(() => createFlags({ rules: { format: 2 } as never })).toThrow("older");
  });

  it("is a provider of OpenFeature", async () => {
    await OpenFeature.setProviderAndWait(openFeatureProvider(made()));
    const client = OpenFeature.getClient();
    expect(await client.getBooleanDetails("checkout", false, { targetingKey: "ana", plan: "pro" })).toMatchObject({ value: true, variant: "on", reason: "TARGETING_MATCH" }); // prettier-ignore
    expect(await client.getStringDetails("checkout", "x", { targetingKey: "ana", plan: "pro" })).toMatchObject({ value: "x", errorCode: "TYPE_MISMATCH" }); // prettier-ignore
    expect(await client.getStringValue("title", "")).toBe("Good day");
  });

  it("is small, imports nothing, has types, and puts everybody where the published vectors say, in Node and Chromium", async () => {
    const code = readFileSync(join(dist, "index.js"), "utf8");
    expect(gzipSync(code).length).toBeLessThan(12_000);
    for (const file of readdirSync(dist).filter((name) => name.endsWith(".js")))
      expect([...readFileSync(join(dist, file), "utf8").matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g)].map(([, name]) => name).filter((name) => !name?.startsWith("./"))).toEqual([]); // prettier-ignore
    const { vectors } = JSON.parse(readFileSync("packages/sdk/vectors.json", "utf8")) as { vectors: { hashing: Hashing; seed: string; salt: string; coverage: number; weights: number[]; parts: Record<string, number> }[] }; // prettier-ignore
    for (const { parts, ...given } of vectors) expect(Object.fromEntries(Object.keys(parts).map((unit) => [unit, bucketer(given)(unit)]))).toEqual(parts); // prettier-ignore
    expect(vectors.length).toBe(36);

    // installed as a package, by somebody who compiles against it
    const project = mkdtempSync(join(tmpdir(), "sdk-"));
    mkdirSync(join(project, "node_modules/@throughline"), { recursive: true });
    cpSync("packages/sdk", join(project, "node_modules/@throughline/sdk"), { recursive: true });
    symlinkSync(join(process.cwd(), "node_modules/@types"), join(project, "node_modules/@types"));
    writeFileSync(join(project, "package.json"), '{"type":"module"}');
    writeFileSync(join(project, "main.ts"), 'import { createFlags, type Flags } from "@throughline/sdk";\nconst flags: Flags = createFlags({});\nconst on: boolean = flags.value("a", false);\n// @ts-expect-error a number is no boolean\nconst no: boolean = flags.value("a", 1);\nconsole.log(on, no);\n'); // prettier-ignore
    const compiled = spawnSync(join(process.cwd(), "node_modules/.bin/tsc"), ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2023,dom", "--types", "node", "main.ts"], { cwd: project, encoding: "utf8" }); // prettier-ignore
    expect(compiled.stdout).toBe("");
    const ran = spawnSync("node", ["--input-type=module", "-e", 'import { createFlags } from "@throughline/sdk"; console.log(createFlags({}).value("a", 7))'], { cwd: project, encoding: "utf8" }); // prettier-ignore
    expect(ran.stdout).toBe("7\n");

    const files = new Map(readdirSync(dist).map((name) => [`/${name}`, readFileSync(join(dist, name))]));
    site = createServer((request, response) => {
      const file = files.get(request.url ?? "");
      response.setHeader("content-type", file === undefined ? "text/html" : "text/javascript").end(file ?? "<!doctype html><title>Shop</title>"); // prettier-ignore
    });
    await new Promise<void>((resolve) => site?.listen(0, "127.0.0.1", resolve));
    browser = await launchBrowser();
    const page = await (await browser.newContext({ userAgent })).newPage();
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    await page.addScriptTag({ type: "module", content: 'import * as sdk from "/index.js"; window.sdk = sdk;' });
    await page.waitForFunction("window.sdk !== undefined");
    const flags = made({ pollSeconds: 0, stream: false });
    await flags.ready;
    const seen = await page.evaluate(
      async ({ all, rules, users }) => {
        const { sdk } = window as unknown as { sdk: typeof import("#sdk/index.ts") };
        const own = sdk.createFlags({ rules });
        await own.ready;
        return {
          parts: all.map(({ parts, ...given }) => Object.fromEntries(Object.keys(parts).map((unit) => [unit, sdk.bucketer(given)(unit)]))), // prettier-ignore
          values: users.map((one) => own.value("checkout", false, { targetingKey: one, page: "/ab" })),
          outside: users.map((one) => own.value("checkout", false, { targetingKey: one, page: "/" })),
        };
      },
      { all: vectors, rules: flags.rules()!, users: people },
    );
    expect(seen.parts).toEqual(vectors.map(({ parts }) => parts));
    expect(seen.values.every(Boolean)).toBe(true);
    expect(seen.outside).toEqual(people.map((one) => flags.value("checkout", false, { targetingKey: one, page: "/" })));
  }, 60_000);
});
