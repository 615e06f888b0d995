import type { Clock } from "#kernel/clock.ts";
import type { Directory } from "#kernel/directory.ts";
import type { Engine } from "#kernel/engine/engine.ts";
import { Refusal } from "#kernel/refusal.ts";
import { engineTime } from "#kernel/sql.ts";
import type { Gate } from "#records/events/gate.ts";
import { storable, type EventSource, type IncomingEvent } from "#records/events/incoming.ts";
import type { Ingest } from "#records/events/ingest.ts";
import { keysOf } from "#records/people/keys.ts";
import { z } from "zod";
import { IncomingConversation } from "./incoming.ts";
import { forget, forgetSubjects, updatedOf, writtenCount } from "./query.ts";

const mostConversations = 1_000;
const Body = z.object({ conversations: z.array(z.unknown()).max(mostConversations, `A request may bring ${mostConversations} conversations.`) }); // prettier-ignore
const Updated = z.object({ id: z.string(), updated: z.number() });
const Rows = z.object({ rows: z.number() });
const [startedEvent, givenEvent] = ["Conversation started", "Feedback given"];

interface Parts {
  readonly ingest: Ingest;
  readonly gate: Gate;
  readonly directory: Directory;
  readonly clock: Clock;
}

interface Rejected {
  readonly index: number;
  readonly id: string | null;
  readonly message: string;
}

type Taken = IncomingConversation & { readonly actor: string | undefined; readonly began: number };

/** By it a conversation is asked for as everything else that people do. */
const startOf = ({ id, userId, anonymousId, account, kind, channel, team, consent, began }: Taken): IncomingEvent => ({
  name: kind === "support" ? startedEvent : givenEvent,
  at: began,
  messageId: `conversation ${id}`,
  userId,
  anonymousId,
  ...(consent === undefined ? {} : { consent }),
  ...(account === "" ? {} : { account }),
  properties: { conversation: id, channel, ...(kind === "support" ? { team } : { kind }) },
});

const lines = (rows: readonly object[]): string => rows.map(storable).join("\n");

/** Without those of which a newer version is there already: updates come in any order. */
const newerThanHeld = async <One extends Taken>(engine: Engine, all: readonly One[]): Promise<readonly One[]> => {
  const dated = all.flatMap(({ id, updatedAt }) => (updatedAt === undefined ? [] : [id]));
  if (dated.length === 0) return all;
  const held = new Map((await engine.rows(updatedOf(dated), Updated, { purpose: "maintain" })).map(({ id, updated }) => [id, updated])); // prettier-ignore
  return all.filter(({ id, updatedAt }) => updatedAt === undefined || updatedAt >= (held.get(id) ?? 0));
};

/** What a source takes back is gone from what is kept, whenever it was written. */
const takeBack = async (engine: Engine, all: readonly Taken[]): Promise<void> => {
  const emptied = all.flatMap(({ id, parts }) => parts.filter(({ text }) => text === "").map((part) => ({ id, part: `${id} ${part.id}` }))); // prettier-ignore
  const deleted = all.filter((one) => one.deleted).map(({ id }) => id);
  const wanted: [conversations: string[], parts?: string[]][] = [];
  if (emptied.length > 0) wanted.push([emptied.map(({ id }) => id), emptied.map(({ part }) => part)]);
  if (deleted.length > 0) wanted.push([deleted]);
  for (const [conversations, parts] of wanted) {
    const [count] = await engine.rows(writtenCount(conversations, parts), Rows, { purpose: "maintain" });
    if ((count?.rows ?? 0) > 0) await engine.command(forget(conversations, parts));
  }
  if (deleted.length > 0) await engine.command(forgetSubjects(deleted));
};

/** Where conversations are taken in, whoever brings them. What holds for events at the door holds for what is written in them. */
export const createConversationDesk = ({ ingest, gate, directory, clock }: Parts) => {
  /** Resolves when the store has them; a conversation that cannot be read is told, and the others go in. `isTold`: an event says already that each began. */
  const take = async (source: EventSource, body: unknown, isTold = false) => {
    const found = await directory.find(source.workspace);
    if (found === undefined) throw new Refusal("conversations.no_workspace", "The workspace of this key is gone.", {}, 404); // prettier-ignore
    const read = Body.safeParse(body);
    if (!read.success) throw new Refusal("conversations.body", `The body is an object with a list \`conversations\`. ${read.error.issues[0]?.message ?? ""}`); // prettier-ignore
    const [keys, door, now] = [keysOf(found.workspace.secret), await gate.judgeOf(source), clock.now()];
    const rejected: Rejected[] = [];
    const taken = read.data.conversations.flatMap((item, index): Taken[] => {
      const one = IncomingConversation.safeParse(item);
      if (one.success) return [{ ...one.data, actor: one.data.userId ?? one.data.anonymousId, began: one.data.createdAt ?? one.data.parts.reduce((first, { at }) => Math.min(first, at), now) }]; // prettier-ignore
      const [issue] = one.error.issues;
      const id = typeof item === "object" && item !== null && "id" in item && typeof item.id === "string" ? item.id : null; // prettier-ignore
      rejected.push({ index, id, message: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}` });
      return [];
    });
    const known = taken.filter((one) => !door.isSuppressed(startOf(one)));
    const agreed = known.filter((one) => !door.isWithheld(startOf(one)));
    const kept = agreed.map((one) => ({ ...one, key: one.actor === undefined ? "0" : keys.actor(one.actor) }));
    // first, so that whoever finds a conversation finds whose it is as soon as what was acknowledged can be read
    const started = kept.filter(({ actor, deleted }) => actor !== undefined && !deleted).map(startOf);
    if (started.length > 0 && !isTold) await ingest.accept(source, started);
    // then parts: whoever sees a conversation finds what it says
    const parts = kept.flatMap(({ id, key, deleted, parts: all }) => all.map((part) => ({ conversation: id, id: part.id, actor: key, role: part.role, private: part.private ? 1 : 0, author: part.author, text: deleted ? "" : door.treated(part.text), at: engineTime(part.at), received: engineTime(now) }))); // prettier-ignore
    if (parts.length > 0) await found.engine.insert("conversation_parts", lines(parts));
    const heads = await newerThanHeld(found.engine, kept);
    if (heads.length > 0)
      await found.engine.insert("conversations", lines(heads.map(({ id, key, kind, account, channel, language, team, assignee, tags, state, subject, rating, began, updatedAt, deleted }) => ({ id, actor: key, account, source: source.id, channel, language, team, assignee, tags, state, subject: deleted ? "" : door.treated(subject), rating, created: engineTime(began), received: engineTime(now), updated: engineTime(updatedAt ?? 0), kind })))); // prettier-ignore
    await takeBack(found.engine, kept);
    return { accepted: kept.length, withheld: known.length - agreed.length, rejected };
  };

  return { take };
};
export type ConversationDesk = ReturnType<typeof createConversationDesk>;
