import { createHmac } from "node:crypto";
import { findPersonal, type Finding } from "./detect.ts";

/**
 * What is put in the place of what was found: its type; its type with a token that is the same for the same value in a
 * workspace; what tells nobody apart (the domain, the network, the last four digits, the year); or nothing.
 */
export const treatments = ["mask", "token", "truncate", "drop"] as const;
export type Treatment = (typeof treatments)[number];

/** What is left of a value that no longer tells whose it is; nothing where a type has no such part. */
const remainders: Readonly<Record<string, (value: string) => string>> = {
  EMAIL_ADDRESS: (value) => `at ${value.slice(value.lastIndexOf("@") + 1).toLowerCase()}`,
  IP_ADDRESS: (value) =>
    value.includes(":") ? `${value.split(":").slice(0, 3).join(":")}:*` : `${value.split(".").slice(0, 3).join(".")}.*`,
  CREDIT_CARD: (value) => `*${value.replaceAll(/\D/g, "").slice(-4)}`,
  PHONE_NUMBER: (value) => `*${value.replaceAll(/\D/g, "").slice(-2)}`,
  DATE_OF_BIRTH: (value) => /(?:19|20)\d{2}/.exec(value)?.[0] ?? "",
};

/** The same value has the same token in a workspace, and says nothing else of it. */
export const tokenOf = (key: string, value: string): string =>
  `tok_${createHmac("sha256", key).update(`value\0${value.trim().toLowerCase()}`).digest("hex").slice(0, 20)}`;

/** Whether a value was put in place of another at the door. */
export const isStandIn = (value: unknown): boolean =>
  typeof value === "string" && (/^tok_[0-9a-f]{20}$/.test(value) || /^\[[A-Z_]+(?: [^[\]]*)?\]$/.test(value));

const standIn = (type: string, value: string, treatment: Treatment, key: string): string => {
  if (treatment === "token") return `[${type} ${tokenOf(key, value)}]`;
  const rest = treatment === "truncate" ? (remainders[type]?.(value) ?? "") : "";
  return rest === "" ? `[${type}]` : `[${type} ${rest}]`;
};

/** A text with what was found in it replaced. */
const replaced = (text: string, findings: readonly Finding[], of: (finding: Finding) => string): string => {
  let [out, at] = ["", 0];
  for (const finding of findings) {
    out += text.slice(at, finding.start) + of(finding);
    at = finding.end;
  }
  return out + text.slice(at);
};

/** Masks a text. */
export const maskText = (text: string): string => replaced(text, findPersonal(text), ({ type }) => `[${type}]`);

/** One value in the way that its contract asks for; undefined for nothing. What stands in already stays. */
export const treated = (value: unknown, treatment: Treatment, key: string): unknown => {
  if (treatment === "drop") return undefined;
  if (value === null || isStandIn(value)) return value;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (treatment === "token") return tokenOf(key, text);
  const findings = treatment === "truncate" ? findPersonal(text) : [];
  if (findings.length === 0) return "[MASKED]";
  return replaced(text, findings, ({ type, start, end }) => standIn(type, text.slice(start, end), "truncate", key));
};

export interface Redaction {
  /** JSON Pointer of the value. */
  readonly path: string;
  readonly type: string;
  readonly detector: string;
}

/** What is done with a find at a place; undefined where it may stay. */
export type Concern = (finding: Finding, path: string) => Treatment | undefined;

/** Two names that read alike once they are masked stay two: `[SECRET]`, `[SECRET] 2`. */
const apart = (name: string, names: Set<string>): string => {
  let own = name;
  for (let n = 2; names.has(own); n += 1) own = `${name} ${n}`;
  names.add(own);
  return own;
};

const escaped = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
/** Numbers of fewer digits are none of those that identify anybody. */
const leastNumber = 100_000_000;

/**
 * A value with all personal data and secrets in it replaced, as far as they concern, and where they were. Names of
 * properties are masked too. What holds none is given back as it is, not copied. `key` is the workspace's, for tokens.
 */
export const redacted = (
  root: unknown,
  base: string,
  concerns: Concern,
  key = "",
): { readonly value: unknown; readonly found: readonly Redaction[] } => {
  const found: Redaction[] = [];
  const readText = (text: string, path: string, name: string, isName: boolean): string | undefined => {
    const findings = findPersonal(text, name);
    if (findings.length === 0) return text;
    const treated = findings.flatMap((finding) => {
      const treatment = concerns(finding, path);
      return treatment === undefined ? [] : [{ ...finding, treatment }];
    });
    if (treated.length === 0) return text;
    for (const { type, detector } of treated) found.push({ path, type, detector });
    if (!isName && treated.some(({ treatment }) => treatment === "drop")) return undefined;
    const ways = new Map(treated.map((one) => [one.start, isName ? "mask" : one.treatment]));
    return replaced(text, treated, ({ type, start, end }) => standIn(type, text.slice(start, end), ways.get(start) ?? "mask", key)); // prettier-ignore
  };
  const read = (value: unknown, path: string, name: string): unknown => {
    if (typeof value === "string") return readText(value, path, name, false);
    if (typeof value === "number" && Number.isInteger(value) && value >= leastNumber) {
      const text = readText(String(value), path, name, false);
      return text === String(value) ? value : text;
    }
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) {
      const parts = value.map((part, at) => read(part, `${path}/${at}`, name));
      return parts.some((part, at) => part !== value[at]) ? parts.filter((part) => part !== undefined) : value;
    }
    const names = new Set<string>();
    const entries = Object.entries(value).map(([own, part]): [string, unknown] => {
      const shown = apart(readText(own, path, "", true) ?? own, names);
      return [shown, read(part, `${path}/${escaped(shown)}`, own)];
    });
    const isSame = Object.entries(value).every(
      ([own, part], at) => entries[at]?.[0] === own && entries[at][1] === part,
    );
    return isSame ? value : Object.fromEntries(entries.filter(([, part]) => part !== undefined));
  };
  return { value: read(root, base, ""), found };
};
