import { describe, expect, it } from "vitest";
import { startJobs } from "#kernel/jobs.ts";
import { keysOf } from "#records/people/keys.ts";
import { useWorld } from "#test/world.ts";

/**
 * Cohorts over time: those whose members are kept up to date from what came in hold the same people as those that are
 * made anew from everything, at every turn.
 */
const world = useWorld();
const hour = 3_600_000;
const start = Date.parse("2026-03-20T12:00:00Z");
const people = Array.from({ length: 40 }, (_, n) => `person ${n}`);
const names = ["A", "B", "C"];
const did = (event: string, within?: object, times?: object, filters: object[] = []) => ({
  type: "did",
  match: { event, filters },
  ...(within === undefined ? {} : { within }),
  ...(times === undefined ? {} : { times }),
});
const days = (value: number) => ({ value, unit: "day" });
const rules: Readonly<Record<string, object>> = {
  lately: did("A", days(3)),
  "often, ever": did("B", undefined, { op: "gte", value: 4 }),
  "not lately": { type: "not", rule: did("A", days(2)) },
  "for the first time": { type: "first_time", match: { event: "C" }, within: days(5) },
  regularly: { type: "regularly", match: { event: "B" }, period: days(1), totalPeriods: 5, minPeriods: 2 },
  stopped: { type: "stopped", match: { event: "A" }, within: days(6), notWithin: days(2) },
  restarted: { type: "restarted", match: { event: "B" }, quietWithin: days(4), againWithin: days(1) },
  "one after another": {
    type: "sequence",
    steps: [{ event: "A" }, { event: "B" }],
    windowSeconds: 86_400,
    within: days(4),
  },
  trait: { type: "trait", filter: { property: "plan", values: ["pro"] } },
  "of those with a trait": did("C", days(6), undefined, [{ on: "person", property: "plan", values: ["pro"] }]),
  "with a trait then": did("C", days(6), undefined, [{ on: "person_then", property: "plan", values: ["pro"] }]),
  "of a session": did("A", days(6), undefined, [{ on: "session", property: "events", op: "gte", values: [2] }]),
  mixed: {
    type: "all",
    rules: [
      { type: "any", rules: [did("A", days(1)), did("B", { value: 7, unit: "hour" })] },
      { type: "not", rule: did("C") },
    ],
  },
};
interface Got {
  readonly members: readonly { readonly unit: string }[];
}

describe("cohorts that are kept up to date", () => {
  it.each([1, 2])("hold whom their rules describe, at every turn (stream %d)", async (seedOf) => {
    let seed = seedOf * 7_919;
    const random = (n: number): number => (seed = (seed * 48_271) % 2_147_483_647) % n;
    const pick = <T>(all: readonly T[]): T => all[random(all.length)]!;
    const workspace = await world.newWorkspace({ zone: "America/New_York" });
    const source = await world.system.registry.byKey((await world.source("api", workspace)).writeKey);
    const ask = <T>(name: string, input: unknown) => world.ask<T>(`cohorts.${name}`, input, workspace);
    const membersOf = async (id: string): Promise<string[]> =>
      (await ask<Got>("get", { id, limit: 1_000 })).members.map(({ unit }) => unit).toSorted();
    const { secret } = (await world.system.directory.find(workspace))!.workspace;
    const keys = keysOf(secret);
    let now = start;
    let parted = 0;
    const send = async (count: number): Promise<void> => {
      world.clock.at = now;
      const events = Array.from({ length: count }, () => {
        const who = pick(people);
        const from = random(3) === 0 ? { anonymousId: `device of ${who}` } : { userId: who };
        const joins = random(12) === 0 ? { userId: who, anonymousId: `device of ${who}` } : {};
        const traits = random(5) === 0 ? [{ op: "set" as const, traits: { plan: pick(["pro", "free"]) } }] : [];
        // most are of now, some come late, and a few clocks are fast
        const at = now - pick([0, 0, random(600) * 1_000, random(8 * 24) * hour, -random(50) * 60_000]);
        return {
          name: pick(names),
          at,
          account: pick(["x", "y", ""]),
          session: pick(["1", "2"]),
          personTraits: traits,
          ...from,
          ...joins,
        };
      });
      await world.system.ingest.accept(source, events);
      await world.settled();
    };
    await send(150);
    const made: { name: string; unit: string; id: string; definition: object }[] = [];
    for (const [name, rule] of Object.entries(rules)) {
      for (const unit of ["people", "accounts"]) {
        const definition = { kind: "rule", rule };
        if (name === "of a session" && unit === "accounts") continue;
        made.push({ name, unit, definition, id: (await ask<{ id: string }>("create", { name, unit, definition })).id });
      }
    }
    const nested = {
      kind: "rule",
      rule: { type: "all", rules: [{ type: "cohort", cohort: made[0]!.id }, did("B", days(4))] },
    };
    made.push({ name: "nested", unit: "people", definition: nested, id: (await ask<{ id: string }>("create", { name: "nested", unit: "people", definition: nested })).id }); // prettier-ignore

    const faults: string[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      now += pick([10 * 60_000, 11 * 60_000, 7 * hour, 26 * hour, 3 * 24 * hour]);
      await send(random(3) === 0 ? 0 : 1 + random(6));
      if (random(3) === 0) {
        // one id is parted from the person that it was joined to, if it was
        const key = keys.actor(`device of ${pick(people)}`);
        parted += await world.ask("people.unlink", { key }, workspace).then(() => 1, () => 0); // prettier-ignore
        await world.settled();
      }
      const { modules, store, directory, log } = world.system;
      const cohorts = modules.filter(({ name }) => name === "cohorts");
      const jobs = startJobs({ modules: cohorts, store, directory, clock: world.clock, log, tickMs: 5 });
      const evaluated = async () =>
        (await store.selectFrom("cohorts").select("evaluated_at").where("workspace", "=", workspace).execute()).every(
          (row) => row.evaluated_at === new Date(now).toISOString(),
        );
      await expect.poll(evaluated, { timeout: 30_000 }).toBe(true);
      await jobs.stop();
      for (const { name, unit, id, definition } of made) {
        const anew = await ask<{ id: string }>("create", { name: "anew", unit, definition });
        const [kept, expected] = [await membersOf(id), await membersOf(anew.id)];
        await ask("remove", { id: anew.id });
        if (kept.join() !== expected.join())
          faults.push(`${name} of ${unit}, turn ${turn}: ${kept.length} for ${expected.length}`);
      }
    }
    expect(faults).toEqual([]);
    expect(parted).toBeGreaterThan(0);
    world.clock.at = undefined;
  });
});
