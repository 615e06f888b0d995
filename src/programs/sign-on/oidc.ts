import { parseCookie, stringifySetCookie } from "cookie";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import * as oidc from "openid-client";
import { z } from "zod";
import type { Access } from "#kernel/access.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import { setSession } from "#kernel/http.ts";
import { newSecret } from "#kernel/ids.ts";
import { Refusal, refusalIn } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { refusals, type RefusalName } from "./contract.ts";
import type { notedIn } from "./noted.ts";

/**
 * Single sign-on by OpenID Connect: authorization code with PKCE, state and nonce. Whoever the provider vouches for comes
 * in as the member of that identity, else of that verified address; where domains are named, people of them are made
 * members as they first come.
 */
interface Parts {
  readonly config: Config;
  readonly store: Store;
  readonly access: Access;
  readonly clock: Clock;
  readonly log: Logger;
  readonly secureCookies: boolean;
  readonly noted: ReturnType<typeof notedIn>;
}

export const startPath = "/auth/oidc/start";
const returnPath = "/auth/oidc/callback";
const cookieName = "throughline_sign_on";
const minutes = 10;

const Begun = z.object({ state: z.string(), nonce: z.string(), verifier: z.string(), at: z.number() });
type Begun = z.output<typeof Begun>;
const Claims = z.object({
  iss: z.string(),
  sub: z.string().min(1).max(500),
  email: z.string().max(200).optional(),
  email_verified: z.union([z.boolean(), z.literal("true")]).optional(),
  name: z.string().max(200).optional(),
});
type Claims = z.output<typeof Claims>;

const prefix = "sign_on.";
const refuse = (name: RefusalName): never => {
  throw new Refusal(`${prefix}${name}`, refusals[name], {}, 403);
};

const begunOf = (request: FastifyRequest, now: number): Begun => {
  const text = parseCookie(request.headers.cookie ?? "")[cookieName] ?? "";
  try {
    const begun = Begun.parse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
    if (now - begun.at < minutes * 60_000) return begun;
  } catch {
    // what is no cookie of ours counts as none
  }
  return refuse("begun_elsewhere");
};

/** The member whom the provider's claims stand for. */
const memberFor = async (
  { config, store, access, clock }: Parts,
  claims: Claims,
): Promise<{ id: string; email: string }> => {
  const linked = await store
    .selectFrom("sign_ons")
    .innerJoin("members", "members.id", "sign_ons.member")
    .select(["members.id", "members.email"])
    .where("issuer", "=", claims.iss)
    .where("subject", "=", claims.sub)
    .executeTakeFirst();
  if (linked !== undefined) return linked;
  const email = (claims.email ?? "").trim().toLowerCase();
  if (email === "") refuse("no_email");
  // an address that nobody has checked would let its claimant into another's account
  if (claims.email_verified === undefined || claims.email_verified === false) refuse("not_verified");
  const known = await store.selectFrom("members").select(["id", "email"]).where("email", "=", email).executeTakeFirst();
  const domain = email.slice(email.lastIndexOf("@") + 1);
  if (known === undefined && !config.oidc_domains.includes(domain)) refuse("unknown");
  const id = known?.id ?? (await access.createMember(email, claims.name ?? email, newSecret("none")));
  const at = new Date(clock.now()).toISOString();
  await store.insertInto("sign_ons").values({ issuer: claims.iss, subject: claims.sub, member: id, at }).execute();
  if (known === undefined && config.oidc_workspace !== undefined) {
    const found = await store.selectFrom("workspaces").select("id").where("id", "=", config.oidc_workspace).where("removed_at", "is", null).executeTakeFirst(); // prettier-ignore
    if (found !== undefined)
      await store.insertInto("memberships").values({ workspace: found.id, member: id, role: config.oidc_role, created_at: at }).execute(); // prettier-ignore
  }
  return { id, email };
};

export const mountOidc = (server: FastifyInstance, parts: Parts): void => {
  const { config, access, clock, log, secureCookies, noted } = parts;
  const { oidc_issuer: issuer, oidc_client_id: clientId, oidc_client_secret: secret } = config;
  if (issuer === undefined || clientId === undefined) return;

  let found: Promise<oidc.Configuration> | undefined;
  const provider = async (): Promise<oidc.Configuration> => {
    // on this machine alone a provider may speak without TLS
    const isLocal = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$)/.test(issuer);
    const execute = isLocal ? [oidc.allowInsecureRequests] : [];
    found ??= oidc.discovery(new URL(issuer), clientId, secret, undefined, { execute, timeout: 10 }); // seconds
    try {
      return await found;
    } catch (error) {
      found = undefined; // asked for again at the next sign-in
      const refusal = new Refusal(`${prefix}unreachable`, refusals.unreachable, {}, 503); // prettier-ignore
      refusal.cause = error;
      throw refusal;
    }
  };
  const originOf = (request: FastifyRequest): string => config.public_url ?? `${request.protocol}://${request.host}`;
  const remember = (reply: FastifyReply, value: string): void => {
    const maxAge = value === "" ? 0 : minutes * 60;
    const options = { httpOnly: true, sameSite: "lax", path: "/auth/oidc", maxAge, secure: secureCookies } as const;
    void reply.header("set-cookie", stringifySetCookie({ name: cookieName, value, ...options }));
  };
  /** Back to the page, which says what went wrong. */
  const back = (reply: FastifyReply, error: unknown): FastifyReply => {
    const refusal = refusalIn(error);
    if (refusal === undefined) log.error({ err: error }, "a single sign-on failed");
    else log.warn({ code: refusal.code, err: refusal.cause }, "a single sign-on was refused");
    const name = refusal?.code.startsWith(prefix) === true ? refusal.code.slice(prefix.length) : "invalid";
    return reply.redirect(`/explore?refused=${encodeURIComponent(name)}`);
  };

  server.get(startPath, async (request, reply) => {
    try {
      const verifier = oidc.randomPKCECodeVerifier();
      const begun: Begun = { state: oidc.randomState(), nonce: oidc.randomNonce(), verifier, at: clock.now() };
      const address = oidc.buildAuthorizationUrl(await provider(), {
        redirect_uri: `${originOf(request)}${returnPath}`,
        scope: "openid email profile",
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        state: begun.state,
        nonce: begun.nonce,
      });
      remember(reply, Buffer.from(JSON.stringify(begun)).toString("base64url"));
      return await reply.redirect(address.href);
    } catch (error) {
      return back(reply, error);
    }
  });

  server.get(returnPath, async (request, reply) => {
    try {
      const begun = begunOf(request, clock.now());
      const tokens = await oidc.authorizationCodeGrant(await provider(), new URL(request.url, originOf(request)), {
        pkceCodeVerifier: begun.verifier,
        expectedState: begun.state,
        expectedNonce: begun.nonce,
        idTokenExpected: true,
      });
      const member = await memberFor(parts, Claims.parse(tokens.claims()));
      const session = await noted(log, "signOn.oidc", member.email, () => access.sessionFor(member.id));
      remember(reply, "");
      setSession(reply, secureCookies, session);
      return await reply.redirect("/");
    } catch (error) {
      remember(reply, "");
      return back(reply, error);
    }
  });
};
