import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dispose, defaults } from "./disposition.ts";
import { compareSchemas } from "./evolution.ts";
import { Odcs, OdcsSchema, schemaOf } from "./odcs.ts";
import { valuesFor } from "./samples.ts";
import { compileSchema, type JsonSchema } from "./schema.ts";

const object = (properties: Record<string, JsonSchema>, more: JsonSchema = {}): JsonSchema => ({
  type: "object",
  properties,
  additionalProperties: false,
  ...more,
});

describe("a compiled contract", () => {
  it("tells the patterns of one schema apart, and runs a hostile one in linear time", () => {
    const both = compileSchema(
      object({ a: { type: "string", pattern: "^x+$" }, b: { type: "string", pattern: "^y+$" } }),
    );
    expect(both({ a: "x", b: "y" })).toEqual([]);
    expect(both({ a: "y", b: "x" }).map(({ path }) => path)).toEqual(["/a", "/b"]);
    const hostile = compileSchema(object({ a: { type: "string", pattern: "^(a+)+$" } }));
    expect(hostile({ a: `${"a".repeat(50_000)}!` })).toHaveLength(1);
  });

  it("refuses what it cannot compile, and says why", () => {
    expect(() => compileSchema({ type: "strnig" })).toThrow(/cannot be compiled/);
    expect(() => compileSchema(object({ a: { pattern: "(?=x)" } }))).toThrow(/cannot be compiled/);
    expect(() => compileSchema(object({ a: { $ref: "#/$defs/none" } }))).toThrow(/cannot be compiled/);
    expect(() => compileSchema({ description: "x".repeat(1_100_000) })).toThrow(/1000000 bytes/);
  });

  it("never shows a value, names the place, and stops at twenty", () => {
    const closed = compileSchema(object({ "a/b": { type: "number" } }));
    const [first] = closed({ "a/b": "secret-value" });
    expect(first).toMatchObject({
      path: "/a~1b",
      rule: "type_mismatch",
      actualType: "string",
      expected: 'type "number"',
    });
    expect(JSON.stringify(closed({ "a/b": "secret-value" }))).not.toContain("secret-value");
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`p${n}`, 1]));
    expect(closed(many)).toHaveLength(20);
    expect(closed(JSON.parse('{"__proto__": 1}')).map(({ path }) => path)).toEqual(["/__proto__"]);
  });
});

describe("a contract in ODCS", () => {
  const contract = {
    apiVersion: "v3.1.0",
    kind: "DataContract",
    id: "orders",
    version: "1.0.0",
    status: "active",
    price: { priceAmount: 1 },
    servers: [{ server: "s", type: "clickhouse", host: "h" }],
    schema: [{ name: "Order", extra: 1, properties: [{ name: "a", logicalType: "string", another: { deep: true } }] }],
  };

  it("keeps what it does not read", () => {
    expect(Odcs.parse(contract)).toEqual(contract);
  });

  it("is closed by a custom property, nested lists and objects included", () => {
    const schema = OdcsSchema.parse({
      name: "Order",
      customProperties: [{ property: "additionalProperties", value: false }],
      properties: [
        { name: "lines", logicalType: "array", items: { logicalType: "object", properties: [{ name: "sku", logicalType: "string", required: true }] } },
        { name: "day", logicalType: "date", logicalTypeOptions: { exclusiveMaximum: "2027-01-01" } },
      ],
    }); // prettier-ignore
    const broken = compileSchema(schemaOf(schema))({ lines: [{ sku: null }, null], day: "2027-01-01", more: 1 });
    expect(broken.map(({ path, keyword }) => `${path} ${keyword}`).toSorted()).toEqual([
      "/day exclusiveMaximum",
      "/lines/0/sku type",
      "/lines/1 type",
      "/more additionalProperties",
    ]);
  });
});

/** Random small schemas, and small changes of them. */
const leaf: fc.Arbitrary<JsonSchema> = fc.oneof(
  fc.record({ type: fc.constantFrom("string", "integer", "number", "boolean") }),
  fc.record({ type: fc.constant("string"), maxLength: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ type: fc.constant("number"), minimum: fc.integer({ min: -1, max: 2 }) }),
  fc.record({ enum: fc.subarray(["x", "y", 1], { minLength: 1 }) }),
  fc.record({ type: fc.constant("array"), items: fc.record({ type: fc.constantFrom("string", "number") }) }),
);
const schema: fc.Arbitrary<JsonSchema> = fc
  .record({ a: leaf, b: leaf, needs: fc.subarray(["a", "b"]), keeps: fc.boolean(), closed: fc.boolean() })
  .map(({ a, b, needs, keeps, closed }) => ({
    type: "object",
    properties: keeps ? { a, b } : { a },
    ...(needs.length === 0 ? {} : { required: keeps ? needs : needs.filter((name) => name === "a") }),
    ...(closed ? { additionalProperties: false } : {}),
  }));

describe("two versions of a contract", () => {
  it("agree with what events show: 1,500 random pairs", () => {
    fc.assert(
      fc.property(schema, schema, (old, now) => {
        const found = compareSchemas(old, now);
        const [before, after] = [compileSchema(old), compileSchema(now)];
        if (found.refusedNow !== undefined) {
          expect(before(found.refusedNow.event)).toEqual([]);
          expect(after(found.refusedNow.event)).not.toEqual([]);
        }
        // a verdict that producers (or readers) break has an event that shows it, and no other has one
        expect(found.refusedNow === undefined, JSON.stringify(found)).toBe(found.backward);
        expect(found.acceptedNow === undefined, JSON.stringify(found)).toBe(found.forward);
        if (!found.backward && !found.changes.every(({ code }) => code === "optional_property_added"))
          expect(found.breaking, JSON.stringify(found.changes)).toBe(
            found.changes.some(({ bump }) => bump === "major"),
          );
      }),
      { numRuns: 1_500 },
    );
  }, 120_000);

  it("show a witness of the last of many properties, and end where references branch without end", () => {
    const wide = (last: JsonSchema): JsonSchema =>
      object(Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`p${n}`, n === 299 ? last : { type: "string", description: `${n}` }]))); // prettier-ignore
    const { refusedNow, backward } = compareSchemas(wide({ type: "number" }), wide({ type: "integer" }));
    expect(backward).toBe(false);
    expect(refusedNow?.event).toMatchObject({ p299: 1.5 });
    const each = Object.fromEntries(Array.from({ length: 4 }, (_, n) => [`b${n}`, { $ref: "#/$defs/tree" }]));
    const tree = (more: Record<string, JsonSchema>): JsonSchema => ({ $ref: "#/$defs/tree", $defs: { tree: object({ ...each, ...more }) } }); // prettier-ignore
    expect(compareSchemas(tree({}), tree({ a: { type: "string" } }))).toMatchObject({ backward: true, forward: false });
  });

  it("find nothing where nothing changed, and follow references", () => {
    const money = { type: "object", required: ["amount"], properties: { amount: { type: "number" } } };
    const held = (amount: JsonSchema) => ({
      $defs: { money: { ...money, properties: { amount } } },
      type: "object",
      properties: { net: { $ref: "#/$defs/money" } },
    });
    expect(compareSchemas(held({ type: "number" }), held({ type: "number" }))).toMatchObject({
      bump: "none",
      changes: [],
    });
    const found = compareSchemas(held({ type: "number" }), held({ type: "integer" }));
    expect(found).toMatchObject({ backward: false, forward: true, breaking: true });
    expect(found.changes.map(({ path, code }) => `${path} ${code}`)).toEqual(["/properties/net/properties/amount/type type_narrowed"]); // prettier-ignore
    expect(valuesFor([{}]).length).toBeGreaterThan(5);
  });
});

describe("what becomes of an event", () => {
  it("never costs it by default, whatever rules it broke", () => {
    for (const rule of [
      "required_missing",
      "type_mismatch",
      "unplanned_property",
      "constraint",
      "unplanned_event",
    ] as const)
      expect(dispose(defaults, { violations: [rule] })).toMatchObject({ action: "forward", annotated: true });
  });

  it("is the strictest of what was chosen, and consent comes before contracts", () => {
    const settings = { ...defaults, violation: "block", unplannedProperty: "omit" } as const;
    const both = ["unplanned_property", "constraint"] as const;
    expect(dispose(settings, { violations: both }).action).toBe("block");
    expect(dispose(settings, { violations: ["unplanned_property"], paths: ["/x"] })).toMatchObject({
      action: "omit",
      omitted: ["/x"],
    });
    expect(dispose(settings, { violations: both, consent: { analytics: false } })).toMatchObject({
      action: "drop",
      storesPayload: false,
    });
    expect(dispose(defaults, { consent: null, region: "EU" }).action).toBe("drop");
    expect(dispose(defaults, { consent: null, region: "US" }).action).toBe("forward");
    expect(dispose({ ...defaults, absentConsent: "allow" }, { consent: null, region: "EU" }).action).toBe("forward");
  });
});
