import type { Flag, Rule, Setting } from "./document.ts";

const dayMs = 86_400_000;
const [settledDays, forgottenDays] = [30, 90];

/** What a rule gives to whoever it fits; undefined where that is not one value. */
const onlyOf = ({ serve }: Rule): string | undefined => {
  if ("variation" in serve) return serve.variation;
  const parts = serve.split.parts.filter(({ weight }) => weight > 0);
  return serve.split.coverage >= 1 && serve.split.ramp.length === 0 && parts.length === 1
    ? parts[0]?.variation
    : undefined;
};

/** The one value that everybody gets while it is on; undefined where there are several, or it depends on time or on other flags. */
const settledOn = ({ rules, otherwise, prerequisites }: Setting): string | null | undefined => {
  if (prerequisites.length > 0 || rules.some(({ from, until, layer }) => from !== null || until !== null || layer !== null)) return undefined; // prettier-ignore
  const last = rules.findIndex(({ when }) => when.length === 0);
  const reached = last < 0 ? rules : rules.slice(0, last + 1);
  const values = new Set<string | null | undefined>(reached.map(onlyOf));
  // a split by an attribute leaves out whoever lacks it
  if (last < 0 || reached.some(({ serve }) => "split" in serve && serve.split.by !== "")) values.add(otherwise);
  return values.size === 1 ? [...values][0] : undefined;
};

/** Why a flag could leave the code; empty where it is of use. Times in milliseconds. */
export const staleness = ({ environments }: Flag, changedAt: number, now: number): string => {
  const days = Math.floor((now - changedAt) / dayMs);
  const on = Object.entries(environments).filter(([, { isOn }]) => isOn);
  if (on.length === 0) return days >= forgottenDays ? `Off everywhere for ${days} days.` : "";
  if (days < settledDays) return "";
  const values = on.map(([, setting]) => settledOn(setting));
  if (values.some((value) => value === undefined)) return "";
  return `For ${days} days everybody gets the same${new Set(values).size === 1 && values[0] !== null ? `: ${values[0]}` : ""}.`;
};
