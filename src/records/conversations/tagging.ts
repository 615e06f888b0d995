import type { WorkspaceCall } from "#kernel/module.ts";
import type { Outbound } from "#kernel/outbound.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { Gone, Later, tagsOf } from "./intercom.ts";

/** Tags that are put on conversations in the system that they came from. */

/** What became of a tag: it is there; it has to wait, as all of its source have to; it will never be; or not this time. */
export type Tagged =
  | { readonly state: "done" }
  | { readonly state: "wait" }
  | { readonly state: "never" | "failed"; readonly problem: string };

const noWay = "It did not come by Intercom’s API, the only way that leads back. Tell a channel of yours instead: a webhook carries the conversation’s id."; // prettier-ignore

export const createTagging =
  ({ store, outbound }: { readonly store: Store; readonly outbound: Outbound }) =>
  /** For some work on a workspace, in which each source is looked up once and each tag is made once. */
  (call: WorkspaceCall) => {
    const find = async (source: string) => {
      const link = await store.selectFrom("conversation_links").select(["address", "secret"]).where("workspace", "=", call.workspace.id).where("source", "=", source).where("kind", "=", "pull").executeTakeFirst(); // prettier-ignore
      return link === undefined ? undefined : tagsOf({ outbound, address: link.address, token: link.secret, region: call.workspace.region, signal: call.signal }); // prettier-ignore
    };
    const known = new Map<string, ReturnType<typeof find>>();
    return async (source: string, conversation: string, tag: string): Promise<Tagged> => {
      const finding = known.get(source) ?? find(source);
      known.set(source, finding);
      const put = await finding;
      if (put === undefined) return { state: "never", problem: noWay };
      try {
        await put(conversation.replace(/^intercom /, ""), tag);
        return { state: "done" };
      } catch (error) {
        if (error instanceof Later || call.signal.aborted) return { state: "wait" };
        const state = error instanceof Gone ? "never" : "failed";
        return { state, problem: error instanceof Refusal ? error.message : "Intercom could not be reached, or answered with something else." }; // prettier-ignore
      }
    };
  };
export type Tagging = ReturnType<typeof createTagging>;
