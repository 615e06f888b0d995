import { createRequire } from "node:module";
import { init, identify, Identify, track, flush, setGroup } from "@amplitude/analytics-node";
import { Analytics } from "@segment/analytics-node";
import { PostHog } from "posthog-node";
import { beforeEach, describe, expect, it } from "vitest";
import { readBack } from "./read-back.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
let workspace = "";
beforeEach(async () => {
  workspace = await world.newWorkspace();
});

/** A hundred and fifty purchases of fifteen people, so that every client sends more than one batch. */
const purchases = Array.from({ length: 150 }, (_, n) => ({ who: `person ${n % 15}`, amount: n }));
const allOfThem = { events: 150, people: 15, sum: (149 * 150) / 2, dead: 0 };

describe("an unmodified client, pointed at this server", () => {
  it("@segment/analytics-node", async () => {
    const { writeKey } = await world.source("segment", workspace);
    const analytics = new Analytics({ writeKey, host: world.url, flushAt: 20, maxRetries: 0 });
    const errors: unknown[] = [];
    analytics.on("error", (error) => errors.push(error));
    for (const { who, amount } of purchases) analytics.track({ userId: who, event: "Bought", properties: { amount } });
    analytics.identify({ userId: "person 1", anonymousId: "visitor 1", traits: { plan: "pro" } });
    analytics.track({ anonymousId: "visitor 1", event: "Visited" });
    analytics.group({ userId: "person 1", groupId: "acme", traits: { seats: 5 } });
    await analytics.closeAndFlush();
    expect(errors).toEqual([]);
    expect(await readBack(world, workspace, "Bought")).toEqual(allOfThem);
    expect(await readBack(world, workspace, null)).toMatchObject({ events: 151, people: 15 });
  });

  it("posthog-node", async () => {
    const { writeKey } = await world.source("posthog", workspace);
    const client = new PostHog(writeKey, { host: `${world.url}/posthog`, flushAt: 20, fetchRetryCount: 0 });
    const errors: unknown[] = [];
    client.on("error", (error) => errors.push(error));
    for (const { who, amount } of purchases)
      client.capture({ distinctId: who, event: "Bought", properties: { amount } });
    client.capture({ distinctId: "visitor 1", event: "Visited" });
    client.identify({ distinctId: "person 1", properties: { plan: "pro" } });
    client.alias({ distinctId: "person 1", alias: "visitor 1" });
    client.groupIdentify({ groupType: "company", groupKey: "acme", properties: { seats: 5 } });
    await client.shutdown();
    expect(errors).toEqual([]);
    expect(await readBack(world, workspace, "Bought")).toEqual(allOfThem);
    expect(await readBack(world, workspace, null)).toMatchObject({ events: 151, people: 15 });
  });

  it("@amplitude/analytics-node", async () => {
    const { writeKey } = await world.source("amplitude", workspace);
    await init(writeKey, {
      serverUrl: `${world.url}/amplitude/2/httpapi`,
      flushQueueSize: 20,
      flushMaxRetries: 1,
      logLevel: 0,
    }).promise;
    const sent = [
      ...purchases.map(
        ({ who, amount }) => track("Bought", { amount }, { user_id: who, device_id: `device of ${who}` }).promise,
      ),
      track("Visited", {}, { device_id: "device of person 1" }).promise,
      identify(new Identify().set("plan", "pro"), { user_id: "person 1" }).promise,
      setGroup("company", "acme", { user_id: "person 1" }).promise,
    ];
    await flush().promise;
    const codes = (await Promise.all(sent)).map(({ code }) => code);
    expect(new Set(codes)).toEqual(new Set([200]));
    expect(await readBack(world, workspace, "Bought")).toEqual(allOfThem);
    expect(await readBack(world, workspace, null)).toMatchObject({ events: 151, people: 15 });
  });

  it("mixpanel", async () => {
    const { writeKey } = await world.source("mixpanel", workspace);
    const Mixpanel: typeof import("mixpanel") = createRequire(import.meta.url)("mixpanel");
    const client = Mixpanel.init(writeKey, { host: new URL(world.url).host, path: "/mixpanel", protocol: "http" });
    const settled = (send: (done: (error?: Error) => void) => void) =>
      new Promise<void>((resolve, reject) =>
        send((error) => (error === undefined || error === null ? resolve() : reject(error))),
      );
    const [single, batched] = [purchases.slice(0, 10), purchases.slice(10)];
    await Promise.all(
      single.map(({ who, amount }) => settled((done) => client.track("Bought", { distinct_id: who, amount }, done))),
    );
    await new Promise<void>((resolve, reject) => {
      const events = batched.map(({ who, amount }) => ({ event: "Bought", properties: { distinct_id: who, amount } }));
      client.track_batch(events, {}, (errors: readonly Error[] | undefined) =>
        errors === undefined || errors === null || errors.length === 0 ? resolve() : reject(errors[0]),
      );
    });
    await settled((done) => client.people.set("person 1", { plan: "pro" }, done));
    await settled((done) => client.groups.set("company", "acme", { seats: 5 }, done));
    expect(await readBack(world, workspace, "Bought")).toEqual(allOfThem);
  });
});
