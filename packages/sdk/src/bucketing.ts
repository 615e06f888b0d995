import type { Hashing } from "./rules.ts";
import * as hashes from "./hashes.ts";

/** Where a unit falls: `place` chooses the part, `entry` whether it takes part at all; both from 0 to 1. */
export interface Placed {
  readonly place: number;
  /** Undefined where each part is cut from its start instead, as GrowthBook does. */
  readonly entry: number | undefined;
}

const only = (place: number): Placed => ({ place, entry: undefined });

/** Each as its maker does, so that nobody changes sides when a team moves here. `seed` is what they call salt, group or key. */
const placements: Readonly<Record<Hashing, (seed: string, unit: string, salt: string) => Placed>> = {
  "growthbook-2": (seed, unit) => only(hashes.growthbookHash(seed, unit, 2) ?? 0),
  "growthbook-1": (seed, unit) => only(hashes.growthbookHash(seed, unit, 1) ?? 0),
  unleash: (seed, unit) => ({
    entry: (hashes.unleashValue(unit, seed, 100) - 1) / 100,
    place: (hashes.unleashValue(unit, seed, 1_000, hashes.unleashVariantSeed) - 1) / 1_000,
  }),
  flagd: (seed, unit) => only(hashes.murmur3(seed + unit, 0) / 2 ** 32),
  optimizely: (seed, unit) => only(hashes.optimizelyBucket(unit, seed) / 10_000),
  amplitude: (seed, unit) => {
    const { allocation, variant } = hashes.amplitudeBucket(seed, unit);
    return { entry: allocation / 100, place: variant / 42_949_673 };
  },
  statsig: (seed, unit) => only(Number(hashes.statsigHash(`${seed}.${unit}`) % 10_000n) / 10_000),
  eppo: (seed, unit, salt) => ({
    entry: hashes.eppoShard(salt, unit, 10_000) / 10_000,
    place: hashes.eppoShard(seed, unit, 10_000) / 10_000,
  }),
  posthog: (seed, unit) => ({ entry: hashes.posthogHash(seed, unit, ""), place: hashes.posthogHash(seed, unit, "variant") }), // prettier-ignore
  launchdarkly: (seed, unit, salt) => only(hashes.launchdarklyBucket(seed, salt, unit)),
  flagsmith: (seed, unit) => only(hashes.flagsmithPercentage([seed, unit]) / 100),
  "go-feature-flag": (seed, unit) => only(hashes.goFeatureFlagBucket(seed, unit, 100_000) / 100_000),
};

export interface Bucketing {
  readonly hashing: Hashing;
  readonly seed: string;
  readonly salt: string;
  readonly coverage: number;
  readonly weights: readonly number[];
}

/** Which part a unit is in, or −1 for none. */
export const bucketer = ({ hashing, seed, salt, coverage, weights }: Bucketing): ((unit: string) => number) => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const ends: number[] = [];
  let sum = 0;
  for (const weight of weights) ends.push((sum += weight / total));
  // rounding must not leave anybody beyond the last part that there is
  for (let at = ends.length - 1; at >= 0; at -= 1) {
    ends[at] = Number.POSITIVE_INFINITY;
    if ((weights[at] ?? 0) > 0) break;
  }
  const placed = placements[hashing];
  // PostHog lets in who is exactly at the edge
  const enters = (entry: number): boolean => (hashing === "posthog" ? entry <= coverage : entry < coverage);
  return (unit) => {
    if (coverage <= 0) return -1;
    const { place, entry } = placed(seed, unit, salt);
    if (entry !== undefined && coverage < 1 && !enters(entry)) return -1;
    const at = ends.findIndex((end) => place < end);
    if (entry !== undefined || coverage >= 1) return at;
    const from = at === 0 ? 0 : (ends[at - 1] ?? 0);
    return place < from + (coverage * (weights[at] ?? 0)) / total ? at : -1;
  };
};

/** Where a unit stands in a layer, from 0 up to 1. */
export const placeInLayer = (layer: string, unit: string): number => hashes.growthbookHash(`__${layer}`, unit, 2) ?? 0;
