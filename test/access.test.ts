import { describe, expect, it } from "vitest";
import type { Role } from "#kernel/roles.ts";
import { useWorld } from "./world.ts";

const world = useWorld();

/** Who may do what, written down by hand: an operation that is not here has not been thought about. */
const may = {
  anybody: ["workspaces.begin", "workspaces.setUp", "workspaces.signIn", "workspaces.signOut"],
  members: ["demo.create", "workspaces.create"],
  read: [
    "accounts.list",
    "accounts.profile",
    "annotations.list",
    "catalog.events",
    "catalog.properties",
    "catalog.values",
    "cohorts.get",
    "cohorts.list",
    "cohorts.preview",
    "cohorts.why",
    "contracts.check",
    "contracts.downstream",
    "contracts.get",
    "contracts.learn",
    "contracts.list",
    "contracts.settings",
    "contracts.violations",
    "dashboards.get",
    "dashboards.list",
    "dashboards.schedules",
    "dashboards.sendNow",
    "demo.status",
    "funnels.ask",
    "funnels.overTime",
    "funnels.people",
    "funnels.timeToConvert",
    "funnels.whoOverTime",
    "journeys.ask",
    "journeys.who",
    "lifecycle.ask",
    "lifecycle.who",
    "metrics.ask",
    "metrics.get",
    "metrics.list",
    "metrics.plan",
    "metrics.who",
    "people.list",
    "people.profile",
    "quarantine.list",
    "retention.ask",
    "retention.who",
    "sessions.ask",
    "sessions.list",
    "sessions.who",
    "sources.list",
    "sources.live",
    "sources.watch",
    "sql.ask",
    "sql.saved",
    "sql.schema",
    "stickiness.ask",
    "stickiness.who",
    "trends.ask",
    "trends.who",
    "workspaces.members",
  ],
  edit: [
    "annotations.add",
    "annotations.remove",
    "cohorts.create",
    "cohorts.refresh",
    "cohorts.remove",
    "cohorts.setMembers",
    "cohorts.update",
    "dashboards.addSchedule",
    "dashboards.addTile",
    "dashboards.arrange",
    "dashboards.create",
    "dashboards.keepView",
    "dashboards.remove",
    "dashboards.removeSchedule",
    "dashboards.removeTile",
    "dashboards.rename",
    "dashboards.writeText",
    "exports.events",
    "exports.people",
    "metrics.apply",
    "metrics.define",
    "metrics.preview",
    "metrics.remove",
    "sources.create",
    "sources.deadLetters",
    "sources.disable",
    "sql.remove",
    "sql.save",
  ],
  govern: [
    "contracts.save",
    "contracts.setSettings",
    "contracts.setStatus",
    "erasure.access",
    "erasure.allow",
    "erasure.erase",
    "erasure.find",
    "erasure.requests",
    "people.merge",
    "people.unlink",
    "quarantine.replay",
  ],
  audit: ["audit.export", "audit.list", "audit.verify"],
  admin: [
    "workspaces.addMember",
    "workspaces.change",
    "workspaces.createKey",
    "workspaces.keys",
    "workspaces.remove",
    "workspaces.removeMember",
    "workspaces.revokeKey",
    "workspaces.setRole",
  ],
} as const satisfies Record<string, readonly string[]>;
type Right = Exclude<keyof typeof may, "anybody" | "members">;
const roles: Readonly<Record<Right, readonly Role[]>> = {
  read: ["viewer", "analyst", "steward", "auditor", "admin"],
  edit: ["analyst", "steward", "admin"],
  govern: ["steward", "admin"],
  audit: ["auditor", "admin"],
  admin: ["admin"],
};
const rights = Object.keys(roles) as Right[]; // its own keys
const everyRole = ["viewer", "analyst", "steward", "auditor", "admin"] as const;

/** What the server says to an empty input: whether somebody may is told before what is wrong with it. */
const asked = async (operation: string, headers: Record<string, string>): Promise<{ status: number; code: string }> => {
  const stop = new AbortController();
  const response = await fetch(`${world.url}/api/${operation}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ "no such field": 1 }),
    signal: stop.signal,
  });
  const body = response.ok ? {} : ((await response.json()) as { error?: { code?: string } });
  stop.abort(); // a stream has no end
  return { status: response.status, code: body.error?.code ?? "" };
};

const keyFor = async (role: Role, workspace = world.workspace): Promise<Record<string, string>> => {
  const { key } = await world.ask<{ key: string }>("workspaces.createKey", { name: role, role }, workspace);
  return { authorization: `Bearer ${key}` };
};

describe("who may do what", () => {
  it("is said of every operation", () => {
    const known = Object.values(may).flat().toSorted();
    const own = world.system.modules
      .flatMap((module) => module.operations ?? [])
      .map(({ operation }) => operation.name);
    expect(own.toSorted()).toEqual(known);
  });

  it.each(everyRole)("is refused to a key of a %s exactly where the role may not", async (role) => {
    const headers = await keyFor(role);
    for (const right of rights) {
      for (const operation of may[right]) {
        const { status, code } = await asked(operation, headers);
        const isRefused = status === 403 && code === "access.not_allowed";
        expect(isRefused, `${operation} by ${role}: ${status} ${code}`).toBe(!roles[right].includes(role));
      }
    }
  });

  it("is the same for members, and follows their role when it changes", async () => {
    const email = "bo@example.com";
    const { id } = await world.ask<{ id: string }>("workspaces.addMember", { email, name: "Bo", password: "a long password", role: "viewer" }); // prettier-ignore
    const cookie = `throughline_session=${await world.system.access.signIn(email, "a long password")}`;
    const headers = { cookie, "x-throughline-workspace": world.workspace };
    for (const role of everyRole) {
      await world.ask("workspaces.setRole", { id, role });
      for (const right of rights) {
        const { code } = await asked(may[right][0], headers);
        expect(code === "access.not_allowed", `${may[right][0]} by ${role}`).toBe(!roles[right].includes(role));
      }
    }
    await expect(world.ask("workspaces.setRole", { id, role: "owner" })).rejects.toMatchObject({
      code: "input.invalid",
    });
    const { members } = await world.ask<{ members: { id: string; role: string }[] }>("workspaces.members", {});
    const owner = members.find(({ role }) => role === "owner")!;
    await expect(world.ask("workspaces.setRole", { id: owner.id, role: "viewer" })).rejects.toMatchObject({ code: "workspaces.no_member" }); // prettier-ignore
    await world.ask("workspaces.removeMember", { id });
    expect(await asked("trends.ask", headers)).toMatchObject({ code: "access.no_workspace" });
  });

  it("is nothing in another workspace, and nothing for strangers", async () => {
    const other = await world.newWorkspace();
    const headers = await keyFor("admin");
    const stranger = { cookie: world.owner.cookie, "x-throughline-workspace": "ws_nobody" };
    for (const right of rights) {
      for (const operation of may[right]) {
        const crossed = await asked(operation, { ...headers, "x-throughline-workspace": other });
        expect(crossed, operation).toEqual({ status: 404, code: "access.no_workspace" });
        expect(await asked(operation, {}), operation).toEqual({ status: 401, code: "access.sign_in" });
        expect(await asked(operation, { authorization: "Bearer tlk_wrong" }), operation).toEqual({ status: 401, code: "access.sign_in" }); // prettier-ignore
        expect(await asked(operation, stranger), operation).toEqual({ status: 404, code: "access.no_workspace" });
        const foreign = { cookie: world.owner.cookie, "x-throughline-workspace": world.workspace, origin: "https://evil.example" }; // prettier-ignore
        expect(await asked(operation, foreign), operation).toEqual({ status: 403, code: "access.foreign_origin" });
      }
    }
  });
});
