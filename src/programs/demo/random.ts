import { randomFrom } from "#stats/random.ts";

/** Chance that is the same every time: a stream of numbers from a seed. */
export interface Chance {
  /** In [0, 1). */
  number(): number;
  /** True with this probability. */
  is(probability: number): boolean;
  /** A whole number from `least` to `most`, both inside. */
  whole(least: number, most: number): number;
  pick<T>(list: readonly [T, ...T[]]): T;
  /** One of the weighted choices; weights need not sum to one. */
  among<T>(choices: readonly (readonly [T, number])[]): T;
  /** How many happen where so many are expected (Poisson; for small expectations). */
  count(expected: number): number;
}

export const chanceFrom = (seed: number): Chance => {
  const number = randomFrom(seed);
  const whole = (least: number, most: number): number => least + Math.floor(number() * (most - least + 1));
  return {
    number,
    is: (probability) => number() < probability,
    whole,
    pick: (list) => list[whole(0, list.length - 1)] ?? list[0],
    among: (choices) => {
      let left = number() * choices.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [value, weight] of choices) {
        left -= weight;
        if (left < 0) return value;
      }
      const last = choices.at(-1);
      if (last === undefined) throw new Error("there is nothing to choose among");
      return last[0];
    },
    count: (expected) => {
      const limit = Math.exp(-expected);
      let product = number();
      let happened = 0;
      while (product > limit) {
        product *= number();
        happened += 1;
      }
      return happened;
    },
  };
};
