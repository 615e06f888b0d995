import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { Id as PersonKey } from "#records/people/contract.ts";
import { EventMatch, Filter, Unit } from "#insights/common/frame.ts";

/** Counted back from the moment at which the cohort is evaluated; an event exactly so long ago is inside. */
const Duration = z.strictObject({ value: z.int().min(1).max(3_650), unit: z.enum(["hour", "day", "week", "month"]) });
export type Duration = z.output<typeof Duration>;

const Times = z.strictObject({ op: z.enum(["gte", "lte", "eq"]), value: z.int().min(1).max(1_000_000) });

/** One condition that somebody meets or does not. */
const Leaf = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("did"),
    match: EventMatch,
    times: Times.optional().describe("How often, where once is not enough. Whoever never did it meets none of these."),
    within: Duration.optional().describe("Ever where absent."),
    since: z.iso.datetime().optional().describe("From this instant on, instead of a length of time."),
  }),
  z.strictObject({ type: z.literal("first_time"), match: EventMatch, within: Duration }),
  z.strictObject({
    type: z.literal("regularly"),
    match: EventMatch,
    times: Times.default({ op: "gte", value: 1 }),
    period: Duration,
    totalPeriods: z.int().min(1).max(366),
    minPeriods: z.int().min(1).max(366),
  }),
  z.strictObject({ type: z.literal("stopped"), match: EventMatch, within: Duration, notWithin: Duration }),
  z.strictObject({ type: z.literal("restarted"), match: EventMatch, quietWithin: Duration, againWithin: Duration }),
  z.strictObject({
    type: z.literal("sequence"),
    steps: z.array(EventMatch).min(2).max(20),
    windowSeconds: z
      .number()
      .min(1)
      .max(366 * 86_400),
    within: Duration,
  }),
  z.strictObject({ type: z.literal("trait"), filter: Filter }),
  z.strictObject({ type: z.literal("cohort"), cohort: z.string().max(100) }),
]);
export type Leaf = z.output<typeof Leaf>;

/** Conditions, nested: all of them, any of them, or not. */
export type Rule =
  | Leaf
  | { readonly type: "all"; readonly rules: readonly Rule[] }
  | { readonly type: "any"; readonly rules: readonly Rule[] }
  | { readonly type: "not"; readonly rule: Rule };

const Rule: z.ZodType<Rule> = z.lazy(() =>
  z.union([
    Leaf,
    z.strictObject({ type: z.literal("all"), rules: z.array(Rule).min(1).max(20) }),
    z.strictObject({ type: z.literal("any"), rules: z.array(Rule).min(1).max(20) }),
    z.strictObject({ type: z.literal("not"), rule: Rule }),
  ]),
);

const mostLeaves = 30;
const deepest = 8;

/** The conditions of a rule, in the order in which they are written. */
export const leavesOf = (rule: Rule): Leaf[] => {
  if (rule.type === "all" || rule.type === "any") return rule.rules.flatMap(leavesOf);
  return rule.type === "not" ? leavesOf(rule.rule) : [rule];
};

const depthOf = (rule: Rule): number => {
  if (rule.type === "all" || rule.type === "any") return 1 + Math.max(...rule.rules.map(depthOf));
  return rule.type === "not" ? 1 + depthOf(rule.rule) : 1;
};

/** Who belongs: by rule, evaluated again and again, or a list that was given. */
export const Definition = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("rule"),
    rule: Rule.refine((rule) => depthOf(rule) <= deepest, `Conditions may nest ${deepest} deep.`).refine(
      (rule) => leavesOf(rule).length <= mostLeaves,
      `A cohort may have ${mostLeaves} conditions.`,
    ),
  }),
  z.strictObject({ kind: z.literal("list") }),
]);
export type Definition = z.output<typeof Definition>;

const Name = z.string().trim().min(1, "Give it a name.").max(100);

export const CohortView = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  unit: Unit,
  definition: Definition,
  size: z.number(),
  /** When it was evaluated last; null before the first time. */
  evaluatedAt: z.string().nullable(),
  updatedAt: z.string(),
});
export type CohortView = z.output<typeof CohortView>;

const One = z.strictObject({ id: z.string().max(100) });

export const list = defineOperation({
  name: "cohorts.list",
  summary: "The cohorts of the workspace.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({ cohorts: z.array(CohortView) }),
});

export const get = defineOperation({
  name: "cohorts.get",
  summary: "One cohort, some of its members, and how it grew and shrank day by day.",
  permission: "read",
  input: One.extend({ limit: z.int().min(1).max(1_000).default(100) }),
  output: CohortView.extend({
    members: z.array(z.object({ unit: z.string(), name: z.string(), since: z.string() })),
    history: z.array(z.object({ day: z.string(), entered: z.number(), left: z.number() })),
  }),
});

const shape = { name: Name, description: z.string().max(1_000).default(""), unit: Unit.default("people"), definition: Definition }; // prettier-ignore

export const create = defineOperation({
  name: "cohorts.create",
  summary: "Makes a cohort and finds its members.",
  permission: "edit",
  input: z.strictObject(shape),
  output: z.object({ id: z.string(), size: z.number() }),
});

export const update = defineOperation({
  name: "cohorts.update",
  summary: "Changes a cohort; its members are found anew. What it counts cannot change.",
  permission: "edit",
  input: z.strictObject({
    id: z.string().max(100),
    name: shape.name,
    description: shape.description,
    definition: shape.definition,
  }),
  output: z.object({ size: z.number() }),
});

export const setMembers = defineOperation({
  name: "cohorts.setMembers",
  summary: "Says who is on the list of a cohort: by your own ids, or by keys of persons.",
  permission: "edit",
  input: One.extend({
    ids: z.array(z.string().min(1).max(500)).max(100_000).default([]).describe("Ids of people, or of accounts."),
    persons: z.array(PersonKey).max(100_000).default([]),
  }),
  output: z.object({ size: z.number() }),
});

export const refresh = defineOperation({
  name: "cohorts.refresh",
  summary: "Finds the members of a cohort anew.",
  permission: "edit",
  input: One,
  output: z.object({ size: z.number() }),
});

export const remove = defineOperation({
  name: "cohorts.remove",
  summary: "Removes a cohort. Questions that name it find nobody in it from then on.",
  permission: "edit",
  input: One,
  output: z.object({ ok: z.literal(true) }),
});

export const preview = defineOperation({
  name: "cohorts.preview",
  summary: "How many a definition would hold now, of how many there are.",
  permission: "read",
  input: z.strictObject({ unit: Unit.default("people"), definition: Definition }),
  output: z.object({ size: z.number(), of: z.number() }),
});

export const why = defineOperation({
  name: "cohorts.why",
  summary: "Why a person or account is in a cohort, or is not: each condition, and whether they meet it now.",
  permission: "read",
  discloses: true,
  input: One.extend({ unit: z.string().max(500).describe("Key of the person, or id of the account.") }),
  output: z.object({
    isIn: z.boolean(),
    conditions: z.array(z.object({ says: z.string(), holds: z.boolean() })),
    changes: z.array(z.object({ at: z.string(), change: z.enum(["entered", "left"]) })),
  }),
});
