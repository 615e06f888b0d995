import type { Evaluation } from "#sdk/evaluate.ts";
import type { Assignments } from "./assignments.ts";
import type { Audiences } from "./audience.ts";
import type { Place, Shelf } from "./shelf.ts";

/** Who is asked about, as callers say it. */
export interface Asker {
  readonly key: string | undefined;
  readonly account: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Decides some flags of an environment (all, where none is named), in the order of their keys. */
export type Decide = (place: Place, asker: Asker, keys?: readonly string[]) => Promise<readonly Evaluation[]>;

export const decider =
  (shelf: Shelf, audiences: Audiences, assignments: Assignments): Decide =>
  async (place, { key, account, attributes }, keys) => {
    const book = await shelf.book(place.workspace, place.environment);
    const audience = await audiences.of(place.workspace, book.cohorts);
    const kept = book.stickyBy.length === 0 ? undefined : await assignments.of(place, book, { key, attributes });
    const context = { key, attributes, isIn: audience(key, account), ...(kept === undefined ? {} : { kept }) };
    const now = Date.now();
    const decide = (held: typeof context) => (keys ?? book.keys).map((one) => book.evaluate(one, held, now));
    const found = decide(context);
    if (kept === undefined) return found;
    const said = await assignments.keep(place, found);
    if (said.length === 0) return found;
    // somebody else may have been first, and what they were told holds
    const all = new Map(said.map(({ assignment, unit, variation }) => [`${assignment} ${unit}`, variation]));
    return decide({ ...context, kept: (assignment, unit) => all.get(`${assignment} ${unit}`) ?? kept(assignment, unit) }); // prettier-ignore
  };

/** The account that an attribute names. */
export const accountIn = ({ account }: Readonly<Record<string, unknown>>): string | undefined =>
  typeof account === "string" && account !== "" ? account : undefined;
