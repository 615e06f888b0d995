import { createHash } from "node:crypto";
import type { Logger } from "pino";
import type { FastifyReply } from "fastify";
import type { Access, Principal } from "./access.ts";
import type { Veil } from "./classes.ts";
import { allows, type Role } from "./roles.ts";
import type { Audit } from "./audit/audit.ts";
import type { Clock } from "./clock.ts";
import type { Engine } from "./engine/engine.ts";
import type { Handler, Module, Workspace } from "./module.ts";
import { Refusal } from "./refusal.ts";

/** Finds a workspace and its part of the store. */
export interface WorkspaceDirectory {
  find(id: string): Promise<{ readonly workspace: Workspace; readonly engine: Engine } | undefined>;
}

export interface Request {
  readonly operation: string;
  readonly input: unknown;
  readonly principal: Principal;
  /** The workspace a member chose; a key always means its own. */
  readonly workspace?: string | undefined;
  readonly signal?: AbortSignal;
  readonly reply?: FastifyReply;
}

/** The one way to have an operation done, whoever asks: permission, input, code, output. */
export type Dispatch = (request: Request) => Promise<unknown>;

interface Parts {
  readonly modules: readonly Module[];
  readonly access: Access;
  readonly directory: WorkspaceDirectory;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where this server stands. */
  readonly region: string;
}

const index = (modules: readonly Module[]): ReadonlyMap<string, Handler> => {
  const handlers = new Map<string, Handler>();
  for (const handler of modules.flatMap((module) => module.operations ?? [])) {
    const { name } = handler.operation;
    if (handlers.has(name)) throw new Error(`two operations are named ${name}`);
    handlers.set(name, handler);
  }
  return handlers;
};

/** No question nests deeper; schemas that hold themselves would exhaust the stack on one that does. */
const deepestInput = 60;

/** Walks level by level, with no stack of its own. */
const isTooDeep = (input: unknown): boolean => {
  let level: unknown[] = [input];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepestInput) return true;
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
  }
  return false;
};

const parseInput = (handler: Handler, input: unknown): unknown => {
  if (isTooDeep(input)) throw new Refusal("input.too_deep", `The input nests deeper than ${deepestInput} levels.`);
  const parsed = handler.operation.input.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, 20).map((issue) => ({ at: issue.path.join("."), what: issue.message }));
  const first = faults[0];
  const where = first?.at === "" ? "the input" : (first?.at ?? "the input");
  throw new Refusal("input.invalid", `${where}: ${(first?.what ?? "not valid").replace(/\.$/, "")}.`, { faults });
};

/** Nothing for operations that are about no workspace. */
interface Admitted {
  readonly workspace?: Workspace;
  readonly engine?: Engine;
  readonly role?: Role;
  readonly veil?: Veil;
}

const notHere = (): Refusal =>
  new Refusal("access.no_workspace", "There is no such workspace, or you are not a member of it.", {}, 404);

const hourMs = 3_600_000;
const mostRemembered = 10_000;

/** Does something once an hour for each key: a screen that asks the same every minute is one look. */
const onceAnHour = (clock: Clock) => {
  const done = new Map<string, number>();
  return {
    once: async (key: string, work: () => Promise<void>): Promise<void> => {
      const hash = createHash("sha256").update(key).digest("base64");
      if (clock.now() - (done.get(hash) ?? Number.NEGATIVE_INFINITY) < hourMs) return;
      await work();
      if (done.size >= mostRemembered) done.clear();
      done.set(hash, clock.now());
    },
  };
};

export const createDispatch = ({ modules, access, directory, audit, clock, log, region }: Parts): Dispatch => {
  const handlers = index(modules);

  const admit = async (request: Request, handler: Handler): Promise<Admitted> => {
    const { permission } = handler.operation;
    if (permission === "public") return {};
    const { principal } = request;
    if (principal.kind === "nobody") {
      throw new Refusal("access.sign_in", "Sign in, or send an API key as a bearer token.", {}, 401);
    }
    if (permission === "member") return {};
    const id = principal.kind === "key" ? principal.workspace : request.workspace;
    if (id === undefined) throw new Refusal("access.which_workspace", "Say which workspace this is for.", {}, 400);
    if (principal.kind === "key" && request.workspace !== undefined && request.workspace !== id) throw notHere();
    const asker = await access.askerIn(principal, id);
    const role = asker?.role;
    const found = asker === undefined ? undefined : await directory.find(id);
    if (asker === undefined || role === undefined || found === undefined) throw notHere();
    if (found.workspace.region !== "" && found.workspace.region !== region)
      throw new Refusal("access.region", `This workspace is pinned to ${found.workspace.region}, and this server stands elsewhere.`, {}, 403); // prettier-ignore
    if (found.workspace.demandsSecondFactor && principal.kind === "member" && principal.isStrong !== true)
      throw new Refusal("access.second_factor", "This workspace asks for a second factor. Set one up under Settings, Your sign-in.", {}, 403); // prettier-ignore
    if (!allows(role, permission)) {
      await audit.append(id, { principal, action: handler.operation.name, decision: "deny", reason: "access.not_allowed" }); // prettier-ignore
      throw new Refusal(
        "access.not_allowed",
        `This needs the permission to ${permission}; the role here is ${role}.`,
        {},
        403,
      );
    }
    return { ...found, role, veil: await access.veilFor(asker, found.workspace) };
  };

  const looks = onceAnHour(clock);

  return async (request) => {
    const handler = handlers.get(request.operation);
    if (handler === undefined) {
      throw new Refusal("operation.unknown", `There is no operation ${request.operation}.`, {}, 404);
    }
    const admitted = await admit(request, handler);
    const input = parseInput(handler, request.input);
    const { principal, reply } = request;
    const signal = request.signal ?? new AbortController().signal;
    const call = { principal, signal, log, reply, now: clock.now(), ...admitted };
    const { permission, name: action, onlyLooks, discloses } = handler.operation;
    const id = admitted.workspace?.id;
    const isNoted = id !== undefined && (discloses === true || (permission !== "read" && onlyLooks !== true));
    if (!isNoted) return handler.operation.output.parse(await handler.run(call, input));
    // written down before it is done: what cannot be written down is not done
    const note = () => audit.append(id, { principal, action, decision: "allow", detail: input });
    if (permission === "read") await looks.once(JSON.stringify([id, principal, action, input]), note);
    else await note();
    try {
      return handler.operation.output.parse(await handler.run(call, input));
    } catch (error) {
      const reason = error instanceof Refusal ? error.code : "internal";
      await audit.append(id, { principal, action, decision: "failed", reason });
      throw error;
    }
  };
};
