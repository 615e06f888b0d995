/** A share of one as per cent. */
export const percent = (value: number, digits = 2): string =>
  `${(value * 100).toLocaleString("en", { maximumFractionDigits: digits })} %`;

/** A relative effect, with its sign. */
export const effectWords = (value: number, digits = 1): string => `${value > 0 ? "+" : ""}${percent(value, digits)}`;
