/** A relative effect with its sign. */
export const percent = (value: number, digits = 1): string =>
  `${value > 0 ? "+" : ""}${(value * 100).toLocaleString("en", { maximumFractionDigits: digits })} %`;
