import * as always from "#stats/always-valid.ts";
import * as bayes from "#stats/bayes.ts";
import * as cuped from "#stats/cuped.ts";
import * as dist from "#stats/distributions.ts";
import * as effects from "#stats/effects.ts";
import * as sequential from "#stats/group-sequential.ts";
import * as meta from "#stats/meta.ts";
import * as multiple from "#stats/multiple.ts";
import * as power from "#stats/power.ts";
import * as shares from "#stats/proportions.ts";
import * as quantiles from "#stats/quantiles.ts";
import * as srm from "#stats/srm.ts";
import * as hashes from "#sdk/hashes.ts";
import { Unsupported, type Outcome } from "./cases.ts";

/** Case files are data of many shapes. */
type Any = any;
export interface ExperimentCases {
  readonly format: string;
  readonly datasets: Readonly<Record<string, { readonly columns: readonly string[]; readonly rows: readonly (readonly Any[])[] }>>;
  readonly cases: readonly Any[];
} // prettier-ignore

const infinite = (value: Any): number => (value === "Infinity" ? Number.POSITIVE_INFINITY : value === "-Infinity" ? Number.NEGATIVE_INFINITY : value); // prettier-ignore
const levelOf = ({ alpha, sides }: Any): power.Level => ({ alpha, sides });
const armOf = ({ kind, n, sum, sum_squares: sumSquares, numerator, denominator, sum_of_products: sumOfProducts }: Any): effects.Arm =>
  kind === "ratio"
    ? { kind, n, numerator: sumsOf(numerator), denominator: sumsOf(denominator), sumOfProducts }
    : { kind, n, sum, sumSquares }; // prettier-ignore
const sumsOf = ({ sum, sum_squares: sumSquares }: Any): effects.Sums => ({ sum, sumSquares });
const momentsIn = (given: Any, arm: "a" | "b"): effects.Moments => ({ n: given[`n_${arm}`], mean: given[`mean_${arm}`], variance: given[`var_${arm}`] }); // prettier-ignore
const testedAs = (found: effects.Tested) => ({ estimate: found.estimate, difference: found.estimate, standard_error: found.standardError, t: found.t, df: found.df, p_value: found.pValue, ci_lower: found.lower, ci_upper: found.upper }); // prettier-ignore
const interval = ({ lower, upper }: { lower: number; upper: number }) => ({ ci_lower: lower, ci_upper: upper });
const sequenceAs = (found: always.Sequence) => ({ half_width: found.halfWidth, ...interval(found), p_value: found.pValue }); // prettier-ignore
const informationOf = ({ information, looks }: Any): readonly number[] => (Array.isArray(information) ? information : sequential.equalLooks(looks)); // prettier-ignore
const shapeOf = ({ type, delta }: Any): number => (type === "wang_tsiatis" ? delta : sequential.shapes[type as keyof typeof sequential.shapes]); // prettier-ignore
const sizesAs = ({ a, b }: power.Sizes) => ({ n_a: a, n_b: b, total: a + b, n_per_group: a, n_per_group_ceiling: Math.ceil(a) }); // prettier-ignore

const ratioArm = ({ n, numerator, denominator, pre_numerator: preM, pre_denominator: preD, products }: Any): cuped.RatioArm => ({
  n,
  m: sumsOf(numerator),
  d: sumsOf(denominator),
  preM: sumsOf(preM),
  preD: sumsOf(preD),
  products: {
    mPreM: products.numerator_pre_numerator,
    dPreD: products.denominator_pre_denominator,
    preMPreD: products.pre_numerator_pre_denominator,
    mD: products.numerator_denominator,
    mPreD: products.numerator_pre_denominator,
    preMD: products.pre_numerator_denominator ?? products.denominator_pre_numerator,
  },
}); // prettier-ignore

/** Answers by the method of a case. `rows` gives the rows of a data set as objects. */
const methods = (rows: (name: string) => readonly Any[]): Readonly<Record<string, (input: Any) => Any>> => {
  const unitsOf = ({ dataset, metric, covariates }: Any, arm: string): cuped.Unit[] =>
    rows(dataset).filter((row) => row.arm === arm).map((row) => ({ y: row[metric], x: covariates.map((name: string) => row[name]) })); // prettier-ignore
  const column = (dataset: string, name: string, arm?: string): number[] => rows(dataset).filter((row) => arm === undefined || row.arm === arm).map((row) => row[name]); // prettier-ignore
  const momentsFrom = (values: readonly number[]): effects.Moments => {
    const sum = values.reduce((all, one) => all + one, 0);
    const about = values.reduce((all, one) => all + (one - sum / values.length) ** 2, 0);
    return { n: values.length, mean: sum / values.length, variance: about / (values.length - 1) };
  };
  const onlyValues = ({ dataset, value }: Any): number[] => column(dataset, value ?? Object.keys(rows(dataset)[0]).at(-1)); // prettier-ignore
  const prior = (mean: number | null, sd: number): bayes.Prior | undefined =>
    mean === null ? undefined : { mean, sd };
  const weekly = ({ users_per_week: each, weeks }: Any): number[] => Array.from({ length: weeks }, (_, at) => each * (at + 1)); // prettier-ignore
  return {
    "dist.normal_quantile": ({ p }) => ({ x: dist.normalQuantile(p) }),
    "dist.normal_sf": ({ z }) => ({ p: dist.normalSf(z) }),
    "dist.t_quantile": ({ p, df }) => ({ x: dist.tQuantile(p, infinite(df)) }),
    "dist.t_sf": ({ t, df }) => ({ p: dist.tSf(t, infinite(df)) }),
    "dist.chi2_sf": ({ x, df }) => ({ p: dist.chi2Sf(x, df) }),
    "dist.f_sf": ({ x, df1, df2 }) => ({ p: dist.fSf(x, df1, df2) }),
    "dist.beta_cdf": ({ x, a, b }) => ({ p: dist.betaCdf(x, a, b) }),
    "dist.beta_quantile": ({ p, a, b }) => ({ x: dist.betaQuantile(p, a, b) }),
    two_proportion_z_test: (given) => {
      const found = shares.twoProportions({ x: given.x_a, n: given.n_a }, { x: given.x_b, n: given.n_b }, given.alternative, 1 - given.conf_level, given.continuity_correction);
      return { difference: found.difference, z: found.z, p_value: found.pValue, ...interval(found) };
    },
    newcombe_interval: (given) => interval(shares.newcombe({ x: given.x_a, n: given.n_a }, { x: given.x_b, n: given.n_b }, 1 - given.conf_level)),
    risk_ratio_log_interval: (given) => {
      const found = shares.riskRatio({ x: given.x_a, n: given.n_a }, { x: given.x_b, n: given.n_b }, 1 - given.conf_level);
      return { relative_lift: found.lift, ...interval(found) };
    },
    two_sample_t_test: (given) => {
      const [a, b] = given.dataset === undefined ? [momentsIn(given, "a"), momentsIn(given, "b")] : [momentsFrom(column(given.dataset, given.column, given.arm_a)), momentsFrom(column(given.dataset, given.column, given.arm_b))];
      const pooled = ((a.n - 1) * a.variance + (b.n - 1) * b.variance) / (a.n + b.n - 2);
      const found = given.equal_variance
        ? { estimate: b.mean - a.mean, standardError: Math.sqrt(pooled * (1 / a.n + 1 / b.n)), df: a.n + b.n - 2 }
        : effects.effectOf(a, b, "absolute");
      return testedAs(effects.tTest(found, given.alternative, 1 - given.conf_level, given.null_difference));
    },
    equivalence_tost: (given) => {
      const found = effects.tost({ estimate: given.estimate, standardError: given.standard_error, df: given.df }, given.lower, given.upper);
      return { p_lower: found.lower, p_upper: found.upper, p_value: found.pValue };
    },
    effect_t_test: (given) => testedAs(effects.tTest(effects.effectOf(effects.momentsOf(armOf(given.a)), effects.momentsOf(armOf(given.b)), given.difference), given.alternative, given.alpha)),
    relative_difference_variance: (given) => ({ variance: effects.relativeVariance(momentsIn(given, "a"), momentsIn(given, "b")) }),
    ratio_variance: (given) => {
      const found = effects.ratioMoments(given.n, sumsOf(given.numerator), sumsOf(given.denominator), given.sum_of_products);
      return { ratio: found.mean, variance: found.variance };
    },
    fieller_interval: (given) => {
      const found = effects.fieller(momentsIn(given, "a"), momentsIn(given, "b"), given.alpha);
      return { relative_lift: found.lift, g: found.g, ...interval(found) };
    },
    log_ratio_interval: (given) => {
      const found = effects.logRatio(momentsIn(given, "a"), momentsIn(given, "b"), given.alpha);
      return { relative_lift: found.lift, se_log: found.se, ...interval(found) };
    },
    non_inferiority_test: (given) => {
      const found = effects.nonInferiority(given.estimate, given.standard_error, given.margin, given.alpha_one_sided, given.higher_is_better);
      return { z: found.z, p_value: found.pValue, lower_bound: found.bound, non_inferior: found.isNonInferior };
    },
    poisson_rate_test: (given) => {
      const found = shares.poissonRates(given.events_a, given.exposure_a, given.events_b, given.exposure_b);
      return { rate_ratio: found.ratio, p_exact: found.exact, ratio_ci_exact: [...found.interval], z_conditional: found.z };
    },
    clustered_mean: ({ dataset, value, cluster, arm }) => {
      const own = rows(dataset).filter((row) => row.arm === arm);
      const byCluster = new Map<string, { sum: number; count: number }>();
      for (const row of own) byCluster.set(row[cluster], { sum: (byCluster.get(row[cluster])?.sum ?? 0) + row[value], count: (byCluster.get(row[cluster])?.count ?? 0) + 1 });
      const found = quantiles.clusteredMean([...byCluster.values()]);
      return { mean: found.mean, variance_of_mean: found.varianceOfMean, clusters: found.clusters, events: found.events };
    },
    cuped: (given) => {
      const found = cuped.cuped(unitsOf(given, given.arm_a), unitsOf(given, given.arm_b), given.difference, given.alpha);
      const theta = found.theta.length === 1 ? found.theta[0] : found.theta;
      return { theta, adjusted_mean_a: found.a.mean, adjusted_mean_b: found.b.mean, variance_a: found.a.variance, variance_b: found.b.variance, variance_reduction: found.reduction, ...testedAs(found) };
    },
    cuped_theta: (given) => {
      const units = (["a", "b"] as const).flatMap((arm) => given[`post_${arm}`].map((y: number, at: number) => ({ y, x: [given[`pre_${arm}`][at]] })));
      return { theta: cuped.cupedTheta(units)[0] };
    },
    cuped_ratio: (given) => {
      const found = cuped.cupedRatio(ratioArm(given.a), ratioArm(given.b), given.difference ?? "relative", given.alpha ?? 0.05, given.theta);
      return { theta: found.theta, ...testedAs(found) };
    },
    cuped_adjusted_sample_size: (given) => {
      const found = power.cupedSize(given.n_unadjusted, given.correlation);
      return { n: found.n, ci_width_ratio: found.width };
    },
    ancova_effect: (given) => {
      const found = cuped.ancova(unitsOf(given, given.arm_a), unitsOf(given, given.arm_b));
      return { estimate: found.estimate, standard_error: found.standardError, t: found.t, p_value: found.pValue };
    },
    lin_regression_effect: (given) => {
      const found = cuped.linRegression(unitsOf(given, given.arm_a), unitsOf(given, given.arm_b));
      return { estimate: found.estimate, standard_error_hc0: found.standardError };
    },
    post_stratified_difference: (given) => {
      const names = [...new Set(rows(given.dataset).map((row) => row[given.stratum]))];
      const of = (arm: string, name: string) => momentsFrom(rows(given.dataset).filter((row) => row.arm === arm && row[given.stratum] === name).map((row) => row[given.metric]));
      const found = cuped.postStratified(names.map((name) => ({ a: of(given.arm_a, name), b: of(given.arm_b, name) })));
      return { estimate: found.estimate, difference: found.estimate, standard_error: found.standardError };
    },
    mantel_haenszel_test: (given) => {
      const found = shares.mantelHaenszel(given.strata.map((one: Any) => ({ a: { x: one.x_a, n: one.n_a }, b: { x: one.x_b, n: one.n_b } })));
      return { chi_squared: found.chiSquared, p_value: found.pValue, odds_ratio: found.oddsRatio };
    },
    asymptotic_confidence_sequence: (given) => {
      const found = always.confidenceSequence(given.estimate, given.standard_error, given.n, given.alpha, given.tuning_n, given.sides);
      return { rho: found.rho, ...sequenceAs(found), lower_bound: found.lower, upper_bound: found.upper };
    },
    msprt: (given) => {
      const found = always.msprt(given.estimate, given.standard_error, given.tau, given.alpha);
      return { likelihood_ratio: found.likelihoodRatio, ...sequenceAs(found) };
    },
    statsig_sequential_interval: (given) => sequenceAs(always.statsigSequence(given.estimate, given.standard_error, given.var_a, given.n_a, given.var_b, given.n_b, given.alpha)),
    quantile_variance: ({ dataset, value, cluster, arm, quantile, alpha, quantile_type: type }) => {
      const own = rows(dataset).filter((row) => row.arm === arm);
      const found = quantiles.quantileOf(own.map((row) => row[value]), own.map((row) => row[cluster]), quantile, alpha, type);
      return { n: found.n, clusters: found.clusters, estimate: found.estimate, lower: found.lower, upper: found.upper, iid_variance: found.independent, cluster_variance: found.clustered, standard_error: found.standardError };
    },
    quantile_effect: (given) => {
      const of = ({ n, n_star: star, estimate, lower, upper }: Any): effects.Moments => ({ n, mean: estimate, variance: (quantiles.orderVariance(star, lower, upper, given.alpha) * n) / star });
      const [a, b] = [of(given.a), of(given.b)];
      const found = quantiles.quantileEffect(a, b, given.difference, given.alpha);
      return { variance_a: a.variance, variance_b: b.variance, estimate: found.estimate, standard_error: found.standardError, ...interval(found) };
    },
    winsorize: (given) => {
      const found = quantiles.winsorized(onlyValues(given), given.lower_quantile ?? undefined, given.upper_quantile ?? undefined, given.ignore_zeros_for_quantile, given.quantile_type);
      return { lower: found.lower ?? null, upper: found.upper ?? null, mean: found.mean, variance: found.variance };
    },
    sample_quantile: (given) => ({ x: quantiles.sampleQuantile(onlyValues(given).toSorted((x, y) => x - y), given.quantile, given.quantile_type) }),
    group_sequential_boundary: (given) => {
      const found = sequential.shapedBounds(shapeOf(given), informationOf(given), given.alpha, given.sides);
      return { constant: found.constant, z: found.z, total_alpha: sequential.crossings(informationOf(given), found.z, given.sides, 0).any.reduce((x, y) => x + y, 0) };
    },
    alpha_spending_boundary: (given) => {
      const found = sequential.spendingBounds(given.spending, given.information, given.alpha, given.sides, given.parameter ?? undefined);
      return { z: found.z, cumulative_alpha: found.cumulative, nominal_p: found.nominal };
    },
    haybittle_peto_boundary: (given) => ({ z: sequential.haybittlePeto(given.interim_z, informationOf(given), given.alpha, given.sides) }),
    group_sequential_design: (given) => {
      const information = informationOf(given);
      const { z } = sequential.shapedBounds(shapeOf(given), information, given.alpha, given.sides);
      const found = sequential.designOf(information, z, given.alpha, given.sides, given.power);
      return { drift: found.drift, inflation_factor: found.inflation, expected_n_ratio_h0: found.expectedNull, expected_n_ratio_h1: found.expectedAlternative };
    },
    sequential_adjusted_sample_size: (given) => {
      const information = sequential.equalLooks(given.looks);
      const { z } = sequential.shapedBounds(given.design === "obf" ? 0 : 0.5, information, given.alpha, 2);
      const most = given.fixed_total_n * sequential.designOf(information, z, given.alpha, 2, given.power).inflation;
      return { max_total_n: most, per_look: information.map((share) => share * most) };
    },
    bayes_normal_effect: (given) => {
      const found = bayes.normalEffect(given.estimate, given.standard_error, prior(given.prior_mean, given.prior_sd), given.alpha);
      return { mean: found.mean, sd: found.sd, chance_to_win: found.chanceToWin, ...interval(found), expected_loss_control: found.lossOfControl, expected_loss_treatment: found.lossOfTreatment };
    },
    bayes_beta_binomial: (given) => {
      const found = bayes.betaBinomial({ a: given.prior_alpha, b: given.prior_beta }, given.x_a, given.n_a, given.x_b, given.n_b, given.alpha);
      return { mean_a: found.meanA, mean_b: found.meanB, chance_to_win: found.chanceToWin, expected_loss_control: found.lossOfControl, expected_loss_treatment: found.lossOfTreatment, ci_a: [...found.intervalA], ci_b: [...found.intervalB] };
    },
    probability_best_normal: (given) => ({ probability: bayes.probabilityBest(given.means.map((mean: number, at: number) => ({ mean, sd: given.sds[at] }))) }),
    adjust_p_values: ({ p_values: p, method }) => ({ adjusted: multiple.adjustPValues(p, method) }),
    dunnett_critical_value: (given) => ({ critical_value: multiple.dunnettCritical(given.comparisons, given.correlation, infinite(given.df), given.alpha, given.sides) }),
    preferential_bonferroni: (given) => {
      const found = multiple.preferentialBonferroni(given.alpha, given.primary_share, given.treatment_variants, given.metrics);
      return { alpha_primary: found.primary, alpha_other: found.other };
    },
    srm_chi_squared: ({ observed, weights }) => {
      const found = srm.chiSquared(observed, weights);
      return { chi_squared: found.statistic, df: found.df, p_value: found.pValue };
    },
    srm_sequential_multinomial: (given) => {
      const found = srm.sequentialMultinomial(given.observed, given.weights, given.dirichlet_concentration);
      return { log_bayes_factor: found.logBayesFactor, p_value: found.pValue };
    },
    meta_analysis: (given) => {
      const found = meta.metaAnalysis(given.estimates.map((estimate: number, at: number) => ({ estimate, variance: given.variances?.[at] ?? given.standard_errors[at] ** 2 })));
      return { fixed_estimate: found.fixed.estimate, fixed_standard_error: found.fixed.standardError, random_estimate: found.random.estimate, random_standard_error: found.random.standardError, tau_squared: found.tau2, q: found.q, i_squared: found.i2 };
    },
    empirical_bayes_shrinkage: (given) => {
      const found = given.estimates.map((estimate: number, at: number) => meta.shrunk({ estimate, variance: given.standard_errors[at] ** 2 }, given.prior_mean, given.prior_variance));
      return { means: found.map((one: Any) => one.mean), sds: found.map((one: Any) => Math.sqrt(one.variance)) };
    },
    sample_size_two_proportions: (given) => {
      const variance = /arcsine/.test(given.variance) ? "arcsine" : /pooled under/.test(given.variance) ? "pooled" : "unpooled";
      return { ...sizesAs(power.proportionsSize(given.baseline, given.treatment, levelOf(given), given.power, given.ratio_b_to_a, variance)), effect_size_h: Math.abs(power.cohenH(given.baseline, given.treatment)) };
    },
    power_two_proportions: (given) => ({ power: power.proportionsPower({ a: given.n_a, b: given.n_b }, given.baseline, given.treatment, levelOf(given)) }),
    mde_two_proportions: (given) => {
      const to = power.proportionsMde({ a: given.n_a, b: given.n_b }, given.baseline, levelOf(given), given.power);
      return { treatment: to, mde_absolute: to - given.baseline, mde_relative: to / given.baseline - 1 };
    },
    // R plans equal arms; sizes of others are those of statsmodels, which counts findings in the wrong direction too
    sample_size_two_means_t: (given) => sizesAs(power.tSize(given.delta, given.sd, levelOf(given), given.power, given.ratio_b_to_a, given.ratio_b_to_a !== 1)),
    power_two_means_t: (given) => ({ power: power.tPower({ a: given.n_a, b: given.n_b }, given.delta, given.sd, levelOf(given), given.count_wrong_direction) }),
    mde_two_means_t: (given) => ({ mde_absolute: power.tMde({ a: given.n_a, b: given.n_b }, given.sd, levelOf(given), given.power) }),
    sample_size_two_means_z: (given) => sizesAs(power.meansSize(given.var_a, given.var_b, given.delta, levelOf(given), given.power, given.ratio_b_to_a)),
    mde_two_means_z: (given) => {
      const share = given.treatment_share;
      const sizes = { a: given.total_n * (1 - share), b: given.total_n * share };
      return { mde_absolute: power.meansMde(sizes, given.variance, given.variance, levelOf(given), given.power), loss_against_equal_split: power.splitLoss(share) };
    },
    sample_size_multi_arm: (given) => {
      const found = power.multiArmSize(given.baseline, given.treatment, levelOf(given), given.power, given.allocation, given.correction);
      return { n_control: found.control, n_each_treatment: found.treatment, total: found.total, alpha_each: found.alpha };
    },
    optimal_control_allocation: (given) => ({ control_share: power.controlShare(given.treatments) }),
    sample_size_dunnett: (given) => {
      const found = power.dunnettSize(given.variance, given.delta, given.treatments, levelOf(given), given.power);
      return { critical_value: found.critical, n_per_group: found.each };
    },
    sample_size_non_inferiority: (given) => ({ n_per_group: power.nonInferioritySize(given.baseline, given.margin_absolute, given.expected_difference, given.alpha_one_sided, given.power, given.higher_is_better) }),
    cluster_design_effect: (given) => {
      const effect = power.designEffect(given.cluster_size, given.intraclass_correlation);
      const n = given.n_individual_per_group * effect;
      return { design_effect: effect, n_per_group: n, clusters_per_group: Math.ceil(n / given.cluster_size) };
    },
    sample_size_rule_of_16: (given) => {
      const n = power.ruleOf16(given.kind, given.baseline, given.mde_relative);
      return { n_per_variant: n, total: n * given.variants };
    },
    growthbook_power: (given) => ({ power: power.liftPower(given.mean, given.variance, given.effect_relative, given.total_n, given.variations, levelOf(given), given.sequential_tuning ?? undefined) }),
    growthbook_mde: (given) => ({ mde_relative: power.liftMde(given.mean, given.variance, given.total_n, given.variations, { alpha: given.alpha, sides: 2 }, given.power, given.sequential_tuning ?? undefined) ?? null }),
    growthbook_power_weekly: (given) => ({
      power: weekly(given).map((n) => power.liftPower(given.mean, given.variance, given.effect_relative, n, given.variations, { alpha: given.alpha, sides: 2 }, given.sequential_tuning ?? undefined)),
      mde_relative: weekly(given).map((n) => power.liftMde(given.mean, given.variance, n, given.variations, { alpha: given.alpha, sides: 2 }, given.power, given.sequential_tuning ?? undefined) ?? null),
    }),
    bayesian_power_normal: (given) => ({ power: power.bayesianPower(given.effect, given.standard_error, { mean: given.prior_mean, sd: Math.sqrt(given.prior_variance) }, given.alpha) }),
    bayesian_power_weekly: (given) => ({ power: weekly(given).map((n) => power.bayesianLiftPower(given.mean, given.variance, given.effect_relative, n, given.variations, { mean: given.prior_mean, sd: Math.sqrt(given.prior_variance) }, given.alpha)) }),
    mid_experiment_power: (given) => ({ power: power.laterPower(given.target_mde, given.variance_of_estimate, given.n, given.additional_fraction, given.alpha, given.sequential_tuning ?? undefined, given.prior === null ? undefined : { mean: given.prior[0], sd: Math.sqrt(given.prior[1]) }) }),
    experiment_duration: (given) => {
      const found = power.duration(given.n_per_group, given.groups, given.eligible_users_per_day, given.traffic_share);
      return { total_n: found.total, days: found.days, days_rounded: given.round_to_full_weeks ? found.weeks : found.days };
    },
    growthbook_hash: (given) => ({ n: hashes.growthbookHash(given.seed, given.value, given.version) }),
    growthbook_bucket_ranges: (given) => ({ ranges: hashes.growthbookRanges(given.variations, given.coverage, given.weights) }),
    growthbook_choose_variation: (given) => ({ variation: hashes.chooseRange(given.n, given.ranges) }),
    growthbook_namespace: (given) => ({ included: hashes.growthbookNamespace(given.value, given.namespace) }),
    murmur3_x86_32: (given) => ({ hash: hashes.murmur3(given.value, given.seed) }),
    unleash_normalized_value: (given) => ({ strategy_value: hashes.unleashValue(given.identifier, given.group, 100), variant_value_1000: hashes.unleashValue(given.identifier, given.group, 1_000, hashes.unleashVariantSeed) }),
    optimizely_bucket: (given) => ({ bucket: hashes.optimizelyBucket(given.bucketing_id, given.parent_id) }),
    gofeatureflag_bucket: (given) => ({ bucket: hashes.goFeatureFlagBucket(given.flag, given.key, given.max) }),
    statsig_pass_percent_bucket: (given) => ({
      bucket: Number(hashes.statsigHash(`${given.config_salt}.${given.rule_salt}.${given.unit_id}`) % 10_000n),
      user_bucket_1000: Number(hashes.statsigHash(`${given.rule_salt}.${given.unit_id}`) % 1_000n),
    }),
    launchdarkly_bucket: (given) => ({ bucket: hashes.launchdarklyBucket(given.flag_key, given.salt, given.value) }),
    posthog_hash: (given) => ({ n: hashes.posthogHash(given.flag_key, given.distinct_id, given.salt) }),
    flagsmith_percentage: (given) => ({ percentage: hashes.flagsmithPercentage(given.object_ids) }),
    flagd_fractional: (given) => hashes.flagdFractional(given.bucketing_value, given.weights),
    amplitude_bucket: (given) => hashes.amplitudeBucket(given.salt, given.value),
    eppo_shard: (given) => {
      const shard = (salt: string): number => hashes.eppoShard(salt, given.subject, given.total_shards);
      const traffic = given.traffic_salt === undefined ? undefined : shard(given.traffic_salt);
      const split = shard(given.split_salt);
      const isIn = traffic === undefined || (traffic >= given.traffic_range[0] && traffic < given.traffic_range[1]);
      const assigned = Object.entries(given.split_ranges as Record<string, number[]>).find(([, [from = 0, to = 0]]) => split >= from && split < to);
      return { traffic_shard: traffic, split_shard: split, assignment: (isIn ? assigned?.[0] : undefined) ?? "default" };
    },
  }; // prettier-ignore
};

/** Where something got differs from what is expected by more than the tolerance; undefined where it does not. */
const difference = (
  expected: Any,
  got: Any,
  tolerance: { abs: number; rel: number },
  at: string,
): string | undefined => {
  const wrong = `${at}: expected ${JSON.stringify(expected)}, got ${typeof got === "number" ? got : JSON.stringify(got)}`;
  if (expected === "Infinity" || expected === "-Infinity") return got === infinite(expected) ? undefined : wrong;
  if (typeof expected === "number") return typeof got === "number" && Math.abs(got - expected) <= tolerance.abs + tolerance.rel * Math.abs(expected) ? undefined : wrong; // prettier-ignore
  if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length) return wrong;
    return expected.map((one, place) => difference(one, got[place], tolerance, `${at}[${place}]`)).find((one) => one !== undefined); // prettier-ignore
  }
  if (typeof expected === "object" && expected !== null)
    return Object.entries(expected).map(([key, one]) => difference(one, got?.[key], tolerance, `${at}.${key}`)).find((one) => one !== undefined); // prettier-ignore
  return expected === got ? undefined : wrong;
};

export const runExperiments = ({ cases, datasets }: ExperimentCases): Outcome => {
  const rows = (name: string): readonly Any[] => {
    const { columns, rows: all } = datasets[name] ?? { columns: [], rows: [] };
    return all.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]])));
  };
  const known = methods(rows);
  let passed = 0;
  const failures: { id: string; kind: string; why: string }[] = [];
  const unsupported = new Map<string, number>();
  for (const { id, method, input, expected, tolerance } of cases) {
    try {
      const answer = known[method];
      if (answer === undefined) throw new Unsupported(method);
      const why = difference(expected, answer(input), tolerance, "");
      if (why === undefined) passed += 1;
      else failures.push({ id, kind: method, why });
    } catch (error) {
      if (error instanceof Unsupported) unsupported.set(error.message, (unsupported.get(error.message) ?? 0) + 1);
      else failures.push({ id, kind: method, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { passed, failures, unsupported };
};
