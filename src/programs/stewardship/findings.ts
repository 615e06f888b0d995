import { wordsOf } from "#programs/privacy/text.ts";
import { findPersonal } from "#programs/privacy/detect.ts";
import type { DataClass, Kind } from "./contract.ts";

/** What values of a property or trait look like, as far as anybody should know. It holds none of them. */
export interface Found {
  readonly kind: Kind;
  readonly name: string;
  /** EMAIL_ADDRESS, CREDIT_CARD …; FIELD_NAME where only its name says so. */
  readonly type: string;
  /** Which rule found it, with its version: what was judged of an earlier one is asked again. */
  readonly detector: string;
  /** Values that looked so, and how many were looked at. */
  readonly hits: number;
  readonly looked: number;
}

/** Values of one property or trait that came lately. */
export interface Values {
  readonly kind: Kind;
  readonly name: string;
  readonly values: readonly string[];
}

/** So much of the values must look so; a few do by chance. */
const leastShare = 0.1;
const restricted: ReadonlySet<string> = new Set(["SECRET", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "US_ITIN", "ABA_ROUTING"]); // prettier-ignore

/** How a steward is advised to class what looks so. */
export const advised = (type: string): DataClass => (restricted.has(type) ? "restricted" : "personal");

/** Words of names that are personal by themselves, whole words only; and those that say that it is about them, not them. */
const personalWords = new Set("email phone mobile address street zip zipcode postcode birthdate birthday dob ssn passport iban salary income gender sex religion race ethnicity diagnosis firstname lastname surname fullname".split(" ")); // prettier-ignore
const vetoWords = new Set("verified count opened clicked sent has is type status domain provider template id version".split(" ")); // prettier-ignore
const byName = (name: string): boolean => {
  const words = wordsOf(name);
  return words.some((word) => personalWords.has(word)) && !words.some((word) => vetoWords.has(word));
};

/** What is found in values, by property or trait; one finding each, of the type that most of them look like. */
export const findingsIn = (all: readonly Values[]): Found[] =>
  all.flatMap(({ kind, name, values }): Found[] => {
    const looked = values.length;
    const counts = new Map<string, { hits: number; detector: string }>();
    for (const value of values)
      for (const [type, detector] of new Map(findPersonal(value, name).map((one) => [one.type, one.detector])))
        counts.set(type, { hits: (counts.get(type)?.hits ?? 0) + 1, detector });
    const [most] = [...counts].toSorted(([, a], [, b]) => b.hits - a.hits);
    if (most !== undefined && most[1].hits / looked >= leastShare)
      return [{ kind, name, type: most[0], detector: most[1].detector, hits: most[1].hits, looked }];
    const texts = values.filter((value) => !["true", "false", "0", "1", ""].includes(value));
    return texts.length > 0 && byName(name) ? [{ kind, name, type: "FIELD_NAME", detector: "field-name/1", hits: 0, looked }] : []; // prettier-ignore
  });
