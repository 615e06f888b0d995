import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { createHttp, mountOperations } from "#kernel/http.ts";
import { Refusal } from "#kernel/refusal.ts";
import { mountControl } from "./control.ts";
import { mountHealth } from "./health.ts";
import type { System } from "./system.ts";
import { mountWeb } from "./web.ts";

export interface RunningServer {
  readonly http: FastifyInstance;
  readonly port: number;
  readonly url: string;
}

/** Puts the system on a port: operations, the modules' own routes, health, and the web app. */
export const listen = async (system: System): Promise<RunningServer> => {
  const { config, access, log } = system;
  const http = createHttp({
    access,
    log,
    trustProxy: config.trust_proxy,
    overTls: config.public_url?.startsWith("https:") === true,
  });
  mountOperations(http, access, system.dispatch);
  mountHealth(http, system);
  for (const module of system.modules) await module.routes?.(http);
  const control = mountControl(http, system);
  http.addHook("onClose", async () => control.end());
  await mountWeb(http);
  await http.listen({ host: config.host, port: config.port }).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
    throw new Refusal(
      "server.port_taken",
      `Port ${config.port} is in use. Stop what uses it, or choose another with THROUGHLINE_PORT.`,
    );
  });
  const { port } = http.server.address() as AddressInfo; // a TCP server's address is never text
  const shown = config.host === "0.0.0.0" || config.host === "127.0.0.1" ? "localhost" : config.host;
  const reached = { "0.0.0.0": "127.0.0.1", "::": "[::1]" }[config.host] ?? config.host;
  control.announce(`http://${reached}:${port}`);
  return { http, port, url: config.public_url ?? `http://${shown}:${port}` };
};
