/**
 * The words that phrases are made of, numbered from 1. A word of a text is looked up where it stands: most are known, and
 * need neither be cut out nor compared again.
 */

const words: string[] = [""];
const numbers = new Map<string, number>();
/** Numbers by a hash of the word; the next place is taken where one is. More places than four times the words. */
const places = new Uint16Array(1 << 14);

const hashAt = (text: string, start: number, end: number): number => {
  let hash = 0;
  for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash ^ (hash >>> 13);
};

const isAt = (word: string, text: string, start: number, end: number): boolean => {
  if (word.length !== end - start) return false;
  for (let at = 0; at < word.length; at += 1) if (word.charCodeAt(at) !== text.charCodeAt(start + at)) return false;
  return true;
};

/** The number of a word, which is known from now on. */
export const learn = (word: string): number => {
  const known = numbers.get(word);
  if (known !== undefined) return known;
  const id = words.push(word) - 1;
  if (id * 4 > places.length) throw new Error("the vocabulary needs more places");
  numbers.set(word, id);
  let place = hashAt(word, 0, word.length) & (places.length - 1);
  while (places[place] !== 0) place = (place + 1) & (places.length - 1);
  places[place] = id;
  return id;
};

export const numberOf = (word: string): number => numbers.get(word) ?? 0;
export const wordOf = (id: number): string => words[id] ?? "";

/** The number of what stands in a text from `start` to before `end`, 0 where it is not known. */
export const numberAt = (text: string, start: number, end: number): number => {
  let place = hashAt(text, start, end) & (places.length - 1);
  for (;;) {
    const id = places[place] ?? 0;
    if (id === 0 || isAt(words[id] ?? "", text, start, end)) return id;
    place = (place + 1) & (places.length - 1);
  }
};
