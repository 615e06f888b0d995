import { openSystem } from "#app/system.ts";
import { readConfig } from "#kernel/config.ts";
import { createWorkspace } from "#programs/workspaces/create.ts";
import { lineOf } from "#records/events/envelope.ts";
import { keysOf } from "#records/people/keys.ts";

const prose =
  "The customer asked about the delivery date and whether the chair can be returned within thirty days of it. ";

/** An event of about 1 KB, of the properties that shops send. */
const eventOf = (n: number) => ({
  name: "Order Completed",
  userId: `person ${n % 5_000}`,
  messageId: `m${n}`,
  at: Date.now(),
  consent: { analytics: true, marketing: n % 2 === 0 },
  properties: {
    order: `ord-${n}`,
    total: 19.99 * (n % 50),
    currency: ["USD", "EUR", "GBP"][n % 3],
    page: `/pricing/teams?ref=header&n=${n % 40}`,
    title: "Pricing for teams and companies",
    referrer: "https://www.google.com/",
    agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    visit: `018f3c5e-7b1a-7c3d-9e2f-${String(n).padStart(12, "0")}`,
    items: Array.from({ length: 4 }, (_, at) => ({ sku: `SKU-${at}-${n % 900}`, quantity: at + 1, price: 4.5 * at })),
    note: prose.repeat(3),
  },
});

const contract = JSON.stringify({
  apiVersion: "v3.1.0",
  kind: "DataContract",
  id: "orders",
  version: "1.0.0",
  status: "active",
  schema: [
    {
      name: "Order Completed",
      customProperties: [{ property: "additionalProperties", value: false }],
      properties: [
        { name: "order", logicalType: "string", required: true, logicalTypeOptions: { pattern: "^ord-[0-9]+$" } },
        { name: "total", logicalType: "number", required: true, logicalTypeOptions: { minimum: 0 } },
        { name: "currency", logicalType: "string", quality: [{ metric: "invalidValues", mustBe: 0, arguments: { validValues: ["USD", "EUR", "GBP"] } }] },
        ...["page", "title", "referrer", "agent", "visit", "note"].map((name) => ({ name, logicalType: "string" })),
        { name: "items", logicalType: "array", items: { logicalType: "object", properties: [{ name: "sku", logicalType: "string", required: true }, { name: "quantity", logicalType: "integer" }, { name: "price", logicalType: "number" }] } },
      ],
    },
  ],
}); // prettier-ignore

/** What contracts, the search for personal data, consent and a list of 1,000 erased people cost each event at the door, on one core, beside the rest of its way to the journal. */
export const benchGate = async (folder: string): Promise<void> => {
  const system = await openSystem(readConfig({}, { data: folder, log_level: "error" }));
  const member = await system.access.createMember("bench@example.com", "Bench", "a long password");
  const named = { name: "Bench", zone: "UTC", weekStart: "monday" } as const;
  const workspace = await createWorkspace(system.store, named, member, Date.now());
  const session = await system.access.signIn("bench@example.com", "a long password");
  const principal = await system.access.fromSession(session);
  await system.dispatch({ operation: "contracts.save", input: { document: contract }, principal, workspace });
  const settings = { purposes: ["analytics"], optOut: ["analytics"] };
  await system.dispatch({ operation: "contracts.setSettings", input: { settings }, principal, workspace });
  const source = { id: "s", workspace, product: "", identity: "first_link" } as const;
  const at = new Date().toISOString();
  for (let n = 0; n < 10; n += 1)
    await system.store
      .insertInto("suppressions")
      .values(Array.from({ length: 100 }, (_, m) => ({ workspace, actor: String(n * 100 + m + 1), at })))
      .execute();
  const { judge, isSuppressed } = await system.gate.judgeOf(source);
  const keys = keysOf("x");
  const events = Array.from({ length: 20_000 }, (_, n) => eventOf(n));
  const bytes = events.reduce((sum, event) => sum + JSON.stringify(event.properties).length, 0) / events.length;
  const each = (work: (event: (typeof events)[number]) => unknown): number => {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round += 1) {
      const began = performance.now();
      for (const event of events) work(event);
      best = Math.min(best, ((performance.now() - began) / events.length) * 1_000);
    }
    return best;
  };
  const faulty = events.filter((event) => judge(event).breaches.length > 0).length;
  const without = each((event) => lineOf(event, source, keys, Date.now()));
  const gate = each((event) => isSuppressed(event) || judge(event));
  console.log(`events of ${Math.round(bytes)} bytes, ${faulty} of ${events.length} with something found`);
  console.log(`to the journal without the gate ${without.toFixed(1)} µs an event; the gate ${gate.toFixed(1)} µs more (${(gate / without).toFixed(1)} times)`); // prettier-ignore
  await system.close();
};
