import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { convert } from "./convert.ts";

const folder = mkdtempSync(join(tmpdir(), "throughline-convert-"));
const said: string[] = [];
const say = { log: (text: string) => said.push(text), error: (text: string) => said.push(text) };

describe("convert", () => {
  it("turns a plan into contracts in files, and those into a plan of another format", () => {
    const plan = join(folder, "plan.csv");
    writeFileSync(plan, "Event Name,Property Name,Property Type,Required\nOrder Completed,total,number,true\nSigned Up,plan,string,false\n"); // prettier-ignore
    const out = join(folder, "contracts");
    convert({ path: plan, out }, say);
    expect(readdirSync(out).toSorted()).toEqual(["order-completed.yaml", "signed-up.yaml"]);
    expect(readFileSync(join(out, "order-completed.yaml"), "utf8")).toContain("logicalType: number");
    const file = join(folder, "plan.json");
    convert({ path: out, to: "segment", out: file }, say);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({
      rules: [{ type: "TRACK", key: "Order Completed", jsonSchema: { properties: { properties: { required: ["total"] } } } }, { key: "Signed Up" }],
    }); // prettier-ignore
    expect(() => convert({ path: plan, out }, say)).toThrow(/is there already/);
    expect(() => convert({ path: plan, format: "avo" }, say)).toThrow(/no format avo/);
    expect(() => convert({ path: join(folder, "none.csv") }, say)).toThrow(/no file/);
  });

  it("writes what can be read, and says what cannot", () => {
    const plan = join(folder, "odd.csv");
    writeFileSync(plan, "event,property,type\nGood,a,string\nOdd,b,colour\n");
    said.length = 0;
    expect(() => convert({ path: plan }, say)).toThrow(/1 rules could not be taken over/);
    expect(said.join("\n")).toMatch(/Odd: Row 3: b has the type colour/);
    expect(said.join("\n")).toContain("name: Good");
  });
});
