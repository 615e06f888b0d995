import * as check from "./checks.ts";
import { matchesOf, wordSet, type Candidate, type Context } from "./text.ts";

/** Cards, accounts and numbers of persons: found by their form, told from others by checksum, and where that is weak by context. */

interface Form {
  readonly type: string;
  readonly pattern: RegExp;
  /** Whether the number is one; `plain` is without separators. */
  readonly holds?: (plain: string, groups: readonly (string | undefined)[]) => boolean;
  /** Words of which one must stand before it, or in the field's name. */
  readonly context?: ReadonlySet<string>;
  /** Whether it needs its context: where it comes without separators, or always if it is not said. */
  readonly contextIf?: (value: string) => boolean;
  readonly score: number;
}

const hasNoSeparator = (value: string): boolean => /^[\p{L}\p{N}]+$/u.test(value);
const ssnWords = wordSet("ssn ssns social security");
const nationalWords = wordSet("id identity national tax personal citizen");

const forms: readonly Form[] = [
  {
    type: "US_SSN",
    pattern: /(?<![\d-])(?!000|666|9)\d{3}([- ]?)(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])/g,
    context: ssnWords,
    contextIf: hasNoSeparator,
    score: 0.85,
  },
  {
    type: "US_ITIN",
    pattern: /(?<![\d-])9\d{2}[- ]?(?:5\d|6[0-5]|7\d|8[0-8]|9[0-2]|9[4-9])[- ]?\d{4}(?![\d-])/g,
    context: wordSet("itin itins taxpayer tax individual"),
    contextIf: (value) => !/^\d{3}-\d{2}-\d{4}$/.test(value),
    score: 0.8,
  },
  { type: "ABA_ROUTING_NUMBER", pattern: /(?<!\d)\d{4}-?\d{4}-?\d(?!\d)/g, holds: check.isRouting, context: wordSet("aba routing rtn"), score: 0.8 },
  { type: "US_BANK_NUMBER", pattern: /(?<!\d)\d{8,17}(?!\d)/g, context: wordSet("bank checking savings iban-less"), score: 0.5 },
  { type: "US_PASSPORT", pattern: /(?<!\w)[A-Z]?\d{8,9}(?!\w)/gi, context: wordSet("passport passports travel"), score: 0.6 },
  {
    type: "UK_NINO",
    pattern: /(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)/gi,
    score: 0.7,
  },
  { type: "UK_NHS", pattern: /(?<!\d)\d{3}[- ]?\d{3}[- ]?\d{4}(?!\d)/g, holds: check.isNhs, context: wordSet("nhs health patient"), score: 0.9 },
  { type: "AU_TFN", pattern: /(?<!\d)\d{3}[- ]?\d{3}[- ]?\d{3}(?!\d)/g, holds: check.isTfn, context: wordSet("tfn tax ato"), score: 0.8 },
  { type: "AU_MEDICARE", pattern: /(?<!\d)[2-6]\d{3}[- ]?\d{5}[- ]?\d(?!\d)/g, holds: check.isMedicare, context: wordSet("medicare"), score: 0.8 },
  { type: "NL_BSN", pattern: /(?<!\d)\d{9}(?!\d)/g, holds: check.isBsn, context: wordSet("bsn burgerservicenummer sofinummer"), score: 0.8 },
  { type: "CA_SIN", pattern: /(?<!\d)[1-79]\d{2}[- ]?\d{3}[- ]?\d{3}(?!\d)/g, holds: check.luhn, context: wordSet("sin insurance nas"), score: 0.8 },
  { type: "SE_PERSONNUMMER", pattern: /(?<!\d)(?:19|20)?\d{6}[-+]?\d{4}(?!\d)/g, holds: (plain) => check.isSwedish(plain.slice(-10)), context: wordSet("personnummer pnr personnr swedish samordningsnummer"), score: 0.85 },
  { type: "ZA_ID_NUMBER", pattern: /(?<!\d)\d{6} ?\d{4} ?[01]\d{2}(?!\d)/g, holds: check.isSouthAfrican, context: wordSet("id identity rsa african"), score: 0.7 },
  { type: "DE_TAX_ID", pattern: /(?<![\d-])\d{2} ?\d{3} ?\d{3} ?\d{3}(?![\d-])/g, holds: check.isGermanTax, score: 0.7 },
  { type: "ES_NIF", pattern: /(?<![\w-])(\d{7,8})-?([A-Z])(?!\w)/gi, holds: (_, [digits = "", letter = ""]) => check.isSpanish(digits, letter), score: 0.7 },
  { type: "ES_NIE", pattern: /(?<![\w-])([XYZ])-?(\d{7})-?([A-Z])(?!\w)/gi, holds: (_, [first = "", digits = "", letter = ""]) => check.isSpanish(`${"XYZ".indexOf(first.toUpperCase())}${digits}`, letter), score: 0.8 },
  { type: "IT_FISCAL_CODE", pattern: /(?<!\w)[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z](?!\w)/gi, holds: check.isItalian, score: 0.9 },
  { type: "FR_NIR", pattern: /(?<!\d)[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:2[AB]|\d{2}) ?\d{3} ?\d{3} ?\d{2}(?!\d)/gi, holds: check.isFrench, score: 0.8 },
  { type: "PL_PESEL", pattern: /(?<![\d-])\d{11}(?![\d-])/g, holds: check.isPesel, context: wordSet("pesel"), score: 0.75 },
  { type: "BR_CPF", pattern: /(?<!\d)\d{3}\.?\d{3}\.?\d{3}-?\d{2}(?!\d)/g, holds: check.isCpf, context: wordSet("cpf"), contextIf: hasNoSeparator, score: 0.85 },
  { type: "FI_PERSONAL_IDENTITY_CODE", pattern: /(?<!\w)(\d{6})[-+A-FU-Y](\d{3})([0-9A-FHJ-NPR-Y])(?!\w)/g, holds: (_, [day = "", serial = "", letter = ""]) => check.isHetu(day, serial, letter), score: 0.85 },
  { type: "IN_AADHAAR", pattern: /(?<!\d)[2-9]\d{3}[- ]?\d{4}[- ]?\d{4}(?!\d)/g, holds: check.verhoeff, context: wordSet("aadhaar aadhar uidai uid"), score: 0.85 },
  { type: "SG_NRIC_FIN", pattern: /(?<!\w)[STFGM]\d{7}[A-Z](?!\w)/gi, holds: check.isNric, score: 0.85 },
  { type: "CRYPTO", pattern: /(?<!\w)[13][1-9A-HJ-NP-Za-km-z]{25,34}(?!\w)/g, holds: check.isBase58Check, score: 0.95 },
  { type: "CRYPTO", pattern: /(?<!\w)bc1[qpzry9x8gf2tvdw0s3jn54khce6mua7l]{11,71}(?!\w)/gi, holds: check.isBech32, score: 0.95 },
]; // prettier-ignore

const nothing = wordSet(
  "version build section order invoice sku isbn tracking latency ticket ean gtin serial commit ref",
);

/** Codes with few digits, which need a word beside them. */
const shortForms: readonly Form[] = [
  {
    type: "IN_PAN",
    pattern: /(?<!\w)[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z](?!\w)/gi,
    context: wordSet("pan permanent income tax"),
    score: 0.7,
  },
  {
    type: "UK_POSTCODE",
    pattern:
      /(?<!\w)(?:GIR 0AA|[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d|[A-HK-Y]\d\d|\d[A-HJKPSTUW]|[A-HK-Y]\d[ABEHMNPRV-Y])) ?\d[ABD-HJLNP-UW-Z]{2}(?!\w)/gi,
    context: wordSet("postcode post postal zip address postleitzahl"),
    score: 0.6,
  },
];

type Around = (at: number) => Context;

const candidatesOf = (own: readonly Form[], text: string, contextAt: Around): Candidate[] =>
  own.flatMap(({ type, pattern, holds, context, contextIf, score }) =>
    matchesOf(text, pattern).flatMap(({ value, start, end, groups, alone }) => {
      if (!alone || holds?.(value.replaceAll(/[^\p{L}\p{N}]/gu, ""), groups) === false) return [];
      const around = contextAt(start);
      const needs = context !== undefined && (contextIf === undefined || contextIf(value));
      const isBacked = context !== undefined && around.has(context);
      if (needs && !isBacked) return [];
      // a checksum alone is no proof among order numbers
      if (!isBacked && /^\d+$/.test(value) && around.has(nothing) && !around.has(nationalWords)) return [];
      return [
        { type, start, end, score: isBacked ? Math.min(1, score + 0.1) : score, detector: `${type.toLowerCase()}/1` },
      ];
    }),
  );

/** The words that forms cannot do without: where none is in the text or the field, they are not looked for. */
const wordsNeeded = (own: readonly Form[]): RegExp =>
  new RegExp(own.flatMap(({ context, contextIf }) => (context === undefined || contextIf !== undefined ? [] : [...context])).join("|"), "i"); // prettier-ignore
const [needed, neededShort] = [wordsNeeded(forms), wordsNeeded(shortForms)];
const byThemselves = forms.filter(({ context, contextIf }) => context === undefined || contextIf !== undefined);

/** Numbers of persons and accounts, of six digits and more. `field` is the name of the property. */
export const nationalNumbers = (text: string, field: string, contextAt: Around): Candidate[] =>
  candidatesOf(needed.test(text) || needed.test(field) ? forms : byThemselves, text, contextAt);

/** The same of fewer digits. */
export const shortCodes = (text: string, field: string, contextAt: Around): Candidate[] =>
  neededShort.test(text) || neededShort.test(field) ? candidatesOf(shortForms, text, contextAt) : [];

/** Networks: prefix, lengths, and whether the number alone is not enough. */
const networks: readonly (readonly [prefix: RegExp, lengths: readonly number[], needsContext?: true])[] = [
  [/^4/, [16, 19]],
  [/^4/, [13], true],
  [/^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(6011|64[4-9]|65)/, [16, 19]],
  [/^(30[0-5]|36|38|39)/, [14, 15, 16, 17, 18, 19]],
  [/^35(2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^62/, [16, 17, 18, 19]],
  [/^(50|5[6-9]|6[0-9])/, [16]],
  [/^(50|5[6-9]|6[0-9])/, [12, 13, 14, 15, 17, 18, 19], true],
  [/^1/, [15], true],
];
const cardWords = wordSet("card cards cc pan credit debit visa mastercard amex maestro diners discover jcb unionpay payment kreditkarte carte tarjeta number"); // prettier-ignore

const isCard = (digits: string, hasContext: () => boolean): boolean =>
  !/^(\d)\1+$/.test(digits) &&
  networks.some(
    ([prefix, lengths, needsContext]) =>
      lengths.includes(digits.length) && prefix.test(digits) && (needsContext !== true || hasContext()),
  ) && // prettier-ignore
  check.luhn(digits);

/** Digits that a number has. */
const [fewestDigits, mostDigits] = [12, 19];

/** Card numbers: groups of digits with one kind of separator; of a longer row of groups, the first that make one. */
export const cards = (text: string, contextAt: (at: number) => Context): Candidate[] =>
  matchesOf(text, /(?<!\d|\d\.)\d{2,19}(?:([- ])\d{2,7}(?:\1\d{1,7})*)?(?!\d)/g).flatMap(({ value, start, alone, groups: [mark] }) => {
    const digits = value.replaceAll(/\D/g, "");
    if (!alone || digits.length < fewestDigits || text[start - 1] === "-") return [];
    const parts = mark === undefined ? [value] : value.split(mark);
    // where each group begins among the digits
    const edges = [0];
    for (const { length } of parts) edges.push((edges.at(-1) ?? 0) + length);
    const edge = (part: number): number => edges[part] ?? digits.length;
    /** The end of the longest row of groups from here that is a card. */
    const cardFrom = (first: number): number | undefined => {
      let last = first + 1;
      while (last < parts.length && edge(last + 1) - edge(first) <= mostDigits) last += 1;
      for (; last > first && edge(last) - edge(first) >= fewestDigits; last -= 1) {
        const hasContext = () => contextAt(start + edge(first) + first).has(cardWords);
        if (isCard(digits.slice(edge(first), edge(last)), hasContext)) return last;
      }
      return undefined;
    };
    const found: Candidate[] = [];
    for (let first = 0; first < parts.length; first += 1) {
      const last = cardFrom(first);
      if (last === undefined) continue;
      // one separator stands before each group but the first
      const [from, to] = [start + edge(first) + first, start + edge(last) + last - 1];
      found.push({ type: "CREDIT_CARD", start: from, end: to, score: 0.95, detector: "card/1" });
      first = last - 1;
    }
    return found;
  }); // prettier-ignore

/** How long an IBAN of each country is (SWIFT registry). */
const ibanLengths = new Map(
  "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))] as const),
);

export const ibans = (text: string): Candidate[] =>
  matchesOf(text, /(?<![\p{L}\p{N}])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}/giu).flatMap(({ value, start }) => {
    const length = ibanLengths.get(value.slice(0, 2).toUpperCase());
    if (length === undefined) return [];
    let [end, compact] = [0, ""];
    for (; end < value.length && compact.length < length; end += 1)
      if (/[A-Z0-9]/i.test(value[end] ?? "")) compact += value[end];
    const next = text[start + end] ?? " ";
    if (compact.length < length || /[\p{L}\p{N}]/u.test(next)) return [];
    return check.mod97(compact.slice(4) + compact.slice(0, 4)) === 1
      ? [{ type: "IBAN_CODE", start, end: start + end, score: 0.98, detector: "iban/1" }]
      : [];
  }); // prettier-ignore
