import { describe, expect, it } from "vitest";
import type { Role } from "#kernel/roles.ts";
import { useWorld } from "./world.ts";

const world = useWorld();

/** Who may do what, written down by hand: an operation that is not here has not been thought about. */
const may = {
  anybody: ["workspaces.begin", "workspaces.setUp", "workspaces.signIn", "workspaces.signOut"],
  members: [
    "demo.create",
    "signOn.confirm",
    "signOn.prepare",
    "signOn.remove",
    "signOn.status",
    "workspaces.changePassword",
    "workspaces.endSessions",
    "workspaces.sessions",
    "workspaces.create",
  ],
  read: [
    "accounts.list",
    "accounts.profile",
    "alerts.list",
    "cards.gate",
    "cards.get",
    "cards.uses",
    "annotations.list",
    "catalog.events",
    "catalog.properties",
    "catalog.values",
    "cohorts.get",
    "cohorts.list",
    "cohorts.preview",
    "cohorts.why",
    "consent.purposes",
    "contracts.check",
    "contracts.downstream",
    "contracts.exportPlan",
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
    "experiments.gate",
    "experiments.get",
    "experiments.history",
    "experiments.learned",
    "cx.overview",
    "cx.breakdown",
    "cx.judge",
    "themes.list",
    "cx.versions",
    "conversations.links",
    "voices.overview",
    "watches.list",
    "cx.trust",
    "cx.rules",
    "experiments.list",
    "experiments.plan",
    "experiments.report",
    "experiments.results",
    "experiments.slices",
    "experiments.beside",
    "flags.environments",
    "flags.get",
    "flags.list",
    "flags.tryOut",
    "funnels.ask",
    "funnels.overTime",
    "funnels.people",
    "funnels.timeToConvert",
    "funnels.whoOverTime",
    "journeys.ask",
    "journeys.who",
    "lifecycle.ask",
    "lifecycle.who",
    "keeping.get",
    "metrics.ask",
    "metrics.get",
    "metrics.list",
    "metrics.plan",
    "metrics.who",
    "people.list",
    "people.profile",
    "policy.get",
    "policy.sees",
    "quality.ofMetric",
    "quality.report",
    "quality.slas",
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
    "stewardship.catalog",
    "stewardship.home",
    "stewardship.item",
    "stewardship.openLineage",
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
    "conversations.addLink",
    "conversations.removeLink",
    "cx.calibrate",
    "cx.compareVersion",
    "cx.disagreements",
    "cx.dropVersion",
    "themes.find",
    "cx.judgements",
    "themes.merge",
    "themes.name",
    "cx.review",
    "cx.reviews",
    "cx.conversation",
    "cx.conversations",
    "cx.label",
    "cx.removeRule",
    "cx.saveRule",
    "cx.tryRule",
    "cx.next",
    "voices.add",
    "watches.remove",
    "watches.save",
    "watches.try",
    "voices.statements",
    "experiments.end",
    "experiments.remove",
    "experiments.save",
    "experiments.start",
    "flags.archive",
    "flags.propose",
    "flags.review",
    "flags.save",
    "flags.turn",
    "metrics.apply",
    "metrics.define",
    "metrics.preview",
    "metrics.remove",
    "quality.look",
    "sources.create",
    "sources.deadLetters",
    "sources.disable",
    "sql.remove",
    "sql.save",
  ],
  govern: [
    "cx.setJudge",
    "cx.switchVersion",
    "cards.evaluate",
    "cards.register",
    "cards.release",
    "cards.withdraw",
    "cards.write",
    "alerts.addMail",
    "alerts.addWebhook",
    "alerts.remove",
    "alerts.test",
    "quality.removeSla",
    "quality.setSla",
    "consent.ledger",
    "consent.record",
    "consent.setPurpose",
    "keeping.preview",
    "keeping.set",
    "contracts.importPlan",
    "contracts.save",
    "contracts.setSettings",
    "contracts.setStatus",
    "policy.check",
    "policy.set",
    "erasure.access",
    "erasure.allow",
    "erasure.erase",
    "erasure.find",
    "erasure.requests",
    "people.merge",
    "people.unlink",
    "quarantine.replay",
    "stewardship.classify",
    "stewardship.describe",
    "stewardship.dismiss",
    "stewardship.findings",
    "stewardship.scan",
  ],
  audit: ["audit.export", "audit.list", "audit.verify"],
  admin: [
    "flags.addEnvironment",
    "flags.newKey",
    "flags.newServerKey",
    "flags.setReview",
    "workspaces.addMember",
    "workspaces.change",
    "workspaces.createKey",
    "workspaces.keys",
    "workspaces.remove",
    "workspaces.removeMember",
    "workspaces.revokeKey",
    "workspaces.setAttributes",
    "workspaces.setRole",
  ],
} as const satisfies Record<string, readonly string[]>;
type Right = Exclude<keyof typeof may, "anybody" | "members">;
const roles: Readonly<Record<Right, readonly Role[]>> = {
  read: ["viewer", "analyst", "marketer", "steward", "auditor", "admin"],
  edit: ["analyst", "marketer", "steward", "admin"],
  govern: ["steward", "admin"],
  audit: ["auditor", "admin"],
  admin: ["admin"],
};
const rights = Object.keys(roles) as Right[]; // its own keys
const everyRole = ["viewer", "analyst", "marketer", "steward", "auditor", "admin"] as const;

const answered = async (operation: string, input: object, headers: Record<string, string>) => {
  const response = await fetch(`${world.url}/api/${operation}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(input) }); // prettier-ignore
  const body = (await response.json()) as { error?: { code?: string } };
  return { status: response.status, code: body.error?.code ?? "" };
};

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

  it("stops guessing, and follows a changed password everywhere", async () => {
    const email = "cy@example.com";
    await world.ask("workspaces.addMember", { email, name: "Cy", password: "a first password", role: "viewer" });
    const signIn = async (password: string) => answered("workspaces.signIn", { email, password }, {});
    const sessions = await Promise.all([1, 2].map(() => world.system.access.signIn(email, "a first password")));
    const [one, two] = sessions.map((session) => ({ cookie: `throughline_session=${session}` }));
    const change = (current: string, headers: Record<string, string>) => answered("workspaces.changePassword", { current, next: "another password" }, headers); // prettier-ignore
    expect(await change("wrong", one!)).toMatchObject({ status: 403, code: "access.wrong_password" });
    expect(await change("a first password", {})).toMatchObject({ status: 401 });
    expect(await change("a first password", await keyFor("admin"))).toMatchObject({
      status: 403,
      code: "access.members_only",
    });
    expect(await change("a first password", one!)).toMatchObject({ status: 200 });
    const whoIs = async (headers: Record<string, string>) =>
      (await (await fetch(`${world.url}/api/workspaces.begin`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: "{}" })).json()) as { member: { name: string } | null }; // prettier-ignore
    expect([(await whoIs(one!)).member?.name, (await whoIs(two!)).member]).toEqual(["Cy", null]);
    const start = Date.now() + 120_000;
    world.clock.at = start;
    try {
      for (let n = 0; n < 10; n += 1) {
        world.clock.at = start + n * 10_000;
        expect(await signIn(`guess ${n}`)).toMatchObject({ status: 401, code: "access.wrong_password" });
      }
      world.clock.at += 61_000;
      expect(await signIn("another password")).toMatchObject({ status: 429, code: "access.locked" });
      expect((await whoIs(one!)).member?.name).toBe("Cy"); // who is in stays in
      world.clock.at += 15 * 60_000;
      expect(await signIn("another password")).toMatchObject({ status: 200 });
      expect(await signIn("another password")).toMatchObject({ status: 200 });
    } finally {
      world.clock.at = undefined;
    }
  }, 60_000);
});
