import type { z } from "zod";
import type { Operation } from "#kernel/operation.ts";

/** What the server says of a request that it refused: a sentence for people, and a code. */
export class CallError extends Error {
  readonly code: string;
  readonly status: number;
  constructor(message: string, code: string, status: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

let workspace: string | undefined;

/** All further calls are about this workspace. */
export const chooseWorkspace = (id: string | undefined): void => {
  workspace = id;
};

interface Refused {
  readonly error?: { readonly message?: string; readonly code?: string };
}

/** Asks an operation and gives the answer as it comes, for those whose answer is a stream. */
export const open = async (operation: Operation, input: unknown, signal?: AbortSignal): Promise<Response> => {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (workspace !== undefined) headers["x-throughline-workspace"] = workspace;
  const response = await fetch(`/api/${operation.name}`, {
    method: "POST",
    headers,
    body: JSON.stringify(input),
    signal: signal ?? null,
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new CallError("The server cannot be reached. Check that it is running, then try again.", "network", 0);
  });
  if (response.ok) return response;
  const { error } = (await response.json().catch(() => ({}))) as Refused;
  throw new CallError(error?.message ?? "The server gave no reason.", error?.code ?? "unknown", response.status);
};

/** Asks an operation of the server; input and output types come from its contract. */
export const call = async <I extends z.ZodType, O extends z.ZodType>(
  operation: Operation<I, O>,
  input: z.input<I>,
  signal?: AbortSignal,
): Promise<z.output<O>> => {
  const response = await open(operation, input, signal);
  return (await response.json()) as z.output<O>; // the server has parsed it by the same contract
};
