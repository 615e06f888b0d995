import { describe, expect, it } from "vitest";
import { bind, sql } from "#kernel/sql.ts";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { randomFrom } from "#stats/random.ts";
import { angry, begin, happy, part, range, startDesk } from "#test/cx.ts";
import { useWorld } from "#test/world.ts";
import { z } from "zod";
import type { Conversation, Overview } from "../contract.ts";
import { modelVersion } from "../scorer/heads.ts";
import { calibrate, isotonic, moved, reliability } from "./calibration.ts";
import type { Comparison, VersionView } from "./contract.ts";
import { trustOf, weighed } from "../trust.ts";
import { bucketsOf, residualOf, solved } from "./residual.ts";

const world = useWorld();

/** Labels that people give where they see scores by a rule, with what they cannot agree on. */
const labelled = (n: number, of: (score: number) => number, noise: number) => {
  const next = randomFrom(n);
  return Array.from({ length: n }, () => {
    const score = 1 + 4 * next();
    return { score, label: Math.min(5, Math.max(1, of(score) + noise * (next() + next() + next() - 1.5))), weight: 1 };
  });
};

describe("a calibration", () => {
  it("learns an offset, a line or a curve as far as labels tell, and leaves alone what is right", async () => {
    expect(await calibrate(labelled(49, (score) => score - 1, 1))).toBeUndefined();
    const right = await calibrate(labelled(400, (score) => score, 1));
    expect(right === undefined || right.before - right.after < 0.01).toBe(true);
    const low = (await calibrate(labelled(80, (score) => score - 0.8, 1)))!;
    expect(low.after).toBeLessThan(low.before * 0.75);
    expect(moved(low.from, low.to, 3.5)).toBeCloseTo(2.9, 0);
    const flat = (await calibrate(labelled(300, (score) => 3 + (score - 3) * 0.4, 1)))!;
    expect([moved(flat.from, flat.to, 1), moved(flat.from, flat.to, 5)]).toEqual([expect.closeTo(2.2, 0), expect.closeTo(3.8, 0)]); // prettier-ignore
    const bent = (await calibrate(labelled(2_000, (score) => (score < 3 ? 1.5 : 4.5), 1)))!;
    expect(bent.method).toBe("curve");
    for (const { from, to } of [low, flat, bent]) {
      expect(from).toHaveLength(to.length);
      // whatever was better stays better, and inside of 1 to 5
      expect(to.every((value, at) => at === 0 || value >= to[at - 1]!)).toBe(true);
      expect([to[0]! >= 1, to.at(-1)! <= 5]).toEqual([true, true]);
    }
  });

  it("pools what would fall, as the textbook has it", () => {
    const points = [1, 2, 3, 4, 5, 6].map((score, at) => ({ score, label: [1, 3, 2, 4, 3.5, 5][at]!, weight: 1 }));
    expect(isotonic(points).map(({ value }) => value)).toEqual([1, 2.5, 3.75, 5]);
    expect(isotonic(points.toReversed())).toEqual(isotonic(points));
    expect(reliability(points)).toEqual([]);
  });

  it("learns from 500 labels on what words of the workspace say, where it is worth it on labels that it has not seen", async () => {
    const next = randomFrom(5);
    const word = () => `w${Math.floor(next() * 400)}`;
    const made = Array.from({ length: 900 }, (_, n) => {
      const isBad = next() < 0.3;
      const turns = [
        { r: "customer" as const, x: `${Array.from({ length: 15 }, word).join(" ")} ${isBad ? "zebra" : "plain"}` },
      ];
      return { turns, score: 3 + 0.3 * (next() - 0.5), label: isBad ? 1.5 : 4, n };
    });
    const points = made.map(({ score, label }) => ({ score, label, weight: 1 }));
    const features = made.map(({ turns }) => bucketsOf(turns));
    const found = (await calibrate(points, features))!;
    expect([found.method, found.after < found.before * 0.35]).toEqual(["words", true]);
    const said = (text: string) => residualOf(found.residual!, [{ r: "customer", x: `${Array.from({ length: 15 }, word).join(" ")} ${text}` }]); // prettier-ignore
    expect(said("plain") - said("zebra")).toBeGreaterThan(1.5);
    expect(JSON.stringify(found).length).toBeLessThan(10_000);
    expect(await calibrate(points, features)).toEqual(found);
    // where words say nothing none is learnt, and fewer labels teach none
    const noise = await calibrate(points.map((one) => ({ ...one, label: 1 + 4 * next() })), features); // prettier-ignore
    expect(noise?.residual).toBeUndefined();
    expect((await calibrate(points.slice(0, 499), features.slice(0, 499)))?.residual).toBeUndefined();
    expect(residualOf(found.residual!, [])).toBeCloseTo(0, 1);
  });

  it("finds the same as the equations do", () => {
    // two examples, three buckets: (XᵀX + λ) w = Xᵀ y by hand
    const weights = solved([{ features: [0, 1], left: 1, weight: 1 }, { features: [1, 2], left: -1, weight: 1 }], 1); // prettier-ignore
    // x1 = (1, 1, 0) / √2 and so on: w = (a, 0, -a) with a (1/2 + 1) = 1/√2
    expect([weights[0], weights[1], weights[2]]).toEqual([expect.closeTo(Math.SQRT1_2 / 1.5, 9), expect.closeTo(0, 9), expect.closeTo(-Math.SQRT1_2 / 1.5, 9)]); // prettier-ignore
  });

  it("lets labels stand for all, however they were chosen", () => {
    const all = [1.2, 2.4, 3.6, 4.8].map((tenth) => ({ tenth, conversations: 25 }));
    // six of eight were chosen near one edge
    const points = [1.2, 2.4, 2.4, 2.4, 2.4, 2.4, 2.4, 4.8].map((score) => ({ score, label: score, weight: 1 }));
    const weights = weighed(points, all).map(({ weight }) => weight);
    expect([weights[0], weights[1], weights[7]]).toEqual([2, expect.closeTo(1 / 3, 9), 2]);
    expect(weighed(points, []).every(({ weight }) => weight === 1)).toBe(true);
  });

  it("says of those that were chosen what is so of all", () => {
    // half by chance, half where the score is near an edge, as conversations are given out to be labelled
    const every = labelled(20_000, (score) => score, 1.5);
    const edge = ({ score }: { score: number }): number => Math.min(Math.abs(score - 2.5), Math.abs(score - 3.5));
    const chosen = [...every.slice(0, 2_000), ...every.slice(2_000).toSorted((a, b) => edge(a) - edge(b)).slice(0, 2_000)]; // prettier-ignore
    const tenths = new Map<number, number>();
    for (const { score } of every) tenths.set(Math.round(score * 10) / 10, (tenths.get(Math.round(score * 10) / 10) ?? 0) + 1); // prettier-ignore
    const all = [...tenths].map(([tenth, conversations]) => ({ tenth, conversations }));
    const of = (some: readonly { score: number; label: number; weight: number }[]) => {
      const labels = some.map(({ label }, at) => ({ conversation: `${at}`, by: "a", label }));
      const weights = new Map(some.map(({ weight }, at) => [`${at}`, weight]));
      return trustOf(labels, new Map(some.map(({ score }, at) => [`${at}`, score])), weights).rows[0]!.kappa!;
    };
    const whole = of(every);
    expect(whole - of(chosen)).toBeGreaterThan(0.05); // near an edge it is harder
    expect(Math.abs(of(weighed(chosen, all)) - whole)).toBeLessThan(0.02);
  });
});

interface Versions {
  readonly versions: readonly VersionView[];
  readonly needsSwitch: boolean;
}

describe("versions of the score", () => {
  it("run in shadow, show what would change, and count once they are switched on: from now on, or for history too", async () => {
    const { ask, send, score, rules, engine, count } = await startDesk(world);
    await send(Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? angry(`t${n}`, `p${n}`) : happy(`t${n}`, `p${n}`))));
    await score();
    const before = await ask<Overview>("cx.overview", range);
    expect(before).toMatchObject({ model: modelVersion, switches: [] });
    await expect(ask("cx.calibrate", {})).rejects.toThrow(/50 are needed/);
    for (let n = 0; n < 60; n += 1) await ask("cx.label", { id: `t${n}`, label: n % 2 === 0 ? 2 : 3 });
    const { id } = await ask<{ id: string }>("cx.calibrate", {});
    expect(await ask<Comparison>("cx.compareVersion", { id })).toMatchObject({ waiting: 60, conversations: 0 });
    const rule = { name: "All", above: 1, tell: [] };
    const { id: ruleId } = await ask<{ id: string }>("cx.saveRule", { rule, isOn: true });
    const firings = async () => (await ask<{ rules: { firings: number }[] }>("cx.rules", {})).rules[0]!.firings;
    const told = async () => (await ask<TrendsResult>("trends.ask", { series: [{ event: "Conversation scored", measure: "total" }] })).lines[0]!.total; // prettier-ignore
    await score();
    // in shadow nothing that anybody reads has changed
    expect(await count("cx_scores")).toBe(120);
    expect(await ask<Overview>("cx.overview", range)).toEqual(before);
    expect((await ask<Conversation>("cx.conversation", { id: "t1" })).scores.map(({ model, isUsed }) => [model, isUsed])).toEqual([[modelVersion, true], [id, false]]); // prettier-ignore
    const compared = await ask<Comparison>("cx.compareVersion", { id });
    expect(compared).toMatchObject({ waiting: 0, conversations: 60, before: { mean: expect.closeTo(before.total.mean!, 9) }, agreement: { before: { pairs: 60 }, after: { pairs: 60 } } }); // prettier-ignore
    expect(compared.agreement.after.error!).toBeLessThan(compared.agreement.before.error! / 2);
    expect(compared.transitions.reduce((sum, { conversations }) => sum + conversations, 0)).toBe(60);
    expect(compared.segments.map(({ kind, name, conversations }) => `${kind} ${name} ${conversations}`)).toContain("channel chat 30"); // prettier-ignore
    expect(compared.examples[0]!.before - compared.examples[0]!.after).not.toBeCloseTo(0, 1);

    // from now on: what was told stays as it was told
    await expect(ask("cx.switchVersion", { id: "none", rebase: false })).rejects.toThrow(/no such version/);
    await ask("cx.switchVersion", { id, rebase: false });
    await score();
    const since = await ask<Overview>("cx.overview", range);
    expect(since.total).toEqual(before.total);
    expect(since).toMatchObject({ model: id, switches: [{ version: id, rebased: false }] });
    await send([happy("new", "new")]);
    await score();
    const [fresh] = (await ask<Conversation>("cx.conversation", { id: "new" })).scores;
    const old = (await ask<Conversation>("cx.conversation", { id: "t1" })).scores;
    expect([fresh!.model, fresh!.score]).toEqual([id, old.find(({ model }) => model === id)!.score]);
    // the points still add up to it
    expect(3 + fresh!.other + fresh!.drivers.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(fresh!.score!, 1); // prettier-ignore
    expect(old[0]!.model).toBe(modelVersion);
    await rules();
    expect([await firings(), await told()]).toEqual([1, 61]);

    // back, for history too, and forth again: each time all of it counts by the one in use
    const mean = async () => (await ask<Overview>("cx.overview", range)).total.mean!;
    const byModel = async (model: string) => (await engine.rows(sql`SELECT avg(score) AS mean FROM cx_scores FINAL WHERE model = ${bind.string(model)}`, z.object({ mean: z.number() })))[0]!.mean; // prettier-ignore
    await ask("cx.switchVersion", { id: modelVersion, rebase: true });
    await score();
    expect(await mean()).toBeCloseTo(await byModel(modelVersion), 9);
    await ask("cx.switchVersion", { id, rebase: true });
    await score();
    expect(await mean()).toBeCloseTo(await byModel(id), 9);
    expect(await mean()).not.toBeCloseTo(before.total.mean!, 1);
    // nobody was told anything again
    await rules();
    expect([await firings(), await told()]).toEqual([1, 61]);
    expect(await count("cx_scores")).toBe(122);
    await expect(ask("cx.dropVersion", { id })).rejects.toThrow(/was in use/);
    await expect(ask("cx.switchVersion", { id, rebase: true })).rejects.toThrow(/in use/);
    expect(await ask("annotations.list", {})).toMatchObject({ annotations: [{}, {}, {}] });
    await ask("cx.removeRule", { id: ruleId });
  }, 120_000);

  it("forget what is taken back in what was said before, and in nothing that was said since, by whichever version", async () => {
    const { ask, send, score, engine } = await startDesk(world);
    const all = Array.from({ length: 60 }, (_, n) => ({ ...(n % 2 === 0 ? angry(`t${n}`, `p${n}`) : happy(`t${n}`, `p${n}`)), rating: n % 2 === 0 ? 2 : 3 })); // prettier-ignore
    await send(all);
    await score();
    const { id } = await ask<{ id: string }>("cx.calibrate", { from: "customers" });
    await score();
    const before = await ask<Overview>("cx.overview", range);
    await send([{ ...all[1]!, parts: [part("1", "customer", "")] }]);
    await score();
    const rows = await engine.rows(sql`SELECT model, summary FROM cx_scores FINAL WHERE conversation = 't1' ORDER BY scored`, z.object({ model: z.string(), summary: z.string() })); // prettier-ignore
    expect(rows.map(({ model, summary }) => [model, summary !== ""])).toEqual([[modelVersion, false], [id, false], [modelVersion, true], [id, true]]); // prettier-ignore
    // and what stands again as it stood before is scored as it was
    await send([all[1]!]);
    await score();
    expect((await ask<Overview>("cx.overview", range)).total).toEqual(before.total);
  }, 60_000);

  it("learn words of the workspace from what customers answered", async () => {
    const { ask, send, score } = await startDesk(world);
    const one = (n: number, more: object = {}) => ({ id: `w${n}`, userId: `p${n}`, state: "closed", createdAt: begin, rating: n % 2 === 0 ? 1 : 5, parts: [part("1", "customer", n % 2 === 0 ? "Where do I find the zebra board?" : "Where do I find the apple board?"), part("2", "teammate", "It is in the menu on the left side.", begin + 60_000)], ...more }); // prettier-ignore
    await send(Array.from({ length: 600 }, (_, n) => one(n)));
    await score();
    const { id } = await ask<{ id: string }>("cx.calibrate", { from: "customers" });
    expect((await ask<Versions>("cx.versions", {})).versions.find((version) => version.id === id)!.calibration).toMatchObject({ method: "words", labels: 600 }); // prettier-ignore
    await ask("cx.switchVersion", { id, rebase: false });
    await send([one(1_000, { rating: null }), one(1_001, { rating: null })]);
    await score();
    const scoreOf = async (n: number) => (await ask<Conversation>("cx.conversation", { id: `w${n}` })).scores[0]!.score!; // prettier-ignore
    expect(await scoreOf(1_000)).toBeLessThan(2.5);
    expect(await scoreOf(1_001)).toBeGreaterThan(4);
  }, 60_000);

  it("of an upgrade begin in shadow, and score what is new", async () => {
    const { ask, send, score, workspace } = await startDesk(world);
    await send([angry("a", "ana"), happy("b", "bo")]);
    await score();
    // as if all of this had been scored by the scorer of an earlier release
    const earlier = "0.earlier";
    const { engine } = (await world.system.directory.find(workspace))!;
    await engine.command(sql`INSERT INTO cx_scores SELECT * REPLACE('0.earlier' AS model, score + 0.25 AS score) FROM cx_scores`); // prettier-ignore
    await engine.command(sql`ALTER TABLE cx_scores DELETE WHERE model != '0.earlier' SETTINGS mutations_sync = 1`);
    await world.system.store.updateTable("cx_versions").set({ id: earlier, model: earlier }).where("workspace", "=", workspace).execute(); // prettier-ignore
    const before = await ask<Overview>("cx.overview", range);
    expect(before.model).toBe(earlier);
    expect(await ask<Versions>("cx.versions", {})).toMatchObject({ needsSwitch: true, versions: [{ id: earlier, isActive: true }, { id: modelVersion, state: "shadow", waiting: 2 }] }); // prettier-ignore
    await send([happy("c", "cy")]);
    await score();
    const after = await ask<Overview>("cx.overview", range);
    expect(after.total).toMatchObject({ conversations: 3, scored: 3 });
    expect((await ask<Conversation>("cx.conversation", { id: "a" })).scores.map(({ model }) => model)).toEqual([earlier, modelVersion]); // prettier-ignore
    expect((await ask<Conversation>("cx.conversation", { id: "c" })).scores.map(({ model }) => model)).toEqual([modelVersion]); // prettier-ignore
    const compared = await ask<Comparison>("cx.compareVersion", { id: modelVersion });
    expect([compared.waiting, compared.before.mean! - compared.after.mean!]).toEqual([0, expect.closeTo(0.5 / 3, 9)]);
    await ask("cx.switchVersion", { id: modelVersion, rebase: true });
    await score();
    expect((await ask<Overview>("cx.overview", range)).total.mean).toBeCloseTo(before.total.mean! - 0.25 + (after.total.mean! * 3 - before.total.mean! * 2 - (before.total.mean! - 0.25)) / 3, 6); // prettier-ignore
    await expect(ask("cx.switchVersion", { id: earlier, rebase: true })).rejects.toThrow(/does not have any more/);
  }, 60_000);

  it("are settled where people see a conversation differently", async () => {
    const { ask, send, score, engine } = await startDesk(world);
    await send([angry("a", "ana"), happy("b", "bo")]);
    await score();
    await ask("cx.label", { id: "a", label: 1 });
    await expect(ask("cx.label", { id: "a", label: 2, settles: true })).rejects.toThrow(/Two people/);
    await engine.command(sql`INSERT INTO cx_labels SELECT * REPLACE('somebody' AS by, 4 AS label) FROM cx_labels`);
    expect(await ask("cx.disagreements", {})).toEqual({ conversations: [{ id: "a", labels: expect.arrayContaining([{ by: "Ana", label: 1 }, { by: "somebody", label: 4 }]) }] }); // prettier-ignore
    expect(await ask("cx.trust", {})).toMatchObject({ disputed: 1, people: { labelled: 1, double: 1 } });
    expect(await ask("cx.conversation", { id: "a" })).toMatchObject({ isDisputed: true });
    await ask("cx.label", { id: "a", label: 2, settles: true });
    expect(await ask("cx.disagreements", {})).toEqual({ conversations: [] });
    expect(await ask("cx.trust", {})).toMatchObject({ disputed: 0, people: { labelled: 1, double: 1 } });
    expect(await ask("cx.conversation", { id: "a" })).toMatchObject({ isDisputed: false, label: 1 });
  }, 60_000);

  it("are read by parts: channel, tag, product, account and what it pays", async () => {
    const { ask, send, score, workspace } = await startDesk(world);
    const app = await world.system.registry.create(workspace, "App", "api", "app");
    await send([angry("a1", "ana", { account: "acme", tags: ["fees", "vip"] }), angry("a2", "bo", { account: "acme", tags: ["fees"] })]); // prettier-ignore
    await send([{ ...happy("h1", "cy"), account: "bolt", assignee: "di" }, happy("h2", "di")], app.writeKey);
    const source = await world.system.registry.byKey(app.writeKey);
    await world.system.ingest.accept(source, [["acme", "pro"], ["bolt", "free"]].map(([account, plan]) => ({ userId: "ana", at: begin, messageId: `${account}`, account, accountTraits: [{ op: "set", traits: { plan } }] }))); // prettier-ignore
    await score();
    const parts = async (part: object) => (await ask<{ parts: { name: string; conversations: number; mean: number; driver: string | null }[]; withheld: number }>("cx.breakdown", { ...range, part })); // prettier-ignore
    const counts = async (part: object) => (await parts(part)).parts.map(({ name, conversations }) => [name, conversations]); // prettier-ignore
    expect(await counts({ by: "channel" })).toEqual([
      ["chat", 2],
      ["email", 2],
    ]);
    expect(await counts({ by: "tag" })).toEqual([
      ["", 2],
      ["fees", 2],
      ["vip", 1],
    ]);
    expect(await counts({ by: "product" })).toEqual([
      ["", 2],
      ["app", 2],
    ]);
    expect(await counts({ by: "account" })).toEqual([
      ["acme", 2],
      ["", 1],
      ["bolt", 1],
    ]);
    expect(await counts({ by: "account_trait", trait: "plan" })).toEqual([
      ["pro", 2],
      ["", 1],
      ["free", 1],
    ]);
    const [pro] = (await parts({ by: "account_trait", trait: "plan" })).parts;
    expect(pro!.mean).toBeLessThan(2.5);
    expect(pro!.driver).not.toBeNull();
    // one conversation says nothing of a teammate
    expect(await parts({ by: "assignee" })).toMatchObject({ parts: [{ name: "" }], withheld: 1 });
    await expect(parts({ by: "account_trait" })).rejects.toThrow(/Name the trait/);
    const ids = async (part: object) => (await ask<{ conversations: { id: string }[] }>("cx.conversations", { ...range, part })).conversations.map(({ id }) => id).toSorted(); // prettier-ignore
    expect(await ids({ by: "tag", name: "vip" })).toEqual(["a1"]);
    expect(await ids({ by: "account_trait", trait: "plan", name: "free" })).toEqual(["h1"]);
    expect(await ids({ by: "product", name: "app" })).toEqual(["h1", "h2"]);
  }, 60_000);
});
