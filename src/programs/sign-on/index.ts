import type { Logger } from "pino";
import type { Access } from "#kernel/access.ts";
import type { Audit } from "#kernel/audit/audit.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import { defineModule, handle, type Call, type Module } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import * as contract from "./contract.ts";
import { notedIn } from "./noted.ts";
import { mountOidc } from "./oidc.ts";

interface Parts {
  readonly config: Config;
  readonly store: Store;
  readonly access: Access;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Logger;
  readonly secureCookies: boolean;
}

const ok = { ok: true } as const;

/** Ways to come in besides a password: single sign-on, and a second factor after it. */
export const signOn = ({ config, store, access, audit, clock, log, secureCookies }: Parts): Module => {
  const noted = notedIn(store, audit);
  const memberOf = ({ principal }: Call): { id: string; email: string } => {
    if (principal.kind === "member") return principal;
    throw new Refusal("access.members_only", "Only a member who is signed in can do this, not an API key.", {}, 403);
  };
  return defineModule({
    name: "sign-on",
    routes: (server) => mountOidc(server, { config, store, access, clock, log, secureCookies, noted }),
    operations: [
      handle(contract.status, async (call) => ({
        recoveryLeft: (await access.secondFactor.left(memberOf(call).id)) ?? null,
      })),
      handle(contract.prepare, async (call, { password }) => {
        const { id, email } = memberOf(call);
        await access.checkPassword(email, password);
        return access.secondFactor.prepare(id, email);
      }),
      handle(contract.confirm, async (call, { code }) => {
        const { id, email } = memberOf(call);
        const recovery = await noted(call.log, "signOn.confirm", email, () => access.secondFactor.confirm(id, code));
        return { recovery: [...recovery] };
      }),
      handle(contract.remove, async (call, { password, code }) => {
        const { id, email } = memberOf(call);
        await noted(call.log, "signOn.remove", email, async () => {
          await access.checkPassword(email, password, code);
          await access.secondFactor.remove(id);
        });
        return ok;
      }),
    ],
  });
};
