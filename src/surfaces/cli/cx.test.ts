import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cxScore } from "./cx.ts";

const folder = mkdtempSync(join(tmpdir(), "throughline-cx-"));
const quiet = { error: () => undefined };

describe("cx score", () => {
  it("scores a file, a row for each in the same order, the same bytes each time", async () => {
    const [input, output, again] = ["in.jsonl", "out.jsonl", "again.jsonl"].map((name) => join(folder, name)) as [string, string, string]; // prettier-ignore
    const rows = [
      { id: "a", lang: "en", turns: [{ r: "customer", x: "It still does not work, this is a joke!", t: 0 }, { r: "ai_agent", x: "Please contact us.", t: 9.5 }] },
      { id: 2, turns: [{ r: "human_agent", x: "Hello?" }] },
      { id: "c", turns: [{ r: "customer", x: "How do I\u2028reset it?" }, { r: "human_agent", x: "Open settings and press reset." }, { r: "customer", x: "That worked, thank you!" }] },
    ]; // prettier-ignore
    writeFileSync(input, `\uFEFF${rows.map((row) => JSON.stringify(row)).join("\r\n")}\n\n`);
    await cxScore({ input, output }, quiet);
    await cxScore({ input, output: again }, quiet);
    expect(readFileSync(again, "utf8")).toBe(readFileSync(output, "utf8"));
    const found = readFileSync(output, "utf8").trim().split("\n").map((line) => JSON.parse(line) as { id: unknown; score: number | null; reason: string; drivers: { driver: string; quotes: { text: string }[] }[] }); // prettier-ignore
    expect(found.map(({ id }) => id)).toEqual(["a", 2, "c"]);
    expect(found[1]).toMatchObject({ score: null, eligible: false, reason: "no_customer_text" });
    expect(found[0]!.score).toBeLessThan(2.5);
    expect(found[2]!.score).toBeGreaterThan(3.5);
    expect(Object.keys(found[0]!).slice(0, 6)).toEqual(["id", "score", "drivers", "summary", "eligible", "reason"]);
    expect(Object.keys(found[0]!.drivers[0]!)).toEqual(["driver", "polarity", "strength", "confidence", "contribution", "quotes"]); // prettier-ignore
  });

  it("says which rows cannot be read, and scores the others", async () => {
    const [input, output] = ["bad.jsonl", "bad-out.jsonl"].map((name) => join(folder, name)) as [string, string];
    writeFileSync(input, 'not json\n{"id":"x","turns":[{"r":"robot","x":"hi"}]}\n{"id":"y","turns":[{"r":"customer","x":"Where is my parcel?"},{"r":"ai_agent","x":"It is here."}]}\n'); // prettier-ignore
    await expect(cxScore({ input, output }, quiet)).rejects.toThrow(/2 rows could not be read/);
    const found = readFileSync(output, "utf8").trim().split("\n").map((line) => JSON.parse(line) as object); // prettier-ignore
    expect(found).toMatchObject([{ id: null, line: 1, reason: "invalid_row" }, { id: "x", line: 2, problem: expect.stringContaining("turns.0.r") }, { id: "y", eligible: true }]); // prettier-ignore
    await expect(cxScore({ input: join(folder, "none"), output }, quiet)).rejects.toThrow(/no file/);
    await expect(cxScore({ input, output: join(folder, "no/where") }, quiet)).rejects.toThrow(
      /no\/where cannot be written: ENOENT/,
    );
  });
});
