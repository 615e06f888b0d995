import type { WorkspaceCall } from "#kernel/module.ts";
import { isUsedIn } from "#kernel/references.ts";
import type { Store } from "#kernel/state/store.ts";
import { modelVersion } from "../scorer/heads.ts";
import { scoredEvent } from "../work.ts";
import { activeOf, createBook, madeHere, standingOf } from "./book.ts";

/**
 * Since when the numbers of a definition mean something else: those made of scores do from the moment on in which another
 * version of the score was switched on, since what was told as events stays as it was, or in which an upgrade took the
 * scorer in use away, since what is new is scored by the one that there is. Undefined where they never did.
 */
export const scoreBreaks =
  (store: Store) =>
  async (call: WorkspaceCall, definition: unknown): Promise<number | undefined> => {
    if (!isUsedIn(definition, { kind: "event", id: scoredEvent })) return undefined;
    const versions = await createBook(store).known(call);
    const switched = standingOf(versions).at(-1)?.since ?? 0;
    const isGone = activeOf(madeHere(versions))?.model !== modelVersion;
    const came = isGone ? Date.parse(versions.find(({ id }) => id === modelVersion)?.madeAt ?? "") : 0;
    const last = Math.max(switched, Number.isFinite(came) ? came : 0);
    return last === 0 ? undefined : last;
  };
