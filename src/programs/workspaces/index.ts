import { readAttributes, type Access } from "#kernel/access.ts";
import type { Role } from "#kernel/roles.ts";
import type { Audit } from "#kernel/audit/audit.ts";
import type { Directory } from "#kernel/directory.ts";
import { sessionOf, setSession } from "#kernel/http.ts";
import { hashSecret, newId, newSecret } from "#kernel/ids.ts";
import { defineModule, handle, type Call, type Module } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import type { Ingest } from "#records/events/ingest.ts";
import * as contract from "./contract.ts";
import { notedIn } from "#programs/sign-on/noted.ts";
import { createWorkspace } from "./create.ts";

interface Parts {
  readonly store: Store;
  readonly access: Access;
  readonly audit: Audit;
  readonly directory: Directory;
  readonly ingest: Ingest;
  readonly secureCookies: boolean;
  /** Where this server stands. */
  readonly region: string;
  readonly version: string;
  /** What the button of single sign-on says; null where there is none. */
  readonly singleSignOn: string | null;
}

const ok = { ok: true } as const;

const memberId = (call: Call): string => {
  if (call.principal.kind === "member") return call.principal.id;
  throw new Refusal("access.members_only", "Only a signed-in member can do this.", {}, 403);
};

/** Who may come in, where, and with which keys. */
export const workspaces = (parts: Parts): Module => {
  const { store, access, directory } = parts;
  const iso = (call: Call): string => new Date(call.now).toISOString();

  const ofMember = async (member: string) => {
    const rows = await store
      .selectFrom("memberships")
      .innerJoin("workspaces", "workspaces.id", "memberships.workspace")
      .select([
        "workspaces.id",
        "workspaces.name",
        "zone",
        "week_start",
        "is_demo",
        "role",
        "demands_second_factor",
        "region",
      ])
      .where("member", "=", member)
      .where("removed_at", "is", null)
      .orderBy("workspaces.created_at")
      .execute();
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      zone: row.zone,
      weekStart: row.week_start === "sunday" ? ("sunday" as const) : ("monday" as const),
      isDemo: row.is_demo > 0,
      demandsSecondFactor: row.demands_second_factor > 0,
      region: row.region,
      role: row.role as Role, // written only by this module
    }));
  };

  const noted = notedIn(store, parts.audit);

  const startSession = async (call: Call, email: string, password: string, code?: string): Promise<void> => {
    const session = await noted(call.log, "workspaces.signIn", email, () => access.signIn(email, password, code));
    setSession(call.reply, parts.secureCookies, session);
  };

  return defineModule({
    name: "workspaces",
    operations: [
      handle(contract.begin, async (call) => {
        const isNew = !(await access.hasMembers());
        const { principal } = call;
        if (principal.kind !== "member") {
          return { isNew, member: null, workspaces: [], version: parts.version, singleSignOn: parts.singleSignOn };
        }
        const { id, name, email } = principal;
        const mine = await ofMember(id);
        return {
          isNew,
          member: { id, name, email },
          workspaces: mine,
          version: parts.version,
          singleSignOn: parts.singleSignOn,
        };
      }),

      handle(contract.setUp, async (call, input) => {
        if (await access.hasMembers()) {
          throw new Refusal("workspaces.set_up", "This server has an owner already. Sign in instead.", {}, 409);
        }
        const owner = await access.createMember(input.email, input.name, input.password);
        const workspace = await createWorkspace(
          store,
          { name: input.workspace, zone: input.zone, weekStart: input.weekStart },
          owner,
          call.now,
        );
        await startSession(call, input.email, input.password);
        return { workspace };
      }),

      handle(contract.signIn, async (call, input) => {
        await startSession(call, input.email, input.password, input.code);
        return ok;
      }),

      handle(contract.signOut, async (call) => {
        const session = sessionOf(call.reply?.request);
        if (session !== undefined) await access.signOut(session);
        setSession(call.reply, parts.secureCookies, undefined);
        return ok;
      }),

      handle(contract.changePassword, async (call, { current, next }) => {
        const member = memberId(call);
        const email = call.principal.kind === "member" ? call.principal.email : "";
        const session = sessionOf(call.reply?.request);
        await noted(call.log, "workspaces.changePassword", email, () => access.changePassword(member, current, next, session)); // prettier-ignore
        return ok;
      }),

      handle(contract.sessions, async (call) => ({
        sessions: [...(await access.sessionsOf(memberId(call), sessionOf(call.reply?.request)))],
      })),

      handle(contract.endSessions, async (call, { id }) => {
        await access.endSessions(memberId(call), sessionOf(call.reply?.request), id);
        return ok;
      }),

      handle(contract.create, async (call, input) => ({
        workspace: await createWorkspace(store, input, memberId(call), call.now),
      })),

      handle(contract.change, async (call, input) => {
        if (input.region !== undefined && input.region !== "" && input.region !== parts.region)
          throw new Refusal("workspaces.region", `This server stands in ${parts.region === "" ? "no region that it was told of (THROUGHLINE_REGION)" : parts.region}; a workspace can only be pinned to where it is.`, {}, 409); // prettier-ignore
        if (input.demandsSecondFactor === true && call.principal.kind === "member" && call.principal.isStrong !== true)
          throw new Refusal("access.second_factor", "Set up your own second factor first, under Settings, Your sign-in: you would lock yourself out.", {}, 409); // prettier-ignore
        const changes = {
          ...(input.name === undefined ? {} : { name: input.name }),
          ...(input.zone === undefined ? {} : { zone: input.zone }),
          ...(input.weekStart === undefined ? {} : { week_start: input.weekStart }),
          ...(input.region === undefined ? {} : { region: input.region }),
          ...(input.demandsSecondFactor === undefined
            ? {}
            : { demands_second_factor: input.demandsSecondFactor ? 1 : 0 }),
        };
        if (Object.keys(changes).length > 0) {
          await store.updateTable("workspaces").set(changes).where("id", "=", call.workspace.id).execute();
          directory.changed(call.workspace.id);
        }
        return ok;
      }),

      handle(contract.remove, async (call, { name }) => {
        if (call.role !== "owner")
          throw new Refusal("workspaces.owner_only", "Only the owner can remove a workspace.", {}, 403);
        if (name !== call.workspace.name)
          throw new Refusal(
            "workspaces.other_name",
            `Write the name of the workspace, ${call.workspace.name}, to remove it.`,
          );
        await directory.remove(call.workspace.id, call.now);
        parts.ingest.forget(call.workspace.id);
        return ok;
      }),

      handle(contract.members, async (call) => {
        const rows = await store
          .selectFrom("memberships")
          .innerJoin("members", "members.id", "memberships.member")
          .select(["members.id", "members.name", "email", "role", "attributes"])
          .where("workspace", "=", call.workspace.id)
          .orderBy("members.created_at")
          .execute();
        return {
          members: rows.map((row) => ({ ...row, role: row.role as Role, attributes: readAttributes(row.attributes) })),
        };
      }),

      handle(contract.addMember, async (call, input) => {
        const email = input.email.trim().toLowerCase();
        const known = await store.selectFrom("members").select("id").where("email", "=", email).executeTakeFirst();
        const member = known?.id ?? (await access.createMember(email, input.name, input.password));
        const row = { workspace: call.workspace.id, member, role: input.role, created_at: iso(call) };
        await store
          .insertInto("memberships")
          .values(row)
          .onConflict((c) => c.columns(["workspace", "member"]).doNothing())
          .execute();
        return { id: member };
      }),

      handle(contract.setRole, async (call, { id, role }) => {
        const changed = await store
          .updateTable("memberships")
          .set({ role })
          .where("workspace", "=", call.workspace.id)
          .where("member", "=", id)
          .where("role", "!=", "owner")
          .executeTakeFirst();
        if (changed.numUpdatedRows === 0n)
          throw new Refusal(
            "workspaces.no_member",
            "There is no such member here whose role could be changed.",
            {},
            404,
          );
        return ok;
      }),

      handle(contract.setAttributes, async (call, { id, attributes: given }) => {
        const attributes = JSON.stringify(given);
        const member = await store.updateTable("memberships").set({ attributes }).where("workspace", "=", call.workspace.id).where("member", "=", id).executeTakeFirst(); // prettier-ignore
        const key = await store.updateTable("api_keys").set({ attributes }).where("workspace", "=", call.workspace.id).where("id", "=", id).executeTakeFirst(); // prettier-ignore
        if (member.numUpdatedRows + key.numUpdatedRows === 0n)
          throw new Refusal("workspaces.no_member", "There is no such member or key here.", {}, 404);
        return ok;
      }),

      handle(contract.removeMember, async (call, input) => {
        const owns = await store
          .selectFrom("memberships")
          .select("role")
          .where("workspace", "=", call.workspace.id)
          .where("member", "=", input.id)
          .executeTakeFirst();
        if (owns?.role === "owner")
          throw new Refusal("workspaces.owner_stays", "The owner cannot be removed.", {}, 409);
        await store
          .deleteFrom("memberships")
          .where("workspace", "=", call.workspace.id)
          .where("member", "=", input.id)
          .execute();
        return ok;
      }),

      handle(contract.keys, async (call) => {
        const rows = await store
          .selectFrom("api_keys")
          .selectAll()
          .where("workspace", "=", call.workspace.id)
          .orderBy("created_at")
          .execute();
        return {
          keys: rows.map((row) => ({
            id: row.id,
            name: row.name,
            prefix: row.prefix,
            role: row.role as Role,
            attributes: readAttributes(row.attributes),
            createdAt: row.created_at,
            expiresAt: row.expires_at,
            revokedAt: row.revoked_at,
          })),
        };
      }),

      handle(contract.createKey, async (call, input) => {
        const key = newSecret("tlk");
        const id = newId("key");
        const expires_at = input.days === undefined ? null : new Date(call.now + input.days * 86_400_000).toISOString();
        const created_by = call.principal.kind === "nobody" ? "" : call.principal.id;
        const row = {
          id,
          workspace: call.workspace.id,
          name: input.name,
          role: input.role,
          prefix: key.slice(0, 10),
          hash: hashSecret(key),
        };
        await store
          .insertInto("api_keys")
          .values({ ...row, created_by, created_at: iso(call), revoked_at: null, expires_at })
          .execute();
        return { id, key };
      }),

      handle(contract.revokeKey, async (call, input) => {
        await store
          .updateTable("api_keys")
          .set({ revoked_at: iso(call) })
          .where("workspace", "=", call.workspace.id)
          .where("id", "=", input.id)
          .execute();
        return ok;
      }),
    ],
  });
};
