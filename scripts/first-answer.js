// How long a new user waits: from `npm start` on an empty data folder to the first answer of the demo workspace, and
// until all of its history is there. Prints one line each.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "throughline-first-"));
const port = await new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port: free } = server.address();
    server.close(() => resolve(free));
  });
});
const url = `http://127.0.0.1:${port}`;
const began = performance.now();
const say = (what) => console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${what}`);
const env = { ...process.env, THROUGHLINE_DATA: folder, THROUGHLINE_PORT: String(port), THROUGHLINE_LOG_LEVEL: "warn" };
const server = spawn("npm", ["start"], { env, stdio: ["ignore", "ignore", "inherit"], detached: true });

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (work) => {
  for (;;) {
    const answer = await work().catch(() => undefined);
    if (answer) return answer;
    await pause(100);
  }
};
let cookie = "";
let workspace = "";
const ask = async (operation, input) => {
  const headers = { "content-type": "application/json", cookie, "x-throughline-workspace": workspace };
  const response = await fetch(`${url}/api/${operation}`, { method: "POST", headers, body: JSON.stringify(input) });
  if (!response.ok) throw new Error(`${operation}: ${await response.text()}`);
  cookie = response.headers.get("set-cookie")?.split(";")[0] ?? cookie;
  return response.json();
};

try {
  await until(async () => (await fetch(`${url}/readyz`)).ok);
  say("ready");
  await ask("workspaces.setUp", {
    name: "Ana",
    email: "ana@example.com",
    password: "a long password",
    workspace: "Acme",
  });
  ({ workspace } = await ask("demo.create", {}));
  say("demo workspace added");
  const series = [{ event: "Signed up", measure: "unique" }];
  const range = { last: 600, unit: "day" };
  const first = await until(async () => {
    const answer = await ask("trends.ask", { series, range, display: "total" });
    return answer.lines[0]?.total > 0 && answer.sentence;
  });
  say(`first answer: ${first}`);
  await until(async () => (await ask("demo.status", {})).complete);
  const whole = await ask("trends.ask", { series, range, display: "total" });
  say(`all of it: ${whole.sentence}`);
} finally {
  if (server.pid !== undefined) process.kill(-server.pid, "SIGTERM");
  await pause(2_000);
  rmSync(folder, { recursive: true, force: true });
}
