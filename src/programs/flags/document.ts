import { z } from "zod";
import { Filter } from "#insights/common/frame.ts";
import { hashings } from "#sdk/rules.ts";

/** A flag as it is kept and written. Everything in this file is browser-safe: the page and the server share it. */

export const flagTypes = ["boolean", "string", "number", "json"] as const;
export type FlagType = (typeof flagTypes)[number];

export { hashings };

const Moment = z.iso.datetime({ offset: true });
const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, "Letters, digits, dots, dashes and underscores, at most 100."); // prettier-ignore
export const FlagKey = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_./:-]{0,199}$/, "Letters, digits and _ . / : - , at most 200, beginning with a letter or digit."); // prettier-ignore

/** An attribute of the context by its name (dots go into objects), who by the targeting key, or being in cohorts. */
export const Condition = Filter.extend({ on: z.enum(["person", "id", "cohort"]).default("person") });
export type Condition = z.output<typeof Condition>;

export const Split = z.strictObject({
  parts: z.array(z.strictObject({ variation: Name, weight: z.number().min(0).max(1e9) })).min(1).max(20),
  /** From 0 to 1. Growing it moves nobody who is in. */
  coverage: z.number().min(0).max(1).default(1),
  ramp: z.array(z.strictObject({ at: Moment, coverage: z.number().min(0).max(1) })).max(20).default([]).describe("From each moment on so many are inside; before the first, the coverage."),
  by: z.string().max(200).default("").describe("The attribute that is hashed; empty for the targeting key."),
  seed: z.string().max(200).default("").describe("What is hashed with it; empty for the flag's key."),
  salt: z.string().max(200).default("").describe("A second one where the maker has it: LaunchDarkly, and Eppo for its traffic split."),
  hashing: z.enum(hashings).default("growthbook-2"),
  sticky: z.int().min(0).max(1e6).nullable().default(null).describe("Whoever was put into a part stays there, whatever becomes of weights, coverage and conditions; another number begins anew. Null: nothing is remembered."),
}); // prettier-ignore
export type Split = z.output<typeof Split>;

export const Rule = z.strictObject({
  name: z.string().trim().max(200).default(""),
  when: z.array(Condition).max(50).default([]).describe("All of them must hold; none: everybody."),
  from: Moment.nullable().default(null),
  until: Moment.nullable().default(null),
  /** A part of a layer, from 0 to 1, in which no other flag of the layer decides. */
  layer: z.strictObject({ name: Name, from: z.number().min(0).max(1), to: z.number().min(0).max(1) }).nullable().default(null),
  serve: z.union([z.strictObject({ variation: Name }), z.strictObject({ split: Split })]),
}); // prettier-ignore
export type Rule = z.output<typeof Rule>;

export const Setting = z.strictObject({
  isOn: z.boolean().default(false),
  /** What is served while it is off, or while a prerequisite is not met; null for what the code has as its default. */
  off: Name.nullable().default(null),
  prerequisites: z.array(z.strictObject({ flag: FlagKey, variations: z.array(Name).min(1).max(20) })).max(20).default([]),
  rules: z.array(Rule).max(100).default([]).describe("The first that fits decides; who is outside its split goes on to the next."),
  otherwise: Name.nullable().default(null),
}); // prettier-ignore
export type Setting = z.output<typeof Setting>;

export const Flag = z.strictObject({
  key: FlagKey,
  type: z.enum(flagTypes),
  description: z.string().trim().max(2_000).default(""),
  owner: z.string().trim().max(200).default(""),
  variations: z.array(z.strictObject({ name: Name, value: z.json() })).min(1).max(20),
  holdout: z.strictObject({ owners: z.array(z.string().trim().min(1).max(200)).max(100).default([]) }).nullable().default(null).describe("Keeps some out of what is tested by these owners (none: by anybody), so that everything together can be measured."),
  environments: z.record(Name, Setting).default({}),
}); // prettier-ignore
export type Flag = z.output<typeof Flag>;
export const EnvironmentName = Name;

const fits: Readonly<Record<FlagType, (value: unknown) => boolean>> = {
  boolean: (value) => typeof value === "boolean",
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  json: (value) => typeof value === "object" && value !== null,
};

const settingFaults = (name: string, { off, otherwise, rules }: Setting, variations: ReadonlySet<string>): string[] => {
  const unknown = (variation: string, where: string): string[] => (variations.has(variation) ? [] : [`${name}, ${where}: there is no variation ${variation}.`]); // prettier-ignore
  return [
    ...(off === null ? [] : unknown(off, "while off")),
    ...(otherwise === null ? [] : unknown(otherwise, "otherwise")),
    ...rules.flatMap(({ serve, from, until, layer }, at) => {
      const where = `rule ${at + 1}`;
      const served = "variation" in serve ? [serve.variation] : serve.split.parts.map(({ variation }) => variation);
      const total = "variation" in serve ? 1 : serve.split.parts.reduce((sum, { weight }) => sum + weight, 0);
      return [
        ...served.flatMap((one) => unknown(one, where)),
        ...(total > 0 ? [] : [`${name}, ${where}: the weights add up to nothing.`]),
        ...(from !== null && until !== null && Date.parse(from) >= Date.parse(until) ? [`${name}, ${where}: it ends before it begins.`] : []), // prettier-ignore
        ...("split" in serve && serve.split.ramp.some((step, place, all) => place > 0 && Date.parse(step.at) <= Date.parse(all[place - 1]?.at ?? "")) ? [`${name}, ${where}: the steps of its ramp are not in order.`] : []), // prettier-ignore
        ...(layer !== null && layer.from >= layer.to ? [`${name}, ${where}: its part of layer ${layer.name} is empty.`] : []), // prettier-ignore
      ];
    }),
  ];
};

/** What is wrong in a flag by itself, in sentences. */
export const flagFaults = (flag: Flag): readonly string[] => {
  const names = flag.variations.map(({ name }) => name);
  const known = new Set(names);
  return [
    ...(flag.holdout !== null && flag.type !== "boolean" ? ["A holdout is a boolean: true for those who are kept out."] : []), // prettier-ignore
    ...(known.size === names.length ? [] : ["Two variations have the same name."]),
    ...flag.variations.flatMap(({ name, value }) => (fits[flag.type](value) ? [] : [`The value of ${name} is no ${flag.type}.`])), // prettier-ignore
    ...Object.entries(flag.environments).flatMap(([name, setting]) => settingFaults(name, setting, known)),
  ];
};

/** What is wrong between flags of one environment: prerequisites that are not there or lead back, layers that overlap. */
export const faultsBetween = (flag: Flag, others: readonly Flag[]): readonly string[] => {
  const all = new Map([...others.filter(({ key }) => key !== flag.key), flag].map((one) => [one.key, one]));
  const leadsBack = (environment: string, from: string, seen: ReadonlySet<string>): boolean =>
    (all.get(from)?.environments[environment]?.prerequisites ?? []).some((next) => next.flag === flag.key || (!seen.has(next.flag) && leadsBack(environment, next.flag, new Set([...seen, next.flag])))); // prettier-ignore
  return Object.entries(flag.environments).flatMap(([environment, { prerequisites, rules }]) => [
    ...prerequisites.flatMap(({ flag: key, variations }) => {
      const needed = all.get(key);
      if (needed === undefined) return [`${environment}: there is no flag ${key}.`];
      const missing = variations.find((one) => !needed.variations.some(({ name }) => name === one));
      return missing === undefined ? [] : [`${environment}: ${key} has no variation ${missing}.`];
    }),
    ...(leadsBack(environment, flag.key, new Set()) ? [`${environment}: its prerequisites lead back to it.`] : []),
    ...rules.flatMap(({ layer }) => {
      if (layer === null) return [];
      const other = [...all.values()].find(
        ({ key, environments }) =>
          key !== flag.key &&
          environments[environment]?.rules.some((rule) => rule.layer?.name === layer.name && rule.layer.from < layer.to && layer.from < rule.layer.to), // prettier-ignore
      );
      return other === undefined ? [] : [`${environment}: ${other.key} has that part of layer ${layer.name} already.`];
    }),
  ]);
};
