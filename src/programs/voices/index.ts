import { z } from "zod";
import { newId } from "#kernel/ids.ts";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { resolveRange } from "#insights/common/time.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { iso } from "#records/common/iso.ts";
import { conversationKinds } from "#records/conversations/contract.ts";
import type { ConversationDesk } from "#records/conversations/desk.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import type { Themes } from "../themes/book.ts";
import * as contract from "./contract.ts";
import { byTheme, kindCounts, statementList, waitingCount } from "./query.ts";
import { statementTypes } from "./types.ts";
import { partsOf } from "./transcript.ts";
import { readAll, readerVersion } from "./work.ts";

interface Parts {
  readonly ingest: Ingest;
  readonly registry: SourceRegistry;
  readonly desk: ConversationDesk;
  readonly themes: Themes;
}

const Kind = z.enum(conversationKinds);
const KindRow = z.object({ kind: Kind, conversations: z.number(), statements: z.number() });
const ThemeRow = z.object({ theme: z.string(), statements: z.number(), people: z.number(), problems: z.number(), requests: z.number(), praise: z.number(), jobs: z.number(), mood: z.number(), praising: z.number(), suffering: z.number() }); // prettier-ignore
const Row = z.object({ conversation: z.string(), part: z.string(), start: z.number(), stop: z.number(), type: z.enum(statementTypes), sentiment: z.number(), theme: z.string(), job: z.string(), moment: z.string(), person: z.string(), kind: Kind, account: z.string(), text: z.string(), speaker: z.string(), times: z.number(), people: z.number() }); // prettier-ignore

const notesSource = "Interviews and notes";

/** What people say, in support, interviews, calls, surveys and reviews: by theme, word for word. */
export const voices = ({ ingest, registry, desk, themes }: Parts): Module => {
  const named = async (call: WorkspaceCall) => {
    const all = await themes.roots(call);
    return { roots: new Map([...all].map(([id, { root }]) => [id, root])), titles: new Map([...all.values()].map(({ root, title }) => [root, title])) };
  };
  /** Where what is written down on the page comes through; made with the first of it. */
  const notes = async (call: WorkspaceCall) => {
    const found = (await registry.list(call.workspace.id)).find(({ name }) => name === notesSource);
    const { id } = found ?? (await registry.create(call.workspace.id, notesSource, "api", ""));
    return registry.byId(call.workspace.id, id);
  };

  return defineModule({
    name: "voices",
    aiUses: [
      {
        id: "voices",
        name: "Voices",
        kind: "rules",
        version: String(readerVersion),
        purpose: "Finds problems, requests, praise and jobs to be done in what customers say, each by its exact place.",
        risk: "minimal",
        oversight: "Nothing is decided by it: each statement is shown word for word, with where it was said. Rules and the heads of the CX Score; English in full.",
        needsRelease: false,
      },
    ],
    jobs: [{ name: "voices.read", everyMs: 15_000, run: (call) => readAll(call, themes) }],
    operations: [
      handle(contract.overview, async (call, { from, to, kind }) => {
        const [scope, { roots, titles }] = [await scopeOf(ingest, call), await named(call)];
        const range = resolveRange({ from, to }, scope);
        const [kinds, found, [left]] = await Promise.all([ask(call, kindCounts(range), KindRow), ask(call, byTheme(scope, { range, kind }, roots), ThemeRow), ask(call, waitingCount, z.object({ waiting: z.number() }))]);
        return {
          kinds,
          waiting: left?.waiting ?? 0,
          themes: found.toSorted((a, b) => Number(a.theme === "") - Number(b.theme === "")).map(({ theme, praising, suffering, ...one }) => ({ ...one, id: theme, title: theme === "" ? "" : (titles.get(theme) ?? theme), contradiction: theme !== "" && praising >= contract.leastEach && suffering >= contract.leastEach ? { praising, suffering } : null })),
        };
      }),
      handle(contract.statements, async (call, { from, to, kind, type, theme, limit }) => {
        const [scope, { roots, titles }] = [await scopeOf(ingest, call), await named(call)];
        const counted = theme === undefined ? undefined : theme === "" ? [""] : [...roots].flatMap(([id, root]) => (root === theme ? [id] : []));
        const rows = await ask(call, statementList(scope, { range: resolveRange({ from, to }, scope), kind, type, themes: counted }, roots, limit), Row);
        return {
          statements: rows.flatMap(({ text, stop, job, moment, theme: own, ...row }) => {
            const quote = text.slice(row.start, stop);
            // what was taken back since is not there any more
            if (quote === "") return [];
            const places = job === "" ? undefined : contract.JobPlaces.parse(JSON.parse(job));
            const words = (place: { start: number; end: number } | undefined): string | null => (place === undefined ? null : text.slice(place.start, place.end));
            return [{ ...row, end: stop, quote, theme: own === "" ? "" : (titles.get(own) ?? own), at: iso(moment), job: places === undefined ? null : { when: words(places.when), want: words(places.want) ?? "", so: words(places.so) } }];
          }),
        };
      }),
      handle(contract.add, async (call, { kind, title, at, userId, account, text, ours }) => {
        const began = Date.parse(`${at}T12:00:00Z`);
        const parts = partsOf(text, ours);
        if (parts.every(({ isOurs }) => isOurs)) throw new Refusal("voices.nobody", "Nobody but your own people says anything in it. Write lines like `Ana: what she said`.");
        const id = newId("vce");
        const outcome = await desk.take(await notes(call), { conversations: [{ id, kind, ...(userId === "" ? {} : { userId }), account, channel: kind, subject: title, state: "closed", createdAt: began, parts: parts.map((part, n) => ({ id: String(n + 1), role: part.isOurs ? "teammate" : "customer", author: part.speaker, text: part.text, at: began + n * 1_000 })) }] });
        const [refused] = outcome.rejected;
        if (refused !== undefined) throw new Refusal("voices.refused", `It cannot be taken: ${refused.message}`);
        if (outcome.withheld > 0) throw new Refusal("voices.consent", "This workspace asks for consent, and nothing says that this person gave it.");
        return { id, parts: parts.length };
      }),
    ],
  });
}; // prettier-ignore
