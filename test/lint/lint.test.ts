import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";

const planted = "src/kernel/planted-violation.ts";
afterAll(() => rmSync(planted, { force: true }));

describe("the linter", () => {
  it("refuses an import that points upward", () => {
    mkdirSync("src/kernel", { recursive: true });
    writeFileSync(planted, 'import { trends } from "#insights/trends/index.ts";\nexport const wrong = trends;\n');
    const { status, stdout } = spawnSync("npx", ["oxlint", planted], { encoding: "utf8" });
    expect(status).not.toBe(0);
    expect(stdout).toContain("imports point downward only");
  });
});
