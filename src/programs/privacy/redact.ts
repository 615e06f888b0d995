import { findPersonal, type Finding } from "./detect.ts";

/** A text with what was found in it masked by its type: `[EMAIL_ADDRESS]`. */
const masked = (text: string, findings: readonly Finding[]): string => {
  let [out, at] = ["", 0];
  for (const { type, start, end } of findings) {
    out += `${text.slice(at, start)}[${type}]`;
    at = end;
  }
  return out + text.slice(at);
};

/** Masks a text. */
export const maskText = (text: string): string => masked(text, findPersonal(text));

export interface Redaction {
  /** JSON Pointer of the value. */
  readonly path: string;
  readonly type: string;
  readonly detector: string;
}

/** Which finds count at a place. */
export type Concern = (finding: Finding, path: string) => boolean;

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
 * A value with all personal data and secrets in it masked, as far as they concern, and where they were. Names of
 * properties are masked too. What holds none is given back as it is, not copied.
 */
export const redacted = (
  root: unknown,
  base: string,
  concerns: Concern,
): { readonly value: unknown; readonly found: readonly Redaction[] } => {
  const found: Redaction[] = [];
  const readText = (text: string, path: string, name: string): string => {
    const findings = findPersonal(text, name).filter((finding) => concerns(finding, path));
    if (findings.length === 0) return text;
    for (const { type, detector } of findings) found.push({ path, type, detector });
    return masked(text, findings);
  };
  const read = (value: unknown, path: string, name: string): unknown => {
    if (typeof value === "string") return readText(value, path, name);
    if (typeof value === "number" && Number.isInteger(value) && value >= leastNumber) {
      const text = readText(String(value), path, name);
      return text === String(value) ? value : text;
    }
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) {
      const parts = value.map((part, at) => read(part, `${path}/${at}`, name));
      return parts.some((part, at) => part !== value[at]) ? parts : value;
    }
    const names = new Set<string>();
    const entries = Object.entries(value).map(([key, part]): [string, unknown] => {
      const shown = apart(readText(key, path, ""), names);
      return [shown, read(part, `${path}/${escaped(shown)}`, key)];
    });
    const isSame = Object.entries(value).every(
      ([key, part], at) => entries[at]?.[0] === key && entries[at][1] === part,
    );
    return isSame ? value : Object.fromEntries(entries);
  };
  return { value: read(root, base, ""), found };
};
