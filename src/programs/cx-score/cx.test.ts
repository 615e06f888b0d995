import { describe, expect, it } from "vitest";
import { noVeil } from "#kernel/classes.ts";
import { sql } from "#kernel/sql.ts";
import { angry, begin, happy, part, range, startDesk } from "#test/cx.ts";
import { useWorld } from "#test/world.ts";
import type { TrendsResult } from "#insights/trends/contract.ts";
import type { Conversation, Overview } from "./contract.ts";
import { modelVersion } from "./scorer/heads.ts";
import { biasOf, trustOf, type Bias, type Trust as TrustOf } from "./trust.ts";

const world = useWorld();
const day = 86_400_000;

const setUp = () => startDesk(world);

describe("conversations", () => {
  it("are taken in, scored with quotes, and asked for as behaviour", async () => {
    const { ask, send, score, count } = await setUp();
    expect(await send([angry("a1", "ana"), happy("h1", "bo"), happy("h2", "cy"), { id: "x", userId: "di", state: "closed", parts: [part("1", "teammate", "Hello?")] }])).toEqual({ status: 200, body: { accepted: 4, withheld: 0, rejected: [] } }); // prettier-ignore
    await score();
    const overview = await ask<Overview>("cx.overview", range);
    expect(overview).toMatchObject({ model: modelVersion, waiting: 0, total: { conversations: 4, scored: 3 }, reasons: [{ reason: "scored", conversations: 3 }, { reason: "no_customer_text", conversations: 1 }] }); // prettier-ignore
    expect(overview.total.good!.share).toBeCloseTo(2 / 3, 9);
    expect(overview.drivers[0]!.points).toBeLessThan(0);

    const list = await ask<{ conversations: { id: string; score: number | null }[] }>("cx.conversations", { ...range, band: "low" }); // prettier-ignore
    expect(list.conversations.map(({ id }) => id)).toEqual(["a1"]);
    expect(await ask("cx.conversations", { ...range, driver: "policy_feedback", polarity: -1 })).toMatchObject({ conversations: [{ id: "a1" }] }); // prettier-ignore
    expect(await ask("cx.conversations", { ...range, search: "that WORKED" })).toMatchObject({
      conversations: [{}, {}],
    });
    const one = await ask<Conversation>("cx.conversation", { id: "a1" });
    expect(one.scores).toHaveLength(1);
    const texts = new Map(one.parts.map(({ id, text }) => [id, text]));
    const quotes = one.scores[0]!.drivers.flatMap(({ quotes: all }) => all.map(({ part: id, start, end }) => texts.get(id)!.slice(start, end))); // prettier-ignore
    expect(quotes.length).toBeGreaterThan(3);
    // clauses as they were written, of all who spoke
    expect([...new Set(quotes)].toSorted()).toEqual(["Could you rephrase?", "I already told you.", "I want a human.", "I'm sorry, I did not understand.", "Our policy does not allow refunds.", "This is a scam!", "Useless.", "Why was I charged a cancellation fee?"]); // prettier-ignore
    // what a driver moves on average is what it moved in each, over all that were scored
    const own = new Map(one.scores[0]!.drivers.map(({ driver, contribution }) => [driver, contribution]));
    for (const { driver, points } of overview.drivers.filter(({ conversations }) => conversations === 1)) expect(points).toBeCloseTo(own.get(driver)! / 3, 9); // prettier-ignore
    expect(overview.drivers.filter(({ conversations }) => conversations === 1)).toHaveLength(2);
    // all were in one week, whose means are those of the whole
    expect(new Map(overview.trend.map(({ driver, points }) => [driver, points]))).toEqual(new Map(overview.drivers.map(({ driver, points }) => [driver, expect.closeTo(points, 9)]))); // prettier-ignore
    expect(one.scores[0]!.ai).toBeLessThan(3);

    // as an event, in every question
    const { lines } = await ask<TrendsResult>("trends.ask", { series: [{ event: "Conversation scored", measure: "avg", property: "score" }, { event: "Conversation scored", measure: "unique", filters: [{ property: "policy_feedback", op: "lt", values: [0] }] }] }); // prettier-ignore
    expect(lines.map(({ total }) => total)).toEqual([expect.closeTo(overview.total.mean!, 6), 1]);
    const { events } = await ask<{ events: { name: string; count?: number }[] }>("catalog.events", {});
    expect(events.map(({ name }) => name).toSorted()).toEqual(["Conversation scored", "Conversation started"]);

    // a visitor stays a visitor
    await send([{ ...happy("v1", "x"), userId: undefined, anonymousId: "visitor-1" }]);
    await score();
    const { people } = await ask<{ people: { id: string }[] }>("people.list", { search: "visitor-1" });
    const profile = await ask<{ ids: { id: string; kind: string }[]; events: { event: string }[] }>("people.profile", { id: people[0]!.id }); // prettier-ignore
    expect(profile).toMatchObject({ ids: [{ id: "visitor-1", kind: "anonymous" }], events: [{ event: "Conversation scored" }, { event: "Conversation started" }] }); // prettier-ignore

    // sent again, nothing is doubled and nothing is scored anew
    await send([angry("a1", "ana"), happy("h1", "bo")]);
    await score();
    expect([await count("conversations"), await count("cx_scores")]).toEqual([5, 5]);
  }, 60_000);

  it("are masked at the door as their source wants it, withheld for want of consent, and go after their time", async () => {
    const { ask, send, run, score, count } = await setUp();
    const texts = async (id: string) => (await ask<Conversation>("cx.conversation", { id })).parts.map(({ text }) => text); // prettier-ignore
    const told = (id: string, more: object = {}) => ({ ...happy(id, "ana"), subject: "From ana@acme.example", ...more, parts: [part("1", "customer", "I am ana@acme.example, my card is 4111 1111 1111 1111 and it does not work"), part("2", "teammate", "It was ana@acme.example, thank you")] }); // prettier-ignore
    await send([told("a")]);
    expect(await texts("a")).toEqual(["I am [EMAIL_ADDRESS], my card is [CREDIT_CARD] and it does not work", "It was [EMAIL_ADDRESS], thank you"]); // prettier-ignore
    expect(await ask<Conversation>("cx.conversation", { id: "a" })).toMatchObject({ subject: "From [EMAIL_ADDRESS]" });
    // tokens tell that it is the same; dropped is never the whole text
    await ask("contracts.setSettings", { settings: { pii: "token" } });
    await send([told("b")]);
    const [first, second] = await texts("b");
    expect(/\[EMAIL_ADDRESS tok_[0-9a-f]{20}\]/.exec(first!)![0]).toBe(/\[EMAIL_ADDRESS tok_[0-9a-f]{20}\]/.exec(second!)![0]); // prettier-ignore
    await ask("contracts.setSettings", { settings: { pii: "drop" } });
    await send([told("c")]);
    expect((await texts("c"))[1]).toBe("It was [EMAIL_ADDRESS], thank you");
    await ask("contracts.setSettings", { settings: { pii: "forward" } });
    await send([told("d")]);
    expect((await texts("d"))[1]).toBe("It was ana@acme.example, thank you");

    await ask("contracts.setSettings", { settings: { pii: "redact", purposes: ["support"], absentConsent: "deny" } });
    expect((await send([told("e"), told("f", { consent: { support: false } }), told("g", { consent: { support: true } })])).body).toEqual({ accepted: 1, withheld: 2, rejected: [] }); // prettier-ignore
    expect(await count("conversations")).toBe(5);
    expect(await ask<{ dropped: { events: number }[] }>("consent.purposes", {})).toMatchObject({
      dropped: [{ events: 2 }],
    });

    await score();
    const settings = { events: null, personal: null, restricted: null, held: 30, heldSensitive: 30, deadLetters: 90 };
    await ask("keeping.set", { settings: { ...settings, conversations: 5 } });
    const late = { ...happy("late", "ana"), consent: { support: true } };
    await send([{ ...late, parts: [...late.parts, part("9", "customer", "One more thing", Date.now() - day)] }]);
    await score();
    const before = await ask<Conversation>("cx.conversation", { id: "a" });
    const [keeping] = world.system.modules.find(({ name }) => name === "keeping")!.jobs!;
    await run(keeping!);
    const after = await ask<Conversation>("cx.conversation", { id: "a" });
    expect(after).toEqual({ ...before, subject: "", parts: [], scores: before.scores.map((one) => ({ ...one, summary: "" })) }); // prettier-ignore
    expect((await ask<Conversation>("cx.conversation", { id: "late" })).parts).toHaveLength(4);
    // nothing is scored anew because its words are gone
    await score();
    expect(await ask<Conversation>("cx.conversation", { id: "a" })).toEqual(after);
    expect(await ask("keeping.get", {})).toMatchObject({ went: [{ what: "What was written in conversations, older than 5 days", rows: 10 }] }); // prettier-ignore
  }, 60_000);

  it("are scored anew where something was added or taken back, and what was said before stays", async () => {
    const { ask, send, score, count } = await setUp();
    await send([angry("a1", "ana", { state: "open" })]);
    await score();
    const before = (await ask<Conversation>("cx.conversation", { id: "a1" })).scores[0]!.score!;
    await send([{ ...angry("a1", "ana"), parts: [part("5", "teammate", "I have refunded the fee and closed the case for you.", begin + 240_000), part("6", "customer", "Perfect, that is solved now, thank you!", begin + 300_000)] }]); // prettier-ignore
    await score();
    const { scores, parts, state } = await ask<Conversation>("cx.conversation", { id: "a1" });
    expect([parts.length, scores.length, state]).toEqual([6, 2, "closed"]);
    expect(scores[0]!.score).toBeGreaterThan(before + 1);
    expect(scores[1]!.score).toBe(before);
    expect((await ask<Overview>("cx.overview", range)).total).toMatchObject({ conversations: 1, scored: 1, mean: scores[0]!.score }); // prettier-ignore
    // a note never reaches the score, and what was taken back is gone from it
    await send([{ id: "a1", userId: "ana", state: "closed", parts: [part("7", "teammate", "This customer is a liar and a scam, useless", begin + 400_000, { private: true })] }]); // prettier-ignore
    await score();
    const third = await ask<Conversation>("cx.conversation", { id: "a1" });
    expect(third.scores[0]!.score).toBe(scores[0]!.score);
    expect(JSON.stringify(third.scores)).not.toContain("liar");
    await send([{ id: "a1", userId: "ana", state: "closed", parts: [part("6", "customer", "", begin + 300_000)] }]);
    await score();
    expect((await ask<Conversation>("cx.conversation", { id: "a1" })).scores[0]!.score).toBeLessThan(scores[0]!.score!);
    expect(await count("cx_scores")).toBe(4);
    // with nothing left to score it has no score, whatever it had before
    await send([{ id: "a1", userId: "ana", state: "closed", parts: ["1", "3", "6"].map((id) => part(id, "customer", "")) }]); // prettier-ignore
    await score();
    expect((await ask<Overview>("cx.overview", range)).total).toMatchObject({
      conversations: 1,
      scored: 0,
      mean: null,
    });
    expect(await ask("cx.conversations", { ...range, band: "unscored" })).toMatchObject({ conversations: [{ score: null, reason: "no_customer_text" }] }); // prettier-ignore
  }, 60_000);

  it("are scored once all of them is there, where sending ended in the middle", async () => {
    const { ask, send, score, count, engine } = await setUp();
    await send([angry("a1", "ana")]);
    await score();
    // as a server that ends between the two leaves it: parts without a head
    await engine.command(
      sql`INSERT INTO conversation_parts SELECT * REPLACE('h1' AS conversation) FROM conversation_parts`,
    );
    await score();
    expect([await count("conversation_parts"), await count("cx_scores")]).toEqual([8, 1]);
    expect(await ask<Overview>("cx.overview", range)).toMatchObject({ waiting: 0, total: { conversations: 1 } });
    await send([{ ...angry("h1", "bo") }]);
    await score();
    expect(await count("cx_scores")).toBe(2);
    const { lines } = await ask<TrendsResult>("trends.ask", {
      series: [{ event: "Conversation scored", measure: "unique" }],
    });
    expect(lines.map(({ total }) => total)).toEqual([2]);
  }, 60_000);

  it("say what is wrong in what came, keep the rest, and belong to one workspace", async () => {
    const { ask, send, score, workspace } = await setUp();
    const other = await setUp();
    const { status, body } = await send([{ id: "bad", parts: [part("1", "robot", "hi")] }, happy("ok", "bo"), [7], { ...happy("long", "x"), parts: [part("1", "customer", "x".repeat(100_001))] }]); // prettier-ignore
    expect([status, body.accepted]).toEqual([200, 1]);
    expect(body.rejected).toMatchObject([{ index: 0, id: "bad", message: expect.stringContaining("parts.0.role") }, { index: 2 }, { index: 3, message: expect.stringContaining("parts.0.text") }]); // prettier-ignore
    // no time that the store could not hold reaches it
    const times = await send(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 4.1e12, -1, 1.5, "2026-03-01"].map((at, n) => ({ id: `time${n}`, userId: "bo", parts: [{ ...part("1", "customer", "hi"), at }] }))); // prettier-ignore
    expect([times.status, times.body.accepted, times.body.rejected.map(({ message }) => message.split(":")[0])]).toEqual([200, 0, Array.from({ length: 6 }, () => "parts.0.at")]); // prettier-ignore
    // text that is no well-formed Unicode is kept and scored, and so is what a summary cuts
    const odd = [{ ...happy("odd", "cy"), parts: [part("1", "customer", "\ud800 thank you \u0000 so much, great help! \udfff")] }, { ...happy("faces", "cy"), parts: [part("1", "customer", `x${"😀".repeat(200)}`), part("2", "teammate", "How may I help?", begin + 1), part("3", "customer", "I want my money back", begin + 2)] }]; // prettier-ignore
    expect((await send(odd)).body).toEqual({ accepted: 2, withheld: 0, rejected: [] });
    expect((await send([], "wrong")).status).toBe(401);
    expect((await send(Array.from({ length: 1_001 }, (_, n) => happy(`n${n}`, "x")))).status).toBe(400);
    await score();
    for (const id of ["odd", "faces"]) expect((await ask<Conversation>("cx.conversation", { id })).scores).toMatchObject([{ reason: "scored" }]); // prettier-ignore
    expect((await ask<Conversation>("cx.conversation", { id: "faces" })).scores[0]!.summary).toContain("😀 …");
    await expect(other.ask("cx.conversation", { id: "ok" })).rejects.toThrow(/no such conversation/);
    expect((await other.ask<Overview>("cx.overview", range)).total.conversations).toBe(0);

    // a person who is erased leaves nothing of them, and is not taken in again
    await ask("erasure.erase", { identifiers: ["bo"] });
    const module = world.system.modules.find(({ name }) => name === "erasure")!;
    const found = (await world.system.directory.find(workspace))!;
    await module.jobs![0]!.run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now: Date.now(), ...found }); // prettier-ignore
    await expect(ask("cx.conversation", { id: "ok" })).rejects.toThrow(/no such conversation/);
    expect((await send([happy("ok", "bo")])).body).toEqual({ accepted: 0, withheld: 0, rejected: [] });
  }, 60_000);

  it("say how far the score may be trusted, by what people say of them", async () => {
    const { ask, send, score } = await setUp();
    const all = Array.from({ length: 60 }, (_, n) => ({ ...(n % 2 === 0 ? angry(`t${n}`, `p${n}`) : happy(`t${n}`, `p${n}`)), rating: n % 2 === 0 ? 1 : 5 })); // prettier-ignore
    await send(all);
    await score();
    const first = await ask<{ people: TrustOf; customers: TrustOf; bias: Bias[] }>("cx.trust", {});
    expect(first.bias.map(({ kind, name, pairs }) => [kind, name, pairs])).toEqual([["channel", "chat", 30], ["channel", "email", 30]]); // prettier-ignore
    expect(first.people).toMatchObject({ labelled: 0, verdict: "not_enough" });
    expect(first.customers).toMatchObject({ labelled: 60, rows: [{ scorer: "model", pairs: 60, auc: 1 }, { pairs: 0 }, { scorer: "constant", kappa: 0, auc: 0.5 }] }); // prettier-ignore
    // each once, until none is left
    const seen = new Set<string>();
    for (;;) {
      const { id } = await ask<{ id: string | null }>("cx.next", {});
      if (id === null) break;
      expect(seen.has(id)).toBe(false);
      seen.add(id);
      await ask("cx.label", { id, label: Number(id.slice(1)) % 2 === 0 ? 1 : 5 });
    }
    expect(seen.size).toBe(60);
    await ask("cx.label", { id: "t0", label: 2 }); // said again, the last counts
    expect(await ask("cx.conversation", { id: "t0" })).toMatchObject({ label: 2 });
    const { people } = await ask<{ people: TrustOf }>("cx.trust", {});
    expect(people).toMatchObject({ labelled: 60, double: 0, verdict: "not_enough", rows: [{ scorer: "model", pairs: 60, auc: 1 }, {}, {}] }); // prettier-ignore
    expect(people.rows[0]!.kappa).toBeGreaterThan(0.7);
    await expect(ask("cx.label", { id: "nowhere", label: 2 })).rejects.toThrow(/no such conversation/);
  }, 60_000);

  it("are acted on by rules, each conversation once, whatever ends in between", async () => {
    const { ask, send, score, workspace, rules } = await setUp();
    const { id: channel } = await ask<{ id: string }>("alerts.addMail", { name: "Owners", members: [], owners: true });
    const rule = { name: "Policy hurts", below: 2.5, driver: "policy_feedback", tell: [channel] };
    await send([angry("before", "ana")]);
    await score();
    expect(await ask("cx.tryRule", { ...range, rule })).toMatchObject({ fits: 1, conversations: 1, examples: [{ id: "before" }] }); // prettier-ignore
    expect(await ask("cx.tryRule", { ...range, rule: { ...rule, words: "that worked" } })).toMatchObject({ fits: 0 });
    expect(await ask("cx.tryRule", { ...range, rule: { ...rule, team: "sales" } })).toMatchObject({ fits: 0 });
    await expect(ask("cx.saveRule", { rule: { ...rule, tell: ["chn_none"] }, isOn: true })).rejects.toThrow(/not there any more/); // prettier-ignore
    await new Promise((resolve) => setTimeout(resolve, 5)); // what was scored before is not acted on
    const { id } = await ask<{ id: string }>("cx.saveRule", { rule, isOn: true });
    const told = async () => (await world.system.store.selectFrom("alert_deliveries").select("body").where("workspace", "=", workspace).execute()).map(({ body }) => body); // prettier-ignore
    await rules();
    expect(await told()).toEqual([]);
    await send([angry("a1", "ana"), angry("a2", "bo"), happy("h1", "cy")]);
    await score();
    for (let turn = 0; turn < 3; turn += 1) await rules();
    expect((await told()).length).toBe(2);
    expect((await told()).join(" ")).not.toContain("scam"); // channels may lead outside
    // as if it had ended before it moved on: the same again comes to the same
    await world.system.store.updateTable("cx_rules").set({ seen: new Date(begin).toISOString() }).where("id", "=", id).execute(); // prettier-ignore
    await world.system.store.deleteFrom("cx_firings").where("rule", "=", id).where("conversation", "=", "before").execute(); // prettier-ignore
    await rules();
    expect((await told()).length).toBe(3); // and with it what was scored before
    expect(await ask("cx.rules", {})).toMatchObject({ rules: [{ id, isOn: true, firings: 3 }] });
    expect(await ask("cx.conversations", { ...range, rule: id })).toMatchObject({ conversations: [{}, {}, {}] });
    // scored anew, it is the same conversation
    await send([{ ...angry("a1", "ana"), parts: [part("9", "customer", "This is a scam and your cancellation fee is a joke!", begin + 900_000)] }]); // prettier-ignore
    await score();
    await rules();
    expect((await told()).length).toBe(3);
    // off, then on: what came in between is not acted on
    await ask("cx.saveRule", { id, rule, isOn: false });
    await send([angry("a3", "di")]);
    await score();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await ask("cx.saveRule", { id, rule, isOn: true });
    await rules();
    expect((await told()).length).toBe(3);
    await ask("cx.removeRule", { id });
    expect(await ask("cx.rules", {})).toEqual({ rules: [] });
  }, 60_000);

  it("are held against labels by group, so that what is unfair is seen", () => {
    const rows = Array.from({ length: 200 }, (_, n) => ({ score: 3 + (n % 2 === 0 ? 0.5 : 0) + ((n * 7) % 5) * 0.1, label: 3 + ((n * 3) % 5) * 0.1, language: n % 40 === 0 ? "de" : "en", channel: n % 2 === 0 ? "chat" : "email", plan: "", length: 1 + (n % 9) })); // prettier-ignore
    const found = biasOf(rows);
    expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "channel chat",
      "channel email",
      "length 1 to 2 parts",
      "length 3 to 6 parts",
      "length 7 parts and more",
    ]); // five of a language say nothing
    expect(found[0]).toMatchObject({ pairs: 100, gap: expect.closeTo(0.5, 1) });
    expect(found[0]!.lower).toBeGreaterThan(0.4);
    expect(found[1]!.upper).toBeLessThan(-0.4);
    expect(found.slice(2).every(({ lower, upper }) => lower < 0 && upper > 0)).toBe(true);
  });

  it("are trusted by a rule: close to people, for trends, or not at all", () => {
    const labels = (error: (n: number) => number) => Array.from({ length: 120 }, (_, n) => ["a", "b"].map((by, at) => ({ conversation: `c${n}`, by, label: Math.min(5, Math.max(1, 1 + (n % 5) + error(n * 2 + at))) }))).flat(); // prettier-ignore
    const scores = (of: (n: number) => number) => new Map(Array.from({ length: 120 }, (_, n) => [`c${n}`, of(n)]));
    const noisy = labels((n) => [0, 1, -1, 0, 1][(n * 7) % 5]!);
    expect(
      trustOf(
        noisy,
        scores((n) => 1 + (n % 5)),
      ),
    ).toMatchObject({ verdict: "per_conversation", double: 120 });
    expect(
      trustOf(
        noisy,
        scores((n) => 2.6 + (n % 5) * 0.1),
      ).verdict,
    ).toBe("trends");
    expect(
      trustOf(
        noisy,
        scores((n) => 1 + ((n * 3) % 7) / 2),
      ).verdict,
    ).toBe("do_not_use");
    expect(
      trustOf(
        noisy,
        scores(() => 3),
      ).verdict,
    ).toBe("do_not_use"); // a constant does not pass
    expect(
      trustOf(
        noisy.slice(0, 80),
        scores((n) => 1 + (n % 5)),
      ).verdict,
    ).toBe("not_enough");
  });
});
