import { z } from "zod";
import { newId } from "#kernel/ids.ts";
import type { WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import type { Notify } from "../alerts/index.ts";
import { Rule } from "./contract.ts";
import type { Tagging } from "#records/conversations/tagging.ts";
import { scoredSince, sourcesOf, type Asked } from "./query.ts";
import type { Themes } from "../themes/book.ts";
import type { Book } from "./versions/book.ts";

/**
 * Rules on conversations as they are scored. Each acts once on a conversation, whatever ends in between: that it acted is
 * written down before anybody is told, and telling the same twice is telling it once.
 */

const [batch, mostRules, mostHits, mostListed, minuteMs] = [1_000, 100, 20, 1_000, 60_000];
const [mostTags, mostTries, longestTagsMs] = [200, 10, 20_000];
const Sourced = z.object({ id: z.string(), source: z.string() });
const addressOf = (id: string): string => `/conversations/${encodeURIComponent(id)}`;
/** The day of the workspace, as YYYY-MM-DD. */
const dayOf = ({ workspace, now }: WorkspaceCall): string => new Intl.DateTimeFormat("sv", { timeZone: workspace.zone }).format(now); // prettier-ignore
const Fit = z.object({ id: z.string(), score: z.number().nullable(), drivers: z.array(z.string()), contributions: z.array(z.number()), channel: z.string(), team: z.string(), stamp: z.number(), fits: z.number() }); // prettier-ignore

interface Parts {
  readonly store: Store;
  readonly notify: Notify;
  readonly book: Book;
  readonly themes: Themes;
  readonly tagging: Tagging;
}

export const createRules = ({ store, notify, book, themes, tagging }: Parts) => {
  const rowsOf = (call: WorkspaceCall) => store.selectFrom("cx_rules").selectAll().where("workspace", "=", call.workspace.id); // prettier-ignore

  const membersOf = (call: WorkspaceCall) => store.selectFrom("memberships").innerJoin("members", "members.id", "memberships.member").select(["members.id", "members.name"]).where("memberships.workspace", "=", call.workspace.id).orderBy("members.name"); // prettier-ignore
  const memberOf = async (call: WorkspaceCall, id: string) => {
    const found = await membersOf(call).where("members.id", "=", id).executeTakeFirst();
    if (found === undefined) throw new Refusal("cx.no_member", "Whoever is to look at it is no member of this workspace.", { member: id }); // prettier-ignore
    return found;
  };

  /** A rule with what has to be looked up for it. */
  const asked = async (call: WorkspaceCall, rule: Rule): Promise<Asked> => ({
    ...rule,
    call,
    themes: rule.topic === "" ? [] : [...(await themes.roots(call))].flatMap(([id, { root }]) => (root === rule.topic ? [id] : [])), // prettier-ignore
  });

  /** Acts on one conversation: written down before anybody is told, and once however often it is done. */
  const act = async (call: WorkspaceCall, id: string, rule: Rule, one: z.output<typeof Fit>): Promise<void> => {
    const at = new Date(call.now).toISOString();
    // what is only told to others needs nobody to look at it here
    const isTold = rule.tell.length > 0 && rule.assign === "";
    await store.insertInto("cx_firings").values({ workspace: call.workspace.id, rule: id, conversation: one.id, at, assignee: rule.assign, done_at: isTold ? at : null, done_by: "", digest: rule.digest && rule.tell.length > 0 ? dayOf(call) : "", tag: rule.tag, tag_state: rule.tag === "" ? "" : "waiting", tag_tries: 0, tag_after: at, tag_problem: "" }).onConflict((conflict) => conflict.columns(["workspace", "rule", "conversation"]).doNothing()).execute(); // prettier-ignore
    if (rule.tell.length === 0 || rule.digest) return;
    // no words of a customer: channels may lead outside
    const moved = one.drivers
      .map((driver, place) => `${driver} ${(one.contributions[place] ?? 0).toFixed(2)}`)
      .join(", ");
    const data = { rule: rule.name, conversation: one.id, score: one.score, channel: one.channel, team: one.team, drivers: Object.fromEntries(one.drivers.map((driver, place) => [driver, one.contributions[place] ?? 0])) }; // prettier-ignore
    await notify(call, [{ key: `cx ${id} ${one.id}`, title: `${rule.name}: a conversation`, says: `Scored ${one.score?.toFixed(1) ?? "–"}. ${moved}`, hits: [], owners: [], address: addressOf(one.id), data }], rule.tell); // prettier-ignore
  };

  /** Acts on what was scored since; gives back whether there may be more. */
  const step = async (call: WorkspaceCall, row: { id: string; content: string; seen: string }): Promise<boolean> => {
    const rule = Rule.parse(JSON.parse(row.content));
    const found = await call.engine.rows(scoredSince(await book.standing(call), Date.parse(row.seen), await asked(call, rule), batch), Fit, { purpose: "maintain", signal: call.signal }); // prettier-ignore
    const last = found.at(-1);
    if (last === undefined) return false;
    const fitting = found.filter((one) => one.fits === 1);
    for (const one of fitting) await act(call, row.id, rule, one);
    // moved on only now: where it ended before, the same is done again and comes to the same. What may still become late is
    // looked at until it is
    const horizon = rule.answerOver === null ? last.stamp : Math.min(last.stamp, call.now - rule.answerOver * minuteMs);
    const [before, seen] = [Date.parse(row.seen), Math.max(Date.parse(row.seen), horizon)];
    await store.updateTable("cx_rules").set({ seen: new Date(seen).toISOString() }).where("workspace", "=", call.workspace.id).where("id", "=", row.id).where("seen", "=", row.seen).execute(); // prettier-ignore
    return found.length >= batch && seen > before;
  };

  /** Tags that wait, each until it is there. One that fails is tried again ever later, and then no more. */
  const putTags = async (call: WorkspaceCall): Promise<void> => {
    const rows = await store.selectFrom("cx_firings").select(["rule", "conversation", "tag", "tag_tries"]).where("workspace", "=", call.workspace.id).where("tag_state", "=", "waiting").where("tag_after", "<=", new Date(call.now).toISOString()).orderBy("tag_after").orderBy("conversation").limit(mostTags).execute(); // prettier-ignore
    if (rows.length === 0) return;
    const sources = new Map((await call.engine.rows(sourcesOf(rows.map(({ conversation }) => conversation)), Sourced, { purpose: "maintain", signal: call.signal })).map(({ id, source }) => [id, source])); // prettier-ignore
    const put = tagging(call);
    const busy = new Set<string>();
    const began = Date.now();
    for (const { rule, conversation, tag, tag_tries } of rows) {
      if (Date.now() - began > longestTagsMs) return;
      const source = sources.get(conversation) ?? "";
      const tagged = busy.has(source) ? ({ state: "wait" } as const) : await put(source, conversation, tag);
      if (call.signal.aborted) return;
      const set = (to: { tag_state?: string; tag_tries?: number; tag_after?: string; tag_problem?: string }) => store.updateTable("cx_firings").set(to).where("workspace", "=", call.workspace.id).where("rule", "=", rule).where("conversation", "=", conversation).execute(); // prettier-ignore
      const inMinutes = (minutes: number): string => new Date(call.now + minutes * minuteMs).toISOString();
      if (tagged.state === "done") await set({ tag_state: "done", tag_problem: "" });
      else if (tagged.state === "wait") {
        // all of its source wait with it; those of others take their turn
        busy.add(source);
        await set({ tag_after: inMinutes(1) });
      } else {
        const tries = tag_tries + 1;
        const tag_state = tagged.state === "never" || tries >= mostTries ? "failed" : "waiting";
        await set({ tag_state, tag_tries: tries, tag_after: inMinutes(2 ** tries), tag_problem: tagged.problem });
      }
    }
  };

  /** What fell in earlier days, told together. */
  const tellDigests = async (call: WorkspaceCall, id: string, rule: Rule): Promise<void> => {
    const rows = await store.selectFrom("cx_firings").select(["conversation", "digest"]).where("workspace", "=", call.workspace.id).where("rule", "=", id).where("digest", "!=", "").where("digest", "<", dayOf(call)).orderBy("at").limit(10_000).execute(); // prettier-ignore
    for (const day of [...new Set(rows.map(({ digest }) => digest))].toSorted()) {
      const own = rows.filter(({ digest }) => digest === day);
      const hits = own.slice(0, mostHits).map(({ conversation }) => ({ title: `Conversation ${conversation}`, address: addressOf(conversation) })); // prettier-ignore
      const says = `${own.length} ${own.length === 1 ? "conversation" : "conversations"} on ${day}${own.length > mostHits ? `; the first ${mostHits} are listed` : ""}.`;
      await notify(call, [{ key: `cx digest ${id} ${day}`, title: `${rule.name}: what came in`, says, hits, owners: [], address: `/conversations?rule=${encodeURIComponent(id)}`, data: { rule: rule.name, day, conversations: own.slice(0, mostListed).map(({ conversation }) => conversation) } }], rule.tell); // prettier-ignore
      await store.updateTable("cx_firings").set({ digest: "" }).where("workspace", "=", call.workspace.id).where("rule", "=", id).where("digest", "=", day).execute(); // prettier-ignore
    }
  };

  return {
    asked,
    /** Everything that waits, for each rule that is on. */
    run: async (call: WorkspaceCall): Promise<void> => {
      for (const { id } of await rowsOf(call).where("is_on", "=", 1).execute())
        for (let more = true; more && !call.signal.aborted;) {
          const row = await rowsOf(call).where("id", "=", id).where("is_on", "=", 1).executeTakeFirst();
          more = row !== undefined && (await step(call, row));
        }
      // also of rules that were switched off since
      for (const { id, content } of await rowsOf(call).execute()) {
        const rule = Rule.parse(JSON.parse(content));
        if (rule.digest) await tellDigests(call, id, rule);
      }
      await putTags(call);
    },
    list: async (call: WorkspaceCall) => {
      const counts = await store.selectFrom("cx_firings").select(["rule", ({ fn }) => fn.countAll<number>().as("count"), ({ fn }) => fn.max("at").as("last")]).where("workspace", "=", call.workspace.id).groupBy("rule").execute(); // prettier-ignore
      const of = new Map(counts.map((one) => [one.rule, one]));
      const tagged = await store.selectFrom("cx_firings").select(["rule", "tag_state", ({ fn }) => fn.countAll<number>().as("count"), ({ fn }) => fn.max("tag_problem").as("problem")]).where("workspace", "=", call.workspace.id).where("tag_state", "!=", "").groupBy(["rule", "tag_state"]).execute(); // prettier-ignore
      const tagsOf = (rule: string) => {
        const of = (state: string) => tagged.find((one) => one.rule === rule && one.tag_state === state);
        const [done, waiting, failed] = [of("done"), of("waiting"), of("failed")];
        const count = (one: typeof done): number => Number(one?.count ?? 0);
        return { done: count(done), waiting: count(waiting), failed: count(failed), problem: failed?.problem ?? waiting?.problem ?? "" }; // prettier-ignore
      };
      return (await rowsOf(call).orderBy("updated_at", "desc").execute()).map(({ id, content, is_on }) => ({ id, rule: Rule.parse(JSON.parse(content)), isOn: is_on === 1, firings: Number(of.get(id)?.count ?? 0), last: of.get(id)?.last ?? null, tags: tagsOf(id) })); // prettier-ignore
    },
    /** Conversations that a rule acted on, the latest. */
    flagged: async (call: WorkspaceCall, rule: string): Promise<readonly string[]> =>
      (await store.selectFrom("cx_firings").select("conversation").where("workspace", "=", call.workspace.id).where("rule", "=", rule).orderBy("at", "desc").limit(5_000).execute()).map(({ conversation }) => conversation), // prettier-ignore
    save: async (
      call: WorkspaceCall,
      given: { id?: string | undefined; rule: Rule; isOn: boolean },
    ): Promise<string> => {
      const channels = await store.selectFrom("channels").select("id").where("workspace", "=", call.workspace.id).execute(); // prettier-ignore
      const strange = given.rule.tell.filter((id) => !channels.some((one) => one.id === id));
      if (strange.length > 0) throw new Refusal("cx.channel", "A channel that it tells is not there any more. Choose others.", { channels: strange }); // prettier-ignore
      if (given.rule.trait !== "") call.veil.check("account", given.rule.trait);
      if (given.rule.topic !== "") await themes.pin(call, given.rule.topic);
      if (given.rule.assign !== "") await memberOf(call, given.rule.assign);
      const at = new Date(call.now).toISOString();
      const by = call.principal.kind === "nobody" ? "" : call.principal.id;
      const before = given.id === undefined ? undefined : await rowsOf(call).where("id", "=", given.id).executeTakeFirst(); // prettier-ignore
      if (given.id !== undefined && before === undefined) throw new Refusal("cx.no_rule", "There is no such rule.", {}, 404); // prettier-ignore
      const content = JSON.stringify(given.rule);
      if (before !== undefined) {
        // switched on anew, it begins anew: what was scored while it was off is not acted on
        const seen = before.is_on === 1 ? before.seen : at;
        await store.updateTable("cx_rules").set({ content, is_on: given.isOn ? 1 : 0, seen, updated_at: at }).where("workspace", "=", call.workspace.id).where("id", "=", before.id).execute(); // prettier-ignore
        // whoever saves it again has seen to what was in the way
        await store.updateTable("cx_firings").set({ tag_state: "waiting", tag_tries: 0, tag_after: at }).where("workspace", "=", call.workspace.id).where("rule", "=", before.id).where("tag_state", "=", "failed").execute(); // prettier-ignore
        return before.id;
      }
      const { count } = await store.selectFrom("cx_rules").select(({ fn }) => fn.countAll<number>().as("count")).where("workspace", "=", call.workspace.id).executeTakeFirstOrThrow(); // prettier-ignore
      if (Number(count) >= mostRules) throw new Refusal("cx.too_many_rules", `A workspace has ${mostRules} rules.`);
      const id = newId("cxr");
      await store.insertInto("cx_rules").values({ workspace: call.workspace.id, id, content, is_on: given.isOn ? 1 : 0, seen: at, made_by: by, updated_at: at }).execute(); // prettier-ignore
      return id;
    },
    members: (call: WorkspaceCall) => membersOf(call).limit(1_000).execute(),
    /** What was flagged and nobody has looked at, the latest first; a conversation that several rules flagged is one. */
    waiting: async (call: WorkspaceCall, mine: string | undefined) => {
      const rows = await store.selectFrom("cx_firings").select(["conversation", "rule", "at", "assignee"]).where("workspace", "=", call.workspace.id).where("done_at", "is", null).$if(mine !== undefined, (query) => query.where("assignee", "=", mine ?? "")).orderBy("at", "desc").limit(1_000).execute(); // prettier-ignore
      const found = new Map<string, { rules: string[]; at: string; assignee: string }>();
      for (const { conversation, rule, at, assignee } of rows) {
        const own = found.get(conversation);
        if (own === undefined) found.set(conversation, { rules: [rule], at, assignee });
        else found.set(conversation, { ...own, rules: [...own.rules, rule], assignee: own.assignee === "" ? assignee : own.assignee }); // prettier-ignore
      }
      return [...found].slice(0, 100);
    },
    /** Of all rules that flagged it. */
    review: async (call: WorkspaceCall, id: string, by: string, { assignee, done }: { assignee?: string | undefined; done: boolean }): Promise<void> => {
      if (assignee !== undefined && assignee !== "") await memberOf(call, assignee);
      const change = { ...(assignee === undefined ? {} : { assignee }), ...(done ? { done_at: new Date(call.now).toISOString(), done_by: by } : {}) };
      if (Object.keys(change).length === 0) return;
      await store.updateTable("cx_firings").set(change).where("workspace", "=", call.workspace.id).where("conversation", "=", id).where("done_at", "is", null).execute();
    }, // prettier-ignore
    remove: async (call: WorkspaceCall, id: string): Promise<void> => {
      await store.deleteFrom("cx_rules").where("workspace", "=", call.workspace.id).where("id", "=", id).execute();
      await store.deleteFrom("cx_firings").where("workspace", "=", call.workspace.id).where("rule", "=", id).execute();
    },
  };
};
export type Rules = ReturnType<typeof createRules>;
