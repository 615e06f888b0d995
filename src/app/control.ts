import { randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { Refusal } from "#kernel/refusal.ts";
import { backup, Manifest } from "./backup.ts";
import type { System } from "./system.ts";

/** How the command line reaches a server that runs on the same data folder: whoever can read the folder may. */
const Control = z.object({ url: z.string(), token: z.string() });

const fileIn = (folder: string): string => join(folder, "control.json");

/** Lets the command line have things done by the running server. */
export const mountControl = (http: FastifyInstance, system: System): { announce(url: string): void; end(): void } => {
  const token = randomBytes(24).toString("base64url");
  const isKnown = (given: string | undefined): boolean => {
    const [a, b] = [Buffer.from(given ?? ""), Buffer.from(`Control ${token}`)];
    return a.length === b.length && timingSafeEqual(a, b);
  };
  http.post<{ Body: { folder?: unknown } | null }>("/control/backup", async (request) => {
    if (!isKnown(request.headers.authorization)) throw new Refusal("access.not_allowed", "Not allowed.", {}, 403);
    const folder = request.body?.folder;
    if (typeof folder !== "string") throw new Refusal("input.invalid", "folder: the folder to write to.");
    return backup(system, folder);
  });
  return {
    announce: (url) => writeFileSync(fileIn(system.config.data), JSON.stringify({ url, token }), { mode: 0o600 }),
    end: () => rmSync(fileIn(system.config.data), { force: true }),
  };
};

/** What the server that runs on a data folder says of itself; undefined where none runs. */
export const serverOn = async (data: string): Promise<{ url: string; state: unknown } | undefined> => {
  if (!existsSync(fileIn(data))) return undefined;
  const { url } = Control.parse(JSON.parse(readFileSync(fileIn(data), "utf8")));
  const answer = await fetch(`${url}/readyz`).catch(() => undefined);
  return answer === undefined ? undefined : { url, state: await answer.json() };
};

/** Asks the server that runs on a data folder for a backup; undefined where none runs. */
export const backupByServer = async (data: string, folder: string): Promise<Manifest | undefined> => {
  if (!existsSync(fileIn(data))) return undefined;
  const { url, token } = Control.parse(JSON.parse(readFileSync(fileIn(data), "utf8")));
  const headers = { authorization: `Control ${token}`, "content-type": "application/json" };
  const response = await fetch(`${url}/control/backup`, {
    method: "POST",
    headers,
    body: JSON.stringify({ folder }),
  }).catch(() => undefined);
  if (response === undefined) return undefined; // it was killed and left its file behind
  const answer = (await response.json().catch(() => ({}))) as { error?: { code: string; message: string } };
  const manifest = Manifest.safeParse(answer);
  if (manifest.success) return manifest.data;
  if (answer.error === undefined) return undefined; // something else answers where the server was
  throw new Refusal(answer.error.code, answer.error.message);
};
