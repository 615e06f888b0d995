import { randomFrom } from "./random.ts";

/** How far scores agree with labels of the same things. All of pairs; order does not matter. */

export interface Pair {
  readonly score: number;
  readonly label: number;
  /** For how many it stands, 1 where nothing is said: the same as if it were there so often. */
  readonly weight?: number;
}

const weightsOf = (pairs: readonly Pair[]): number[] => pairs.map(({ weight = 1 }) => weight);
const total = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);
const mean = (all: readonly number[], weights: readonly number[]): number => all.reduce((sum, one, at) => sum + one * (weights[at] ?? 0), 0) / total(weights); // prettier-ignore

/**
 * Cohen's kappa with quadratic weights (Cohen 1968) of values rounded to whole ones between `from` and `to`: 1 is the same
 * everywhere, 0 is what chance gives. NaN where one side never varies.
 */
export const quadraticKappa = (pairs: readonly Pair[], from = 1, to = 5): number => {
  const whole = (value: number): number => Math.min(to, Math.max(from, Math.round(value)));
  const [a, b, weights] = [pairs.map(({ score }) => whole(score)), pairs.map(({ label }) => whole(label)), weightsOf(pairs)]; // prettier-ignore
  const apart = mean(
    a.map((one, at) => (one - (b[at] ?? 0)) ** 2),
    weights,
  );
  const [ma, mb] = [mean(a, weights), mean(b, weights)];
  const spread = (all: readonly number[], around: number): number =>
    mean(
      all.map((one) => (one - around) ** 2),
      weights,
    );
  // what two that know nothing of each other would be apart
  return 1 - apart / (spread(a, ma) + spread(b, mb) + (ma - mb) ** 2);
};

/** Ranks from 1; those that tie share the mean of theirs. */
const ranksOf = (values: readonly number[], weights: readonly number[]): number[] => {
  const order = values.map((value, at) => ({ value, at })).toSorted((x, y) => x.value - y.value);
  const ranks = Array.from({ length: values.length }, () => 0);
  let below = 0;
  for (let from = 0; from < order.length;) {
    let [to, tied] = [from, 0];
    for (; to < order.length && order[to]?.value === order[from]?.value; to += 1) tied += weights[order[to]?.at ?? 0] ?? 0;
    for (let place = from; place < to; place += 1) ranks[order[place]?.at ?? 0] = below + (tied + 1) / 2;
    [from, below] = [to, below + tied];
  }
  return ranks;
}; // prettier-ignore

/** Spearman's rank correlation; NaN where one side never varies. */
export const spearman = (pairs: readonly Pair[]): number => {
  const weights = weightsOf(pairs);
  const [a, b] = [ranksOf(pairs.map(({ score }) => score), weights), ranksOf(pairs.map(({ label }) => label), weights)]; // prettier-ignore
  const [ma, mb] = [mean(a, weights), mean(b, weights)];
  const sum = (x: readonly number[], mx: number, y: readonly number[], my: number): number => x.reduce((all, one, at) => all + (weights[at] ?? 0) * (one - mx) * ((y[at] ?? 0) - my), 0); // prettier-ignore
  return sum(a, ma, b, mb) / Math.sqrt(sum(a, ma, a, ma) * sum(b, mb, b, mb));
};

/** The chance that one that is so has the lower score of two; ties count half. NaN where all or none are so. */
export const aucOfLow = (pairs: readonly Pair[], isSo: (label: number) => boolean): number => {
  const weights = weightsOf(pairs);
  const ranks = ranksOf(
    pairs.map(({ score }) => -score),
    weights,
  );
  const so = pairs.map(({ label }) => isSo(label));
  const count = total(weights.filter((_, at) => so[at]));
  const sum = ranks.reduce((all, rank, at) => all + (so[at] === true ? rank * (weights[at] ?? 0) : 0), 0);
  return (sum - (count * (count + 1)) / 2) / (count * (total(weights) - count));
};

/** Unweighted average recall of low (below 2.5), middle and high (3.5 and more), over the classes that labels have. */
export const averageRecall = (pairs: readonly Pair[]): number => {
  const classOf = (value: number): number => (value < 2.5 ? 0 : value < 3.5 ? 1 : 2);
  const recalls = [0, 1, 2].flatMap((one) => {
    const own = pairs.filter(({ label }) => classOf(label) === one);
    return own.length === 0 ? [] : [total(weightsOf(own.filter(({ score }) => classOf(score) === one))) / total(weightsOf(own))]; // prettier-ignore
  });
  return total(recalls) / recalls.length;
};

/** A 95 % interval by the percentile bootstrap, the same each time; null for fewer than ten pairs. */
export const bootstrapped = (pairs: readonly Pair[], of: (some: readonly Pair[]) => number, times = 500): { readonly lower: number; readonly upper: number } | null => {
  if (pairs.length < 10) return null;
  const next = randomFrom(pairs.length);
  const found = Array.from({ length: times }, () => of(pairs.map(() => pairs[Math.floor(next() * pairs.length)] ?? { score: 0, label: 0 })))
    .filter((one) => Number.isFinite(one))
    .toSorted((a, b) => a - b);
  const [lower, upper] = [found[Math.floor(found.length * 0.025)], found[Math.ceil(found.length * 0.975) - 1]];
  return lower === undefined || upper === undefined ? null : { lower, upper };
}; // prettier-ignore
