import { grouped } from "#kernel/grouped.ts";
import { normalCritical } from "#stats/distributions.ts";
import { aucOfLow, averageRecall, bootstrapped, quadraticKappa, spearman, type Pair } from "#stats/agreement.ts";

/** How far scores may be trusted, by the labels that people of the workspace gave. Pure. */

export interface Label {
  readonly conversation: string;
  readonly by: string;
  readonly label: number;
}

/** Written under this name where people settled on one: it stands in place of what each of them said. */
export const settled = "settled";

const byConversation = (labels: readonly Label[]): ReadonlyMap<string, readonly Label[]> => grouped(labels, ({ conversation }) => conversation); // prettier-ignore

/** What people of the workspace say of each conversation: what they settled on, or the mean of what each said. */
export const truthsOf = (labels: readonly Label[]): ReadonlyMap<string, number> =>
  new Map([...byConversation(labels)].map(([conversation, own]) => [conversation, own.find(({ by }) => by === settled)?.label ?? mean(own.map(({ label }) => label))])); // prettier-ignore

const apart = 2;
/** Conversations of which people think too differently, and which nobody has settled; the furthest apart first. */
export const disagreementsIn = (labels: readonly Label[]): { readonly id: string; readonly labels: readonly Label[] }[] =>
  [...byConversation(labels)]
    .map(([id, own]) => ({ id, labels: own, by: Math.max(...own.map(({ label }) => label)) - Math.min(...own.map(({ label }) => label)) }))
    .filter(({ labels: own, by }) => by >= apart && own.every((one) => one.by !== settled))
    .toSorted((a, b) => b.by - a.by || (a.id < b.id ? -1 : 1)); // prettier-ignore

export interface Agreement {
  readonly scorer: "model" | "one_human" | "constant" | "judge";
  readonly pairs: number;
  readonly kappa: number | null;
  readonly kappaLower: number | null;
  readonly kappaUpper: number | null;
  readonly rho: number | null;
  readonly auc: number | null;
  readonly recall: number | null;
}

const known = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Unhappy is what people label below this. */
export const unhappyBelow = 2.5;

/** How far scores agree with labels of the same; null for what cannot be told of so few. */
export const measuresOf = (pairs: readonly Pair[]) => ({
  pairs: pairs.length,
  kappa: known(quadraticKappa(pairs)),
  rho: known(spearman(pairs)),
  auc: known(aucOfLow(pairs, (label) => label < unhappyBelow)),
});

const agreementOf = (scorer: Agreement["scorer"], pairs: readonly Pair[]): Agreement => {
  const interval = bootstrapped(pairs, quadraticKappa);
  return { scorer, ...measuresOf(pairs), kappaLower: interval?.lower ?? null, kappaUpper: interval?.upper ?? null, recall: known(averageRecall(pairs)) }; // prettier-ignore
};

const mean = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0) / all.length;

const width = 0.5;
/**
 * Weights by which labelled conversations stand for all that were scored (`all`: how many there are at each tenth of a
 * point): where more of them were chosen (near the edges) each counts for less. What was chosen by the score alone is put
 * right by the score (post-stratification in halves of a point).
 */
export const weighed = <P extends { readonly score: number }>(points: readonly P[], all: readonly { readonly tenth: number; readonly conversations: number }[]): (P & { readonly weight: number })[] => {
  const binOf = (score: number): number => Math.floor((score - 1) / width);
  const total = all.reduce((sum, { conversations }) => sum + conversations, 0);
  if (total === 0) return points.map((point) => ({ ...point, weight: 1 }));
  const shares = new Map<number, number>();
  for (const { tenth, conversations } of all) shares.set(binOf(tenth), (shares.get(binOf(tenth)) ?? 0) + conversations / total); // prettier-ignore
  const counts = new Map<number, number>();
  for (const { score } of points) counts.set(binOf(score), (counts.get(binOf(score)) ?? 0) + 1);
  return points.map((point) => {
    const bin = binOf(point.score);
    return { ...point, weight: Math.max(0.1, ((shares.get(bin) ?? 0) * points.length) / (counts.get(bin) ?? 1)) };
  });
}; // prettier-ignore

/** By conversation; 1 for any that is not in it. */
type Weights = ReadonlyMap<string, number>;

/** A language model against what people said of the same conversations. */
export const agreementWith = (labels: readonly Label[], judged: ReadonlyMap<string, number>, weights: Weights = new Map()): Agreement =>
  agreementOf("judge", [...truthsOf(labels)].flatMap(([conversation, label]) => {
    const score = judged.get(conversation);
    return score === undefined ? [] : [{ score, label, weight: weights.get(conversation) ?? 1 }];
  })); // prettier-ignore

export interface Trust {
  readonly rows: readonly Agreement[];
  readonly labelled: number;
  /** Of these, by two people or more. */
  readonly double: number;
  readonly verdict: "per_conversation" | "trends" | "do_not_use" | "not_enough";
  readonly says: string;
}

const [enough, closeTo, leastKappa, leastRho] = [50, 0.9, 0.35, 0.4];

/**
 * The model against the mean of what people said, beside two lines: one person against the others of the same conversation,
 * and a constant, which a bad measure would let pass. All by the same weights.
 */
export const trustOf = (
  labels: readonly Label[],
  scores: ReadonlyMap<string, number>,
  weights: Weights = new Map(),
): Trust => {
  const truths = truthsOf(labels);
  const scored = [...truths].flatMap(([conversation, label]) => {
    const score = scores.get(conversation);
    return score === undefined ? [] : [{ score, label, weight: weights.get(conversation) ?? 1 }];
  });
  const several = [...byConversation(labels.filter(({ by }) => by !== settled))].filter(([, own]) => own.length > 1);
  const one = several.flatMap(([conversation, own]) => own.map(({ label }, at) => ({ score: label, label: mean(own.filter((_, place) => place !== at).map((other) => other.label)), weight: weights.get(conversation) ?? 1 }))); // prettier-ignore
  const model = agreementOf("model", scored);
  const human = agreementOf("one_human", one);
  const middle = scored.length === 0 ? 3 : Math.round(mean(scored.map(({ label }) => label)));
  const constant = agreementOf("constant", scored.map(({ label, weight }) => ({ score: middle, label, weight }))); // prettier-ignore
  const shared = { rows: [model, human, constant], labelled: truths.size, double: several.length };
  if (several.length < enough)
    return { ...shared, verdict: "not_enough", says: `${several.length} conversations were labelled by two people; ${enough} are needed before anything is said of how far the score may be trusted here.` }; // prettier-ignore
  const isClose = (model.kappa ?? 0) >= closeTo * (human.kappa ?? 1) && (model.kappaLower ?? 0) > leastKappa;
  if (isClose) return { ...shared, verdict: "per_conversation", says: "It agrees with people about as well as they agree with each other: a single score may be used." }; // prettier-ignore
  if ((model.rho ?? 0) >= leastRho) return { ...shared, verdict: "trends", says: "It may be used for trends and comparisons; not for a single conversation." }; // prettier-ignore
  return { ...shared, verdict: "do_not_use", says: "It does not agree with your people. Do not use it." };
};

export interface Labelled {
  readonly score: number;
  readonly label: number;
  readonly language: string;
  readonly channel: string;
  /** Of the account; empty where none is known. */
  readonly plan: string;
  /** Parts that were written. */
  readonly length: number;
}

export interface Bias {
  readonly kind: "language" | "channel" | "length" | "plan";
  readonly name: string;
  readonly pairs: number;
  readonly score: number;
  readonly label: number;
  /** By how much the score is above the label there, less what it is in all others; with a 95 % interval. */
  readonly gap: number;
  readonly lower: number;
  readonly upper: number;
}

const leastPairs = 20;
const variance = (all: readonly number[]): number => {
  const middle = mean(all);
  return all.reduce((sum, one) => sum + (one - middle) ** 2, 0) / (all.length - 1);
};
const lengthOf = (parts: number): string =>
  parts <= 2 ? "1 to 2 parts" : parts <= 6 ? "3 to 6 parts" : "7 parts and more";

/** Where the score is kinder or harsher than people are, against everywhere else (Welch). Groups of fewer than 20 say nothing. */
export const biasOf = (rows: readonly Labelled[]): Bias[] => {
  const kinds = { language: (row: Labelled) => row.language, channel: (row: Labelled) => row.channel, length: (row: Labelled) => lengthOf(row.length), plan: (row: Labelled) => row.plan }; // prettier-ignore
  return (Object.keys(kinds) as (keyof typeof kinds)[]).flatMap((kind) => {
    const names = [...new Set(rows.map(kinds[kind]))].filter((name) => name !== "").toSorted();
    return names.flatMap((name): Bias[] => {
      const [own, others] = [rows.filter((row) => kinds[kind](row) === name), rows.filter((row) => kinds[kind](row) !== name)]; // prettier-ignore
      if (own.length < leastPairs || others.length < leastPairs) return [];
      const gaps = (some: readonly Labelled[]): number[] => some.map(({ score, label }) => score - label);
      const gap = mean(gaps(own)) - mean(gaps(others));
      const half = normalCritical(0.05, 2) * Math.sqrt(variance(gaps(own)) / own.length + variance(gaps(others)) / others.length); // prettier-ignore
      return [{ kind, name, pairs: own.length, score: mean(own.map((row) => row.score)), label: mean(own.map((row) => row.label)), gap, lower: gap - half, upper: gap + half }]; // prettier-ignore
    });
  });
};
