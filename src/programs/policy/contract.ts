import { z } from "zod";
import { dataClasses } from "#kernel/class-names.ts";
import { defineOperation } from "#kernel/operation.ts";
import { Attributes, sights } from "#kernel/policy.ts";
import { roles } from "#kernel/roles.ts";

const Text = z.string().min(1).max(500_000).describe("A policy (kind AccessPolicy), YAML or JSON.");
const Sight = z.enum(sights);

const Cell = z.object({ role: z.enum(roles), class: z.enum(dataClasses), see: Sight });
const Change = Cell.extend({ before: Sight });
export type Change = z.output<typeof Change>;

export const get = defineOperation({
  name: "policy.get",
  summary: "The policy by which values are shown: as it was written, and what each role sees by it.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({
    text: z.string().nullable().describe("Null where nobody has written one: then the role alone decides."),
    version: z.string(),
    k: z.number(),
    setAt: z.string().nullable(),
    setBy: z.string(),
    table: z.array(Cell).describe("Of members without teams, products, purposes and region."),
  }),
});

export const check = defineOperation({
  name: "policy.check",
  summary: "Whether a policy can be read and does what its tests say, and what would change for whom.",
  permission: "govern",
  onlyLooks: true,
  input: z.strictObject({ text: Text }),
  output: z.object({
    version: z.string(),
    tests: z.number(),
    failed: z.array(z.string()),
    changes: z.array(Change).describe("For members without attributes."),
  }),
});

export const set = defineOperation({
  name: "policy.set",
  summary:
    "Puts a policy in force, from the next question on. One whose tests fail, or whose version is not raised, is refused.",
  permission: "govern",
  input: z.strictObject({ text: Text }),
  output: z.object({ version: z.string() }),
});

export const sees = defineOperation({
  name: "policy.sees",
  summary: "What somebody would see: by class, and each name that somebody classed or a rule speaks of.",
  permission: "read",
  input: z.strictObject({ role: z.enum(roles), ...Attributes.shape }),
  output: z.object({
    classes: z.array(z.object({ class: z.enum(dataClasses), see: Sight })),
    names: z.array(z.object({ name: z.string(), class: z.enum(dataClasses), see: Sight })),
  }),
});
