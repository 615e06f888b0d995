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
import { bury, forget, heldOf, partKeys, writtenCount } from "./query.ts";

const mostConversations = 1_000;
const Body = z.object({ conversations: z.array(z.unknown()).max(mostConversations, `A request may bring ${mostConversations} conversations.`) }); // prettier-ignore
const Held = z.object({ id: z.string(), updated: z.number(), gone: z.number() });
const Key = z.object({ part: z.string() });
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

/** Those that are there already, and of which a newer version is: updates come in any order. */
const heldAmong = async (engine: Engine, all: readonly Taken[]) => {
  const rows =
    all.length === 0 ? [] : await engine.rows(heldOf(all.map(({ id }) => id)), Held, { purpose: "maintain" });
  const held = new Map(rows.map((row) => [row.id, row]));
  const isStale = ({ id, updatedAt }: Taken): boolean =>
    updatedAt !== undefined && updatedAt < (held.get(id)?.updated ?? 0);
  const stale = all.filter(isStale).map(({ id }) => id);
  const known = new Set(stale.length === 0 ? [] : (await engine.rows(partKeys(stale), Key, { purpose: "maintain" })).map(({ part }) => part)); // prettier-ignore
  return {
    has: ({ id }: Taken): boolean => held.has(id),
    isGone: ({ id }: Taken): boolean => held.get(id)?.gone === 1,
    isStale,
    /** A part that is there already, and newer than what comes now. */
    isOlder: (one: Taken, part: string): boolean => isStale(one) && known.has(`${one.id} ${part}`),
  };
};

/** What a source takes back is gone from what is kept, whenever it was written, and whatever is agreed to. */
const takeBack = async (engine: Engine, all: readonly Taken[], now: number): Promise<void> => {
  const emptied = all.flatMap(({ id, parts }) => parts.filter(({ text }) => text === "").map((part) => ({ id, part: `${id} ${part.id}` }))); // prettier-ignore
  const deleted = all.filter((one) => one.deleted).map(({ id }) => id);
  const wanted: [conversations: string[], parts?: string[]][] = [];
  if (emptied.length > 0) wanted.push([emptied.map(({ id }) => id), emptied.map(({ part }) => part)]);
  if (deleted.length > 0) wanted.push([deleted]);
  for (const [conversations, parts] of wanted) {
    const [count] = await engine.rows(writtenCount(conversations, parts), Rows, { purpose: "maintain" });
    if ((count?.rows ?? 0) > 0) await engine.command(forget(conversations, parts));
  }
  // last: whoever finds it marked finds nothing written
  if (deleted.length > 0) for (const statement of bury(deleted, now)) await engine.command(statement);
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
    const { engine } = found;
    const known = taken.filter((one) => !door.isSuppressed(startOf(one)));
    // what takes something back needs nobody's consent
    const agreed = known.filter((one) => one.deleted || !door.isWithheld(startOf(one)));
    const held = await heldAmong(engine, taken);
    const isKept = new Set(agreed.filter((one) => !one.deleted && !held.isGone(one)));
    const kept = [...isKept];
    const keyOf = ({ actor }: Taken): string => (actor === undefined ? "0" : keys.actor(actor));
    // first, so that whoever finds a conversation finds whose it is as soon as what was acknowledged can be read
    const started = kept.filter(({ actor }) => actor !== undefined).map(startOf);
    if (started.length > 0 && !isTold) await ingest.accept(source, started);
    // then parts: whoever sees a conversation finds what it says. Of what is not kept only that something was taken back
    const parts = taken.flatMap((one) => {
      const own = isKept.has(one) ? one.parts.filter(({ id }) => !held.isOlder(one, id)) : held.has(one) ? one.parts.filter(({ text }) => text === "") : []; // prettier-ignore
      return own.map((part) => ({ conversation: one.id, id: part.id, actor: keyOf(one), role: part.role, private: part.private ? 1 : 0, author: part.author, text: door.treated(part.text), at: engineTime(part.at), received: engineTime(now) })); // prettier-ignore
    });
    if (parts.length > 0) await engine.insert("conversation_parts", lines(parts));
    // one that is deleted before it came stays so when it comes
    const heads = [...kept.filter((one) => !held.isStale(one)), ...taken.filter((one) => one.deleted && !held.has(one)).map((one) => ({ ...one, actor: undefined, subject: "" }))]; // prettier-ignore
    if (heads.length > 0)
      await engine.insert("conversations", lines(heads.map((one) => ({ id: one.id, actor: keyOf(one), account: one.account, source: source.id, channel: one.channel, language: one.language, team: one.team, assignee: one.assignee, tags: one.tags, state: one.deleted ? "deleted" : one.state, subject: door.treated(one.subject), rating: one.rating, created: engineTime(one.began), received: engineTime(now), updated: engineTime(one.updatedAt ?? 0), kind: one.kind })))); // prettier-ignore
    await takeBack(engine, taken, now);
    return { accepted: agreed.length, withheld: known.length - agreed.length, rejected };
  };

  return { take };
};
export type ConversationDesk = ReturnType<typeof createConversationDesk>;
