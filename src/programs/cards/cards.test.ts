import { describe, expect, it } from "vitest";
import { useWorld } from "#test/world.ts";
import { datasetFields, modelFields, type Check, type Use } from "./contract.ts";

const world = useWorld();
const filled = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, `About ${name}.\n# not a heading | nor a cell`])); // prettier-ignore

describe("the register of AI uses", () => {
  it("releases a version when card, data, evaluation, bias, personal data, oversight and reviewer are right, and not before", async () => {
    const source = await world.source("api");
    await world.system.ingest.accept(await world.system.registry.byKey(source.writeKey), [
      { name: "Paid", userId: "ana", messageId: "1", at: Date.parse("2026-03-01T10:00:00Z") },
      { name: "Seen", userId: "bo", messageId: "2", at: Date.parse("2026-03-02T10:00:00Z") },
    ]);
    await world.settled();
    const { uses } = await world.ask<{ uses: Use[] }>("cards.uses", {});
    expect(uses).toMatchObject([{ id: "detectors", kind: "rules", isBuiltIn: true, needsRelease: false }, { id: "cx-score", kind: "model", isBuiltIn: true }, { id: "cx-judge", kind: "llm", isBuiltIn: true }, { id: "voices", kind: "rules", isBuiltIn: true }]); // prettier-ignore

    const use = { name: "Answer bot", kind: "llm", version: "1", purpose: "Answers.", risk: "limited", prompt: "Write to ana@example.com", trainedOn: [source.id, "nowhere"] }; // prettier-ignore
    const { id } = await world.ask<{ id: string }>("cards.register", use);
    const gate = async () => (await world.ask<{ checks: Check[] }>("cards.gate", { use: id })).checks;
    const failing = async () => (await gate()).filter(({ passed }) => !passed).map(({ name, says }) => `${name}: ${says}`); // prettier-ignore
    const first = await failing();
    expect(first.map((one) => one.slice(0, one.indexOf(":")))).toEqual(["Card", "Data", "Evaluation", "Bias", "Personal data", "Oversight"]); // prettier-ignore
    expect(first.join("\n")).toMatch(/The card lacks description[\s\S]*no data set nowhere[\s\S]*was not measured[\s\S]*EMAIL_ADDRESS[\s\S]*has no owner/); // prettier-ignore

    await world.ask("cards.register", { ...use, id, prompt: "Be kind.", trainedOn: [source.id], owner: "Ana", oversight: "Ana reads all and can stop it." }); // prettier-ignore
    await expect(world.ask("cards.write", { kind: "model", id, fields: { other: "x" } })).rejects.toThrow(/has no field other/); // prettier-ignore
    await world.ask("cards.write", { kind: "model", id, fields: filled(modelFields) });
    expect(await world.ask("cards.write", { kind: "dataset", id: source.id, fields: filled(datasetFields.slice(1)) })).toEqual({ missing: ["description"] }); // prettier-ignore
    await world.ask("cards.write", { kind: "dataset", id: source.id, fields: { description: "All of it." } });
    const group = (name: string, positive: number) => ({ group: name, truePositive: positive, falsePositive: 10, falseNegative: 10, trueNegative: 100 - positive }); // prettier-ignore
    const measured = (accuracy: number, other: number) => ({ set: "golden 3", metrics: [{ name: "accuracy", value: accuracy, atLeast: 0.9 }], groups: [{ attribute: "language", decisions: [group("en", 50), group("de", other)] }] }); // prettier-ignore
    await world.ask("cards.evaluate", { use: id, version: "1", evaluation: measured(0.8, 10) });
    expect(await failing()).toEqual([
      "Evaluation: Accuracy is 0.8, where at least 0.9 is wanted.",
      expect.stringMatching(/^Bias: Language: the least selected group is selected 0\.33 times/),
    ]);
    await world.ask("cards.evaluate", { use: id, version: "1", evaluation: measured(0.95, 48) });
    expect(await failing()).toEqual([]);

    // it stands in the catalog, with what it was made from
    const { items } = await world.ask<{ items: { kind: string; id: string; owner: string }[] }>("stewardship.catalog", { kind: "model" }); // prettier-ignore
    expect(items.find((item) => item.id === id)).toMatchObject({ kind: "model", owner: "Ana" });
    const { edges } = await world.ask<{ edges: object[] }>("stewardship.item", { kind: "model", id });
    expect(edges).toContainEqual({ from: `source ${source.id}`, to: `model ${id}` });

    // who registered and measured it does not release it
    await expect(world.ask("cards.release", { use: id })).rejects.toThrow(/Who registered it cannot release it; who measured it/); // prettier-ignore
    const { key } = await world.ask<{ key: string }>("workspaces.createKey", { name: "ci", role: "steward" });
    const byKey = await fetch(`${world.url}/api/cards.release`, { method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${key}` }, body: JSON.stringify({ use: id }) }); // prettier-ignore
    expect(byKey.status).toBe(403);
    await world.ask("workspaces.addMember", { email: "bo@example.com", name: "Bo", role: "steward", password: "another horse" }); // prettier-ignore
    const principal = await world.system.access.fromSession(await world.system.access.signIn("bo@example.com", "another horse")); // prettier-ignore
    const asBo = (operation: string, input: unknown) => world.system.dispatch({ operation, input, principal, workspace: world.workspace }); // prettier-ignore
    expect(await asBo("cards.release", { use: id })).toEqual({ version: "1" });
    const stands = async () => (await world.ask<{ uses: Use[] }>("cards.uses", {})).uses.find((one) => one.id === id)?.released; // prettier-ignore
    expect(await stands()).toBe("1");
    // a new version is not released by that, and one that is prohibited never is
    await world.ask("cards.register", { ...use, id, version: "2", prompt: "", trainedOn: [], owner: "Ana", oversight: "x", risk: "prohibited" }); // prettier-ignore
    expect(await failing()).toEqual([expect.stringMatching(/^Risk/), expect.stringMatching(/Version 2 was not measured/), expect.stringMatching(/^Bias/)]); // prettier-ignore
    await expect(asBo("cards.release", { use: id })).rejects.toThrow(/never released/);
    await world.ask("cards.withdraw", { use: id });
    expect(await stands()).toBeNull();
  }, 60_000);

  it("writes cards from what the system knows, in which nobody's text can pass for ours", async () => {
    const workspace = await world.newWorkspace();
    const ask = <T>(operation: string, input: object) => world.ask<T>(operation, input, workspace);
    const source = await world.source("api", workspace);
    await world.system.ingest.accept(await world.system.registry.byKey(source.writeKey), [{ name: "Paid", userId: "ana", messageId: "1", at: Date.parse("2026-03-01T10:00:00Z") }]); // prettier-ignore
    await world.settled();
    await ask("consent.setPurpose", { purpose: "analytics", basis: "consent" });
    await ask("cards.write", { kind: "dataset", id: source.id, fields: { description: "All.\n# Licence: free", license: "proprietary" } }); // prettier-ignore
    const { markdown, known, missing } = await ask<{ markdown: string; known: { name: string; value: string }[]; missing: string[] }>("cards.get", { kind: "dataset", id: source.id }); // prettier-ignore
    const value = (name: string) => known.find((one) => one.name === name)?.value;
    expect(value("Events")).toBe("1 of 1 kinds");
    expect(value("Time")).toBe("2026-03-01T10:00:00.000Z to 2026-03-01T10:00:00.000Z");
    expect(value("Consent")).toBe("analytics (consent)");
    expect(value("Fingerprint")).toMatch(/^[0-9a-f]{64}$/);
    expect(missing).toEqual(datasetFields.filter((field) => field !== "description" && field !== "license"));
    expect(markdown).toMatch(/^---\npretty_name: api\n[\s\S]*num_examples: 1[\s\S]*license: proprietary\n---\n\n# Dataset card: api/); // prettier-ignore
    expect(markdown).toContain("> # Licence: free");
    await expect(ask("cards.get", { kind: "dataset", id: (await world.source("api")).id })).rejects.toThrow(/no such data set/); // prettier-ignore
  }, 60_000);
});
