import { newId } from "#kernel/ids.ts";
import { defineModule, handle, type AnswerTo, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { State } from "#kernel/state/schema.ts";
import type { Store } from "#kernel/state/store.ts";
import { addBuckets, labelOf, startOf } from "#insights/common/time.ts";
import { findMetric } from "#insights/metrics/catalog.ts";
import { askMetric, definitionOf, type Definition } from "#insights/metrics/contract.ts";
import { valueSays } from "#insights/metrics/sentence.ts";
import type { Alert, Notify } from "../alerts/index.ts";
import * as contract from "./contract.ts";
import { titleOf, Watch, type Judged, type Step, type WatchState } from "./contract.ts";
import { beginsIn, historyOf, judged, type Series } from "./judge.ts";

interface Parts {
  readonly store: Store;
  readonly answerTo: AnswerTo;
  readonly notify: Notify;
  /** Since when the numbers of a definition mean something else than before; undefined where they never did. */
  readonly breaks: (call: WorkspaceCall, definition: unknown) => Promise<number | undefined>;
}

type Row = State["watches"];
const [mostWatches, shownFirings, mostUnseen] = [100, 10, 62];
/** What comes late is waited for before a day is judged. */
const graceMs = 3_600_000;
const tried = { day: 120, week: 26, month: 12 } as const;

const addressOf = (metric: string): string => `/catalog/metrics/${encodeURIComponent(metric)}`;

/** Watches: somebody is told when a metric is not as it should be, once when it begins and once when it is over. */
export const watches = ({ store, answerTo, notify, breaks }: Parts): Module => {
  const rowsOf = (call: WorkspaceCall) => store.selectFrom("watches").selectAll().where("workspace", "=", call.workspace.id); // prettier-ignore
  const watchOf = (row: Row): Watch => Watch.parse(JSON.parse(row.content));

  /** As the metric can be looked at: one of who came back after a week by the week, whatever was asked. */
  const fitted = (watch: Watch, { measure }: Pick<Definition, "measure">): Watch => (measure.kind === "retention" ? { ...watch, by: measure.period } : watch); // prettier-ignore

  /** The start of the bucket before the one that is open. */
  const lastOver = ({ workspace }: WorkspaceCall, by: Step, now: number): number =>
    addBuckets(startOf(now, by, workspace), by, -1, workspace.zone);

  /** How many buckets are over, an hour ago, that were not looked at. */
  const unseenIn = (call: WorkspaceCall, row: Row, by: Step): number => {
    const { zone } = call.workspace;
    let count = 0;
    for (let start = lastOver(call, by, call.now - graceMs); count < mostUnseen && labelOf(start, by, zone) > row.seen; start = addBuckets(start, by, -1, zone)) count += 1; // prettier-ignore
    return count;
  };

  /** What is over of a metric, an hour ago, as a reader of the workspace sees it. */
  const seriesOf = async (call: WorkspaceCall, { metric, by }: Watch, buckets: number): Promise<Series> => {
    const then = { ...call, now: call.now - graceMs };
    const answer = await answerTo(then, askMetric, { metric, interval: by, range: { last: buckets + 1, unit: by } });
    const values = answer.groups.find(({ group, period }) => group === null && period === "current")?.points ?? [];
    const points = answer.buckets.slice(0, answer.openFrom).map((bucket, at) => ({ bucket, value: values[at]?.value ?? null, of: values[at]?.of ?? null })); // prettier-ignore
    // what has no value at the end may get one: whether somebody comes back is known later
    const known = points.findLastIndex(({ value }) => value !== null) + 1;
    return { format: answer.format, unit: answer.metric.unit, interval: by, points: points.slice(0, known) };
  };

  /** The first bucket that others are held against: there was something, and it meant the same as now. */
  const firstOf = ({ points }: Series, changed: string): number => {
    const found = points.findIndex(({ bucket, value }) => bucket.slice(0, 10) > changed && value !== null && value !== 0); // prettier-ignore
    return found < 0 ? points.length : found;
  };

  /** The day on which the numbers of a definition began to mean something else: it holds both. Empty where they never did. */
  const changedOn = ({ workspace }: WorkspaceCall, since: number | undefined): string =>
    since === undefined ? "" : labelOf(since, "day", workspace.zone);

  const note = async (call: WorkspaceCall, row: Row, to: Partial<Pick<Row, "state" | "seen" | "problem">>): Promise<void> => {
    await store.updateTable("watches").set(to).where("workspace", "=", call.workspace.id).where("id", "=", row.id).where("updated_at", "=", row.updated_at).execute(); // prettier-ignore
  }; // prettier-ignore

  const look = async (call: WorkspaceCall, row: Row): Promise<void> => {
    const metric = await findMetric(store, call, row.metric);
    const watch = fitted(watchOf(row), metric);
    const alert = (key: string, title: string, says: string, data: Alert["data"] = {}): Alert => ({ key: `watch ${row.id} ${key}`, title, says, hits: [], owners: metric.owner === "" ? [] : [metric.owner], address: addressOf(watch.metric), data: { watch: row.id, metric: watch.metric, ...data } }); // prettier-ignore
    const tell = (one: Alert): Promise<void> => (watch.tell.length === 0 ? Promise.resolve() : notify(call, [one], watch.tell)); // prettier-ignore

    const since = await breaks(call, definitionOf(metric));
    if (since !== undefined && since > Date.parse(row.updated_at)) {
      if (row.state === "frozen") return;
      await tell(alert(`frozen ${since}`, `${metric.name} is not watched for now`, "Another version of the score counts, so its numbers cannot be held against those before. Save the watch again to go on.")); // prettier-ignore
      return note(call, row, { state: "frozen", problem: "" });
    }
    const unseen = unseenIn(call, row, watch.by);
    if (unseen === 0) return note(call, row, { problem: "" });
    const series = await seriesOf(call, watch, historyOf(watch) + unseen);
    const title = titleOf(watch, (value) => valueSays(value, series.format, series.unit));
    const changed = changedOn(call, since);
    const first = firstOf(series, changed);
    let [state, seen] = [row.state, row.seen];
    for (const [at, { bucket }] of series.points.entries()) {
      if (bucket <= row.seen || bucket.slice(0, 10) <= changed) continue;
      seen = bucket;
      const found = judged(watch, series, at, first);
      if (found === undefined) continue;
      if (found.fires)
        await store.insertInto("watch_firings").values({ workspace: call.workspace.id, watch: row.id, bucket, value: found.value ?? 0, says: found.says, at: new Date(call.now).toISOString() }).onConflict((conflict) => conflict.columns(["workspace", "watch", "bucket"]).doNothing()).execute(); // prettier-ignore
      const data = { bucket, value: found.value };
      if (found.fires && state !== "fires") await tell(alert(bucket, `${metric.name}: ${found.says}`, title, data)); // prettier-ignore
      if (!found.fires && state === "fires") await tell(alert(`over ${bucket}`, `Over: ${metric.name}`, `It is as it should be again: ${found.says}`, data)); // prettier-ignore
      state = found.fires ? "fires" : "calm";
    }
    // moved on only now: where it ended before, the same is told again, which is telling it once
    await note(call, row, { state, seen, problem: "" });
  };

  const lookAtAll = async (call: WorkspaceCall): Promise<void> => {
    for (const row of await rowsOf(call).where("is_on", "=", 1).orderBy("updated_at").execute()) {
      call.signal.throwIfAborted();
      try {
        await look(call, row);
      } catch (error) {
        call.signal.throwIfAborted();
        // one that cannot be asked keeps no other from being looked at
        if (!(error instanceof Refusal))
          call.log.error({ err: error, watch: row.id }, "a watch could not be looked at");
        await note(call, row, { problem: error instanceof Refusal ? error.message.slice(0, 500) : "It could not be asked. The log of the server says why." }); // prettier-ignore
      }
    }
  };

  /** The metric, where it can be watched so. */
  const check = async (call: WorkspaceCall, watch: Watch): Promise<Definition> => {
    const metric = await findMetric(store, call, watch.metric);
    const known = new Set((await store.selectFrom("channels").select("id").where("workspace", "=", call.workspace.id).execute()).map(({ id }) => id)); // prettier-ignore
    const stranger = watch.tell.find((id) => !known.has(id));
    if (stranger !== undefined) throw new Refusal("watches.no_channel", "There is no such channel of alerts.", { channel: stranger }, 404); // prettier-ignore
    return metric;
  };

  return defineModule({
    name: "watches",
    jobs: [{ name: "watches.look", everyMs: 1_800_000, run: lookAtAll }],
    assets: async (call) =>
      (await rowsOf(call).execute()).map((row) => ({ kind: "watch", id: row.id, title: `${row.metric}: ${titleOf(watchOf(row))}`, address: addressOf(row.metric), owner: "", description: "", updatedAt: row.updated_at, definition: { metric: row.metric }, state: row.is_on > 0 ? "on" : "off" })), // prettier-ignore
    operations: [
      handle(contract.list, async (call, { metric }) => {
        const rows = await rowsOf(call).orderBy("updated_at").execute();
        const own = rows.filter((row) => metric === undefined || row.metric === metric);
        return {
          watches: await Promise.all(own.map(async (row) => {
            const firings = await store.selectFrom("watch_firings").select(["bucket", "value", "says", "at"]).where("workspace", "=", call.workspace.id).where("watch", "=", row.id).orderBy("bucket", "desc").limit(shownFirings).execute();
            return { id: row.id, watch: watchOf(row), isOn: row.is_on > 0, state: contract.states.find((one) => one === row.state) ?? "waits", problem: row.problem, seen: row.seen, firings };
          })),
        };
      }), // prettier-ignore
      handle(contract.attempt, async (call, { watch: asked }) => {
        const metric = await findMetric(store, call, asked.metric);
        const watch = fitted(asked, metric);
        const count = tried[watch.by];
        const series = await seriesOf(call, watch, historyOf(watch) + count);
        const first = firstOf(series, changedOn(call, await breaks(call, definitionOf(metric))));
        const from = Math.max(0, series.points.length - count);
        const all = series.points.slice(from).map(({ bucket, value }, at): Judged => judged(watch, series, from + at, first) ?? { bucket, value, fires: false, lower: null, upper: null, says: "" }); // prettier-ignore
        return { judged: all, told: beginsIn(all.map((one) => (one.says === "" ? undefined : one))), format: series.format }; // prettier-ignore
      }),
      handle(contract.save, async (call, { id, watch: asked, isOn }) => {
        const { zone } = call.workspace;
        const watch = fitted(asked, await check(call, asked));
        // whoever begins to watch hears of what can be told from here on; what is off is not asked
        const told = isOn ? (await seriesOf(call, watch, mostUnseen)).points.at(-1)?.bucket : undefined;
        const seen = told ?? labelOf(lastOver(call, watch.by, call.now), watch.by, zone);
        const fresh = { metric: watch.metric, content: JSON.stringify(watch), is_on: isOn ? 1 : 0, state: "waits" satisfies WatchState, seen, problem: "", updated_at: new Date(call.now).toISOString() }; // prettier-ignore
        if (id !== undefined) {
          const { numUpdatedRows } = await store.updateTable("watches").set(fresh).where("workspace", "=", call.workspace.id).where("id", "=", id).executeTakeFirst(); // prettier-ignore
          if (numUpdatedRows === 0n) throw new Refusal("watches.unknown", "There is no such watch.", {}, 404);
          return { id };
        }
        if ((await rowsOf(call).execute()).length >= mostWatches) throw new Refusal("watches.too_many", `A workspace has at most ${mostWatches} watches.`); // prettier-ignore
        const made = newId("wch");
        const made_by = call.principal.kind === "nobody" ? "" : call.principal.id;
        await store.insertInto("watches").values({ workspace: call.workspace.id, id: made, made_by, ...fresh }).execute(); // prettier-ignore
        return { id: made };
      }),
      handle(contract.remove, async (call, { id }) => {
        for (const table of ["watch_firings", "watches"] as const)
          await store.deleteFrom(table).where("workspace", "=", call.workspace.id).where(table === "watches" ? "id" : "watch", "=", id).execute(); // prettier-ignore
        return { ok: true as const };
      }),
    ],
  });
};
