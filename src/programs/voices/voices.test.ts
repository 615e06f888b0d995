import { describe, expect, it } from "vitest";
import { noVeil } from "#kernel/classes.ts";
import { happy, part, range, startDesk } from "#test/cx.ts";
import { useWorld } from "#test/world.ts";
import type { Overview, Statement } from "./contract.ts";
import { statementsIn } from "./statements.ts";
import { partsOf } from "./transcript.ts";

const world = useWorld();

describe("statements", () => {
  const read = (text: string, lang?: string) => statementsIn(text, lang).map(({ start, end, type }) => [type, text.slice(start, end)]); // prettier-ignore

  it("are problems, requests, praise and jobs, each by its exact place", () => {
    expect(read("Hello there. The export crashes every time and it is really frustrating! It would be great if you could export to Excel. I love the new board, it is so easy to use. We meet on Tuesday.")).toEqual([["problem", "The export crashes every time and it is really frustrating!"], ["request", "It would be great if you could export to Excel."], ["praise", "I love the new board, it is so easy to use."]]); // prettier-ignore
    expect(read("Please add a dark mode. I wish there was a filter. There is no way to search by tag. You should support SSO.").map(([type]) => type)).toEqual(["request", "request", "request", "request"]); // prettier-ignore
    // thanks for help say nothing of the thing
    expect(read("Thank you so much! Thanks, have a good day. Got it, that worked. Perfect, it works now.")).toEqual([]);
    expect(read("")).toEqual([]);
    expect(read("x".repeat(5_000))).toEqual([]);
    expect(read("\u0000 \ud800 😀😀😀 !!!")).toEqual([]);
  });

  it("of a job say when it comes up, what is wanted and what for", () => {
    const jobOf = (text: string) => {
      const [one] = statementsIn(text);
      const words = (place: { start: number; end: number } | undefined) => (place === undefined ? null : text.slice(place.start, place.end)); // prettier-ignore
      return one?.job === undefined ? null : { when: words(one.job.when), want: words(one.job.want), so: words(one.job.so) }; // prettier-ignore
    };
    expect(jobOf("When I close the month, I want to see all open invoices so that I can chase them.")).toEqual({ when: "When I close the month", want: "want to see all open invoices", so: "so that I can chase them" }); // prettier-ignore
    expect(jobOf("We need to share boards with clients so they see what is done.")).toEqual({ when: null, want: "need to share boards with clients", so: "so they see what is done" }); // prettier-ignore
    expect(jobOf("Every Friday, I copy the numbers into a sheet.")).toEqual({ when: "Every Friday", want: "copy the numbers into a sheet", so: null }); // prettier-ignore
    expect(jobOf("We met on Friday and talked.")).toBeNull();
    // made to be slow
    const began = performance.now();
    for (const text of ["when ".repeat(100), `when ${"a ".repeat(280)}`, `I want to ${"so ".repeat(180)}`, `is missing ${"the ".repeat(140)}`]) statementsIn(text); // prettier-ignore
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it("are read from a transcript by who speaks", () => {
    const text = "Bo: How do you plan?\n[00:12] Ana: With sheets.\nIt takes hours.\n\nBo: And then?\nAna: I send them.";
    expect(partsOf(text, ["bo"])).toEqual([{ speaker: "Bo", text: "How do you plan?", isOurs: true }, { speaker: "Ana", text: "With sheets.\nIt takes hours.", isOurs: false }, { speaker: "Bo", text: "And then?", isOurs: true }, { speaker: "Ana", text: "I send them.", isOurs: false }]); // prettier-ignore
    expect(partsOf("Q: Why?\nA: Because.", []).map(({ isOurs }) => isOurs)).toEqual([true, false]);
    expect(partsOf("Just a note, without names.", [])).toEqual([{ speaker: "", text: "Just a note, without names.", isOurs: false }]); // prettier-ignore
    expect(partsOf(" \n ", [])).toEqual([]);
  });
});

describe("voices", () => {
  it("of interviews and support are heard by theme, word for word, with who said it; where they contradict is shown", async () => {
    const { ask, send, score, run, workspace } = await startDesk(world);
    const jobs = world.system.modules.flatMap((module) => module.jobs ?? []);
    const job = (name: string) => run(jobs.find((one) => one.name === name)!);
    const places = ["since the update", "on the phone", "in the office", "for our team", "with large files", "from the browser", "on slow networks"]; // prettier-ignore
    const opinions = ["is terrible", "is excellent and I love it", "is awful and broken", "is great and so easy"];
    const words = (n: number) => { const where = places[n % 7]!; return n % 10 < 3 ? `The board export ${opinions[n % 4]!} ${where}, the board export to sheets` : n % 10 < 6 ? `Please add invoices in euro ${where}, the invoice currency is dollars` : `I cannot remember my password ${where}, where is the password reset link`; }; // prettier-ignore
    await send(Array.from({ length: 80 }, (_, n) => ({ ...happy(`s${n}`, `p${n % 20}`), parts: [part("1", "customer", words(n)), part("2", "teammate", "The board export is terrible, I agree")] }))); // prettier-ignore
    await score();
    await job("themes.find");
    const { id } = await ask<{ id: string }>("voices.add", { kind: "interview", title: "How Ana plans", at: new Date().toISOString().slice(0, 10), userId: "ana", account: "acme", ours: ["Bo"], text: "Bo: How do you plan?\nAna: When I plan the week, I want to see who is away so that I can move tasks. Write to ana@acme.example. Please add a dark mode. The calendar is awful.\nBo: I love it, excellent!" }); // prettier-ignore
    await job("voices.read");
    const all = { ...range, limit: 500 };
    const overview = await ask<Overview>("voices.overview", range);
    expect(overview).toMatchObject({ waiting: 0, kinds: [{ kind: "support", conversations: 80 }, { kind: "interview", conversations: 1 }] }); // prettier-ignore
    const board = overview.themes.find(({ contradiction }) => contradiction !== null)!;
    expect(board.title).toMatch(/board|export/);
    // each statement is counted, however many there are in one conversation
    const counts = (all: readonly { statements: number }[]) => all.reduce((sum, { statements }) => sum + statements, 0); // prettier-ignore
    expect(counts(overview.themes)).toBe(counts(overview.kinds));
    expect(overview.kinds.find(({ kind }) => kind === "interview")!.statements).toBe(3);
    // people of the team are not heard
    expect([board.problems, board.praise]).toEqual([16, 8]);
    expect(board.contradiction!.praising).toBeGreaterThanOrEqual(2);
    expect(overview.themes.reduce((sum, one) => sum + one.requests, 0)).toBe(25);

    const { statements } = await ask<{ statements: Statement[] }>("voices.statements", all);
    for (const { conversation, part: partId, start, end, quote } of statements) {
      const { parts } = await ask<{ parts: { id: string; text: string }[] }>("cx.conversation", { id: conversation });
      expect(parts.find((one) => one.id === partId)!.text.slice(start, end)).toBe(quote);
    }
    const interview = await ask<{ statements: Statement[] }>("voices.statements", { ...all, kind: "interview" });
    expect(new Map(interview.statements.map(({ type, quote }) => [type, quote]))).toEqual(new Map([["job", "When I plan the week, I want to see who is away so that I can move tasks."], ["problem", "The calendar is awful."], ["request", "Please add a dark mode."]])); // prettier-ignore
    expect(interview.statements).toHaveLength(3);
    expect(interview.statements.filter(({ type }) => type === "job")).toMatchObject([{ conversation: id, speaker: "Ana", type: "job", account: "acme", job: { when: "When I plan the week", want: "want to see who is away", so: "so that I can move tasks" } }]); // prettier-ignore
    expect((await ask<{ statements: Statement[] }>("voices.statements", { ...all, theme: board.id, type: "praise" })).statements.reduce((sum, { times }) => sum + times, 0)).toBe(8); // prettier-ignore

    // it is no support, and is not scored; it is behaviour all the same
    await score();
    await expect(ask("cx.conversation", { id })).resolves.toMatchObject({ scores: [], parts: [{}, { text: expect.stringContaining("[EMAIL_ADDRESS]") }, {}] }); // prettier-ignore
    expect(await ask("cx.overview", range)).toMatchObject({ total: { conversations: 80 }, waiting: 0 });
    await world.settled();
    const { lines } = await ask<{ lines: { total: number }[] }>("trends.ask", { series: [{ event: "Feedback given", measure: "unique" }] }); // prettier-ignore
    expect(lines[0]!.total).toBe(1);

    // what is taken back is not quoted any more, before it is read again and after
    await send([{ ...happy("s0", "p0"), parts: [part("1", "customer", "")] }]);
    const quotes = async () => (await ask<{ statements: Statement[] }>("voices.statements", all)).statements.filter(({ conversation }) => conversation === "s0"); // prettier-ignore
    expect(await quotes()).toEqual([]);
    await job("voices.read");
    expect(await quotes()).toEqual([]);
    // nor are those of somebody who was erased
    await ask("erasure.erase", { identifiers: ["ana"] });
    const found = (await world.system.directory.find(workspace))!;
    const erasing = world.system.modules.find(({ name }) => name === "erasure")!;
    await erasing.jobs![0]!.run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now: Date.now(), ...found }); // prettier-ignore
    expect((await ask<{ statements: Statement[] }>("voices.statements", { ...all, kind: "interview" })).statements).toEqual([]); // prettier-ignore

    await expect(ask("voices.add", { kind: "note", title: "x", at: "2026-01-01", ours: ["Bo"], text: "Bo: Hm." })).rejects.toThrow(/Nobody but your own/); // prettier-ignore
  }, 120_000);
});
