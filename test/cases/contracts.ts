import { compileSchema, type Violation } from "#programs/contracts/schema.ts";
import { dispose, type Facts, type Settings } from "#programs/contracts/disposition.ts";
import { compareSchemas } from "#programs/contracts/evolution.ts";
import { OdcsSchema, schemaOf } from "#programs/contracts/odcs.ts";
import { difference, type Outcome } from "./cases.ts";

/** Case files are data of many shapes. */
type Any = any;

interface ContractCases {
  readonly contracts: { readonly jsonschema: Record<string, Any>; readonly odcs: Record<string, Any> };
  readonly validation: readonly Any[];
  readonly odcs_validation: readonly Any[];
  readonly evolution: readonly Any[];
  readonly disposition: readonly Any[];
}

/** Violations as a set, in an order of their own. */
const asSet = (violations: readonly Any[]): string[] =>
  [...new Set(violations.map(({ path, keyword, rule }) => `${path} ${keyword} ${rule}`))].toSorted();

const verdict = (found: readonly Violation[]) => ({
  verdict: found.length === 0 ? "valid" : "violation",
  violations: asSet(found),
});
const wanted = ({ expected }: Any) => ({ verdict: expected.verdict, violations: asSet(expected.violations) });

const isRight = (schema: Any, event: unknown): boolean => compileSchema(schema)(event).length === 0;

/** The verdict, and that each witness is one: ours and the file's. */
const evolution = (test: Any): unknown => {
  const found = compareSchemas(test.old, test.new);
  const reasons = found.changes.map(({ code, path }) => `${path} ${code}`).toSorted();
  const { refusedNow, acceptedNow } = found;
  const proves =
    (refusedNow === undefined || (isRight(test.old, refusedNow.event) && !isRight(test.new, refusedNow.event))) &&
    (acceptedNow === undefined || (isRight(test.new, acceptedNow.event) && !isRight(test.old, acceptedNow.event)));
  const { backward, forward, breaking, bump } = found;
  return {
    backward,
    forward,
    breaking,
    bump,
    reasons,
    proves,
    refused: refusedNow !== undefined,
    accepted: acceptedNow !== undefined,
  };
};
const evolutionWanted = ({ expected }: Any) => ({
  backward: expected.backward,
  forward: expected.forward,
  breaking: expected.breaking,
  bump: expected.bump,
  reasons: expected.reasons.map(({ code, path }: Any) => `${path} ${code}`).toSorted(),
  proves: true,
  refused: !expected.backward,
  accepted: !expected.forward,
});

const disposition = (test: Any): unknown => {
  const found = dispose(test.settings as Settings, test.facts as Facts);
  return { ...found, stored_payload: found.storesPayload };
};

export const runContracts = (file: ContractCases): Outcome => {
  const { jsonschema, odcs } = file.contracts;
  const all: readonly (readonly [kind: string, test: Any, expected: unknown, got: () => unknown])[] = [
    ...file.validation.map((test) => ["validation", test, wanted(test), () => verdict(compileSchema(jsonschema[test.contract])(test.event))] as const),
    ...file.odcs_validation.map((test) => ["odcs_validation", test, wanted(test), () => verdict(compileSchema(schemaOf(OdcsSchema.parse(odcs[test.contract])))(test.record))] as const),
    ...file.evolution.map((test) => ["evolution", test, evolutionWanted(test), () => evolution(test)] as const),
    ...file.disposition.map((test) => ["disposition", test, test.expected, () => disposition(test)] as const),
  ]; // prettier-ignore
  const failures = all.flatMap(([kind, { id }, expected, got]) => {
    try {
      const why = difference(expected, got());
      return why === undefined ? [] : [{ id, kind, why }];
    } catch (error) {
      return [{ id, kind, why: error instanceof Error ? error.message : String(error) }];
    }
  });
  return { passed: all.length - failures.length, failures, unsupported: new Map() };
};
