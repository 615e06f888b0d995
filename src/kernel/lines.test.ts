import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linesIn } from "./lines.ts";

const all = async (chunks: Iterable<string | Uint8Array>, longest?: number): Promise<string[]> => {
  const lines: string[] = [];
  for await (const line of linesIn(Readable.from(chunks), longest)) lines.push(line);
  return lines;
};

describe("lines", () => {
  it("end at a line feed and nowhere else, wherever the bytes are cut", async () => {
    const text = fc.array(fc.constantFrom("a", "é", "🙂", "\u2028", "\u2029", "\u0085", "\r", "\n", "\r\n", "\f", '"'), { maxLength: 30 }).map((parts) => parts.join("")); // prettier-ignore
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 7 }), async (whole, size) => {
        const bytes = Buffer.from(whole);
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, n * size + size)); // prettier-ignore
        const expected = whole.split("\n");
        if (expected.at(-1) === "") expected.pop();
        const cut = expected.map((line) => line.replace(/\r$/, ""));
        expect(await all(chunks)).toEqual(cut);
        expect(await all(whole === "" ? [] : [whole])).toEqual(cut);
      }),
      { numRuns: 1_000 },
    );
  });

  it("keeps no more of a long line than was asked for", async () => {
    expect(await all(["abc", "defgh\nab", "c\n", "abcd\n"], 3)).toEqual(["abcd", "abc", "abcd"]);
    const endless = function* () {
      for (let n = 0; n < 20_000; n += 1) yield "x".repeat(65_536);
      yield "\nlast";
    };
    const lines = await all(endless(), 1_000_000);
    expect(lines.map(({ length }) => length)).toEqual([1_000_001, 4]);
  });
});
