import { fork, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

/** A server in processes of its own, which drills kill. */

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

/** Starts on what a folder holds. */
export const serve = (folder: string, port: number): ChildProcess => {
  const env = {
    ...process.env,
    THROUGHLINE_DATA: folder,
    THROUGHLINE_PORT: String(port),
    THROUGHLINE_LOG_LEVEL: "silent",
    THROUGHLINE_ENGINE_MEMORY: "2gb",
  };
  const program = fileURLToPath(new URL("../../src/app/main.ts", import.meta.url));
  return fork(program, ["serve"], { execArgv: ["--import", "tsx"], env, stdio: "ignore" });
};

/** The process and its engine host, as the kernel lists them. */
const pidsOf = (pid: number): number[] => {
  try {
    return [pid, ...readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number)]; // prettier-ignore
  } catch {
    return [pid];
  }
};

/** SIGKILL of both, in either order. */
export const killBoth = ({ pid }: ChildProcess): void => {
  const pids = pidsOf(pid ?? 0);
  for (const one of Math.random() < 0.5 ? pids : pids.reverse()) {
    try {
      process.kill(one, "SIGKILL");
    } catch {
      // gone already
    }
  }
};
