const z95 = 1.959963984540054;

/**
 * Wilson score interval of a proportion, 95 % (Wilson 1927). Null where there was nothing to count.
 * Keeps within [0, 1] and is right for small counts, where the normal interval is not.
 */
export const wilson = (successes: number, trials: number): [number, number] | null => {
  if (trials <= 0) return null;
  const p = successes / trials;
  const scale = 1 + z95 ** 2 / trials;
  const middle = (p + z95 ** 2 / (2 * trials)) / scale;
  const half = (z95 * Math.sqrt((p * (1 - p)) / trials + z95 ** 2 / (4 * trials ** 2))) / scale;
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
};
