import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import { TOTP, Secret } from "otpauth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorld, stopWorld, type World } from "#test/world.ts";

/** Single sign-on against a real OpenID provider, and the second factor with a real authenticator's codes. */

interface Account {
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly name?: string;
}
const accounts: Record<string, Account> = {
  "sub-ana": { email: "ANA@example.com", email_verified: true, name: "Ana" },
  "sub-new": { email: "kim@acme.test", email_verified: true, name: "Kim" },
  "sub-claimant": { email: "ana@example.com", email_verified: false, name: "Not Ana" },
  "sub-stranger": { email: "eve@elsewhere.test", email_verified: true },
  "sub-lookalike": { email: "eve@notacme.test", email_verified: true },
  "sub-nobody": {},
};

let world: World;
let provider: Server;

beforeAll(async () => {
  // the provider must know where to send people back to, and the server where the provider is: two free ports
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const issuer = `http://127.0.0.1:${port}`;
  world = await startWorld({
    oidc_issuer: issuer,
    oidc_client_id: "throughline",
    oidc_client_secret: "a secret of the client",
    oidc_domains: "acme.test, acme.example",
    oidc_label: "Sign in with Acme",
  });
  const made = new Provider(issuer, {
    clients: [
      {
        client_id: "throughline",
        client_secret: "a secret of the client",
        redirect_uris: [`${world.url}/auth/oidc/callback`],
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
    features: { devInteractions: { enabled: true } },
    cookies: { keys: ["test"] },
  });
  provider = made.listen(port, "127.0.0.1");
  await new Promise((resolve) => provider.once("listening", resolve));
  expect((provider.address() as AddressInfo).port).toBe(port);
});
afterAll(async () => {
  provider.close();
  provider.closeAllConnections();
  await stopWorld(world);
});

/** A browser as far as redirects, cookies of each host and forms go. */
const browser = () => {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: string): Map<string, string> => {
    const { host } = new URL(url);
    const jar = jars.get(host) ?? new Map<string, string>();
    jars.set(host, jar);
    return jar;
  };
  const visit = async (url: string, init: RequestInit = {}): Promise<{ url: string; status: number; text: string }> => {
    const cookie = [...jarOf(url)].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { accept: "text/html", ...(init.headers as Record<string, string> | undefined), cookie };
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      const at = pair.indexOf("=");
      if (/max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) jarOf(url).delete(pair.slice(0, at));
      else jarOf(url).set(pair.slice(0, at), pair.slice(at + 1));
    }
    const to = response.headers.get("location");
    if (to !== null) return visit(new URL(to, url).href);
    return { url, status: response.status, text: await response.text() };
  };
  const post = (url: string, fields: Record<string, string>) =>
    visit(url, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
  return { visit, post, jarOf };
};

/** Signs in at the provider as somebody, and agrees. Where it ends, and the session there. */
const signInAs = async (sub: string, use = browser()) => {
  let page = await use.visit(`${world.url}/auth/oidc/start`);
  for (let step = 0; step < 3 && page.url.includes("/interaction/"); step += 1) {
    const action = /action="([^"]+)"/.exec(page.text)?.[1] ?? "";
    const prompt = /name="prompt" value="(\w+)"/.exec(page.text)?.[1] ?? "";
    page = await use.post(new URL(action, page.url).href, { prompt, login: sub, password: "x" });
  }
  const session = use.jarOf(world.url).get("throughline_session");
  return { url: page.url, refused: new URL(page.url).searchParams.get("refused"), session };
};

const whoIs = async (session: string | undefined) => {
  const response = await fetch(`${world.url}/api/workspaces.begin`, { method: "POST", headers: { "content-type": "application/json", cookie: `throughline_session=${session}` }, body: "{}" }); // prettier-ignore
  return (await response.json()) as {
    member: { id: string; email: string } | null;
    workspaces: unknown[];
    singleSignOn: string;
  };
};

describe("single sign-on", () => {
  it("lets a member in by their verified address, and from then on by their identity", async () => {
    const first = await signInAs("sub-ana");
    expect(first.refused).toBeNull();
    const { member, singleSignOn } = await whoIs(first.session);
    expect(member?.email).toBe("ana@example.com");
    expect(singleSignOn).toBe("Sign in with Acme");
    accounts["sub-ana"] = { email: "another@elsewhere.test", email_verified: true };
    expect((await whoIs((await signInAs("sub-ana")).session)).member?.id).toBe(member?.id);
    const { entries } = await world.ask<{ entries: { action: string; decision: string }[] }>("audit.list", {});
    expect(entries.find(({ action }) => action === "signOn.oidc")?.decision).toBe("allow");
  });

  it("makes members of people of a named domain, who belong to no workspace unless one is named", async () => {
    const { session, refused } = await signInAs("sub-new");
    expect(refused).toBeNull();
    const { member, workspaces } = await whoIs(session);
    expect(member?.email).toBe("kim@acme.test");
    expect(workspaces).toEqual([]);
    await expect(world.system.access.signIn("kim@acme.test", "")).rejects.toMatchObject({ code: "access.wrong_password" }); // prettier-ignore
  });

  it("gives them the workspace and the role that were named for that", async () => {
    Object.assign(world.system.config, { oidc_workspace: world.workspace, oidc_role: "analyst" });
    accounts["sub-second"] = { email: "lee@acme.example", email_verified: true, name: "Lee" };
    const { session } = await signInAs("sub-second");
    expect((await whoIs(session)).workspaces).toEqual([expect.objectContaining({ id: world.workspace, role: "analyst" })]); // prettier-ignore
  });

  it("refuses an address that was not verified, strangers, lookalikes of a domain, and who has no address", async () => {
    for (const [sub, why] of [
      ["sub-claimant", /^not_verified$/],
      ["sub-stranger", /^unknown$/],
      ["sub-lookalike", /^unknown$/],
      ["sub-nobody", /^no_email$/],
    ] as const) {
      const { refused, session } = await signInAs(sub);
      expect(refused, sub).toMatch(why);
      expect(session, sub).toBeUndefined();
    }
  });

  it("refuses a sign-in that was begun in another browser, an altered state, and an answer twice", async () => {
    const [mine, victim] = [browser(), browser()];
    await mine.visit(`${world.url}/auth/oidc/start`);
    const forged = await victim.visit(`${world.url}/auth/oidc/callback?code=abc&state=xyz`);
    expect(new URL(forged.url).searchParams.get("refused")).toBe("begun_elsewhere");
    const altered = await mine.visit(`${world.url}/auth/oidc/callback?code=abc&state=xyz`);
    expect(new URL(altered.url).searchParams.get("refused")).toBe("invalid");
    expect(mine.jarOf(world.url).has("throughline_session")).toBe(false);
    expect(mine.jarOf(world.url).has("throughline_sign_on")).toBe(false);
  });

  it("sets cookies that scripts cannot read, and sends nobody to another place", async () => {
    const response = await fetch(`${world.url}/auth/oidc/start?to=https://evil.example`, { redirect: "manual" });
    expect(response.headers.get("set-cookie")).toMatch(/HttpOnly/i);
    expect(response.headers.get("set-cookie")).toMatch(/SameSite=Lax/i);
    const to = new URL(response.headers.get("location") ?? "");
    expect(to.searchParams.get("code_challenge_method")).toBe("S256");
    expect(to.searchParams.get("redirect_uri")).toBe(`${world.url}/auth/oidc/callback`);
    expect(to.href).not.toContain("evil");
  });
});

describe("a second factor", () => {
  const email = "factor@example.com";
  const password = "a long password";
  let cookie = "";
  const asked = async (operation: string, input: object) => {
    const response = await fetch(`${world.url}/api/${operation}`, { method: "POST", headers: { "content-type": "application/json", cookie }, body: JSON.stringify(input) }); // prettier-ignore
    return (await response.json()) as Record<string, string & string[] & { code: string }>;
  };
  const codeAt = (secret: string, ms: number): string =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: ms });

  it("is asked for after the password, counts each code once, and is replaced by a recovery code once", async () => {
    const { access } = world.system;
    await world.ask("workspaces.addMember", { email, name: "F", password, role: "viewer" });
    cookie = `throughline_session=${await access.signIn(email, password)}`;
    world.clock.at = Date.parse("2026-11-25T12:00:00Z");
    expect((await asked("signOn.prepare", { password: "wrong" }))["error"]?.code).toBe("access.wrong_password");
    const { secret = "", address } = await asked("signOn.prepare", { password });
    expect(address).toMatch(/^otpauth:\/\/totp\/Throughline:factor/);
    expect((await asked("signOn.confirm", { code: "000000" }))["error"]?.code).toBe("access.wrong_code");
    // not yet in use
    await access.signIn(email, password);
    const { recovery = [] } = await asked("signOn.confirm", { code: codeAt(secret, world.clock.at) });
    expect(recovery.length).toBe(10);

    await expect(access.signIn(email, password)).rejects.toMatchObject({ code: "access.code_needed" });
    await expect(access.signIn(email, "wrong", "000000")).rejects.toMatchObject({ code: "access.wrong_password" });
    // the code that confirmed it has counted
    await expect(access.signIn(email, password, codeAt(secret, world.clock.at))).rejects.toMatchObject({ code: "access.wrong_code" }); // prettier-ignore
    world.clock.at += 61_000;
    const code = codeAt(secret, world.clock.at);
    await expect(access.signIn(email, password, codeAt(secret, world.clock.at - 600_000))).rejects.toMatchObject({ code: "access.wrong_code" }); // prettier-ignore
    const both = await Promise.allSettled([access.signIn(email, password, code), access.signIn(email, password, code)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    await access.signIn(email, password, recovery[3]);
    await expect(access.signIn(email, password, recovery[3])).rejects.toMatchObject({ code: "access.wrong_code" });
    expect(await asked("signOn.status", {})).toEqual({ recoveryLeft: 9 });
    expect((await asked("signOn.prepare", { password }))["error"]?.code).toBe("access.code_needed");
  });

  it("cannot be guessed at speed, not even between right passwords", async () => {
    const { access } = world.system;
    const codes: unknown[] = [];
    for (let guess = 0; guess < 12; guess += 1) {
      world.clock.at = (world.clock.at ?? 0) + 61_000;
      await access.signIn(email, password).catch(() => undefined);
      await access.signIn(email, password, "123456").catch((error: unknown) => codes.push((error as { code: string }).code)); // prettier-ignore
    }
    expect(codes.filter((code) => code === "access.wrong_code").length).toBeLessThanOrEqual(10);
    expect(codes.at(-1)).toBe("access.locked");
    world.clock.at = undefined;
  });
});

describe("what every answer carries", () => {
  it("keeps browsers from guessing types, framing, and running what is no page", async () => {
    for (const path of ["/", "/explore", "/api/workspaces.begin", "/health", "/nothing", "/assets/nothing.js"]) {
      const { headers } = await fetch(`${world.url}${path}`, { headers: { accept: "text/html" } });
      expect(headers.get("x-content-type-options"), path).toBe("nosniff");
      expect(headers.get("content-security-policy"), path).toContain("frame-ancestors 'none'");
      expect(headers.get("content-security-policy"), path).not.toMatch(/script-src[^;]*'unsafe-(eval|inline)'/);
      expect(headers.get("referrer-policy"), path).toBe("same-origin");
      expect(headers.get("cross-origin-opener-policy"), path).toBe("same-origin");
    }
  });
});
