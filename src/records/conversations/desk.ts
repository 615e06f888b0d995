import type { Clock } from "#kernel/clock.ts";
import type { Directory } from "#kernel/directory.ts";
import { Refusal } from "#kernel/refusal.ts";
import { engineTime } from "#kernel/sql.ts";
import type { Store } from "#kernel/state/store.ts";
import { storable, type EventSource, type IncomingEvent } from "#records/events/incoming.ts";
import type { Ingest } from "#records/events/ingest.ts";
import { keysOf } from "#records/people/keys.ts";
import { z } from "zod";
import { IncomingConversation } from "./incoming.ts";

const mostConversations = 1_000;
const Body = z.object({ conversations: z.array(z.unknown()).max(mostConversations, `A request may bring ${mostConversations} conversations.`) }); // prettier-ignore
const startedEvent = "Conversation started";

interface Parts {
  readonly ingest: Ingest;
  readonly store: Store;
  readonly directory: Directory;
  readonly clock: Clock;
}

interface Rejected {
  readonly index: number;
  readonly id: string | null;
  readonly message: string;
}

/** Where conversations are taken in, whoever brings them. */
export const createConversationDesk = ({ ingest, store, directory, clock }: Parts) => {
  /** Erased people are not taken in again. */
  const suppressedAmong = async (workspace: string, actors: readonly string[]): Promise<ReadonlySet<string>> => {
    const found = new Set<string>();
    for (let from = 0; from < actors.length; from += 500)
      for (const { actor } of await store.selectFrom("suppressions").select("actor").where("workspace", "=", workspace).where("actor", "in", actors.slice(from, from + 500)).execute()) found.add(actor); // prettier-ignore
    return found;
  };

  /** Resolves when the store has them; a conversation that cannot be read is told, and the others go in. `isTold`: an event says already that each began. */
  const take = async (source: EventSource, body: unknown, isTold = false) => {
    const found = await directory.find(source.workspace);
    if (found === undefined) throw new Refusal("conversations.no_workspace", "The workspace of this key is gone.", {}, 404); // prettier-ignore
    const read = Body.safeParse(body);
    if (!read.success) throw new Refusal("conversations.body", `The body is an object with a list \`conversations\`. ${read.error.issues[0]?.message ?? ""}`); // prettier-ignore
    const keys = keysOf(found.workspace.secret);
    const rejected: Rejected[] = [];
    const taken = read.data.conversations.flatMap((item, index) => {
      const one = IncomingConversation.safeParse(item);
      if (one.success) return [{ ...one.data, actor: one.data.userId ?? one.data.anonymousId }];
      const [issue] = one.error.issues;
      const id = typeof item === "object" && item !== null && "id" in item && typeof item.id === "string" ? item.id : null; // prettier-ignore
      rejected.push({ index, id, message: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}` });
      return [];
    });
    const named = taken.map((one) => ({ ...one, key: one.actor === undefined ? "0" : keys.actor(one.actor) }));
    const suppressed = await suppressedAmong(source.workspace, [...new Set(named.map(({ key }) => key))]);
    const kept = named.filter(({ key }) => !suppressed.has(key));
    const now = clock.now();
    const lines = (rows: readonly object[]): string => rows.map(storable).join("\n");
    // by it they are asked for as everything else that people do, and their ids are known; first, so that whoever finds a
    // conversation finds whose it is as soon as what was acknowledged can be read
    const started = kept.filter(({ actor }) => actor !== undefined).map(({ id, userId, anonymousId, account, channel, team, createdAt, parts: all }): IncomingEvent => ({ name: startedEvent, at: createdAt ?? Math.min(now, ...all.map(({ at }) => at)), messageId: `conversation ${id}`, userId, anonymousId, ...(account === "" ? {} : { account }), properties: { conversation: id, channel, team } })); // prettier-ignore
    if (started.length > 0 && !isTold) await ingest.accept(source, started);
    // then parts: whoever sees a conversation finds what it says
    const parts = kept.flatMap(({ id, key, parts: all }) => all.map((part) => ({ conversation: id, id: part.id, actor: key, role: part.role, private: part.private ? 1 : 0, author: part.author, text: part.text, at: engineTime(part.at), received: engineTime(now) }))); // prettier-ignore
    if (parts.length > 0) await found.engine.insert("conversation_parts", lines(parts));
    if (kept.length > 0)
      await found.engine.insert("conversations", lines(kept.map(({ id, key, account, channel, language, team, assignee, tags, state, subject, rating, createdAt, parts: all }) => ({ id, actor: key, account, source: source.id, channel, language, team, assignee, tags, state, subject, rating, created: engineTime(createdAt ?? Math.min(now, ...all.map(({ at }) => at))), received: engineTime(now) })))); // prettier-ignore
    return { accepted: kept.length, rejected };
  };

  return { take };
};
export type ConversationDesk = ReturnType<typeof createConversationDesk>;
