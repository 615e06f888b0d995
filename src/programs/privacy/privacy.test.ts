import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { freshPii } from "#test/cases/fresh-pii.ts";
import { belowBars, printScores, scorePii } from "#test/cases/pii.ts";
import { findPersonal } from "./detect.ts";
import { redacted } from "./redact.ts";

const file = fileURLToPath(new URL("../../../../shared/cases/pii.json", import.meta.url));
const missing = !existsSync(file);
if (missing) console.log("the reference cases are not beside this checkout; their test is skipped");

describe("personal data and secrets in text", () => {
  it.skipIf(missing)("are found as the reference cases want", () => {
    expect(belowBars(scorePii(JSON.parse(readFileSync(file, "utf8"))))).toEqual([]);
  });

  it.each([1, 2, 3])("are found in 4,000 strings that nobody has seen (set %d)", (seed) => {
    const scores = scorePii(freshPii(seed * 7_919, 4_000));
    if (seed === 1) printScores(scores);
    expect(belowBars(scores), JSON.stringify(scores.faults.slice(0, 20))).toEqual([]);
  });

  it("gives places in the text as it came, of any text", () => {
    const parts = fc.constantFrom(
      "a@example.com",
      " ",
      "４２４２ ４２４２ ４２４２ ４２４２",
      "😀",
      "%40",
      "\u00a0",
      "\u200b",
      "+1 202-555-0147",
      "x",
      "1",
      "-",
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), (all) => {
        const text = all.join("");
        for (const { start, end } of findPersonal(text)) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
        }
      }),
      { numRuns: 2_000 },
    ); // prettier-ignore
    const [found] = findPersonal("😀 mail:\u200b jane%40example.com now");
    expect("😀 mail:\u200b jane%40example.com now".slice(found?.start, found?.end)).toBe("jane%40example.com");
  });

  it("are found wherever they lie in a long text, in time that grows with its length", () => {
    const hidden = `${"lorem ipsum 12 ".repeat(1_330)} jane@example.com ${"dolor 4 ".repeat(9_000)} 4242 4242 4242 4242`;
    expect(findPersonal(hidden).map(({ type }) => type)).toEqual(["EMAIL_ADDRESS", "CREDIT_CARD"]);
    // anything worse than linear would not end within the time of a test
    const worst = ["1", "12 ", "12-", "0 0 0 ", "1 (", "1.1.1.1 ", "a@", "1-", "a.", ":", "eyJ", "password=", "+1 ", "://", "a1b2-", "-----BEGIN PRIVATE KEY-----"]; // prettier-ignore
    for (const part of worst) expect(Array.isArray(findPersonal(part.repeat(60_000), "phone card"))).toBe(true);
  });

  it("keep two names apart that read alike once they are masked", () => {
    const value = { "a@example.com": 1, "b@example.com": 2, "[EMAIL_ADDRESS] 2": 3 };
    const { value: shown } = redacted(value, "", () => "mask");
    expect(shown).toEqual({ "[EMAIL_ADDRESS]": 1, "[EMAIL_ADDRESS] 2": 2, "[EMAIL_ADDRESS] 2 2": 3 });
  });
});
