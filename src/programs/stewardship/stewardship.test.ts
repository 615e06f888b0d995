import { describe, expect, it } from "vitest";
import { useWorld } from "#test/world.ts";
import type { Finding, Task } from "./contract.ts";
import { findingsIn } from "./findings.ts";

const of = (name: string, values: readonly string[]) => ({ kind: "property" as const, name, values });

describe("what looks personal", () => {
  it("is told by most of the values, or by whole words of the name, and says why", () => {
    const mails = Array.from({ length: 20 }, (_, n) => `kim${n}@example.com`);
    const found = findingsIn([
      of("contact", [...mails, "none"]),
      of("plan", ["free", "pro"]),
      of("comment", ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "write to kim@example.com"]),
      of("home_address", ["1 Main Street"]),
      of("email_verified", ["yes", "no"]),
      of("addressable", ["x"]),
      of("hasPhone", ["maybe"]),
      of("gender", ["true", "false"]),
    ]);
    expect(found.map(({ name, type, hits, looked }) => [name, type, hits, looked])).toEqual([
      ["contact", "EMAIL_ADDRESS", 20, 21],
      ["home_address", "FIELD_NAME", 0, 1],
    ]);
  });
});

describe("a steward", () => {
  const world = useWorld();
  const findings = async () => (await world.ask<{ findings: Finding[] }>("stewardship.findings", {})).findings;
  const done = async () =>
    (await world.ask<{ tasks: Task[] }>("stewardship.home", {})).tasks.filter(({ isDone }) => isDone).map(({ title }) => title); // prettier-ignore

  it("finds what is stored, classes it or says that it is none, and is not asked again", async () => {
    const source = await world.system.registry.byKey((await world.source("api")).writeKey);
    await world.system.ingest.accept(
      source,
      Array.from({ length: 30 }, (_, n) => ({
        name: "Signed up",
        userId: `u${n}`,
        properties: { street: `${n} Main Street` },
        personTraits: [{ op: "set" as const, traits: { email: `u${n}@example.com`, plan: "pro" } }],
        account: "acme",
        accountTraits: [{ op: "set" as const, traits: { phone: "+49 30 901820" } }],
      })),
    );
    await world.settled();
    // values for completions are noted a moment after their events
    await expect.poll(() => world.ask("stewardship.scan", {}), { timeout: 10_000 }).toMatchObject({ found: 3 });
    expect((await findings()).map(({ kind, name, type }) => `${kind} ${name} ${type}`)).toEqual([
      "person_trait email EMAIL_ADDRESS",
      "account_trait phone PHONE_NUMBER",
      "property street FIELD_NAME",
    ]);
    expect(JSON.stringify(await findings())).not.toContain("example.com");
    await world.ask("stewardship.classify", { kind: "person_trait", id: "email", class: "personal" });
    await world.ask("stewardship.dismiss", { kind: "property", name: "street", type: "FIELD_NAME" });
    expect(await world.ask("stewardship.scan", {})).toMatchObject({ found: 1 });
    expect((await findings()).map(({ name }) => name)).toEqual(["phone"]);
    // what an earlier detector found is asked again
    await world.system.store.updateTable("findings").set({ detector: "field-name/0" }).where("name", "=", "street").execute(); // prettier-ignore
    await world.ask("stewardship.scan", {});
    expect((await findings()).map(({ name }) => name)).toEqual(["phone", "street"]);
  });

  it("sees the plan tick itself off by how the workspace stands", async () => {
    expect(await done()).toEqual([
      "Data arrives",
      "Personal data is masked at the door",
      "What is stored was searched for personal data",
    ]);
    const document = "apiVersion: v3.1.0\nkind: DataContract\nid: s\nversion: 1.0.0\nstatus: active\nschema: [{ name: Signed up, properties: [] }]\n"; // prettier-ignore
    await world.ask("contracts.save", { document });
    await world.ask("stewardship.describe", { kind: "event", id: "Signed up", owner: "growth", description: "" });
    await world.ask("stewardship.classify", { kind: "account_trait", id: "phone", class: "personal" });
    await world.ask("stewardship.dismiss", { kind: "property", name: "street", type: "FIELD_NAME" });
    expect(await done()).toEqual([
      "Data arrives",
      "Personal data is masked at the door",
      "One event is agreed on",
      "What is stored was searched for personal data",
      "Half of all events are under contract",
      "What looks personal is classed or judged",
      "Half of all events have an owner",
      "Nine of ten events are under contract",
      "Nine of ten events have an owner",
      "Nothing breaks and nothing is held",
    ]);
    // a draft that comes after it takes nothing away
    await world.ask("contracts.save", { document: document.replace("1.0.0", "1.1.0").replace("active", "draft") });
    expect(await done()).toContain("Nine of ten events are under contract");
    await world.ask("contracts.setSettings", { source: "", settings: { pii: "forward" } });
    expect(await done()).not.toContain("Personal data is masked at the door");
  });

  it("follows lineage both ways, and gives it out as OpenLineage that names every asset", async () => {
    const measure = { kind: "unique", event: "Signed up" };
    await world.ask("metrics.define", { definition: { key: "signups", name: "Sign-ups", measure } });
    const item = await world.ask<{ nodes: { kind: string; id: string; step: number }[]; edges: object[] }>("stewardship.item", { kind: "metric", id: "signups" }); // prettier-ignore
    const steps = item.nodes.map(({ kind, step }) => `${kind} ${step}`);
    expect(steps).toEqual(expect.arrayContaining(["metric 0", "event -1", "source -2", "contract -2"]));
    const { key } = await world.ask<{ key: string }>("workspaces.createKey", { name: "k", role: "viewer" });
    const response = await fetch(`${world.url}/api/stewardship.openLineage`, { method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" }, body: "{}" }); // prettier-ignore
    const lines = (await response.text()).trim().split("\n").map((line) => JSON.parse(line) as Record<string, never>); // prettier-ignore
    for (const line of lines) {
      expect(line).toMatchObject({ eventTime: expect.any(String) as string, producer: expect.any(String) as string, schemaURL: expect.stringContaining("2-0-2") as string }); // prettier-ignore
      expect("job" in line || "dataset" in line).toBe(true);
    }
    const metric = lines.find(({ job }) => (job as { name?: string } | undefined)?.name === "metric/signups");
    expect(metric).toMatchObject({ inputs: [{ name: "event/Signed up" }], outputs: [{ name: "metric/signups" }] });
    const event = lines.find(({ dataset }) => (dataset as { name?: string } | undefined)?.name === "event/Signed up");
    expect(JSON.stringify(event)).toContain('"name":"street"');
  });
});
