import type { Verdict } from "./contract.ts";
import { compareSchemas } from "./evolution.ts";
import { schemaOf, titleOf, type Odcs, type OdcsSchema } from "./odcs.ts";

const verdictOf = (event: string, old: OdcsSchema, now: OdcsSchema): Verdict => {
  const { refusedNow, acceptedNow, ...found } = compareSchemas(schemaOf(old), schemaOf(now));
  const shown = (witness: { event: unknown } | undefined): string | null =>
    witness === undefined ? null : JSON.stringify(witness.event);
  return {
    event,
    ...found,
    changes: [...found.changes],
    refusedNow: shown(refusedNow),
    acceptedNow: shown(acceptedNow),
  };
};

/** What a version changes against another: for each event that both have, and which events are gone. */
export const verdictsOf = (old: Odcs, now: Odcs): { readonly verdicts: Verdict[]; readonly removed: string[] } => {
  const before = new Map(old.schema.map((schema) => [titleOf(schema), schema]));
  const names = new Set(now.schema.map(titleOf));
  const verdicts = now.schema.flatMap((schema) => {
    const earlier = before.get(titleOf(schema));
    return earlier === undefined ? [] : [verdictOf(titleOf(schema), earlier, schema)];
  });
  return { verdicts, removed: [...before.keys()].filter((name) => !names.has(name)) };
};
