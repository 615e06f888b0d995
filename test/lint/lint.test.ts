import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, describe, expect, it } from "vitest";

const planted: string[] = [];
afterEach(() => planted.splice(0).forEach((file) => rmSync(file, { force: true, recursive: true })));

const lint = (file: string, source: string): { status: number | null; stdout: string } => {
  const folder = dirname(file);
  planted.push(folder.endsWith("planted") ? folder : file);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, source);
  return spawnSync("npx", ["oxlint", file], { encoding: "utf8" });
};

describe("the linter", () => {
  it.each([
    ["src/kernel/planted.ts", "#insights/trends/index.ts", "imports point downward only"],
    ["src/records/people/planted.ts", "../../surfaces/dashboards/index.ts", "imports point downward only"],
    ["src/records/sources/planted/contract.ts", "node:fs", "A contract runs in browsers"],
    ["src/records/sources/planted/contract.ts", "#kernel/engine/engine.ts", "A contract runs in browsers"],
    ["src/records/people/ui/planted.tsx", "#kernel/sql.ts", "Pages run in browsers"],
    ["src/records/people/ui/planted.tsx", "#records/people/query.ts", "Pages run in browsers"],
    ["src/surfaces/explore/ui/planted.tsx", "#surfaces/dashboards/index.ts", "Pages run in browsers"],
  ])("refuses in %s an import of %s", (file, target, why) => {
    const { status, stdout } = lint(file, `import * as wrong from "${target}";\nexport const planted = wrong;\n`);
    expect(stdout).toContain(why);
    expect(status).not.toBe(0);
  });

  it("lets a page import a contract and the web room", () => {
    const source = `import { list } from "#records/sources/contract.ts";\nimport { call } from "#web/call.ts";\nexport const planted = [list, call];\n`;
    expect(lint("src/records/people/ui/planted.tsx", source)).toMatchObject({ status: 0 });
  });
});
