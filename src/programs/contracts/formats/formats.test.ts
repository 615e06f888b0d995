import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { yamlOf } from "../yaml.ts";
import { planFormats, type PlanFormat } from "../contract.ts";
import { readContract } from "../document.ts";
import { OdcsSchema, schemaOf, subjectOf, type Odcs } from "../odcs.ts";
import { compileSchema } from "../schema.ts";
import { readCsv, writeCsv } from "./csv.ts";
import { readPlan, writePlan } from "./index.ts";
import { fromJsonSchema, toJsonSchema } from "./json-schema.ts";
import { contractsOf } from "./plan.ts";

/** What a contract is after it has been written to a file and read again. */
const reread = (schema: OdcsSchema): OdcsSchema => OdcsSchema.parse(parse(yamlOf(schema)));

const { schema: anySchema } = fc.letrec<{ schema: Record<string, unknown> }>((tie) => {
  const words = fc.constantFrom("plan", "amount", "email", "a b", "$lib", "x/y", "constructor", "");
  const notes = fc.record({ title: fc.string({ maxLength: 5 }), description: fc.string({ maxLength: 5 }), deprecated: fc.boolean(), examples: fc.array(fc.integer(), { maxLength: 2 }), default: fc.constantFrom(null, 1, "x"), "x-unit": fc.constantFrom("EUR", "s"), "x-classification": fc.constantFrom("personal", "public") }, { requiredKeys: [] }); // prettier-ignore
  const limits = fc.record({ minLength: fc.nat(5), maxLength: fc.integer({ min: 5, max: 9 }), minimum: fc.integer(), exclusiveMaximum: fc.integer(), multipleOf: fc.constantFrom(0.01, 2), minItems: fc.nat(2), uniqueItems: fc.boolean(), pattern: fc.constantFrom("^a+$", "[0-9]"), format: fc.constantFrom("email", "date", "date-time", "time", "uuid") }, { requiredKeys: [] }); // prettier-ignore
  const plain = fc.constantFrom("string", "number", "integer", "boolean", "object", "array");
  const type = fc.oneof(plain, fc.tuple(plain, fc.constant("null")), fc.constant(["string", "integer"]), fc.constant(["null"])); // prettier-ignore
  const values = fc.uniqueArray(fc.constantFrom("a", "b", 1, true, null), { minLength: 1 });
  const parts = fc.record({ type, enum: values, const: fc.constantFrom(null, 1, "a"), items: tie("schema"), properties: fc.dictionary(words, tie("schema"), { maxKeys: 3 }), required: fc.uniqueArray(words, { maxLength: 2 }), additionalProperties: fc.oneof(fc.boolean(), tie("schema")), anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }), not: tie("schema") }, { requiredKeys: [] }); // prettier-ignore
  const schema = fc.tuple(notes, limits, parts).map(([a, b, c]): Record<string, unknown> => ({ ...a, ...b, ...c }));
  return { schema: fc.oneof({ depthSize: "small", maxDepth: 4 }, fc.record({ type }), schema) as fc.Arbitrary<Record<string, unknown>> }; // prettier-ignore
});
const anyRoot = anySchema.map((schema): Record<string, unknown> => ({ ...schema, type: "object" }));
const runs = Number(process.env["STREAMS"] ?? 300);
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, key === "required" && Array.isArray(one) ? one.map(String).toSorted() : sorted(one)]); // prettier-ignore
  return Object.fromEntries(entries);
};

describe("JSON Schema", () => {
  it("becomes a contract and comes back without loss of a rule, by way of a file", () => {
    fc.assert(
      fc.property(anyRoot, (schema) => {
        expect(sorted(toJsonSchema(reread(fromJsonSchema("E", schema))))).toEqual(sorted(schema));
      }),
      { numRuns: runs },
    );
  });

  it("refuses at the door what the schema refuses, and nothing else", () => {
    fc.assert(
      fc.property(anyRoot, fc.object({ key: fc.constantFrom("plan", "amount", "email"), maxDepth: 2 }), (schema, event) => {
        const draft = { $schema: "https://json-schema.org/draft/2020-12/schema", ...schema };
        const [direct, by] = [compileSchema(draft)(event), compileSchema(schemaOf(reread(fromJsonSchema("E", schema))))(event)];
        expect(by.map(({ path, keyword }) => `${path} ${keyword}`).toSorted()).toEqual(direct.map(({ path, keyword }) => `${path} ${keyword}`).toSorted());
      }),
      { numRuns: runs },
    ); // prettier-ignore
  });

  it("is said in the words of ODCS where there are some", () => {
    const schema = fromJsonSchema("Order", { type: "object", required: ["total"], additionalProperties: false, properties: { total: { type: "number", minimum: 0, "x-unit": "EUR" }, plan: { type: ["string", "null"], enum: ["free", "pro", null] }, at: { type: "string", format: "date-time" }, tags: { type: "array", items: { type: "string" } } } }); // prettier-ignore
    expect(JSON.stringify(schema)).not.toContain("jsonSchema");
    expect(schema.properties).toMatchObject([
      { name: "total", logicalType: "number", required: true, logicalTypeOptions: { minimum: 0 } },
      { name: "plan", logicalType: "string", quality: [{ arguments: { validValues: ["free", "pro"] } }] },
      { name: "at", logicalType: "timestamp" },
      { name: "tags", logicalType: "array", items: { logicalType: "string" } },
    ]);
  });
});

const draft07 = { $schema: "http://json-schema.org/draft-07/schema#" };
const order = { type: "object", required: ["total"], properties: { total: { type: "number", minimum: 0, description: "In euros." }, plan: { type: ["string", "null"], enum: ["free", "pro", null] }, "$weird/name": { type: "string", pattern: "^[A-Z]+$" }, lines: { type: "array", minItems: 1, items: { type: "object", properties: { sku: { type: "string" }, size: { $ref: "#/definitions/size" } }, required: ["sku"] } } }, patternProperties: { "^x_": { type: "string" } }, if: { required: ["plan"], properties: { plan: { const: "pro" } } }, ...(JSON.parse('{"then":{"required":["seats"]}}') as object) }; // prettier-ignore
const call = { ...draft07, type: "object", definitions: { size: { enum: ["s", "m"] } }, properties: { context: {}, properties: order, traits: {} }, required: ["properties"], labels: { team: "shop" } }; // prettier-ignore
const people = { ...draft07, type: "object", properties: { traits: { type: "object", properties: { plan: { type: "string" } } } } }; // prettier-ignore

const segmentRules = { data: { trackingPlan: { id: "tp_1", name: "Shop", type: "LIVE" }, rules: [{ type: "TRACK", key: "Order Completed", version: 1, jsonSchema: call, createdAt: "2024-01-01" }, { type: "TRACK", key: "Order Completed", version: 2, jsonSchema: { ...call, properties: { properties: { ...order, required: ["total", "plan"] } } } }, { type: "IDENTIFY", version: 1, jsonSchema: people }, { type: "GROUP", version: 1, jsonSchema: people }, { type: "COMMON", version: 1, jsonSchema: { type: "object" } }] } }; // prettier-ignore
const segmentEvents = { name: "workspaces/a/tracking-plans/b", display_name: "Shop", create_time: "2024", rules: { global: { type: "object" }, identify_traits: [], group_traits: [], events: [{ name: "Order Completed", description: "Paid.", version: 3, rules: call, labels: { a: "b" } }, { name: "Nothing", version: 1, rules: { ...draft07, type: "object" } }], identify: people, group: people } }; // prettier-ignore
const rudder = { name: "Shop", version: "4", creationType: "api", config: { a: 1 }, events: [{ id: "ev_1", name: "Order Completed", description: "Paid.", eventType: "track", categoryId: null, rules: { ...draft07, type: "object", definitions: call.definitions, required: ["properties"], properties: { properties: { ...order, additionalProperties: false } } } }, { id: "ev_2", name: "", eventType: "identify", identitySection: "context.traits", rules: { type: "object", properties: { context: { type: "object", properties: { traits: { type: "object", properties: { plan: { type: "string" } } } } } } } }, { id: "ev_3", name: "Home", eventType: "page", rules: { type: "object" } }] }; // prettier-ignore
const iglu = { $schema: "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#", description: "A click.", self: { vendor: "com.acme", name: "ad_click", format: "jsonschema", version: "1-0-2" }, type: "object", properties: { cost: { type: ["number", "null"], minimum: 0, exclusiveMinimum: true, maximum: 9 }, id: { type: "string", maxLength: 36 } }, required: ["id"], additionalProperties: false }; // prettier-ignore
const titled = { $schema: "https://json-schema.org/draft/2020-12/schema", $id: "https://acme.example/order.json", title: "Order Completed", type: "object", properties: { total: { type: "number" } }, unevaluatedProperties: false }; // prettier-ignore

describe("plans of others", () => {
  const plans: readonly (readonly [string, PlanFormat, unknown, number])[] = [
    ["Segment's Public API", "segment", segmentRules, 4],
    ["Segment's rules alone", "segment", { rules: segmentRules.data.rules }, 4],
    ["Segment's Config API", "segment", segmentEvents, 4],
    ["RudderStack", "rudderstack", rudder, 2],
    ["an Iglu schema", "iglu", iglu, 1],
    ["a list of Iglu schemas", "iglu", [iglu], 1],
    ["a JSON Schema", "json-schema", titled, 1],
  ];
  it.each(plans)("come back word for word: %s", (_, format, given, count) => {
    const read = readPlan(JSON.stringify(given));
    expect(read.format).toBe(format);
    expect(read.plan.faults).toEqual([]);
    expect(read.plan.contracts.length).toBe(count);
    const files = read.plan.contracts.map((contract) => readContract(yamlOf(contract)));
    expect(sorted(JSON.parse(writePlan(format, files)))).toEqual(sorted(given));
  });

  it("hold events against what they say", () => {
    for (const given of [segmentRules, segmentEvents, rudder]) {
      const { contracts, notes } = readPlan(JSON.stringify(given)).plan;
      expect(notes.length).toBeGreaterThan(0);
      const schema = contracts[0]!.schema[0]!;
      const broken = (event: object) => compileSchema(schemaOf(schema))(event).map(({ path, keyword }) => `${path} ${keyword}`); // prettier-ignore
      expect(broken({ total: 1, lines: [{ sku: "a", size: "m" }] })).toEqual([]);
      expect(broken({ total: -1, plan: "gold", lines: [{ size: "xl" }], "$weird/name": "a" }).toSorted()).toEqual(["/$weird~1name pattern", "/lines/0/size enum", "/lines/0/sku required", "/plan enum", "/total minimum"]); // prettier-ignore
      expect(broken({ total: 1, plan: "pro" })).toEqual(["/seats required"]);
    }
    const [person] = readPlan(JSON.stringify(rudder)).plan.contracts.filter(({ schema }) => subjectOf(schema[0]!) === "person"); // prettier-ignore
    expect(person?.schema[0]?.properties).toMatchObject([{ name: "plan", logicalType: "string" }]);
    const ad = readPlan(JSON.stringify(iglu)).plan.contracts[0]!;
    expect(ad.version).toBe("1.0.2");
    expect(compileSchema(schemaOf(ad.schema[0]!))({ id: "a", cost: 0 })).toMatchObject([{ keyword: "exclusiveMinimum" }]); // prettier-ignore
  });

  it("can be tables, of many makers, which lose no rule on the way through any format", () => {
    const csv = [
      "\ufeffEvent name,Event description,Property name,Property type,Presence,Allowed values,Property description,Destinations",
      'Order Completed,"Paid, at last",,,,,,Ads',
      "Order Completed,,total,float,Always sent,,In euros.,",
      'Order Completed,,plan,string,Sometimes sent,"free|pro",,',
      "Order Completed,,lines[].sku,string,yes,,,",
      "Order Completed,,lines[].n,int,no,,,",
      "Order Completed,,address.city,string,no,,,",
      "Order Completed,,tags,list of strings,no,,,",
      'Order Completed,,code,string,no,"/^[A-Z]{2}$/",,',
      "Signed Up,,at,datetime,Always sent,,,",
      "Odd,,x,colour,no,,,",
    ].join("\n");
    const { format, plan } = readPlan(csv);
    expect(format).toBe("csv");
    expect(plan.faults).toEqual([{ rule: "Odd", message: expect.stringMatching(/^Row 11: x has the type colour/) }]);
    expect(plan.notes[0]).toContain("Destinations");
    const wanted = { type: "object", required: ["total"], properties: { total: { type: "number", description: "In euros." }, plan: { type: "string", enum: ["free", "pro"] }, lines: { type: "array", items: { type: "object", required: ["sku"], properties: { sku: { type: "string" }, n: { type: "integer" } } } }, address: { type: "object", properties: { city: { type: "string" } } }, tags: { type: "array", items: { type: "string" } }, code: { type: "string", pattern: "^[A-Z]{2}$" } } }; // prettier-ignore
    const schemas = (contracts: readonly Odcs[]) => contracts.map(({ schema }) => sorted(toJsonSchema(schema[0]!)));
    expect(schemas(plan.contracts)[0]).toEqual(wanted);
    expect(plan.contracts[0]?.schema[0]?.description).toBe("Paid, at last");
    for (const through of planFormats) {
      const written = writePlan(through, plan.contracts);
      if (through === "csv") expect(written).toContain("Ads");
      const back = readPlan(written, through).plan.contracts.map((contract) => contract.schema[0]!);
      const strip = (schema: Record<string, unknown>) =>
        Object.fromEntries(
          Object.entries(schema).filter(([keyword]) => !["title", "description", "$schema"].includes(keyword)),
        );
      expect(back.map((schema) => strip(sorted(toJsonSchema(schema)) as Record<string, unknown>)), through).toEqual(schemas(plan.contracts)); // prettier-ignore
    }
  });

  it("lose no rule as a table, whatever the schema", () => {
    fc.assert(
      fc.property(anyRoot, (schema) => {
        const contracts = contractsOf("csv", "", {}, [{ of: "event", name: "=E,\n\"x\"", version: "1.2.3", schema, rest: {} }]); // prettier-ignore
        const back = readCsv(writeCsv(contracts));
        expect(back.faults).toEqual([]);
        expect(sorted(toJsonSchema(back.contracts[0]!.schema[0]!))).toEqual(sorted(schema));
        expect(back.contracts[0]).toMatchObject({ name: '=E,\n"x"', version: "1.2.3" });
      }),
      { numRuns: runs },
    );
  });

  it("say what is wrong with them", () => {
    expect(() => readPlan("{")).toThrow(/no JSON/);
    expect(() => readPlan('{"a":1}')).toThrow(/nothing in it looks like one/);
    expect(() => readPlan(JSON.stringify(iglu), "segment")).toThrow(/no plan of segment/);
    expect(() => readPlan("a,b\n1,2")).toThrow(/No column names the event/);
    expect(() => readPlan("[".repeat(100_000) + "]".repeat(100_000))).toThrow(/100 deep|no JSON/);
    expect(readPlan(`event,property,type\nE,${"a.".repeat(5_000)}b,string`).plan.faults).toMatchObject([{ message: expect.stringMatching(/nested deeper/) }]); // prettier-ignore
    const unsafe = { title: "E", type: "object", properties: { a: { type: "string", pattern: "(?=x)" } } };
    expect(readPlan(JSON.stringify(unsafe)).plan).toMatchObject({ contracts: [], faults: [{ rule: "E" }] });
  });
});
