import type { Flag, Rule, Setting } from "./document.ts";

const shown = (value: unknown): string => JSON.stringify(value).slice(0, 200);
const ruleName = ({ name }: Rule, at: number): string => (name === "" ? `rule ${at + 1}` : `rule ${name}`);

const settingChanges = (environment: string, before: Setting | undefined, after: Setting): string[] => {
  if (before === undefined) return [`${environment}: set up, ${after.isOn ? "on" : "off"}`];
  const turned = before.isOn === after.isOn ? [] : [`${environment}: switched ${after.isOn ? "on" : "off"}`];
  const served = (["off", "otherwise", "prerequisites"] as const).flatMap(
    (field) =>
    shown(before[field]) === shown(after[field]) ? [] : [`${environment}, ${field}: ${shown(before[field])} → ${shown(after[field])}`], // prettier-ignore
  );
  const rules = Array.from({ length: Math.max(before.rules.length, after.rules.length) }, (_, at): string[] => {
    const [was, is] = [before.rules[at], after.rules[at]];
    if (is === undefined) return was === undefined ? [] : [`${environment}: ${ruleName(was, at)} removed`];
    if (was === undefined) return [`${environment}: ${ruleName(is, at)} added`];
    return JSON.stringify(was) === JSON.stringify(is) ? [] : [`${environment}: ${ruleName(is, at)} changed`];
  }).flat();
  return [...turned, ...served, ...rules];
};

/** What is different between two versions of a flag, in words. */
export const changesOf = (before: Flag | undefined, after: Flag): readonly string[] => {
  if (before === undefined) return ["created"];
  const fields = (["type", "description", "owner", "variations", "holdout"] as const).flatMap(
    (field) =>
    JSON.stringify(before[field]) === JSON.stringify(after[field]) ? [] : [`${field}: ${shown(before[field])} → ${shown(after[field])}`], // prettier-ignore
  );
  const settings = Object.entries(after.environments).flatMap(([name, setting]) => settingChanges(name, before.environments[name], setting)); // prettier-ignore
  const gone = Object.keys(before.environments).filter((name) => after.environments[name] === undefined);
  return [...fields, ...settings, ...gone.map((name) => `${name}: taken out`)];
};
