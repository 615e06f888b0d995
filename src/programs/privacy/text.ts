/** Text as detectors read it, with the way back to the places in the text as it came. */
export interface Plain {
  readonly text: string;
  /** Place in the original of each character, and of the end. */
  readonly places: (at: number) => number;
}

const odd = /[\u00a0\u2000-\u200f\u2010-\u2015\u202f\u2060\u2212\u3000\ufeff\uff01-\uff5e]|%40|%2[bB]/;
const invisible = /[\u200b-\u200f\u2060\ufeff]/;

const plainCharacter = (character: string): string => {
  const code = character.charCodeAt(0);
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCharCode(code - 0xfee0); // full width
  if (/[\u00a0\u2000-\u200a\u202f\u3000]/.test(character)) return " ";
  return /[\u2010-\u2015\u2212]/.test(character) ? "-" : character;
};

/** Full-width digits, odd spaces and hyphens, invisible characters and encoded signs as the plain ones that they stand for. */
export const plainText = (text: string): Plain => {
  if (!odd.test(text)) return { text, places: (at) => at };
  let out = "";
  const places: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const encoded = text[at] === "%" ? text.slice(at, at + 3).toUpperCase() : "";
    const character = text[at] ?? "";
    if (invisible.test(character)) continue;
    places.push(at);
    if (encoded === "%40" || encoded === "%2B") {
      out += encoded === "%40" ? "@" : "+";
      at += 2;
    } else out += plainCharacter(character);
  }
  places.push(text.length);
  return { text: out, places: (at) => places[at] ?? text.length };
};

/** Words of a name or a sentence, in small letters: `shippingAddress_2` is shipping, address, 2. */
export const wordsOf = (text: string): readonly string[] =>
  text
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");

/** What stands around a place: the field's name, and the five words before it. */
export interface Context {
  /** Whether any of these words is there, as a whole word. */
  readonly has: (words: ReadonlySet<string>) => boolean;
}

export const contextAt = (text: string, at: number, field: readonly string[]): Context => {
  let before: readonly string[] | undefined;
  return {
    has: (words) => {
      if (field.some((word) => words.has(word))) return true;
      before ??= wordsOf(text.slice(Math.max(0, at - 120), at)).slice(-5);
      return before.some((word) => words.has(word));
    },
  };
};

export const wordSet = (words: string): ReadonlySet<string> => new Set(words.split(" "));

/** Something that may be personal data, before it is decided between those that overlap. */
export interface Candidate {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  /** How sure, from 0 to 1. */
  readonly score: number;
  readonly detector: string;
  /** Which kind of secret. */
  readonly subtype?: string;
}

interface Match {
  readonly value: string;
  readonly start: number;
  readonly end: number;
  /** Whether no letter or digit adjoins it. */
  readonly alone: boolean;
  readonly groups: readonly (string | undefined)[];
}

const inWord = /[\p{L}\p{N}_]/u;

/** Every match of a pattern, which must be global. The pattern is used as it is: a copy for each call costs more than the search. */
export const matchesOf = (text: string, pattern: RegExp): readonly Match[] => {
  const found: Match[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [value, ...groups] = match;
    const [start, end] = [match.index, match.index + value.length];
    const alone = !inWord.test(text[start - 1] ?? " ") && !inWord.test(text[end] ?? " ");
    found.push({ value, start, end, alone, groups });
  }
  return found;
};
