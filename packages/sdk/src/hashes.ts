import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";

/**
 * How vendors put a unit into a bucket, so that a team can move here without reshuffling its users. Vectors of each are in
 * the reference cases. Strings are hashed as their makers do: GrowthBook over UTF-16 code units, the others over UTF-8.
 */

const utf8 = new TextEncoder();
const bytesOf = (text: string): Uint8Array => utf8.encode(text);
const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

const [fnvBasis, fnvPrime] = [0x811c9dc5, 0x01000193];
/** FNV-1a, 32 bits, over code units taken for bytes, as GrowthBook feeds it. */
const fnvOfText = (text: string): number => {
  let hash = fnvBasis;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), fnvPrime);
  return hash >>> 0;
};
/** The same over UTF-8. */
const fnvOfBytes = (text: string): number => {
  let hash = fnvBasis;
  for (const byte of bytesOf(text)) hash = Math.imul(hash ^ byte, fnvPrime);
  return hash >>> 0;
};

/** MurmurHash3 x86 32 over UTF-8 (Austin Appleby, public domain). */
export const murmur3 = (text: string, seed: number): number => {
  const bytes = bytesOf(text);
  const view = viewOf(bytes);
  const [c1, c2] = [0xcc9e2d51, 0x1b873593];
  const turn = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
  let hash = seed | 0;
  const whole = bytes.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    hash ^= Math.imul(turn(Math.imul(view.getInt32(at, true), c1), 15), c2);
    hash = (Math.imul(turn(hash, 13), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let at = bytes.length - 1; at >= whole; at -= 1) rest = (rest << 8) | (bytes[at] ?? 0);
  if (bytes.length > whole) hash ^= Math.imul(turn(Math.imul(rest, c1), 15), c2);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};

/** GrowthBook: from 0 up to 1; null for a version that is not known. */
export const growthbookHash = (seed: string, value: string, version: number): number | null => {
  if (version === 2) return (fnvOfText(String(fnvOfText(seed + value))) % 10_000) / 10_000;
  return version === 1 ? (fnvOfText(value + seed) % 1_000) / 1_000 : null;
};

export type Range = readonly [from: number, to: number];

/** Each variation's part of 0 to 1, cut from its start by the coverage: who is in stays in as it grows. */
export const growthbookRanges = (variations: number, coverage: number, weights: readonly number[] | null): Range[] => {
  const equal = Array.from({ length: variations }, () => 1 / variations);
  const given = weights?.length === variations ? weights : equal;
  const total = given.reduce((sum, weight) => sum + weight, 0);
  const used = total < 0.99 || total > 1.01 ? equal : given;
  const share = Math.min(1, Math.max(0, coverage));
  let from = 0;
  return used.map((weight): Range => {
    const start = from;
    from += weight;
    return [start, start + share * weight];
  });
};

/** The first range that holds n, its end outside; −1 for none. */
export const chooseRange = (n: number, ranges: readonly Range[]): number => ranges.findIndex(([from, to]) => n >= from && n < to); // prettier-ignore

export const growthbookNamespace = (value: string, [name, from, to]: readonly [string, number, number]): boolean => {
  const n = growthbookHash(`__${name}`, value, 1);
  return n !== null && n >= from && n < to;
};

/** Unleash: from 1 to `most`. */
export const unleashValue = (identifier: string, group: string, most: number, seed = 0): number => (murmur3(`${group}:${identifier}`, seed) % most) + 1; // prettier-ignore
export const unleashVariantSeed = 86_028_157;

/** Optimizely: from 0 to 9,999. */
export const optimizelyBucket = (bucketing: string, parent: string): number => Math.floor((murmur3(bucketing + parent, 1) / 2 ** 32) * 10_000); // prettier-ignore

export const amplitudeBucket = (salt: string, value: string) => {
  const hash = murmur3(`${salt}/${value}`, 0);
  return { allocation: hash % 100, variant: Math.floor(hash / 100) };
};

/** flagd: the hash scaled to the sum of the weights by a shift, and which weight that falls into. */
export const flagdFractional = (value: string, weights: readonly number[]) => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const bucket = Number((BigInt(murmur3(value, 0)) * BigInt(total)) >> 32n);
  let end = 0;
  const index = weights.findIndex((weight) => (end += weight) > bucket);
  return { bucket, index };
};

/** GO Feature Flag: from 0 to `most` − 1. */
export const goFeatureFlagBucket = (flag: string, key: string, most: number): number => fnvOfBytes(flag + key) % most; // prettier-ignore

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
/** The first 15 hexadecimal digits of SHA-1, from 0 to 1. */
const sha1Share = (text: string): number => Number.parseInt(hex(sha1(bytesOf(text)).subarray(0, 8)).slice(0, 15), 16) / (2 ** 60 - 1); // prettier-ignore

/** Statsig: the first 8 bytes of SHA-256. */
export const statsigHash = (text: string): bigint => viewOf(sha256(bytesOf(text))).getBigUint64(0);
export const launchdarklyBucket = (flag: string, salt: string, value: string): number => sha1Share(`${flag}.${salt}.${value}`); // prettier-ignore
export const posthogHash = (flag: string, distinctId: string, salt: string): number => sha1Share(`${flag}.${distinctId}${salt}`); // prettier-ignore
/** Eppo: the first 8 hexadecimal digits of MD5. */
export const eppoShard = (salt: string, subject: string, shards: number): number => viewOf(md5(bytesOf(`${salt}-${subject}`))).getUint32(0) % shards; // prettier-ignore

/** Flagsmith: from 0 up to 100; a value of 100 is hashed again over its ids twice. */
export const flagsmithPercentage = (ids: readonly (string | number)[], times = 1): number => {
  const text = Array.from({ length: times }, () => ids.join(",")).join(",");
  const hash = BigInt(`0x${hex(md5(bytesOf(text)))}`);
  const value = (Number(hash % 9_999n) / 9_998) * 100;
  return value === 100 ? flagsmithPercentage(ids, times + 1) : value;
};
