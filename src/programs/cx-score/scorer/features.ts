import type { Word } from "./text.ts";

/** Linear heads over hashed words and pairs of words: small, and the same on every machine (whole numbers until the last step). */

export const buckets = 1 << 15;
export const heads = ["positive", "negative", "anger", "annoyance", "disappointment", "disapproval", "confusion", "gratitude", "joy", "admiration", "policy", "product", "success", "annoyed", "good_reply"] as const; // prettier-ignore
export type Head = (typeof heads)[number];

/** FNV-1a over UTF-16 code units. */
const hashOf = (text: string, seed: number, length = text.length): number => {
  let hash = seed;
  for (let at = 0; at < length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
};
const mixed = (a: number, b: number): number => {
  let hash = Math.imul(a ^ (b >>> 15) ^ Math.imul(b, 0x85ebca6b), 0xc2b2ae35);
  hash ^= hash >>> 13;
  return (Math.imul(hash, 0x27d4eb2f) ^ (hash >>> 16)) & (buckets - 1);
};

/** At most so many buckets a word. */
export const mostOfWord = 3;

/** Writes the buckets of a text: each word and each pair, of a kind (`salt`), so that what a customer and an agent say are apart. How many they are. */
export const writeFeatures = (words: readonly Pick<Word, "word">[], salt: number, into: Uint16Array): number => {
  let [before, count] = [0, 0];
  for (let place = 0; place < words.length; place += 1) {
    const word = words[place]?.word ?? "";
    const own = hashOf(word, 0x811c9dc5 ^ salt);
    into[count++] = mixed(own, 0x9e3779b9);
    if (place > 0) into[count++] = mixed(before, own);
    // the beginning of a long word, so that its endings share what was learnt
    if (word.length > 5) into[count++] = mixed(hashOf(word, 0x01234567 ^ salt, 5), 0x7f4a7c15);
    before = own;
  }
  return count;
}; // prettier-ignore

export const featuresOf = (words: readonly Pick<Word, "word">[], salt: number): number[] => {
  const written = new Uint16Array(words.length * mostOfWord);
  const count = writeFeatures(words, salt, written);
  const found: number[] = [];
  for (let place = 0; place < count; place += 1) found.push(written[place] ?? 0);
  return found;
};

/** Which of several texts a bucket was last met in, so that each is put down once without a set of them. */
const met = new Uint32Array(buckets);
let meetings = 0;

/** The buckets of several texts together, each once. */
export const featuresOfAll = (texts: readonly (readonly [words: readonly Pick<Word, "word">[], salt: number])[]): number[] => {
  meetings = (meetings + 1) >>> 0;
  if (meetings === 0) met.fill(0);
  const found: number[] = [];
  for (const [words, salt] of texts)
    for (const bucket of featuresOf(words, salt)) {
      if (met[bucket] === meetings) continue;
      met[bucket] = meetings;
      found.push(bucket);
    }
  return found;
}; // prettier-ignore
