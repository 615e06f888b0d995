import { z } from "zod";
import { newId } from "#kernel/ids.ts";
import type { WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { engineTime } from "#kernel/sql.ts";
import type { Store } from "#kernel/state/store.ts";
import { untilArrival } from "#records/conversations/rest.ts";
import { storable } from "#records/events/incoming.ts";
import { alike, nearTo, themesIn, vectorOf, vocabularyOf, type Theme, type Vocabulary } from "./cluster.ts";
import { lately, sample, textsOf, unassigned } from "./query.ts";
import { joint, openingOf, termsOf } from "./terms.ts";

/** What conversations of a workspace speak of: found now and then, told for each conversation as it is scored. */

const dayMs = 86_400_000;
/** Themes are found from so many conversations of so many days, anew each week; from so many on. */
const [mostTexts, sinceDays, everyDays, leastTexts, batch] = [4_000, 90, 7, 60, 1_000];
const [shownWords, muchMore] = [8, 3];
/** Two themes that are so alike are one. */
const same = 0.5;

const Vocab = z.object({ terms: z.array(z.string()), idf: z.array(z.number()), texts: z.number().default(0) });
const Count = z.object({ conversations: z.number() });
const Content = z.object({ terms: z.array(z.tuple([z.string(), z.number()])), named: z.array(z.string()), written: z.array(z.string()).default([]), size: z.number(), floor: z.number() }); // prettier-ignore
const Written = z.object({ conversation: z.string(), by: z.string(), turns: z.array(z.string()) });
const Waiting = z.object({ conversation: z.string(), content: z.string(), actor: z.string() });

export interface KnownTheme {
  readonly id: string;
  /** What people call it, or the words that tell it apart. */
  readonly title: string;
  readonly isPinned: boolean;
  /** The theme that it counts as: itself, or the one that people put it to. */
  readonly counts: string;
  /** Words that are frequent in it, as they are written. */
  readonly words: readonly string[];
  readonly terms: ReadonlyMap<string, number>;
  readonly floor: number;
}

interface Known {
  readonly model: string;
  readonly foundAt: string;
  readonly vocabulary: Vocabulary;
  readonly themes: readonly KnownTheme[];
}

export interface ToAssign {
  readonly conversation: string;
  readonly content: string;
  readonly actor: string;
  /** What the customer wrote, in order. */
  readonly turns: readonly string[];
}

/** The forms in which terms are written the most. */
const formsOf = (texts: readonly ReturnType<typeof termsOf>[]): ((term: string) => string) => {
  const counts = new Map<string, Map<string, number>>();
  for (const { written } of texts)
    for (const [term, form] of written) {
      const own = counts.get(term) ?? new Map<string, number>();
      counts.set(term, own.set(form, (own.get(form) ?? 0) + 1));
    }
  return (term) => [...(counts.get(term) ?? [])].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0]?.[0] ?? term.replaceAll(joint, " "); // prettier-ignore
};

export const createThemes = (store: Store) => {
  const rest = untilArrival();
  const themeRows = (call: WorkspaceCall) => store.selectFrom("cx_themes").selectAll().where("workspace", "=", call.workspace.id); // prettier-ignore

  const known = async (call: WorkspaceCall): Promise<Known | undefined> => {
    const row = await store.selectFrom("cx_theme_models").selectAll().where("workspace", "=", call.workspace.id).executeTakeFirst(); // prettier-ignore
    if (row === undefined) return undefined;
    const { terms, idf } = Vocab.parse(JSON.parse(row.vocabulary));
    const rows = await themeRows(call).orderBy("found_at").orderBy("id").execute();
    const themes = rows.map(({ id, name, content, is_pinned, merged_into }): KnownTheme => {
      const own = Content.parse(JSON.parse(content));
      return { id, title: name === "" ? own.named.join(", ") : name, isPinned: is_pinned === 1, counts: merged_into === "" ? id : merged_into, words: own.written, terms: new Map(own.terms), floor: own.floor }; // prettier-ignore
    });
    return { model: row.id, foundAt: row.found_at, vocabulary: { terms, idf, places: new Map(terms.map((term, at) => [term, at])) }, themes }; // prettier-ignore
  };

  const themeOf = ({ vocabulary, themes }: Known, text: string): { id: string; near: number } => {
    const vector = vectorOf(vocabulary, termsOf(text).counts);
    let best = { id: "", near: 0 };
    for (const { id, terms, floor } of themes) {
      const near = nearTo(terms, vocabulary, vector);
      if (near >= floor && near > best.near) best = { id, near };
    }
    return best;
  };

  /** Tells what conversations speak of; gives back how each theme is called. Nothing where none is known yet. */
  const assign = async (call: WorkspaceCall, all: readonly ToAssign[], now: number, held?: Known): Promise<ReadonlyMap<string, string>> => {
    const found = held ?? (await known(call));
    if (found === undefined || all.length === 0) return new Map();
    const titles = new Map(found.themes.map(({ id, title }) => [id, title]));
    const roots = new Map(found.themes.map(({ id, counts }) => [id, counts]));
    const rows = all.map(({ conversation, content, actor, turns }) => ({ conversation, content, actor, ...themeOf(found, openingOf(turns)) })); // prettier-ignore
    await call.engine.insert("cx_topics", rows.map(({ conversation, content, actor, id, near }) => storable({ conversation, actor, content, model: found.model, theme: id, near, assigned: engineTime(now) })).join("\n")); // prettier-ignore
    return new Map(rows.flatMap(({ conversation, id }) => (id === "" ? [] : [[conversation, titles.get(roots.get(id) ?? id) ?? ""]]))); // prettier-ignore
  };

  /** Finds themes anew. Those that people named or put together stay; of others, one that is alike keeps its id. */
  const discover = async (call: WorkspaceCall): Promise<number> => {
    const rows = await call.engine.rows(sample(call.now - sinceDays * dayMs, mostTexts), Written, { purpose: "maintain", signal: call.signal }); // prettier-ignore
    if (rows.length < leastTexts) return 0;
    const texts = rows.map(({ turns }) => termsOf(openingOf(turns)));
    const docs = texts.map(({ counts }, at) => ({ terms: counts, by: rows[at]?.by ?? "" }));
    const vocabulary = vocabularyOf(docs);
    const found = await themesIn(docs, vocabulary);
    const before = (await themeRows(call).execute()).map((row) => ({ ...row, terms: new Map(Content.parse(JSON.parse(row.content)).terms) })); // prettier-ignore
    const form = formsOf(texts);
    const taken = new Set<string>();
    const isPinned = (one: (typeof before)[number]): boolean => one.is_pinned === 1 || one.merged_into !== "";
    const fresh = found.flatMap((theme: Theme) => {
      const [nearest] = before.map((one) => ({ one, near: alike(one.terms, theme.terms) })).filter(({ one, near }) => near >= same && !taken.has(one.id)).toSorted((a, b) => b.near - a.near); // prettier-ignore
      if (nearest !== undefined) taken.add(nearest.one.id);
      // what people named stands for it
      if (nearest !== undefined && isPinned(nearest.one)) return [];
      return [{ workspace: call.workspace.id, id: nearest?.one.id ?? newId("thm"), name: "", content: JSON.stringify({ terms: [...theme.terms], named: theme.named.map(form), written: [...theme.terms.keys()].slice(0, shownWords).map(form), size: theme.size, floor: theme.floor }), is_pinned: 0, merged_into: "", found_at: new Date(call.now).toISOString() }]; // prettier-ignore
    });
    const model = { workspace: call.workspace.id, id: newId("thf"), vocabulary: JSON.stringify({ terms: vocabulary.terms, idf: vocabulary.idf, texts: rows.length }), found_at: new Date(call.now).toISOString() }; // prettier-ignore
    await store.transaction().execute(async (within) => {
      await within.deleteFrom("cx_themes").where("workspace", "=", call.workspace.id).where("is_pinned", "=", 0).where("merged_into", "=", "").execute(); // prettier-ignore
      for (const row of fresh) await within.insertInto("cx_themes").values(row).execute();
      await within.deleteFrom("cx_theme_models").where("workspace", "=", call.workspace.id).execute();
      await within.insertInto("cx_theme_models").values(model).execute();
    });
    return fresh.length;
  };

  /** Tells of all that was not asked yet what it speaks of, a portion at a time. */
  const assignAll = async (call: WorkspaceCall): Promise<void> => {
    const found = await known(call);
    if (found === undefined) return;
    const maintain = { purpose: "maintain", signal: call.signal } as const;
    for (let done = batch; done === batch && !call.signal.aborted;) {
      const waiting = await call.engine.rows(unassigned(found.model, batch), Waiting, maintain);
      const texts = new Map((await call.engine.rows(textsOf(waiting.map(({ conversation }) => conversation)), Written, maintain)).map(({ conversation, turns }) => [conversation, turns])); // prettier-ignore
      await assign(call, waiting.map((one) => ({ ...one, turns: texts.get(one.conversation) ?? [] })), call.now, found); // prettier-ignore
      done = waiting.length;
    }
  };

  const change = async (call: WorkspaceCall, id: string, to: { name?: string; is_pinned?: number; merged_into?: string }): Promise<void> => {
    const { numUpdatedRows } = await store.updateTable("cx_themes").set(to).where("workspace", "=", call.workspace.id).where("id", "=", id).executeTakeFirst(); // prettier-ignore
    if (numUpdatedRows === 0n) throw new Refusal("themes.unknown", "There is no such theme; it may have gone when themes were found anew.", {}, 404); // prettier-ignore
  };

  return {
    known,
    /** Tells of texts, one after another, what they speak of: the theme's id, empty for none. */
    teller: async (call: WorkspaceCall): Promise<{ readonly model: string; readonly tell: (text: string) => string }> => {
      const found = await known(call);
      return { model: found?.model ?? "", tell: (text) => (found === undefined ? "" : themeOf(found, text).id) };
    },
    assign,
    discover,
    assignAll,
    /** Found anew each week, as soon as there is enough to find any, and where there is by now much more. */
    run: async (call: WorkspaceCall): Promise<void> => {
      const found = await store.selectFrom("cx_theme_models").select(["found_at", "vocabulary"]).where("workspace", "=", call.workspace.id).executeTakeFirst(); // prettier-ignore
      const texts = found === undefined ? 0 : Vocab.parse(JSON.parse(found.vocabulary)).texts;
      const isOld = found === undefined || Date.parse(found.found_at) < call.now - everyDays * dayMs;
      const [held] = isOld || texts >= mostTexts ? [] : await call.engine.rows(lately(call.now - sinceDays * dayMs), Count, { purpose: "maintain" }); // prettier-ignore
      if (isOld || (held?.conversations ?? 0) > muchMore * texts) await discover(call);
      await rest(call, (await store.selectFrom("cx_theme_models").select("id").where("workspace", "=", call.workspace.id).executeTakeFirst())?.id, async () => { // prettier-ignore
        await assignAll(call);
        return true;
      });
    },
    /** Ids by the theme that they count as, and what that is called. */
    roots: async (call: WorkspaceCall): Promise<ReadonlyMap<string, { readonly root: string; readonly title: string }>> => {
      const themes = (await known(call))?.themes ?? [];
      const titles = new Map(themes.map(({ id, title }) => [id, title]));
      return new Map(themes.map(({ id, counts }) => [id, { root: counts, title: titles.get(counts) ?? counts }]));
    },
    /** Names it, and keeps it when themes are found anew; an empty name lets it go by its words again. */
    name: (call: WorkspaceCall, id: string, name: string) => change(call, id, { name, is_pinned: name === "" ? 0 : 1 }),
    /** Counts a theme as another one, with all that was counted as it. */
    merge: async (call: WorkspaceCall, id: string, into: string): Promise<void> => {
      const themes = (await known(call))?.themes ?? [];
      const target = themes.find((one) => one.id === into);
      if (target === undefined || target.counts !== target.id || id === into) throw new Refusal("themes.unknown", "Choose another theme to count it as.", {}, 404); // prettier-ignore
      for (const own of themes.filter((one) => one.counts === id && one.id !== id)) await change(call, own.id, { merged_into: into }); // prettier-ignore
      await change(call, id, { merged_into: into });
      await change(call, into, { is_pinned: 1, ...(target.isPinned ? {} : { name: target.title }) });
    },
    /** Keeps it when themes are found anew, such as because something asks for it. */
    pin: (call: WorkspaceCall, id: string) => change(call, id, { is_pinned: 1 }),
    /** Lets a theme stand for itself again. */
    split: (call: WorkspaceCall, id: string) => change(call, id, { merged_into: "", is_pinned: 1 }),
  };
}; // prettier-ignore
export type Themes = ReturnType<typeof createThemes>;
