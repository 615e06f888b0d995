/** Roots and integrals of functions of one number. */

/**
 * A root between two points at which the function has different signs (Brent 1973, ch. 4). Throws where the signs are
 * the same. Precise to about 1e-14 of the root.
 */
export const rootBetween = (f: (x: number) => number, low: number, high: number): number => {
  let [a, b] = [low, high];
  let [fa, fb] = [f(a), f(b)];
  if (fa === 0) return a;
  if (fb === 0) return b;
  if (Math.sign(fa) === Math.sign(fb) || Number.isNaN(fa) || Number.isNaN(fb)) throw new RangeError(`no root between ${low} and ${high}`); // prettier-ignore
  let [c, fc, d, e] = [a, fa, b - a, b - a];
  for (let step = 0; step < 200; step += 1) {
    if (Math.sign(fb) === Math.sign(fc)) [c, fc, d, e] = [a, fa, b - a, b - a];
    if (Math.abs(fc) < Math.abs(fb)) [a, b, c, fa, fb, fc] = [b, c, b, fb, fc, fb];
    const tolerance = 2 * Number.EPSILON * Math.abs(b) + 1e-300;
    const half = (c - b) / 2;
    if (Math.abs(half) <= tolerance || fb === 0) return b;
    if (Math.abs(e) >= tolerance && Math.abs(fa) > Math.abs(fb)) {
      const s = fb / fa;
      let [p, q] = a === c ? [2 * half * s, 1 - s] : [0, 0];
      if (a !== c) {
        const [u, r] = [fa / fc, fb / fc];
        p = s * (2 * half * u * (u - r) - (b - a) * (r - 1));
        q = (u - 1) * (r - 1) * (s - 1);
      }
      if (p > 0) q = -q;
      p = Math.abs(p);
      if (2 * p < Math.min(3 * half * q - Math.abs(tolerance * q), Math.abs(e * q))) [e, d] = [d, p / q];
      else [d, e] = [half, half];
    } else [d, e] = [half, half];
    [a, fa] = [b, fb];
    b += Math.abs(d) > tolerance ? d : Math.sign(half) * tolerance;
    fb = f(b);
  }
  return b;
};

/** Doubles a bound until the function has another sign there than at `low`, then finds the root. */
export const rootAbove = (f: (x: number) => number, low: number, first: number): number => {
  const sign = Math.sign(f(low));
  let high = first;
  for (let step = 0; step < 200 && Math.sign(f(high)) === sign; step += 1) high = low + (high - low) * 2;
  return rootBetween(f, low, high);
};

export interface Nodes {
  readonly x: Float64Array;
  readonly w: Float64Array;
}

const known = new Map<number, Nodes>();

/** Nodes and weights of Gauss-Legendre quadrature on [−1, 1], by Newton's method on the Legendre polynomials. */
export const legendre = (n: number): Nodes => {
  const held = known.get(n);
  if (held !== undefined) return held;
  const [x, w] = [new Float64Array(n), new Float64Array(n)];
  for (let i = 0; i < n; i += 1) {
    let z = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step += 1) {
      let [p, q] = [1, 0];
      for (let j = 0; j < n; j += 1) [p, q] = [((2 * j + 1) * z * p - j * q) / (j + 1), p];
      slope = (n * (z * p - q)) / (z * z - 1);
      const change = p / slope;
      z -= change;
      if (Math.abs(change) < 1e-16) break;
    }
    x[i] = -z;
    w[i] = 2 / ((1 - z * z) * slope * slope);
  }
  const made = { x, w };
  known.set(n, made);
  return made;
};

/** The integral of a smooth function over an interval. */
export const integrate = (f: (x: number) => number, from: number, to: number, nodes = 200): number => {
  const { x, w } = legendre(nodes);
  const [middle, half] = [(from + to) / 2, (to - from) / 2];
  let sum = 0;
  for (let i = 0; i < nodes; i += 1) sum += (w[i] ?? 0) * f(middle + half * (x[i] ?? 0));
  return sum * half;
};
