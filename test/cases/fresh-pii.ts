import { getExampleNumber, type CountryCode } from "libphonenumber-js/max";
import examples from "libphonenumber-js/examples.mobile.json";

/**
 * Labelled strings that no detector has seen: made anew from a seed, by rules of their own. Numbers are made by their
 * published checksums, written here a second time.
 */
interface Entity {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}
export interface FreshCase {
  readonly id: string;
  readonly text: string;
  readonly field?: string;
  readonly tier: 1;
  readonly entities: readonly Entity[];
}

const luhnDigit = (body: string): string => {
  let sum = 0;
  for (let at = body.length - 1, twice = true; at >= 0; at -= 1, twice = !twice) {
    const digit = Number(body[at]) * (twice ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return String((10 - (sum % 10)) % 10);
};
const ibanOf = (country: string, body: string): string => {
  const numeric = Array.from(`${body}${country}00`, (one) => String(Number.parseInt(one, 36))).join("");
  return `${country}${String(98n - (BigInt(numeric) % 97n)).padStart(2, "0")}${body}`;
};

export const freshPii = (seed: number, count: number): { cases: FreshCase[] } => {
  let state = seed;
  const random = (n: number): number => (state = (state * 48_271) % 2_147_483_647) % n;
  const pick = <T>(all: readonly T[]): T => all[random(all.length)]!;
  const digits = (n: number): string => Array.from({ length: n }, () => random(10)).join("");
  const letters = (n: number, of = "abcdefghijklmnopqrstuvwxyz"): string => Array.from({ length: n }, () => of[random(of.length)]).join("");
  const mixed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const grouped = (text: string, sizes: readonly number[], mark: string): string => {
    let at = 0;
    return sizes.map((size) => text.slice(at, (at += size))).filter((part) => part !== "").join(mark);
  };
  const card = (): string => {
    const [prefix, length] = pick([["4", 16], ["51", 16], ["55", 16], ["2221", 16], ["34", 15], ["37", 15], ["6011", 16], ["3530", 16], ["62", 16]] as const);
    const body = prefix + digits(length - prefix.length - 1);
    const whole = body + luhnDigit(body);
    return length === 15 ? pick([whole, grouped(whole, [4, 6, 5], " ")]) : pick([whole, grouped(whole, [4, 4, 4, 4], " "), grouped(whole, [4, 4, 4, 4], "-")]);
  };
  const iban = (): string => {
    const [country, body] = pick([["DE", digits(18)], ["GB", letters(4, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") + digits(14)], ["FR", digits(23)], ["NL", letters(4, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") + digits(10)], ["ES", digits(20)], ["CH", digits(17)]] as const);
    const whole = ibanOf(country, body);
    return pick([whole, grouped(whole, [4, 4, 4, 4, 4, 4, 4], " ")]);
  };
  const phone = (): string => {
    const region = pick<CountryCode>(["US", "GB", "DE", "FR", "AU", "IN", "BR", "JP", "ES", "IT", "NL", "SE", "PL", "MX", "ZA", "KR"]);
    const number = getExampleNumber(region, examples)!;
    return pick([number.formatInternational(), number.format("E.164")]);
  };
  const makers: Readonly<Record<string, () => string>> = {
    EMAIL_ADDRESS: () => `${letters(1 + random(8))}${pick(["", ".", "_", "+", "-"])}${letters(2 + random(6))}${pick(["", String(random(99))])}@${letters(3 + random(8))}.${pick(["com", "org", "co.uk", "io", "de", "example", "com.br", "museum"])}`,
    PHONE_NUMBER: phone,
    CREDIT_CARD: card,
    IBAN_CODE: iban,
    US_SSN: () => `${String(1 + random(665)).padStart(3, "0")}-${String(1 + random(99)).padStart(2, "0")}-${String(1 + random(9999)).padStart(4, "0")}`,
    IP_ADDRESS: () => pick([`${1 + random(200)}.${random(256)}.${random(256)}.${random(256)}`, `2001:db8:${letters(4, "0123456789abcdef")}::${letters(4, "123456789abcdef")}`]),
    MAC_ADDRESS: () => Array.from({ length: 6 }, () => letters(2, "0123456789ABCDEF")).join(":"),
    SECRET: () => pick([() => `ghp_${letters(36, mixed)}`, () => `AKIA${letters(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")}`, () => `sk_live_${letters(24, mixed)}`, () => `glpat-${letters(20, mixed)}`, () => `npm_${letters(36, mixed)}`, () => `AIza${letters(35, mixed)}`, () => `hf_${letters(34, mixed)}`, () => `xoxb-${digits(12)}-${digits(12)}-${letters(24, mixed)}`, () => `postgres://${letters(5)}:${letters(10, mixed)}@`])(),
  };
  const around: readonly (readonly [string, string])[] = [["", ""], ["Please use ", " from now on."], ["my details: ", ", thanks"], ['{"value":"', '"}'], ["(", ")"], ["It was “", "”."], ["a=1&v=", "&b=2"]];
  const words = ["order", "build", "ticket", "page", "invoice", "step"];
  const negatives: readonly (() => string)[] = [
    () => `${pick(words)} ${digits(5 + random(5))}`,
    () => `v${random(9)}.${random(20)}.${random(30)}.${random(9)}`,
    () => new Date(1.6e12 + random(2e9) * 50).toISOString(),
    () => String(1_600_000_000 + random(90_000_000)),
    () => `${letters(8, "0123456789abcdef")}-${letters(4, "0123456789abcdef")}-4${letters(3, "0123456789abcdef")}-a${letters(3, "0123456789abcdef")}-${letters(12, "0123456789abcdef")}`,
    () => letters(40, "0123456789abcdef"),
    () => `$${random(9)},${digits(3)}.${digits(2)}`,
    () => `${pick(words)}@${random(3) + 1}x.png`,
    () => `/products/${digits(6)}/reviews?page=${random(9)}`,
    () => `${pick(words)}_${pick(words)}_clicked`,
    () => `${letters(6)}::${letters(5)}()`,
    () => `INV-2026-${digits(6)}`,
    () => `lat ${random(80)}.${digits(6)}, lon -${random(80)}.${digits(6)}`,
    () => `npm i ${letters(6)}@${random(20)}.${random(9)}.${random(9)}`,
    () => `token count: ${digits(4)}; password reset sent`,
    () => `${random(24)}:${10 + random(49)}:${10 + random(49)}`,
    () => `pk_live_${letters(24, mixed)}`,
    () => `rated ${random(5)} of 5 by ${random(900)} people`,
  ];
  const types = Object.keys(makers);
  return {
    cases: Array.from({ length: count }, (_, n): FreshCase => {
      if (n % 2 === 1) return { id: `fresh-neg-${n}`, text: `${pick(["", "see ", "at "])}${pick(negatives)()}`, tier: 1, entities: [] };
      const type = types[(n / 2) % types.length]!;
      const value = makers[type]!();
      const [before, after] = value.endsWith("@") ? ["db ", "db.example.com/main"] : pick(around);
      return { id: `fresh-${n}`, text: before + value + after, tier: 1, entities: [{ type, start: before.length, end: before.length + value.length }] };
    }),
  };
}; // prettier-ignore
