import { fork, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";

/** Where an engine can be reached, and how it is doing. */
export interface EngineProcess {
  readonly url: string;
  readonly password: string;
  /** Times the host came back after a crash. */
  readonly restarts: number;
  readonly up: boolean;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

interface HostOptions {
  readonly path: string;
  /** Upper bound of the engine's own memory, in bytes. */
  readonly memoryBytes: number;
  /** Queries that may run at once. */
  readonly readers: number;
  readonly log: Logger;
}

const isSource = import.meta.url.endsWith(".ts");
const hostFile = fileURLToPath(new URL(isSource ? "./host.ts" : "./engine-host.js", import.meta.url));

const spawn = (options: HostOptions, secret: string, port: number): ChildProcess =>
  fork(hostFile, [], {
    execArgv: isSource ? ["--import", "tsx"] : [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: {
      // freed memory is kept for the next query for half a minute: handed back at once, it is faulted in again page by page
      JE_MALLOC_CONF: "dirty_decay_ms:30000,muzzy_decay_ms:30000",
      ...process.env,
      // libuv reads this once, at start: each running query holds a thread
      UV_THREADPOOL_SIZE: String(options.readers + 8),
      THROUGHLINE_ENGINE_PATH: options.path,
      THROUGHLINE_ENGINE_SECRET: secret,
      THROUGHLINE_ENGINE_MEMORY: String(options.memoryBytes),
      THROUGHLINE_ENGINE_READERS: String(options.readers),
      THROUGHLINE_ENGINE_PORT: String(port),
    },
  });

const listening = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once("message", (message: { port: number }) => resolve(message.port));
    child.once("exit", (code, signal) => reject(new Error(`the engine host ended while starting (${code ?? signal})`)));
    child.once("error", reject);
  });

/** Starts the engine host and keeps it running: a crash is logged and the host comes back on the same port. */
export const launchEngine = async (options: HostOptions): Promise<EngineProcess> => {
  mkdirSync(options.path, { recursive: true });
  const secret = randomBytes(24).toString("base64url");
  let child = spawn(options, secret, 0);
  const port = await listening(child);
  const state = { up: true, stopping: false, restarts: 0 };

  const revive = async (): Promise<void> => {
    for (let pause = 100; !state.stopping; pause = Math.min(pause * 2, 5_000)) {
      child = spawn(options, secret, port);
      try {
        await listening(child);
        watch();
        Object.assign(state, { up: true, restarts: state.restarts + 1 });
        return;
      } catch (error) {
        options.log.error({ err: error }, "the engine host did not come back; trying again");
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  };
  const watch = (): void => {
    child.once("exit", (code, signal) => {
      state.up = false;
      if (state.stopping) return;
      options.log.error({ code, signal }, "the engine host ended; restarting it");
      void revive();
    });
  };
  watch();

  return {
    url: `http://127.0.0.1:${port}`,
    password: secret,
    get restarts() {
      return state.restarts;
    },
    get up() {
      return state.up;
    },
    get pid() {
      return child.pid;
    },
    stop: async () => {
      state.stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
};
