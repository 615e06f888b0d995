import { z } from "zod";
import { dataClasses, holders, type DataClass, type Holder } from "./class-names.ts";
import { roles, type Role } from "./roles.ts";

/**
 * Who sees values of which class, and how. A policy is a list of rules of which the first that fits decides; where none
 * does, the role decides. It can be written in a file, with examples of who may see what: they are its tests.
 */

/** How a value is shown: as it is; only in numbers over at least `k` people; as a token that is the same for the same; not. */
export const sights = ["clear", "aggregate", "token", "nothing"] as const;
export type Sight = (typeof sights)[number];

/** Whoever asks, as a policy sees them. */
export interface Asker extends Attributes {
  readonly role: Role;
}

const Word = z.string().trim().min(1).max(100);
const Words = z.array(Word).max(50);

/** What members and keys are, besides their role. */
export const Attributes = z.strictObject({
  teams: Words.default([]),
  products: Words.default([]),
  purposes: Words.default([]).describe("What they may use data for, such as support or billing."),
  region: z.string().trim().max(100).default(""),
});
export type Attributes = z.output<typeof Attributes>;
export const noAttributes: Attributes = { teams: [], products: [], purposes: [], region: "" };

const Name = z
  .string()
  .max(600)
  .regex(/^(event|person|account):.+/, "A name is like event:plan, person:email or account:debt.");

const Who = z.strictObject({
  roles: z.array(z.enum(roles)).max(10).optional(),
  teams: Words.optional(),
  products: Words.optional(),
  purposes: Words.optional(),
  regions: Words.optional(),
});

const Rule = z.strictObject({
  name: z.string().max(200).optional(),
  classes: z.array(z.enum(dataClasses)).max(4).optional(),
  names: z.array(Name).max(500).optional(),
  who: Who.default({}).describe("All that is said must hold; of a list any. Nothing said: everybody."),
  see: z.enum(sights),
});

const Example = z.strictObject({
  who: z.strictObject({ role: z.enum(roles), ...Attributes.shape }),
  class: z.enum(dataClasses),
  name: Name.optional(),
  see: z.enum(sights),
});

/** What has no class can only be hidden by its name: a veil is a list of names. */
const isByName = ({ see, names, classes }: z.output<typeof Rule>): boolean =>
  see === "clear" || names !== undefined || (classes?.every((one) => one === "personal" || one === "restricted") ?? false); // prettier-ignore

export const Policy = z.strictObject({
  kind: z.literal("AccessPolicy"),
  version: z.string().regex(/^\d+\.\d+\.\d+$/, "A version has three numbers, such as 1.0.0."),
  description: z.string().max(5_000).optional(),
  k: z
    .int()
    .min(5)
    .max(10_000)
    .default(10)
    .describe("People whom a number must be over, where only numbers are shown."),
  rules: z
    .array(Rule.refine(isByName, "A rule that hides needs names, or the classes personal and restricted."))
    .max(500)
    .default([]),
  tests: z.array(Example).max(1_000).default([]).describe("Who sees what; a policy that differs is refused."),
});
export type Policy = z.output<typeof Policy>;

/** What holds where nobody has written one. */
export const noPolicy: Policy = { kind: "AccessPolicy", version: "0.0.0", k: 10, rules: [], tests: [] };

/** The classes that a role sees as they are. */
const cleared: Readonly<Record<Role, readonly DataClass[]>> = {
  viewer: ["public", "internal"],
  auditor: ["public", "internal"],
  analyst: ["public", "internal", "personal"],
  marketer: ["public", "internal", "personal"],
  steward: dataClasses,
  admin: dataClasses,
  owner: dataClasses,
};

const byRole = (role: Role, dataClass: DataClass): Sight =>
  cleared[role].includes(dataClass) ? "clear" : dataClass === "personal" ? "token" : "nothing";

/** Whether one name is the other, lies in it, or holds it: `a` tells what `a.b` is. */
export const overlaps = (one: string, other: string): boolean =>
  one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`);

const meets = (wanted: readonly string[] | undefined, has: readonly string[]): boolean =>
  wanted === undefined || wanted.some((one) => has.includes(one));

const isFor = ({ who, classes, names }: z.output<typeof Rule>, asker: Asker, dataClass: DataClass, name: string): boolean =>
  meets(who.roles, [asker.role]) &&
  meets(who.teams, asker.teams) &&
  meets(who.products, asker.products) &&
  meets(who.purposes, asker.purposes) &&
  meets(who.regions, asker.region === "" ? [] : [asker.region]) &&
  meets(classes, [dataClass]) &&
  (names === undefined || names.some((one) => name !== "" && one.slice(0, one.indexOf(":")) === name.slice(0, name.indexOf(":")) && overlaps(one, name))); // prettier-ignore

/** How whoever asks sees values of a class. `name` is like `event:plan`; empty for any of the class. */
export const sightOf = (policy: Policy, asker: Asker, dataClass: DataClass, name = ""): Sight =>
  policy.rules.find((rule) => isFor(rule, asker, dataClass, name))?.see ?? byRole(asker.role, dataClass);

export const nameIn = (holder: Holder, name: string): string => `${holder}:${name}`;

/** Names of which rules speak by themselves, whether or not anybody has classed them. */
export const namedIn = ({ rules }: Policy): readonly { readonly holder: Holder; readonly name: string }[] =>
  rules.flatMap(({ names = [] }) =>
    names.flatMap((one) => {
      const [prefix, name] = [one.slice(0, one.indexOf(":")), one.slice(one.indexOf(":") + 1)];
      const holder = holders.find((known) => known === prefix);
      return holder === undefined ? [] : [{ holder, name }];
    }),
  );

/** The examples of a policy that come out otherwise, in words. */
export const failedTests = (policy: Policy): readonly string[] =>
  policy.tests.flatMap(({ who: { role, ...attributes }, class: dataClass, name, see }, at) => {
    const found = sightOf(policy, { role, ...attributes }, dataClass, name);
    return found === see ? [] : [`Test ${at + 1}: ${role} sees ${name ?? dataClass} ${found === "nothing" ? "not at all" : found}, where ${see} is wanted.`]; // prettier-ignore
  });
