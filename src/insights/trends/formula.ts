import { Refusal } from "#kernel/refusal.ts";

/**
 * Formulas over series: numbers, single capital letters, + − * / % ^, parentheses, and a few functions. A formula is
 * data: it is parsed here to a tree and worked out by walking it; nothing is ever run as code.
 */
export type Formula =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "series"; readonly letter: string }
  | { readonly kind: "call"; readonly name: keyof typeof functions; readonly args: readonly Formula[] }
  | { readonly kind: "operator"; readonly symbol: string; readonly left: Formula; readonly right: Formula };

const functions = {
  round: { arity: [1, 2], run: (x = 0, digits = 0) => Math.round(x * 10 ** digits) / 10 ** digits },
  abs: { arity: [1, 1], run: (x = 0) => Math.abs(x) },
  max: { arity: [1, 26], run: (...all: number[]) => Math.max(...all) },
  min: { arity: [1, 26], run: (...all: number[]) => Math.min(...all) },
  floor: { arity: [1, 1], run: (x = 0) => Math.floor(x) },
  ceil: { arity: [1, 1], run: (x = 0) => Math.ceil(x) },
  sqrt: { arity: [1, 1], run: (x = 0) => Math.sqrt(x) },
} as const;

const operators: Readonly<Record<string, { rank: number; run: (a: number, b: number) => number }>> = {
  "+": { rank: 1, run: (a, b) => a + b },
  "-": { rank: 1, run: (a, b) => a - b },
  "*": { rank: 2, run: (a, b) => a * b },
  "/": { rank: 2, run: (a, b) => a / b },
  "%": { rank: 2, run: (a, b) => a % b },
  "^": { rank: 4, run: (a, b) => a ** b },
};

const signRank = 3;
const longest = 500;
const deepest = 50;

const tokens = (text: string): string[] => {
  const found = text.match(/\s*(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|[a-z]+|[A-Z](?![A-Za-z0-9])|[-+*/%^(),]|\S)/g) ?? [];
  return found.map((token) => token.trim());
};

const refuse = (text: string, why: string): Refusal =>
  new Refusal("formula.invalid", `The formula ${JSON.stringify(text.slice(0, 80))} cannot be read: ${why}.`);

/** Reads a formula, or refuses it with what is wrong. */
export const parseFormula = (text: string): Formula => {
  if (text.length > longest) throw refuse(text, `it has more than ${longest} characters`);
  const list = tokens(text);
  let at = 0;
  let depth = 0;
  const peek = (): string | undefined => list[at];
  const expect = (token: string): void => {
    if (list[at++] !== token) throw refuse(text, `a "${token}" is missing`);
  };

  const call = (name: string): Formula => {
    if (!Object.hasOwn(functions, name)) throw refuse(text, `there is no function "${name}"`);
    const known = name as keyof typeof functions; // checked above
    expect("(");
    const args: Formula[] = [expression(0)];
    while (peek() === ",") {
      at += 1;
      args.push(expression(0));
    }
    expect(")");
    const [least, most] = functions[known].arity;
    if (args.length < least || args.length > most) throw refuse(text, `${name} does not take ${args.length} values`);
    return { kind: "call", name: known, args };
  };

  const operand = (): Formula => {
    const token = list[at++];
    if (token === undefined) throw refuse(text, "it ends too early");
    if (/^[\d.]/.test(token)) return { kind: "number", value: Number(token) };
    if (/^[A-Z]$/.test(token)) return { kind: "series", letter: token };
    if (/^[a-z]+$/.test(token)) return call(token);
    if (token === "-")
      return { kind: "operator", symbol: "-", left: { kind: "number", value: 0 }, right: expression(signRank) };
    if (token === "+") return expression(signRank);
    if (token !== "(") throw refuse(text, `"${token}" is not expected there`);
    const inside = expression(0);
    expect(")");
    return inside;
  };

  const expression = (least: number): Formula => {
    depth += 1;
    if (depth > deepest) throw refuse(text, `it nests deeper than ${deepest}`);
    let left = operand();
    for (
      let operator = operators[peek() ?? ""];
      operator !== undefined && operator.rank >= least;
      operator = operators[peek() ?? ""]
    ) {
      const symbol = list[at++] ?? "";
      // ^ binds to the right, the others to the left
      left = { kind: "operator", symbol, left, right: expression(symbol === "^" ? operator.rank : operator.rank + 1) };
    }
    depth -= 1;
    return left;
  };

  const parsed = expression(0);
  if (at < list.length) throw refuse(text, `"${list[at] ?? ""}" is not expected there`);
  return parsed;
};

const run = (formula: Formula, values: Readonly<Record<string, number>>): number => {
  if (formula.kind === "number") return formula.value;
  if (formula.kind === "series") return values[formula.letter] ?? 0;
  if (formula.kind === "call") return functions[formula.name].run(...formula.args.map((arg) => run(arg, values)));
  return operators[formula.symbol]?.run(run(formula.left, values), run(formula.right, values)) ?? Number.NaN;
};

/** The value for one bucket; null where it is no finite number, such as a division by zero. Missing series count 0. */
export const evaluateFormula = (formula: Formula, values: Readonly<Record<string, number>>): number | null => {
  const value = run(formula, values);
  return Number.isFinite(value) ? value : null;
};
