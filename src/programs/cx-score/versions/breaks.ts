import type { WorkspaceCall } from "#kernel/module.ts";
import { isUsedIn } from "#kernel/references.ts";
import type { Store } from "#kernel/state/store.ts";
import { scoredEvent } from "../work.ts";
import { createBook } from "./book.ts";

/**
 * Since when the numbers of a definition mean something else: those made of scores do from the moment on in which another
 * version of the score was switched on, since what was told as events stays as it was. Undefined where they never did.
 */
export const scoreBreaks =
  (store: Store) =>
  async (call: WorkspaceCall, definition: unknown): Promise<number | undefined> => {
    if (!isUsedIn(definition, { kind: "event", id: scoredEvent })) return undefined;
    const last = (await createBook(store).standing(call)).at(-1);
    return last === undefined || last.since === 0 ? undefined : last.since;
  };
