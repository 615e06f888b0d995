import { describe, expect, it } from "vitest";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();
const now = Date.parse("2026-03-20T12:00:00Z");
const days = (n: number): number => now - n * 86_400_000;

interface Made {
  id: string;
  size: number;
}
interface Held {
  members: { unit: string; name: string }[];
  history: { day: string; entered: number; left: number }[];
}

const load = async (): Promise<string> => {
  const workspace = await world.newWorkspace();
  const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
  world.clock.at = now;
  const did = (userId: string, name: string, ago: number, account = "") => ({
    userId,
    name,
    at: days(ago),
    account,
    messageId: `${userId} ${name} ${ago}`,
  });
  await world.system.ingest.accept(source, [
    did("ana", "Opened", 1, "acme"),
    did("ana", "Bought", 0.5, "acme"),
    did("bo", "Opened", 3, "acme"),
    did("cy", "Opened", 40, "beta"),
    { userId: "dee", at: days(2), personTraits: [{ op: "set", traits: { plan: "pro" } }] },
  ]);
  await world.settled();
  return workspace;
};

const week = { value: 1, unit: "week" };
const opened = { type: "did", match: { event: "Opened" }, within: week };

describe("a cohort", () => {
  it("holds whom its rule describes, remembers who left, and says why", async () => {
    const workspace = await load();
    const ask = <T>(name: string, input: unknown) => world.ask<T>(`cohorts.${name}`, input, workspace);
    const rule = { type: "all", rules: [opened, { type: "not", rule: { type: "did", match: { event: "Bought" } } }] };
    const definition = { kind: "rule", rule };
    expect(await ask("preview", { definition })).toEqual({ size: 1, of: 4 });
    const { id, size } = await ask<Made>("create", { name: "Opened, did not buy", definition });
    expect(size).toBe(1);
    const { members } = await ask<Held>("get", { id });
    expect(members.map(({ name }) => name)).toEqual(["bo"]);
    const bo = members[0]?.unit ?? "";
    expect(await ask("why", { id, unit: bo })).toMatchObject({
      isIn: true,
      conditions: [
        { says: "did Opened in the last week", holds: true },
        { says: "did Bought", holds: false },
      ],
      changes: [{ change: "entered" }],
    });

    // a week later nobody has opened it lately
    world.clock.at = now + 7 * 86_400_000;
    expect(await ask("refresh", { id })).toEqual({ size: 0 });
    const later = await ask<Held>("get", { id });
    expect(later.members).toEqual([]);
    expect(later.history).toEqual([
      { day: "2026-03-27", entered: 0, left: 1 },
      { day: "2026-03-20", entered: 1, left: 0 },
    ]);
    expect(await ask("why", { id, unit: bo })).toMatchObject({ isIn: false, changes: [{ change: "left" }, { change: "entered" }] }); // prettier-ignore
    expect(await ask("refresh", { id })).toEqual({ size: 0 });
    expect((await ask<Held>("get", { id })).history).toHaveLength(2);
    world.clock.at = undefined;
  });

  it("filters questions, of persons and of accounts, and nests", async () => {
    const workspace = await load();
    const ask = <T>(name: string, input: unknown) => world.ask<T>(`cohorts.${name}`, input, workspace);
    const people = async (filters: unknown[]) => {
      const input = { range: { from: "2026-01-01", to: "2026-03-20" }, series: [{ event: "Opened", measure: "unique" }], filters }; // prettier-ignore
      return (await world.ask<TrendsResult>("trends.ask", input, workspace)).lines[0]?.total;
    };
    const lately = await ask<Made>("create", { name: "Lately", definition: { kind: "rule", rule: opened } });
    expect(await people([{ on: "cohort", values: [lately.id] }])).toBe(2);
    expect(await people([{ on: "cohort", op: "neq", values: [lately.id] }])).toBe(1);

    const inner = { kind: "rule", rule: { type: "cohort", cohort: lately.id } };
    const nested = await ask<Made>("create", { name: "Nested", definition: inner });
    expect(nested.size).toBe(2);
    const circle = { kind: "rule", rule: { type: "cohort", cohort: nested.id } };
    await expect(ask("update", { id: lately.id, name: "Lately", definition: circle })).rejects.toMatchObject({
      code: "cohorts.circle",
    });

    await expect(ask("remove", { id: lately.id })).rejects.toMatchObject({ code: "cohorts.in_use" });

    const accounts = await ask<Made>("create", { name: "Accounts", unit: "accounts", definition: { kind: "rule", rule: opened } }); // prettier-ignore
    expect(accounts.size).toBe(1);
    expect(await people([{ on: "cohort", values: [accounts.id] }])).toBe(2);

    const pro = { type: "trait", filter: { property: "plan", on: "person", values: ["pro"] } };
    const traits = await ask<Made>("create", { name: "Pro", definition: { kind: "rule", rule: pro } });
    expect(traits.size).toBe(1);
    const others = await ask<Made>("create", { name: "Not pro", definition: { kind: "rule", rule: { ...pro, filter: { ...pro.filter, op: "neq" } } } }); // prettier-ignore
    expect(others.size).toBe(3);
    world.clock.at = undefined;
  });

  it("can be a list, follows joined ids, and is nobody else's", async () => {
    const workspace = await load();
    const ask = <T>(name: string, input: unknown, into = workspace) => world.ask<T>(`cohorts.${name}`, input, into);
    const { id } = await ask<Made>("create", { name: "List", definition: { kind: "list" } });
    expect(await ask("setMembers", { id, ids: ["ana", "bo", "nobody known"] })).toEqual({ size: 3 });
    expect(await ask("setMembers", { id, ids: ["ana", "bo"] })).toEqual({ size: 2 });
    const { members } = await ask<Held>("get", { id });
    const [ana, bo] = ["ana", "bo"].map((name) => members.find((one) => one.name === name)?.unit);
    await world.ask("people.merge", { person: ana, into: bo }, workspace);
    expect((await ask<Held>("get", { id })).members).toHaveLength(1);
    await expect(ask("get", { id }, world.workspace)).rejects.toMatchObject({ code: "cohorts.unknown" });
    expect(await ask("remove", { id })).toEqual({ ok: true });
    await expect(ask("get", { id })).rejects.toMatchObject({ code: "cohorts.unknown" });
    world.clock.at = undefined;
  });

  it("keeps nothing of a rule that cannot be evaluated", async () => {
    const workspace = await load();
    const ask = <T>(name: string, input: unknown) => world.ask<T>(`cohorts.${name}`, input, workspace);
    const filter = { property: "plan", on: "person", op: "matches", values: ["("] };
    const definition = { kind: "rule", rule: { type: "trait", filter } };
    await expect(ask("create", { name: "Broken", definition })).rejects.toMatchObject({ code: "engine.expression" });
    expect(await ask("list", {})).toEqual({ cohorts: [] });
    const { id } = await ask<Made>("create", { name: "Whole", definition: { kind: "rule", rule: opened } });
    await expect(ask("update", { id, name: "Broken", definition })).rejects.toMatchObject({
      code: "engine.expression",
    });
    expect(await ask("list", {})).toMatchObject({ cohorts: [{ name: "Whole", definition: { rule: opened } }] });
    await ask("remove", { id });
    world.clock.at = undefined;
  });

  it("refuses keys of more than 64 bits", async () => {
    const { id } = await world.ask<Made>("cohorts.create", { name: "Keys", definition: { kind: "list" } });
    const key = "99999999999999999999";
    await expect(world.ask("cohorts.setMembers", { id, persons: [key] })).rejects.toMatchObject({
      code: "input.invalid",
    });
    await expect(world.ask("cohorts.why", { id, unit: key })).rejects.toMatchObject({ code: "cohorts.key" });
    await expect(world.ask("people.profile", { id: key })).rejects.toMatchObject({ code: "input.invalid" });
    await expect(world.ask("journeys.ask", { range: { from: "2020-01-01", to: "2026-01-01" } })).rejects.toMatchObject({
      code: "journeys.range_too_long",
    });
  });

  it("refuses rules that are too large", async () => {
    const nest = (depth: number): unknown => (depth === 0 ? opened : { type: "not", rule: nest(depth - 1) });
    const wide = {
      type: "any",
      rules: Array.from({ length: 4 }, () => ({ type: "all", rules: Array(9).fill(opened) })),
    };
    await expect(
      world.ask("cohorts.preview", { definition: { kind: "rule", rule: nest(5_000) } }),
    ).rejects.toMatchObject({
      code: "input.too_deep",
    });
    for (const rule of [nest(20), wide])
      await expect(world.ask("cohorts.preview", { definition: { kind: "rule", rule } })).rejects.toMatchObject({
        code: "input.invalid",
      });
  });
});
