import { createHmac, timingSafeEqual } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Directory } from "#kernel/directory.ts";
import { newId } from "#kernel/ids.ts";
import type { Mailer } from "#kernel/mail.ts";
import { type AnswerTo, handle, type Job, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { checkZone } from "#records/common/zone.ts";
import { insightOf, type Answer } from "#surfaces/explore/insights.ts";
import * as contract from "./contract.ts";
import { Rhythm, type Tile, type View } from "./contract.ts";
import { questionOver } from "./over.ts";
import { reportMail, type Part } from "./report.ts";
import { nextBeat } from "./rhythm.ts";

/** Dashboards by mail: to members alone, as they stand when they are sent. */

export interface Parts {
  readonly store: Store;
  readonly directory: Directory;
  readonly mailer: Mailer;
  /** Where the links of a mail lead. */
  readonly publicUrl: string;
  readonly answerTo: AnswerTo;
}

interface Shown {
  readonly name: string;
  readonly tiles: readonly Tile[];
  readonly view: View;
}

/** After a failed try the next follows so much later; after the last of them it waits for its regular time. */
const againMs = 10 * 60_000;
const mostTries = 3;
const mostSchedules = 20;
const mostFailures = 3;
/** Somebody may have a dashboard sent to themselves so often. */
const sendNowMs = 30_000;

const Ids = z.array(z.string());
const stopToken = (secret: string, schedule: string, member: string): string =>
  createHmac("sha256", secret).update(`stop ${schedule} ${member}`).digest("base64url");

export const dashboardSchedules = (
  { store, directory, mailer, publicUrl, answerTo }: Parts,
  find: (call: WorkspaceCall, id: string) => Promise<Shown>,
) => {
  const sentNow = new Map<string, number>();
  const schedulesOf = (workspace: string) =>
    store.selectFrom("schedules").selectAll().where("workspace", "=", workspace);

  /** Members of the workspace among those named; whoever has left it gets nothing more. */
  const recipients = async (workspace: string, ids: readonly string[]) =>
    ids.length === 0
      ? []
      : store
          .selectFrom("memberships")
          .innerJoin("members", "members.id", "memberships.member")
          .select(["members.id", "members.name", "members.email"])
          .where("memberships.workspace", "=", workspace)
          .where("members.id", "in", ids)
          .execute();

  const partOf = async (call: WorkspaceCall, tile: Tile, view: View): Promise<Part | { text: string }> => {
    if ("text" in tile) return { text: tile.text };
    const insight = insightOf(tile.question.kind);
    const address = new URL(tile.address, publicUrl);
    address.searchParams.set("w", call.workspace.id);
    const told = { title: tile.title, address: address.href };
    try {
      const answer: Answer = await answerTo(call, insight.operation, questionOver(tile.question, view).input);
      return { ...told, sentence: answer.sentence, table: insight.tables(answer)[0] };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { ...told, sentence: error.message, table: undefined };
    }
  };

  const partsOf = async (call: WorkspaceCall, { tiles, view }: Shown) => {
    const parts = [];
    for (const tile of tiles) parts.push(await partOf(call, tile, view));
    return parts;
  };

  const asOf = (call: WorkspaceCall): string =>
    new Date(call.now).toLocaleString("en-GB", {
      timeZone: call.workspace.zone,
      dateStyle: "medium",
      timeStyle: "short",
    });
  const addressOf = (call: WorkspaceCall, id: string): string => `${publicUrl}/dashboards/${id}?w=${call.workspace.id}`;

  const stopUrl = (call: WorkspaceCall, schedule: string, member: string): string => {
    const token = stopToken(call.workspace.secret, schedule, member);
    return `${publicUrl}/mail/stop?${new URLSearchParams({ schedule, member, token }).toString()}`;
  };

  type Row = Awaited<ReturnType<ReturnType<typeof schedulesOf>["executeTakeFirstOrThrow"]>>;

  /** Sends one schedule to all of its members. Throws where nobody got it; else says to whom it did not go. */
  const sendOut = async (call: WorkspaceCall, { id, dashboard, members }: Row): Promise<string> => {
    const shown = await find(call, dashboard);
    const people = await recipients(call.workspace.id, Ids.parse(JSON.parse(members)));
    if (people.length === 0) return "Nobody of those it is for belongs to the workspace any more.";
    const parts = await partsOf(call, shown);
    const failures: { email: string; error: unknown }[] = [];
    for (const member of people) {
      // a server that takes nothing would hold up whatever else is due
      const last = failures.at(-1);
      if (last !== undefined && failures.length >= mostFailures) {
        failures.push({ email: member.email, error: last.error });
        continue;
      }
      const stop = stopUrl(call, id, member.id);
      const report = { name: shown.name, workspace: call.workspace.name, url: addressOf(call, dashboard), asOf: asOf(call), parts, stopUrl: stop }; // prettier-ignore
      await mailer
        .send({ to: { name: member.name, address: member.email }, ...reportMail(report), stopUrl: stop })
        .catch((error: unknown) => failures.push({ email: member.email, error }));
    }
    // whoever has it does not get it again
    if (failures.length === people.length) throw failures[0]?.error;
    return failures.length === 0 ? "" : `It did not go to ${failures.map(({ email }) => email).join(", ")}.`;
  };

  /** The turn is taken before anything is sent: two processes never send the same. */
  const sendDue = async (call: WorkspaceCall, row: Row): Promise<void> => {
    const rhythm = Rhythm.parse(JSON.parse(row.rhythm));
    const regular = new Date(nextBeat(rhythm, call.now)).toISOString();
    const { numUpdatedRows } = await store.updateTable("schedules").set({ next_at: regular }).where("id", "=", row.id).where("next_at", "=", row.next_at).executeTakeFirst(); // prettier-ignore
    if (numUpdatedRows === 0n) return;
    const noted = (set: { tries: number; problem: string; sent_at?: string; next_at?: string }) =>
      store.updateTable("schedules").set(set).where("id", "=", row.id).execute();
    try {
      const problem = await sendOut(call, row);
      await noted({ tries: 0, problem, sent_at: new Date(call.now).toISOString() });
    } catch (error) {
      const problem = error instanceof Refusal ? error.message : "It could not be put together.";
      if (!(error instanceof Refusal))
        call.log.error({ err: error, schedule: row.id }, "a dashboard could not be sent");
      const tries = row.tries + 1;
      const soon = new Date(call.now + againMs).toISOString();
      await noted(tries < mostTries && soon < regular ? { tries, problem, next_at: soon } : { tries: 0, problem });
    }
  };

  const jobs: readonly Job[] = [
    {
      name: "dashboards.send",
      everyMs: 60_000,
      run: async (call) => {
        const due = await schedulesOf(call.workspace.id)
          .where("next_at", "<=", new Date(call.now).toISOString())
          .execute();
        for (const row of due) await sendDue(call, row);
      },
    },
  ];

  const operations = [
    handle(contract.schedules, async (call, { id }) => {
      const rows = await schedulesOf(call.workspace.id).where("dashboard", "=", id).orderBy("created_at").execute();
      const schedules = await Promise.all(
        rows.map(async (row) => ({
          id: row.id,
          members: await recipients(call.workspace.id, Ids.parse(JSON.parse(row.members))),
          rhythm: Rhythm.parse(JSON.parse(row.rhythm)),
          nextAt: row.next_at,
          sentAt: row.sent_at,
          problem: row.problem,
        })),
      );
      return { canSend: mailer.isReady, schedules };
    }),
    handle(contract.addSchedule, async (call, { id, members, rhythm }) => {
      await find(call, id);
      checkZone(rhythm.zone);
      const known = await recipients(call.workspace.id, members);
      if (known.length < new Set(members).size)
        throw new Refusal(
          "dashboards.not_a_member",
          "A dashboard is sent to members of the workspace alone. Add them first.",
        );
      if ((await schedulesOf(call.workspace.id).where("dashboard", "=", id).execute()).length >= mostSchedules)
        throw new Refusal("dashboards.too_many_schedules", `A dashboard has ${mostSchedules} schedules at most.`);
      const schedule = newId("sched");
      const next_at = new Date(nextBeat(rhythm, call.now)).toISOString();
      const created_by = call.principal.kind === "nobody" ? "" : call.principal.id;
      const text = { members: JSON.stringify([...new Set(members)]), rhythm: JSON.stringify(rhythm) };
      await store
        .insertInto("schedules")
        .values({
          id: schedule,
          workspace: call.workspace.id,
          dashboard: id,
          ...text,
          next_at,
          tries: 0,
          sent_at: null,
          problem: "",
          created_by,
          created_at: new Date(call.now).toISOString(),
        }) // prettier-ignore
        .execute();
      return { schedule, nextAt: next_at };
    }),
    handle(contract.removeSchedule, async (call, { id, schedule }) => {
      await store.deleteFrom("schedules").where("workspace", "=", call.workspace.id).where("dashboard", "=", id).where("id", "=", schedule).execute(); // prettier-ignore
      return { ok: true as const };
    }),
    handle(contract.sendNow, async (call, { id }) => {
      if (call.principal.kind !== "member")
        throw new Refusal("dashboards.no_address", "A key has no address. Ask as a member.");
      const { id: member, name, email } = call.principal;
      if (call.now - (sentNow.get(member) ?? -Infinity) < sendNowMs)
        throw new Refusal("dashboards.slow_down", "One was sent just now. Wait half a minute.", {}, 429);
      if (sentNow.size > 10_000) sentNow.clear();
      sentNow.set(member, call.now);
      const shown = await find(call, id);
      const report = { name: shown.name, workspace: call.workspace.name, url: addressOf(call, id), asOf: asOf(call), parts: await partsOf(call, shown), stopUrl: undefined }; // prettier-ignore
      await mailer.send({ to: { name, address: email }, ...reportMail(report) });
      return { to: email };
    }),
  ];

  /** Takes a member off a schedule; nothing is said about links that were not ours. */
  const stop = async (asked: { schedule: string; member: string; token: string }): Promise<void> => {
    const row = await store.selectFrom("schedules").selectAll().where("id", "=", asked.schedule).executeTakeFirst();
    const found = row === undefined ? undefined : await directory.find(row.workspace);
    if (row === undefined || found === undefined) return;
    const [wanted, given] = [Buffer.from(stopToken(found.workspace.secret, asked.schedule, asked.member)), Buffer.from(asked.token)]; // prettier-ignore
    if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) return;
    const left = Ids.parse(JSON.parse(row.members)).filter((id) => id !== asked.member);
    if (left.length === 0) await store.deleteFrom("schedules").where("id", "=", row.id).execute();
    else
      await store
        .updateTable("schedules")
        .set({ members: JSON.stringify(left) })
        .where("id", "=", row.id)
        .execute();
  };

  const Asked = z.object({ schedule: z.string().max(100), member: z.string().max(100), token: z.string().max(100) });
  const page = (body: string): string =>
    `<!doctype html><html lang="en"><title>Mail of Throughline</title><body style="font-family:system-ui,sans-serif;margin:48px">${body}</body></html>`;

  /** Asking for the link shows a button, since programs look at links too; the button, or one request of the mail program, stops it. */
  const routes = (server: FastifyInstance): Promise<void> =>
    Promise.resolve(
      void server.register((scope, _options, done) => {
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser("*", { parseAs: "string", bodyLimit: 4_096 }, (_request, _body, parsed) =>
          parsed(null),
        );
        scope.get("/mail/stop", (_request, reply) =>
          reply
            .type("text/html")
            .send(page("<form method=post><p>Stop sending you this dashboard?</p><button>Stop</button></form>")),
        );
        scope.post("/mail/stop", async (request, reply) => {
          const asked = Asked.safeParse(request.query);
          if (asked.success) await stop(asked.data);
          return reply.type("text/html").send(page("<p>This mail has stopped.</p>"));
        });
        done();
      }),
    );

  return { jobs, operations, routes };
};
