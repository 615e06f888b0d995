import { bookOf, needsExpressions, type Book, type Evaluation } from "./evaluate.ts";
import type { Expressions } from "./conditions.ts";
import type { Rules } from "./rules.ts";
import { listen } from "./stream.ts";

/** Who, or what, a flag is decided for. Everything but these three is an attribute that rules may speak of. */
export interface FlagContext {
  readonly targetingKey?: string;
  /** Ids of the cohorts that it is in; without it, flags that speak of a cohort give the code's own default. */
  readonly cohorts?: readonly string[];
  readonly [attribute: string]: unknown;
}

export interface Details<T> {
  readonly value: T;
  /** Undefined where the code's own default is taken. */
  readonly variant?: string;
  readonly reason: "STATIC" | "TARGETING_MATCH" | "SPLIT" | "DEFAULT" | "DISABLED" | "ERROR";
  readonly errorCode?: "FLAG_NOT_FOUND" | "TARGETING_KEY_MISSING" | "TYPE_MISMATCH" | "PROVIDER_NOT_READY" | "GENERAL";
  readonly errorMessage?: string;
}

export interface Exposure {
  readonly flag: string;
  readonly variant: string;
  readonly value: unknown;
  readonly context: FlagContext;
}

/** Where a split that remembers remembers. What it is given must come back: `localStorage`, a cookie, a table. */
export interface Assignments {
  get(assignment: string, unit: string): string | undefined;
  set(assignment: string, unit: string, variation: string): void;
}

export interface FlagsOptions {
  /** Where Throughline is, such as `https://growth.example.com`. Left out where only given rules count. */
  readonly url?: string;
  /** The secret key of an environment (`tls_…`). It reads rules, so it stays on servers. */
  readonly key?: string;
  /** What flags are decided by until others were fetched: what your server was given, handed on to a page. */
  readonly rules?: Rules;
  /** How often rules are asked for, besides being told of changes. Default 60; 0: never. */
  readonly pollSeconds?: number;
  /** Whether changes are heard of by a stream. Default true. */
  readonly stream?: boolean;
  /** Somebody got a variant of a split, once each while they are remembered (the last 10,000). Send it as the event that your experiment counts. */
  readonly onExposure?: (exposure: Exposure) => void;
  /** Without it, the parts of splits that remember are held in memory (the last 10,000). */
  readonly assignments?: Assignments;
  /** Rules could not be fetched; the last ones hold. */
  readonly onError?: (error: Error) => void;
  readonly fetch?: typeof fetch;
}

export interface Flags {
  /** Settled once rules are there, or once they could not be fetched at first; it never rejects. */
  readonly ready: Promise<void>;
  /** The value, or the fallback where the flag has none for the context, is of another type, or cannot be decided. */
  value<T>(flag: string, fallback: T, context?: FlagContext): T;
  details<T>(flag: string, fallback: T, context?: FlagContext): Details<T>;
  /** Every flag that has a value for the context. No exposure is told. */
  all(context?: FlagContext): Record<string, unknown>;
  /** The rules that hold, to hand on; undefined before there are any. */
  rules(): Rules | undefined;
  /** Asks for rules now. Rejects where they cannot be had. */
  refresh(): Promise<void>;
  /** Calls back after each change; what it gives back ends that. */
  onChange(heard: () => void): () => void;
  /** Ends asking and listening. Values stay as they are. */
  close(): void;
}

const mostRemembered = 10_000;
const [firstRetryMs, longestRetryMs, longestPauseMs, answerMs] = [1_000, 60_000, 300_000, 10_000];

/** Holds the last so many. */
const remembering = <V>(): Map<string, V> & { put(key: string, value: V): void } => {
  const held = new Map<string, V>();
  return Object.assign(held, {
    put: (key: string, value: V): void => {
      held.delete(key);
      held.set(key, value);
      if (held.size > mostRemembered) held.delete(held.keys().next().value ?? "");
    },
  });
};

const memory = (): Assignments => {
  const held = remembering<string>();
  return { get: (assignment, unit) => held.get(`${assignment} ${unit}`), set: (assignment, unit, variation) => held.put(`${assignment} ${unit}`, variation) }; // prettier-ignore
};

const isRules = (value: unknown): value is Rules =>
  typeof value === "object" && value !== null && (value as Rules).format === 1 && typeof (value as Rules).environment === "string" && Array.isArray((value as Rules).flags); // prettier-ignore

const kindOf = (value: unknown): string => (value === null ? "null" : typeof value);

const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    // a process that has nothing else to do may end
    (timer as { unref?: () => void }).unref?.();
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });

/** Flags that are decided here, without asking anybody: by rules that are fetched, or given. */
export const createFlags = (options: FlagsOptions): Flags => {
  const { url, key, onExposure, onError, pollSeconds = 60, stream = true } = options;
  const get = options.fetch ?? fetch;
  const assignments = options.assignments ?? memory();
  const exposed = remembering<true>();
  const listeners = new Set<() => void>();
  const end = new AbortController();
  let rules: Rules | undefined;
  let book: Book | undefined;
  let etag: string | null = null;
  let streamAt: string | undefined;

  const put = (next: Rules, read?: Expressions): void => {
    book = bookOf(next.flags, next.environment, read);
    rules = next;
    for (const heard of listeners) heard();
  };
  /** At once, unless regular expressions have to be loaded first. */
  const take = (next: Rules): Promise<void> | undefined => {
    if (!isRules(next)) throw new Error("These are no rules of flags that this client can read. Is it older than the server?"); // prettier-ignore
    if (next.flags.some(needsExpressions)) return import("./expressions.ts").then(({ expressions }) => put(next, expressions)); // prettier-ignore
    put(next);
    return undefined;
  };
  const given = options.rules === undefined ? undefined : take(options.rules);

  const refresh = async (): Promise<void> => {
    if (url === undefined) throw new Error("There is no url to ask for rules.");
    const response = await get(new URL("/flags/v1/rules", url).href, {
      headers: { authorization: `Bearer ${key ?? ""}`, ...(etag === null ? {} : { "if-none-match": etag }) },
      signal: AbortSignal.any([end.signal, AbortSignal.timeout(answerMs)]),
    });
    if (response.status === 304) return;
    if (!response.ok) throw new Error(response.status === 401 ? "The key was not taken: it is the secret key of an environment, from the Flags page." : `Asking for rules was answered ${response.status}.`); // prettier-ignore
    const { eventStreams, ...next } = (await response.json()) as Rules & { eventStreams?: { endpoint?: { requestUri?: string } }[] }; // prettier-ignore
    streamAt = eventStreams?.[0]?.endpoint?.requestUri;
    await take(next);
    etag = response.headers.get("etag");
  };

  const told = (error: unknown): void => {
    if (!end.signal.aborted) onError?.(error instanceof Error ? error : new Error(String(error)));
  };

  /** Asks again and again, sooner after a failure; what was fetched last holds. */
  const poll = async (first: Promise<boolean>): Promise<void> => {
    let retry = (await first) ? 0 : firstRetryMs;
    while (!end.signal.aborted && (pollSeconds > 0 || retry > 0)) {
      await wait(retry > 0 ? retry : pollSeconds * 1_000, end.signal);
      if (end.signal.aborted) return;
      try {
        await refresh();
        retry = 0;
      } catch (error) {
        told(error);
        retry = Math.min(longestRetryMs, Math.max(firstRetryMs, retry * 2));
      }
    }
  };

  const hear = async (first: Promise<boolean>): Promise<void> => {
    await first;
    for (let pause = firstRetryMs; !end.signal.aborted; pause = Math.min(longestPauseMs, pause * 2)) {
      const began = Date.now();
      if (streamAt !== undefined && url !== undefined)
        await listen(get, new URL(streamAt, url).href, end.signal, () => void refresh().catch(told)).catch(told);
      if (Date.now() - began > longestPauseMs) pause = firstRetryMs; // it was listened to for a while
      await wait(pause * (0.5 + Math.random()), end.signal); // not all clients at once
      if (end.signal.aborted) return;
      etag = null; // its address is good for an hour or two; asking anew brings another
      await refresh().catch(told);
    }
  };

  const begin = async (): Promise<boolean> => {
    try {
      await given;
      if (url !== undefined) await refresh();
      return true;
    } catch (error) {
      told(error);
      return false;
    }
  };
  const first = begin();
  if (url !== undefined) {
    void poll(first);
    if (stream) void hear(first);
  }

  const contextOf = ({ targetingKey, cohorts, ...attributes }: FlagContext) => ({
    key: targetingKey === "" ? undefined : targetingKey,
    attributes,
    isIn: (cohort: string) => cohorts?.includes(cohort),
    kept: (assignment: string, unit: string) => assignments.get(assignment, unit),
  });

  const evaluated = (flag: string, context: FlagContext): Evaluation | undefined => {
    const found = book?.evaluate(flag, contextOf(context), Date.now());
    if (found !== undefined && !("error" in found) && found.keeps !== undefined) assignments.set(found.keeps.assignment, found.keeps.unit, found.keeps.variation); // prettier-ignore
    return found;
  };

  const details = <T>(flag: string, fallback: T, context: FlagContext = {}): Details<T> => {
    const found = evaluated(flag, context);
    if (found === undefined) return { value: fallback, reason: "ERROR", errorCode: "PROVIDER_NOT_READY", errorMessage: "There are no rules yet." }; // prettier-ignore
    if ("error" in found) return { value: fallback, reason: "ERROR", errorCode: found.error === "COHORT_UNKNOWN" ? "GENERAL" : found.error, errorMessage: found.says }; // prettier-ignore
    const { value, variant, reason } = found;
    // whoever is asked about by a flag takes part in its holdouts, kept out or not
    if (onExposure !== undefined) for (const holdout of book?.holdoutsOf(flag) ?? []) details(holdout, false, context);
    if (variant === undefined) return { value: fallback, reason };
    // nothing as the default says nothing of the type
    if (fallback !== null && fallback !== undefined && kindOf(value) !== kindOf(fallback)) return { value: fallback, reason: "ERROR", errorCode: "TYPE_MISMATCH", errorMessage: `${flag} is of type ${kindOf(value)}, and its default here of type ${kindOf(fallback)}.` }; // prettier-ignore
    if (reason === "SPLIT" && onExposure !== undefined) {
      const once = JSON.stringify([flag, variant, context.targetingKey ?? ""]);
      if (!exposed.has(once)) {
        exposed.put(once, true);
        onExposure({ flag, variant, value, context });
      }
    }
    return { value: value as T, variant, reason };
  };

  return {
    ready: first.then(() => undefined),
    details,
    value: (flag, fallback, context) => details(flag, fallback, context).value,
    all: (context = {}) =>
      Object.fromEntries((book?.keys ?? []).flatMap((flag) => {
        const found = evaluated(flag, context);
        return found === undefined || "error" in found || found.variant === undefined ? [] : [[flag, found.value]];
      })),
    rules: () => rules,
    refresh,
    onChange: (heard) => {
      listeners.add(heard);
      return () => listeners.delete(heard);
    },
    close: () => end.abort(),
  }; // prettier-ignore
};
