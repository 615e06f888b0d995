import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { Attributes } from "#kernel/policy.ts";
import { roles } from "#kernel/roles.ts";

const Email = z.email("An email address, like ana@example.com.").max(200);
const Name = z.string().trim().min(1).max(100);
const Password = z.string().min(10, "At least 10 characters.").max(200);
const Zone = z.string().refine(isZone, "An IANA time zone, like Europe/Paris.");
const Role = z.enum(roles);

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const WorkspaceView = z.object({
  id: z.string(),
  name: z.string(),
  zone: z.string(),
  weekStart: z.enum(["monday", "sunday"]),
  isDemo: z.boolean(),
  role: Role,
  demandsSecondFactor: z.boolean(),
  region: z.string(),
});
export type WorkspaceView = z.output<typeof WorkspaceView>;

export const begin = defineOperation({
  name: "workspaces.begin",
  summary: "Whether anybody has set this server up, and who is calling.",
  permission: "public",
  input: z.strictObject({}),
  output: z.object({
    isNew: z.boolean(),
    member: z.object({ id: z.string(), name: z.string(), email: z.string() }).nullable(),
    workspaces: z.array(WorkspaceView),
    version: z.string(),
    singleSignOn: z.string().nullable().describe("What the button says; null where there is none."),
  }),
});

export const setUp = defineOperation({
  name: "workspaces.setUp",
  summary: "Creates the owner and the first workspace of a new server, and signs the owner in.",
  permission: "public",
  input: z.strictObject({
    name: Name,
    email: Email,
    password: Password,
    workspace: Name,
    zone: Zone.default("UTC"),
    weekStart: z.enum(["monday", "sunday"]).default("monday"),
  }),
  output: z.object({ workspace: z.string() }),
});

export const signIn = defineOperation({
  name: "workspaces.signIn",
  summary: "Signs a member in; the session comes as a cookie.",
  permission: "public",
  input: z.strictObject({
    email: z.string().max(200),
    password: z.string().max(200),
    code: z
      .string()
      .max(40)
      .optional()
      .describe("Of an authenticator app, or a recovery code, where a member has a second factor."),
  }),
  output: z.object({ ok: z.literal(true) }),
});

export const signOut = defineOperation({
  name: "workspaces.signOut",
  summary: "Ends the session.",
  permission: "public",
  input: z.strictObject({}),
  output: z.object({ ok: z.literal(true) }),
});

export const changePassword = defineOperation({
  name: "workspaces.changePassword",
  summary: "Gives the caller another password, and signs them out everywhere else.",
  permission: "member",
  input: z.strictObject({ current: z.string().max(200), next: Password }),
  output: z.object({ ok: z.literal(true) }),
});

export const sessions = defineOperation({
  name: "workspaces.sessions",
  summary: "Where the caller is signed in.",
  permission: "member",
  input: z.strictObject({}),
  output: z.object({
    sessions: z.array(z.object({ id: z.string(), createdAt: z.string(), expiresAt: z.string(), isThis: z.boolean() })),
  }),
});

export const endSessions = defineOperation({
  name: "workspaces.endSessions",
  summary: "Signs the caller out elsewhere: of one session, or of all but this one.",
  permission: "member",
  input: z.strictObject({ id: z.string().max(100).optional() }),
  output: z.object({ ok: z.literal(true) }),
});

export const create = defineOperation({
  name: "workspaces.create",
  summary: "Creates another workspace; the caller owns it.",
  permission: "member",
  input: z.strictObject({
    name: Name,
    zone: Zone.default("UTC"),
    weekStart: z.enum(["monday", "sunday"]).default("monday"),
  }),
  output: z.object({ workspace: z.string() }),
});

export const change = defineOperation({
  name: "workspaces.change",
  summary: "Changes the workspace's name, time zone, first day of the week, or what it asks of a sign-in.",
  permission: "admin",
  input: z.strictObject({
    name: Name.optional(),
    zone: Zone.optional(),
    weekStart: z.enum(["monday", "sunday"]).optional(),
    demandsSecondFactor: z
      .boolean()
      .optional()
      .describe("Whether members must have proven themselves by a second factor, or by single sign-on."),
    region: z
      .string()
      .trim()
      .max(100)
      .optional()
      .describe("Where its data has to stay: that of this server, or empty for anywhere."),
  }),
  output: z.object({ ok: z.literal(true) }),
});

export const remove = defineOperation({
  name: "workspaces.remove",
  summary: "Removes the workspace and everything in it, for good. Only its owner can, by writing its name.",
  permission: "admin",
  input: z.strictObject({ name: z.string().max(200).describe("The name of the workspace, as it is written.") }),
  output: z.object({ ok: z.literal(true) }),
});

export const members = defineOperation({
  name: "workspaces.members",
  summary: "Who belongs to the workspace.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({
    members: z.array(
      z.object({ id: z.string(), name: z.string(), email: z.string(), role: Role, attributes: Attributes }),
    ),
  }),
});

export const addMember = defineOperation({
  name: "workspaces.addMember",
  summary: "Adds a person to the workspace. A new person gets the first password given here.",
  permission: "admin",
  input: z.strictObject({ email: Email, name: Name, role: Role.exclude(["owner"]), password: Password }),
  output: z.object({ id: z.string() }),
});

export const setRole = defineOperation({
  name: "workspaces.setRole",
  summary: "Gives a member another role. The owner keeps theirs.",
  permission: "admin",
  input: z.strictObject({ id: z.string().max(100), role: Role.exclude(["owner"]) }),
  output: z.object({ ok: z.literal(true) }),
});

export const setAttributes = defineOperation({
  name: "workspaces.setAttributes",
  summary: "Says which teams, products, purposes and region a member or a key is of, in place of what was said.",
  permission: "admin",
  input: z.strictObject({ id: z.string().max(100).describe("Of a member, or of a key."), attributes: Attributes }),
  output: z.object({ ok: z.literal(true) }),
});

export const removeMember = defineOperation({
  name: "workspaces.removeMember",
  summary: "Takes a person out of the workspace.",
  permission: "admin",
  input: z.strictObject({ id: z.string() }),
  output: z.object({ ok: z.literal(true) }),
});

export const keys = defineOperation({
  name: "workspaces.keys",
  summary: "The API keys of the workspace, without their secrets.",
  permission: "admin",
  onlyLooks: true,
  input: z.strictObject({}),
  output: z.object({
    keys: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        prefix: z.string(),
        role: Role,
        attributes: Attributes,
        createdAt: z.string(),
        expiresAt: z.string().nullable(),
        revokedAt: z.string().nullable(),
      }),
    ),
  }),
});

export const createKey = defineOperation({
  name: "workspaces.createKey",
  summary: "Creates an API key. Its secret is shown once, here.",
  permission: "admin",
  input: z.strictObject({
    name: Name,
    role: Role.exclude(["owner"]),
    days: z.int().min(1).max(3_650).optional().describe("After which it is no longer good; never where absent."),
  }),
  output: z.object({ id: z.string(), key: z.string() }),
});

export const revokeKey = defineOperation({
  name: "workspaces.revokeKey",
  summary: "Makes an API key useless from now on.",
  permission: "admin",
  input: z.strictObject({ id: z.string() }),
  output: z.object({ ok: z.literal(true) }),
});
