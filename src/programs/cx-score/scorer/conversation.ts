/** What is scored, and what comes of it. Pure data; nothing here reads, waits or depends on the machine. */

export const roles = ["customer", "ai_agent", "human_agent"] as const;
export type TurnRole = (typeof roles)[number];

export interface Turn {
  readonly r: TurnRole;
  readonly x: string;
  /** Seconds since the first turn, or since any moment. */
  readonly t?: number | undefined;
}

export interface Conversation {
  readonly turns: readonly Turn[];
  /** As ISO 639-1; guessed from the script where it is not said. */
  readonly lang?: string | undefined;
}

export const drivers = ["ai_answer_quality", "teammate_answer_quality", "customer_effort", "strong_emotion", "product_feedback", "policy_feedback"] as const; // prettier-ignore
export type DriverName = (typeof drivers)[number];

/** A verbatim part of a turn: `x.slice(start, end) === text`. Offsets are of UTF-16 code units. */
export interface Quote {
  readonly turn: number;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Driver {
  readonly driver: DriverName;
  readonly polarity: -1 | 0 | 1;
  /** From 0 to 1. */
  readonly strength: number;
  readonly confidence: number;
  /** Points by which it moved the score. */
  readonly contribution: number;
  readonly quotes: readonly Quote[];
}

/** Why a conversation has no score. */
export const reasons = ["scored", "no_turns", "no_customer_text", "automatic_reply", "too_little_text", "too_short_for_language"] as const; // prettier-ignore
export type Reason = (typeof reasons)[number];

export interface Scored {
  /** From 1 to 5; null where it is not eligible. */
  readonly score: number | null;
  readonly eligible: boolean;
  readonly reason: Reason;
  readonly confidence: number;
  /** A language whose words are not known here: scored by what is the same in all of them. */
  readonly limited: boolean;
  readonly lang: string;
  /** What no driver explains, in points. */
  readonly other: number;
  readonly drivers: readonly Driver[];
  /** How well each kind of handler answered, from 1 to 5; null for one that did not take part. */
  readonly handlers: { readonly ai_agent: number | null; readonly human_agent: number | null };
  readonly summary: string;
}
