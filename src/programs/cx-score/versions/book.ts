import { z } from "zod";
import type { WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { modelVersion } from "../scorer/heads.ts";
import { Calibration } from "./calibration.ts";

/** Which ways of scoring a workspace has used, uses, and tries in shadow. */

const Activation = z.object({
  /** Milliseconds since the epoch; 0 for the first, which has no before. */
  since: z.number(),
  /** Whether what was scored before counts anew, by it. */
  rebased: z.boolean(),
});
export type Activation = z.output<typeof Activation>;

/** The model of a version whose scores a language model gives. */
export const judgeModel = "judge";

export interface Version {
  /** As rows of scores name it. */
  readonly id: string;
  /** Version of the scorer, or `judgeModel`. */
  readonly model: string;
  readonly calibration: Calibration | undefined;
  readonly state: "shadow" | "used" | "dropped";
  readonly activations: readonly Activation[];
  readonly madeAt: string;
  readonly by: string;
}

/** By what scores are read: those that were switched on, in the order in which they were. */
export type Standing = readonly (Activation & { readonly id: string })[];

export const standingOf = (versions: readonly Version[]): Standing =>
  versions
    .flatMap(({ id, activations }) => activations.map((one) => ({ ...one, id })))
    .toSorted((a, b) => a.since - b.since);

/** Those that are scored here, at once and without anybody else. */
export const madeHere = (versions: readonly Version[]): readonly Version[] =>
  versions.filter(({ model }) => model !== judgeModel);

/** The one that was switched on last. */
export const activeOf = (versions: readonly Version[]): Version | undefined => {
  const last = standingOf(versions).at(-1);
  return versions.find(({ id }) => id === last?.id);
};

const States = z.enum(["shadow", "used", "dropped"]);

export const createBook = (store: Store) => {
  const rowsOf = (call: WorkspaceCall) => store.selectFrom("cx_versions").selectAll().where("workspace", "=", call.workspace.id); // prettier-ignore

  const add = async (call: WorkspaceCall, id: string, calibration: Calibration | undefined, activations: readonly Activation[], model = modelVersion): Promise<void> => {
    const by = call.principal.kind === "nobody" ? "" : call.principal.id;
    await store
      .insertInto("cx_versions")
      .values({ workspace: call.workspace.id, id, model, calibration: calibration === undefined ? "" : JSON.stringify(calibration), state: activations.length > 0 ? "used" : "shadow", activations: JSON.stringify(activations), made_by: by, made_at: new Date(call.now).toISOString() })
      .onConflict((conflict) => conflict.columns(["workspace", "id"]).doNothing())
      .execute();
  }; // prettier-ignore

  const list = async (call: WorkspaceCall): Promise<Version[]> =>
    (await rowsOf(call).orderBy("made_at").execute()).map(({ id, model, calibration, state, activations, made_at, made_by }) => ({
      id,
      model,
      calibration: calibration === "" ? undefined : Calibration.parse(JSON.parse(calibration)),
      state: States.parse(state),
      activations: z.array(Activation).parse(JSON.parse(activations)),
      madeAt: made_at,
      by: made_by,
    })); // prettier-ignore

  /** All of them. The first scorer that a workspace meets is used; one that comes later, by an upgrade, begins in shadow. */
  const known = async (call: WorkspaceCall): Promise<readonly Version[]> => {
    const versions = await list(call);
    if (versions.some(({ id }) => id === modelVersion)) return versions;
    await add(call, modelVersion, undefined, versions.length === 0 ? [{ since: 0, rebased: true }] : []);
    return list(call);
  };

  const find = async (call: WorkspaceCall, id: string): Promise<Version> => {
    const found = (await known(call)).find((one) => one.id === id);
    if (found === undefined || found.state === "dropped") throw new Refusal("cx.no_version", "There is no such version in this workspace.", {}, 404); // prettier-ignore
    return found;
  };

  return {
    known,
    find,
    standing: async (call: WorkspaceCall): Promise<Standing> => standingOf(await known(call)),
    addShadow: (call: WorkspaceCall, id: string, calibration: Calibration) => add(call, id, calibration, []),
    /** A language model that scores every conversation; it begins in shadow, also where it was put away before. */
    addJudge: async (call: WorkspaceCall, id: string): Promise<void> => {
      await add(call, id, undefined, [], judgeModel);
      await store.updateTable("cx_versions").set({ state: "shadow" }).where("workspace", "=", call.workspace.id).where("id", "=", id).where("state", "=", "dropped").execute(); // prettier-ignore
    },
    /** Switches a version on: from now on, or for what was scored before as well. */
    activate: async (call: WorkspaceCall, id: string, rebased: boolean): Promise<void> => {
      const version = await find(call, id);
      if (version.model !== modelVersion && version.model !== judgeModel) throw new Refusal("cx.old_version", `It was made with the scorer ${version.model}, which this server does not have any more.`); // prettier-ignore
      if (activeOf(await known(call))?.id === id)
        throw new Refusal("cx.active_version", "It is the one that is in use.");
      const activations = [...version.activations, { since: call.now, rebased }];
      await store.updateTable("cx_versions").set({ state: "used", activations: JSON.stringify(activations) }).where("workspace", "=", call.workspace.id).where("id", "=", id).execute(); // prettier-ignore
    },
    /** Puts one that was never used away; what it scored stays where it is and is not read. */
    drop: async (call: WorkspaceCall, id: string): Promise<void> => {
      const version = await find(call, id);
      if (version.state !== "shadow") throw new Refusal("cx.used_version", "It was in use, and scores go by it. Switch another one on instead."); // prettier-ignore
      await store.updateTable("cx_versions").set({ state: "dropped" }).where("workspace", "=", call.workspace.id).where("id", "=", id).execute(); // prettier-ignore
    },
  };
};
export type Book = ReturnType<typeof createBook>;
