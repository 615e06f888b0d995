import type { EventSource, IncomingEvent } from "./incoming.ts";

/** What stands at the door: it looks at each event before anything of it is kept. */

/** One way in which an event is not as was agreed. It never holds a value. */
export interface Breach {
  readonly rule: string;
  /** JSON Pointer; of a missing or an extra property it names that property, not its parent. */
  readonly path: string;
  readonly keyword: string;
  /** What is wanted, as text of at most 200 characters. */
  readonly expected: string;
  /** JSON type of what came; `missing` where nothing did. */
  readonly actualType: string;
  readonly message: string;
}

/** What becomes of an event. */
export interface Judged {
  /** As it may be kept: what is personal or secret is masked, and what is to be left out is gone. */
  readonly event: IncomingEvent;
  readonly action: "forward" | "quarantine" | "block" | "drop";
  readonly breaches: readonly Breach[];
  /** Against which contract; empty for none. */
  readonly contract: string;
  readonly version: string;
}

export interface Judge {
  readonly judge: (event: IncomingEvent) => Judged;
  /** Whether it is about somebody of whom nothing may be kept, not even that it came. */
  readonly isSuppressed: (event: IncomingEvent) => boolean;
  /** Whether nothing of it may be kept, for want of consent; each that is withheld is counted. */
  readonly isWithheld: (event: IncomingEvent) => boolean;
  /** What somebody wrote, with what is personal or secret treated as the source does with it. */
  readonly treated: (text: string) => string;
}

export interface Gate {
  /** What holds for a workspace, ready to judge its events. Never throws: without rules everything goes on. */
  judgeOf(source: EventSource): Promise<Judge>;
  /** Text that is kept although it could not be read as an event, with what is personal or secret masked. */
  mask(text: string): string;
}

/** Lets everything through, for tools that bring no rules. */
export const openGate: Gate = {
  judgeOf: () =>
    Promise.resolve({
      judge: (event) => ({ event, action: "forward", breaches: [], contract: "", version: "" }),
      isSuppressed: () => false,
      isWithheld: () => false,
      treated: (text) => text,
    }),
  mask: (text) => text,
};
