import { numberAt, numberOf, wordOf } from "./vocabulary.ts";

/** Words of a turn with where they stand, clauses, and what is the same in every language. */

export interface Word {
  readonly word: string;
  /** Its number among the words that phrases are made of; 0 for all others. */
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Longer turns are read up to here; what was pasted after it moves nothing. */
export const longest = 4_000;

const split = new Map<string, readonly string[]>(Object.entries({
  "can't": ["can", "not"], cannot: ["can", "not"], cant: ["can", "not"], "won't": ["will", "not"], wont: ["will", "not"],
  "shan't": ["shall", "not"], dont: ["do", "not"], doesnt: ["does", "not"], didnt: ["did", "not"], isnt: ["is", "not"],
  wasnt: ["was", "not"], havent: ["have", "not"], hasnt: ["has", "not"], couldnt: ["could", "not"], wouldnt: ["would", "not"],
  arent: ["are", "not"], im: ["i", "am"], ive: ["i", "have"], thats: ["that", "is"], whats: ["what", "is"], youre: ["you", "are"],
  "i'm": ["i", "am"], "let's": ["let", "us"], thankyou: ["thank", "you"], gonna: ["going", "to"], wanna: ["want", "to"],
})); // prettier-ignore
const endings: Readonly<Record<string, string>> = { "n't": "not", "'re": "are", "'ve": "have", "'ll": "will", "'d": "would", "'m": "am", "'s": "is" }; // prettier-ignore

const cjk = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/;
const pattern =
  /[\p{L}\p{M}]+(?:['’][\p{L}]+)*|\p{N}+(?:[.,:]\p{N}+)*|[!?？！]+|[:;=][-']?[()DdPp/|]|\p{Extended_Pictographic}/gu;

const wordAt = (word: string, start: number, end: number): Word => ({ word, id: numberOf(word), start, end });

/** Puts a word of letters, in lower case: contractions are taken apart, each character of scripts without spaces is a word. */
const put = (words: Word[], lower: string, start: number, end: number): void => {
  const parts = split.get(lower);
  if (parts !== undefined) {
    for (const word of parts) words.push(wordAt(word, start, end));
    return;
  }
  const mark = lower.lastIndexOf("'");
  if (mark < 0) {
    words.push(wordAt(lower, start, end));
    return;
  }
  const ending = lower.endsWith("n't") ? "n't" : lower.slice(mark);
  const rest = endings[ending];
  if (rest === undefined) words.push(wordAt(lower.replaceAll("'", ""), start, end));
  else words.push(wordAt(lower.slice(0, -ending.length), start, end), wordAt(rest, start, end));
};

const [zero, nine, upperA, upperZ, lowerA, lowerZ] = [48, 57, 65, 90, 97, 122] as const;
const isLetter = (code: number): boolean => (code >= lowerA && code <= lowerZ) || (code >= upperA && code <= upperZ);
const isDigit = (code: number): boolean => code >= zero && code <= nine;
const isMark = (code: number): boolean => code === 33 || code === 63;
const isEye = (code: number): boolean => code === 58 || code === 59 || code === 61;
const mouths = new Set("()DdPp/|".split("").map((char) => char.charCodeAt(0)));

/** What a character of text can begin, by its code. */
const [letter, digit, mark, eye] = [1, 2, 3, 4] as const;
const kinds = new Uint8Array(128).map((_, code) => (isLetter(code) ? letter : isDigit(code) ? digit : isMark(code) ? mark : isEye(code) ? eye : 0)); // prettier-ignore
/** First and last letters of words without an apostrophe that are two; most others need not be looked up. */
const ends = new Set([...split.keys()].map((word) => word.charCodeAt(0) * 128 + word.charCodeAt(word.length - 1)));
const mayBeTwo = new Uint8Array(128 * 128).map((_, pair) => Number(ends.has(pair)));

/** The same as the pattern finds, without it: most text has no other characters, and most time went there. */
const asciiWords = (given: string): Word[] => {
  const text = given.toLowerCase(); // as long as it was: it has no other characters
  const words: Word[] = [];
  const { length } = text;
  for (let at = 0; at < length;) {
    const start = at;
    const first = text.charCodeAt(at);
    const kind = kinds[first];
    at += 1;
    if (kind === letter) {
      let [last, hasMark] = [first, false];
      while (at < length) {
        const code = text.charCodeAt(at);
        if (kinds[code] === letter) last = code;
        else if (code === 39 && at + 1 < length && kinds[text.charCodeAt(at + 1)] === letter) hasMark = true;
        else break;
        at += 1;
      }
      if (hasMark || mayBeTwo[first * 128 + last] === 1) put(words, text.slice(start, at), start, at);
      else {
        const id = numberAt(text, start, at);
        words.push({ word: id === 0 ? text.slice(start, at) : wordOf(id), id, start, end: at });
      }
    } else if (kind === digit) {
      while (at < length) {
        const code = text.charCodeAt(at);
        const isJoint = code === 46 || code === 44 || code === 58;
        if (kinds[code] !== digit && !(isJoint && at + 1 < length && kinds[text.charCodeAt(at + 1)] === digit)) break;
        at += 1;
      }
      words.push(wordAt("0", start, at));
    } else if (kind === mark) {
      while (at < length && kinds[text.charCodeAt(at)] === mark) at += 1;
      words.push(wordAt(text.slice(start, at), start, at));
    } else if (kind === eye) {
      const next = text.charCodeAt(at);
      const mouth = at + (next === 45 || next === 39 ? 1 : 0);
      if (!mouths.has(text.charCodeAt(mouth))) continue;
      at = mouth + 1;
      words.push(wordAt(text.slice(start, at), start, at));
    }
  }
  return words;
};

/** By the pattern, for any text. */
export const patternWords = (text: string): Word[] => {
  const words: Word[] = [];
  for (const { 0: found, index } of text.matchAll(pattern)) {
    const end = index + found.length;
    const first = found.charCodeAt(0);
    const lower = found.toLowerCase().replaceAll("’", "'");
    if (isDigit(first) || /^\p{N}/u.test(found)) words.push(wordAt("0", index, end));
    else if (first > 0x3000 && cjk.test(lower)) for (const [at, char] of Array.from(lower).entries()) words.push(wordAt(char, index + at, index + at + 1));
    else if (isLetter(first) || first > 127) put(words, lower, index, end);
    else words.push(wordAt(lower, index, end));
  }
  return words;
}; // prettier-ignore

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/** Contractions are taken apart; numbers are `0`; each character of scripts without spaces is a word. */
export const wordsOf = (text: string): Word[] => {
  const read = text.length > longest ? text.slice(0, longest) : text;
  return isAscii(read) ? asciiWords(read) : patternWords(read);
};

const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13) || code === 160 || code === 0x3000;
const isWideEnd = (code: number): boolean => code === 0x3002 || code === 0xff01 || code === 0xff1f || code === 0xff1b;
const isEnd = (code: number): boolean => code === 46 || code === 33 || code === 63 || code === 59 || isWideEnd(code);

/** Sentences and lines, without the white space around them. */
export const clausesOf = (text: string): Span[] => {
  const spans: Span[] = [];
  const length = Math.min(text.length, longest);
  let from = 0;
  const cut = (to: number): void => {
    let [start, end] = [from, to];
    while (start < end && isSpace(text.charCodeAt(start))) start += 1;
    while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
    if (end > start) spans.push({ start, end });
    from = to;
  };
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 10) cut(at + 1);
    else if (isEnd(code)) {
      while (at + 1 < length && isEnd(text.charCodeAt(at + 1))) at += 1;
      const next = at + 1 < length ? text.charCodeAt(at + 1) : 32;
      // not within a number or an address
      if (isSpace(next) || isWideEnd(text.charCodeAt(at))) cut(at + 1);
    }
  }
  cut(length);
  return spans;
};

/** Whether a sentence or a line begins at a place of a text. */
export const isOpening = (text: string, start: number): boolean => {
  let at = start - 1;
  while (at >= 0 && text.charCodeAt(at) === 32) at -= 1;
  const code = at < 0 ? 10 : text.charCodeAt(at);
  return code === 46 || code === 33 || code === 63 || code === 58 || code === 10;
};

/** By script; `en` and other languages of the Latin script are told apart by their most frequent words. */
const frequent: Readonly<Record<string, readonly string[]>> = {
  en: ["the", "to", "i", "you", "is", "a", "and", "my", "it", "for", "please", "thanks", "hi", "hello", "not", "yes", "no", "ok", "can", "how", "what", "do"],
  de: ["ich", "die", "der", "und", "nicht", "das", "ist", "sie", "ein", "mein", "bitte", "danke", "wie", "hallo", "für", "mit"],
  fr: ["je", "le", "la", "les", "et", "vous", "est", "pas", "mon", "ne", "bonjour", "merci", "une", "pour", "mais", "que"],
  es: ["el", "la", "que", "no", "mi", "por", "hola", "gracias", "los", "una", "para", "es", "con", "pero", "cómo", "muy"],
  pt: ["o", "que", "não", "meu", "por", "olá", "obrigado", "uma", "para", "com", "você", "é", "mas", "os", "obrigada"],
  it: ["il", "che", "non", "per", "ciao", "grazie", "una", "con", "è", "mio", "sono", "ma", "buongiorno", "gli", "della"],
  nl: ["ik", "de", "het", "een", "niet", "mijn", "bedankt", "hallo", "van", "voor", "maar", "wat", "met", "je", "dat"],
}; // prettier-ignore

/** Before others where their characters mix: Japanese has Chinese ones. */
const scripts = [["ja", 0x3040, 0x30ff], ["zh", 0x3400, 0x9fff], ["ko", 0xac00, 0xd7af], ["ru", 0x400, 0x4ff], ["ar", 0x600, 0x6ff], ["el", 0x370, 0x3ff], ["he", 0x590, 0x5ff], ["th", 0xe00, 0xe7f], ["hi", 0x900, 0x97f]] as const; // prettier-ignore

/** Languages of the Latin script that have a word among their most frequent. */
const languages = new Map<string, readonly string[]>();
for (const [lang, list] of Object.entries(frequent))
  for (const word of list) languages.set(word, [...(languages.get(word) ?? []), lang]);
const latin = Object.keys(frequent);

/** What the words of a customer are most likely written in. `und` where nothing can be told. */
export const languageOf = (words: readonly string[]): string => {
  const counts = scripts.map(() => 0);
  let letters = 0;
  for (const word of words)
    for (let at = 0; at < word.length; at += 1) {
      const code = word.charCodeAt(at); // all scripts that are told apart are of the first plane
      if (code < 128 ? !isLetter(code) : code < 192 || (code >= 0xdc00 && code < 0xe000)) continue;
      letters += 1;
      if (code < 0x370) continue;
      const script = scripts.findIndex(([, from, to]) => code >= from && code <= to);
      if (script >= 0) counts[script] = (counts[script] ?? 0) + 1;
    }
  if (letters === 0) return "und";
  for (const [place, [lang]] of scripts.entries()) if ((counts[place] ?? 0) / letters > (lang === "ja" ? 0.1 : 0.4)) return lang; // prettier-ignore
  const known = new Map<string, number>();
  const seen = new Set<string>();
  for (const word of words) {
    const own = languages.get(word);
    if (own === undefined || seen.has(word)) continue;
    seen.add(word);
    for (const lang of own) known.set(lang, (known.get(lang) ?? 0) + 1);
  }
  const of = (lang: string): number => known.get(lang) ?? 0;
  const best = latin.reduce((a, b) => (of(b) > of(a) ? b : a));
  // few words of anything: what is most often written
  return of(best) === 0 && words.length < 12 ? "en" : of(best) === 0 ? "und" : best;
};
