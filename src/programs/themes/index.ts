import { defineModule, handle, type Module } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Themes } from "./book.ts";
import * as contract from "./contract.ts";

/** What conversations speak of: themes that are found in them, and what people make of them. */
export const themes = ({ themes: book }: { readonly themes: Themes }): Module =>
  defineModule({
    name: "themes",
    jobs: [{ name: "themes.find", everyMs: 60_000, run: book.run }],
    operations: [
  handle(contract.list, async (call) => {
    const found = await book.known(call);
    return {
      foundAt: found?.foundAt ?? null,
      themes: (found?.themes ?? []).map(({ id, title, isPinned, counts, words }) => ({ id, title, isPinned, countsAs: counts === id ? null : counts, words: [...words] })),
    };
  }),
  handle(contract.find, async (call) => {
    const count = await book.discover(call);
    if (count === 0 && (await book.known(call)) === undefined) throw new Refusal("themes.few_texts", "There are too few conversations to find themes in; 60 are needed.");
    await book.assignAll(call);
    return { themes: count };
  }),
  handle(contract.name, async (call, { id, name }) => {
    await book.name(call, id, name);
    return { ok: true as const };
  }),
  handle(contract.merge, async (call, { id, into }) => {
    await (into === null ? book.split(call, id) : book.merge(call, id, into));
    return { ok: true as const };
  }),
],
  }); // prettier-ignore
