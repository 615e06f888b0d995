import { performance } from "node:perf_hooks";
import { Flag } from "#programs/flags/document.ts";
import { bookOf } from "#programs/flags/evaluate.ts";

/**
 * 5,000 flags for each of 10,000 contexts, in one process: a rule on an attribute, then a split. The last line is how long
 * one answer takes in 99 of 100 cases.
 */
export const benchFlags = async (): Promise<void> => {
  const [mostFlags, contexts] = [5_000, 10_000];
  const flags = Array.from({ length: mostFlags }, (_, n) =>
    Flag.parse({
      key: `flag-${n}`,
      type: "boolean",
      variations: [{ name: "on", value: true }, { name: "off", value: false }],
      environments: {
        production: {
          isOn: true,
          otherwise: "off",
          rules: [
            { when: [{ property: "plan", values: ["enterprise"] }, { property: "seats", op: "gte", values: [n % 50] }], serve: { variation: "on" } },
            { serve: { split: { parts: [{ variation: "on", weight: 1 }, { variation: "off", weight: 1 }], coverage: 0.5 } } },
          ],
        },
      },
    }),
  ); // prettier-ignore
  const book = bookOf(flags, "production");
  const plans = ["free", "pro", "enterprise"];
  let on = 0;
  const single: number[] = [];
  const began = performance.now();
  for (let at = 0; at < contexts; at += 1) {
    const context = { key: `user-${at}`, attributes: { plan: plans[at % 3], seats: at % 60 }, isIn: () => false };
    for (const key of book.keys) {
      const found = book.evaluate(key, context, began);
      if ("value" in found && found.value === true) on += 1;
    }
    const before = performance.now();
    book.evaluate(`flag-${at % mostFlags}`, context, began);
    single.push(performance.now() - before);
  }
  const ms = performance.now() - began;
  single.sort((a, b) => a - b);
  const all = mostFlags * contexts;
  console.log(`flags       ${mostFlags.toLocaleString("en")} × ${contexts.toLocaleString("en")} contexts: ${(ms / 1000).toFixed(1)} s, ${((ms / all) * 1e6).toFixed(0)} ns an answer, ${((100 * on) / all).toFixed(1)} % on`); // prettier-ignore
  console.log(`one answer  p99 ${((single[Math.floor(single.length * 0.99)] ?? 0) * 1000).toFixed(1)} µs`);
  return Promise.resolve();
};
