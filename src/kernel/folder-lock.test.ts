import { fork } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { lockFolder } from "./folder-lock.ts";

const folder = mkdtempSync(join(tmpdir(), "throughline-lock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("gives a data folder to one process, and to the next when that one is killed", async () => {
  const program = join(folder, "holder.ts");
  const lock = fileURLToPath(new URL("folder-lock.ts", import.meta.url));
  writeFileSync(
    program,
    `import { lockFolder } from ${JSON.stringify(lock)};
     void lockFolder(process.argv[2]!).then(() => { process.send!("held"); setInterval(() => undefined, 1000); });`,
  );
  const execArgv = ["--import", import.meta.resolve("tsx")];
  const holder = fork(program, [join(folder, "data")], { execArgv });
  await new Promise((resolve) => holder.once("message", resolve));
  await expect(lockFolder(join(folder, "data"))).rejects.toMatchObject({ code: "data.in_use" });
  holder.kill("SIGKILL");
  const taken = await lockFolder(join(folder, "data"));
  taken.release();
}, 30_000);
