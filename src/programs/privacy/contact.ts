import { isIPv4, isIPv6 } from "node:net";
import { parsePhoneNumberFromString, type CountryCode } from "libphonenumber-js/max";
import { parse as parseDomain } from "tldts";
import { matchesOf, wordSet, type Candidate, type Context } from "./text.ts";

/** Addresses at which a person, or their machine, is reached; and when they were born. */

const files = wordSet("png jpg jpeg gif svg webp avif ico css js ts tsx jsx json html pdf mp4 zip md py rb go rs java");
const reserved = wordSet("example test invalid");

const isDomain = (domain: string): boolean => {
  const last = domain.split(".").at(-1)?.toLowerCase() ?? "";
  if (reserved.has(last)) return true;
  const parsed = parseDomain(domain, { allowPrivateDomains: true });
  if (parsed.domain === null) return false;
  return (parsed.isIcann === true || parsed.isPrivate === true) && !(files.has(last) && /^\d/.test(domain));
};

export const emails = (text: string): Candidate[] => {
  if (!text.includes("@")) return [];
  const pattern = /[\p{L}\p{N}_+'][\p{L}\p{N}._+'-]{0,63}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}[\p{L}][\p{L}\p{N}-]{1,62}/gu; // prettier-ignore
  return matchesOf(text, pattern).flatMap(({ value, start, end }) => {
    const [, domain = ""] = value.split("@");
    const before = text.slice(Math.max(0, start - 300), start);
    // a password in an address (//user:password@host), and where a repository lies (git@host:path, ssh://git@host)
    if (/:\/\/\S*$/.test(before) && !/[?&=;,][^/]*$/.test(before) && !/:\/\/[^/\s]+\//.test(before)) return [];
    if (/^:[\w~./-]*\//.test(text.slice(end)) || /^git$/.test(value.split("@")[0] ?? "")) return [];
    if (!isDomain(domain) || value.split("@")[0]?.endsWith(".") === true) return [];
    return [{ type: "EMAIL_ADDRESS", start, end, score: 0.95, detector: "email/1" }];
  });
};

const phoneWords = wordSet("phone phones telephone tel mobile mob cell cellphone call calls called text sms ring whatsapp fax dial msisdn handy telefon telefono contact reach landline"); // prettier-ignore
/** Where numbers at home begin with a nought. */
const regions: readonly CountryCode[] = ["GB", "AU", "FR", "DE", "ES", "IT", "NL", "SE", "IN", "BR", "JP", "ZA", "IE"];

/** Trailing groups fall away until what is left can be a number: `+1 202-555-0147 15` is one and a 15. */
const possible = (value: string): string | undefined => {
  for (let rest = value; rest.replaceAll(/\D/g, "").length >= 7; rest = rest.replace(/[ .()-]+\d+\)?$/, "")) {
    if (parsePhoneNumberFromString(rest)?.isPossible() === true) return rest;
    if (!/[ .()-]\d+\)?$/.test(rest)) return undefined;
  }
  return undefined;
};

const isNational = (digits: string): boolean =>
  /^1?[2-9]\d{2}[2-9]\d{6}$/.test(digits)
    ? parsePhoneNumberFromString(digits, "US")?.isPossible() === true
    : digits.startsWith("0") && regions.some((region) => parsePhoneNumberFromString(digits, region)?.isPossible() === true); // prettier-ignore

const american = /^(?:1[-. ])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-. ])[2-9]\d{2}[-. ]\d{4}$/;

const schemes = /(?<=tel|sms|phone|mobile|ring|fax):(?=\S)/gi;

export const phones = (text: string, contextAt: (at: number) => Context): Candidate[] => {
  const pattern = /(?<![\p{L}\p{N}_.+#/:-])(?:\+ ?|00)?\(?\d(?:(?:[ .-]|\) ?| ?\(|\)-)?\d){6,16}/gu;
  const found = (start: number, value: string, score: number): Candidate => ({ type: "PHONE_NUMBER", start, end: start + value.length, score, detector: "phone/1" }); // prettier-ignore
  return matchesOf(text.replaceAll(schemes, " "), pattern).flatMap(({ value, start, end }) => {
    // prettier-ignore
    if (/^[\p{L}\p{N}_]/u.test(text.slice(end)) || /^[.:/-]\d/.test(text.slice(end))) return [];
    if (value.startsWith("+")) {
      const number = possible(value);
      return number === undefined ? [] : [found(start, number, 0.9)];
    }
    const digits = value.replaceAll(/\D/g, "");
    const around = contextAt(start);
    if (american.test(value) && parsePhoneNumberFromString(digits, "US")?.isPossible() === true) return [found(start, value, around.has(phoneWords) ? 0.9 : 0.7)]; // prettier-ignore
    if (!around.has(phoneWords) || digits.length < 8) return [];
    const international =
      digits.startsWith("00") && parsePhoneNumberFromString(`+${digits.slice(2)}`)?.isPossible() === true;
    return international || isNational(digits) ? [found(start, value, 0.75)] : [];
  });
};

const notAddresses = wordSet("version build section release chapter clause article oid firmware driver sdk windows");

const fourParts = (text: string, contextAt: (at: number) => Context): Candidate[] =>
  matchesOf(text, /(?<![\d.:\w])\d{1,3}(?:\.\d{1,3}){3}(?![\d\w]|\.\d)/g).flatMap(({ value, start, end }) =>
    !isIPv4(value) || contextAt(start).has(notAddresses) || (text[start - 1] === "/" && !text.slice(0, start).endsWith("://"))
      ? []
      : [{ type: "IP_ADDRESS", start, end, score: 0.8, detector: "ipv4/1" }],
  ); // prettier-ignore

const eightParts = (text: string): Candidate[] =>
  matchesOf(text, /[0-9A-Fa-f:][0-9A-Fa-f:.]*/g).flatMap(({ value, start, alone }) => {
    const trimmed = value.replace(/[.]+$/, "");
    if (!alone || trimmed.split(":").length < 3 || !/\d/.test(trimmed) || !isIPv6(trimmed)) return [];
    return [{ type: "IP_ADDRESS", start, end: start + trimmed.length, score: 0.85, detector: "ipv6/1" }];
  });

export const machines = (text: string, contextAt: (at: number) => Context): Candidate[] => [
  ...(text.includes(".") ? fourParts(text, contextAt) : []),
  ...(text.includes(":") ? eightParts(text) : []),
  ...matchesOf(
    text,
    /(?<![\w:-])(?:[0-9A-F]{2}([:-])(?:[0-9A-F]{2}\1){4}[0-9A-F]{2}|[0-9A-F]{4}\.[0-9A-F]{4}\.[0-9A-F]{4})(?![\w:-])/gi,
  ).flatMap(({ value, start, end }) =>
    /^(?:00|ff)(?:[:.-]?(?:00|ff))*$/i.test(value) &&
    new Set(value.toLowerCase().replaceAll(/[^0-9a-f]/g, "")).size === 1
      ? []
      : [{ type: "MAC_ADDRESS", start, end, score: 0.9, detector: "mac/1" }],
  ),
];

const birthWords = wordSet("born birth birthday birthdate dob geboren geburtsdatum naissance nacimiento nascita nacido ne nee né née nato nata"); // prettier-ignore
const months = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"; // prettier-ignore
const dates = new RegExp(`(?<![\\d-])(?:(?:19|20)\\d{2}[-/.]\\d{1,2}[-/.]\\d{1,2}|\\d{1,2}[-/.]\\d{1,2}[-/.](?:19|20)?\\d{2}|\\d{1,2}(?:st|nd|rd|th)? (?:${months})\\.?,? (?:19|20)\\d{2}|(?:${months})\\.? \\d{1,2}(?:st|nd|rd|th)?,? (?:19|20)\\d{2})(?!\\d)`, "gi"); // prettier-ignore

export const births = (text: string, contextAt: (at: number) => Context): Candidate[] =>
  matchesOf(text, dates).flatMap(({ start, end }) =>
    contextAt(start).has(birthWords) ? [{ type: "DATE_OF_BIRTH", start, end, score: 0.8, detector: "birth/1" }] : [],
  );
