import type { Clock } from "./clock.ts";
import { newId } from "./ids.ts";
import type { Principal } from "./access.ts";
import type { Store } from "./state/store.ts";

/** Writes down what changed a workspace. */
export type Audit = (workspace: string, principal: Principal, operation: string, input: unknown) => Promise<void>;

const longest = 4_000;
const secrets = /password|secret|token/i;

const withoutSecrets = (input: unknown): string =>
  JSON.stringify(input, (key, value: unknown) => (secrets.test(key) ? "(hidden)" : value)) ?? "";

export const createAudit =
  (store: Store, clock: Clock): Audit =>
  async (workspace, principal, operation, input) => {
    const actor = principal.kind === "nobody" ? "" : principal.id;
    const detail = withoutSecrets(input).slice(0, longest);
    const row = { id: newId("aud"), workspace, at: new Date(clock.now()).toISOString(), actor, operation, detail };
    await store.insertInto("audit").values(row).execute();
  };
