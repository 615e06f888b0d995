/** A reference case: events in, a question, and what must come out. */
export interface Case {
  readonly id: string;
  readonly query: any;
  readonly expect: any;
  readonly [field: string]: any;
}

/** The case asks for an option that does not exist here yet; the message names it. */
export class Unsupported extends Error {}

/** Where what was got differs from what is asserted; undefined where it does not. Null in a list asserts nothing. */
export const difference = (expected: unknown, got: unknown, at = ""): string | undefined => {
  if (expected === null) return undefined;
  if (typeof expected === "number") {
    const near = typeof got === "number" && Math.abs(got - expected) <= 1e-6 * Math.max(1, Math.abs(expected));
    return near ? undefined : `${at}: expected ${expected}, got ${JSON.stringify(got)}`;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length)
      return `${at}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`;
    for (const [index, item] of expected.entries()) {
      const found = difference(item, got[index], `${at}[${index}]`);
      if (found !== undefined) return `${found} in ${JSON.stringify(expected)} against ${JSON.stringify(got)}`;
    }
    return undefined;
  }
  if (typeof expected === "object") {
    for (const [key, value] of Object.entries(expected as object)) {
      const found = difference(value, (got as Record<string, unknown> | undefined)?.[key], `${at}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return expected === got ? undefined : `${at}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`;
};

interface Failure {
  readonly id: string;
  readonly kind: string;
  readonly why: string;
}

export interface Outcome {
  readonly passed: number;
  readonly failures: readonly Failure[];
  /** Cases that record what the source does and nobody should: they differ here on purpose. */
  readonly quirks?: readonly Failure[];
  readonly unsupported: ReadonlyMap<string, number>;
}

/** Runs each case by itself; one that throws has failed. */
export const runCases = async (cases: readonly Case[], answer: (test: Case) => Promise<unknown>): Promise<Outcome> => {
  let passed = 0;
  const [failures, quirks]: [Failure[], Failure[]] = [[], []];
  const unsupported = new Map<string, number>();
  for (const test of cases) {
    const failed = (why: string): void => {
      const { kind } = test.query;
      if (test["quirk"] === true) quirks.push({ id: test.id, kind, why: `${why}\n  ${test["quirk_reason"]}` });
      else failures.push({ id: test.id, kind, why });
    };
    try {
      const why = difference(test.expect, await answer(test));
      if (why === undefined) passed += 1;
      else failed(why);
    } catch (error) {
      if (error instanceof Unsupported) unsupported.set(error.message, (unsupported.get(error.message) ?? 0) + 1);
      else failed(error instanceof Error ? error.message : String(error));
    }
  }
  return { passed, failures, quirks, unsupported };
};
