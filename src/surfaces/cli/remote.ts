import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { Refusal } from "#kernel/refusal.ts";

export interface Remote {
  readonly url: string;
  /** An API key of the workspace. */
  readonly key: string;
}

const asked = async ({ url, key }: Remote, operation: string, input: unknown): Promise<Response> => {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  const body = JSON.stringify(input);
  const response = await fetch(`${url}/api/${operation}`, { method: "POST", headers, body }).catch(() => {
    throw new Refusal("cli.unreachable", `No server answers at ${url}. Start it, or name it with --url.`);
  });
  if (response.ok) return response;
  const answer = (await response.json().catch(() => ({}))) as { error?: { message?: string } };
  throw new Refusal("cli.refused", answer.error?.message ?? `The server answered ${response.status}.`);
};

/** Asks an operation of a running server: the same questions as the pages ask. */
export const askRemote = async (remote: Remote, operation: string, input: string): Promise<unknown> => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(input);
  } catch {
    throw new Refusal("cli.input", `The input is no JSON: ${input.slice(0, 80)}.`);
  }
  return (await asked(remote, operation, parsed)).json();
};

/** Writes an export to a file, or to standard output where none is named. */
export const exportTo = async (
  remote: Remote,
  what: string,
  input: unknown,
  file: string | undefined,
): Promise<void> => {
  const { body } = await asked(remote, `exports.${what}`, input);
  if (body === null) return;
  const out = file === undefined ? process.stdout : createWriteStream(file);
  await pipeline(Readable.fromWeb(body as ReadableStream), out, { end: file !== undefined });
};
