import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";
import { isMap, LineCounter, parseAllDocuments } from "yaml";
import { Refusal } from "#kernel/refusal.ts";
import * as contracts from "#programs/contracts/contract.ts";
import { readContract } from "#programs/contracts/document.ts";
import { failedTests } from "#kernel/policy.ts";
import type { Odcs } from "#programs/contracts/odcs.ts";
import * as policies from "#programs/policy/contract.ts";
import { readPolicy } from "#programs/policy/document.ts";
import { verdictsOf } from "#programs/contracts/verdicts.ts";
import { filesUnder, isDefinition, largestFile, mostFiles } from "./files.ts";
import { askRemote, type Remote } from "./remote.ts";

/** Contracts in a repository, checked before they are merged: whether they can be read, and whom they would break. */

type Level = "error" | "warning" | "notice";

export interface Finding {
  /** `breaking` breaks senders or readers, `invalid` cannot be read, `samples` does not fit recent events. */
  readonly rule: "breaking" | "invalid" | "samples" | "change" | "policy";
  readonly level: Level;
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface Checked {
  readonly findings: readonly Finding[];
  /** Contracts and policies that were looked at; with 0 nothing was checked. */
  readonly checked: number;
  /** What could not be looked at, and why. */
  readonly problems: readonly string[];
}

interface Options {
  readonly path: string;
  /** Compares with the active versions of a workspace, looks at what hangs on them, and tries recent events. */
  readonly remote?: Remote | undefined;
  /** Compares with the files as they are at a commit or branch. */
  readonly base?: string | undefined;
}

interface Written {
  readonly kind: "DataContract" | "AccessPolicy";
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

const isKind = (kind: unknown): boolean => kind === "DataContract" || kind === "AccessPolicy";

/** The contracts and policies in a file; what is no contract (a metric, say) is left to others. */
const contractsIn = (file: string, text: string): { written: Written[]; findings: Finding[] } => {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines });
  const written: Written[] = [];
  const findings: Finding[] = [];
  for (const document of "empty" in documents ? [] : documents) {
    const line = lines.linePos(document.contents?.range?.[0] ?? document.range?.[0] ?? 0).line;
    const [error] = document.errors;
    if (error !== undefined) findings.push({ rule: "invalid", level: "error", file, line: lines.linePos(error.pos[0]).line, message: error.message.split("\n")[0] ?? "no YAML" }); // prettier-ignore
    else if (isMap(document.contents) && isKind(document.get("kind")))
      written.push({ kind: document.get("kind") as Written["kind"], file, line, text: text.slice(document.contents.range?.[0] ?? 0, document.contents.range?.[2] ?? text.length) }); // prettier-ignore
  }
  return { written, findings };
};

/** The contracts of a file or folder as they are written. Throws where a file is no YAML. */
export const contractsUnder = (path: string): Written[] =>
  filesUnder(path).flatMap((file) => {
    const shown = relative(process.cwd(), file) || file;
    const { written, findings } = contractsIn(shown, readFileSync(file, "utf8"));
    const [fault] = findings;
    if (fault !== undefined) throw new Refusal("check.file", `${fault.file}:${fault.line}: ${fault.message}`);
    return written.filter(({ kind }) => kind === "DataContract");
  });

/** The contracts of a file or folder as they are at a commit, by their id: one that moved to another file is the same. */
const contractsAt = (base: string, path: string): ReadonlyMap<string, Odcs> => {
  const isFile = statSync(path).isFile();
  const folder = isFile ? dirname(resolve(path)) : resolve(path);
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 64 * largestFile }); // prettier-ignore
  if (base.startsWith("-")) throw new Refusal("check.base", `${base} is no commit or branch.`);
  try {
    git("rev-parse", "--verify", "--quiet", "--end-of-options", `${base}^{commit}`);
  } catch {
    throw new Refusal("check.base", `${base} is no commit or branch that git knows in ${folder}. Fetch it first.`);
  }
  const names = git("ls-tree", "-r", "-z", "--name-only", base, "--", isFile ? basename(path) : ".").split("\0").filter(isDefinition); // prettier-ignore
  const found = new Map<string, Odcs>();
  if (names.length > mostFiles) throw new Refusal("files.too_many", `${path} holds more than ${mostFiles} files at ${base}.`); // prettier-ignore
  for (const name of names) {
    for (const { text } of contractsIn(name, git("show", `${base}:./${name}`)).written) {
      const document = readOrNothing(text);
      if (document !== undefined) found.set(document.id, document);
    }
  }
  return found;
};

/** What could not be read before cannot be broken now. */
const readOrNothing = (text: string): Odcs | undefined => {
  try {
    return readContract(text);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
};

type Verdicts = ReturnType<typeof verdictsOf>;

const says = (verdict: Verdicts["verdicts"][number]): string => {
  const whom = [...(verdict.backward ? [] : ["senders"]), ...(verdict.forward ? [] : ["readers"])].join(" and ");
  const what = verdict.changes.filter(({ bump }) => bump === "major").slice(0, 5).map(({ code, path }) => `${code} at ${path === "" ? "/" : path}`).join(", "); // prettier-ignore
  const shown = verdict.refusedNow ?? verdict.acceptedNow;
  const witness = shown === null ? "" : ` ${verdict.refusedNow === null ? "Right now and wrong before" : "Right before and wrong now"}: ${shown.slice(0, 300)}`; // prettier-ignore
  return `${verdict.event} breaks ${whom === "" ? "its meaning" : whom}: ${what}.${witness}`;
};

const findingsOf = ({ file, line }: Written, { verdicts, removed }: Verdicts, version: string, against: string): Finding[] => {
  const isRaised = Number(version.split(".")[0]) > Number(against.split(".")[0]);
  /** Whoever raised the first number has said so. */
  const level: Level = isRaised ? "warning" : "error";
  return [
    ...removed.map((name): Finding => ({ rule: "breaking", level, file, line, message: `${name} is gone.` })),
    ...verdicts.flatMap((verdict): Finding[] => {
      if (verdict.breaking) return [{ rule: "breaking", level, file, line, message: `${says(verdict)}${isRaised ? "" : ` Raise the version from ${against} to the next major.`}` }];
      return verdict.changes.length === 0 ? [] : [{ rule: "change", level: "notice", file, line, message: `${verdict.event}: ${verdict.changes.length} changes that break nobody (${verdict.bump}).` }];
    }),
  ];
}; // prettier-ignore

const againstWorkspace = async (remote: Remote, one: Written): Promise<Finding[]> => {
  const answer = contracts.check.output.parse(await askRemote(remote, contracts.check.name, JSON.stringify({ document: one.text }))); // prettier-ignore
  const { version, against, hits, recent } = answer;
  const found = against === null ? [] : findingsOf(one, answer, version, against);
  const downstream = hits.flatMap(({ used, uses }) => uses.map(({ kind, title }) => `${used.id}: ${kind} ${title}`));
  return [
    ...found,
    ...(downstream.length === 0 ? [] : [{ rule: "change", level: "notice", file: one.file, line: one.line, message: `Hang on what changes: ${downstream.slice(0, 20).join("; ")}.` } as const]), // prettier-ignore
    ...recent.filter(({ looked, fits }) => fits < looked).map(({ event, looked, fits, messages }): Finding => ({ rule: "samples", level: "warning", file: one.file, line: one.line, message: `Of the latest ${looked} ${event}, ${looked - fits} would not fit: ${messages.slice(0, 3).join(" ")}` })), // prettier-ignore
  ];
};

/** A policy: whether it can be read and does what its tests say, and what it would change in a workspace. */
const policyFindings = async (remote: Remote | undefined, { text, file, line }: Written): Promise<Finding[]> => {
  const found = readPolicy(text);
  const failed = failedTests(found).map((message): Finding => ({
    rule: "policy",
    level: "error",
    file,
    line,
    message,
  }));
  const untested: Finding[] = found.rules.length > 0 && found.tests.length === 0 ? [{ rule: "policy", level: "warning", file, line, message: "The policy has rules and no tests: write down who may see what, and who may not." }] : []; // prettier-ignore
  if (remote === undefined) return [...failed, ...untested];
  const { changes } = policies.check.output.parse(
    await askRemote(remote, policies.check.name, JSON.stringify({ text })),
  );
  return [...failed, ...untested, ...changes.map((one): Finding => ({ rule: "policy", level: "notice", file, line, message: `${one.role} would see ${one.class}: ${one.see}; now ${one.before}.` }))]; // prettier-ignore
};

/** Checks every contract and policy of a file or folder. Nothing that could not be looked at is passed over in silence. */
export const checkContracts = async ({ path, remote, base }: Options): Promise<Checked> => {
  const findings: Finding[] = [];
  const problems: string[] = [];
  let checked = 0;
  const files = filesUnder(path);
  const earlier = base === undefined ? new Map<string, Odcs>() : contractsAt(base, path);
  const seen = new Set<string>();
  for (const file of files) {
    const shown = relative(process.cwd(), file) || file;
    if (statSync(file).size > largestFile) {
      problems.push(`${shown} is larger than ${largestFile} bytes.`);
      continue;
    }
    const { written, findings: faults } = contractsIn(shown, readFileSync(file, "utf8"));
    findings.push(...faults);
    for (const one of written) {
      checked += 1;
      try {
        if (one.kind === "AccessPolicy") {
          findings.push(...(await policyFindings(remote, one)));
          continue;
        }
        const document = readContract(one.text);
        const old = earlier.get(document.id);
        seen.add(document.id);
        if (old !== undefined) findings.push(...findingsOf(one, verdictsOf(old, document), document.version, old.version)); // prettier-ignore
        if (remote !== undefined) findings.push(...(await againstWorkspace(remote, one)));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.code.startsWith("contract.") || error.code.startsWith("policy."))
          findings.push({ rule: "invalid", level: "error", file: one.file, line: one.line, message: error.message }); // prettier-ignore
        else problems.push(`${one.file}: ${error.message}`);
      }
    }
  }
  for (const id of earlier.keys()) {
    if (!seen.has(id)) findings.push({ rule: "breaking", level: "error", file: path, line: 1, message: `The contract ${id} is gone: nothing is asked of its events any more.` }); // prettier-ignore
  }
  // the same may be found against the base and the workspace
  const different = [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
  return { findings: different, checked, problems };
};

const failing: Readonly<Record<string, readonly Level[]>> = {
  error: ["error"],
  warning: ["error", "warning"],
  never: [],
};

/** 0 clean, 1 findings, 2 something could not be checked, or nothing was. */
export const checkCode = ({ findings, checked, problems }: Checked, failOn: string): 0 | 1 | 2 => {
  if (problems.length > 0 || (checked === 0 && findings.length === 0)) return 2;
  return findings.some(({ level }) => failing[failOn]?.includes(level)) ? 1 : 0;
};

const counted = ({ findings, checked, problems }: Checked): string =>
  `${checked} contracts checked, ${findings.length} findings, ${problems.length} not checked`;

const asText = (found: Checked): string =>
  [
    ...found.findings.map(({ file, line, level, rule, message }) => `${file}:${line}: ${level} (${rule}): ${message}`),
    ...found.problems.map((problem) => `not checked: ${problem}`),
    ...(found.checked === 0
      ? ["There is no contract here (kind: DataContract), and no policy (kind: AccessPolicy)."]
      : []),
    counted(found),
  ].join("\n");

/** Annotations of GitHub: what ends a line or a field is escaped. */
const asGithub = (found: Checked): string => {
  const escaped = (text: string) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  const field = (text: string) => escaped(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
  return [
    ...found.findings.map(({ file, line, level, rule, message }) => `::${level} file=${field(file)},line=${line},title=${field(`contract ${rule}`)}::${escaped(message)}`), // prettier-ignore
    ...found.problems.map((problem) => `::error title=not checked::${escaped(problem)}`),
    counted(found),
  ].join("\n");
};

const asJunit = (found: Checked): string => {
  const control = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g; // what XML cannot hold
  const xml = (text: string) => text.replaceAll(control, "?").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"); // prettier-ignore
  const cases = [
    ...found.findings.map(({ file, line, level, rule, message }) => `  <testcase classname="${xml(file)}" name="${xml(`${rule} at line ${line}`)}">${level === "notice" ? `<system-out>${xml(message)}</system-out>` : `<failure type="${level}" message="${xml(message)}"/>`}</testcase>`), // prettier-ignore
    ...found.problems.map((problem) => `  <testcase classname="check" name="not checked"><error message="${xml(problem)}"/></testcase>`), // prettier-ignore
    ...(found.checked === 0 ? [`  <testcase classname="check" name="nothing was checked"><error message="There is no contract here."/></testcase>`] : []), // prettier-ignore
    ...(found.checked > 0 && found.findings.length === 0 ? [`  <testcase classname="check" name="${found.checked} contracts"/>`] : []), // prettier-ignore
  ];
  const failures = found.findings.filter(({ level }) => level !== "notice").length;
  const errors = found.problems.length + (found.checked === 0 ? 1 : 0);
  return [`<?xml version="1.0" encoding="UTF-8"?>`, `<testsuite name="throughline check" tests="${cases.length}" failures="${failures}" errors="${errors}">`, ...cases, "</testsuite>"].join("\n"); // prettier-ignore
};

export const formats = { text: asText, github: asGithub, junit: asJunit } as const;
export const isFormat = (name: string): name is keyof typeof formats => Object.hasOwn(formats, name);
export const isFailOn = (name: string): boolean => Object.hasOwn(failing, name);
