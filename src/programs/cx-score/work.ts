import { z } from "zod";
import type { WorkspaceCall } from "#kernel/module.ts";
import { grouped } from "#kernel/grouped.ts";
import { engineTime } from "#kernel/sql.ts";
import { untilArrival } from "#records/conversations/rest.ts";
import type { Ingest } from "#records/events/ingest.ts";
import { storable, type IncomingEvent } from "#records/events/incoming.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import { forgetSummaries, headsToScore, partsToScore, takenBack, unscored, type ToScore } from "./query.ts";
import type { Turn, TurnRole } from "./scorer/conversation.ts";
import { modelVersion } from "./scorer/heads.ts";
import { scoreConversation } from "./scorer/score.ts";
import type { Themes } from "../themes/book.ts";
import { activeOf, madeHere, standingOf, type Book, type Version } from "./versions/book.ts";
import { moved, type Calibration } from "./versions/calibration.ts";
import { bucketsOf, residualOf } from "./versions/residual.ts";

/**
 * Scores what was not scored as it stands now. It can end anywhere and begin again: what is left is found from the tables,
 * the same conversation gives the same row, and its event the same message id.
 */

const [batch, settleMs] = [1_000, 30_000];
/** Of so many days conversations are scored by a version in shadow. */
export const shadowDays = 90;
export const scoredEvent = "Conversation scored";

const Waiting = z.object({ conversation: z.string(), content: z.string(), fresh: z.number() });
const Head = z.object({ id: z.string(), actor: z.string(), user: z.string(), identified: z.number(), account: z.string(), source: z.string(), channel: z.string(), language: z.string(), team: z.string(), state: z.string() }); // prettier-ignore
const Part = z.object({ conversation: z.string(), id: z.string(), role: z.string(), text: z.string(), at: z.number() });

const roles: Readonly<Record<string, TurnRole>> = { customer: "customer", ai_agent: "ai_agent", bot: "ai_agent", teammate: "human_agent" }; // prettier-ignore

interface Parts {
  readonly ingest: Ingest;
  readonly registry: SourceRegistry;
  readonly book: Book;
  readonly themes: Themes;
}

/** What is scored in one go: by which version, and whether anybody is told. */
interface Pass extends ToScore {
  readonly calibration: Calibration | undefined;
  readonly isShadow: boolean;
}

type Found = ReturnType<typeof scoreConversation>;
/** Moved to where people of the workspace put it; the points still add up to the score. */
const calibrated = (found: Found, turns: readonly Turn[], by: Calibration | undefined): Found => {
  if (by === undefined || found.score === null) return found;
  const words = by.residual === undefined ? 0 : residualOf(by.residual, turns);
  const score = Math.round(Math.min(5, Math.max(1, moved(by.from, by.to, found.score) + words)) * 100) / 100;
  return { ...found, score, other: found.other + score - found.score };
};

/** The properties of an event, by which every question may ask for the score. */
const eventOf = (head: z.output<typeof Head>, { version, content, at, topic }: { version: string; content: string; at: number; topic: string }, found: Found): IncomingEvent => ({
  name: scoredEvent,
  at,
  messageId: `cx ${head.id} ${content} ${version}`,
  ...(head.identified === 1 ? { userId: head.user } : { anonymousId: head.user }),
  ...(head.account === "" ? {} : { account: head.account }),
  properties: {
    conversation: head.id,
    score: found.score,
    channel: head.channel,
    team: head.team,
    language: found.lang,
    ...(topic === "" ? {} : { topic }),
    ...Object.fromEntries(found.drivers.map(({ driver, contribution }) => [driver, contribution])),
  },
}); // prettier-ignore

const languageOf = (head: z.output<typeof Head> | undefined): string | undefined => (head === undefined || head.language === "" ? undefined : head.language); // prettier-ignore

/** Conversations as the scorer takes them, with what is known of each. */
const readConversations = async (engine: WorkspaceCall["engine"], ids: readonly string[], signal: AbortSignal) => {
  const maintain = { purpose: "maintain", signal } as const;
  const [heads, parts] = [await engine.rows(headsToScore(ids), Head, maintain), await engine.rows(partsToScore(ids), Part, maintain)]; // prettier-ignore
  const partsBy = grouped(parts, ({ conversation }) => conversation);
  return {
    headOf: new Map(heads.map((head) => [head.id, head])),
    partsBy,
    turnsOf: (id: string): Turn[] => (partsBy.get(id) ?? []).map(({ role, text, at }): Turn => ({ r: roles[role] ?? "human_agent", x: text, t: at / 1000 })), // prettier-ignore
  };
};

const portion = 500;

/** What the scorer by itself says of conversations, and the words that a calibration may learn from; none of what it cannot score. */
export const scoredPlainly = async (call: WorkspaceCall, ids: readonly string[]): Promise<ReadonlyMap<string, { readonly score: number; readonly features: readonly number[] }>> => {
  const found = new Map<string, { score: number; features: readonly number[] }>();
  for (let from = 0; from < ids.length; from += portion) {
    const own = ids.slice(from, from + portion);
    const { headOf, turnsOf } = await readConversations(call.engine, own, call.signal);
    for (const id of own) {
      const turns = turnsOf(id);
      const { score } = scoreConversation({ turns, lang: languageOf(headOf.get(id)) });
      if (score !== null) found.set(id, { score, features: bucketsOf(turns) });
    }
  }
  return found;
}; // prettier-ignore

/** One batch; how many it scored. */
const scoreBatch = async (
  call: WorkspaceCall,
  { ingest, registry, themes }: Parts,
  pass: Pass,
  now: number,
): Promise<number> => {
  const { engine } = call;
  const maintain = { purpose: "maintain", signal: call.signal } as const;
  const waiting = await engine.rows(unscored(pass, batch), Waiting, maintain);
  if (waiting.length === 0) return 0;
  // whose conversations they are, is known once the events by which they started can be read
  if (!(await ingest.caughtUp(settleMs))) return 0;
  const ids = waiting.map(({ conversation }) => conversation);
  const { headOf, partsBy, turnsOf } = await readConversations(engine, ids, call.signal);
  const saidBy = (id: string): readonly string[] => (partsBy.get(id) ?? []).filter(({ role }) => role === "customer").map(({ text }) => text); // prettier-ignore
  // known before anybody can find the score, so that rules can ask for it
  const topics = pass.isShadow ? new Map<string, string>() : await themes.assign(call, waiting.map(({ conversation, content }) => ({ conversation, content, actor: headOf.get(conversation)?.actor ?? "0", turns: saidBy(conversation) })), now); // prettier-ignore
  const events = new Map<string, IncomingEvent[]>();
  const rows = waiting.map(({ conversation, content, fresh }) => {
    const head = headOf.get(conversation);
    const own = partsBy.get(conversation) ?? [];
    const turns = turnsOf(conversation);
    const found = calibrated(scoreConversation({ turns, lang: languageOf(head) }), turns, pass.calibration);
    const at = own.at(-1)?.at ?? call.now;
    // told once: not by a version in shadow, nor again where history is scored anew
    const isTold = !pass.isShadow && fresh === 1 && head?.state === "closed" && head.user !== "" && found.eligible;
    if (isTold) events.set(head.source, [...(events.get(head.source) ?? []), eventOf(head, { version: pass.id, content, at, topic: topics.get(conversation) ?? "" }, found)]); // prettier-ignore
    const drivers = found.drivers.map((driver) => ({ ...driver, quotes: driver.quotes.map(({ turn, start, end }) => ({ part: own[turn]?.id ?? "", start, end })) })); // prettier-ignore
    return { conversation, model: pass.id, content, actor: head?.actor ?? "0", at: engineTime(at), score: found.score, reason: found.reason, language: found.lang, limited: found.limited ? 1 : 0, confidence: found.confidence, other: found.other, ai: found.handlers.ai_agent, teammate: found.handlers.human_agent, drivers: drivers.map(({ driver }) => driver), contributions: drivers.map(({ contribution }) => contribution), detail: JSON.stringify(drivers), summary: found.summary, scored: engineTime(now) }; // prettier-ignore
  });
  // events first: where it ends between the two, the same events come again and count once
  for (const [id, some] of events) {
    const source = await registry.byId(call.workspace.id, id).catch(() => undefined);
    if (source !== undefined) await ingest.accept(source, some);
  }
  const gone = new Set((await engine.rows(takenBack(ids), z.object({ conversation: z.string() }), maintain)).map(({ conversation }) => conversation)); // prettier-ignore
  const standingNow = waiting.filter(({ conversation }) => gone.has(conversation)).map(({ content }) => content);
  if (gone.size > 0) for (const statement of forgetSummaries([...gone], standingNow)) await engine.command(statement);
  await engine.insert("cx_scores", rows.map(storable).join("\n"));
  return rows.length;
};

/** What is scored: by the version in use what is new (and what was before, where it counts anew), then what runs in shadow. */
export const passesOf = (versions: readonly Version[], now: number): readonly Pass[] => {
  // what a language model scores comes later, and stands before what is scored here
  const own = madeHere(versions);
  const [standing, active] = [standingOf(versions), activeOf(own)];
  const isReady = active?.model === modelVersion;
  // after an upgrade the scorer of the version in use is gone: what is new is scored by the one that there is
  const used = { id: isReady ? active.id : modelVersion, calibration: isReady ? active.calibration : undefined, standing, which: isReady && standingOf(own).at(-1)?.rebased === true ? "all" : "missing", isShadow: false } as const; // prettier-ignore
  const shadows = own.filter(({ state, model }) => state === "shadow" && model === modelVersion);
  return [used, ...shadows.map(({ id, calibration }) => ({ id, calibration, standing, which: "all", since: now - shadowDays * 86_400_000, isShadow: true }) as const)]; // prettier-ignore
};

const rest = untilArrival();

/** Everything that waits. Nothing is asked where nothing came. */
export const scoreAll = async (call: WorkspaceCall, parts: Parts): Promise<void> => {
  const versions = await parts.book.known(call);
  const began = Date.now();
  await rest(call, versions.map((one) => [one.id, one.state, one.activations]), async () => {
    for (const pass of passesOf(versions, call.now))
      for (let done = batch; done === batch && !call.signal.aborted;)
        done = await scoreBatch(call, parts, pass, call.now + Date.now() - began);
    return parts.ingest.caughtUp(0);
  }); // prettier-ignore
};
