import { z } from "zod";
import { Refusal } from "#kernel/refusal.ts";
import type { Answer, Outbound } from "#kernel/outbound.ts";
import { conversationOf } from "./formats.ts";

/** Conversations from Intercom's API, page by page, those that were changed longest ago first. */

const version = "2.14";
const [perPage, mostBytes, waitMs] = [50, 20_000_000, 30_000];
/** What is listed may be that much older than what was seen last: changes of one second come on several pages. */
const overlapSeconds = 2;

const Page = z.looseObject({
  conversations: z.array(z.looseObject({ id: z.union([z.string(), z.number()]).transform(String), updated_at: z.number() })).default([]),
  pages: z.looseObject({ next: z.looseObject({ starting_after: z.string() }).nullish() }).nullish(),
}); // prettier-ignore

interface Given {
  readonly outbound: Outbound;
  readonly address: string;
  readonly token: string;
  readonly region: string;
  readonly signal: AbortSignal;
}

/** A page, and until when it reaches, so that one can go on from there. */
interface Pulled {
  readonly records: readonly unknown[];
  readonly until: number;
  /** What could not be read, in words. */
  readonly problems: readonly string[];
}

/** The API wants to be left alone for a while: what is left is asked for at the next turn. */
export class Later extends Error {}

/** It is not there any more. */
export class Gone extends Refusal {
  constructor() {
    super("intercom.gone", "Intercom does not have this conversation any more.");
  }
}

const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal("intercom.answer", "Intercom answered with something that is no JSON.");
  }
};

const refusalFor = ({ status }: Answer): Error => {
  if (status === 429) return new Later("Intercom asked to wait; it goes on at the next turn.");
  if (status === 401 || status === 403) return new Refusal("intercom.token", "Intercom does not take this token, or it may not do this. Make a new one in its developer hub."); // prettier-ignore
  return new Refusal("intercom.status", `Intercom answered with ${status}.`);
};

/** Asks the API: GET, or POST where there is a body. */
const asking = ({ outbound, address, token, region, signal }: Given) => {
  const headers = { authorization: `Bearer ${token}`, "intercom-version": version, accept: "application/json", "content-type": "application/json" }; // prettier-ignore
  return (path: string, body?: object): Promise<Answer> =>
    outbound.ask({ address: new URL(path, address).href, method: body === undefined ? "GET" : "POST", headers, body: body === undefined ? undefined : JSON.stringify(body), region, signal, mostBytes, waitMs }); // prettier-ignore
};

const Named = z.looseObject({ id: z.union([z.string(), z.number()]).transform(String) });

/**
 * Puts tags on conversations, made where there is none of that name, in the name of whoever made the token: it may need to
 * be allowed to write tags. To do it again changes nothing. Whose token it is and each tag are asked for once.
 */
export const tagsOf = (given: Given) => {
  const ask = asking(given);
  const idOf = async (path: string, body?: object): Promise<string> => {
    const answer = await ask(path, body);
    if (answer.status !== 200) throw refusalFor(answer);
    return Named.parse(readJson(answer.body)).id;
  };
  const held = new Map<string, Promise<string>>();
  const once = (key: string, path: string, body?: object): Promise<string> => {
    const asked = held.get(key) ?? idOf(path, body);
    held.set(key, asked);
    return asked;
  };
  /** Throws `Gone` where there is no such conversation, and `Later`. */
  return async (id: string, tag: string): Promise<void> => {
    const admin = await once("me", "/me");
    const named = await once(`tag ${tag}`, "/tags", { name: tag });
    const answer = await ask(`/conversations/${encodeURIComponent(id)}/tags`, { id: named, admin_id: admin });
    if (answer.status === 404) throw new Gone();
    if (answer.status !== 200) throw refusalFor(answer);
  };
};

/** Conversations that were changed since, page by page. */
export async function* changedSince(given: Given, since: number): AsyncGenerator<Pulled> {
  const { signal } = given;
  const ask = asking(given);
  let after: string | undefined;
  do {
    const answer = await ask("/conversations/search", {
      query: { field: "updated_at", operator: ">", value: Math.max(0, since - overlapSeconds) },
      sort: { field: "updated_at", order: "ascending" },
      pagination: { per_page: perPage, ...(after === undefined ? {} : { starting_after: after }) },
    });
    if (answer.status !== 200) throw refusalFor(answer);
    const page = Page.parse(readJson(answer.body));
    const records: unknown[] = [];
    const problems: string[] = [];
    // it may list by whole days
    for (const { id, updated_at } of page.conversations.filter((one) => one.updated_at >= since - overlapSeconds)) {
      const one = await ask(`/conversations/${encodeURIComponent(id)}?display_as=plaintext`);
      if (one.status === 404) records.push({ id: `intercom ${id}`, deleted: true });
      else if (one.status === 200 && !one.isCut) records.push(conversationOf({ updated_at, ...(readJson(one.body) as object) }, "intercom"));
      else if (one.isCut) problems.push(`Conversation ${id} is larger than ${mostBytes / 1e6} MB.`);
      else throw refusalFor(one);
    }
    yield { records, problems, until: Math.max(since, ...page.conversations.map((one) => one.updated_at)) };
    after = page.pages?.next?.starting_after;
  } while (after !== undefined && !signal.aborted);
} // prettier-ignore
