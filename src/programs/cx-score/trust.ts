import { aucOfLow, averageRecall, bootstrapped, quadraticKappa, spearman, type Pair } from "#stats/agreement.ts";

/** How far scores may be trusted, by the labels that people of the workspace gave. Pure. */

export interface Label {
  readonly conversation: string;
  readonly by: string;
  readonly label: number;
}

export interface Agreement {
  readonly scorer: "model" | "one_human" | "constant";
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

const agreementOf = (scorer: Agreement["scorer"], pairs: readonly Pair[]): Agreement => {
  if (pairs.length === 0) return { scorer, pairs: 0, kappa: null, kappaLower: null, kappaUpper: null, rho: null, auc: null, recall: null }; // prettier-ignore
  const interval = bootstrapped(pairs, quadraticKappa);
  return {
    scorer,
    pairs: pairs.length,
    kappa: known(quadraticKappa(pairs)),
    kappaLower: interval?.lower ?? null,
    kappaUpper: interval?.upper ?? null,
    rho: known(spearman(pairs)),
    auc: known(aucOfLow(pairs, (label) => label < unhappyBelow)),
    recall: known(averageRecall(pairs)),
  };
};

const mean = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0) / all.length;

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
 * and a constant, which a bad measure would let pass.
 */
export const trustOf = (labels: readonly Label[], scores: ReadonlyMap<string, number>): Trust => {
  const by = new Map<string, Label[]>();
  for (const label of labels) by.set(label.conversation, [...(by.get(label.conversation) ?? []), label]);
  const scored = [...by].flatMap(([conversation, own]) => {
    const score = scores.get(conversation);
    return score === undefined ? [] : [{ score, label: mean(own.map(({ label }) => label)) }];
  });
  const several = [...by.values()].filter((own) => own.length > 1);
  const one = several.flatMap((own) => own.map(({ label }, at) => ({ score: label, label: mean(own.filter((_, place) => place !== at).map((other) => other.label)) }))); // prettier-ignore
  const model = agreementOf("model", scored);
  const human = agreementOf("one_human", one);
  const middle = scored.length === 0 ? 3 : Math.round(mean(scored.map(({ label }) => label)));
  const constant = agreementOf("constant", scored.map(({ label }) => ({ score: middle, label }))); // prettier-ignore
  const shared = { rows: [model, human, constant], labelled: by.size, double: several.length };
  if (several.length < enough)
    return { ...shared, verdict: "not_enough", says: `${several.length} conversations were labelled by two people; ${enough} are needed before anything is said of how far the score may be trusted here.` }; // prettier-ignore
  const isClose = (model.kappa ?? 0) >= closeTo * (human.kappa ?? 1) && (model.kappaLower ?? 0) > leastKappa;
  if (isClose) return { ...shared, verdict: "per_conversation", says: "It agrees with people about as well as they agree with each other: a single score may be used." }; // prettier-ignore
  if ((model.rho ?? 0) >= leastRho) return { ...shared, verdict: "trends", says: "It may be used for trends and comparisons; not for a single conversation." }; // prettier-ignore
  return { ...shared, verdict: "do_not_use", says: "It does not agree with your people. Do not use it." };
};
