import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { begin, happy, part, range, startDesk } from "#test/cx.ts";
import { useWorld } from "#test/world.ts";
import { groupsOf, reduced, themesIn, vectorOf, vocabularyOf } from "./cluster.ts";
import type { ThemeList } from "./contract.ts";
import { stemOf, termsOf } from "./terms.ts";

const world = useWorld();
const shared = "../shared/data/satisfaction/support_topics.jsonl.gz";

const entropy = (counts: readonly number[], total: number): number => -counts.reduce((sum, one) => sum + (one / total) * Math.log(one / total), 0); // prettier-ignore
const tally = (all: readonly string[]): number[] => [...all.reduce((counts, one) => counts.set(one, (counts.get(one) ?? 0) + 1), new Map<string, number>()).values()]; // prettier-ignore
/** Normalised mutual information of two ways to sort the same things: 0 is chance, 1 is the same. */
const sharedBy = (a: readonly string[], b: readonly string[]): number => {
  const of = (all: readonly string[]): number => entropy(tally(all), all.length);
  return (2 * (of(a) + of(b) - of(a.map((one, at) => `${one}|${b[at]}`)))) / (of(a) + of(b));
};

const openings: Readonly<Record<string, readonly string[]>> = {
  invoice: ["My invoice shows the wrong amount", "The invoice was charged twice this month", "Wrong amount on the invoice, charged twice", "Please correct the invoice amount"],
  password: ["I cannot reset my password", "The password reset mail does not arrive", "Password reset link expired", "Locked out, password reset fails"],
  export: ["The export to spreadsheet crashes", "Exporting the report crashes the app", "Spreadsheet export stops half way", "Report export crashes every time"],
  delivery: ["My parcel was not delivered", "The courier lost the parcel", "Parcel delivery is late again", "Where is my parcel, the courier never came"],
}; // prettier-ignore

describe("themes", () => {
  it("are told by stems and pairs of words, not by what everybody says or by what is masked", () => {
    expect(["charged", "charges", "charging", "charge"].map(stemOf)).toEqual(["charg", "charg", "charg", "charg"]);
    expect(["policies", "boxes", "stopped", "status", "access", "bus"].map(stemOf)).toEqual(["policy", "box", "stop", "status", "access", "bus"]); // prettier-ignore
    const { counts, written } = termsOf("Hello! I am [EMAIL_ADDRESS] and the cancellation fee was charged. Fee? 12345");
    const cancel = stemOf("cancellation");
    expect([...counts]).toEqual([
      [cancel, 1],
      ["fee", 2],
      [`${cancel} fee`, 1],
      ["charg", 1],
      ["fee charg", 1],
    ]);
    expect(written.get("charg")).toBe("charged");
    // a word that one person uses however often names nothing
    const docs = Array.from({ length: 30 }, (_, n) => ({ terms: termsOf(n < 10 ? "Zanzibar parcel" : "parcel invoice").counts, by: n < 10 ? "one" : String(n) })); // prettier-ignore
    expect(vocabularyOf(docs).terms).not.toContain("zanzibar");
  });

  it("group made-up questions as they were made, the same each time", async () => {
    const rows = Object.entries(openings).flatMap(([topic, texts]) => Array.from({ length: 40 }, (_, n) => ({ topic, text: `${texts[n % texts.length]!} ${["please help", "again", "what now", ""][n % 4]!}`, by: `${topic} ${n}` }))); // prettier-ignore
    const docs = rows.map(({ text, by }) => ({ terms: termsOf(text).counts, by }));
    const vocabulary = vocabularyOf(docs);
    const themes = await themesIn(docs, vocabulary);
    expect(themes.length).toBeGreaterThanOrEqual(4);
    expect(themes.reduce((sum, { size }) => sum + size, 0)).toBe(160);
    expect(await themesIn(docs, vocabulary)).toEqual(themes);
    expect(themes.flatMap(({ named }) => named).join(" ")).toMatch(/invoic/);
    expect(await themesIn(docs.slice(0, 20), vocabulary)).toEqual([]);
    expect(await themesIn([], vocabularyOf([]))).toEqual([]);
  });

  it.skipIf(!existsSync(shared))(
    "find the intents of Banking77 better than words alone do",
    async () => {
      const rows = gunzipSync(readFileSync(shared)).toString().trim().split("\n").map((line) => JSON.parse(line) as { x: string; intent: string }).filter((_, at) => at % 8 === 0); // prettier-ignore
      const docs = rows.map(({ x }, at) => ({ terms: termsOf(x).counts, by: String(at) }));
      const vocabulary = vocabularyOf(docs);
      const vectors = docs.map(({ terms }) => vectorOf(vocabulary, terms));
      const known = vectors.flatMap(({ places }, at) => (places.length === 0 ? [] : [at]));
      expect(known.length / rows.length).toBeGreaterThan(0.97);
      const points = reduced(vectors, vocabulary.terms.length, 64);
      const intents = known.map((at) => rows[at]!.intent);
      const nmi = async (all: readonly Float64Array[]): Promise<number> => sharedBy((await groupsOf(all, 77))!.groups.map(String), intents); // prettier-ignore
      const plain = known.map((at) => {
        const point = new Float64Array(vocabulary.terms.length);
        for (const [place, term] of vectors[at]!.places.entries()) point[term] = vectors[at]!.weights[place]!;
        return point;
      });
      const [ours, baseline] = [await nmi(known.map((at) => points[at]!)), await nmi(plain)];
      expect(ours).toBeGreaterThan(0.6);
      expect(ours).toBeGreaterThan(baseline);
    },
    60_000,
  );

  it("of conversations are found, named, put together, asked for, and stay what people made of them", async () => {
    const { ask, send, score, run } = await startDesk(world);
    const jobs = world.system.modules.find(({ name }) => name === "themes")!.jobs!;
    const look = () => run(jobs[0]!);
    await send([happy("early", "zed")]);
    await score();
    await look();
    expect(await ask<ThemeList>("themes.list", {})).toEqual({ foundAt: null, themes: [] });
    await expect(ask("themes.find", {})).rejects.toThrow(/60 are needed/);
    const all = Object.entries(openings).flatMap(([topic, texts]) => Array.from({ length: 30 }, (_, n) => ({ ...happy(`${topic}${n}`, `${topic}${n}`), parts: [part("1", "customer", texts[n % texts.length]!), part("2", "teammate", "Let me look.", begin + 60_000)] }))); // prettier-ignore
    await send(all);
    await score();
    await look();
    const { themes, foundAt } = await ask<ThemeList>("themes.list", {});
    expect(foundAt).not.toBeNull();
    const parts = async () => (await ask<{ parts: { name: string; title: string; conversations: number; before: { conversations: number } }[] }>("cx.breakdown", { ...range, part: { by: "topic" } })).parts; // prettier-ignore
    const found = await parts();
    expect(found.reduce((sum, { conversations }) => sum + conversations, 0)).toBe(121);
    const ids = async (name: string) => (await ask<{ conversations: { id: string }[] }>("cx.conversations", { ...range, part: { by: "topic", name }, limit: 500 })).conversations.map(({ id }) => id); // prettier-ignore
    const kindOf = (id: string): string => /^\D+/.exec(id)![0];
    // nearly all of each theme was made as one
    const pure = await Promise.all(found.filter(({ name }) => name !== "").map(async ({ name }) => Math.max(...tally((await ids(name)).map(kindOf))))); // prettier-ignore
    expect(pure.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(108);

    const [first, second] = themes;
    await ask("themes.name", { id: first!.id, name: "Billing" });
    await ask("themes.merge", { id: second!.id, into: first!.id });
    const merged = (await parts()).find(({ name }) => name === first!.id)!;
    const sizeOf = (id: string): number => found.find(({ name }) => name === id)?.conversations ?? 0;
    expect(merged).toMatchObject({ title: "Billing", conversations: sizeOf(first!.id) + sizeOf(second!.id) });
    expect(await ids(second!.id)).toEqual([]);
    expect(await ask("cx.tryRule", { ...range, rule: { name: "x", topic: first!.id } })).toMatchObject({ fits: merged.conversations }); // prettier-ignore
    // one that a rule asks for is kept
    await ask("cx.saveRule", { rule: { name: "x", topic: themes[2]!.id }, isOn: false });
    expect((await ask<ThemeList>("themes.list", {})).themes.find(({ id }) => id === themes[2]!.id)).toMatchObject({ isPinned: true, title: themes[2]!.title }); // prettier-ignore
    await expect(ask("cx.saveRule", { rule: { name: "x", topic: "none" }, isOn: false })).rejects.toThrow(/no such theme/); // prettier-ignore
    await expect(ask("themes.merge", { id: first!.id, into: second!.id })).rejects.toThrow(/another theme/);
    await expect(ask("themes.merge", { id: first!.id, into: first!.id })).rejects.toThrow(/another theme/);
    await expect(ask("themes.name", { id: "none", name: "x" })).rejects.toThrow(/no such theme/);

    // found anew, what people made of them stays, and so do the ids of the others
    await ask("themes.find", {});
    const again = await ask<ThemeList>("themes.list", {});
    expect(new Set(again.themes.map(({ id }) => id))).toEqual(new Set(themes.map(({ id }) => id)));
    expect((await parts()).find(({ name }) => name === first!.id)).toMatchObject({ title: "Billing", conversations: merged.conversations }); // prettier-ignore
    await ask("themes.merge", { id: second!.id, into: null });
    expect((await parts()).find(({ name }) => name === second!.id)!.conversations).toBe(sizeOf(second!.id));

    // what is scored from now on has its theme with it, in every question
    await send([{ ...happy("late", "late"), parts: [part("1", "customer", "The invoice was charged twice, wrong amount on the invoice"), part("2", "customer", "thank you", begin + 2)] }]); // prettier-ignore
    await score();
    const events = await ask<{ lines: { total: number }[] }>("trends.ask", { series: [{ event: "Conversation scored", measure: "total", filters: [{ property: "topic", op: "is_set", values: [] }] }] }); // prettier-ignore
    expect(events.lines[0]!.total).toBe(1);
  }, 120_000);
});
