import { randomFrom } from "#stats/random.ts";
import { joint, type Terms } from "./terms.ts";

/**
 * Groups of texts that speak of the same: weights of terms (tf-idf), the directions in which texts differ the most
 * (randomised SVD; Halko, Martinsson and Tropp 2011), and spherical k-means over them, with as many groups as tell texts
 * apart best. The same texts give the same groups. Pure.
 */

export interface Vocabulary {
  /** Place of each term. */
  readonly places: ReadonlyMap<string, number>;
  readonly terms: readonly string[];
  readonly idf: readonly number[];
}

/** Terms of one text by their places, with weights of length 1. */
export interface Vector {
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

export interface Doc {
  readonly terms: Terms["counts"];
  /** Who wrote it. A term counts that several people use. */
  readonly by: string;
}

const [mostTerms, leastPeople, mostShare] = [4_000, 3, 0.35];

export const vocabularyOf = (docs: readonly Doc[]): Vocabulary => {
  const people = new Map<string, Set<string>>();
  const counts = new Map<string, number>();
  for (const { terms, by } of docs)
    for (const term of terms.keys()) {
      counts.set(term, (counts.get(term) ?? 0) + 1);
      const own = people.get(term) ?? new Set<string>();
      if (own.size < leastPeople) people.set(term, own.add(by));
    }
  const kept = [...counts]
    .filter(([term, count]) => (people.get(term)?.size ?? 0) >= leastPeople && count <= docs.length * mostShare)
    .toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, mostTerms);
  return {
    terms: kept.map(([term]) => term),
    places: new Map(kept.map(([term], at) => [term, at])),
    idf: kept.map(([, count]) => Math.log(docs.length / count) + 1),
  };
};

export const vectorOf = ({ places, idf }: Pick<Vocabulary, "places" | "idf">, terms: Terms["counts"]): Vector => {
  const found: [place: number, weight: number][] = [];
  for (const [term, count] of terms) {
    const place = places.get(term);
    // a pair says little more than its words
    if (place !== undefined) found.push([place, (1 + Math.log(count)) * (idf[place] ?? 0) * (term.includes(joint) ? 0.6 : 1)]); // prettier-ignore
  }
  const length = Math.sqrt(found.reduce((sum, [, weight]) => sum + weight * weight, 0));
  return { places: found.map(([place]) => place), weights: found.map(([, weight]) => weight / length) };
};

type Dense = Float64Array;

/** Columns that are orthogonal and of length 1 (modified Gram-Schmidt), in place. */
const orthonormal = (columns: readonly Dense[]): void => {
  for (const [at, column] of columns.entries()) {
    for (const other of columns.slice(0, at)) {
      let dot = 0;
      for (let row = 0; row < column.length; row += 1) dot += (column[row] ?? 0) * (other[row] ?? 0);
      for (let row = 0; row < column.length; row += 1) column[row] = (column[row] ?? 0) - dot * (other[row] ?? 0);
    }
    let length = 0;
    for (const value of column) length += value * value;
    const scale = length > 1e-20 ? 1 / Math.sqrt(length) : 0;
    for (let row = 0; row < column.length; row += 1) column[row] = (column[row] ?? 0) * scale;
  }
};

/** Rows of `vectors · columns`. */
const times = (vectors: readonly Vector[], columns: readonly Dense[]): Dense[] =>
  columns.map((column) => {
    const out = new Float64Array(vectors.length);
    for (const [row, { places, weights }] of vectors.entries()) {
      let sum = 0;
      for (let at = 0; at < places.length; at += 1) sum += (weights[at] ?? 0) * (column[places[at] ?? 0] ?? 0);
      out[row] = sum;
    }
    return out;
  });

/** `vectorsᵀ · columns`. */
const transposed = (vectors: readonly Vector[], columns: readonly Dense[], terms: number): Dense[] =>
  columns.map((column) => {
    const out = new Float64Array(terms);
    for (const [row, { places, weights }] of vectors.entries()) {
      const value = column[row] ?? 0;
      if (value === 0) continue;
      for (let at = 0; at < places.length; at += 1) out[places[at] ?? 0] = (out[places[at] ?? 0] ?? 0) + value * (weights[at] ?? 0); // prettier-ignore
    }
    return out;
  });

const rounds = 3;

/** Texts in the directions in which they differ the most, each of length 1; null for one without a known term. */
export const reduced = (vectors: readonly Vector[], terms: number, dimensions: number): (Dense | null)[] => {
  const next = randomFrom(20_251);
  const width = Math.min(dimensions, terms, vectors.length);
  let basis: Dense[] = Array.from({ length: width }, () => Float64Array.from({ length: terms }, () => next() - 0.5));
  for (let round = 0; round < rounds; round += 1) {
    orthonormal(basis);
    basis = transposed(vectors, times(vectors, basis), terms);
  }
  orthonormal(basis);
  const columns = times(vectors, basis);
  return vectors.map(({ places }, row) => {
    const point = Float64Array.from(columns, (column) => column[row] ?? 0);
    const length = Math.sqrt(point.reduce((sum, value) => sum + value * value, 0));
    return places.length === 0 || length < 1e-9 ? null : point.map((value) => value / length);
  });
};

const dot = (a: Dense, b: Dense): number => {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
};

/** The nearest of the centres, and how near it and the next one are. */
const nearest = (centres: readonly Dense[], point: Dense): { at: number; near: number; second: number } => {
  let [at, near, second] = [-1, -2, -2];
  for (const [place, centre] of centres.entries()) {
    const own = dot(centre, point);
    if (own > near) [at, near, second] = [place, own, near];
    else if (own > second) second = own;
  }
  return { at, near, second };
};

/** First centres far from each other (k-means++). */
const begin = (points: readonly Dense[], k: number, next: () => number): Dense[] => {
  const centres = [points[Math.floor(next() * points.length)] ?? new Float64Array()];
  const far = points.map((point) => 1 - dot(point, centres[0] ?? point));
  while (centres.length < k) {
    const total = far.reduce((sum, one) => sum + Math.max(0, one), 0);
    let left = next() * total;
    const at = far.findIndex((one) => (left -= Math.max(0, one)) <= 0);
    const chosen = points[at === -1 ? points.length - 1 : at] ?? new Float64Array();
    centres.push(chosen);
    for (const [place, point] of points.entries()) far[place] = Math.min(far[place] ?? 0, 1 - dot(point, chosen));
  }
  return centres;
};

interface Grouping {
  readonly groups: readonly number[];
  readonly centres: readonly Dense[];
  /** How near points are to their centres, on average. */
  readonly near: number;
  /** How much nearer to their own than to the next one. */
  readonly apart: number;
}

const mostSteps = 30;

const grouped = (points: readonly Dense[], k: number, seed: number): Grouping => {
  let centres = begin(points, k, randomFrom(seed));
  let groups: number[] = [];
  for (let step = 0; step < mostSteps; step += 1) {
    const found = points.map((point) => nearest(centres, point).at);
    if (found.every((one, at) => one === groups[at])) break;
    groups = found;
    const sums = centres.map((centre) => new Float64Array(centre.length));
    for (const [at, point] of points.entries()) {
      const own = sums[groups[at] ?? 0];
      if (own !== undefined) for (let place = 0; place < point.length; place += 1) own[place] = (own[place] ?? 0) + (point[place] ?? 0); // prettier-ignore
    }
    centres = sums.map((one, at) => {
      const length = Math.sqrt(dot(one, one));
      return length === 0 ? (centres[at] ?? one) : one.map((value) => value / length);
    });
  }
  let [near, apart] = [0, 0];
  for (const point of points) {
    const { near: own, second } = nearest(centres, point);
    near += own;
    // simplified silhouette: distances to the own centre and to the next one
    apart += second < -1 ? 0 : (own - second) / Math.max(1e-9, 1 - Math.min(own, second));
  }
  return { groups, centres, near: near / points.length, apart: apart / points.length };
};

const starts = 3;
const sizes = [3, 4, 5, 6, 8, 10, 13, 17, 22, 28, 36] as const;
/** So many texts at least for a group, on average. */
const leastEach = 12;

/** Others have their turn in between: this takes a second or two. */
const pause = (): Promise<void> => new Promise((settle) => void setImmediate(settle));

/** The best of a few starts, with the number of groups given, or with that which tells texts apart best. */
export const groupsOf = async (points: readonly Dense[], k?: number): Promise<Grouping | undefined> => {
  const tried: Grouping[] = [];
  for (const size of k === undefined ? sizes.filter((one) => one * leastEach <= points.length) : [k]) {
    const own: Grouping[] = [];
    for (let start = 0; start < starts && points.length >= size; start += 1) {
      own.push(grouped(points, size, 7 + start));
      await pause();
    }
    const [best] = own.toSorted((a, b) => b.near - a.near);
    if (best !== undefined) tried.push(best);
  }
  return tried.toSorted((a, b) => b.apart - a.apart)[0];
};

export interface Theme {
  /** Terms with weights of length 1, the heaviest first. */
  readonly terms: ReadonlyMap<string, number>;
  /** Terms that name it, the most telling first. */
  readonly named: readonly string[];
  readonly size: number;
  /** How near to it a text is at least. */
  readonly floor: number;
}

const [dimensions, kept, words, leastNear] = [64, 60, 3, 0.12] as const;

/** How near a text is to a theme, from 0 to 1. */
export const nearTo = (theme: ReadonlyMap<string, number>, { terms }: Pick<Vocabulary, "terms">, { places, weights }: Vector): number =>
  places.reduce((sum, place, at) => sum + (weights[at] ?? 0) * (theme.get(terms[place] ?? "") ?? 0), 0); // prettier-ignore

/** How alike two themes are, from 0 to 1. */
export const alike = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number =>
  [...a].reduce((sum, [term, weight]) => sum + weight * (b.get(term) ?? 0), 0);

/** What a group is called by: terms that it has and others do not; a pair rather than its words. */
const namesFor = (own: ReadonlyMap<string, number>, total: ReadonlyMap<string, number>): string[] => {
  const telling = [...own].map(([term, weight]) => ({ term, value: weight * Math.sqrt(weight / (total.get(term) ?? weight)) * (term.includes(joint) ? 1.6 : 1) })).toSorted((a, b) => b.value - a.value); // prettier-ignore
  const chosen: string[] = [];
  for (const { term } of telling) {
    const parts = term.split(joint);
    const isSaid = chosen.some((one) => one.split(joint).some((part) => parts.includes(part)));
    if (!isSaid) chosen.push(term);
    if (chosen.length === words) break;
  }
  return chosen;
};

/** What texts speak of, the most frequent first. None where there are too few. */
export const themesIn = async (docs: readonly Doc[], vocabulary: Vocabulary): Promise<Theme[]> => {
  const vectors = docs.map(({ terms }) => vectorOf(vocabulary, terms));
  const points = reduced(vectors, vocabulary.terms.length, dimensions);
  const known = vectors.flatMap((vector, at) => {
    const point = points[at];
    return point === null || point === undefined ? [] : [{ vector, point }];
  });
  const found = await groupsOf(known.map(({ point }) => point));
  if (found === undefined) return [];
  const sums = found.centres.map(() => new Map<string, number>());
  for (const [at, { vector }] of known.entries()) {
    const own = sums[found.groups[at] ?? 0];
    for (const [place, term] of vector.places.entries()) {
      const name = vocabulary.terms[term] ?? "";
      own?.set(name, (own.get(name) ?? 0) + (vector.weights[place] ?? 0));
    }
  }
  const sizesOf = found.centres.map((_, group) => found.groups.filter((one) => one === group).length);
  const means = sums.map((own, group) => new Map([...own].map(([term, sum]) => [term, sum / Math.max(1, sizesOf[group] ?? 1)]))); // prettier-ignore
  const total = new Map<string, number>();
  for (const own of means) for (const [term, weight] of own) total.set(term, (total.get(term) ?? 0) + weight);
  return means
    .map((own, group): Theme => {
      const heaviest = [...own].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, kept);
      const length = Math.sqrt(heaviest.reduce((sum, [, weight]) => sum + weight * weight, 0));
      const terms = new Map(heaviest.map(([term, weight]) => [term, weight / length]));
      const near = known.filter((_one, at) => found.groups[at] === group).map(({ vector }) => nearTo(terms, vocabulary, vector)).toSorted((a, b) => a - b); // prettier-ignore
      const floor = Math.max(leastNear, near[Math.floor(near.length * 0.1)] ?? leastNear);
      return { terms, named: namesFor(own, total), size: near.length, floor };
    })
    .filter(({ size }) => size > 0)
    .toSorted((a, b) => b.size - a.size);
};
