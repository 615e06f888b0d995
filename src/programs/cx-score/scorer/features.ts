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

/** Buckets of a text: each word and each pair, of a kind (`salt`), so that what a customer and an agent say are apart. */
export const featuresOf = (words: readonly Pick<Word, "word">[], salt: number): number[] => {
  const found: number[] = [];
  let before = 0;
  for (let place = 0; place < words.length; place += 1) {
    const word = words[place]?.word ?? "";
    const own = hashOf(word, 0x811c9dc5 ^ salt);
    found.push(mixed(own, 0x9e3779b9));
    if (place > 0) found.push(mixed(before, own));
    // the beginning of a long word, so that its endings share what was learnt
    if (word.length > 5) found.push(mixed(hashOf(word, 0x01234567 ^ salt, 5), 0x7f4a7c15));
    before = own;
  }
  return found;
};
