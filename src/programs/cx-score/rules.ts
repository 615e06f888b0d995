import { z } from "zod";
import { newId } from "#kernel/ids.ts";
import type { WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import type { Notify } from "../alerts/index.ts";
import { Rule } from "./contract.ts";
import { scoredSince } from "./query.ts";
import type { Themes } from "./themes/book.ts";
import type { Book } from "./versions/book.ts";

/**
 * Rules on conversations as they are scored. Each acts once on a conversation, whatever ends in between: that it acted is
 * written down before anybody is told, and telling the same twice is telling it once.
 */

const [batch, mostRules] = [1_000, 100];
const Fit = z.object({ id: z.string(), score: z.number().nullable(), drivers: z.array(z.string()), contributions: z.array(z.number()), channel: z.string(), team: z.string(), stamp: z.number(), fits: z.number() }); // prettier-ignore

interface Parts {
  readonly store: Store;
  readonly notify: Notify;
  readonly book: Book;
  readonly themes: Themes;
}

export const createRules = ({ store, notify, book, themes }: Parts) => {
  const rowsOf = (call: WorkspaceCall) => store.selectFrom("cx_rules").selectAll().where("workspace", "=", call.workspace.id); // prettier-ignore

  /** A rule with what has to be looked up for it. */
  const asked = async (call: WorkspaceCall, rule: Rule) => ({
    ...rule,
    themes: rule.topic === "" ? [] : [...(await themes.roots(call))].flatMap(([id, { root }]) => (root === rule.topic ? [id] : [])), // prettier-ignore
  });

  /** Acts on what was scored since; gives back whether there may be more. */
  const step = async (call: WorkspaceCall, row: { id: string; content: string; seen: string }): Promise<boolean> => {
    const rule = Rule.parse(JSON.parse(row.content));
    const found = await call.engine.rows(scoredSince(await book.standing(call), Date.parse(row.seen), await asked(call, rule), batch), Fit, { purpose: "maintain", signal: call.signal }); // prettier-ignore
    const last = found.at(-1);
    if (last === undefined) return false;
    const at = new Date(call.now).toISOString();
    for (const { id, score, drivers, contributions } of found.filter((one) => one.fits === 1)) {
      await store.insertInto("cx_firings").values({ workspace: call.workspace.id, rule: row.id, conversation: id, at }).onConflict((conflict) => conflict.columns(["workspace", "rule", "conversation"]).doNothing()).execute(); // prettier-ignore
      // no words of a customer: channels may lead outside
      const moved = drivers.map((driver, place) => `${driver} ${(contributions[place] ?? 0).toFixed(2)}`).join(", ");
      const says = `Scored ${score?.toFixed(1) ?? "–"}. ${moved}`;
      if (rule.tell.length > 0) await notify(call, [{ key: `cx ${row.id} ${id}`, title: `${rule.name}: a conversation`, says, hits: [], owners: [], address: `/conversations/${encodeURIComponent(id)}` }], rule.tell); // prettier-ignore
    }
    // moved on only now: where it ended before, the same is done again and comes to the same
    await store.updateTable("cx_rules").set({ seen: new Date(last.stamp).toISOString() }).where("workspace", "=", call.workspace.id).where("id", "=", row.id).where("seen", "=", row.seen).execute(); // prettier-ignore
    return found.length >= batch && last.stamp > Date.parse(row.seen);
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
    },
    list: async (call: WorkspaceCall) => {
      const counts = await store.selectFrom("cx_firings").select(["rule", ({ fn }) => fn.countAll<number>().as("count"), ({ fn }) => fn.max("at").as("last")]).where("workspace", "=", call.workspace.id).groupBy("rule").execute(); // prettier-ignore
      const of = new Map(counts.map((one) => [one.rule, one]));
      return (await rowsOf(call).orderBy("updated_at", "desc").execute()).map(({ id, content, is_on }) => ({ id, rule: Rule.parse(JSON.parse(content)), isOn: is_on === 1, firings: Number(of.get(id)?.count ?? 0), last: of.get(id)?.last ?? null })); // prettier-ignore
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
      const at = new Date(call.now).toISOString();
      const by = call.principal.kind === "nobody" ? "" : call.principal.id;
      const before = given.id === undefined ? undefined : await rowsOf(call).where("id", "=", given.id).executeTakeFirst(); // prettier-ignore
      if (given.id !== undefined && before === undefined) throw new Refusal("cx.no_rule", "There is no such rule.", {}, 404); // prettier-ignore
      const content = JSON.stringify(given.rule);
      if (before !== undefined) {
        // switched on anew, it begins anew: what was scored while it was off is not acted on
        const seen = before.is_on === 1 ? before.seen : at;
        await store.updateTable("cx_rules").set({ content, is_on: given.isOn ? 1 : 0, seen, updated_at: at }).where("workspace", "=", call.workspace.id).where("id", "=", before.id).execute(); // prettier-ignore
        return before.id;
      }
      const { count } = await store.selectFrom("cx_rules").select(({ fn }) => fn.countAll<number>().as("count")).where("workspace", "=", call.workspace.id).executeTakeFirstOrThrow(); // prettier-ignore
      if (Number(count) >= mostRules) throw new Refusal("cx.too_many_rules", `A workspace has ${mostRules} rules.`);
      const id = newId("cxr");
      await store.insertInto("cx_rules").values({ workspace: call.workspace.id, id, content, is_on: given.isOn ? 1 : 0, seen: at, made_by: by, updated_at: at }).execute(); // prettier-ignore
      return id;
    },
    remove: async (call: WorkspaceCall, id: string): Promise<void> => {
      await store.deleteFrom("cx_rules").where("workspace", "=", call.workspace.id).where("id", "=", id).execute();
      await store.deleteFrom("cx_firings").where("workspace", "=", call.workspace.id).where("rule", "=", id).execute();
    },
  };
};
