import { z } from "zod";
import { newId } from "#kernel/ids.ts";
import type { Mailer } from "#kernel/mail.ts";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { newWebhookSecret, type Outbound } from "#kernel/outbound.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { State } from "#kernel/state/schema.ts";
import type { Store } from "#kernel/state/store.ts";
import * as contract from "./contract.ts";
import { alertMail } from "./mail.ts";

/** Something that people want to hear of: once, however often it is said. */
export interface Alert {
  /** The same alert has the same key in a workspace. */
  readonly key: string;
  readonly title: string;
  readonly says: string;
  /** What is hit by it, and where that is found. */
  readonly hits: readonly { readonly title: string; readonly address: string }[];
  /** Who answers for it, as the catalog names them: by email or name. */
  readonly owners: readonly string[];
  /** A page of ours. */
  readonly address: string;
  /** What a program that is told by webhook may act on. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Puts alerts on their way to all channels, or to those that are named; they are sent by a job, and tried again where that fails. */
export type Notify = (call: WorkspaceCall, alerts: readonly Alert[], only?: readonly string[]) => Promise<void>;

interface Parts {
  readonly store: Store;
  readonly mailer: Mailer;
  readonly outbound: Outbound;
  /** Where links lead. */
  readonly publicUrl: string;
}

const [mostChannels, shown, keptDays] = [50, 100, 90];
/** Minutes until the next try, after each that failed: about a day in all. */
const waits = [1, 5, 15, 60, 180, 360, 720] as const;
const minuteMs = 60_000;
const Told = z.object({ key: z.string(), title: z.string(), says: z.string(), hits: z.array(z.object({ title: z.string(), address: z.string() })), owners: z.array(z.string()), address: z.string(), data: z.record(z.string(), z.unknown()).optional() }); // prettier-ignore
const Ids = z.array(z.string());

type ChannelRow = State["channels"];
type DeliveryRow = State["alert_deliveries"];

/** Puts alerts on their way, each once to a channel. */
export const notifyIn =
  (store: Store): Notify =>
  async (call, alerts, only) => {
    if (alerts.length === 0) return;
    const all = await store.selectFrom("channels").select("id").where("workspace", "=", call.workspace.id).execute();
    const channels = only === undefined ? all : all.filter(({ id }) => only.includes(id));
    const at = new Date(call.now).toISOString();
    for (const alert of alerts)
      for (const { id } of channels)
        await store
          .insertInto("alert_deliveries")
          .values({
            id: newId("alr"),
            workspace: call.workspace.id,
            channel: id,
            key: alert.key,
            body: JSON.stringify(alert),
            at,
            state: "waiting",
            tries: 0,
            next_at: at,
            problem: "",
          }) // prettier-ignore
          .onConflict((conflict) => conflict.columns(["channel", "key"]).doNothing())
          .execute();
  };

/** Alerts by mail and webhook. */
export const alerts = ({ store, mailer, outbound, publicUrl }: Parts): Module => {
  const channelsOf = (call: WorkspaceCall) =>
    store.selectFrom("channels").selectAll().where("workspace", "=", call.workspace.id);

  const membersOf = (call: WorkspaceCall) =>
    store
      .selectFrom("memberships")
      .innerJoin("members", "members.id", "memberships.member")
      .select(["members.id", "members.name", "members.email"])
      .where("memberships.workspace", "=", call.workspace.id)
      .execute();

  const send = async (call: WorkspaceCall, channel: ChannelRow, id: string, alert: Alert): Promise<void> => {
    const absolute = (address: string): string => {
      const url = new URL(address, publicUrl);
      url.searchParams.set("w", call.workspace.id);
      return url.href;
    };
    const whole = { ...alert, address: absolute(alert.address), hits: alert.hits.map(({ title, address }) => ({ title, address: absolute(address) })) }; // prettier-ignore
    if (channel.kind === "webhook") {
      const { owners: _, ...told } = whole;
      const body = JSON.stringify({ type: "alert", timestamp: new Date(call.now).toISOString(), data: { workspace: call.workspace.name, ...told } }); // prettier-ignore
      await outbound.post({ address: channel.address, id, body, secret: channel.secret, region: call.workspace.region, now: call.now }); // prettier-ignore
      return;
    }
    const chosen = new Set(Ids.parse(JSON.parse(channel.members)));
    const named = new Set(alert.owners.map((owner) => owner.toLowerCase()));
    const all = await membersOf(call);
    const wanted = all.filter((one) => chosen.has(one.id) || (channel.owners > 0 && (named.has(one.email) || named.has(one.name.toLowerCase())))); // prettier-ignore
    for (const { name, email } of wanted) await mailer.send({ to: { name, address: email }, ...alertMail(call.workspace.name, whole) }); // prettier-ignore
  };

  const deliver = async (call: WorkspaceCall, row: DeliveryRow, channel: ChannelRow): Promise<void> => {
    const tries = row.tries + 1;
    // taken before it is sent: two processes never send the same
    const busy = new Date(call.now + 10 * minuteMs).toISOString();
    const { numUpdatedRows } = await store.updateTable("alert_deliveries").set({ tries, next_at: busy }).where("id", "=", row.id).where("tries", "=", row.tries).executeTakeFirst(); // prettier-ignore
    if (numUpdatedRows === 0n) return;
    try {
      await send(call, channel, row.id, Told.parse(JSON.parse(row.body)));
      await store
        .updateTable("alert_deliveries")
        .set({ state: "sent", problem: "" })
        .where("id", "=", row.id)
        .execute();
    } catch (error) {
      const problem = error instanceof Error ? error.message.slice(0, 500) : "It failed.";
      const wait = waits[tries - 1];
      const next = wait === undefined ? { state: "failed" } : { next_at: new Date(call.now + wait * minuteMs).toISOString() }; // prettier-ignore
      await store
        .updateTable("alert_deliveries")
        .set({ ...next, problem })
        .where("id", "=", row.id)
        .execute();
    }
  };

  const deliverDue = async (call: WorkspaceCall): Promise<void> => {
    const now = new Date(call.now).toISOString();
    const due = await store.selectFrom("alert_deliveries").selectAll().where("workspace", "=", call.workspace.id).where("state", "=", "waiting").where("next_at", "<=", now).orderBy("next_at").limit(200).execute(); // prettier-ignore
    if (due.length === 0) return;
    const channels = new Map((await channelsOf(call).execute()).map((row) => [row.id, row]));
    for (const row of due) {
      call.signal.throwIfAborted();
      const channel = channels.get(row.channel);
      if (channel !== undefined) await deliver(call, row, channel);
    }
    const old = new Date(call.now - keptDays * 86_400_000).toISOString();
    await store
      .deleteFrom("alert_deliveries")
      .where("workspace", "=", call.workspace.id)
      .where("at", "<", old)
      .execute();
  };

  const add = async (call: WorkspaceCall, row: Pick<ChannelRow, "name" | "kind" | "members" | "owners" | "address" | "secret">) => {
    const { count } = await store.selectFrom("channels").select(({ fn }) => fn.countAll().as("count")).where("workspace", "=", call.workspace.id).executeTakeFirstOrThrow(); // prettier-ignore
    if (Number(count) >= mostChannels) throw new Refusal("alerts.too_many", `A workspace has at most ${mostChannels} channels.`); // prettier-ignore
    const id = newId("chn");
    await store.insertInto("channels").values({ id, workspace: call.workspace.id, ...row, made_at: new Date(call.now).toISOString() }).execute(); // prettier-ignore
    return id;
  }; // prettier-ignore

  const find = async (call: WorkspaceCall, id: string): Promise<ChannelRow> => {
    const row = await channelsOf(call).where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw new Refusal("alerts.unknown", "There is no such channel.", {}, 404);
    return row;
  };

  return defineModule({
    name: "alerts",
    jobs: [{ name: "alerts.deliver", everyMs: 30_000, run: deliverDue }],
    operations: [
      handle(contract.list, async (call) => {
        const [channels, members] = await Promise.all([channelsOf(call).orderBy("made_at").execute(), membersOf(call)]);
        const names = new Map(members.map(({ id, name }) => [id, name]));
        const latest = await store.selectFrom("alert_deliveries").selectAll().where("workspace", "=", call.workspace.id).orderBy("at", "desc").limit(shown).execute(); // prettier-ignore
        const titles = new Map(channels.map(({ id, name }) => [id, name]));
        return {
          canMail: mailer.isReady,
          channels: channels.map(({ id, name, kind, members: ids, owners, address }) => ({
            id,
            name,
            kind: kind === "webhook" ? ("webhook" as const) : ("mail" as const),
            members: Ids.parse(JSON.parse(ids)).flatMap((one) => names.get(one) ?? []),
            owners: owners > 0,
            // what follows the host may be a secret of its own
            address: address === "" ? "" : new URL(address).origin,
          })),
          deliveries: latest.map(({ id, channel, at, body, state, tries, problem }) => ({
            id,
            channel: titles.get(channel) ?? "removed",
            at,
            title: Told.parse(JSON.parse(body)).title,
            state: state === "sent" || state === "failed" ? (state as "sent" | "failed") : ("waiting" as const),
            tries,
            problem,
          })),
        };
      }),
      handle(contract.addMail, async (call, { name, members, owners }) => {
        const known = new Set((await membersOf(call)).map(({ id }) => id));
        const stranger = members.find((id) => !known.has(id));
        if (stranger !== undefined)
          throw new Refusal("alerts.no_member", "Alerts go to members of the workspace alone.");
        if (members.length === 0 && !owners)
          throw new Refusal("alerts.nobody", "Say to whom alerts go: members, or owners.");
        return { id: await add(call, { name, kind: "mail", members: JSON.stringify(members), owners: owners ? 1 : 0, address: "", secret: "" }) }; // prettier-ignore
      }),
      handle(contract.addWebhook, async (call, { name, address }) => {
        outbound.check(address, call.workspace.region);
        const secret = newWebhookSecret();
        const id = await add(call, { name, kind: "webhook", members: "[]", owners: 0, address, secret });
        return { id, secret };
      }),
      handle(contract.remove, async (call, { id }) => {
        await find(call, id);
        await store.deleteFrom("channels").where("id", "=", id).execute();
        await store.deleteFrom("alert_deliveries").where("channel", "=", id).where("state", "=", "waiting").execute();
        return { ok: true as const };
      }),
      handle(contract.test, async (call, { id }) => {
        const channel = await find(call, id);
        const key = `test ${newId("tst")}`;
        await send(call, channel, key.replace(" ", "_"), { key, title: "A test", says: "This is how an alert looks. Nothing is wrong.", hits: [], owners: [], address: "/govern/home" }); // prettier-ignore
        return { ok: true as const };
      }),
    ],
  });
};
