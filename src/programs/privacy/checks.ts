import { createHash } from "node:crypto";

/** Checksums of published number formats. Digits come as text without separators. */

const digitsOf = (text: string): number[] => Array.from(text, Number);
const weighted = (text: string, weights: readonly number[]): number =>
  weights.reduce((sum, weight, at) => sum + weight * Number(text[at]), 0);

/** ISO/IEC 7812: cards, Canadian and Swedish numbers. */
export const luhn = (text: string): boolean =>
  digitsOf(text)
    .toReversed()
    .reduce((sum, digit, at) => sum + (at % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2), 0) % 10 === 0; // prettier-ignore

/** Remainder by 97 of a number whose letters count from A = 10 (ISO 7064, IBAN). */
export const mod97 = (text: string): number => {
  let rest = 0;
  for (const character of text.toUpperCase())
    for (const digit of String(Number.parseInt(character, 36))) rest = (rest * 10 + Number(digit)) % 97;
  return rest;
};

/** Nine digits of a US bank: 3-7-1, and a first pair that the Federal Reserve gives out. */
export const isRouting = (text: string): boolean => {
  const first = Number(text.slice(0, 2));
  const isGiven = first <= 12 || (first >= 21 && first <= 32) || (first >= 61 && first <= 72) || first === 80;
  return isGiven && weighted(text, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0;
};

export const isNhs = (text: string): boolean => {
  const check = 11 - (weighted(text, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11);
  return (check === 11 ? 0 : check) === Number(text[9]);
};
export const isTfn = (text: string): boolean => weighted(text, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0;
export const isMedicare = (text: string): boolean =>
  /^[2-6]/.test(text) && weighted(text, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(text[8]);
export const isBsn = (text: string): boolean =>
  Number(text) > 0 && weighted(text, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;

/** ISO 7064 mod 11,10, and of the first ten digits one that comes twice or three times, the others once. */
export const isGermanTax = (text: string): boolean => {
  if (text.startsWith("0")) return false;
  const counts = Array.from({ length: 10 }, (_, digit) => text.slice(0, 10).split(String(digit)).length - 1);
  if (counts.filter((count) => count > 1).length !== 1 || Math.max(...counts) > 3) return false;
  let product = 10;
  for (const digit of digitsOf(text.slice(0, 10))) {
    const sum = (digit + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === Number(text[10]);
};

const spanish = "TRWAGMYFPDXBNJZSQVHLCKE";
export const isSpanish = (digits: string, letter: string): boolean => spanish[Number(digits) % 23] === letter.toUpperCase(); // prettier-ignore

const odds = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
export const isItalian = (code: string): boolean => {
  const valueOf = (character: string): number =>
    /\d/.test(character) ? Number(character) : character.charCodeAt(0) - 65;
  const sum = Array.from(code.slice(0, 15).toUpperCase(), valueOf).reduce(
    (total, value, at) => total + (at % 2 === 0 ? (odds[value] ?? 0) : value),
    0,
  );
  return String.fromCharCode(65 + (sum % 26)) === code[15]?.toUpperCase();
};

export const isFrench = (text: string): boolean => {
  const body = text.slice(0, 13).toUpperCase().replace("2A", "19").replace("2B", "18");
  return 97 - (Number(body) % 97) === Number(text.slice(13));
};

/** A day that there is: of a year (two or four digits), month and day. */
const isDay = (month: number, day: number): boolean => month >= 1 && month <= 12 && day >= 1 && day <= 31;

export const isPesel = (text: string): boolean =>
  isDay(Number(text.slice(2, 4)) % 20, Number(text.slice(4, 6))) &&
  (10 - (weighted(text, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === Number(text[10]);

export const isCpf = (text: string): boolean => {
  if (/^(\d)\1+$/.test(text)) return false;
  const check = (length: number): number => {
    const rest =
      (weighted(
        text,
        Array.from({ length }, (_, at) => length + 1 - at),
      ) *
        10) %
      11;
    return rest === 10 ? 0 : rest;
  };
  return check(9) === Number(text[9]) && check(10) === Number(text[10]);
};

export const isHetu = (day: string, serial: string, letter: string): boolean =>
  isDay(Number(day.slice(2, 4)), Number(day.slice(0, 2))) &&
  "0123456789ABCDEFHJKLMNPRSTUVWXY"[Number(day + serial) % 31] === letter.toUpperCase();

export const isSwedish = (text: string): boolean =>
  isDay(Number(text.slice(2, 4)), Number(text.slice(4, 6)) % 60) && luhn(text);
export const isSouthAfrican = (text: string): boolean =>
  isDay(Number(text.slice(2, 4)), Number(text.slice(4, 6))) && luhn(text);

const multiply = [
  "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
  "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
]; // prettier-ignore
const permute = ["0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258"]; // prettier-ignore
/** Verhoeff's scheme, of Aadhaar numbers. */
export const verhoeff = (text: string): boolean =>
  digitsOf(text)
    .toReversed()
    .reduce((sum, digit, at) => Number(multiply[sum]?.[Number(permute[at % 8]?.[digit])]), 0) === 0;

export const isNric = (text: string): boolean => {
  const [series = "", letter = ""] = [text[0]?.toUpperCase(), text[8]?.toUpperCase()];
  const sum = weighted(text.slice(1, 8), [2, 7, 6, 5, 4, 3, 2]) + ("TG".includes(series) ? 4 : series === "M" ? 3 : 0);
  const letters = { S: "JZIHGFEDCBA", T: "JZIHGFEDCBA", F: "XWUTRQPNMLK", G: "XWUTRQPNMLK", M: "XWUTRQPNJLK" }[series];
  return letters?.[series === "M" ? 10 - (sum % 11) : sum % 11] === letter;
};

const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const sha256 = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();
/** A Bitcoin address of the older kind: 21 bytes and four of their double hash. */
export const isBase58Check = (text: string): boolean => {
  let number = 0n;
  for (const character of text) {
    const digit = base58.indexOf(character);
    if (digit < 0) return false;
    number = number * 58n + BigInt(digit);
  }
  const hex = number.toString(16);
  if (hex.length > 50) return false;
  const bytes = Buffer.from(hex.padStart(50, "0"), "hex");
  return sha256(sha256(bytes.subarray(0, 21)))
    .subarray(0, 4)
    .equals(bytes.subarray(21));
};

/** A Bitcoin address of the newer kinds (BIP 173 and 350). */
export const isBech32 = (text: string): boolean => {
  const lower = text.toLowerCase();
  const values = Array.from(lower.slice(3), (character) => "qpzry9x8gf2tvdw0s3jn54khce6mua7l".indexOf(character));
  if (values.includes(-1)) return false;
  let check = 1;
  for (const value of [3, 3, 0, 2, 3, ...values]) {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].entries())
      if ((top >>> bit) & 1) check ^= generator;
  }
  return check >>> 0 === 1 || check >>> 0 === 0x2bc830a3;
};

/** Shannon's entropy in bits a character. */
export const entropy = (text: string): number => {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
};
