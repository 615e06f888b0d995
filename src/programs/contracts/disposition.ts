import type { Settings as Chosen } from "./contract.ts";
import type { Rule } from "./schema.ts";

/** What becomes of an event, the strictest first. `drop` is for consent and suppression, `block` for contracts. */
export const actions = ["drop", "block", "quarantine", "omit", "forward"] as const;
export type Action = (typeof actions)[number];

/** What a source (or an event) does with what does not fit, and with people who did not agree. */
export interface Settings extends Omit<Chosen, "purposes" | "absentConsent" | "optOut"> {
  readonly purposes?: readonly string[] | undefined;
  readonly optOut?: readonly string[] | undefined;
  readonly noConsent?: "drop" | "forward";
  /** Of events that say nothing of consent. Where people must be asked first, that is a no. */
  readonly absentConsent?: "allow" | "deny" | undefined;
}

/** Nothing is lost unless somebody chose so. */
export const defaults: Omit<Chosen, "absentConsent"> = {
  unplannedEvent: "forward",
  unplannedProperty: "forward",
  violation: "forward",
  pii: "redact",
  secret: "redact",
  purposes: [],
  optOut: [],
};

/** What an event says of the purposes that are needed; undefined where none is, null where it says nothing. */
export const consentTo = (
  { purposes = [], optOut = [] }: Pick<Settings, "purposes" | "optOut">,
  given: Readonly<Record<string, boolean>> | undefined,
  optedOut: boolean,
): Readonly<Record<string, boolean>> | null | undefined => {
  if (purposes.length === 0) return undefined;
  const refused = optedOut ? purposes.filter((purpose) => optOut.includes(purpose)) : [];
  if (given === undefined && refused.length === 0) return null;
  return Object.fromEntries(
    purposes.map((purpose) => [
      purpose,
      !refused.includes(purpose) && (given === undefined || given[purpose] === true),
    ]),
  );
};

/** What was found out about an event at the door. */
export interface Facts {
  readonly violations?: readonly Rule[];
  readonly paths?: readonly string[];
  /** Whether one of the faulty properties is required. */
  readonly required?: boolean;
  readonly pii?: readonly { readonly path: string }[];
  readonly secrets?: readonly { readonly path: string }[];
  readonly suppressed?: boolean;
  /** What the event says of the purposes that the workspace needs; null where it says nothing. */
  readonly consent?: Readonly<Record<string, boolean>> | null;
  readonly region?: string;
  /** The contract could not be had; `cached` where an earlier version of it could. */
  readonly registryDown?: boolean;
  readonly cached?: boolean;
  readonly validatorError?: boolean;
}

export interface Disposition {
  readonly action: Action;
  /** Whether a record of what did not fit goes with it. */
  readonly annotated: boolean;
  /** It counts as having come, whatever became of it. */
  readonly counted: true;
  readonly alert: boolean;
  /** Properties that are left out. */
  readonly omitted: readonly string[];
  /** Values that are replaced, wherever the event goes. */
  readonly redacted: readonly string[];
  /** Whether anything of what it said is kept. */
  readonly storesPayload: boolean;
}

/** What becomes of a thing of which several are chosen. */
export const strictest = (chosen: readonly Action[]): Action =>
  actions.find((action) => chosen.includes(action)) ?? "forward";

/** Regions where nothing may be taken for a yes. */
const asksFirst = new Set(["EU", "EEA", "UK", "CH"]);

const isRefused = (settings: Settings, { consent, region }: Facts): boolean => {
  if (consent === undefined) return false;
  if (consent !== null) return Object.values(consent).some((given) => !given) || Object.keys(consent).length === 0;
  return (settings.absentConsent ?? (asksFirst.has(region ?? "") ? "deny" : "allow")) === "deny";
};

const actionFor = (settings: Settings, facts: Facts, rule: Rule): Action => {
  if (rule === "unplanned_event") return settings.unplannedEvent;
  const chosen = rule === "unplanned_property" ? settings.unplannedProperty : settings.violation;
  // what a contract requires cannot be left out: the event would break it again
  const cannotOmit = rule !== "unplanned_property" && (facts.required === true || rule === "required_missing");
  return chosen === "omit" && cannotOmit ? "quarantine" : chosen;
};

/**
 * What becomes of an event, from what was found and what was chosen: the strictest wins. A fault of ours (no contract
 * to be had, a validator that failed) never costs the sender an event; it forwards it and calls somebody.
 */
export const dispose = (settings: Settings, facts: Facts): Disposition => {
  const { violations = [], paths = [], pii = [], secrets = [] } = facts;
  const redacted = [...(settings.pii === "forward" ? [] : pii), ...(settings.secret === "forward" ? [] : secrets)].map(
    ({ path }) => path,
  );
  const base = {
    counted: true,
    redacted,
    alert: facts.registryDown === true || facts.validatorError === true,
  } as const;
  const isDropped = facts.suppressed === true || (settings.noConsent !== "forward" && isRefused(settings, facts));
  if (isDropped) return { ...base, action: "drop", annotated: false, omitted: [], storesPayload: false };
  const action = strictest(violations.map((rule) => actionFor(settings, facts, rule)));
  return {
    ...base,
    action,
    annotated: violations.length > 0 || base.alert,
    omitted: action === "omit" ? paths : [],
    storesPayload: true,
  };
};
