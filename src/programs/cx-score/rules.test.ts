import { describe, expect, it } from "vitest";
import { noVeil } from "#kernel/classes.ts";
import { angry, begin, happy, part, range, startDesk } from "#test/cx.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
const minute = 60_000;
const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

interface Reviews {
  readonly reviews: readonly { conversation: string; rules: string[]; assignee: string | null; isMine: boolean; score: number | null }[]; // prettier-ignore
  readonly members: readonly { id: string; name: string }[];
}

describe("rules", () => {
  it("ask what the account pays, and whether an answer came in time, also where it becomes late only later", async () => {
    const { ask, send, score, workspace } = await startDesk(world);
    const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
    await world.system.ingest.accept(source, [["acme", 900], ["bolt", 20]].map(([account, mrr]) => ({ userId: "ana", at: begin, messageId: `${account}`, account: String(account), accountTraits: [{ op: "set" as const, traits: { mrr, plan: mrr === 900 ? "pro" : "free" } }] }))); // prettier-ignore
    await send([angry("a", "ana"), { ...angry("b", "bo"), account: "bolt" }, { ...angry("c", "cy"), account: "" }]);
    await score();
    const fits = async (rule: object) => (await ask<{ fits: number }>("cx.tryRule", { ...range, rule: { name: "x", ...rule } })).fits; // prettier-ignore
    expect(await fits({ trait: "mrr", traitFrom: 100 })).toBe(1);
    expect(await fits({ trait: "mrr", traitFrom: 20 })).toBe(2);
    expect(await fits({ trait: "plan", traitIs: "free" })).toBe(1);
    expect(await fits({ trait: "plan", traitFrom: 1 })).toBe(0);
    // the agent answered after a minute, the teammate after three
    expect([await fits({ answerOver: 1 }), await fits({ answerOver: 2 })]).toEqual([0, 0]);
    await send([{ id: "late", userId: "di", parts: [part("1", "customer", "Is anybody there?"), part("2", "teammate", "A note", begin + 1, { private: true }), part("3", "teammate", "Yes, sorry for the wait.", begin + 90 * minute)] }, { id: "never", userId: "ed", parts: [part("1", "customer", "Hello? It does not work")] }]); // prettier-ignore
    await score();
    expect([await fits({ answerOver: 60 }), await fits({ answerOver: 120 })]).toEqual([2, 1]);
    // too short for a score, and late all the same; with a score asked for it is not
    await send([{ id: "short", userId: "gi", parts: [part("1", "customer", "Hello?")] }]);
    await score();
    expect([await fits({ answerOver: 120 }), await fits({ answerOver: 120, below: 5 })]).toEqual([2, 1]);

    // it is not late when it is scored, and is an hour after
    const found = (await world.system.directory.find(workspace))!;
    const acting = world.system.modules.find(({ name }) => name === "cx-score")!.jobs!.find(({ name }) => name === "cx.rules")!; // prettier-ignore
    const at = (now: number) => acting.run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now, ...found }); // prettier-ignore
    await pause();
    const { id } = await ask<{ id: string }>("cx.saveRule", { rule: { name: "SLA", answerOver: 60 }, isOn: true });
    const now = Date.now();
    await send([{ id: "open", userId: "fi", parts: [part("1", "customer", "Can somebody help me with this?", now - 59.9 * minute)] }]); // prettier-ignore
    await score();
    const firings = async () => (await ask<{ rules: { id: string; firings: number }[] }>("cx.rules", {})).rules.find((one) => one.id === id)!.firings; // prettier-ignore
    await at(Date.now());
    expect(await firings()).toBe(0);
    await expect.poll(async () => { await at(Date.now()); return firings(); }, { timeout: 30_000 }).toBe(1); // prettier-ignore
    await at(Date.now() + 3_600_000);
    await at(Date.now() + 7_200_000);
    expect(await firings()).toBe(1);
  }, 60_000);

  it("give what they flag to somebody, who looks at it once", async () => {
    const { ask, send, score, rules } = await startDesk(world);
    const { members } = await ask<Reviews>("cx.reviews", {});
    expect(members.map(({ name }) => name)).toEqual(["Ana"]);
    await expect(ask("cx.saveRule", { rule: { name: "x", assign: "nobody" }, isOn: true })).rejects.toThrow(
      /no member/,
    );
    await ask("cx.saveRule", { rule: { name: "Low", below: 2.5 }, isOn: true });
    await ask("cx.saveRule", {
      rule: { name: "Policy", driver: "policy_feedback", assign: members[0]!.id },
      isOn: true,
    });
    await pause();
    await send([angry("a", "ana"), happy("h", "bo"), { ...angry("b", "cy"), parts: [part("1", "customer", "This is useless and I am angry")] }]); // prettier-ignore
    await score();
    await rules();
    const waiting = async (mine = false) => (await ask<Reviews>("cx.reviews", { mine })).reviews;
    expect((await waiting()).find(({ conversation }) => conversation === "a")).toMatchObject({ rules: expect.arrayContaining(["Low", "Policy"]), assignee: "Ana", isMine: true }); // prettier-ignore
    expect((await waiting()).find(({ conversation }) => conversation === "b")).toMatchObject({ rules: ["Low"], assignee: null, isMine: false }); // prettier-ignore
    expect((await waiting(true)).map(({ conversation }) => conversation)).toEqual(["a"]);
    await expect(ask("cx.review", { id: "b", assignee: "nobody" })).rejects.toThrow(/no member/);
    await ask("cx.review", { id: "b", assignee: members[0]!.id });
    expect((await waiting(true)).map(({ conversation }) => conversation).toSorted()).toEqual(["a", "b"]);
    await ask("cx.review", { id: "a", done: true });
    expect((await waiting()).map(({ conversation }) => conversation)).toEqual(["b"]);
    // scored anew it stays done
    await send([{ ...angry("a", "ana"), parts: [part("9", "customer", "Your policy is a scam", begin + 900_000)] }]);
    await score();
    await rules();
    expect((await waiting()).map(({ conversation }) => conversation)).toEqual(["b"]);
  }, 60_000);

  it("tell others together once a day, and once", async () => {
    const { ask, send, score, workspace } = await startDesk(world);
    const { id: channel } = await ask<{ id: string }>("alerts.addMail", { name: "Product", members: [], owners: true });
    await ask("cx.saveRule", { rule: { name: "Product", below: 4.9, tell: [channel], digest: true }, isOn: true });
    await pause();
    await send(Array.from({ length: 25 }, (_, n) => angry(`a${n}`, `p${n}`)));
    await score();
    const found = (await world.system.directory.find(workspace))!;
    const acting = world.system.modules.find(({ name }) => name === "cx-score")!.jobs!.find(({ name }) => name === "cx.rules")!; // prettier-ignore
    const at = (now: number) => acting.run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now, ...found }); // prettier-ignore
    const told = async () => (await world.system.store.selectFrom("alert_deliveries").select("body").where("workspace", "=", workspace).execute()).map(({ body }) => JSON.parse(body) as { says: string; hits: unknown[]; data: { conversations: string[] } }); // prettier-ignore
    await at(Date.now());
    expect(await told()).toEqual([]);
    expect((await ask<Reviews>("cx.reviews", {})).reviews).toEqual([]);
    await at(Date.now() + 86_400_000);
    await at(Date.now() + 86_400_000);
    const [digest, ...others] = await told();
    expect(others).toEqual([]);
    expect([digest!.hits.length, digest!.data.conversations.length]).toEqual([20, 25]);
    expect(digest!.says).toMatch(/^25 conversations on \d{4}-\d\d-\d\d; the first 20 are listed\.$/);
    expect(JSON.stringify(digest)).not.toContain("scam");
  }, 60_000);
});
