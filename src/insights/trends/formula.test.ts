import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateFormula, parseFormula } from "./formula.ts";

const value = (text: string, values: Record<string, number> = {}) => evaluateFormula(parseFormula(text), values);

describe("a formula", () => {
  it.each([
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["2 ^ 3 ^ 2", 512],
    ["-2 ^ 2", -4],
    ["2 * -3", -6],
    ["10 - 4 - 3", 3],
    ["7 % 4", 3],
    [".5 + 1e2", 100.5],
    ["round(3.14159, 2)", 3.14],
    ["max(1, min(5, 3), abs(-4))", 4],
    ["A / B * 100", 25],
    ["C", 0],
  ])("works out %s", (text, expected) => expect(value(text, { A: 1, B: 4 })).toBeCloseTo(expected, 12));

  it("has no value where it divides by nothing", () => {
    expect(value("A / B", { A: 1, B: 0 })).toBeNull();
    expect(value("sqrt(0 - 1)")).toBeNull();
  });

  it.each([
    "",
    "1 +",
    "(1",
    "1)",
    "A B",
    "AB",
    "A.b",
    "foo(1)",
    "sqrt()",
    "sqrt(1, 2)",
    "constructor(1)",
    "__proto__",
    "1; 2",
    "A[0]",
    "`1`",
    "$A",
    "(".repeat(60) + "1" + ")".repeat(60),
    "1+".repeat(300) + "1",
  ])("refuses %s", (text) =>
    expect(() => parseFormula(text)).toThrow(expect.objectContaining({ code: "formula.invalid" })),
  );

  it("never throws anything but a refusal, whatever it is given", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        try {
          value(text, { A: 1 });
        } catch (error) {
          expect(error).toMatchObject({ code: "formula.invalid" });
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("agrees with JavaScript on what both can say", () => {
    const leaf = fc.oneof(fc.integer({ min: 0, max: 9 }).map(String), fc.constantFrom("A", "B"));
    const tree = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { depthSize: "small" },
        leaf,
        fc
          .tuple(tie("node"), fc.constantFrom("+", "-", "*", "/", "%"), tie("node"))
          .map(([a, op, b]) => `(${a} ${op} ${b})`),
        fc.tuple(tie("node"), fc.constantFrom("+", "-", "*"), tie("node")).map(([a, op, b]) => `${a} ${op} ${b}`),
      ),
    })).node;
    fc.assert(
      fc.property(
        tree.filter((text) => text.length < 400),
        (text) => {
          // the text is made above, of digits and five operators
          // oxlint-disable-next-line no-implied-eval
          const expected = Number(new Function("A", "B", `return ${text}`)(3, 7));
          expect(value(text, { A: 3, B: 7 })).toEqual(Number.isFinite(expected) ? expected : null);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
