import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { EnvironmentName, Flag, FlagKey, flagTypes } from "./document.ts";

const Environment = z.object({
  name: z.string(),
  key: z.string().describe("What clients ask with. It may be public: it gives out what a flag is for somebody, no rules."),
  hasServerKey: z.boolean().describe("Whether it has a secret key, with which rules may be read."),
  needsReview: z.boolean().describe("What changes in it has to be looked at by somebody else first."),
}); // prettier-ignore

export const environments = defineOperation({
  name: "flags.environments",
  summary: "The environments in which flags are decided, with the keys that clients ask with.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({ environments: z.array(Environment) }),
});

export const addEnvironment = defineOperation({
  name: "flags.addEnvironment",
  summary: "Adds an environment. Flags are off in it until somebody switches them on.",
  permission: "admin",
  input: z.strictObject({ name: EnvironmentName }),
  output: Environment,
});

export const newKey = defineOperation({
  name: "flags.newKey",
  summary: "Gives an environment another key; the one that it had no longer works.",
  permission: "admin",
  input: z.strictObject({ name: EnvironmentName }),
  output: z.object({ key: z.string() }),
});

export const newServerKey = defineOperation({
  name: "flags.newServerKey",
  summary: "Gives an environment a secret key, with which a server reads its rules and decides by itself; one that it had no longer works. It is shown this once.",
  permission: "admin",
  input: z.strictObject({ name: EnvironmentName }),
  output: z.object({ key: z.string() }),
}); // prettier-ignore

const Listed = z.object({
  key: z.string(),
  type: z.enum(flagTypes),
  description: z.string(),
  owner: z.string(),
  version: z.number(),
  updatedAt: z.string(),
  on: z.array(z.string()).describe("Environments in which it is on."),
  stale: z.string().describe("Why it could leave the code; empty where it is of use."),
});

export const setReview = defineOperation({
  name: "flags.setReview",
  summary:
    "Whether what changes in an environment has to be looked at by somebody else first. Switching off never has.",
  permission: "admin",
  input: z.strictObject({ name: EnvironmentName, needsReview: z.boolean() }),
  output: z.object({ ok: z.literal(true) }),
});

export const list = defineOperation({
  name: "flags.list",
  summary: "All flags, and where each is on.",
  permission: "read",
  input: z.strictObject({ archived: z.boolean().default(false) }),
  output: z.object({ flags: z.array(Listed) }),
});

const Change = z.object({ version: z.number(), by: z.string(), at: z.string(), note: z.string(), changes: z.array(z.string()) }); // prettier-ignore

/** A change that waits for somebody else. */
const Proposal = z.object({ id: z.string(), by: z.string(), isOwn: z.boolean(), at: z.string(), note: z.string(), changes: z.array(z.string()), isOutdated: z.boolean() }); // prettier-ignore

export const get = defineOperation({
  name: "flags.get",
  summary: "A flag, and what was changed in it, when and by whom.",
  permission: "read",
  input: z.strictObject({ key: FlagKey }),
  output: z.object({
    flag: Flag,
    version: z.number(),
    isArchived: z.boolean(),
    history: z.array(Change),
    proposals: z.array(Proposal),
  }),
});

const Note = z.string().trim().max(1_000).default("");

export const save = defineOperation({
  name: "flags.save",
  summary: "Writes a flag. It holds from the next request on, and clients that listen are told.",
  permission: "edit",
  input: z.strictObject({
    flag: Flag,
    version: z.int().min(0).describe("The one that was changed; 0 for a new flag. Another in the meantime is refused."),
    note: Note,
  }),
  output: z.object({ version: z.number() }),
});

export const propose = defineOperation({
  name: "flags.propose",
  summary: "Proposes a change of a flag, for somebody else to look at.",
  permission: "edit",
  input: z.strictObject({ flag: Flag, version: z.int().min(0), note: Note }),
  output: z.object({ id: z.string() }),
});

export const review = defineOperation({
  name: "flags.review",
  summary: "Takes a proposed change or turns it down; whoever proposed it can only take it back.",
  permission: "edit",
  input: z.strictObject({ id: z.string().max(100), isTaken: z.boolean(), reason: Note }),
  output: z.object({ ok: z.literal(true) }),
});

export const turn = defineOperation({
  name: "flags.turn",
  summary: "Switches a flag on or off in an environment, whatever else is being changed in it.",
  permission: "edit",
  input: z.strictObject({ key: FlagKey, environment: EnvironmentName, isOn: z.boolean(), note: Note }),
  output: z.object({ version: z.number() }),
});

export const archive = defineOperation({
  name: "flags.archive",
  summary: "Takes a flag away, so that clients get their own default; or brings it back.",
  permission: "edit",
  input: z.strictObject({ key: FlagKey, isArchived: z.boolean(), note: Note }),
  output: z.object({ version: z.number() }),
});

const Evaluated = z.object({
  key: z.string(),
  value: z.json().optional().describe("Absent where the code's own default is taken."),
  variant: z.string().nullable(),
  reason: z.string(),
  rule: z.number().nullable().describe("The rule that decided, from 0."),
  problem: z.string().nullable(),
});
export type Evaluated = z.output<typeof Evaluated>;

export const Attributes = z.record(z.string().max(500), z.json());

export const tryOut = defineOperation({
  name: "flags.tryOut",
  summary: "Who gets what: flags as they are decided for somebody, by a draft where one is given.",
  permission: "read",
  input: z.strictObject({
    environment: EnvironmentName,
    targetingKey: z.string().max(1_000).optional(),
    attributes: Attributes.default({}),
    draft: Flag.optional().describe("Instead of the flag of its key, as it is kept."),
    keys: z.array(FlagKey).max(1_000).optional(),
  }),
  output: z.object({ flags: z.array(Evaluated) }),
});
