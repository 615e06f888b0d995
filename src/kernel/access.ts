import { hash, verify } from "@node-rs/argon2";
import { classesIn, policyIn, veilOf, type Veil } from "./classes.ts";
import { Attributes, type Asker } from "./policy.ts";
import { hashSecret, newId, newSecret } from "./ids.ts";
import { Refusal } from "./refusal.ts";
import type { Role } from "./roles.ts";
import { createSecondFactor, type SecondFactor } from "./second-factor.ts";
import type { Store } from "./state/store.ts";
import type { Clock } from "./clock.ts";

/** Who is calling. A key belongs to one workspace; a member may belong to several and says which. */
export type Principal =
  | { readonly kind: "nobody" }
  | {
      readonly kind: "member";
      readonly id: string;
      readonly email: string;
      readonly name: string;
      /** Proven by more than a password: by a second factor, or by who vouched for them. */
      readonly isStrong?: boolean;
    }
  | { readonly kind: "key"; readonly id: string; readonly workspace: string; readonly role: Role };

/** A session as its member may see it. */
export interface OpenSession {
  readonly id: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly isThis: boolean;
}

/** How a person is let in, and what they may do where. The only place that answers either. */
export interface Access {
  hasMembers(): Promise<boolean>;
  createMember(email: string, name: string, password: string): Promise<string>;
  /** A session secret for the cookie. The same answer, and the same time, for a wrong address and a wrong password. */
  signIn(email: string, password: string, code?: string): Promise<string>;
  /** Throws where a password, or the code of a member who has a second factor, is not theirs; `access.code_needed` without one. */
  checkPassword(email: string, password: string, code?: string): Promise<string>;
  /** A session of a member for whom somebody else has vouched. */
  sessionFor(member: string): Promise<string>;
  readonly secondFactor: SecondFactor;
  signOut(session: string): Promise<void>;
  /** A member's open sessions, the newest first. `id` ends one and opens none. */
  sessionsOf(member: string, session: string | undefined): Promise<readonly OpenSession[]>;
  /** Ends one of a member's sessions; all but this one where none is named. */
  endSessions(member: string, session: string | undefined, id?: string): Promise<void>;
  /** Gives a member another password and ends all their sessions but this one. */
  changePassword(member: string, current: string, next: string, session: string | undefined): Promise<void>;
  fromSession(session: string): Promise<Principal>;
  fromKey(key: string): Promise<Principal>;
  /** Who somebody is in a workspace; undefined also when the workspace does not exist, so that ids cannot be probed. */
  askerIn(principal: Principal, workspace: string): Promise<Asker | undefined>;
  /** What whoever asks may not know of a workspace's data, as of now. */
  veilFor(asker: Asker, workspace: { readonly id: string; readonly secret: string }): Promise<Veil>;
}

const sessionDays = 30;
const signInsPerMinute = 10;
/** After so many wrong passwords one after another an address is locked for a while; who is signed in stays so. */
const [wrongInARow, lockedMs] = [10, 15 * 60_000];

/** Counts attempts by address, so that passwords cannot be guessed at speed. */
const attempts = (clock: Clock) => {
  const recent = new Map<string, number[]>();
  const wrong = new Map<string, { count: number; at: number }>();
  return {
    begin: (email: string): void => {
      const now = clock.now();
      const held = wrong.get(email);
      if (held !== undefined && held.count >= wrongInARow && now - held.at < lockedMs)
        throw new Refusal("access.locked", `${wrongInARow} wrong passwords in a row: this address is locked for ${lockedMs / 60_000} minutes.`, {}, 429); // prettier-ignore
      const times = (recent.get(email) ?? []).filter((at) => at > now - 60_000);
      if (times.length >= signInsPerMinute)
        throw new Refusal("access.slow_down", "Too many attempts. Wait a minute, then try again.", {}, 429);
      if (recent.size > 10_000) recent.clear();
      recent.set(email, [...times, now]);
    },
    end: (email: string, isRight: boolean): void => {
      if (isRight) {
        wrong.delete(email);
        return;
      }
      if (wrong.size > 100_000) wrong.clear();
      const held = wrong.get(email);
      const isLong = held !== undefined && clock.now() - held.at >= lockedMs;
      wrong.set(email, { count: held === undefined || isLong ? 1 : held.count + 1, at: clock.now() });
    },
  };
};

/** As they are stored, JSON; what an earlier version kept is none. */
export const readAttributes = (text: string | null | undefined): Attributes =>
  Attributes.parse(text === null || text === undefined || text === "" ? {} : JSON.parse(text));

const normalise = (email: string): string => email.trim().toLowerCase();

export const createAccess = (store: Store, clock: Clock): Access => {
  const counted = attempts(clock);
  const decoy = hash("a password that nobody has");
  const iso = (ms = clock.now()): string => new Date(ms).toISOString();
  const secondFactor = createSecondFactor(store, clock);

  const checkPassword = async (email: string, password: string, code?: string): Promise<string> => {
    const address = normalise(email);
    counted.begin(address);
    const member = await store.selectFrom("members").selectAll().where("email", "=", address).executeTakeFirst();
    const right = await verify(member?.password ?? (await decoy), password);
    if (member === undefined || !right) {
      counted.end(address, false);
      throw new Refusal("access.wrong_password", "This email and password do not belong together.", {}, 401);
    }
    if ((await secondFactor.left(member.id)) !== undefined) {
      if (code === undefined)
        throw new Refusal("access.code_needed", "Give the code that your authenticator app shows.", {}, 401);
      if (!(await secondFactor.check(member.id, code))) {
        counted.end(address, false);
        throw new Refusal("access.wrong_code", "This code is not right, or was used already.", {}, 401);
      }
    }
    counted.end(address, true);
    return member.id;
  };

  const openSession = async (member: string, vouched: 0 | 1): Promise<string> => {
    const secret = newSecret("tls");
    const expires_at = iso(clock.now() + sessionDays * 86_400_000);
    await store.insertInto("sessions").values({ hash: hashSecret(secret), member, created_at: iso(), expires_at, vouched }).execute(); // prettier-ignore
    await store.deleteFrom("sessions").where("expires_at", "<", iso()).execute();
    return secret;
  };

  return {
    secondFactor,
    checkPassword,
    sessionFor: (member) => openSession(member, 1),
    hasMembers: async () => (await store.selectFrom("members").select("id").limit(1).executeTakeFirst()) !== undefined,

    createMember: async (email, name, password) => {
      const address = normalise(email);
      const taken = await store.selectFrom("members").select("id").where("email", "=", address).executeTakeFirst();
      if (taken !== undefined)
        throw new Refusal("access.email_taken", "There is a member with this email already.", {}, 409);
      const id = newId("mem");
      const row = { id, email: address, name, password: await hash(password), created_at: iso() };
      await store.insertInto("members").values(row).execute();
      return id;
    },

    signIn: async (email, password, code) => openSession(await checkPassword(email, password, code), 0),

    signOut: async (session) => {
      await store.deleteFrom("sessions").where("hash", "=", hashSecret(session)).execute();
    },

    sessionsOf: async (member, session) => {
      const own = session === undefined ? "" : hashSecret(session);
      const rows = await store.selectFrom("sessions").selectAll().where("member", "=", member).where("expires_at", ">", iso()).orderBy("created_at", "desc").limit(500).execute(); // prettier-ignore
      return rows.map(({ hash: held, created_at: createdAt, expires_at: expiresAt }) => ({ id: hashSecret(held), createdAt, expiresAt, isThis: held === own })); // prettier-ignore
    },

    endSessions: async (member, session, id) => {
      const own = session === undefined ? "" : hashSecret(session);
      const rows = await store.selectFrom("sessions").select("hash").where("member", "=", member).execute();
      const ended = rows.filter(({ hash: held }) => (id === undefined ? held !== own : hashSecret(held) === id));
      for (const { hash: held } of ended) await store.deleteFrom("sessions").where("hash", "=", held).execute();
    },

    changePassword: async (id, current, next, session) => {
      const member = await store.selectFrom("members").selectAll().where("id", "=", id).executeTakeFirst();
      if (member === undefined) throw new Refusal("access.no_member", "There is no such member.", {}, 404);
      counted.begin(member.email);
      const right = await verify(member.password, current);
      counted.end(member.email, right);
      if (!right) throw new Refusal("access.wrong_password", "This is not your password.", {}, 403);
      await store.updateTable("members").set({ password: await hash(next) }).where("id", "=", id).execute(); // prettier-ignore
      const kept = session === undefined ? "" : hashSecret(session);
      await store.deleteFrom("sessions").where("member", "=", id).where("hash", "!=", kept).execute();
    },

    fromSession: async (session) => {
      const row = await store
        .selectFrom("sessions")
        .innerJoin("members", "members.id", "sessions.member")
        .leftJoin("second_factors", "second_factors.member", "sessions.member")
        .select(["members.id", "members.email", "members.name", "vouched", "confirmed_at"])
        .where("sessions.hash", "=", hashSecret(session))
        .where("sessions.expires_at", ">", iso())
        .executeTakeFirst();
      if (row === undefined) return { kind: "nobody" };
      const { vouched, confirmed_at: confirmed, ...member } = row;
      return { kind: "member", ...member, isStrong: vouched > 0 || confirmed !== null };
    },

    fromKey: async (key) => {
      const row = await store
        .selectFrom("api_keys")
        .select(["id", "workspace", "role"])
        .where("hash", "=", hashSecret(key))
        .where("revoked_at", "is", null)
        .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", iso())]))
        .executeTakeFirst();
      return row === undefined
        ? { kind: "nobody" }
        : { kind: "key", id: row.id, workspace: row.workspace, role: row.role as Role };
    },

    askerIn: async (principal, workspace) => {
      if (principal.kind === "nobody") return undefined;
      if (principal.kind === "key") {
        if (principal.workspace !== workspace) return undefined;
        const key = await store.selectFrom("api_keys").select("attributes").where("id", "=", principal.id).executeTakeFirst(); // prettier-ignore
        return { role: principal.role, ...readAttributes(key?.attributes) };
      }
      const row = await store
        .selectFrom("memberships")
        .innerJoin("workspaces", "workspaces.id", "memberships.workspace")
        .select(["memberships.role", "memberships.attributes"])
        .where("memberships.workspace", "=", workspace)
        .where("memberships.member", "=", principal.id)
        .where("workspaces.removed_at", "is", null)
        .executeTakeFirst();
      return row === undefined ? undefined : { role: row.role as Role, ...readAttributes(row.attributes) };
    },

    veilFor: async (asker, { id, secret }) => {
      const [policy, classes] = await Promise.all([policyIn(store, id), classesIn(store, id)]);
      return veilOf(policy, asker, secret, classes);
    },
  };
};
