import { describe, expect, it } from "vitest";
import type { z } from "zod";
import type { TrendsResult } from "#insights/trends/contract.ts";
import type { IncomingEvent } from "#records/events/incoming.ts";
import { useWorld } from "#test/world.ts";
import type * as contract from "./contract.ts";

const world = useWorld();
type List = z.output<typeof contract.list.output>;
type Profile = z.output<typeof contract.profile.output>;

const given = async (events: readonly IncomingEvent[]) => {
  const workspace = await world.newWorkspace();
  const { writeKey } = await world.source("api", workspace);
  await world.system.ingest.accept(await world.system.registry.byKey(writeKey), events);
  const people = () => world.ask<List>("people.list", {}, workspace);
  const unique = async () => {
    const input = { range: { last: 3, unit: "day" }, series: [{ event: null, measure: "unique" }], display: "total" };
    return (await world.ask<TrendsResult>("trends.ask", input, workspace)).lines[0]?.total;
  };
  return { workspace, people, unique };
};

describe("who is who", () => {
  it("joins the visits before signing in, on every device, to the person who signed in", async () => {
    const { workspace, people, unique } = await given([
      { name: "Looked", anonymousId: "phone" },
      { name: "Looked", anonymousId: "laptop" },
      { name: "Signed in", anonymousId: "phone", userId: "ana" },
      { anonymousId: "laptop", userId: "ana", personTraits: [{ op: "set", traits: { name: "Ana", plan: "pro" } }] },
      { name: "Looked", anonymousId: "laptop" },
    ]);
    expect(await unique()).toBe(1);
    const { people: all, total } = await people();
    expect([total, all[0]?.name, all[0]?.events]).toEqual([1, "Ana", 4]);
    const profile = await world.ask<Profile>("people.profile", { id: all[0]?.id }, workspace);
    expect(profile.ids.map(({ id }) => id).sort()).toEqual(["ana", "laptop", "phone"]);
    expect(profile.events.map(({ event }) => event).sort()).toEqual(["Looked", "Looked", "Looked", "Signed in"]);
    expect(profile.traits.map(({ trait, value }) => [trait, value])).toEqual([
      ["name", "Ana"],
      ["plan", "pro"],
    ]);
  });

  it("never lets one identified id take another: a shared device stays with its first user", async () => {
    const { unique } = await given([
      { name: "Bought", anonymousId: "kiosk", userId: "ana" },
      { name: "Bought", anonymousId: "kiosk", userId: "bo" },
      { name: "Looked", userId: "bo", alias: "ana" },
    ]);
    expect(await unique()).toBe(2);
  });

  it("merges two persons when an admin says so, for the past too, and undoes it", async () => {
    const { workspace, people, unique } = await given([
      { name: "Looked", anonymousId: "phone", userId: "ana" },
      { name: "Looked", userId: "ana@work" },
    ]);
    const { people: both } = await people();
    const [work, home] = ["ana@work", "ana"].map((name) => both.find((person) => person.name === name)?.id ?? "");
    await world.ask("people.merge", { person: work, into: home }, workspace);
    expect(await unique()).toBe(1);
    const profile = await world.ask<Profile>("people.profile", { id: home }, workspace);
    expect(profile.joins.map(({ kind }) => kind)).toEqual(["merge", "link"]);
    await world.ask("people.unlink", { key: work }, workspace);
    expect(await unique()).toBe(2);
  });

  it("adds to lists and takes out of them, in order of time, through the doors of vendors", async () => {
    const workspace = await world.newWorkspace();
    const { writeKey } = await world.source("mixpanel", workspace);
    const change = (at: number, operation: string, value: unknown) => ({
      $token: writeKey,
      $distinct_id: "ana",
      $time: 1_700_000_000 + at,
      [operation]: { tags: value },
    });
    // what happened first comes last
    const changes = [
      change(5, "$remove", "b"),
      change(4, "$union", ["a", "c", "c"]),
      change(3, "$append", { odd: [1] }),
      change(2, "$append", "b"),
      change(1, "$set", ["a"]),
    ];
    const response = await fetch(`${world.url}/mixpanel/engage`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(changes),
    });
    expect(await response.text()).toBe("1");
    await world.settled();
    const source = await world.system.registry.byKey(writeKey);
    await world.system.ingest.accept(source, [{ name: "seen", userId: "ana" }]);
    const { people } = await world.ask<{ people: { id: string }[] }>("people.list", {}, workspace);
    const profile = () =>
      world.ask<{ traits: { trait: string; value: string }[] }>("people.profile", { id: people[0]?.id }, workspace);
    expect((await profile()).traits).toMatchObject([{ trait: "tags", value: '["a",{"odd":[1]},"c"]' }]);
    await world.system.ingest.accept(source, [
      { userId: "ana", personTraits: [{ op: "set", traits: { tags: "none" } }] },
    ]);
    expect((await profile()).traits).toMatchObject([{ trait: "tags", value: "none" }]);
  });

  it("pages through a timeline without losing events of one moment", async () => {
    const workspace = await world.newWorkspace();
    const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
    const at = Date.now() - 86_400_000;
    const events = Array.from({ length: 30 }, (_, n) => ({
      name: `e${n}`,
      userId: "ana",
      at: at + Math.floor(n / 4) * 1_000,
    }));
    await world.system.ingest.accept(source, events);
    const { people } = await world.ask<{ people: { id: string }[] }>("people.list", {}, workspace);
    const seen: string[] = [];
    for (let before: string | undefined; ;) {
      const input = { id: people[0]?.id, limit: 6, before };
      const page = await world.ask<{ events: { event: string; at: string }[] }>("people.profile", input, workspace);
      seen.push(...page.events.map(({ event }) => event));
      if (page.events.length < 6) break;
      before = page.events.at(-1)?.at;
    }
    expect(seen.sort()).toEqual(events.map(({ name }) => name).sort());
  });

  it("takes traits in order of time, whatever order they arrive in", async () => {
    const at = Date.now();
    const change = (
      op: "set" | "set_once" | "add" | "unset",
      traits: Record<string, unknown>,
      ago: number,
    ): IncomingEvent => ({ userId: "ana", at: at - ago, personTraits: [{ op, traits }] });
    const { workspace, people } = await given([
      { name: "Looked", userId: "ana" },
      change("set", { plan: "pro" }, 1_000),
      change("set", { plan: "free" }, 9_000),
      change("set_once", { first: "ad" }, 5_000),
      change("set_once", { first: "mail" }, 2_000),
      change("add", { points: 2 }, 3_000),
      change("add", { points: 3 }, 2_000),
      change("set", { gone: "x" }, 3_000),
      change("unset", { gone: null }, 2_000),
    ]);
    const [ana] = (await people()).people;
    const { traits } = await world.ask<Profile>("people.profile", { id: ana?.id }, workspace);
    expect(Object.fromEntries(traits.map(({ trait, value }) => [trait, value]))).toEqual({
      plan: "pro",
      first: "ad",
      points: "5",
    });
  });
});
