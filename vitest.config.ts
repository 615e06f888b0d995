import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // chdb does not survive worker threads, and each file opens an engine of its own
    pool: "forks",
    maxWorkers: 2,
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 180_000,
    hookTimeout: 60_000,
    // what comes by itself may be late on a busy machine
    expect: { poll: { timeout: 20_000 } },
    reporters: ["default", ["json", { outputFile: ".cache/vitest.json" }]],
  },
});
