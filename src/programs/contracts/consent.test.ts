import { describe, expect, it } from "vitest";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { useWorld } from "#test/world.ts";
import { consentTo } from "./disposition.ts";

describe("what an event says of consent", () => {
  const needs = { purposes: ["analytics", "ads"], optOut: ["ads"] };
  it("is asked only where purposes are needed, and every one of them", () => {
    expect(consentTo({}, { analytics: false }, true)).toBeUndefined();
    expect(consentTo(needs, undefined, false)).toBeNull();
    expect(consentTo(needs, { analytics: true }, false)).toEqual({ analytics: true, ads: false });
    expect(consentTo(needs, { analytics: true, ads: true }, false)).toEqual({ analytics: true, ads: true });
    expect(consentTo(needs, { analytics: true, ads: true }, true)).toEqual({ analytics: true, ads: false });
    expect(consentTo(needs, undefined, true)).toEqual({ analytics: true, ads: false });
    expect(consentTo({ ...needs, optOut: [] }, undefined, true)).toBeNull();
    // names of what every object has are purposes like others
    expect(consentTo({ purposes: ["constructor"] }, {}, false)).toEqual({ constructor: false });
  });
});

describe("the door", () => {
  const world = useWorld();
  const start = async (settings: object) => {
    const workspace = await world.newWorkspace();
    const { writeKey } = await world.source("api", workspace);
    const ask = <T>(operation: string, input: object) => world.ask<T>(operation, input, workspace);
    await ask("contracts.setSettings", { source: "", settings });
    const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
      const response = await fetch(`${world.url}${path}`, { method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${writeKey}`, ...headers }, body: JSON.stringify(body) }); // prettier-ignore
      expect(response.status).toBe(200);
      await world.settled();
    };
    const send = (event: object, headers?: Record<string, string>) => post("/v1/events", { events: [event] }, headers);
    const total = async (filters: object[] = []) =>
      (await ask<TrendsResult>("trends.ask", { series: [{ event: null }], filters })).lines[0]?.total ?? 0;
    return { ask, send, post, total, writeKey };
  };

  it("keeps what was agreed to, drops what was not, and says yes or no for those who say nothing as was chosen", async () => {
    const { send, total, ask } = await start({ purposes: ["analytics"] });
    await send({ event: "Seen", id: "1", userId: "ana", consent: { analytics: true } });
    await send({ event: "Seen", id: "2", userId: "bo", consent: { analytics: false }, person: { set: { mail: "x" } } });
    await send({ event: "Seen", id: "3", anonymousId: "device", consent: {} });
    await send({ event: "Seen", id: "4", userId: "cy" });
    expect(await total()).toBe(2);
    await ask("contracts.setSettings", { source: "", settings: { purposes: ["analytics"], absentConsent: "deny" } });
    await send({ event: "Seen", id: "5", userId: "cy" });
    expect(await total()).toBe(2);
    // who said no once, and yes later, is taken from then on
    await send({ event: "Seen", id: "6", userId: "bo", consent: { analytics: true } });
    expect(await total()).toBe(3);
  });

  it("keeps what people said, with its time, as traits that questions can ask for", async () => {
    const { send, total, ask } = await start({ purposes: ["analytics"] });
    await send({ event: "Seen", id: "1", userId: "ana", consent: { analytics: true, marketing: true } });
    await send({ event: "Seen", id: "2", userId: "ana", consent: { analytics: true, marketing: true } });
    await send({ event: "Seen", id: "3", userId: "bo", consent: { analytics: true, marketing: false } });
    const agreed = { property: "consent.marketing", on: "person", op: "eq", values: ["true"] };
    expect(await total([agreed])).toBe(2);
    const { people } = await ask<{ people: { id: string; name: string }[] }>("people.list", { search: "ana" });
    await send({ event: "Seen", id: "4", userId: "ana", consent: { analytics: false, marketing: false } });
    // the no is kept although the event is not
    expect(await total()).toBe(3);
    expect(await total([agreed])).toBe(0);
    const { traits } = await ask<{ traits: { trait: string; value: string }[] }>("people.profile", {
      id: people[0]!.id,
    });
    expect(traits.map(({ trait, value }) => `${trait} ${value}`)).toEqual(["consent.analytics false", "consent.marketing false"]); // prettier-ignore
    // and so is a later yes, although it is what was said before the no
    await send({ event: "Seen", id: "5", userId: "ana", consent: { analytics: true, marketing: true } });
    expect(await total([agreed])).toBe(3);
    await send({ event: "Seen", id: "6", userId: "ana", consent: { analytics: false, marketing: false } });
    // as it was at the event
    expect(await total([{ ...agreed, on: "person_then" }])).toBe(3);
  });

  it("heeds Global Privacy Control where it was chosen, and Segment's categories", async () => {
    const { send, post, total } = await start({ purposes: ["ads"], optOut: ["ads"] });
    await send({ event: "Seen", id: "1", userId: "ana" }, { "sec-gpc": "1" });
    expect(await total()).toBe(0);
    await send({ event: "Seen", id: "2", userId: "ana" });
    expect(await total()).toBe(1);
    const track = (id: string, categoryPreferences: unknown) => post("/v1/track", { type: "track", event: "Seen", userId: "bo", messageId: id, context: { consent: { categoryPreferences } } }); // prettier-ignore
    await track("3", { ads: true });
    await track("4", { ads: false });
    await track("5", { ads: "true" });
    await track("6", "nothing that it knows");
    expect(await total()).toBe(3);
  });
});

describe("the ledger of consent", () => {
  const world = useWorld();
  it("says who said what, when, through what, on which text; and what was not kept is counted", async () => {
    const workspace = await world.newWorkspace();
    const ask = <T>(operation: string, input: object) => world.ask<T>(operation, input, workspace);
    const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
    const send = async (...events: object[]) => {
      await world.system.ingest.accept(source, events as { userId: string }[]);
      await world.settled();
    };
    await ask("contracts.setSettings", { settings: { purposes: ["analytics"], optOut: ["ads"] } });
    await send({ name: "Seen", messageId: "1", userId: "ana", consent: { analytics: true, ads: true } });
    // a browser that says no to ads is believed before the page that says yes
    await send({ name: "Seen", messageId: "2", userId: "bo", consent: { analytics: true, ads: true }, optedOut: true });
    await send({ name: "Seen", messageId: "3", userId: "cy", consent: { analytics: false } }, { name: "Seen", messageId: "4", anonymousId: "x", consent: { analytics: false } }); // prettier-ignore
    await ask("consent.setPurpose", { purpose: "ads", basis: "consent", version: "2026-11", text: "We show you ads." });
    await ask("consent.record", { id: "ana", purpose: "ads", given: false, note: "By letter." });
    await expect(ask("consent.record", { id: "nobody", purpose: "ads", given: false })).rejects.toThrow(
      /Nobody is known/,
    );
    expect(await ask("consent.purposes", {})).toMatchObject({
      purposes: [
        { purpose: "ads", basis: "consent", version: "2026-11", agreed: 0, refused: 2 },
        { purpose: "analytics", basis: null, agreed: 2, refused: 1 },
      ],
      dropped: [{ source: source.id, events: 2 }],
    });
    const { entries } = await ask<{ entries: { id: string; given: boolean }[] }>("consent.ledger", { id: "ana", purpose: "ads" }); // prettier-ignore
    expect(entries).toMatchObject([
      { id: "ana", given: false, source: "by hand", basis: "consent", version: "2026-11" },
      { id: "ana", given: true, source: source.id, basis: null, version: "" },
    ]);
    expect((await ask<{ entries: object[] }>("consent.ledger", {})).entries.length).toBe(6);
    // asked again when data is used
    const lines = async (purpose?: string) => {
      const file = await ask<{ content: AsyncIterable<unknown> }>("exports.people", purpose === undefined ? {} : { purpose }); // prettier-ignore
      const parts: string[] = [];
      for await (const part of file.content) parts.push(String(part));
      return parts.join("").split("\n").filter(Boolean).map((line) => (JSON.parse(line) as { id: string }).id).toSorted(); // prettier-ignore
    };
    expect(await lines()).toEqual(["ana", "bo", "cy"]);
    expect(await lines("analytics")).toEqual(["ana", "bo"]);
    expect(await lines("ads")).toEqual([]);
  }, 60_000);

  it("stays where it is pinned to", async () => {
    const workspace = await world.newWorkspace();
    const ask = (operation: string, input: object) => world.ask(operation, input, workspace);
    await expect(ask("workspaces.change", { region: "EU" })).rejects.toThrow(/no region that it was told of/);
    // a server elsewhere that is given its state answers nothing of it
    await world.system.store.updateTable("workspaces").set({ region: "EU" }).where("id", "=", workspace).execute();
    world.system.directory.changed(workspace);
    await expect(ask("catalog.events", {})).rejects.toThrow(/pinned to EU/);
  });
});
