import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import pino from "pino";
import { connectEngine, type EngineServer } from "#kernel/engine/engine.ts";
import { launchEngine, type EngineProcess } from "#kernel/engine/launch.ts";

export interface TestEngine {
  server: EngineServer;
  process: EngineProcess | undefined;
  folder: string;
}

/** An engine for one test file: the embedded one, or the server named by THROUGHLINE_CLICKHOUSE_URL when given. */
export const useEngine = (): TestEngine => {
  const held = {} as TestEngine;
  beforeAll(async () => {
    held.folder = mkdtempSync(join(tmpdir(), "throughline-test-"));
    const url = process.env["THROUGHLINE_CLICKHOUSE_URL"];
    const log = pino({ level: "silent" });
    if (url === undefined) {
      held.process = await launchEngine({ path: join(held.folder, "engine"), memoryBytes: 2e9, readers: 4, log });
    }
    const username = process.env["THROUGHLINE_CLICKHOUSE_USER"] ?? "default";
    const password = held.process?.password ?? process.env["THROUGHLINE_CLICKHOUSE_PASSWORD"] ?? "";
    held.server = connectEngine({ url: held.process?.url ?? url ?? "", username, password });
  });
  afterAll(async () => {
    await held.server?.close();
    await held.process?.stop();
    rmSync(held.folder, { recursive: true, force: true });
  });
  return held;
};
