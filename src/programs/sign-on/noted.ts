import type { Logger } from "pino";
import type { Audit } from "#kernel/audit/audit.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";

/** Writes down, wherever a member belongs, that they came in or changed their way in, or that somebody tried to. */
export const notedIn =
  (store: Store, audit: Audit) =>
  async <T>(log: Logger, action: string, email: string, work: () => Promise<T>): Promise<T> => {
    const note = async (decision: "allow" | "deny", reason?: string): Promise<void> => {
      const places = await store
        .selectFrom("memberships")
        .innerJoin("members", "members.id", "memberships.member")
        .select(["memberships.workspace", "members.id", "members.name"])
        .where("members.email", "=", email.trim().toLowerCase())
        .execute();
      for (const { workspace, id, name } of places) {
        const principal = { kind: "member", id, name, email } as const;
        // a log that was changed from outside keeps nobody from coming in to see that
        await audit
          .append(workspace, { principal, action, decision, reason })
          .catch((error: unknown) => log.error({ err: error, workspace }, "a sign-in was not written down"));
      }
    };
    try {
      const answer = await work();
      await note("allow");
      return answer;
    } catch (error) {
      await note("deny", error instanceof Refusal ? error.code : "internal");
      throw error;
    }
  };
