import { normalCdf, normalCritical, normalPdf, normalQuantile, normalSf } from "./distributions.ts";
import { legendre, rootAbove, rootBetween } from "./numeric.ts";

/**
 * Group-sequential designs by recursive integration of the density of the statistic over where one goes on (Armitage,
 * McPherson and Rowe 1969; Jennison and Turnbull 2000, ch. 19). Information is the share of that of the last look.
 */

const nodes = 240;
/** Beyond so many standard deviations there is nothing to integrate. */
const far = 9.5;

interface Region {
  readonly low: number;
  readonly high: number;
}
interface Density {
  readonly z: Float64Array;
  /** Density at z times the weight of the node. */
  readonly mass: Float64Array;
}

/** P(statistic is above c at the next look), of those who went on, and the density over the region there. */
class Walk {
  #density: Density | undefined;
  #information = 0;
  readonly #drift: number;
  constructor(drift: number) {
    this.#drift = drift;
  }

  /** Chance to be above (or, with side −1, below) c at a look with this information. */
  crossing(information: number, c: number, side: 1 | -1): number {
    const mean = this.#drift * Math.sqrt(information);
    if (this.#density === undefined) return side === 1 ? normalSf(c - mean) : normalCdf(c - mean);
    const step = information - this.#information;
    const spread = Math.sqrt(step);
    let sum = 0;
    for (const [at, z] of this.#density.z.entries()) {
      const score = c * Math.sqrt(information) - z * Math.sqrt(this.#information) - this.#drift * step;
      sum += (this.#density.mass[at] ?? 0) * (side === 1 ? normalSf(score / spread) : normalCdf(score / spread));
    }
    return sum;
  }

  /** Goes on with those inside the region. */
  proceed(information: number, { low, high }: Region): void {
    const { x, w } = legendre(nodes);
    const mean = this.#drift * Math.sqrt(information);
    const [from, to] = [Math.max(low, mean - far), Math.min(high, mean + far)];
    const [middle, half] = [(from + to) / 2, (to - from) / 2];
    const before = this.#density;
    const step = information - this.#information;
    const spread = Math.sqrt(step);
    const z = Float64Array.from(x, (one) => middle + half * one);
    const mass = new Float64Array(z.length);
    // the inner loop is all the work there is: what does not change in it stands outside
    const [own, other, shift] = [Math.sqrt(information) / spread, Math.sqrt(this.#information) / spread, (this.#drift * step) / spread]; // prettier-ignore
    const scale = before === undefined ? 1 : own / Math.sqrt(2 * Math.PI);
    for (let at = 0; at < z.length; at += 1) {
      const one = z[at] ?? 0;
      let sum = 0;
      if (before === undefined) sum = normalPdf(one - mean);
      else {
        for (let earlier = 0; earlier < before.z.length; earlier += 1) {
          const gap = one * own - (before.z[earlier] ?? 0) * other - shift;
          sum += (before.mass[earlier] ?? 0) * Math.exp((-gap * gap) / 2);
        }
      }
      mass[at] = (w[at] ?? 0) * half * sum * scale;
    }
    this.#density = { z, mass };
    this.#information = information;
  }
}

const regionOf = (c: number, sides: 1 | 2): Region => ({ low: sides === 2 ? -c : Number.NEGATIVE_INFINITY, high: c });

export interface Crossings {
  /** At each look: chance to cross the upper bound there first, and either. */
  readonly upper: readonly number[];
  readonly any: readonly number[];
}

/** Chances to stop at each look of a design, where the statistic has mean `drift`·√information. */
export const crossings = (information: readonly number[], bounds: readonly number[], sides: 1 | 2, drift: number): Crossings => {
  const walk = new Walk(drift);
  const [upper, any]: [number[], number[]] = [[], []];
  for (const [at, share] of information.entries()) {
    const c = bounds[at] ?? 0;
    const above = walk.crossing(share, c, 1);
    upper.push(above);
    any.push(above + (sides === 2 ? walk.crossing(share, -c, -1) : 0));
    if (at < information.length - 1) walk.proceed(share, regionOf(c, sides));
  }
  return { upper, any };
}; // prettier-ignore

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
export const equalLooks = (looks: number): readonly number[] => Array.from({ length: looks }, (_, at) => (at + 1) / looks); // prettier-ignore

/** How bounds fall with the information: all the same (Pocock), as 1/√t (O'Brien-Fleming); between them Wang and Tsiatis 1987. */
export const shapes = { pocock: 0.5, obrien_fleming: 0 } as const;

/** Bounds of a shape (its delta) whose chance to be crossed at all is alpha; `constant` is that of the last look. */
export const shapedBounds = (delta: number, information: readonly number[], alpha: number, sides: 1 | 2) => {
  const bounds = (constant: number): number[] => information.map((share) => constant * share ** (delta - 0.5));
  const constant = rootAbove((c) => sum(crossings(information, bounds(c), sides, 0).any) - alpha, 0.5, 3);
  return { constant, z: bounds(constant) };
};

export const spendings = ["obrien_fleming", "pocock", "power", "hwang_shih_decani"] as const;
export type Spending = (typeof spendings)[number];

/** How much of alpha is spent at a share of the information (Lan and DeMets 1983; Kim and DeMets 1987; Hwang, Shih and DeCani 1990). */
export const spent = (spending: Spending, alpha: number, share: number, parameter = 1): number => {
  const t = Math.min(1, share);
  return {
    obrien_fleming: () => 2 * normalSf(normalCritical(alpha, 2) / Math.sqrt(t)),
    pocock: () => alpha * Math.log1p((Math.E - 1) * t),
    power: () => alpha * t ** parameter,
    hwang_shih_decani: () => (parameter === 0 ? alpha * t : (alpha * -Math.expm1(-parameter * t)) / -Math.expm1(-parameter)),
  }[spending](); // prettier-ignore
};

/** Bounds by alpha spending, at whatever information there was. Two-sided: half of alpha on each side, each spent by itself. */
export const spendingBounds = (spending: Spending, information: readonly number[], alpha: number, sides: 1 | 2, parameter?: number) => {
  const each = alpha / sides;
  const walk = new Walk(0);
  const [z, cumulative]: [number[], number[]] = [[], []];
  let before = 0;
  for (const [at, share] of information.entries()) {
    const used = spent(spending, each, share, parameter);
    const now = used - before;
    // so little that no bound gives it: nothing is stopped here
    const c = now < 1e-200 ? 30 : rootBetween((one) => walk.crossing(share, one, 1) - now, -far, 38);
    z.push(c);
    cumulative.push(used * sides);
    before = used;
    if (at < information.length - 1) walk.proceed(share, regionOf(c, sides));
  }
  return { z, cumulative, nominal: z.map((c) => sides * normalSf(c)) };
}; // prettier-ignore

/** Early looks at a fixed bound, and the last one so that alpha holds (Haybittle 1971, Peto et al. 1976). */
export const haybittlePeto = (early: number, information: readonly number[], alpha: number, sides: 1 | 2): readonly number[] => {
  const bounds = (last: number): number[] => information.map((_, at) => (at === information.length - 1 ? last : early));
  const last = rootAbove((c) => sum(crossings(information, bounds(c), sides, 0).any) - alpha, 0.5, 3);
  return bounds(last);
}; // prettier-ignore

/** What a design costs and saves against a fixed one of the same alpha and power; counts crossings in the true direction. */
export const designOf = (information: readonly number[], bounds: readonly number[], alpha: number, sides: 1 | 2, power: number) => {
  const reached = (drift: number): number => sum(crossings(information, bounds, sides, drift).upper);
  const drift = rootAbove((one) => reached(one) - power, 0, 4);
  const fixed = normalCritical(alpha, sides) + normalQuantile(power);
  const inflation = (drift / fixed) ** 2;
  const expected = (at: number): number => {
    const { any } = crossings(information, bounds, sides, at);
    const early = any.slice(0, -1);
    return inflation * (sum(early.map((chance, look) => chance * (information[look] ?? 0))) + (1 - sum(early)));
  };
  return { drift, inflation, expectedNull: expected(0), expectedAlternative: expected(drift) };
}; // prettier-ignore
