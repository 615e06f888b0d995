/** Flags as they are decided: what the server keeps, and what a client is given to decide by itself. */

/** Whose way of putting a unit into a part is followed; the first is ours. */
export const hashings = [
  "growthbook-2",
  "growthbook-1",
  "unleash",
  "flagd",
  "optimizely",
  "amplitude",
  "statsig",
  "eppo",
  "posthog",
  "launchdarkly",
  "flagsmith",
  "go-feature-flag",
] as const;
export type Hashing = (typeof hashings)[number];

export type Operator =
  | "eq"
  | "neq"
  | "contains"
  | "not_contains"
  | "gt"
  | "gte"
  | "lt"
  | "lte"
  | "matches"
  | "not_matches"
  | "before"
  | "after"
  | "version_lt"
  | "version_lte"
  | "version_gt"
  | "version_gte"
  | "is_set"
  | "is_not_set";

/** An attribute by its name (dots go into objects), who by the targeting key, or being in cohorts. */
export interface Condition {
  readonly on: "person" | "id" | "cohort";
  readonly property: string;
  readonly op: Operator;
  readonly values: readonly string[];
}

export interface Split {
  readonly parts: readonly { readonly variation: string; readonly weight: number }[];
  /** From 0 to 1. Growing it moves nobody who is in. */
  readonly coverage: number;
  /** From each moment on so many are inside; before the first, the coverage. */
  readonly ramp: readonly { readonly at: string; readonly coverage: number }[];
  /** The attribute that is hashed; empty for the targeting key. */
  readonly by: string;
  /** What is hashed with it; empty for the flag's key. */
  readonly seed: string;
  readonly salt: string;
  readonly hashing: Hashing;
  /** Whoever was put into a part stays there, whatever becomes of weights, coverage and conditions; another number begins anew. Null: nothing is remembered. */
  readonly sticky: number | null;
}

export interface Rule {
  /** All of them must hold; none: everybody. */
  readonly when: readonly Condition[];
  readonly from: string | null;
  readonly until: string | null;
  readonly layer: { readonly name: string; readonly from: number; readonly to: number } | null;
  readonly serve: { readonly variation: string } | { readonly split: Split };
}

export interface Setting {
  readonly isOn: boolean;
  /** What is served while it is off; null for what the code has as its default. */
  readonly off: string | null;
  readonly prerequisites: readonly { readonly flag: string; readonly variations: readonly string[] }[];
  /** The first that fits decides; who is outside its split goes on to the next. */
  readonly rules: readonly Rule[];
  readonly otherwise: string | null;
}

export interface Flag {
  readonly key: string;
  readonly variations: readonly { readonly name: string; readonly value: unknown }[];
  /** Keeps some out of whatever has it as a prerequisite; while it is off it keeps nobody out. */
  readonly holdout: object | null;
  readonly environments: Readonly<Record<string, Setting>>;
}

/** What `GET /flags/v1/rules` answers: the flags of one environment. */
export interface Rules {
  readonly format: 1;
  readonly environment: string;
  readonly flags: readonly Flag[];
}
