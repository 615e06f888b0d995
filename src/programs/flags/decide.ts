import type { Audiences } from "./audience.ts";
import type { Evaluation } from "./evaluate.ts";
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
  (shelf: Shelf, audiences: Audiences): Decide =>
  async ({ workspace, environment }, { key, account, attributes }, keys) => {
    const book = await shelf.book(workspace, environment);
    const audience = await audiences.of(workspace, book.cohorts);
    const context = { key, attributes, isIn: audience(key, account) };
    const now = Date.now();
    return (keys ?? book.keys).map((one) => book.evaluate(one, context, now));
  };

/** The account that an attribute names. */
export const accountIn = ({ account }: Readonly<Record<string, unknown>>): string | undefined =>
  typeof account === "string" && account !== "" ? account : undefined;
