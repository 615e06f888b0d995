import type { FastifyInstance, FastifyReply } from "fastify";
import type { Logger } from "pino";
import type { z } from "zod";
import type { Principal } from "./access.ts";
import type { Veil } from "./classes.ts";
import type { Role } from "./roles.ts";
import type { Engine } from "./engine/engine.ts";
import type { Operation } from "./operation.ts";
import type { Sql } from "./sql.ts";

/** One workspace as every operation sees it. */
export interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly database: string;
  readonly secret: string;
  /** IANA zone and first day of the week that insights take when they name none. */
  readonly zone: string;
  readonly weekStart: "monday" | "sunday";
  readonly isDemo: boolean;
  /** Members must have proven themselves by more than a password. */
  readonly demandsSecondFactor: boolean;
  /** Where its data has to stay; empty for anywhere. */
  readonly region: string;
}

/** What an operation may use: who asks, in which workspace, and that workspace's part of the store alone. */
export interface Call {
  readonly principal: Principal;
  readonly now: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** For the few operations that set cookies or stream; undefined when called from the command line or a tool. */
  readonly reply?: FastifyReply | undefined;
}

export interface WorkspaceCall extends Call {
  readonly workspace: Workspace;
  readonly role: Role;
  /** What is hidden from whoever asks. */
  readonly veil: Veil;
  readonly engine: Engine;
}

type CallFor<O extends Operation> = O["permission"] extends "public" | "member" ? Call : WorkspaceCall;

/** An operation with the code that answers it. */
export interface Handler {
  readonly operation: Operation;
  /** `input` has passed the operation's schema; the caller has the operation's permission. */
  run(call: Call | WorkspaceCall, input: unknown): Promise<unknown>;
}

/** Asks a question on behalf of the program, as a reader of the workspace, such as for a report by mail. */
export type AnswerTo = <I extends z.ZodType, O extends z.ZodType>(
  call: WorkspaceCall,
  operation: Operation<I, O>,
  input: unknown,
) => Promise<z.output<O>>;

/** Joins a contract with its code; input and output types follow from the contract. */
export const handle = <I extends z.ZodType, O extends z.ZodType, const P extends Operation["permission"]>(
  operation: Operation<I, O> & { readonly permission: P },
  run: (call: CallFor<Operation & { permission: P }>, input: z.output<I>) => Promise<z.input<O>>,
): Handler => ({
  operation,
  run: (call, input) => run(call as CallFor<Operation & { permission: P }>, input as z.output<I>), // checked by dispatch
});

/** What every column of a table holds, and who may see it. */
export interface ColumnDoc {
  readonly type: string;
  readonly meaning: string;
  readonly class: "public" | "internal" | "personal" | "restricted";
}

/**
 * Where a table speaks of people: nowhere; in columns that hold their keys; in a text in which their ids are looked
 * for; or in values of which some came from them.
 */
export type AboutPeople =
  "nobody" | { readonly keys: readonly [string, ...string[]] } | { readonly text: string } | { readonly value: string };

/** A table, view or dictionary of a workspace's database, with the statement that makes it. */
export interface TableDoc {
  readonly name: string;
  readonly grain: string;
  readonly columns: Readonly<Record<string, ColumnDoc>>;
  /** How rows are found that are about a person, to give them out or to erase them. */
  readonly people: AboutPeople;
  /** It is made from other tables as they are written; backups leave it out. */
  readonly derived?: true;
  /** Idempotent statements, run in order when the workspace is opened. `database` is the workspace's own. */
  readonly create: (database: Sql) => readonly Sql[];
}

/** Work that is done now and then in every workspace. */
export interface Job {
  readonly name: string;
  readonly everyMs: number;
  run(call: WorkspaceCall): Promise<void>;
}

/** Something that people made, and where it is found. */
export interface Use {
  readonly kind:
    "metric" | "cohort" | "dashboard" | "query" | "contract" | "source" | "model" | "flag" | "experiment" | "watch";
  readonly id: string;
  readonly title: string;
  readonly address: string;
}

/** The same as the catalog lists it: whose it is, and what it is made from. */
export interface Asset extends Use {
  readonly owner: string;
  readonly description: string;
  /** ISO 8601, in UTC. */
  readonly updatedAt: string;
  /** In which events, properties, metrics and cohorts are named as in all questions; undefined where nothing is. */
  readonly definition?: unknown;
  /** Such as draft or active, where it has states. */
  readonly state?: string;
  /** Names of events that it lays down. */
  readonly about?: readonly string[];
  /** Ids of sources that it was made from as a whole. */
  readonly reads?: readonly string[];
}

/** What something may use: a metric by its key, a cohort by its id, an event by its name, a property of one or of any. */
export type Used =
  | { readonly kind: "metric" | "cohort" | "event"; readonly id: string }
  | { readonly kind: "property"; readonly id: string; readonly event?: string | undefined };

/** Something of the program that decides or writes by rules, a model or a language model. */
export interface AiUse {
  readonly id: string;
  readonly name: string;
  readonly kind: "rules" | "model" | "llm";
  readonly version: string;
  readonly purpose: string;
  readonly risk: "minimal" | "limited" | "high";
  /** Who can look at, correct and stop what it does, and how. */
  readonly oversight: string;
  /** Whether it is off until it was released in the workspace. */
  readonly needsRelease: boolean;
}

/** One folder of the program. What it declares, others loop over; no shared code names a module. */
export interface Module {
  readonly name: string;
  readonly operations?: readonly Handler[];
  readonly jobs?: readonly Job[];
  readonly aiUses?: readonly AiUse[];
  /** What people made of it in a workspace. */
  readonly assets?: (call: WorkspaceCall) => Promise<readonly Asset[]>;
  /** Addresses that are not operations: the wire formats of vendors, streams, downloads. */
  readonly routes?: (server: FastifyInstance) => void | Promise<void>;
}

export const defineModule = (module: Module): Module => module;
