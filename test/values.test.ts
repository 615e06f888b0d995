import { beforeAll, describe, expect, it } from "vitest";
import type { FunnelResult } from "#insights/funnels/contract.ts";
import type { RetentionResult } from "#insights/retention/contract.ts";
import { useWorld } from "#test/world.ts";

/** What people who come back are worth, and ways within sessions, against plain walks over random events. */

const world = useWorld();
const day = 86_400_000;
const start = Date.parse("2026-02-02T00:00:00Z");
const days = 14;
const range = { from: "2026-02-02", to: "2026-02-15" };

interface Happened {
  name: "A" | "B";
  who: string;
  at: number;
  session: string;
  amount: number | undefined;
}
let happened: Happened[] = [];

beforeAll(async () => {
  world.clock.at = Date.parse("2026-03-10T00:00:00Z");
  let seed = 11;
  const random = (n: number): number => (seed = (seed * 48_271) % 2_147_483_647) % n;
  happened = Array.from({ length: 400 }, () => ({
    name: (["A", "B"] as const)[random(2)]!,
    who: `u${random(20)}`,
    at: start + random(days) * day + (random(4) === 0 ? 0 : random(day)),
    session: ["", "s1", "s2", "s3"][random(4)]!,
    amount: random(3) === 0 ? undefined : random(100),
  }));
  const source = await world.system.registry.byKey((await world.source()).writeKey);
  await world.system.ingest.accept(
    source,
    happened.map(({ name, who, at, session, amount }, n) => ({ name, userId: who, at, session, messageId: String(n), properties: amount === undefined ? {} : { amount } })), // prettier-ignore
  );
  await world.settled();
});

const dayOf = (at: number): number => Math.floor((at - start) / day);

/** The values of each cell (row, column) of the table, walked event by event. */
const walked = (cohorting: string, mode: string): Map<string, number[]> => {
  const cells = new Map<string, number[]>();
  for (const who of new Set(happened.map((one) => one.who))) {
    const own = happened.filter((one) => one.who === who);
    const starts = own.filter(({ name }) => name === "A").map(({ at }) => at);
    if (starts.length === 0) continue;
    const first = Math.min(...starts);
    const rows = cohorting === "recurring" ? [...new Set(starts.map(dayOf))] : [dayOf(first)];
    for (const row of rows)
      for (const { name, at, amount } of own) {
        if (name !== "B" || amount === undefined) continue;
        const column = mode === "rolling" ? Math.floor((at - first) / day) : dayOf(at) - row;
        if (column < 0 || (mode === "rolling" && at < first)) continue;
        const key = `${row} ${column}`;
        cells.set(key, [...(cells.get(key) ?? []), amount]);
      }
  }
  return cells;
};

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe("retention of a property's value", () => {
  it.each([
    ["first_time", "calendar"],
    ["recurring", "calendar"],
    ["first_time", "rolling"],
  ])("is what a plain walk finds: %s, %s", async (cohorting, mode) => {
    const cells = walked(cohorting, mode);
    for (const statistic of ["sum", "average"]) {
      const question = { range, start: { event: "A" }, returning: { event: "B" }, period: "day", cohorting, mode, value: { property: "amount", statistic } }; // prettier-ignore
      const { groups } = await world.ask<RetentionResult>("retention.ask", question);
      groups[0]!.cohorts.forEach(({ values }, row) =>
        values!.forEach((value, column) => {
          const own = cells.get(`${row} ${column}`) ?? [];
          const wanted = statistic === "sum" ? sum(own) : own.length === 0 ? null : sum(own) / own.length;
          if (wanted === null) expect(value).toBe(null);
          else expect(value).toBeCloseTo(wanted, 9);
        }),
      );
      // column 1 over the cohorts that have one
      const rows = groups[0]!.cohorts.filter(({ counts }) => counts.length > 1);
      const own = [...cells].filter(([key]) => key.endsWith(" 1") && Number(key.split(" ")[0]) < rows.length).flatMap(([, values]) => values); // prettier-ignore
      const wanted = sum(own) / (statistic === "sum" ? sum(rows.map(({ size }) => size)) : own.length);
      expect(groups[0]!.averages[1]!.value).toBeCloseTo(wanted, 9);
    }
  });

  it("adds brackets up, and is refused where it would not mean anything", async () => {
    const question = { range, start: { event: "A" }, returning: { event: "B" }, period: "day", value: { property: "amount", statistic: "sum" } }; // prettier-ignore
    const plain = await world.ask<RetentionResult>("retention.ask", { ...question, columns: 4 });
    const joined = await world.ask<RetentionResult>("retention.ask", { ...question, brackets: [1, 2] });
    const [a, b] = [plain, joined].map(({ groups }) => groups[0]!.cohorts[0]!.values!);
    expect(b![2]).toBeCloseTo((a![2] ?? 0) + (a![3] ?? 0), 9);
    await expect(world.ask("retention.ask", { ...question, onOrAfter: true })).rejects.toMatchObject({ code: "retention.value" }); // prettier-ignore
  });
});

describe("a funnel of sessions", () => {
  it("is walked within each session of the sender", async () => {
    const sessions = new Map<string, Happened[]>();
    for (const one of happened)
      if (one.session !== "") sessions.set(`${one.who} ${one.session}`, [...(sessions.get(`${one.who} ${one.session}`) ?? []), one]); // prettier-ignore
    const window = 2 * day;
    const entered = [...sessions.values()].filter((own) => own.some(({ name }) => name === "A"));
    const converted = entered.filter((own) =>
      own.some((a) => a.name === "A" && own.some((b) => b.name === "B" && b.at >= a.at && b.at - a.at <= window)),
    );
    const funnel = { range, steps: [{ event: "A" }, { event: "B" }], windowSeconds: window / 1000, unit: "sessions" };
    const { groups, sentence } = await world.ask<FunnelResult>("funnels.ask", funnel);
    expect(groups[0]!.steps.map(({ count }) => count)).toEqual([entered.length, converted.length]);
    expect(sentence).toContain(`${entered.length} sessions`);
    const { people, unit } = await world.ask<{ people: unknown[]; unit: string }>("funnels.people", { funnel, step: 1, limit: 100 }); // prettier-ignore
    expect([people.length, unit]).toEqual([new Set(converted.map((own) => own[0]!.who)).size, "people"]);
  });
});
