import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { afterAll, describe, expect, it } from "vitest";
import { codeFrom } from "./codegen.ts";

const folder = mkdtempSync(join(tmpdir(), "throughline-codegen-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hostile = `x*/ process.exit(7) /* "\`\${1}\u2028`;
const contract = (id: string, version: string, schema: object[], status = "active"): string => stringify({ kind: "DataContract", apiVersion: "v3.1.0", id, version, status, schema }); // prettier-ignore
const closed = (values: unknown[]) => [{ metric: "invalidValues", mustBe: 0, arguments: { validValues: values } }];
const order = (more: object[] = []) => ({
  name: "Order Completed",
  description: hostile,
  properties: [
    { name: "total", logicalType: "number", required: true },
    { name: "currency", logicalType: "string", quality: closed(["EUR", "USD"]) },
    { name: "items", logicalType: "array", items: { logicalType: "object", properties: [{ name: "sku", logicalType: "string", required: true }] } },
    { name: hostile, logicalType: "boolean", description: hostile },
    ...more,
  ],
}); // prettier-ignore

/** What the compiler says of code that uses what was written. */
const compiled = (use: string): string => {
  writeFileSync(join(folder, "use.ts"), use);
  try {
    execFileSync("npx", ["tsc", "--ignoreConfig", "--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--allowImportingTsExtensions", "--types", "", join(folder, "use.ts")], { encoding: "utf8" }); // prettier-ignore
    return "";
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
};

describe("code from contracts", () => {
  it("compiles, takes what its contract takes and nothing else, whatever a contract is named", () => {
    writeFileSync(join(folder, "a.yaml"), `${contract("orders", "1.9.0", [order()])}---\n${contract("orders", "1.10.0", [order([{ name: "new", logicalType: "integer" }])])}`);
    writeFileSync(join(folder, "b.yaml"), contract("strange", "1.0.0", [{ name: hostile }, { name: "1 ½" }, { name: "order completed" }, { name: "Ünïcode", properties: [{ name: "any" }] }]));
    writeFileSync(join(folder, "c.yaml"), contract("gone", "1.0.0", [{ name: "Gone" }], "retired"));
    const code = codeFrom(folder);
    writeFileSync(join(folder, "events.ts"), code);
    expect(code).not.toContain("Gone");
    const use = (call: string) => compiled(`import { senders } from "./events.ts";\nconst to = senders((event, properties) => [event, properties]);\n${call}\n`);
    expect(use(`to.sendOrderCompleted({ total: 1, currency: "EUR", items: [{ sku: "a" }], new: 2 }); to.sendOrderCompleted2({}); to.sendUnicode({ any: 1 });`)).toBe("");
    expect(use(`to.sendOrderCompleted({ total: 1 });`)).toBe("");
    expect(use(`to.sendOrderCompleted({});`)).toContain("'total' is missing");
    expect(use(`to.sendOrderCompleted({ total: 1, currency: "GBP" });`)).toContain('"GBP"');
    expect(use(`to.sendOrderCompleted({ total: 1, totl: 2 });`)).toContain("totl");
    expect(use(`to.sendOrderCompleted({ total: 1, items: [{}] });`)).toContain("'sku' is missing");
  }, 120_000); // prettier-ignore

  it("says what it cannot write, and where", () => {
    writeFileSync(join(folder, "d.yaml"), contract("twin", "1.0.0", [{ name: "Order Completed" }]));
    expect(() => codeFrom(folder)).toThrow(/Order Completed is in two contracts/);
    writeFileSync(join(folder, "d.yaml"), "kind: DataContract\nid: x\n");
    expect(() => codeFrom(folder)).toThrow(/d\.yaml:1: .*version/);
    writeFileSync(join(folder, "d.yaml"), "kind: Metric\n");
    expect(() => codeFrom(join(folder, "d.yaml"))).toThrow(/no contract/);
  });
});
