import { z } from "zod";
import type { Engine } from "#kernel/engine/engine.ts";
import { U64Map } from "#kernel/u64-map.ts";
import { identifiedActors, lastUserOfEach, parentOfEach } from "./relation.ts";

/**
 * Who an id belongs to.
 * first_link: the first user that an anonymous id is seen with has it, past and future.
 * last_user: besides, later anonymous events of a device go to the user who was last seen on it.
 */
export type IdentityPolicy = "first_link" | "last_user";

/** One decision about identity, as it is logged. Keys are decimal text. */
export interface IdentityChange {
  readonly kind: "link" | "merge" | "unlink" | "refused";
  readonly actor: string;
  readonly parent: string;
}

/** An id whose person changed. */
export interface Override {
  readonly actor: string;
  readonly person: string;
}

/**
 * The forest of known ids of one workspace, in memory: each id has at most one parent, and stands for a person where
 * it has none. An anonymous id joins the first identified id it is seen with; an identified id never joins another
 * but by an admin's merge.
 */
export interface IdentityForest {
  person(actor: string): string;
  isIdentified(actor: string): boolean;
  identify(actor: string): void;
  /** An anonymous id was seen with a user. Nothing changes where the rule forbids it. */
  link(anonymous: string, user: string): { change: IdentityChange | undefined; overrides: readonly Override[] };
  /** An admin says that two persons are one. */
  merge(actor: string, into: string): { change: IdentityChange; overrides: readonly Override[] };
  /** Undoes a link or merge: the id, and what had joined it, stand alone again. */
  unlink(actor: string): { change: IdentityChange | undefined; overrides: readonly Override[] };
  lastUser(device: string): string | undefined;
  sawUser(device: string, user: string): boolean;
  /** Ids joined to this one directly. */
  members(person: string): readonly string[];
}

const emptyForest = () => {
  const parents = new U64Map();
  const identified = new U64Map();
  const lastUsers = new U64Map();
  const children = new Map<string, Set<string>>();

  const root = (actor: string): string => {
    let at = BigInt(actor);
    for (let parent = parents.get(at); parent !== undefined && parent !== at; parent = parents.get(at)) at = parent;
    return String(at);
  };
  const parentOf = (actor: string): string | undefined => {
    const parent = parents.get(BigInt(actor));
    return parent === undefined || String(parent) === actor ? undefined : String(parent);
  };
  const setParent = (actor: string, parent: string): void => {
    const before = parentOf(actor);
    if (before !== undefined) children.get(before)?.delete(actor);
    parents.set(BigInt(actor), BigInt(parent));
    if (parent === actor) return;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, new Set([actor]));
    else siblings.add(actor);
  };
  const subtree = (actor: string): string[] => [actor, ...[...(children.get(actor) ?? [])].flatMap(subtree)];
  const overridesBelow = (actor: string): Override[] => {
    const person = root(actor);
    return subtree(actor).map((id) => ({ actor: id, person }));
  };
  return { parents, identified, lastUsers, children, root, parentOf, setParent, subtree, overridesBelow };
};

const unchanged = { change: undefined, overrides: [] } as const;

/** Rebuilds the forest from the log of the workspace's database. */
export const loadForest = async (engine: Engine): Promise<IdentityForest> => {
  const forest = emptyForest();
  const { identified, lastUsers, children, root, parentOf, setParent, overridesBelow } = forest;

  const edge = z.object({ actor: z.string(), parent: z.string() });
  const user = z.object({ actor: z.string() });
  const options = { purpose: "maintain" } as const;
  const edges = await engine.rows(parentOfEach, edge, options);
  for (const { actor, parent } of edges) if (actor !== parent) setParent(actor, parent);
  const users = await engine.rows(identifiedActors, user, options);
  for (const { actor } of users) identified.set(BigInt(actor), 1n);
  const devices = await engine.rows(lastUserOfEach, edge, options);
  for (const { actor, parent } of devices) lastUsers.set(BigInt(actor), BigInt(parent));

  return {
    person: root,
    isIdentified: (actor) => identified.has(BigInt(actor)),
    identify: (actor) => identified.set(BigInt(actor), 1n),
    link: (anonymous, user) => {
      if (anonymous === user || parentOf(anonymous) !== undefined) return unchanged;
      if (identified.has(BigInt(anonymous))) {
        return { change: { kind: "refused", actor: anonymous, parent: user }, overrides: [] };
      }
      if (root(user) === anonymous) return unchanged;
      setParent(anonymous, user);
      return { change: { kind: "link", actor: anonymous, parent: user }, overrides: overridesBelow(anonymous) };
    },
    merge: (actor, into) => {
      const top = root(actor);
      const target = root(into);
      if (top !== target) setParent(top, target);
      return { change: { kind: "merge", actor: top, parent: target }, overrides: overridesBelow(top) };
    },
    unlink: (actor) => {
      if (parentOf(actor) === undefined) return unchanged;
      setParent(actor, actor);
      return { change: { kind: "unlink", actor, parent: actor }, overrides: overridesBelow(actor) };
    },
    lastUser: (device) => {
      const user = lastUsers.get(BigInt(device));
      return user === undefined ? undefined : String(user);
    },
    sawUser: (device, user) => {
      if (lastUsers.get(BigInt(device)) === BigInt(user)) return false;
      lastUsers.set(BigInt(device), BigInt(user));
      return true;
    },
    members: (person) => [...(children.get(person) ?? [])],
  };
};
