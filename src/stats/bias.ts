/**
 * Differences between groups in what a model decides. Pure; counts in, shares out. Definitions as in Hardt, Price and
 * Srebro, "Equality of Opportunity in Supervised Learning" (2016), and Fairlearn's documentation; the band of 0.8 to 1.25
 * is Aequitas' (and the four-fifths rule of the EEOC, 29 CFR 1607.4). No group is inferred: whoever measures says which.
 */

/** What was decided in one group, against what was right. */
export interface Confusion {
  readonly group: string;
  readonly truePositive: number;
  readonly falsePositive: number;
  readonly falseNegative: number;
  readonly trueNegative: number;
}

export interface GroupRates {
  readonly group: string;
  readonly n: number;
  /** Share that was decided positive; of those that are positive; of those that are not; null where there are none. */
  readonly selection: number;
  readonly truePositiveRate: number | null;
  readonly falsePositiveRate: number | null;
  readonly precision: number | null;
  /** Whether there are enough to judge. */
  readonly isJudged: boolean;
}

export interface Bias {
  readonly rates: readonly GroupRates[];
  /** Selection rates: greatest less least, and least over greatest. */
  readonly parityDifference: number | null;
  readonly parityRatio: number | null;
  /** True positive rates: greatest less least. */
  readonly opportunityDifference: number | null;
  /** The worse of the gaps of true and false positive rates. */
  readonly oddsDifference: number | null;
}

/** Groups of fewer are shown and not judged. */
export const leastGroup = 30;
/** Ratios within are taken for even. */
export const evenBand = [0.8, 1.25] as const;

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

const gap = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length < 2 ? null : Math.max(...known) - Math.min(...known);
};

export const biasOf = (groups: readonly Confusion[]): Bias => {
  const rates = groups.map(({ group, truePositive, falsePositive, falseNegative, trueNegative }): GroupRates => {
    const n = truePositive + falsePositive + falseNegative + trueNegative;
    return {
      group,
      n,
      selection: share(truePositive + falsePositive, n) ?? 0,
      truePositiveRate: share(truePositive, truePositive + falseNegative),
      falsePositiveRate: share(falsePositive, falsePositive + trueNegative),
      precision: share(truePositive, truePositive + falsePositive),
      isJudged: n >= leastGroup,
    };
  });
  const judged = rates.filter(({ isJudged }) => isJudged);
  const selections = judged.map(({ selection }) => selection);
  const most = Math.max(...selections);
  const [opportunity, falseGap] = [gap(judged.map((one) => one.truePositiveRate)), gap(judged.map((one) => one.falsePositiveRate))]; // prettier-ignore
  return {
    rates,
    parityDifference: gap(selections),
    parityRatio: judged.length < 2 || most === 0 ? null : Math.min(...selections) / most,
    opportunityDifference: opportunity,
    oddsDifference: opportunity === null && falseGap === null ? null : Math.max(opportunity ?? 0, falseGap ?? 0),
  };
};

/** How a score differs from what people say, in one group. */
export interface ScoreGroup {
  readonly group: string;
  readonly n: number;
  /** Mean of score less label, in points; and quadratic kappa. */
  readonly error: number;
  readonly kappa?: number | undefined;
}

/** Widest gap of mean errors, in points, and least kappa as a share of the best, that a score may have. */
const [mostErrorGap, leastKappaShare] = [0.25, 0.9];

/** What is uneven in a score between groups that are large enough, in words. */
export const scoreBias = (groups: readonly ScoreGroup[]): readonly string[] => {
  const judged = groups.filter(({ n }) => n >= leastGroup);
  const errors = judged.map(({ error }) => error);
  const errorGap = gap(errors);
  const kappas = judged.flatMap(({ group, kappa }) => (kappa === undefined ? [] : [{ group, kappa }]));
  const best = Math.max(...kappas.map(({ kappa }) => kappa));
  return [
    ...(errorGap !== null && errorGap > mostErrorGap ? [`mean errors differ by ${errorGap.toFixed(2)} points between groups; at most ${mostErrorGap} may be`] : []), // prettier-ignore
    ...kappas.filter(({ kappa }) => kappa < leastKappaShare * best).map(({ group, kappa }) => `agreement for ${group} is ${kappa.toFixed(2)}, under ${leastKappaShare} of the best (${best.toFixed(2)})`), // prettier-ignore
  ];
};

/** What is uneven in decisions between groups that are large enough, in words. */
export const decisionBias = (groups: readonly Confusion[]): readonly string[] => {
  const { parityRatio } = biasOf(groups);
  return parityRatio !== null && parityRatio < evenBand[0] ? [`the least selected group is selected ${parityRatio.toFixed(2)} times as often as the most; at least ${evenBand[0]} is wanted`] : []; // prettier-ignore
};
