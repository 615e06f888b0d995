import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import type { Clock } from "#kernel/clock.ts";
import { newId } from "#kernel/ids.ts";
import { handle, type Handler, type WorkspaceCall } from "#kernel/module.ts";
import { newWebhookSecret, type Outbound } from "#kernel/outbound.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { State } from "#kernel/state/schema.ts";
import type { Store } from "#kernel/state/store.ts";
import { bodyText, parseJson } from "#records/sources/body.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import * as contract from "./contract.ts";
import type { ConversationDesk } from "./desk.ts";
import { conversationsIn, isSigned } from "./hooks.ts";
import { changedSince, Later } from "./intercom.ts";

/** Systems that conversations come from by themselves: they send, or are asked. */

interface Parts {
  readonly store: Store;
  readonly registry: SourceRegistry;
  readonly desk: ConversationDesk;
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly publicUrl: string;
}

type Row = State["conversation_links"];
const [mostLinks, longestTurnMs] = [50, 50_000];
const vendorNames = { intercom: "Intercom", zendesk: "Zendesk", chatwoot: "Chatwoot", own: "Conversations" } as const;
const Vendor = z.enum(contract.vendors);
const Kind = z.enum(contract.linkKinds);

/** The same for a link that is not there and for one whose secret is another. */
const unsigned = (): Refusal => new Refusal("conversations.unsigned", "The signature is not that of this link, or too old.", {}, 401); // prettier-ignore

export const createLinks = ({ store, registry, desk, outbound, clock, publicUrl }: Parts) => {
  const rowsOf = (call: WorkspaceCall) => store.selectFrom("conversation_links").selectAll().where("workspace", "=", call.workspace.id); // prettier-ignore
  const addressOf = ({ id, kind, address }: Pick<Row, "id" | "kind" | "address">): string => (kind === "hook" ? new URL(`/v1/conversations/hooks/${id}`, publicUrl).href : address); // prettier-ignore

  const note = async (id: string, taken: number, more: { problem: string; cursor?: number }): Promise<void> => {
    await store.updateTable("conversation_links").set((of) => ({ ...more, taken: of("taken", "+", taken), ...(taken > 0 ? { last_at: new Date(clock.now()).toISOString() } : {}) })).where("id", "=", id).execute(); // prettier-ignore
  };

  const problemIn = (rejected: readonly { readonly message: string }[]): string => (rejected.length === 0 ? "" : `${rejected.length} could not be read: ${rejected[0]?.message ?? ""}`.slice(0, 500)); // prettier-ignore

  const pull = async (call: WorkspaceCall, row: Row): Promise<void> => {
    const source = await registry.byId(row.workspace, row.source);
    const given = { outbound, address: row.address, token: row.secret, region: call.workspace.region, signal: call.signal }; // prettier-ignore
    const began = Date.now();
    for await (const { records, until, problems } of changedSince(given, row.cursor)) {
      const { accepted, rejected } = await desk.take(source, { conversations: records });
      // written down page by page: where it ends, it goes on from there
      await note(row.id, accepted, { problem: problems[0] ?? problemIn(rejected), cursor: until });
      // the rest at the next turn: others wait for theirs
      if (Date.now() - began > longestTurnMs) return;
    }
  };

  const handlers: Handler[] = [
    handle(contract.links, async (call) => ({
      links: (await rowsOf(call).orderBy("made_at").execute()).map((row) => ({ id: row.id, vendor: Vendor.parse(row.vendor), kind: Kind.parse(row.kind), source: row.source, address: addressOf(row), taken: row.taken, lastAt: row.last_at, problem: row.problem })), // prettier-ignore
    })),
    handle(contract.addLink, async (call, { vendor, kind, secret, address, product }) => {
      const { count } = await store.selectFrom("conversation_links").select(({ fn }) => fn.countAll<number>().as("count")).where("workspace", "=", call.workspace.id).executeTakeFirstOrThrow(); // prettier-ignore
      if (Number(count) >= mostLinks) throw new Refusal("conversations.too_many_links", `A workspace has ${mostLinks} of them. Remove some.`); // prettier-ignore
      if (kind === "pull" && vendor !== "intercom") throw new Refusal("conversations.no_pull", "Only Intercom is asked; let others send, or bring a file of theirs."); // prettier-ignore
      const made = vendor === "own" && secret === "" ? newWebhookSecret() : null;
      const own = made ?? secret;
      if (own.length < 8) throw new Refusal("conversations.secret", "Give the secret that signs what it sends, or the token of its API."); // prettier-ignore
      const asked = kind === "pull" ? (address === "" ? contract.intercomRegions.us : address) : "";
      if (kind === "pull") outbound.check(asked, call.workspace.region);
      const source = await registry.create(call.workspace.id, vendorNames[vendor], "api", product);
      const row: Row = { id: newId("lnk"), workspace: call.workspace.id, source: source.id, vendor, kind, secret: own, address: asked, cursor: 0, taken: 0, last_at: null, problem: "", made_by: call.principal.kind === "nobody" ? "" : call.principal.id, made_at: new Date(call.now).toISOString() }; // prettier-ignore
      await store.insertInto("conversation_links").values(row).execute();
      return { id: row.id, address: addressOf(row), secret: made };
    }),
    handle(contract.removeLink, async (call, { id }) => {
      const { numDeletedRows } = await store.deleteFrom("conversation_links").where("workspace", "=", call.workspace.id).where("id", "=", id).executeTakeFirst(); // prettier-ignore
      if (numDeletedRows === 0n) throw new Refusal("conversations.no_link", "There is no such link.", {}, 404);
      return { ok: true as const };
    }),
  ];

  return {
    handlers,
    /** Takes what another system sent, if it is signed with the secret that both know. */
    receive: async (id: string, headers: IncomingHttpHeaders, bytes: Buffer) => {
      const row = await store.selectFrom("conversation_links").selectAll().where("id", "=", id).where("kind", "=", "hook").executeTakeFirst(); // prettier-ignore
      // asked of the bytes as they came, before anything reads them
      if (row === undefined || !isSigned(Vendor.parse(row.vendor), row.secret, headers, bytes, clock.now())) throw unsigned(); // prettier-ignore
      const source = await registry.byId(row.workspace, row.source);
      const said = parseJson(await bodyText(bytes, headers["content-encoding"]));
      let conversations: readonly unknown[];
      try {
        conversations = conversationsIn(Vendor.parse(row.vendor), said);
      } catch (error) {
        const why = error instanceof z.ZodError ? (error.issues[0]?.message ?? "") : error instanceof Error ? error.message : ""; // prettier-ignore
        await note(row.id, 0, { problem: `What came could not be read: ${why}`.slice(0, 500) });
        throw new Refusal("conversations.hook_body", `This is no message of ${vendorNames[Vendor.parse(row.vendor)]} that can be read: ${why}`); // prettier-ignore
      }
      const outcome = await desk.take(source, { conversations });
      if (conversations.length > 0) await note(row.id, outcome.accepted, { problem: problemIn(outcome.rejected) });
      return outcome;
    },
    /** Asks those that are to be asked; one that fails does not hold the others up. */
    pullAll: async (call: WorkspaceCall): Promise<void> => {
      for (const row of await rowsOf(call).where("kind", "=", "pull").execute()) {
        if (call.signal.aborted) return;
        await pull(call, row).catch(async (error: unknown) => {
          if (call.signal.aborted) return;
          const isOurs = !(error instanceof Refusal) && !(error instanceof Later);
          if (isOurs) call.log.error({ err: error, link: row.id }, "conversations could not be asked for");
          await note(row.id, 0, { problem: (error instanceof Error ? error.message : "It failed.").slice(0, 500) });
        });
      }
    },
  };
};
