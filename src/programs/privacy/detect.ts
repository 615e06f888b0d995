import { births, emails, machines, phones } from "./contact.ts";
import { cards, ibans, nationalNumbers, shortCodes } from "./numbers.ts";
import { secretsIn } from "./secrets.ts";
import { contextAt, plainText, wordsOf, type Candidate } from "./text.ts";

/** A stretch of text that is personal data, or a secret. It says where and why, and never what. */
export interface Finding {
  /** Such as EMAIL_ADDRESS. */
  readonly type: string;
  /** Which kind of secret. */
  readonly subtype?: string;
  /** UTF-16 places in the text as it came; the end is outside. */
  readonly start: number;
  readonly end: number;
  readonly score: number;
  /** Name and version of what found it. */
  readonly detector: string;
}

/** Longer text is looked at in parts that overlap, so that nothing at a seam is missed. */
const partLength = 20_000;
const overlap = 500;

/** Of those that overlap the surest stays, then the longer; a secret before what looks like a number in it. */
const withoutOverlaps = (candidates: readonly Candidate[]): Candidate[] => {
  const ranked = candidates.toSorted(
    (a, b) => b.score - a.score || b.end - b.start - (a.end - a.start) || a.start - b.start,
  );
  const kept: Candidate[] = [];
  for (const one of ranked) if (kept.every(({ start, end }) => one.end <= start || one.start >= end)) kept.push(one);
  return kept.toSorted((a, b) => a.start - b.start);
};

/** Whether a text can hold any of it at all: all have a digit or a sign that is rare in prose. */
const mayHold = /[\d@:=\uff10-\uff19]|%40|eyJ|PRIVATE KEY|[_-][A-Za-z]{16}|passw|secret|token/i;

/** Digits of the shortest number that needs no word beside it: a National Insurance number. */
const fewest = 6;
const digitsIn = (text: string): number => {
  let count = 0;
  for (let at = 0; at < text.length && count < fewest; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 48 && code <= 57) count += 1;
  }
  return count;
};

const findIn = (text: string, field: string): Finding[] => {
  const plain = plainText(text);
  const words = wordsOf(field);
  const around = (at: number) => contextAt(plain.text, at, words);
  const candidates = [
    ...secretsIn(plain.text),
    ...emails(plain.text),
    ...machines(plain.text, around),
    ...shortCodes(plain.text, field, around),
    ...(digitsIn(plain.text) === fewest
      ? [
          ...cards(plain.text, around),
          ...ibans(plain.text),
          ...phones(plain.text, around),
          ...nationalNumbers(plain.text, field, around),
          ...births(plain.text, around),
        ]
      : []),
  ];
  return withoutOverlaps(candidates).map(({ start, end, ...rest }) => ({
    ...rest,
    start: plain.places(start),
    end: plain.places(end - 1) + (plain.places(end) - plain.places(end - 1)),
  }));
};

/**
 * Personal data and secrets in a text, by format, checksum and whole-word context. Deterministic, in this process, and
 * linear in the length of the text. `field` is the name of the property that holds it.
 */
export const findPersonal = (text: string, field = ""): readonly Finding[] => {
  if (!mayHold.test(text)) return [];
  if (text.length <= partLength) return findIn(text, field);
  const found = new Map<string, Finding>();
  for (let from = 0; from < text.length; from += partLength - overlap) {
    for (const one of findIn(text.slice(from, from + partLength), field)) {
      const moved = { ...one, start: one.start + from, end: one.end + from };
      found.set(`${moved.type} ${moved.start}`, moved);
    }
  }
  return [...found.values()].toSorted((a, b) => a.start - b.start);
};
