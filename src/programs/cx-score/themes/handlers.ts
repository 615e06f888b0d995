import { handle, type Handler } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Themes } from "./book.ts";
import * as contract from "./contract.ts";

/** Operations on themes. */
export const themeHandlers = (themes: Themes): Handler[] => [
  handle(contract.list, async (call) => {
    const found = await themes.known(call);
    return {
      foundAt: found?.foundAt ?? null,
      themes: (found?.themes ?? []).map(({ id, title, isPinned, counts, words }) => ({ id, title, isPinned, countsAs: counts === id ? null : counts, words: [...words] })),
    };
  }),
  handle(contract.find, async (call) => {
    const count = await themes.discover(call);
    if (count === 0 && (await themes.known(call)) === undefined) throw new Refusal("cx.few_texts", "There are too few conversations to find themes in; 60 are needed.");
    await themes.assignAll(call);
    return { themes: count };
  }),
  handle(contract.name, async (call, { id, name }) => {
    await themes.name(call, id, name);
    return { ok: true as const };
  }),
  handle(contract.merge, async (call, { id, into }) => {
    await (into === null ? themes.split(call, id) : themes.merge(call, id, into));
    return { ok: true as const };
  }),
]; // prettier-ignore
