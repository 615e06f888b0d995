import { findPersonal, type Finding } from "#programs/privacy/detect.ts";
import type { Outcome } from "./cases.ts";

/** Case files are data of many shapes. */
type Any = any;
interface PiiCases {
  readonly cases: readonly Any[];
}

interface Tally {
  hit: number;
  missed: number;
  wrong: number;
}
export interface Scores {
  /** By type, over tiers 1 and 2. */
  readonly types: ReadonlyMap<string, Tally>;
  readonly all: Tally;
  readonly secrets: Tally;
  readonly negatives: { readonly count: number; readonly flagged: number };
  readonly faults: readonly { readonly id: string; readonly kind: string; readonly why: string }[];
}

export const core = ["EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "IP_ADDRESS"];
const textOf = (test: Any): string => test.text ?? test.parts.join("");

/** Type is equal, and what both cover is at least half of what either does. */
const isMatch = (wanted: Any, found: Finding): boolean => {
  const shared = Math.min(wanted.end, found.end) - Math.max(wanted.start, found.start);
  const joined = Math.max(wanted.end, found.end) - Math.min(wanted.start, found.start);
  return wanted.type === found.type && shared / joined >= 0.5;
};

export const recallOf = ({ hit, missed }: Tally): number => (hit + missed === 0 ? 1 : hit / (hit + missed));
export const f2Of = ({ hit, missed, wrong }: Tally): number =>
  hit === 0 ? 0 : (5 * hit) / (5 * hit + 4 * missed + wrong);

/** Scores tiers 1 and 2. Types that only names and addresses would give are told apart by tier 3, which is not gated. */
export const scorePii = ({ cases }: PiiCases): Scores => {
  const types = new Map<string, Tally>();
  const [all, secrets] = [
    { hit: 0, missed: 0, wrong: 0 },
    { hit: 0, missed: 0, wrong: 0 },
  ];
  const faults: { id: string; kind: string; why: string }[] = [];
  const tallies = (type: string): Tally[] => {
    const own = types.get(type) ?? { hit: 0, missed: 0, wrong: 0 };
    types.set(type, own);
    return type === "SECRET" ? [own, secrets, all] : [own, all];
  };
  let [negatives, flagged] = [0, 0];
  for (const test of cases.filter(({ tier }) => tier < 3)) {
    const found = [...findPersonal(textOf(test), test.field)];
    const wanted = test.entities.filter((one: Any) => one.optional !== true);
    const missed = wanted.filter((one: Any) => !found.some((other) => isMatch(one, other)));
    const wrong = found.filter((one) => !test.entities.some((other: Any) => isMatch(other, one)));
    for (const one of wanted) for (const tally of tallies(one.type)) tally[missed.includes(one) ? "missed" : "hit"] += 1;
    for (const { type } of wrong) for (const tally of tallies(type)) tally.wrong += 1;
    if (test.entities.length === 0) {
      negatives += 1;
      if (found.length > 0) flagged += 1;
    }
    for (const one of missed) faults.push({ id: test.id, kind: "missed", why: `${one.type} in ${JSON.stringify(textOf(test)).slice(0, 120)}` });
    for (const one of wrong) faults.push({ id: test.id, kind: "wrong", why: `${one.type} (${one.detector}) at ${one.start}–${one.end} in ${JSON.stringify(textOf(test)).slice(0, 120)}` });
  } // prettier-ignore
  return { types, all, secrets, negatives: { count: negatives, flagged }, faults };
};

/** What the scores must reach, and where they do not. */
export const belowBars = ({ types, all, secrets, negatives }: Scores): string[] => [
  ...(f2Of(all) >= 0.97 ? [] : [`F2 over all types: expected at least 0.97, got ${f2Of(all).toFixed(3)}`]),
  ...core.flatMap((type) => {
    const recall = recallOf(types.get(type) ?? { hit: 0, missed: 0, wrong: 0 });
    return recall >= 0.97 ? [] : [`recall of ${type}: expected at least 0.97, got ${recall.toFixed(3)}`];
  }),
  ...(recallOf(secrets) >= 0.95 ? [] : [`recall of secrets: expected at least 0.95, got ${recallOf(secrets).toFixed(3)}`]),
  ...(negatives.flagged <= negatives.count * 0.01 ? [] : [`hard negatives flagged: expected at most 1 %, got ${negatives.flagged} of ${negatives.count}`]),
]; // prettier-ignore

export const printScores = ({ types, all, secrets, negatives }: Scores): void => {
  for (const [type, tally] of [...types].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${type.padEnd(28)} found ${tally.hit}, missed ${tally.missed}, wrong ${tally.wrong}`);
  console.log(`F2 ${f2Of(all).toFixed(3)}, recall of secrets ${recallOf(secrets).toFixed(3)}, hard negatives flagged ${negatives.flagged} of ${negatives.count}`); // prettier-ignore
};

/** A case passes where nothing is missed and nothing is wrong; the file passes where the bars are met. */
export const runPii = (file: PiiCases): Outcome => {
  const scores = scorePii(file);
  printScores(scores);
  for (const { id, kind, why } of scores.faults) console.log(`${kind} ${id}: ${why}`);
  const bars = belowBars(scores).map((why) => ({ id: "bar", kind: "pii", why }));
  const faulty = new Set(scores.faults.map(({ id }) => id)).size;
  return { passed: file.cases.filter(({ tier }) => tier < 3).length - faulty, failures: bars, unsupported: new Map() };
};
