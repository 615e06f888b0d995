import type { Engine } from "#kernel/engine/engine.ts";
import { installStatements } from "./sequence.ts";

const installed = new WeakMap<Engine, Promise<void>>();

/** Makes the evaluators in an engine, once a process; they stay there, so this is cheap and idempotent. */
export const installEvaluators = (engine: Engine): Promise<void> => {
  const known = installed.get(engine);
  if (known !== undefined) return known;
  const installing = installStatements.reduce(
    (before, statement) => before.then(() => engine.command(statement)),
    Promise.resolve(),
  );
  installed.set(engine, installing);
  installing.catch(() => installed.delete(engine));
  return installing;
};
