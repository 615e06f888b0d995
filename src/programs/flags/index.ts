import { randomBytes } from "node:crypto";
import { z } from "zod";
import { newId } from "#kernel/ids.ts";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import type { Directory } from "#kernel/directory.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import { createAssignments } from "./assignments.ts";
import { createAudiences } from "./audience.ts";
import { accountIn, decider } from "./decide.ts";
import { changesOf } from "./changes.ts";
import * as contract from "./contract.ts";
import type { Evaluated } from "./contract.ts";
import { faultsBetween, Flag, flagFaults } from "./document.ts";
import { cohortsIn, type Evaluation } from "#sdk/evaluate.ts";
import { bookOf } from "./book.ts";
import { ConditionFault } from "#sdk/conditions.ts";
import { hashOfKey } from "./http.ts";
import { mountOfrep } from "./ofrep.ts";
import { mountRules } from "./rules.ts";
import { staleness } from "./stale.ts";
import { mountPostHogFlags } from "./posthog.ts";
import type { Desk } from "./desk.ts";
import type { Shelf } from "./shelf.ts";

const [mostFlags, mostEnvironments, mostProposals, shownChanges] = [5_000, 20, 500, 200];
/** Those that a workspace begins with. */
const firstEnvironments = ["production", "development"] as const;
const Changes = z.array(z.string());

const newKey = (of: "tlf" | "tls"): string => `${of}_${randomBytes(of === "tlf" ? 18 : 30).toString("base64url")}`;

const evaluated = (evaluation: Evaluation): Evaluated =>
  "error" in evaluation
    ? { key: evaluation.key, variant: null, reason: "ERROR", rule: null, problem: evaluation.says }
    : {
        key: evaluation.key,
        value: evaluation.value as Evaluated["value"], // of the flag's document, which is JSON
        variant: evaluation.variant ?? null,
        reason: evaluation.reason,
        rule: evaluation.rule ?? null,
        problem: null,
      };

interface Parts {
  readonly store: Store;
  readonly registry: SourceRegistry;
  readonly directory: Directory;
  readonly ingest: Ingest;
  readonly shelf: Shelf;
  readonly desk: Desk;
}

/** Flags: values that code asks for, decided for each person by rules that people change here. */
export const flags = ({ store, registry, directory, ingest, shelf, desk }: Parts): Module => {
  const { find: rowOf, put } = desk;
  const audiences = createAudiences({ directory, ingest });
  const assignments = createAssignments(store);
  const decide = decider(shelf, audiences, assignments);
  const by = ({ principal }: WorkspaceCall): string => (principal.kind === "nobody" ? "" : principal.id);

  const environmentsOf = async (workspace: string) =>
    (await store.selectFrom("flag_environments").selectAll().where("workspace", "=", workspace).orderBy("made_at").orderBy("number").execute()).map(({ name, client_key, server_key_hash, needs_review }) => ({ name, key: client_key, hasServerKey: server_key_hash !== null, needsReview: needs_review === 1 })); // prettier-ignore

  const addEnvironment = async (call: WorkspaceCall, name: string) => {
    const all = await environmentsOf(call.workspace.id);
    if (all.some((one) => one.name === name)) throw new Refusal("flags.environment_there", `There is an environment ${name}.`, {}, 409); // prettier-ignore
    if (all.length >= mostEnvironments) throw new Refusal("flags.too_many_environments", `A workspace has ${mostEnvironments} environments.`); // prettier-ignore
    const key = newKey("tlf");
    await store.insertInto("flag_environments").values({ workspace: call.workspace.id, name, number: all.length, client_key: key, server_key_hash: null, needs_review: 0, made_at: new Date(call.now).toISOString() }).execute(); // prettier-ignore
    return { name, key, hasServerKey: false, needsReview: false };
  };

  /** Throws `flags.unknown_environment`. */
  const setOf = async (call: WorkspaceCall, name: string, change: { client_key?: string; server_key_hash?: string; needs_review?: number }): Promise<void> => {
    const changed = await store.updateTable("flag_environments").set(change).where("workspace", "=", call.workspace.id).where("name", "=", name).executeTakeFirst();
    if (changed.numUpdatedRows === 0n) throw new Refusal("flags.unknown_environment", `There is no environment ${name}.`, {}, 404);
  }; // prettier-ignore

  const othersOf = async (workspace: string, key: string): Promise<readonly Flag[]> => {
    const rows = await store.selectFrom("flags").select("content").where("workspace", "=", workspace).where("key", "!=", key).where("archived_at", "is", null).execute(); // prettier-ignore
    return rows.map(({ content }) => Flag.parse(JSON.parse(content)));
  };

  const unknownCohorts = async (call: WorkspaceCall, flag: Flag): Promise<readonly string[]> => {
    const named = Object.keys(flag.environments).flatMap((name) => cohortsIn(flag, name));
    const rows = named.length === 0 ? [] : await store.selectFrom("cohorts").select("id").where("workspace", "=", call.workspace.id).where("id", "in", named).execute(); // prettier-ignore
    return named.filter((id) => !rows.some((row) => row.id === id));
  };

  const demandSound = async (call: WorkspaceCall, flag: Flag): Promise<void> => {
    const known = new Set((await environmentsOf(call.workspace.id)).map(({ name }) => name));
    const strange = Object.keys(flag.environments).filter((name) => !known.has(name));
    const faults = [
      ...strange.map((name) => `There is no environment ${name}.`),
      ...flagFaults(flag),
      ...faultsBetween(flag, await othersOf(call.workspace.id, flag.key)),
      ...(await unknownCohorts(call, flag)).map((id) => `There is no cohort ${id}.`),
    ];
    if (faults.length > 0) throw new Refusal("flags.faults", faults.slice(0, 10).join(" "), { faults: faults.slice(0, 50) }); // prettier-ignore
    for (const name of Object.keys(flag.environments)) {
      const on = { ...flag, environments: { [name]: { ...flag.environments[name], isOn: true } } };
      try {
        bookOf([Flag.parse(on)], name);
      } catch (error) {
        if (error instanceof ConditionFault) throw new Refusal("flags.condition", error.message);
        throw error;
      }
    }
  };

  /** Environments in which a change has to be looked at first: its rules differ there, or values that are on there. */
  const reviewedIn = async (call: WorkspaceCall, before: Flag | undefined, after: Flag): Promise<readonly string[]> => {
    const watched = (await environmentsOf(call.workspace.id)).filter(({ needsReview }) => needsReview);
    const text = (value: unknown): string => JSON.stringify(value ?? null);
    const isRevalued = text([before?.type, before?.variations]) !== text([after.type, after.variations]);
    return watched.map(({ name }) => name).filter((name) => {
      const [was, is] = [before?.environments[name], after.environments[name]];
      // off before and after: nothing comes of it
      if (was?.isOn !== true && is?.isOn !== true) return false;
      // switched off, and nothing else: that must never wait
      if (was?.isOn === true && is?.isOn === false && text({ ...was, isOn: false }) === text(is) && !isRevalued) return false;
      return isRevalued || text(was) !== text(is);
    });
  }; // prettier-ignore

  const demandReviewed = async (call: WorkspaceCall, before: Flag | undefined, after: Flag): Promise<void> => {
    const waiting = await reviewedIn(call, before, after);
    if (waiting.length > 0) throw new Refusal("flags.review", `What changes in ${waiting.join(", ")} has to be looked at by somebody else first. Propose it.`, { environments: waiting }, 409); // prettier-ignore
  };

  const proposalOf = async (call: WorkspaceCall, id: string) => {
    const row = await store.selectFrom("flag_proposals").selectAll().where("workspace", "=", call.workspace.id).where("id", "=", id).where("state", "=", "open").executeTakeFirst(); // prettier-ignore
    if (row === undefined) throw new Refusal("flags.no_proposal", "There is no such change that waits.", {}, 404);
    return row;
  };

  const decided = async (call: WorkspaceCall, id: string, state: "approved" | "rejected", reason: string): Promise<void> => {
    const { numUpdatedRows } = await store.updateTable("flag_proposals").set({ state, reason, decided_by: by(call), decided_at: new Date(call.now).toISOString() }).where("workspace", "=", call.workspace.id).where("id", "=", id).where("state", "=", "open").executeTakeFirst();
    if (numUpdatedRows !== 1n) throw new Refusal("flags.no_proposal", "Somebody decided on it in the meantime.", {}, 409);
  }; // prettier-ignore

  /** The key of a flag that is gone stands for nothing else that needs it. */
  const demandUnneeded = async (call: WorkspaceCall, key: string): Promise<void> => {
    const needing = (await othersOf(call.workspace.id, key)).filter(({ environments }) => Object.values(environments).some(({ prerequisites }) => prerequisites.some((one) => one.flag === key))); // prettier-ignore
    if (needing.length > 0) throw new Refusal("flags.needed", `It is a prerequisite of ${needing.slice(0, 5).map((one) => one.key).join(", ")}.`, {}, 409); // prettier-ignore
  };

  return defineModule({
    name: "flags",
    assets: async (call) =>
      (await store.selectFrom("flags").selectAll().where("workspace", "=", call.workspace.id).where("archived_at", "is", null).execute()).map((row) => {
        const flag = Flag.parse(JSON.parse(row.content));
        return { kind: "flag", id: flag.key, title: flag.key, address: `/flags/${encodeURIComponent(flag.key)}`, owner: flag.owner, description: flag.description, updatedAt: row.updated_at, definition: flag.environments };
      }), // prettier-ignore
    routes: async (server) => {
      await mountOfrep(server, { shelf, store, decide });
      await mountRules(server, shelf);
      await mountPostHogFlags(server, { shelf, registry, decide });
    },
    operations: [
      handle(contract.environments, async (call) => ({ environments: await environmentsOf(call.workspace.id) })),
      handle(contract.addEnvironment, (call, { name }) => addEnvironment(call, name)),
      handle(contract.newKey, async (call, { name }) => {
        const key = newKey("tlf");
        await setOf(call, name, { client_key: key });
        shelf.changed(call.workspace.id);
        return { key };
      }),
      handle(contract.newServerKey, async (call, { name }) => {
        const key = newKey("tls");
        await setOf(call, name, { server_key_hash: hashOfKey(key) });
        shelf.changed(call.workspace.id);
        return { key };
      }),
      handle(contract.setReview, async (call, { name, needsReview }) => {
        await setOf(call, name, { needs_review: needsReview ? 1 : 0 });
        return { ok: true as const };
      }),
      handle(contract.list, async (call, { archived }) => {
        const rows = await store.selectFrom("flags").selectAll().where("workspace", "=", call.workspace.id).where("archived_at", archived ? "is not" : "is", null).orderBy("key").execute(); // prettier-ignore
        return {
          flags: rows.map((row) => {
            const flag = Flag.parse(JSON.parse(row.content));
            const { key, type, description, owner, environments } = flag;
            const on = Object.entries(environments).filter(([, { isOn }]) => isOn).map(([name]) => name); // prettier-ignore
            return { key, type, description, owner, version: row.version, updatedAt: row.updated_at, on, stale: archived ? "" : staleness(flag, Date.parse(row.updated_at), call.now) }; // prettier-ignore
          }),
        };
      }),
      handle(contract.get, async (call, { key }) => {
        const { flag, version, archived_at } = await rowOf(call.workspace.id, key);
        const rows = await store
          .selectFrom("flag_changes")
          .leftJoin("members", "members.id", "flag_changes.made_by")
          .select(["version", "changes", "note", "made_by", "made_at", "members.name"])
          .where("workspace", "=", call.workspace.id)
          .where("flag", "=", key)
          .orderBy("version", "desc")
          .limit(shownChanges)
          .execute();
        const history = rows.map((row) => ({ version: row.version, by: row.name ?? row.made_by, at: row.made_at, note: row.note, changes: Changes.parse(JSON.parse(row.changes)) })); // prettier-ignore
        const open = await store.selectFrom("flag_proposals").leftJoin("members", "members.id", "flag_proposals.made_by").select(["flag_proposals.id", "version", "content", "note", "made_by", "made_at", "members.name"]).where("workspace", "=", call.workspace.id).where("flag", "=", key).where("state", "=", "open").orderBy("made_at").execute(); // prettier-ignore
        const proposals = open.map((row) => ({ id: row.id, by: row.name ?? row.made_by, isOwn: row.made_by === by(call), at: row.made_at, note: row.note, changes: [...changesOf(flag, Flag.parse(JSON.parse(row.content)))], isOutdated: row.version !== version })); // prettier-ignore
        return { flag, version, isArchived: archived_at !== null, history, proposals };
      }),
      handle(contract.save, async (call, { flag, version, note }) => {
        const workspace = call.workspace.id;
        if ((await environmentsOf(workspace)).length === 0)
          for (const name of firstEnvironments) await addEnvironment(call, name);
        const before = version === 0 ? undefined : await rowOf(workspace, flag.key);
        if (before === undefined) {
          const { count } = await store.selectFrom("flags").select(({ fn }) => fn.countAll<number>().as("count")).where("workspace", "=", workspace).executeTakeFirstOrThrow(); // prettier-ignore
          if (Number(count) >= mostFlags) throw new Refusal("flags.too_many", `A workspace keeps ${mostFlags} flags.`);
        }
        if (before !== undefined && before.archived_at !== null) throw new Refusal("flags.archived", "It was taken away. Bring it back first.", {}, 409); // prettier-ignore
        await demandSound(call, flag);
        await demandReviewed(call, before?.flag, flag);
        return { version: await put(call, flag, version, changesOf(before?.flag, flag), note) };
      }),
      handle(contract.propose, async (call, { flag, version, note }) => {
        const before = await rowOf(call.workspace.id, flag.key);
        if (before.version !== version || before.archived_at !== null) throw new Refusal("flags.changed", "Somebody changed this flag in the meantime. Load it again, then make your change.", {}, 409); // prettier-ignore
        await demandSound(call, flag);
        const { count } = await store.selectFrom("flag_proposals").select(({ fn }) => fn.countAll<number>().as("count")).where("workspace", "=", call.workspace.id).where("state", "=", "open").executeTakeFirstOrThrow(); // prettier-ignore
        if (Number(count) >= mostProposals) throw new Refusal("flags.too_many_proposals", `${mostProposals} changes may wait.`); // prettier-ignore
        const id = newId("fp");
        await store.insertInto("flag_proposals").values({ workspace: call.workspace.id, id, flag: flag.key, version, content: JSON.stringify(flag), note, made_by: by(call), made_at: new Date(call.now).toISOString(), state: "open", decided_by: null, decided_at: null, reason: "" }).execute(); // prettier-ignore
        return { id };
      }),
      handle(contract.review, async (call, { id, isTaken, reason }) => {
        const row = await proposalOf(call, id);
        if (!isTaken) {
          await decided(call, id, "rejected", reason);
          return { ok: true as const };
        }
        if (call.principal.kind !== "member" || row.made_by === by(call)) throw new Refusal("flags.four_eyes", "Whoever proposed it does not take it, and neither does a key.", {}, 403); // prettier-ignore
        const [before, flag] = [await rowOf(call.workspace.id, row.flag), Flag.parse(JSON.parse(row.content))];
        if (before.archived_at !== null) throw new Refusal("flags.archived", "It was taken away. Bring it back first.", {}, 409); // prettier-ignore
        await demandSound(call, flag);
        await put(call, flag, row.version, changesOf(before.flag, flag), row.note);
        await decided(call, id, "approved", reason);
        return { ok: true as const };
      }),
      handle(contract.turn, async (call, { key, environment, isOn, note }) => {
        const { flag, version, archived_at } = await rowOf(call.workspace.id, key);
        if (archived_at !== null) throw new Refusal("flags.archived", "It was taken away. Bring it back first.", {}, 409); // prettier-ignore
        const setting = flag.environments[environment];
        if (setting === undefined) throw new Refusal("flags.not_set_up", `It is not set up in ${environment}.`, {}, 404); // prettier-ignore
        if (setting.isOn === isOn) return { version };
        const next = { ...flag, environments: { ...flag.environments, [environment]: { ...setting, isOn } } };
        await demandReviewed(call, flag, next);
        return { version: await put(call, next, version, changesOf(flag, next), note) };
      }),
      handle(contract.archive, async (call, { key, isArchived, note }) => {
        const { flag, version, archived_at } = await rowOf(call.workspace.id, key);
        if ((archived_at !== null) === isArchived) return { version };
        if (isArchived) await demandUnneeded(call, key);
        else {
          await demandSound(call, flag);
          await demandReviewed(call, undefined, flag);
        }
        return { version: await put(call, flag, version, [isArchived ? "taken away" : "brought back"], note, isArchived) }; // prettier-ignore
      }),
      handle(contract.tryOut, async (call, { environment, targetingKey, attributes, draft, keys }) => {
        if (draft !== undefined) await demandSound(call, draft);
        const book = draft === undefined ? await shelf.book(call.workspace.id, environment) : bookOf([...(await othersOf(call.workspace.id, draft.key)), draft], environment); // prettier-ignore
        const audience = await audiences.of(call.workspace.id, book.cohorts);
        const kept = await assignments.of({ workspace: call.workspace.id, environment }, book, {
          key: targetingKey,
          attributes,
        });
        const context = { key: targetingKey, attributes, isIn: audience(targetingKey, accountIn(attributes)), kept };
        return { flags: (keys ?? book.keys.slice(0, 1_000)).map((key) => evaluated(book.evaluate(key, context, call.now))) }; // prettier-ignore
      }),
    ],
  });
};
